"""Strokes: what they touch, how they are kept in a file, and that their colors come out."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from tintype.errors import UsageError
from tintype.hints import Hints, Stroke, parse, read
from tintype.lab import rgb_to_lab

if TYPE_CHECKING:
    from pathlib import Path

RED, BLUE = (200, 40, 40), (40, 60, 200)


def step(low: float, high: float, noise: float = 0.0) -> Any:
    """Return L* (128, 128) with an edge in the middle."""
    lightness = np.full((128, 128), low, np.float32)
    lightness[:, 64:] = high
    grain = np.random.default_rng(0).normal(0, 1, lightness.shape)
    return lightness + (noise * grain).astype(np.float32)


def applied(hints: Hints, lightness: Any, ab: Any) -> Any:
    """Return ab with the strokes' colors, both at the size of lightness."""
    return hints.spread(lightness).apply(ab)


def share(ab: Any, color: tuple[int, int, int]) -> Any:
    """Return how much of a color's chroma each pixel of ab has."""
    target = rgb_to_lab(np.array(color, np.uint8))[1:]
    return np.tensordot(target, ab, axes=1) / np.dot(target, target)


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("contrast", [20.0, -30.0])
def test_color_stops_at_an_edge(contrast: float, noise: float) -> None:
    """Beside a step edge one click covers 90 % of its region, and under 5 % of what lies beyond."""
    lightness = step(50, 50 + contrast, noise)
    hints = Hints(1280, 1280, (Stroke(((200.0, 640.0),), 40.0, RED),))
    covered = share(applied(hints, lightness, np.zeros((2, 128, 128), np.float32)), RED)
    assert (covered[:, :64] > 0.5).mean() > 0.9
    assert (covered[:, 64:] > 0.5).mean() < 0.05
    assert covered[:, 64:].mean() < 0.05


def test_two_colors_share_a_region() -> None:
    """Two strokes on either side of an edge keep to their sides."""
    hints = Hints(128, 128, (Stroke(((20, 64),), 3, RED), Stroke(((100, 20), (100, 100)), 3, BLUE)))
    ab = applied(hints, step(30, 70), np.zeros((2, 128, 128), np.float32))
    assert share(ab, RED)[:, :60].mean() > 0.9
    assert share(ab, BLUE)[:, 68:].mean() > 0.9


def test_null_keeps_grey() -> None:
    """A stroke without a color takes the color away from its region."""
    ab = np.full((2, 128, 128), 30, np.float32)
    grey = applied(Hints(128, 128, (Stroke(((20, 64),), 3, None),)), step(30, 70), ab)
    assert np.abs(grey[:, :, :60]).mean() < 3
    assert np.abs(grey[:, :, 68:]).mean() > 27


def test_later_strokes_win() -> None:
    """Where two strokes touch, the later one counts."""
    strokes = (Stroke(((64, 64),), 10, RED), Stroke(((64, 64),), 10, BLUE))
    ab = applied(Hints(128, 128, strokes), step(50, 50), np.zeros((2, 128, 128), np.float32))
    assert share(ab, BLUE)[64, 64] > 0.9


@pytest.mark.parametrize("size", [(1280, 1280), (128, 128), (5000, 300)])
def test_strokes_scale_with_the_photograph(size: tuple[int, int]) -> None:
    """A stroke set at a place of a photograph of another size or shape falls on the same place."""
    width, height = size
    hints = Hints(width, height, (Stroke(((width * 0.25, height * 0.5),), 0.0, RED),))
    ab = applied(hints, step(30, 70), np.zeros((2, 128, 128), np.float32))
    assert share(ab, RED)[64, 32] > 0.9
    assert abs(share(ab, RED)[64, 100]) < 0.05


def test_outside_strokes_change_nothing() -> None:
    """Strokes outside of the photograph leave its colors as they were."""
    ab = np.ones((2, 64, 64), np.float32)
    hints = Hints(64, 64, (Stroke(((-500, -500),), 2, RED),))
    np.testing.assert_array_equal(applied(hints, np.full((64, 64), 50, np.float32), ab), ab)


def test_solving_is_quick() -> None:
    """Three colors on a noisy photograph at working size 256 are spread within seconds."""
    lightness = np.kron(step(20, 80, 5.0), np.ones((2, 2), np.float32))
    strokes = tuple(Stroke(((x, 100.0),), 4, c) for x, c in ((40.0, RED), (130.0, BLUE), (220.0, None)))
    start = time.perf_counter()
    assert np.isfinite(Hints(256, 256, strokes).spread(lightness).shares).all()
    assert time.perf_counter() - start < 10


def brute_force(hints: Hints, height: int, width: int) -> Any:
    """Return the last stroke that touches each pixel, by the distance of every pixel to every line."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    x, y = x * hints.width / width, y * hints.height / height
    labels = np.full((height, width), -1)
    for index, stroke in enumerate(hints.strokes):
        radius = max(stroke.radius, np.hypot(hints.width / width, hints.height / height) / 2)
        for start, end in zip(stroke.points, stroke.points[1:] or stroke.points, strict=False):
            across, down = np.subtract(end, start)
            length = np.hypot(across, down) or 1
            along = ((x - start[0]) * across + (y - start[1]) * down) / length
            aside = ((x - start[0]) * down - (y - start[1]) * across) / length
            ends = np.minimum(*(np.hypot(x - place[0], y - place[1]) for place in (start, end)))
            beside = (along > 0) & (along < length)
            labels[np.where(beside, abs(aside), ends) <= radius] = index
    return labels


places = st.tuples(st.integers(-20, 120), st.integers(-20, 70))


@given(st.lists(st.tuples(st.lists(places, min_size=1, max_size=5), st.floats(0, 20)), max_size=4))
@example([([(0, 1), (90, 1)], 0.0)])  # a row of places nearly at the radius
@settings(max_examples=40)
def test_what_strokes_touch(drawn: list[tuple[list[tuple[int, int]], float]]) -> None:
    """A stroke touches what is within its radius of its line, on a grid of another shape too."""
    hints = Hints(100, 50, tuple(Stroke(tuple(points), radius, RED) for points, radius in drawn))
    found, wanted = hints._labels(30, 40, range(len(drawn))), brute_force(hints, 30, 40)
    assert (found != wanted).mean() < 0.01  # what lies just at the radius is rounded to either side


def test_long_strokes() -> None:
    """A stroke of thousands of points is drawn while one waits for nothing."""
    turns = np.linspace(0, 60, 5000)
    points = tuple((600 + 9 * t * np.cos(t), 600 + 9 * t * np.sin(t)) for t in turns)
    start = time.perf_counter()
    labels = Hints(1200, 1200, (Stroke(points, 2, RED),))._labels(300, 300, [0])
    assert time.perf_counter() - start < 5
    assert 0.05 < (labels == 0).mean() < 0.1


def test_scaled() -> None:
    """Strokes taken to a photograph of another size fall on the same places, as wide as before."""
    hints = Hints(300, 200, (Stroke(((30, 20), (150, 100)), 4.0, RED), Stroke(((270, 180),), 0.0, None)))
    scaled = hints.scaled(600, 400)
    assert scaled == Hints(
        600, 400, (Stroke(((60, 40), (300, 200)), 8.0, RED), Stroke(((540, 360),), 0.0, None))
    )
    np.testing.assert_array_equal(scaled._labels(40, 60, [0, 1]), hints._labels(40, 60, [0, 1]))
    assert hints.scaled(300, 800).strokes[0] == Stroke(((30, 80), (150, 400)), 8.0, RED)


def test_file(tmp_path: Path) -> None:
    """Hints come back from their file as they were."""
    hints = Hints(300, 200, (Stroke(((1.5, 2.0), (3.0, 4.0)), 5.0, RED), Stroke(((9.0, 9.0),), 1.0, None)))
    path = tmp_path / "a.tintype.json"
    path.write_text(hints.to_json())
    assert read(path) == hints


GOOD: dict[str, Any] = {"tintype_hints": 1, "size": [4, 4], "strokes": []}
STROKE: dict[str, Any] = {"points": [[1, 1]], "radius": 1, "color": "#ff0000"}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        "{",
        "9" * 5000,
        "[" * 100000,
        json.dumps(GOOD | {"tintype_hints": 2}),
        json.dumps(GOOD | {"size": [0, 4]}),
        json.dumps(GOOD | {"size": [4]}),
        json.dumps(GOOD | {"size": [float("inf"), 4]}),
        json.dumps(GOOD | {"size": [10**400, 4]}),
        json.dumps({"tintype_hints": 1, "size": [4, 4]}),
        json.dumps(GOOD | {"strokes": [STROKE | {"color": "red"}]}),
        json.dumps(GOOD | {"strokes": [STROKE | {"points": []}]}),
        json.dumps(GOOD | {"strokes": [STROKE | {"points": [[1, float("nan")]]}]}),
        json.dumps(GOOD | {"strokes": [STROKE | {"points": [[1, 1e300]]}]}),
        json.dumps(GOOD | {"strokes": [STROKE | {"points": 7}]}),
        json.dumps(GOOD | {"strokes": [STROKE | {"radius": "wide"}]}),
        json.dumps(GOOD | {"strokes": [7]}),
    ],
)
def test_refused(tmp_path: Path, wrong: str) -> None:
    """What is no hints file is refused in one line."""
    path = tmp_path / "wrong.json"
    path.write_text(wrong)
    with pytest.raises(UsageError) as error:
        read(path)
    assert "\n" not in str(error.value)


def test_missing(tmp_path: Path) -> None:
    """A hints file that is not there is told as such."""
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "none.json")
    assert parse(json.dumps(GOOD)).strokes == ()
