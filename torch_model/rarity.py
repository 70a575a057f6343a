"""How rare colors are, so that the many dull pixels of photographs do not outvote the few vivid ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype.lab import rgb_to_lab

if TYPE_CHECKING:
    from collections.abc import Iterable

Array: TypeAlias = NDArray[Any]

CELL: Final = 10  # CIE units, as in Zhang et al., 2016
_SMOOTHING: Final = 5 / CELL  # standard deviation, likewise
_REACH: Final = 13  # cells to either side of grey: sRGB ends at -108 and 98


@dataclass(frozen=True)
class Rarity:
    """Weights of colors: the inverse of how frequent their cells of the ab plane are, smoothed.

    As Zhang et al. (2016) weight pixels in their evaluation; the frequencies here are those of the
    photographs that are scored, where each pixel's weight is 1 on average.
    """

    weights: Array
    """(27, 27), of the cells of a and b."""

    @classmethod
    def of(cls, pixels: Iterable[NDArray[np.uint8]]) -> Rarity:
        """Count the colors of photographs (H, W, 3)."""
        from scipy.ndimage import gaussian_filter

        counts = np.zeros((2 * _REACH + 1,) * 2)
        for photo in pixels:
            counts += np.bincount(_cells(rgb_to_lab(photo)[..., 1:]).ravel(), minlength=counts.size).reshape(
                counts.shape
            )
        frequent = gaussian_filter(counts / counts.sum(), _SMOOTHING, mode="constant")
        inverse = 1 / np.maximum(frequent, 1 / counts.sum())
        return cls(inverse * counts.sum() / (inverse * counts).sum())

    def __call__(self, ab: Array) -> Array:
        """Return the weights (...) of true colors ab (..., 2)."""
        found: Array = self.weights.ravel()[_cells(ab)]
        return found


def _cells(ab: Array) -> NDArray[np.int64]:
    """Return the number of the cell (...) of each color (..., 2); cells lie around multiples of CELL."""
    rounded = np.clip(np.rint(ab / CELL).astype(np.int64), -_REACH, _REACH) + _REACH
    numbers: NDArray[np.int64] = rounded[..., 0] * (2 * _REACH + 1) + rounded[..., 1]
    return numbers
