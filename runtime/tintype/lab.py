"""sRGB <-> CIE L*a*b*, in numpy and float32.

Central space: CIE XYZ under D65, 2 degree observer. Matrix, white point and the constants of the
transfer functions are those of `skimage.color`, which the tests compare with.

sRGB   IEC 61966-2-1; uint8 0..255, uint16 0..65535 or float32 0..1; the last axis holds R, G, B
lab    float32; L* in [0, 100], a* and b* in CIE units (about -108..98 for colors of sRGB)

Every function works element by element, so that a picture converted in strips equals the same
picture converted whole, bit for bit.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array: TypeAlias = NDArray[Any]
Float: TypeAlias = NDArray[np.float32]

WHITE = np.array([0.95047, 1.0, 1.08883])
RGB_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_TO_RELATIVE = (RGB_TO_XYZ / WHITE[:, None]).astype(np.float32)  # linear RGB -> XYZ / white
_FROM_RELATIVE = (np.linalg.inv(RGB_TO_XYZ) * WHITE[None, :]).astype(np.float32)
_EPSILON = np.float32(0.008856)  # below it the cube root becomes a line
_SLOPE, _OFFSET = np.float32(7.787), np.float32(16 / 116)
_KNEE = np.float32(0.2068966)  # the cube root of _EPSILON
_CODES = 65536  # entries of the table that encodes 8-bit sRGB: 0.05 level a step where it is steepest
_BLACK, _WHITE = np.float32(5e-4), np.float32(99.9995)  # L*, half a step of 16 bits from the ends
GAMUT = 1024  # lightnesses and hues of the table of chroma
_LARGEST, _BISECTIONS = np.float32(300), 13  # |a| + |b|; to 0.04
_TRIED = np.array([0, 0.5, 0.85, 0.96, 0.988, 1.003, 1.02, 1.08, 1.3], np.float32)[:, None]
_HALVINGS = 4  # where that was not enough, near white
_WITHIN = np.float32(3e-5)  # linear: so far inside of the gamut what is cut is to come


def srgb_to_linear(rgb: Array) -> Float:
    """Undo the sRGB transfer function: any of the three dtypes to linear float32 in [0, 1]."""
    if rgb.dtype in (np.uint8, np.uint16):
        return _looked_up(_linear_table(rgb.dtype), rgb)
    return _decode(rgb.astype(np.float32, copy=False))


def rgb_to_lab(rgb: Array) -> Float:
    """Convert sRGB (..., 3) of any of the three dtypes to lab (..., 3)."""
    fx, fy, fz = (_forward(plane) for plane in _mix(_TO_RELATIVE, srgb_to_linear(rgb)))
    return np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1)


def rgb_to_lightness(rgb: Array) -> Float:
    """Return L* (...) of sRGB (..., 3): the first plane of `rgb_to_lab`, for a third of its cost."""
    if rgb.dtype in (np.uint8, np.uint16):
        red, green, blue = _luminance_tables(rgb.dtype)
        y = _looked_up(red, rgb[..., 0])
        y += _looked_up(green, rgb[..., 1])
        y += _looked_up(blue, rgb[..., 2])
    else:
        (y,) = _mix(_TO_RELATIVE[1:2], srgb_to_linear(rgb))
    return _lightness(y)


def grey_to_lightness(grey: Array) -> Float:
    """Return L* (...) of grey values (...), uint8, uint16 or float32, coded as in sRGB."""
    if grey.dtype in (np.uint8, np.uint16):
        return _looked_up(_lightness_table(grey.dtype), grey)
    return _lightness(_decode(grey.astype(np.float32, copy=False)))


def lab_to_rgb(lab: Array, dtype: Any = np.float32) -> Array:
    """Convert lab (..., 3) to sRGB (..., 3) of `dtype`; what lies outside of the gamut is clipped."""
    lab = lab.astype(np.float32, copy=False)
    return _encode(_to_linear(lab[..., 0], lab[..., 1], lab[..., 2]), np.dtype(dtype))


def lightness_ab_to_rgb(lightness: Float, a: Float, b: Float, dtype: Any = np.float32) -> Array:
    """Convert planes of one shape (...) to sRGB (..., 3) of `dtype`, at constant lightness.

    A color outside of the sRGB gamut loses chroma, at the same L* and hue, until it fits: clipping
    its RGB would change its lightness, and with it the detail of the photograph.
    """
    dtype = np.dtype(dtype)
    planes = _to_linear(lightness, a, b)
    outside = _places_outside(planes, dtype)
    if outside.size:
        flat_l, flat_a, flat_b = (np.take(plane, outside) for plane in (lightness, a, b))
        for plane, values in zip(planes, _fit(flat_l, flat_a, flat_b, dtype), strict=True):
            np.put(plane, outside, values)
    return _encode(planes, dtype)


def lightness_to_rgb(lightness: Float, dtype: Any = np.float32) -> Array:
    """Return the grey of a lightness (...) as sRGB (..., 3) of `dtype`."""
    nothing = np.zeros_like(lightness)
    return lightness_ab_to_rgb(lightness, nothing, nothing, dtype)


def _fit(lightness: Float, a: Float, b: Float, dtype: np.dtype[Any]) -> list[Float]:
    """Shrink a and b (n) of colors outside of the gamut until they fit; return linear R, G, B, (n) each."""
    fy = _f_of(lightness)
    share, safe = np.zeros_like(a), np.zeros_like(a)
    colored = np.flatnonzero((lightness > _BLACK) & (lightness < _WHITE))  # borders and paper have no chroma
    if colored.size:
        light, red, yellow = (np.take(plane, colored) for plane in (lightness, a, b))
        share[colored], safe[colored] = _share(light, red, yellow, dtype)
    planes = _linear(fy, a * share, b * share)
    missed = np.flatnonzero(_outside(planes, dtype))
    if missed.size:
        fy, a, b, low, high = (np.take(plane, missed) for plane in (fy, a, b, safe, share))
        for _ in range(_HALVINGS):
            middle = (low + high) * np.float32(0.5)
            outside = _outside(_linear(fy, a * middle, b * middle), dtype)
            low, high = np.where(outside, low, middle), np.where(outside, middle, high)
        for plane, values in zip(planes, _linear(fy, a * low, b * low), strict=True):
            plane[missed] = values
    return planes


def _share(lightness: Float, a: Float, b: Float, dtype: np.dtype[Any]) -> tuple[Float, Float]:
    """Return nearly the largest share of chroma that fits, and a smaller one that is sure to, (n) each.

    A few shares about what a table says are tried. Between the last that fits, which is the sure one, and
    the first that does not, what is missed grows nearly as a line.
    """
    fy = _f_of(lightness)
    tried = np.minimum(_TRIED * _spendable(lightness, a, b), 1)
    missed = _missed(_linear(fy, a * tried, b * tried))
    fits, first = missed <= _tolerance(dtype), np.zeros(lightness.shape, np.intp)
    still = np.ones(lightness.shape, np.bool_)
    for row in fits[:-1]:
        still &= row
        first += still  # of those that miss: there may be more that fit behind it
    place = first * lightness.size + np.arange(lightness.size)
    low, high = tried.take(place - lightness.size), tried.take(place)
    inside, outside = missed.take(place - lightness.size), missed.take(place)
    part = (inside + _WITHIN) / np.minimum(inside - outside, -_WITHIN)
    return low + (high - low) * np.clip(part, 0, 1), low


def _spendable(lightness: Float, a: Float, b: Float) -> Float:
    """Return nearly the largest share of chroma (n) that fits, from a table by lightness and hue."""
    size = np.abs(a)
    size += np.abs(b)
    size += np.float32(1e-6)
    hue = np.copysign(1 - a / size, b)
    shade = (lightness * np.float32(GAMUT / 100)).astype(np.intp)
    place = np.clip(shade, 0, GAMUT - 1) * GAMUT
    place += np.clip(((hue + 2) * np.float32(GAMUT / 4)).astype(np.intp), 0, GAMUT - 1)
    spendable: Float = np.take(gamut(), place)
    spendable /= size
    return spendable


@cache
def gamut() -> Float:
    """Return the largest |a| + |b| that sRGB has, flat, (GAMUT * GAMUT): by lightness, then by hue.

    Lightness goes from 0 to 100; a hue is a place on the sides of the square |a| + |b| = 1, which takes no
    arc tangent: 1 - a / (|a| + |b|), with the sign of b, from -2 to 2. Found by bisection at every eighth
    lightness and every fourth hue, and enlarged.
    """
    lightness = (np.arange(0, GAMUT, 8, dtype=np.float32) + np.float32(4)) * np.float32(100 / GAMUT)
    hues = (np.arange(0, GAMUT, 4, dtype=np.float32) + np.float32(2)) * np.float32(4 / GAMUT) - np.float32(2)
    a = 1 - np.abs(hues)
    b = np.copysign(1 - np.abs(a), hues)
    fy = _f_of(lightness)[:, None]
    low = np.zeros((lightness.size, hues.size), np.float32)
    high = np.full_like(low, _LARGEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) * np.float32(0.5)
        fits = _missed(_linear(fy, middle * a, middle * b)) <= 0
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    table = Image.fromarray(low).resize((GAMUT, GAMUT), Image.Resampling.BILINEAR)
    return np.asarray(table).ravel()


def _f_of(lightness: Float) -> Float:
    """Return f(Y), which lightness is by a scale of its own."""
    return (lightness + np.float32(16)) * np.float32(1 / 116)


def _linear(fy: Float, a: Float, b: Float) -> list[Float]:
    """Return linear R, G and B, planes of the shape of a and b (..., n), of f(Y), (n) or of that shape."""
    fx = a * np.float32(1 / 500)
    fx += fy
    fz = b * np.float32(-1 / 200)
    fz += fy
    return _mixed(_FROM_RELATIVE, _backward(fx), _backward(fy), _backward(fz))


def _places_outside(planes: list[Float], dtype: np.dtype[Any]) -> NDArray[np.intp]:
    """Return where linear colors miss the gamut: places in flat planes."""
    tolerance = _tolerance(dtype)
    if all(plane.min() >= -tolerance and plane.max() <= 1 + tolerance for plane in planes if plane.size):
        return np.empty(0, np.intp)
    return np.flatnonzero(_outside(planes, dtype))


def _outside(planes: list[Float], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Say which linear colors miss the gamut by more than the tolerance."""
    outside: NDArray[np.bool_] = _missed(planes) > _tolerance(dtype)
    return outside


def _missed(planes: list[Float]) -> Float:
    """Return by how much linear colors miss the gamut; below zero, how far they are within."""
    lowest = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    highest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    highest -= np.float32(1)
    missed: Float = np.maximum(np.negative(lowest, out=lowest), highest, out=highest)
    return missed


def _tolerance(dtype: np.dtype[Any]) -> np.float32:
    """Return a quarter of a coding step, linear, where steps are smallest."""
    levels = np.iinfo(dtype).max if dtype.kind == "u" else _CODES
    return np.float32(0.25 / (12.92 * levels))


def _to_linear(lightness: Float, a: Float, b: Float) -> list[Float]:
    return _linear(_f_of(lightness), a, b)


def _mix(matrix: Float, colors: Float) -> list[Float]:
    """Multiply colors (..., 3) by the rows of a matrix."""
    return _mixed(matrix, colors[..., 0], colors[..., 1], colors[..., 2])


def _mixed(matrix: Float, x: Float, y: Float, z: Float) -> list[Float]:
    """Multiply planes by the rows of a matrix, without BLAS: its sums depend on shapes."""
    sums = []
    for row in matrix:
        mixed = row[0] * x
        mixed += row[1] * y
        mixed += row[2] * z
        sums.append(mixed)
    return sums


def _lightness(y: Float) -> Float:
    lightness = _forward(y)
    lightness *= np.float32(116)
    lightness -= np.float32(16)
    return lightness


def _forward(t: Float) -> Float:
    f = np.cbrt(t)
    dark = np.flatnonzero(t <= _EPSILON)
    if dark.size:
        np.put(f, dark, _SLOPE * np.take(t, dark) + _OFFSET)
    return f


def _backward(f: Float) -> Float:
    t = f * f
    t *= f
    dark = np.flatnonzero(f <= _KNEE)
    if dark.size:
        np.put(t, dark, (np.take(f, dark) - _OFFSET) * np.float32(1 / 7.787))
    return t


def _decode(rgb: Float) -> Float:
    curve = ((np.maximum(rgb, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(rgb > np.float32(0.04045), curve, rgb / np.float32(12.92))


def _encode(planes: list[Float], dtype: np.dtype[Any]) -> Array:
    rgb = np.empty((*planes[0].shape, 3), dtype)
    for channel, plane in enumerate(planes):
        if dtype == np.uint8:
            codes = plane * np.float32(_CODES - 1)
            codes += np.float32(0.5)
            rgb[..., channel] = _looked_up(_code_table(), codes.astype(np.int32))
        elif dtype == np.uint16:
            codes = _transfer(np.clip(plane, 0, 1))
            codes *= np.float32(65535)
            rgb[..., channel] = np.rint(codes, out=codes)
        else:
            rgb[..., channel] = _transfer(np.clip(plane, 0, 1))
    return rgb


def _transfer(linear: Float) -> Float:
    curve = linear ** np.float32(1 / 2.4)
    curve *= np.float32(1.055)
    curve -= np.float32(0.055)
    dark = np.flatnonzero(linear <= np.float32(0.0031308))
    if dark.size:
        np.put(curve, dark, np.float32(12.92) * np.take(linear, dark))
    return curve


def _looked_up(table: Array, places: Array) -> Array:
    """Return table[places], in half the time; places beyond its ends take the ends."""
    found: Array = np.take(table, places, mode="clip")
    return found


@cache
def _linear_table(dtype: np.dtype[Any]) -> Float:
    top = int(np.iinfo(dtype).max)
    return _decode(np.linspace(0, 1, top + 1, dtype=np.float64)).astype(np.float32)


@cache
def _luminance_tables(dtype: np.dtype[Any]) -> list[Float]:
    """Return what red, green and blue add to luminance."""
    return [weight * _linear_table(dtype) for weight in _TO_RELATIVE[1]]


@cache
def _lightness_table(dtype: np.dtype[Any]) -> Float:
    return _lightness(_linear_table(dtype))


@cache
def _code_table() -> NDArray[np.uint8]:
    return np.rint(_transfer(np.linspace(0, 1, _CODES, dtype=np.float32)) * 255).astype(np.uint8)
