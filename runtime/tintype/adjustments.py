"""How strong, vivid and warm the colors are: the same for options, sliders, files and journals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from tintype.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WARMEST: Final = (4.0, 14.0)  # a, b of the tint at warmth 1 and middle lightness: about 1500 K


def _bounded(default: float, low: float, high: float, description: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "help": description})


@dataclass(frozen=True)
class Adjustments:
    """Changes to predicted color. All act on ab of the working size; the network never runs again.

    With ab the network's answer, ab_mean its expectation, and L in [0, 100]:

        vividness v  ab <- ab_mean + v (ab - ab_mean)       where the model has both outputs
        strength  s  ab <- s ab
        warmth    w  ab <- ab + w (4, 14) 4 t (1 - t)       t = L / 100: black and white stay neutral
    """

    strength: float = _bounded(1.0, 0.0, 2.0, "how much color: 0 is grey, 1 as predicted")
    vividness: float = _bounded(
        1.0, 0.0, 1.5, "0 the mean of likely colors, 1 as predicted; some models only"
    )
    warmth: float = _bounded(0.0, -1.0, 1.0, "-1 colder, 1 warmer")

    def __post_init__(self) -> None:
        """Refuse values outside of their bounds with UsageError."""
        for item in fields(self):
            value, low, high = getattr(self, item.name), item.metadata["low"], item.metadata["high"]
            if not (math.isfinite(value) and low <= value <= high):
                raise UsageError(f"{item.name} {value} is not between {low:g} and {high:g}")

    def apply(self, lightness: NDArray[Any], ab: NDArray[Any], ab_mean: NDArray[Any] | None) -> NDArray[Any]:
        """Return adjusted ab (2, h, w), CIE units, of ab and ab_mean (2, h, w) and lightness (h, w)."""
        if ab_mean is not None and self.vividness != 1.0:
            ab = ab_mean + self.vividness * (ab - ab_mean)
        if self.strength != 1.0:
            ab = self.strength * ab
        if self.warmth != 0.0:
            t = lightness / 100
            tint = 4 * self.warmth * t * (1 - t)
            ab = ab + tint * _column(WARMEST, ab)
        return ab


def _column(values: tuple[float, float], like: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    return np.array(values, like.dtype)[:, None, None]
