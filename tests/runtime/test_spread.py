"""Colors spread to edges and no further, on a grid fine enough for an eye, and quickly mixed anew."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from PIL import Image

from tintype import Adjustments, multigrid
from tintype.colorizer import Prediction
from tintype.hints import Hints, Stroke
from tintype.lab import grey_to_lightness, lightness_to_rgb
from tintype.merge import Merger, fit, lightness_of
from tintype.multigrid import solve
from tintype.spread import AREA, Spread, conductances, detail

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[Any]
RED, BLUE = (200, 40, 40), (40, 60, 200)
SHAPES: dict[str, Callable[[Array, Array], Array]] = {
    "straight": lambda x, _: 0.47 - x,
    "slanting": lambda x, y: (0.97 - 1.3 * x - 0.7 * y) / 1.48,
    "round": lambda x, y: 0.22 - np.hypot(x - 0.45, (y - 0.5) / 1.5),
}


def made(shape: str, contrast: float, noise: float, width: int) -> tuple[Image.Image, Array]:
    """Return a photograph, 3:2, and how far inside of its edge each pixel is, in parts of the width."""
    height = width * 2 // 3
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / np.array([height, width])[:, None, None]
    distance = SHAPES[shape](x, y)
    lightness = 50 + contrast * np.where(distance > 0, 0.5, -0.5)
    lightness += noise * np.random.default_rng(0).standard_normal(lightness.shape)
    return grey(lightness), distance


def grey(lightness: Array) -> Image.Image:
    """Return L* as an image of mode L."""
    return Image.fromarray(lightness_to_rgb(lightness.astype(np.float32), np.uint8)[..., 0])


def click(photo: Image.Image, x: float, y: float, color: tuple[int, int, int] | None = RED) -> Stroke:
    """Return a click at a place, in parts of the sides."""
    return Stroke(((x * photo.width, y * photo.height),), photo.width / 100, color)


def share(spread: Spread, photo: Image.Image, number: int = 0) -> Array:
    """Return how much of a color the pixels of the whole photograph have, behind the merge."""
    merger = Merger(spread.planes(np.zeros((4, 96, 96), np.float32)), *photo.size)
    a, b = merger.ab(lightness_of(np.asarray(photo)), 0)
    wanted = spread.colors[number]
    part: Array = (a * wanted[0] + b * wanted[1]) / np.dot(wanted, wanted)
    return part


def spread_of(photo: Image.Image, *strokes: Stroke) -> Spread:
    """Spread strokes on the lightness that belongs to a photograph."""
    return Hints(*photo.size, strokes).spread(detail(photo))


@pytest.mark.parametrize("noise", [0.0, 2.0])
@pytest.mark.parametrize("contrast", [8.0, -8.0, 15.0, 60.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_color_stops_at_edges(shape: str, contrast: float, noise: float) -> None:
    """One click covers 90 % of its region and under 5 % beyond, from 1 % of the width off the edge on."""
    photo, distance = made(shape, contrast, noise, 600)
    part = share(spread_of(photo, click(photo, 0.4, 0.45)), photo)
    assert (part[distance > 0.01] >= 0.5).mean() > 0.9
    assert part[distance > 0.01].mean() > 0.9
    assert part[distance < -0.01].mean() < 0.05


def test_a_click_is_enough_for_an_eye() -> None:
    """A disk as wide as one pixel of the working size takes a color, and its surroundings do not."""
    y, x = np.mgrid[0:800, 0:1200]
    distance = 7.0 - np.hypot(x - 701, y - 333)
    photo = grey(np.where(distance > 0, 35, 65))
    part = share(spread_of(photo, Stroke(((701, 333),), 1, RED)), photo)
    assert part[distance > 2].mean() > 0.8
    assert np.abs(part[distance < -8]).max() < 0.05


def test_texture_takes_color() -> None:
    """Color spreads over fur, but not to the smooth wall beside it."""
    grain = np.random.default_rng(0).normal(0, 1, (200, 300))
    for axis in (0, 1):
        grain = (np.roll(grain, -1, axis) + grain + np.roll(grain, 1, axis)) / 3
    lightness = 50 + 12 * grain
    lightness[:, 150:] = 85
    photo = grey(lightness)
    part = share(spread_of(photo, click(photo, 0.25, 0.5)), photo)
    assert (part[:, :140] >= 0.5).mean() > 0.9
    assert part[:, 160:].mean() < 0.05


def test_colors_compete() -> None:
    """Two colors in one smooth region meet halfway, and leave nothing uncolored between them."""
    photo = grey(np.full((200, 300), 50))
    spread = spread_of(photo, click(photo, 0.2, 0.5), click(photo, 0.8, 0.5, BLUE))
    red, blue = spread.shares
    assert red[:, :60].mean() > 0.9
    assert blue[:, 240:].mean() > 0.9
    np.testing.assert_allclose(red, blue[:, ::-1], atol=0.05)
    np.testing.assert_allclose(red + blue, 1, atol=1e-5)


def test_same_colors_are_one() -> None:
    """Strokes of one color are solved for together."""
    photo = grey(np.full((20, 30), 50))
    spread = spread_of(photo, *(click(photo, x, 0.5) for x in (0.1, 0.5, 0.9)), click(photo, 0.3, 0.5, None))
    assert spread.shares.shape == (2, 20, 30)
    np.testing.assert_array_equal(spread.colors[1], 0)


def exact(across: Array, down: Array, labels: Array, count: int, leak: float) -> Array:
    """Solve with a dense matrix in float64."""
    place = np.arange(labels.size).reshape(labels.shape)
    matrix = np.zeros((labels.size, labels.size))
    matrix[place[:, :-1], place[:, 1:]] = matrix[place[:, 1:], place[:, :-1]] = -across.astype(np.float64)
    matrix[place[:-1], place[1:]] = matrix[place[1:], place[:-1]] = -down.astype(np.float64)
    np.fill_diagonal(matrix, -matrix.sum(axis=1) * (1 + leak / 4))
    held = labels.ravel() >= 0
    shares = (labels.ravel() == np.arange(count)[:, None]).astype(np.float64)
    right = -matrix[~held][:, held] @ shares[:, held].T
    shares[:, ~held] = np.linalg.solve(matrix[~held][:, ~held], right).T
    found: Array = shares.reshape(count, *labels.shape)
    return found


def problem(seed: int, height: int, width: int, count: int) -> tuple[Array, Array, Array, int, float]:
    """Return links that range over 12 orders of magnitude, and labels here and there."""
    random = np.random.default_rng(seed)
    across = (10.0 ** -random.choice([0, 0.1, 1, 12], (height, width - 1))).astype(np.float32)
    down = (10.0 ** -random.choice([0, 0.1, 1, 12], (height - 1, width))).astype(np.float32)
    labels = np.where(random.random((height, width)) < 0.05, random.integers(0, count, (height, width)), -1)
    labels[0, 0] = 0
    return across, down, labels, count, 1e-4


@given(st.integers(0, 2**32 - 1), st.integers(12, 40), st.integers(12, 40), st.integers(1, 3))
@settings(max_examples=30)
def test_solution(seed: int, height: int, width: int, count: int) -> None:
    """After a few steps, shares are close to those of a dense solution; strokes keep theirs exactly."""
    given_problem = problem(seed, height, width, count)
    found, wanted = solve(*given_problem), exact(*given_problem)
    assert np.abs(found - wanted).mean() < 0.05
    held = given_problem[2] >= 0
    np.testing.assert_array_equal(found[:, held], wanted[:, held])


@pytest.mark.parametrize("few", [8, 256])
def test_solution_converges(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """With more steps, shares become those of a dense solution, through few levels and through many."""
    monkeypatch.setattr(multigrid, "STEPS", (60,))
    monkeypatch.setattr(multigrid, "_FEW", few)
    given_problem = problem(1, 40, 40, 3)
    np.testing.assert_allclose(solve(*given_problem), exact(*given_problem), atol=2e-3)


def test_islands() -> None:
    """Hundreds of pixels between strokes, linked to none other that is free, are solved for all the same."""
    labels = np.full((60, 60), -1)
    labels[::2], labels[:, ::2] = 0, 1
    shares = solve(np.ones((60, 59), np.float32), np.ones((59, 60), np.float32), labels, 2, 1e-6)
    np.testing.assert_allclose(shares[:, 1:-1:2, 1:-1:2], 0.5, atol=1e-3)


points = st.tuples(st.floats(-30, 130), st.floats(-30, 130))
strokes_of_any_kind = st.builds(
    Stroke,
    st.lists(points, min_size=1, max_size=6).map(tuple),
    st.floats(0, 30),
    st.sampled_from([RED, BLUE, None]),
)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(1, 1), (1, 2), (1, 90), (90, 1), (7, 13), (31, 45)]),
    st.lists(strokes_of_any_kind, max_size=5),
    st.booleans(),
)
@settings(max_examples=80)
def test_any_strokes(seed: int, shape: tuple[int, int], strokes: list[Stroke], calm: bool) -> None:  # noqa: FBT001
    """Whatever is drawn on whatever: shares are between 0 and 1, and so is their sum."""
    height, width = shape
    random = np.random.default_rng(seed)
    lightness = random.uniform(0, 100, shape).astype(np.float32)
    spread = Hints(100, 100, tuple(strokes)).spread(np.full_like(lightness, 50) if calm else lightness)
    assert spread.shares.shape == (len(spread.colors), height, width)
    assert np.isfinite(spread.shares).all()
    assert spread.shares.min(initial=0) >= 0
    assert spread.shares.sum(axis=0).max(initial=0) <= 1 + 1e-5
    merged = Merger(spread.planes(np.zeros((4, 8, 8), np.float32)), 50, 40).planes
    assert np.isfinite(merged).all()


def prediction(seed: int = 0) -> Prediction:
    """Return colors at working size, as a network gives them."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (3, 12, 12)).astype(np.float32)
    planes = np.stack(
        [np.asarray(Image.fromarray(p).resize((96, 96), Image.Resampling.BICUBIC)) for p in coarse]
    )
    lightness = grey_to_lightness(np.clip(planes[0], 0, 255) / np.float32(255))
    return Prediction(lightness, (planes[1:] / 4 - 32).astype(np.float32), None)


def test_ready_spread() -> None:
    """A ready spread gives the pixels that its hints give; and it serves under other adjustments."""
    predicted, hints = prediction(), Hints(300, 200, (Stroke(((60, 50),), 5, RED),))
    ready = hints.spread(predicted.lightness)
    for adjustments in (Adjustments(), Adjustments(strength=0.5, warmth=0.5)):
        planes = predicted.merger(300, 200, adjustments, hints).planes
        np.testing.assert_array_equal(predicted.merger(300, 200, adjustments, ready).planes, planes)
        assert (planes != predicted.merger(300, 200, adjustments).planes).any()


@pytest.mark.parametrize("strokes", [(), (Stroke(((-500, -500),), 2, RED),)])
def test_no_strokes_change_nothing(strokes: tuple[Stroke, ...]) -> None:
    """Without strokes, or with strokes outside of the photograph only, not a bit is different."""
    predicted, photo = prediction(), grey(np.full((200, 300), 50))
    plain = predicted.merger(300, 200)
    for hints in (Hints(300, 200, strokes), spread_of(photo, *strokes)):
        np.testing.assert_array_equal(predicted.merger(300, 200, hints=hints).planes, plain.planes)


def test_elsewhere_colors_stay() -> None:
    """Where strokes do not reach, the network's colors stay as they are, but for what the eye cannot see."""
    photo, distance = made("straight", 40, 1, 600)
    predicted, lightness = prediction(), lightness_of(np.asarray(photo))
    ready = spread_of(photo, click(photo, 0.2, 0.5))
    plain = np.stack(predicted.merger(*photo.size).ab(lightness, 0))
    hinted = np.stack(predicted.merger(*photo.size, hints=ready).ab(lightness, 0))
    difference = np.hypot(*(hinted - plain))
    assert difference[distance < -0.02].mean() < 0.5
    assert difference[distance > 0.02].mean() > 20


def test_planes_are_mixed_colors() -> None:
    """What merges is the mixture of the network's ab and the strokes', up to the fit to lightness."""
    predicted, photo = prediction(), made("slanting", 30, 0, 300)[0]
    ready = spread_of(photo, click(photo, 0.2, 0.5))
    planes = fit(predicted.lightness, predicted.ab)
    height, width = ready.lightness.shape
    ab = np.stack(Merger(planes, width, height).ab(ready.lightness, 0))
    merged = np.stack(Merger(ready.planes(planes), width, height).ab(ready.lightness, 0))
    assert np.abs(merged - ready.apply(ab)).mean() < 0.5


def test_spread_is_immutable() -> None:
    """Threads may share a spread: neither its fields nor its shares can be changed."""
    photo = grey(np.full((20, 30), 50))
    ready = spread_of(photo, click(photo, 0.5, 0.5))
    with pytest.raises(FrozenInstanceError):
        ready.shares = ready.shares  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        ready.shares[:] = 0


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((3000, 2000), (384, 256)),
        ((2000, 3000), (256, 384)),
        ((300, 200), (300, 200)),
        ((1, 1), (1, 1)),
        ((1, 5000), (1, 5000)),
        ((7, 13), (7, 13)),
        ((200_000, 2), (99_148, 1)),
    ],
)
def test_detail(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    """The lightness for strokes has the photograph's own shape, and no more pixels than are solved for."""
    lightness = detail(Image.new("L", size, 128))
    assert lightness.shape == wanted[::-1]
    assert lightness.size <= AREA * 1.01
    np.testing.assert_allclose(lightness, 53.585, atol=0.01)


@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "RGBA"])
def test_detail_of_modes(mode: str) -> None:
    """All kinds of photographs have the same lightness."""
    photo = made("round", 30, 2, 1200)[0]
    same = (
        Image.fromarray(np.asarray(photo).astype(np.uint16) * 257) if mode == "I;16" else photo.convert(mode)
    )
    assert same.mode == mode
    np.testing.assert_allclose(detail(same), detail(photo), atol=1)


def test_edges_in_any_direction() -> None:
    """An edge is as closed when the photograph is turned: links do not depend on directions."""
    lightness = detail(made("slanting", 15, 1, 300)[0])
    across, down = conductances(lightness)
    turned_across, turned_down = conductances(np.ascontiguousarray(lightness.T))
    np.testing.assert_allclose(across, turned_down.T, rtol=1e-3)
    np.testing.assert_allclose(down, turned_across.T, rtol=1e-3)
