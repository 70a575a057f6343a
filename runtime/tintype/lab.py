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
_WAYS, _ROUNDS = 8, 4  # chroma is cut to a 4096th


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


def _fit(lightness: Float, a: Float, b: Float, dtype: np.dtype[Any]) -> Float:
    """Shrink a and b (n) of colors outside of the gamut until they fit; return linear R, G, B (3, n).

    The largest share of chroma that fits is found by halving, three halvings at once: what few colors
    of a strip lie outside costs as many calls as all of them would.
    """
    fy = (lightness + np.float32(16)) * np.float32(1 / 116)
    chroma = np.stack([a * np.float32(1 / 500), np.zeros_like(a), b * np.float32(-1 / 200)])
    share = np.zeros_like(a)
    colored = np.flatnonzero((lightness > _BLACK) & (lightness < _WHITE))  # borders and paper have no chroma
    if colored.size:
        share[colored] = _share(np.take(fy, colored), np.take(chroma, colored, axis=1), dtype)
    return _linear(fy, chroma * share)


def _share(fy: Float, chroma: Float, dtype: np.dtype[Any]) -> Float:
    """Return the largest share (n) of what f(X), f(Y) and f(Z) have more than f(Y), (3, n), that fits."""
    share, width = np.zeros_like(fy), np.float32(1)
    for _ in range(_ROUNDS):
        width /= _WAYS
        tried = share + width * np.arange(1, _WAYS, dtype=np.float32)[:, None]
        outside = _outside(_linear(fy, chroma[:, None] * tried), dtype)
        inside = _WAYS - 1 - np.count_nonzero(np.logical_or.accumulate(outside), axis=0)
        share += width * inside.astype(np.float32)
    return share


def _linear(fy: Float, chroma: Float) -> Float:
    """Return linear R, G, B (3, ..., n) of f(Y) (n) and what f(X), f(Y) and f(Z) have more, (3, ..., n)."""
    x, y, z = _backward(chroma + fy)
    return np.stack(_mixed(_FROM_RELATIVE, x, y, z))


def _places_outside(planes: list[Float], dtype: np.dtype[Any]) -> NDArray[np.intp]:
    """Return where linear colors miss the gamut: places in flat planes."""
    tolerance = _tolerance(dtype)
    if all(plane.min() >= -tolerance and plane.max() <= 1 + tolerance for plane in planes if plane.size):
        return np.empty(0, np.intp)
    return np.flatnonzero(_outside(planes, dtype))


def _outside(planes: list[Float] | Float, dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Say which linear colors miss the gamut by more than the tolerance."""
    tolerance = _tolerance(dtype)
    lowest = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    highest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    outside: NDArray[np.bool_] = (lowest < -tolerance) | (highest > 1 + tolerance)
    return outside


def _tolerance(dtype: np.dtype[Any]) -> np.float32:
    """Return a quarter of a coding step, linear, where steps are smallest."""
    levels = np.iinfo(dtype).max if dtype.kind == "u" else _CODES
    return np.float32(0.25 / (12.92 * levels))


def _to_linear(lightness: Float, a: Float, b: Float) -> list[Float]:
    fy = (lightness + np.float32(16)) * np.float32(1 / 116)
    fx = a * np.float32(1 / 500)
    fx += fy
    fz = b * np.float32(-1 / 200)
    fz += fy
    return _mixed(_FROM_RELATIVE, _backward(fx), _backward(fy), _backward(fz))


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
