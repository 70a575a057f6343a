"""What is scored and compared: models at their working sizes and operating points, and plain grey."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype import models
from tintype.adjustments import Adjustments
from tintype.colorizer import Colorizer
from tintype.errors import UsageError
from tintype.lab import lightness_to_rgb, rgb_to_lightness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Array: TypeAlias = NDArray[Any]

GREY: Final = "plain grey"
VIVID_AND_CALM: Final = (1.0, 0.0)
"""Vividness of the two operating points of a model that predicts a distribution."""

_DIGITS: Final = 12


@dataclass(frozen=True)
class Contender:
    """One way to color a photograph."""

    name: str
    size: int
    """Working size, px; 0 for what has none."""
    vividness: float | None
    """Of models that have an `ab_mean`."""
    digest: str
    """Of the model's file, the beginning of its SHA-256; empty for what has none."""
    colorize: Callable[[Array], Array]
    """sRGB (H, W, 3) uint8 to the same."""


def grey(photo: Array) -> Array:
    """Return a photograph's own L* as sRGB (H, W, 3) uint8."""
    return lightness_to_rgb(rgb_to_lightness(photo), np.uint8)


PLAIN: Final = Contender(GREY, 0, None, "", grey)


def open_all(
    named: Sequence[str],
    sizes: Sequence[int | None] = (None,),
    vividness: Sequence[float] = VIVID_AND_CALM,
    threads: int | None = None,
) -> list[Contender]:
    """Open models, each a bundled name, a file, or NAME=FILE, at every size and operating point.

    A size of None is the model's own; `vividness` counts for models that have an `ab_mean`. Raises a
    ModelError or UsageError.
    """
    found = [c for model in named for size in sizes for c in _operating(model, size, vividness, threads)]
    times = Counter((c.name, c.size, c.vividness) for c in found)
    if doubled := [c.name for c in found if times[c.name, c.size, c.vividness] > 1]:
        raise UsageError(f"two models are named {doubled[0]}: tell them apart by --model NAME=FILE NAME=FILE")
    return found


def _operating(
    model: str, size: int | None, vividness: Sequence[float], threads: int | None
) -> Iterator[Contender]:
    named, _, place = model.rpartition("=")
    colorizer = Colorizer(place, working_size=size, threads=threads)
    name = named or (colorizer.model if model == "default" else Path(model).stem)
    points = vividness if colorizer.session.has_mean else [None]
    for point in points:
        adjustments = Adjustments() if point is None else Adjustments(vividness=point)
        shown = name if point in (None, 1.0) else f"{name}, vividness {point:g}"
        digest = models.sha256(colorizer.session.path)[:_DIGITS]
        colorize = partial(_colorize, colorizer, adjustments)
        yield Contender(shown, colorizer.working_size, point, digest, colorize)


def _colorize(colorizer: Colorizer, adjustments: Adjustments, photo: Array) -> Array:
    return colorizer.colorize(photo, adjustments)
