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
_BISECTIONS = 12


def srgb_to_linear(rgb: Array) -> Float:
    """Undo the sRGB transfer function: any of the three dtypes to linear float32 in [0, 1]."""
    if rgb.dtype in (np.uint8, np.uint16):
        return _linear_table(rgb.dtype)[rgb]
    return _decode(rgb.astype(np.float32, copy=False))


def rgb_to_lab(rgb: Array) -> Float:
    """Convert sRGB (..., 3) of any of the three dtypes to lab (..., 3)."""
    fx, fy, fz = (_forward(plane) for plane in _mix(_TO_RELATIVE, srgb_to_linear(rgb)))
    return np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1)


def rgb_to_lightness(rgb: Array) -> Float:
    """Return L* (...) of sRGB (..., 3): the first plane of `rgb_to_lab`, for a third of its cost."""
    linear = srgb_to_linear(rgb)
    (y,) = _mix(_TO_RELATIVE[1:2], linear)
    return 116 * _forward(y) - 16


def grey_to_lightness(grey: Array) -> Float:
    """Return L* (...) of grey values (...), uint8, uint16 or float32, coded as in sRGB."""
    if grey.dtype in (np.uint8, np.uint16):
        return _lightness_table(grey.dtype)[grey]
    return 116 * _forward(_decode(grey.astype(np.float32, copy=False))) - 16


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
    outside = _outside(planes, dtype)
    if outside.any():
        fitted = _fit(lightness[outside], a[outside], b[outside], dtype)
        for plane, values in zip(planes, fitted, strict=True):
            plane[outside] = values
    return _encode(planes, dtype)


def lightness_to_rgb(lightness: Float, dtype: Any = np.float32) -> Array:
    """Return the grey of a lightness (...) as sRGB (..., 3) of `dtype`."""
    nothing = np.zeros_like(lightness)
    return lightness_ab_to_rgb(lightness, nothing, nothing, dtype)


def _fit(lightness: Float, a: Float, b: Float, dtype: np.dtype[Any]) -> list[Float]:
    """Shrink a and b of colors outside of the gamut by bisection; return linear R, G, B."""
    low: Float = np.zeros_like(a)
    high: Float = np.ones_like(a)
    for _ in range(_BISECTIONS):
        middle: Float = (low + high) * np.float32(0.5)
        outside = _outside(_to_linear(lightness, a * middle, b * middle), dtype)
        low, high = np.where(outside, low, middle), np.where(outside, middle, high)
    return _to_linear(lightness, a * low, b * low)


def _outside(planes: list[Float], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Say which linear colors miss the gamut by more than a quarter of a coding step."""
    levels = np.iinfo(dtype).max if dtype.kind == "u" else _CODES
    tolerance = 0.25 / (12.92 * levels)
    lowest = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    highest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    outside: NDArray[np.bool_] = (lowest < -tolerance) | (highest > 1 + tolerance)
    return outside


def _to_linear(lightness: Float, a: Float, b: Float) -> list[Float]:
    fy = (lightness + np.float32(16)) * np.float32(1 / 116)
    fx, fz = fy + a * np.float32(1 / 500), fy - b * np.float32(1 / 200)
    relative = np.stack([_backward(fx), _backward(fy), _backward(fz)], axis=-1)
    return _mix(_FROM_RELATIVE, relative)


def _mix(matrix: Float, colors: Float) -> list[Float]:
    """Multiply colors (..., 3) by the rows of a matrix, without BLAS: its sums depend on shapes."""
    x, y, z = colors[..., 0], colors[..., 1], colors[..., 2]
    return [row[0] * x + row[1] * y + row[2] * z for row in matrix]


def _forward(t: Float) -> Float:
    return np.where(t > _EPSILON, np.cbrt(t), _SLOPE * t + _OFFSET)


def _backward(f: Float) -> Float:
    return np.where(f > _KNEE, f * f * f, (f - _OFFSET) * np.float32(1 / 7.787))


def _decode(rgb: Float) -> Float:
    curve = ((np.maximum(rgb, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(rgb > np.float32(0.04045), curve, rgb / np.float32(12.92))


def _encode(planes: list[Float], dtype: np.dtype[Any]) -> Array:
    rgb = np.empty((*planes[0].shape, 3), dtype)
    for channel, plane in enumerate(planes):
        clipped = np.clip(plane, 0, 1)
        if dtype == np.uint8:
            codes = clipped * np.float32(_CODES - 1) + np.float32(0.5)
            rgb[..., channel] = _code_table()[codes.astype(np.uint16)]
        elif dtype == np.uint16:
            rgb[..., channel] = np.rint(_transfer(clipped) * np.float32(65535))
        else:
            rgb[..., channel] = _transfer(clipped)
    return rgb


def _transfer(linear: Float) -> Float:
    curve = np.float32(1.055) * linear ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(linear > np.float32(0.0031308), curve, np.float32(12.92) * linear)


@cache
def _linear_table(dtype: np.dtype[Any]) -> Float:
    top = int(np.iinfo(dtype).max)
    return _decode(np.linspace(0, 1, top + 1, dtype=np.float64)).astype(np.float32)


@cache
def _lightness_table(dtype: np.dtype[Any]) -> Float:
    return 116 * _forward(_linear_table(dtype)) - 16


@cache
def _code_table() -> NDArray[np.uint8]:
    return np.rint(_transfer(np.linspace(0, 1, _CODES, dtype=np.float32)) * 255).astype(np.uint8)
