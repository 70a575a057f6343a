"""The photograph as the window draws it: the pixels that are saved, at any scale, and where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from conftest import scene
from tintype import merge
from tintype.gui import geometry, screen
from tintype.gui.geometry import View
from tintype.gui.picture import Picture
from tintype.lab import grey_to_lightness, lightness_ab_to_rgb, rgb_to_lab, rgb_to_lightness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tintype.gui.picture import What

sides = st.integers(1, 3000)
places = st.floats(-50, 3000)


def _merger(width: int, height: int, side: int = 24, amount: float = 12) -> merge.Merger:
    generator = np.random.default_rng(5)
    lightness = generator.uniform(20, 80, (side, side)).astype(np.float32)
    ab = generator.normal(0, amount, (2, side, side)).astype(np.float32)
    return merge.Merger(merge.fit(lightness, ab), width, height)


def _grey(height: int, width: int) -> Image.Image:
    return Image.fromarray(scene(height, width)).convert("L")


def _levels(first: NDArray[Any], second: NDArray[Any]) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.data())
@settings(max_examples=60)
def test_region_is_what_rows_take(width: int, height: int, side: int, data: st.DataObject) -> None:
    """On a grid of the photograph's pixels, the planes of any region are those by which it is saved."""
    merger = _merger(width, height, side)
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    lightness = np.random.default_rng(1).uniform(0, 100, (height, width)).astype(np.float32)
    planes = merger.region((left, top, right, bottom), (right - left, bottom - top))
    part = lightness[top:bottom, left:right]
    for number, whole in enumerate(merger.ab(lightness, 0)):
        ab = planes[number] * part + planes[number + 2]
        np.testing.assert_allclose(ab, whole[top:bottom, left:right], atol=0.01)


@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "RGBA"])
def test_full_scale_is_what_is_saved(mode: str) -> None:
    """At 100 % any part shows the pixels that saving writes, to one level."""
    rgb = scene(90, 130)
    if mode == "I;16":
        rows: NDArray[Any] = np.asarray(Image.fromarray(rgb).convert("L"), np.uint16) * 257
        image = Image.fromarray(rows)
    else:
        image = Image.fromarray(rgb).convert(mode)
        rows = np.asarray(image)
        rows = rows[..., :3] if rows.ndim == 3 else rows
    merger = _merger(130, 90)
    saved = merger(rows, 0) if mode != "I;16" else merger((rows // 257).astype(np.uint8), 0)
    drawn = Picture(image, colored=True).render((10, 20, 110, 80), (100, 60), "color", merger)
    assert _levels(drawn, saved[20:80, 10:110]) <= 1


@pytest.mark.parametrize("times", [2, 4, 5])
def test_enlarged_pixels_are_squares(times: int) -> None:
    """From 200 % on each pixel of the photograph is a square of one color, and the right one."""
    image, merger = _grey(40, 60), _merger(60, 40)
    whole = merger(np.asarray(image), 0)
    drawn = Picture(image, colored=False).render((4, 6, 24, 16), (20 * times, 10 * times), "color", merger)
    squares = drawn.reshape(10, times, 20, times, 3)
    assert (squares == squares[:, :1, :, :1]).all()
    assert _levels(squares[:, 0, :, 0], whole[6:16, 4:24]) <= 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("scale", [1.5, 2.0, 3.7, 8.0])
def test_reduced_is_the_mean_of_what_is_saved(mode: str, scale: float) -> None:
    """Reduced to any scale, the picture looks like the saved one reduced."""
    image = Image.fromarray(scene(1200, 1600)).convert(mode)
    merger = _merger(1600, 1200)
    size = (round(1600 / scale), round(1200 / scale))
    drawn = Picture(image, colored=True).render((0, 0, 1600, 1200), size, "color", merger)
    saved = Image.fromarray(merger(np.asarray(image), 0)).resize(size, Image.Resampling.HAMMING)
    difference = np.abs(drawn.astype(int) - np.asarray(saved).astype(int))
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) < 12


@pytest.mark.parametrize("what", ["color", "grey", "original"])
def test_parts_join_without_a_seam(what: What) -> None:
    """Two halves drawn one by one are the whole: the divider can be anywhere."""
    picture = Picture(Image.fromarray(scene(1100, 1500)), colored=True)
    merger = _merger(1500, 1100)
    whole = picture.render((0, 0, 1500, 1100), (500, 367), what, merger)
    left = picture.render((0, 0, 600, 1100), (200, 367), what, merger)
    right = picture.render((600, 0, 1500, 1100), (300, 367), what, merger)
    assert _levels(np.concatenate([left, right], axis=1), whole) <= 1


def test_kinds_of_pictures() -> None:
    """The original keeps its colors, "grey" has its lightness, and no color without a merger."""
    rgb = scene(30, 50)
    picture = Picture(Image.fromarray(rgb), colored=True)
    box, size = (0, 0, 50, 30), (50, 30)
    np.testing.assert_array_equal(picture.render(box, size, "original"), rgb)
    grey = picture.render(box, size, "grey")
    assert (grey == grey[..., :1]).all()
    np.testing.assert_allclose(grey_to_lightness(grey[..., 0]), rgb_to_lightness(rgb), atol=0.3)
    np.testing.assert_array_equal(picture.render(box, size, "color", None), grey)


def test_transparent_is_laid_over_squares() -> None:
    """Where a photograph is transparent a pattern is seen, where it is opaque its own color."""
    rgba = np.full((16, 32, 4), (200, 20, 20, 0), np.uint8)
    rgba[:, 16:, 3] = 255
    drawn = Picture(Image.fromarray(rgba), colored=True).render((0, 0, 32, 16), (32, 16), "original")
    assert (drawn[:, 16:] == (200, 20, 20)).all()
    assert len(np.unique(drawn[:, :16].reshape(-1, 3), axis=0)) == 2
    assert (drawn[:, :16, 0] == drawn[:, :16, 1]).all()


def test_a_quick_decode_stands_for_the_whole() -> None:
    """A reduced decode is drawn at the places of the full-size photograph."""
    image = Image.fromarray(scene(800, 1200))
    quick = Picture(image.reduce(2), (1200, 800), colored=True)
    full = Picture(image, colored=True)
    assert quick.size == full.size
    for box in ((0, 0, 1200, 800), (300, 200, 900, 600)):
        first, second = (picture.render(box, (150, 100), "original") for picture in (quick, full))
        assert np.abs(first.astype(int) - second).mean() < 2


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (7, 13)])
@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "RGBA"])
def test_any_size(size: tuple[int, int], mode: str) -> None:
    """Photographs of any shape are drawn, whole and enlarged."""
    image = Image.new(mode, size)
    picture = Picture(image, colored=False)
    picture.prepare()
    view = geometry.fit(View(size, (320, 200)))
    for seen in (view, geometry.zoomed(view, 1.0), geometry.zoomed(view, 7.3)):
        left, top, right, bottom = seen.visible
        drawn = picture.render(seen.box(seen.visible), (right - left, bottom - top), "color", _merger(*size))
        assert drawn.shape == (bottom - top, right - left, 3)


def test_levels_are_small() -> None:
    """The reduced levels of a grey photograph take at most a third of its bytes, and 16 bits become 8."""
    for mode, most in (("L", 1.4), ("I;16", 1.4)):
        picture = Picture(Image.new(mode, (4000, 3000)), colored=False)
        picture.prepare()
        assert picture._levels
        assert all(level.mode == "L" for level in picture._levels)
        assert sum(level.width * level.height for level in picture._levels) < (most - 1) * 12e6


@given(st.floats(0, 100), st.floats(-120, 120), st.floats(-120, 120))
@settings(max_examples=300)
def test_quick_colors(lightness: float, a: float, b: float) -> None:
    """Colors for the screen are those of `lab`: to a level in the gamut, to little chroma beyond it."""
    shade, *ab = (np.full((1, 1), value, np.float32) for value in (lightness, a, b))
    exact, quick = lightness_ab_to_rgb(shade, ab[0], ab[1], np.uint8), screen.colorize(shade, ab[0], ab[1])
    more = [np.float32(1.02) * plane for plane in ab]
    kept = rgb_to_lab(lightness_ab_to_rgb(shade, *more))[..., 1:]
    if lightness < 97 and np.allclose(kept, np.stack(more, axis=-1), atol=0.01):  # well inside the gamut
        assert _levels(exact, quick) <= 2
    np.testing.assert_allclose(rgb_to_lightness(quick), rgb_to_lightness(exact), atol=0.9)


def test_quick_lightness() -> None:
    """Lightness for the screen is that of `lab`."""
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    np.testing.assert_allclose(screen.rgb_to_lightness(rgb), rgb_to_lightness(rgb), atol=0.02)


@given(sides, sides, st.integers(1, 2000), st.integers(1, 1500), st.floats(0.05, 40), places, places)
def test_zooming_keeps_the_place(  # noqa: PLR0917 - cases are many-sided
    width: int, height: int, across: int, down: int, zoom: float, x: float, y: float
) -> None:
    """What is under the mouse stays there, to a pixel, unless the photograph would leave the pane."""
    view = geometry.fit(View((width, height), (across, down)))
    at = (min(max(x, 0), across), min(max(y, 0), down))
    place = view.to_photo(*at)
    new = geometry.zoomed(view, zoom, at)
    sizes = zip(new.drawn, new.room, (new.x, new.y), new.to_screen(*place), at, strict=True)
    for drawn, room, corner, now, before in sizes:
        if drawn > room and room - drawn < corner < 0:
            assert abs(now - before) <= 1
        elif drawn > room:
            assert corner in {0, room - drawn}
        else:
            assert corner == (room - drawn) // 2


@given(sides, sides, st.floats(0.05, 32), places, places)
def test_places_go_to_the_screen_and_back(width: int, height: int, zoom: float, x: float, y: float) -> None:
    """A place in the photograph is found again from its place on the screen."""
    view = geometry.zoomed(geometry.fit(View((width, height), (900, 600))), zoom)
    np.testing.assert_allclose(view.to_photo(*view.to_screen(x, y)), (x, y), atol=1e-6)


@given(st.lists(st.tuples(places, places), max_size=12))
def test_panning_shows_no_empty_margin(moves: list[tuple[float, float]]) -> None:
    """However far it is moved, a photograph larger than its pane fills it."""
    view = geometry.zoomed(View((2000, 1500), (800, 600)), 1.0)
    for dx, dy in moves:
        view = geometry.panned(view, dx - 1500, dy - 1500)
    assert view.visible == (0, 0, 800, 600)
    box = view.box(view.visible)
    assert box[0] >= 0
    assert box[1] >= 0
    assert box[2] <= 2000
    assert box[3] <= 1500


def test_fit_and_stops() -> None:
    """Fit shows all of it and follows the window; steps stop at fit and at 100 %."""
    view = geometry.fit(View((4000, 3000), (800, 600)))
    assert (view.zoom, view.visible) == (0.2, (0, 0, 800, 600))
    assert geometry.resized(view, (400, 600)).zoom == 0.1
    near = geometry.zoomed(view, 0.9)
    assert geometry.stepped(near, 1.25).zoom == 1.0
    assert geometry.stepped(geometry.zoomed(view, 0.22), 1 / 1.25).fitted
    assert geometry.stepped(view, 1 / 1.25) == view
    assert geometry.fit(View((10, 10), (800, 600))).zoom == geometry.MOST_FIT


def test_resizing_keeps_the_middle() -> None:
    """A zoomed photograph keeps its middle when the window changes its size."""
    view = geometry.panned(geometry.zoomed(View((4000, 3000), (800, 600)), 1.0), -1000, -700)
    middle = view.to_photo(400, 300)
    wider = geometry.resized(view, (1000, 700))
    np.testing.assert_allclose(wider.to_photo(500, 350), middle, atol=1)
    assert wider.zoom == 1.0


@given(st.floats(-500, 1500))
def test_divider_stays_on_the_photograph(x: float) -> None:
    """Wherever it is dragged, the divider is on what is seen of the photograph."""
    view = geometry.divided(geometry.fit(View((300, 600), (800, 600))), x)
    left, _, right, _ = view.visible
    assert left <= view.divider_x <= right
    if left <= x <= right:
        assert abs(view.divider_x - x) <= 1


def test_lines_are_clipped() -> None:
    """Of a line, the pieces inside an area are left; a click is one point."""
    area = (0, 0, 10, 10)
    assert geometry.clipped([(-5, 5), (5, 5), (5, 20), (8, 20), (8, 5)], area) == [
        [(0, 5), (5, 5), (5, 10)],
        [(8, 10), (8, 5)],
    ]
    assert geometry.clipped([(3, 3)], area) == [[(3, 3), (3, 3)]]
    assert geometry.clipped([(30, 3)], area) == []
