"""sRGB <-> CIE L*a*b*, in numpy and float32.

Central space: CIE XYZ under D65, 2 degree observer. Matrix, white point and the constants of the
transfer functions are those of `skimage.color`, which the tests compare with.

sRGB   IEC 61966-2-1; uint8 0..255, uint16 0..65535 or float32 0..1; the last axis holds R, G, B
lab    float32; L* in [0, 100], a* and b* in CIE units (about -108..98 for colors of sRGB)

Every function works element by element, so that a picture converted in strips equals the same
picture converted whole, bit for bit.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

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
KNEE, LINE = np.float32(0.2068966), np.float32(1 / 7.787)  # the cube root of _EPSILON; the line below it
CODES = 65536  # entries of the table that encodes 8-bit sRGB: 0.05 level a step where it is steepest
TO_CODES = (np.linalg.inv(RGB_TO_XYZ) * WHITE[None, :] * CODES).astype(np.float32)
_BLACK, _WHITE = np.float32(16.0005 / 116), np.float32(115.9995 / 116)  # f(Y), half a 16-bit step inside
_ROUNDING = np.float32(3e-7)  # linear: what sums of float32 may be wrong by
GAMUT = 1024  # lightnesses and hues of the table of chroma
_LARGEST, _BISECTIONS = np.float32(300), 13  # |a| + |b|; to 0.04
_ROUNDS = 3  # of Newton's method, from where the table says
_FLAT = np.float32(1e-12)  # squared: a smaller slope is none
_HALVINGS = 12  # where a round went too far
_MEASURING = threading.Lock()


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
    return _lightness(rgb_to_f(rgb))


def grey_to_lightness(grey: Array) -> Float:
    """Return L* (...) of grey values (...), uint8, uint16 or float32, coded as in sRGB."""
    if grey.dtype in (np.uint8, np.uint16):
        return _looked_up(_lightness_table(grey.dtype), grey)
    return _lightness(grey_to_f(grey))


def rgb_to_f(rgb: Array) -> Float:
    """Return f(Y) (...) of sRGB (..., 3): (L* + 16) / 116, the cube root of luminance but where dark."""
    if rgb.dtype in (np.uint8, np.uint16):
        red, green, blue = _luminance_tables(rgb.dtype)
        y = _looked_up(red, rgb[..., 0])
        y += _looked_up(green, rgb[..., 1])
        y += _looked_up(blue, rgb[..., 2])
    else:
        (y,) = _mix(_TO_RELATIVE[1:2], srgb_to_linear(rgb))
    return _forward(y)


def grey_to_f(grey: Array) -> Float:
    """Return f(Y) (...) of grey values (...), uint8, uint16 or float32, coded as in sRGB."""
    if grey.dtype in (np.uint8, np.uint16):
        return _looked_up(_f_table(grey.dtype), grey)
    return _forward(_decode(grey.astype(np.float32, copy=False)))


def lab_to_rgb(lab: Array, dtype: Any = np.float32) -> Array:
    """Convert lab (..., 3) to sRGB (..., 3) of `dtype`; what lies outside of the gamut is clipped."""
    lab, dtype = lab.astype(np.float32, copy=False), np.dtype(dtype)
    return encoded(_coded(*_f_of_lab(lab[..., 0], lab[..., 1], lab[..., 2]), dtype), dtype)


def lightness_ab_to_rgb(lightness: Float, a: Float, b: Float, dtype: Any = np.float32) -> Array:
    """Convert planes of one shape (...) to sRGB (..., 3) of `dtype`, at constant lightness.

    A color outside of the sRGB gamut loses chroma, at the same L* and hue, until it fits: clipping
    its RGB would change its lightness, and with it the detail of the photograph.
    """
    return f_to_rgb(*_f_of_lab(lightness, a, b), dtype)


def f_to_rgb(fx: Float, fy: Float, fz: Float, dtype: Any = np.float32) -> Array:
    """Do what `lightness_ab_to_rgb` does, of planes of f(X), f(Y) and f(Z).

    f(Y) is (L* + 16) / 116; f(X) is a / 500 more, f(Z) b / 200 less.
    """
    dtype = np.dtype(dtype)
    planes = _coded(fx, fy, fz, dtype)
    rgb = encoded(planes, dtype)
    outside = np.flatnonzero(_beyond(planes, dtype))
    if outside.size:
        colors = (np.take(plane, outside) for plane in (fx, fy, fz))
        rgb.reshape(-1, 3)[outside] = fitted(*colors, dtype=dtype)
    return rgb


def fitted(fx: Float, fy: Float, fz: Float, *, dtype: Any) -> Array:
    """Return sRGB (n, 3) of colors beyond the gamut, by their f(X), f(Y) and f(Z), with less chroma."""
    dtype = np.dtype(dtype)
    return encoded(_coded(*_fit(_tolerance(dtype), fx, fy, fz), dtype), dtype)


def lightness_to_rgb(lightness: Float, dtype: Any = np.float32) -> Array:
    """Return the grey of a lightness (...) as sRGB (..., 3) of `dtype`."""
    nothing = np.zeros_like(lightness)
    return lightness_ab_to_rgb(lightness, nothing, nothing, dtype)


def _fit(tolerance: np.float32, fx: Float, fy: Float, fz: Float) -> tuple[Float, Float, Float]:
    """Take from colors (n) as much chroma as must be for them to miss the gamut by the tolerance alone."""
    x, z = fx - fy, fz - fy
    share = np.minimum(_spendable(x, z, fy), 1)
    for _ in range(_ROUNDS):
        share += _way(share, x, z, fy, tolerance)
        np.clip(share, 0, 1, out=share)
    share[(fy < _BLACK) | (fy > _WHITE)] = 0  # borders and paper have no chroma
    most = tolerance + _ROUNDING
    missed = np.flatnonzero(_missed(_linear(*_with(share, x, z, fy))) > most)
    if missed.size:
        share[missed] = _halved(most, *(np.take(plane, missed) for plane in (share, x, z, fy)))
    return _with(share, x, z, fy)


def _with(share: Float, x: Float, z: Float, fy: Float) -> tuple[Float, Float, Float]:
    """Return f(X), f(Y) and f(Z) with a share of `x` and `z`, what f(X) and f(Z) have more than f(Y)."""
    return x * share + fy, fy, z * share + fy


def _way(share: Float, x: Float, z: Float, fy: Float, tolerance: np.float32) -> Float:
    """Return what to add to the share for the first of R, G and B to meet its bound, as their slopes say."""
    fx, _, fz = _with(share, x, z, fy)
    to_x, to_z = x * _steepness(fx), z * _steepness(fz)
    way = np.full_like(share, np.inf)
    for plane, (by_x, _, by_z) in zip(_linear(fx, fy, fz), _FROM_RELATIVE, strict=True):
        slope = by_x * to_x
        slope += by_z * to_z
        room = np.where(slope > 0, 1 + tolerance, -tolerance) - plane
        room *= slope
        room /= np.maximum(slope * slope, _FLAT)
        np.minimum(way, room, out=way)
    return way


def _halved(most: np.float32, share: Float, x: Float, z: Float, fy: Float) -> Float:
    """Return shares (n) of chroma that miss the gamut by no more than `most`, by bisection."""
    low, high = np.zeros_like(share), share
    for _ in range(_HALVINGS):
        middle = (low + high) * np.float32(0.5)
        fits = _missed(_linear(*_with(middle, x, z, fy))) <= most
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low


def _spendable(x: Float, z: Float, fy: Float) -> Float:
    """Return nearly the largest share of chroma (n) that fits, from a table by lightness and hue."""
    a, b = x * np.float32(500), z * np.float32(-200)
    size = np.abs(a)
    size += np.abs(b)
    size += np.float32(1e-6)
    hue = np.copysign(1 - a / size, b)
    shade = ((fy * np.float32(116) - 16) * np.float32(GAMUT / 100)).astype(np.intp)
    place = np.clip(shade, 0, GAMUT - 1) * GAMUT
    place += np.clip(((hue + 2) * np.float32(GAMUT / 4)).astype(np.intp), 0, GAMUT - 1)
    spendable: Float = np.take(gamut(), place)
    spendable /= size
    return spendable


def gamut() -> Float:
    """Return the largest |a| + |b| that sRGB has, flat, (GAMUT * GAMUT): by lightness, then by hue.

    Lightness goes from 0 to 100; a hue is a place on the sides of the square |a| + |b| = 1, which takes no
    arc tangent: 1 - a / (|a| + |b|), with the sign of b, from -2 to 2. Found by bisection at every eighth
    lightness and every fourth hue, and enlarged.
    """
    with _MEASURING:  # once, though several threads ask at the same time
        return _gamut()


@cache
def _gamut() -> Float:
    lightness = (np.arange(0, GAMUT, 8, dtype=np.float32) + np.float32(4)) * np.float32(100 / GAMUT)
    hues = (np.arange(0, GAMUT, 4, dtype=np.float32) + np.float32(2)) * np.float32(4 / GAMUT) - np.float32(2)
    a = 1 - np.abs(hues)
    b = np.copysign(1 - np.abs(a), hues)
    low = np.zeros((lightness.size, hues.size), np.float32)
    high = np.full_like(low, _LARGEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) * np.float32(0.5)
        fits = _missed(_linear(*_f_of_lab(lightness[:, None], middle * a, middle * b))) <= 0
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    table = Image.fromarray(low).resize((GAMUT, GAMUT), Image.Resampling.BILINEAR)
    return np.asarray(table).ravel()


def _f_of_lab(lightness: Float, a: Float, b: Float) -> tuple[Float, Float, Float]:
    """Return f(X), f(Y) and f(Z)."""
    fy = _f_of(lightness)
    fx = a * np.float32(1 / 500)
    fx += fy
    fz = b * np.float32(-1 / 200)
    fz += fy
    return fx, fy, fz


def _f_of(lightness: Float) -> Float:
    """Return f(Y), which lightness is by a scale of its own."""
    return (lightness + np.float32(16)) * np.float32(1 / 116)


def _steepness(f: Float) -> Float:
    """Return the derivative of what `_backward` returns."""
    return np.where(f > KNEE, 3 * f * f, 1 / _SLOPE)


def _linear(fx: Float, fy: Float, fz: Float, matrix: Float = _FROM_RELATIVE) -> list[Float]:
    """Return linear R, G and B, planes (...), of f(X), f(Y) and f(Z)."""
    return _mixed(matrix, _backward(fx), _backward(fy), _backward(fz))


def _coded(fx: Float, fy: Float, fz: Float, dtype: np.dtype[Any]) -> list[Array]:
    """Return linear R, G and B; if 8 bits are wanted, as places in the table that encodes them."""
    if dtype == np.uint8:
        return [plane.astype(np.int32) for plane in _linear(fx, fy, fz, TO_CODES)]
    return list(_linear(fx, fy, fz))


def _beyond(planes: list[Array], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Say which coded colors miss the gamut."""
    if dtype != np.uint8:
        return np.asarray(_missed(planes) > _tolerance(dtype))
    red, green, blue = (plane.view(np.uint32) > CODES for plane in planes)  # below zero is far beyond
    red |= green
    red |= blue
    return red


def _missed(planes: list[Float]) -> Float:
    """Return by how much linear colors miss the gamut; below zero, how far they are within."""
    lowest = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    highest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    highest -= np.float32(1)
    missed: Float = np.maximum(np.negative(lowest, out=lowest), highest, out=highest)
    return missed


def _tolerance(dtype: np.dtype[Any]) -> np.float32:
    """Return a quarter of a coding step, linear, where steps are smallest."""
    levels = np.iinfo(dtype).max if dtype.kind == "u" else CODES
    return np.float32(0.25 / (12.92 * levels))


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


def _lightness(fy: Float) -> Float:
    lightness = fy * np.float32(116)
    lightness -= np.float32(16)
    return lightness


def _forward(t: Float) -> Float:
    f = np.cbrt(t)
    dark = np.flatnonzero(t <= _EPSILON)
    if dark.size:
        np.put(f, dark, _SLOPE * np.take(t, dark) + _OFFSET)
    return f


def _backward(f: Float) -> Float:
    bright = np.maximum(f, KNEE)
    below = f - bright
    below *= LINE
    t = bright * bright
    t *= bright
    t += below
    return t


def _decode(rgb: Float) -> Float:
    curve = ((np.maximum(rgb, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(rgb > np.float32(0.04045), curve, rgb / np.float32(12.92))


def encoded(planes: Sequence[Array], dtype: np.dtype[Any]) -> Array:
    """Return sRGB (..., 3) of planes of linear R, G and B; of 8 bits they are places in the table, int32."""
    rgb = np.empty((*planes[0].shape, 3), dtype)
    for channel, plane in enumerate(planes):
        if dtype == np.uint8:
            rgb[..., channel] = _looked_up(_code_table(), plane)
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
    return _lightness(_f_table(dtype))


@cache
def _f_table(dtype: np.dtype[Any]) -> Float:
    return _forward(_linear_table(dtype))


@cache
def _code_table() -> NDArray[np.uint8]:
    middles = (np.arange(CODES, dtype=np.float32) + np.float32(0.5)) * np.float32(1 / CODES)
    return np.rint(_transfer(middles) * 255).astype(np.uint8)
