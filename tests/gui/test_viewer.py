"""The viewer in a real window, driven by real events."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageGrab

from conftest import scene
from tintype.hints import Stroke
from tintype.merge import Merger, bilinear

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tintype.gui.state import Mode
    from tintype.gui.viewer import Scene, Viewer

pytestmark = pytest.mark.gui

SIZE = (600, 400)
RED: tuple[int, int, int] = (200, 40, 40)
THEME = SimpleNamespace(canvas="#202020", accent="#3366cc", focus="#00ff00")
CAPTIONS = {"grey": "Grey", "original": "Original", "color": "Colorized"}


class Shown:
    """A viewer in a window of 600 x 400 px, and what it reported."""

    def __init__(self, root: tk.Tk) -> None:
        from tintype.gui.picture import Picture
        from tintype.gui.viewer import Scene, Viewer

        self.root = root
        self.told: list[tuple[Any, ...]] = []
        tell = self.told.append
        root.geometry(f"{SIZE[0]}x{SIZE[1]}+0+0")
        self.viewer: Viewer = Viewer(
            root,
            theme=THEME,
            scale=1.0,
            captions=CAPTIONS,
            on_stroke=lambda points: tell(("stroke", points)),
            on_select=self._select,
            on_move_stroke=lambda number, dx, dy: tell(("move", number, dx, dy)),
            on_pick=lambda color: tell(("pick", color)),
            on_view=lambda: tell(("zoom", self.viewer.zoom)),
        )
        self.viewer.pack(fill="both", expand=True)
        image = Image.fromarray(scene(800, 1200)).convert("L")
        warm = np.broadcast_to(np.array([20, 30], np.float32)[:, None, None], (2, 8, 8))
        self.picture = Picture(image, colored=False)
        self.scene: Scene = Scene(self.picture, Merger(bilinear(warm), 1200, 800))
        self.show()

    def _select(self, number: int | None) -> None:
        self.told.append(("select", number))
        self.show(selected=number)

    def show(self, **changes: Any) -> None:
        """Show a changed scene, drawn finely."""
        self.scene = replace(self.scene, **changes)
        self.viewer.show(self.scene)
        self.settle()

    def settle(self) -> None:
        """Run all that waits."""
        self.root.update()
        self.root.update()

    def do(self, event: str, x: float = 0, y: float = 0, **more: Any) -> None:
        """Make an event at a place."""
        self.viewer.event_generate(event, x=round(x), y=round(y), **more)
        self.settle()

    def drag(self, *places: tuple[float, float], button: int = 1) -> None:
        """Press at the first place, move over the others, release at the last."""
        self.do(f"<ButtonPress-{button}>", *places[0])
        for place in places[1:]:
            self.do("<Motion>", *place, state=0x80 << button)
        self.do(f"<ButtonRelease-{button}>", *places[-1])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on the canvas of a place in the photograph."""
        sx, sy = self.viewer.view.to_screen(x, y)
        return sx + 2, sy + 2

    def pixels(self) -> NDArray[np.uint8]:
        """Return what is on the screen of the viewer."""
        self.settle()
        left, top = self.viewer.winfo_rootx(), self.viewer.winfo_rooty()
        box = (left, top, left + self.viewer.winfo_width(), top + self.viewer.winfo_height())
        return np.asarray(ImageGrab.grab(box, xdisplay=self.root.winfo_screen() or None).convert("RGB"))


@pytest.fixture
def shown(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Return a viewer that shows a grey photograph of 1200 x 800 px and its colors, always drawn finely."""
    from tintype.gui import viewer

    monkeypatch.setattr(viewer, "PROMPT", 1e9)
    made = Shown(root)
    made.told.clear()
    return made


def _grey(pixels: NDArray[np.uint8]) -> bool:
    """Say whether nothing has color, but for rounding."""
    return int(np.ptp(pixels.astype(int), axis=-1).max()) <= 2


def test_grey_left_color_right(shown: Shown) -> None:
    """The photograph is on the left of the divider, its colors are on the right."""
    pixels = shown.pixels()
    middle = shown.at(600, 400)[0]
    assert _grey(pixels[100:150, 60 : round(middle) - 10])
    assert not _grey(pixels[100:150, round(middle) + 10 : 540])


def test_dragging_the_divider(shown: Shown) -> None:
    """The divider follows the mouse; beside it nothing else has changed."""
    before = shown.pixels()
    shown.drag(shown.at(600, 200), shown.at(500, 200), shown.at(300, 200))
    assert shown.viewer.divider == pytest.approx(0.25, abs=0.01)
    pixels, x = shown.pixels(), round(shown.at(300, 0)[0])
    assert not _grey(pixels[100:150, x + 10 : x + 60])
    assert _grey(pixels[100:150, 60 : x - 10])
    np.testing.assert_array_equal(pixels[100:150, 400:540], before[100:150, 400:540])
    fresh = shown.viewer._panes[0]._frame.copy()
    shown.viewer._panes[0].clear()
    shown.viewer._later()
    shown.settle()
    assert np.abs(shown.viewer._panes[0]._frame.astype(int) - fresh).max() <= 3
    assert shown.told == []


def test_divider_by_keys(shown: Shown) -> None:
    """Arrow keys move the divider, with Shift faster; Home and End go to its ends."""
    shown.viewer.focus_force()
    shown.do("<Right>")
    assert shown.viewer.divider == pytest.approx(0.52, abs=0.005)
    shown.do("<Shift-Left>")
    assert shown.viewer.divider == pytest.approx(0.42, abs=0.005)
    for key, share in (("<Home>", 0), ("<End>", 1)):
        shown.do(key)
        assert shown.viewer.divider == share


@pytest.mark.parametrize("event", ["<Button-4>", "<MouseWheel>"])
def test_wheel_zooms_to_the_mouse(shown: Shown, event: str) -> None:
    """The wheel zooms, and what is under the mouse stays there."""
    before = shown.viewer.zoom
    place = shown.at(900, 200)
    for _ in range(5):
        shown.do(event, *place, **({"delta": 120} if event == "<MouseWheel>" else {}))
    assert shown.viewer.zoom > 2 * before
    np.testing.assert_allclose(shown.at(900, 200), place, atol=1.5)
    assert shown.told[-1] == ("zoom", shown.viewer.zoom)


def test_dragging_pans(shown: Shown) -> None:
    """Dragging moves the photograph by as much, also by the middle button while one paints."""
    shown.viewer.actual()
    shown.settle()
    for tool, button in (("move", 1), ("paint", 2)):
        shown.show(tool=tool)
        x, y = shown.viewer.view.x, shown.viewer.view.y
        shown.drag((200, 100), (180, 90), (150, 80), button=button)
        assert (shown.viewer.view.x, shown.viewer.view.y) == (x - 50, y - 20)


def test_double_click(shown: Shown) -> None:
    """A double click shows the photograph's own pixels, another one all of it."""
    for _ in range(2):
        shown.drag((100, 100))
    assert shown.viewer.zoom == 1.0
    shown.drag((400, 300))  # elsewhere: what follows is a double click, no triple one
    for _ in range(2):
        shown.drag((100, 100))
    assert shown.viewer.view.fitted


def test_hundred_percent_is_what_is_saved(shown: Shown) -> None:
    """At 100 % the screen shows the pixels that saving writes, to one level."""
    shown.show(mode="color")
    shown.viewer.actual()
    assert shown.scene.merger is not None
    saved = shown.scene.merger(np.asarray(shown.picture.image), 0)
    view = shown.viewer.view
    part = saved[100 - view.y : 300 - view.y, 100 - view.x : 500 - view.x]
    assert np.abs(shown.pixels()[102:302, 102:502].astype(int) - part).max() <= 1


def test_another_merger_colors_anew(shown: Shown) -> None:
    """A slider's step changes what is colored and leaves the rest."""
    before = shown.pixels()
    shown.show(merger=Merger(bilinear(np.full((2, 8, 8), -25, np.float32)), 1200, 800))
    pixels = shown.pixels()
    np.testing.assert_array_equal(pixels[100:150, 60:280], before[100:150, 60:280])
    assert np.abs(pixels[100:150, 320:540].astype(int) - before[100:150, 320:540]).mean() > 10


def test_peeking(shown: Shown) -> None:
    """While Space is held there is no color and no divider."""
    shown.show(mode="color")
    shown.viewer.peek(on=True)
    assert _grey(shown.pixels()[60:300, 60:540])
    shown.viewer.peek(on=False)
    assert not _grey(shown.pixels()[60:300, 60:540])


def test_side_by_side(shown: Shown) -> None:
    """Two panes show the same place, one of them in color."""
    shown.show(mode="side")
    shown.viewer.zoom_by(4, (100, 100))
    pixels = shown.pixels()
    assert _grey(pixels[60:300, 10:290])
    assert not _grey(pixels[60:300, 310:590])
    first, second = shown.viewer._origins()
    left, right = (pixels[100:200, round(x) + 100 : round(x) + 200].mean(axis=-1) for x, _ in (first, second))
    assert np.corrcoef(left.ravel(), right.ravel())[0, 1] > 0.9


def test_painting(shown: Shown) -> None:
    """A stroke is told in px of the photograph, a click as one point; nothing is left on the canvas."""
    shown.show(tool="paint", color=RED, radius=10)
    path = [(200, 200), (260, 240), (400, 300)]
    shown.drag(*(shown.at(*place) for place in path))
    shown.drag(shown.at(700, 600))
    (_, line), (_, click) = shown.told
    np.testing.assert_allclose(line, path, atol=2)
    np.testing.assert_allclose(click, [(700, 600)], atol=2)
    assert not shown.viewer.find_withtag("painting")


def test_painting_is_seen(shown: Shown) -> None:
    """While one paints the stroke stands in its color, as wide as the brush; Escape leaves it off."""
    shown.show(tool="paint", color=RED, radius=40)
    shown.do("<ButtonPress-1>", *shown.at(200, 200))
    shown.do("<Motion>", *shown.at(400, 200), state=0x100)
    x, y = (round(place) for place in shown.at(300, 200))
    pixels = shown.pixels()
    assert (pixels[y - 14 : y + 14, x] == RED).all()
    shown.viewer.focus_force()
    shown.do("<Escape>")
    shown.do("<ButtonRelease-1>", *shown.at(400, 200))
    assert shown.told == []
    assert _grey(shown.pixels()[y - 14 : y + 14, x])


def test_strokes_are_chosen_and_moved(shown: Shown) -> None:
    """A press on a handle chooses the stroke, dragging moves it, by px of the photograph."""
    strokes = tuple(Stroke(((x, 200.0), (x + 100, 200.0)), 10, RED) for x in (200.0, 700.0))
    shown.show(tool="paint", strokes=strokes, color=RED, radius=5)
    shown.drag(shown.at(700, 200))
    assert shown.told == [("select", 1)]
    shown.drag(shown.at(700, 200), shown.at(740, 240), shown.at(760, 260))
    kind, number, dx, dy = shown.told[-1]
    assert (kind, number) == ("move", 1)
    np.testing.assert_allclose((dx, dy), (60, 60), atol=3)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"tool": "paint"}, 2),
        ({"tool": "move"}, 0),
        ({"tool": "move", "selected": 1}, 1),
        ({"tool": "paint", "mode": "before"}, 0),
    ],
)
def test_which_strokes_are_seen(shown: Shown, changes: dict[str, Any], seen: int) -> None:
    """Strokes are seen while one paints, a chosen one always, and none over the photograph itself."""
    strokes = (Stroke(((300, 300),), 10, RED), Stroke(((500, 300),), 10, None))
    shown.show(strokes=strokes, **changes)
    handles = {tag for item in shown.viewer.find_withtag("stroke") for tag in shown.viewer.gettags(item)}
    assert len([tag for tag in handles if tag.startswith("handle")]) == seen


@pytest.mark.parametrize(("x", "grey"), [(300, True), (900, False)])
def test_picking_a_color(shown: Shown, x: int, grey: bool) -> None:  # noqa: FBT001 - a case
    """Control and a click tell the color that is seen there."""
    place = shown.at(x, 500)
    shown.do("<Control-Button-1>", *place)
    ((kind, color),) = shown.told
    assert kind == "pick"
    seen = shown.pixels()[round(place[1]), round(place[0])]
    assert np.abs(seen.astype(int) - color).max() <= 3
    assert _grey(np.array([color], np.uint8)) is grey


def test_without_color(shown: Shown, root: tk.Tk) -> None:
    """Before there is color the photograph alone is seen, whole, without divider or captions."""
    shown.show(merger=None)
    assert _grey(shown.pixels()[10:-10, 10:-10])
    assert not shown.viewer.find_withtag("caption")
    places = [
        place for item in shown.viewer.find_withtag("divider") for place in shown.viewer.bbox(item) or ()
    ]
    assert not places  # what is hidden has no box


def test_nothing_to_show(shown: Shown) -> None:
    """Without a photograph the canvas is empty, and no event does anything."""
    shown.show(picture=None, merger=None)
    assert (shown.pixels()[20:-20, 20:-20] == 0x20).all()
    shown.drag((100, 100), (200, 200))
    shown.do("<Button-4>", 100, 100)
    shown.do("<Control-Button-1>", 100, 100)
    assert [what for what, *_ in shown.told if what != "zoom"] == []


def test_quick_decode_keeps_the_view(shown: Shown) -> None:
    """When the whole photograph replaces a quick decode, one goes on looking at the same place."""
    from tintype.gui.picture import Picture

    shown.viewer.zoom_by(3, (100, 100))
    view = shown.viewer.view
    shown.show(picture=Picture(shown.picture.image, colored=False))
    assert shown.viewer.view == view
    shown.show(picture=Picture(Image.new("L", (300, 500)), colored=False), merger=None)
    assert shown.viewer.view.fitted


def test_keyboard_focus_is_seen(shown: Shown) -> None:
    """Tab reaches the viewer and draws a ring, which a click takes away again."""
    shown.viewer.focus_force()
    shown.do("<KeyPress-Up>")
    ring = np.array([0, 255, 0])
    assert (shown.pixels()[0, 100:200] == ring).all()
    shown.do("<ButtonPress-1>", 50, 50)
    shown.do("<ButtonRelease-1>", 50, 50)
    assert not (shown.pixels()[0, 100:200] == ring).any()


def test_coarse_then_fine(shown: Shown, wait: Callable[[Callable[[], bool]], None]) -> None:
    """Where drawing is slow, what moves is drawn coarsely, and finely as soon as it rests."""
    shown.show(mode="color")
    shown.viewer._pace = 1e6
    shown.viewer._asked = float("inf")  # as if something had moved just now
    shown.viewer.zoom_by(2)
    shown.settle()
    pane = shown.viewer._panes[0]
    coarse = pane._frame.copy()
    wait(lambda: not shown.viewer._finer)
    view = shown.viewer.view
    fine = shown.picture.render(view.box(view.visible), (596, 396), "color", shown.scene.merger)
    assert np.abs(coarse.astype(int) - fine).max() > 3
    np.testing.assert_array_equal(pane._frame, fine)


@pytest.mark.parametrize("mode", ["color", "split", "side"])
@pytest.mark.parametrize("by", [(-30, -20), (25, 40), (0, 7), (5000, 0)])
def test_panning_draws_what_comes_into_sight(shown: Shown, mode: Mode, by: tuple[int, int]) -> None:
    """What was seen before moves on, what was not is drawn: as if all of it were drawn anew."""
    shown.show(mode=mode)
    shown.viewer.zoom_by(3)
    shown.viewer.pan(-70, -50)
    shown.settle()
    shown.viewer.pan(*by)
    shown.settle()
    moved = [pane._frame.copy() for pane in shown.viewer._panes]
    for pane in shown.viewer._panes:
        pane.clear()
    shown.viewer._later()
    shown.settle()
    for before, pane in zip(moved, shown.viewer._panes, strict=True):
        assert np.abs(before.astype(int) - pane._frame).max(initial=0) <= 3
