"""Colors for the screen: the conversions of `lab` by tables, many times faster.

8 bits, within a level or two of what `lab` gives; for what is drawn, never for what is saved.
Tables and matrix are those of `lab`, and so is what becomes of a color outside of the sRGB gamut:
it loses chroma at the same L* and hue. How much it may keep stands in a table by L* and hue.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype.lab import (
    GAMUT,
    RGB_TO_XYZ,
    TO_CODES,
    _backward,
    _code_table,
    _forward,
    gamut,
    srgb_to_linear,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Float: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]

BLOCK: Final = 28_000  # px: what is computed in between stays in cache, and BLAS starts no threads of its own
_TOP: Final = 65535
_STEPS: Final = np.float32(24_000)  # entries of the table per unit of f(X), the cube root of X
_LOWEST: Final = np.float32(-0.6)  # of f in that table; its highest is 2.1: wider than the gamut
_MOST: Final = np.float32(1.004)  # a little too much is clipped: the channel that limits is exact then


def blocks(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield the first row and the row after the last of each block of a (height, width) picture."""
    step = max(1, BLOCK // max(1, width))
    for top in range(0, height, step):
        yield top, min(top + step, height)


def rgb_to_lightness(rgb: Bytes) -> Float:
    """Return L* (...) of sRGB (..., 3), uint8, to 0.02."""
    red, green, blue = _luminances()
    luminance = red[rgb[..., 0]]
    luminance += green[rgb[..., 1]]
    luminance += blue[rgb[..., 2]]
    lightness: Float = np.take(_lightnesses(), luminance.astype(np.uint16))
    return lightness


def colorize(lightness: Float, a: Float, b: Float) -> Bytes:
    """Return sRGB (h, w, 3), uint8, of L*, a and b (h, w)."""
    share = _share(lightness, a, b)
    f = np.empty((3, *lightness.shape), np.float32)  # places in the table of f(X), f(Y), f(Z)
    np.multiply(lightness, _STEPS / 116, out=f[1])
    f[1] += _STEPS * (np.float32(16 / 116) - _LOWEST) + np.float32(0.5)
    share *= _STEPS
    for place, chroma, scale in ((0, a, 1 / 500), (2, b, -1 / 200)):
        np.multiply(chroma, np.float32(scale), out=f[place])
        f[place] *= share
        f[place] += f[1]
    np.take(_cubes(), f.astype(np.uint16), out=f, mode="clip")
    linear = TO_CODES @ f.reshape(3, -1)
    np.clip(linear, 0, _TOP, out=linear)
    codes = np.take(_code_table(), linear.astype(np.uint16))
    rgb = np.empty((*lightness.shape, 3), np.uint8)
    for channel, plane in enumerate(codes):
        rgb[..., channel] = plane.reshape(lightness.shape)
    return rgb


def _share(lightness: Float, a: Float, b: Float) -> Float:
    """Return how much of its chroma each color can keep, 0..1."""
    size = np.abs(a)
    size += np.abs(b)
    size += np.float32(1e-6)
    hue = a / size
    np.copysign(np.subtract(1, hue, out=hue), b, out=hue)  # 0..2 above the axis of a, 0..-2 below it
    hue *= np.float32(GAMUT / 4)
    hue += np.float32(GAMUT / 2)
    shade = lightness * np.float32(GAMUT / 100)
    place = np.clip(shade, 0, GAMUT - 1, out=shade).astype(np.int32)
    place *= GAMUT
    place += np.minimum(hue, GAMUT - 1, out=hue).astype(np.int32)
    share = np.take(_chromas(), place)
    share /= size
    return np.minimum(share, 1, out=share)


@cache
def _cubes() -> Float:
    """X / white of f(X), and so for Y and Z."""
    return _backward(np.arange(_TOP + 1, dtype=np.float32) / _STEPS + _LOWEST)


@cache
def _luminances() -> Float:
    """Return what red, green and blue of each level add to luminance, 0..65535 (3, 256)."""
    linear = srgb_to_linear(np.arange(256, dtype=np.uint8))
    added: Float = (RGB_TO_XYZ[1][:, None] * linear * _TOP).astype(np.float32)
    return added


@cache
def _lightnesses() -> Float:
    """L* of luminances 0..65535."""
    return 116 * _forward(np.linspace(0, 1, _TOP + 1, dtype=np.float32)) - 16


@cache
def _chromas() -> Float:
    """Return the largest |a| + |b| that a color may keep, by shade and hue, flat."""
    return gamut() * _MOST


def warm() -> None:
    """Make the tables, which takes about a tenth of a second the first time."""
    for table in (_cubes, _luminances, _lightnesses, _chromas, _code_table):
        table()
