"""The color alone, as PNG files for photo editors, written strip by strip.

color   RGBA, 8 bits. Lay it over the photograph and choose the blend mode `LCH Color` (GIMP) or
        `Color` (others). Each pixel has the result's a and b at L* = 65, where most colors fit into
        sRGB; one that does not takes the photograph's own L*. Alpha is the photograph's, else opaque:
        where the result is grey, the layer makes what it lies on grey.
ab      RGB, 16 bits, in the order of Lab: R is L* = 50 throughout (32768), and

            a = G / 257 - 128        b = B / 257 - 128        in CIE units, -128..127

        Split into channels, put the photograph's own L* in place of the first, compose as Lab.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype import output
from tintype.errors import UsageError
from tintype.lab import lightness_ab_to_rgb, rgb_to_lab
from tintype.merge import lightness_of, strips
from tintype.photo import to_8_bits
from tintype.png import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from tintype.merge import Merger
    from tintype.photo import Photo
    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]
Kind: TypeAlias = Literal["color", "ab"]

LIGHTNESS: Final = 65.0
MIDDLE: Final = 32768  # the first channel of ab
_LOST: Final = 1.0  # CIE units of chroma that a color may lose at LIGHTNESS


def write(target: Path, kind: Kind, photo: Photo, merger: Merger, *, workers: int, watch: Watch) -> None:
    """Write a layer of a photograph's size; raises UsageError, OutputError, CancelledError."""
    if target.suffix.lower() != ".png":
        raise UsageError(f"{target}: the color layer is a PNG: end its name with .png")
    height = photo.size[1]
    paint = partial(color if kind == "color" else ab, merger)
    depth, channels = (8, 4) if kind == "color" else (16, 3)
    with (
        output.replacing(target) as file,
        closing(strips(photo.rows, merger, workers, paint)) as done,
    ):
        png = Writer(file, photo.size, channels, depth)
        for top, _, rows in done:
            watch.advance(top / height)
            png.put(png.pack(_with_alpha(rows, photo, top) if kind == "color" else rows))
        png.close()


def color(merger: Merger, rows: Array, top: int) -> Array:
    """Return rows (rows, W, 3) uint8 that have a merger's a and b, and no detail of the photograph."""
    lightness = lightness_of(rows)
    a, b = merger.ab(lightness, top)
    flat = np.full_like(lightness, LIGHTNESS)
    fitted = rgb_to_lab(lightness_ab_to_rgb(flat, a, b))
    lost = np.hypot(a, b) - np.hypot(fitted[..., 1], fitted[..., 2]) > _LOST
    return lightness_ab_to_rgb(np.where(lost, lightness, flat), a, b, np.uint8)


def ab(merger: Merger, rows: Array, top: int) -> Array:
    """Return rows (rows, W, 3) uint16: MIDDLE, a and b, coded as the module says."""
    planes = merger.ab(lightness_of(rows), top)
    coded = np.empty((*rows.shape[:2], 3), np.uint16)
    coded[..., 0] = MIDDLE
    for channel, plane in enumerate(planes, 1):
        coded[..., channel] = np.rint((np.clip(plane, -128, 127) + 128) * 257)
    return coded


def _with_alpha(rows: Array, photo: Photo, top: int) -> Array:
    """Return rows (rows, W, 4) with the photograph's alpha, or opaque."""
    alpha = photo.alpha(top, top + len(rows))
    if alpha is None:
        alpha = np.full(rows.shape[:2], 255, np.uint8)
    return np.concatenate([rows, to_8_bits(alpha)[..., None]], axis=-1)
