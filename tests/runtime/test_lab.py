"""sRGB <-> Lab: against scikit-image, exact round trips, and nothing outside of the gamut but chroma lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from tintype import lab

Array = NDArray[Any]
CORNERS = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], np.uint8)

seeds = st.integers(0, 2**32 - 1)
colors = st.tuples(*[st.integers(0, 255)] * 3).map(lambda c: np.array([[c]], np.uint8))
lightnesses = st.floats(0, 100, width=32)
chromas = st.floats(-128, 128, width=32)


def _random(seed: int, shape: tuple[int, ...], dtype: Any) -> Array:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, dtype, endpoint=True)


def _lab_of(rgb: Array) -> tuple[Array, Array, Array]:
    planes = np.moveaxis(lab.rgb_to_lab(rgb), -1, 0)
    return planes[0], planes[1], planes[2]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_agrees_with_skimage(dtype: Any) -> None:
    """Lab of random colors and of the corners of the cube is that of scikit-image, within 1e-3."""
    color = pytest.importorskip("skimage.color")
    rgb = np.concatenate([_random(1, (4096, 3), np.uint16) / 65535, CORNERS / 255])
    if np.dtype(dtype).kind == "u":
        rgb = np.rint(rgb * np.iinfo(dtype).max)
        given_rgb, floats = rgb.astype(dtype), rgb / np.iinfo(dtype).max
    else:
        given_rgb = floats = rgb.astype(dtype)
    np.testing.assert_allclose(lab.rgb_to_lab(given_rgb), color.rgb2lab(floats), atol=2e-3)


def test_back_agrees_with_skimage() -> None:
    """RGB of Lab colors inside of the gamut is that of scikit-image, within a quarter of an 8-bit step."""
    color = pytest.importorskip("skimage.color")
    inside = color.rgb2lab(_random(2, (4096, 3), np.uint8) / 255)
    np.testing.assert_allclose(lab.lab_to_rgb(inside), color.lab2rgb(inside), atol=0.25 / 255)


def test_round_trip_of_8_bits() -> None:
    """A grid over all 8-bit colors, its surfaces included, comes back exactly."""
    steps = np.array([*range(0, 256, 5), 1, 2, 254], np.uint8)
    rgb = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    np.testing.assert_array_equal(lab.lab_to_rgb(lab.rgb_to_lab(rgb), np.uint8), rgb)


@given(colors)
def test_round_trip_of_any_color(rgb: Array) -> None:
    """Any 8-bit color comes back exactly, by both ways back."""
    np.testing.assert_array_equal(lab.lab_to_rgb(lab.rgb_to_lab(rgb), np.uint8), rgb)
    np.testing.assert_array_equal(lab.lightness_ab_to_rgb(*_lab_of(rgb), np.uint8), rgb)


@given(seeds)
@settings(max_examples=20)
def test_round_trip_of_16_bits(seed: int) -> None:
    """Any 16-bit color comes back within one step."""
    rgb = _random(seed, (512, 3), np.uint16)
    back = lab.lab_to_rgb(lab.rgb_to_lab(rgb), np.uint16)
    assert np.abs(back.astype(int) - rgb).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_grey(dtype: Any) -> None:
    """The lightness of each grey is that of its color, and the grey comes back from it.

    Of 16 bits within two steps: the matrix of skimage has its white within 1e-4 of D65.
    """
    grey = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    lightness = lab.grey_to_lightness(grey)
    assert lightness[0] == 0
    assert lightness[-1] == pytest.approx(100, abs=1e-4)
    assert np.all(np.diff(lightness) > 0)
    np.testing.assert_allclose(lab.rgb_to_lightness(grey[:, None].repeat(3, 1)), lightness, atol=1e-3)
    nothing = np.zeros_like(lightness)
    back = lab.lightness_ab_to_rgb(lightness, nothing, nothing, dtype)
    assert np.abs(back.astype(int) - grey[:, None]).max() <= (0 if dtype == np.uint8 else 2)


@given(seeds, st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=20)
def test_lightness_is_the_first_plane(seed: int, dtype: Any) -> None:
    """rgb_to_lightness gives the first plane of rgb_to_lab, bit for bit."""
    rgb = _random(seed, (64, 3), dtype)
    np.testing.assert_array_equal(lab.rgb_to_lightness(rgb), lab.rgb_to_lab(rgb)[:, 0])


@given(seeds, st.integers(1, 40), st.integers(1, 40), st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=40)
def test_strips_equal_whole(seed: int, height: int, step: int, dtype: Any) -> None:
    """A picture converted in strips, there and back, equals the picture converted whole, bit for bit."""
    rgb = _random(seed, (height, 13, 3), dtype)
    ab = np.random.default_rng(seed).normal(0, 60, (2, height, 13)).astype(np.float32)
    lightness = lab.rgb_to_lightness(rgb)
    whole = lab.lightness_ab_to_rgb(lightness, ab[0], ab[1], dtype)
    for top in range(0, height, step):
        rows = slice(top, top + step)
        np.testing.assert_array_equal(lab.rgb_to_lab(rgb[rows]), lab.rgb_to_lab(rgb)[rows])
        strip = lab.lightness_ab_to_rgb(lightness[rows], ab[0, rows], ab[1, rows], dtype)
        np.testing.assert_array_equal(strip, whole[rows])


@given(lightnesses, chromas, chromas)
def test_lightness_is_kept(lightness: float, a: float, b: float) -> None:
    """Whatever ab is asked for, the lightness of the result is that of the grey within one 8-bit step."""
    planes = [np.full((1, 1), value, np.float32) for value in (lightness, a, b)]
    rgb = lab.lightness_ab_to_rgb(planes[0], planes[1], planes[2], np.uint8)
    greys = lab.grey_to_lightness(np.arange(256, dtype=np.uint8))
    grey = np.interp(lightness, greys, np.arange(256))
    found = np.interp(lab.rgb_to_lightness(rgb).item(), greys, np.arange(256))
    assert abs(found - grey) <= 1


@given(st.floats(5, 95, width=32), chromas, chromas)
def test_hue_is_kept(lightness: float, a: float, b: float) -> None:
    """A color outside of the gamut comes in with its own hue and no more chroma than was asked for."""
    planes = [np.full((1, 1), value, np.float32) for value in (lightness, a, b)]
    _, found_a, found_b = _lab_of(lab.lightness_ab_to_rgb(planes[0], planes[1], planes[2]))
    asked, found = complex(a, b), complex(found_a.item(), found_b.item())
    assert abs(found) <= abs(asked) + 0.1
    if abs(found) > 2:
        turned = found / abs(found) * abs(asked) / asked
        assert abs(np.angle(turned)) < 0.02


@given(st.floats(10, 90, width=32), st.floats(-np.pi, np.pi))
def test_chroma_is_spent_to_the_edge(lightness: float, hue: float) -> None:
    """What is compressed lands on the surface of the gamut: a channel is at its end, or nearly."""
    a, b = 200 * np.cos(hue), 200 * np.sin(hue)
    planes = [np.full((1, 1), value, np.float32) for value in (lightness, a, b)]
    rgb = lab.lightness_ab_to_rgb(planes[0], planes[1], planes[2])
    assert rgb.min() < 0.02 or rgb.max() > 0.98


def _linear(lightness: Array, a: Array, b: Array) -> Array:
    """Return linear R, G and B (3, n), by the definition of Lab, in float64."""
    fy = (lightness + 16) / 116
    f = np.stack([fy + a / 500, fy, fy - b / 200])
    relative = np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    linear: Array = np.linalg.inv(lab.RGB_TO_XYZ) @ (lab.WHITE[:, None] * relative)
    return linear


def _fitting(lightness: Array, a: Array, b: Array, slack: float) -> Array:
    """Return the largest share of chroma for which no channel misses the gamut by more, by bisection."""
    low, high = np.zeros_like(a, np.float64), np.ones_like(a, np.float64)
    for _ in range(24):
        middle = (low + high) / 2
        linear = _linear(lightness, a * middle, b * middle)
        fits = (linear.min(axis=0) >= -slack) & (linear.max(axis=0) <= 1 + slack)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low


def test_no_more_chroma_is_lost_than_must_be() -> None:
    """Of thousands of colors outside of the gamut hardly one loses half a unit more than bisection finds."""
    random = np.random.default_rng(3)
    lightness, a, b = (
        random.uniform(*ends, 4000).astype(np.float32) for ends in ((2, 98), (-90, 90), (-90, 90))
    )
    kept = _lab_of(lab.lightness_ab_to_rgb(lightness, a, b))
    lost = _fitting(lightness, a, b, 1e-6) * np.hypot(a, b) - np.hypot(kept[1], kept[2])
    assert np.quantile(lost, 0.99) < 0.5
    assert np.median(lost) < 0.05


@pytest.mark.parametrize("ends", [(0.001, 0.1), (0.1, 2), (2, 50), (50, 90), (99, 99.999)])
def test_chroma_is_lost_to_a_level(ends: tuple[float, float]) -> None:
    """A color outside of the gamut is within one level of 8 bits of what bisection finds, near black too.

    Both may miss the gamut by a quarter of a level. Above 90 a yellow may leave it and come back: several
    answers are right then.
    """
    random, quarter = np.random.default_rng(3), 0.25 / (12.92 * 255)
    lightness = random.uniform(*ends, 4000).astype(np.float32)
    a, b = random.normal(0, 30, (2, 4000)).astype(np.float32)
    share = _fitting(lightness, a, b, quarter)
    linear = np.clip(_linear(lightness, a * share, b * share), 0, 1)
    wanted = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    found = lab.lightness_ab_to_rgb(lightness, a, b, np.uint8)
    assert np.abs(found - wanted.T).max() <= 1


def test_clipping() -> None:
    """lab_to_rgb clips what lies outside of the gamut, and gives float32 unless told otherwise."""
    rgb = lab.lab_to_rgb(np.array([[50, 120, 120]]))
    assert rgb.dtype == np.float32
    assert rgb.min() == 0
    assert rgb.max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_black_and_white(dtype: type) -> None:
    """Black and white have no chroma, whatever color they are to get."""
    lightness = np.repeat(np.array([0, 100], np.float32), 50)
    a, b = np.linspace(-80, 80, 100, dtype=np.float32), np.linspace(80, -80, 100, dtype=np.float32)
    rgb = lab.lightness_ab_to_rgb(lightness, a, b, dtype)
    assert np.all(rgb[:50] == 0)
    assert np.all(rgb[50:] == np.iinfo(dtype).max)
