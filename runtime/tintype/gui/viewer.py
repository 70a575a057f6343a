"""The photograph in the window: before and after, zoomed and moved, and the strokes painted upon it."""

from __future__ import annotations

import math
import time
import tkinter as tk
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tintype.gui import geometry
from tintype.gui.geometry import View
from tintype.gui.overlay import GRIP, HANDLE, Overlay
from tintype.gui.pane import Pane, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tintype.gui.overlay import Look, Point
    from tintype.gui.picture import Picture, What
    from tintype.gui.state import Color, Mode, Tool
    from tintype.hints import Stroke
    from tintype.merge import Merger

Drag: TypeAlias = Literal["", "pan", "divide", "paint", "stroke"]

STEP: Final = 1.25  # of zoom, a notch of the wheel
PROMPT: Final = 0.05  # s: what would take longer is drawn coarsely while things move
_QUIET: Final = 120  # ms without movement until what was drawn coarsely is drawn finely
_NEAR: Final = 8  # px: so near, a line counts as hit
_STILL: Final = 3  # px: a press that moves less is a click
_SPACING: Final = 2.0  # px of the screen between the points of a stroke
_GAP: Final = 6  # px between two panes
_RING: Final = 2  # px, of the ring that shows the keyboard's focus
_KEY_STEP: Final = 0.02  # of the divider, a press of an arrow key; five times as much with Shift
_KEY_PAN: Final = 0.1  # of the pane


@dataclass(frozen=True)
class Scene:
    """What there is to be seen."""

    picture: Picture | None = None
    merger: Merger | None = None
    """None while there is no color: then the photograph alone is seen, in every mode."""
    mode: Mode = "split"
    tool: Tool = "move"
    strokes: tuple[Stroke, ...] = ()
    selected: int | None = None
    color: Color = None
    """Of the brush."""
    radius: float = 0.0
    """Of the brush, px of the photograph."""


class Viewer(tk.Canvas):
    """Shows a scene; where one looks is its own affair, what is to be changed it only reports."""

    def __init__(
        self,
        parent: tk.Misc,
        *,
        theme: Look,
        scale: float,
        captions: Mapping[str, str],
        on_stroke: Callable[[tuple[Point, ...]], None],
        on_select: Callable[[int | None], None],
        on_move_stroke: Callable[[int, float, float], None],
        on_pick: Callable[[tuple[int, int, int]], None],
        on_view: Callable[[], None],
    ) -> None:
        """Take what is called when a person paints a stroke, chooses or moves one, picks a color, zooms.

        Places and distances are px of the photograph, colors sRGB. `captions` has the words for grey,
        original and color; lines and handles are `scale` times as large.
        """
        ring = max(1, round(_RING * scale))
        super().__init__(
            parent, background=theme.canvas, borderwidth=0, highlightthickness=ring, takefocus=True
        )
        self.configure(highlightbackground=theme.canvas, highlightcolor=theme.focus)
        self._look, self._px, self._ring = theme, scale, ring
        self._on_stroke, self._on_select, self._on_move_stroke = on_stroke, on_select, on_move_stroke
        self._on_pick, self._on_view = on_pick, on_view
        self.scene = Scene()
        self.view = View((1, 1), (1, 1))
        self._panes = (Pane(self), Pane(self))
        self._over = Overlay(self, theme, scale, captions)
        self._over_key: object = None
        self._drag: Drag = ""
        self._from: Point = (0.0, 0.0)  # where the mouse was pressed, then where it was last
        self._origin: Point = (0.0, 0.0)  # of the pane that it was pressed in
        self._painted: list[Point] = []
        self._peeking = False
        self._pending = self._finer = ""
        self._asked = 0.0
        self._pace = 0.0  # s a pixel, as drawing took lately
        self._listen()

    def show(self, scene: Scene) -> None:
        """Show a scene; a photograph of another size is shown whole at first."""
        if scene == self.scene:
            return
        before, self.scene = self.scene, scene
        if scene.picture is not None and (before.picture is None or scene.picture.size != self.view.photo):
            self.view = View(scene.picture.size, (0, 0), divider=self.view.divider)  # fitted when drawn
        self._set_cursor()
        self._later()

    @property
    def zoom(self) -> float:
        """Screen px per px of the photograph."""
        return self.view.zoom

    @property
    def divider(self) -> float:
        """Share of the visible width that is left of the divider, 0..1."""
        return self.view.divider

    @divider.setter
    def divider(self, share: float) -> None:
        left, _, right, _ = self.view.visible
        self._look_at(geometry.divided(self.view, left + share * (right - left)))

    def fit(self) -> None:
        """Show the whole photograph."""
        self._look_at(geometry.fit(self.view))

    def actual(self, at: Point | None = None) -> None:
        """Show a pixel of the photograph as one of the screen; the place `at` (of the canvas) stays there."""
        self._look_at(geometry.zoomed(self.view, 1.0, self._within(at)))

    def zoom_by(self, factor: float, at: Point | None = None) -> None:
        """Zoom, stopping at round values on the way; the place `at` (of the canvas) stays there."""
        self._look_at(geometry.stepped(self.view, factor, self._within(at)))

    def pan(self, dx: float, dy: float) -> None:
        """Move the photograph by screen pixels."""
        self._look_at(geometry.panned(self.view, dx, dy))

    def peek(self, *, on: bool) -> None:
        """Show the photograph itself for as long as this is on."""
        if on != self._peeking:
            self._peeking = on
            self._later()

    # What is seen.

    @property
    def _colored(self) -> bool:
        return self.scene.merger is not None

    def _origins(self) -> list[Point]:
        """Return the corners of the panes on the canvas."""
        if self.scene.mode != "side" or not self._colored:
            return [(self._ring, self._ring)]
        return [(self._ring, self._ring), (self.winfo_width() - self._ring - self._room()[0], self._ring)]

    def _room(self) -> tuple[int, int]:
        """Return the size of a pane."""
        width, height = self.winfo_width() - 2 * self._ring, self.winfo_height() - 2 * self._ring
        if self.scene.mode == "side" and self._colored:
            width = (width - round(_GAP * self._px)) // 2
        return max(1, width), max(1, height)

    def _origin_at(self, x: float) -> Point:
        """Return the corner of the pane under a place of the canvas."""
        origins = self._origins()
        return origins[-1] if x >= origins[-1][0] else origins[0]

    def _within(self, at: Point | None) -> Point | None:
        """Return a place of the canvas as one of its pane."""
        if at is None:
            return None
        origin = self._origin_at(at[0])
        return at[0] - origin[0], at[1] - origin[1]

    def _layout(self) -> list[tuple[Part, ...]]:
        """Return what each pane is made of."""
        left, _, right, _ = self.view.visible
        merger = None if self._peeking else self.scene.merger
        before = Part(left, right, "original")
        after = before if merger is None else Part(left, right, "color", merger)
        if self.scene.mode == "side" and self._colored:
            return [(before,), (after,)]
        if self.scene.mode == "split" and merger is not None:
            x = self.view.divider_x
            return [tuple(p for p in (before._replace(right=x), after._replace(left=x)) if p.left < p.right)]
        return [(before,) if self.scene.mode == "before" else (after,)]

    def _look_at(self, view: View) -> None:
        before, self.view = self.view, view
        if view != before:
            self._later()
        if view.zoom != before.zoom:
            self._on_view()

    def _later(self) -> None:
        """Draw when there is nothing more urgent: several changes are drawn once."""
        if not self._pending:
            self._pending = self.after_idle(self._redraw)

    def _forget(self) -> None:
        """Wait for nothing more, and leave no picture to the garbage collector of another thread."""
        for waiting in filter(None, (self._pending, self._finer)):
            self.after_cancel(waiting)
        for pane in self._panes:
            pane.release()
        self._over.release()

    def _redraw(self, *, moving: bool | None = None) -> None:
        self._pending = ""
        if self.scene.picture is None or self.winfo_width() <= 1:
            for pane in self._panes:
                pane.clear()
            self._draw_over([])
            return
        before, self.view = self.view, geometry.resized(self.view, self._room())
        if self.view.zoom != before.zoom:
            self._on_view()
        layout, origins = self._layout(), self._origins()
        now = time.perf_counter()
        if moving is None:
            moving, self._asked = now - self._asked < _QUIET / 1000, now
        most = PROMPT / self._pace / len(layout) if moving and self._pace else math.inf
        made = sum(
            pane.draw(self.scene.picture, self.view, parts, origin, most)
            for pane, parts, origin in zip(self._panes, layout, origins, strict=False)
        )
        if len(layout) == 1:
            self._panes[1].clear()
        if made > 100_000:
            pace = (time.perf_counter() - now) / made
            self._pace = pace if not self._pace else 0.7 * self._pace + 0.3 * pace
        if self._finer:
            self.after_cancel(self._finer)
            self._finer = ""
        if any(pane.coarse for pane in self._panes):
            self._finer = self.after(_QUIET, lambda: self._redraw(moving=False))
        self._draw_over(origins)

    def _draw_over(self, origins: list[Point]) -> None:
        """Draw what lies over the photograph, where any of it changed."""
        scene = self.scene
        choices = (scene.mode, scene.strokes, scene.selected, scene.tool)
        key = (self.view, origins, self._peeking, self._colored, scene.picture, choices)
        if key == self._over_key:
            return
        self._over_key = key
        self._over.no_strokes()
        self._over.no_captions()
        self._over.no_divider()
        if not origins:
            return
        self._draw_captions(origins)
        if self._divided:
            _, top, _, bottom = self._area(origins[0])
            self._over.divider(origins[0][0] + self.view.divider_x, top, bottom)
        if scene.mode != "before" and not self._peeking:
            for number, stroke in enumerate(scene.strokes):
                if scene.tool == "paint" or number == scene.selected:
                    for origin in origins:
                        chosen = number == scene.selected
                        self._over.stroke(stroke, number, self.view, origin, chosen=chosen)

    def _draw_captions(self, origins: list[Point]) -> None:
        if not self._colored:
            return
        picture = self.scene.picture
        before: What = "original" if picture is not None and picture.colored else "grey"
        areas = [self._area(origin) for origin in origins]
        if self.scene.mode == "side":
            self._over.caption(before, areas[0], "left")
            self._over.caption(before if self._peeking else "color", areas[1], "right")
        elif self._divided:
            (left, top, right, bottom), x = areas[0], round(origins[0][0]) + self.view.divider_x
            self._over.caption(before, (left, top, x, bottom), "left")
            self._over.caption("color", (x, top, right, bottom), "right")
        elif self._peeking or self.scene.mode == "before":
            self._over.caption(before, areas[0], "left")

    @property
    def _divided(self) -> bool:
        return self.scene.mode == "split" and self._colored and not self._peeking

    def _area(self, origin: Point) -> tuple[int, int, int, int]:
        """Return what is seen of the photograph in a pane, px of the canvas."""
        left, top, right, bottom = self.view.visible
        x, y = round(origin[0]), round(origin[1])
        return left + x, top + y, right + x, bottom + y

    # What a person does.

    def _listen(self) -> None:
        table: dict[str, Callable[[tk.Event[tk.Canvas]], object]] = {
            "<Configure>": lambda _event: self._later(),
            "<Destroy>": lambda _event: self._forget(),
            "<ButtonPress-1>": self._pressed,
            "<B1-Motion>": self._dragged,
            "<ButtonRelease-1>": self._released,
            "<Double-Button-1>": self._double,
            "<Control-Button-1>": self._picked,
            "<Alt-Button-1>": self._picked,
            "<ButtonPress-2>": lambda event: self._start(event, "pan"),
            "<B2-Motion>": self._dragged,
            "<ButtonRelease-2>": self._released,
            "<Motion>": self._hovered,
            "<Leave>": lambda _event: self._over.no_brush(),
            "<MouseWheel>": lambda event: self.zoom_by(
                STEP if event.delta > 0 else 1 / STEP, (event.x, event.y)
            ),
            "<Button-4>": lambda event: self.zoom_by(STEP, (event.x, event.y)),
            "<Button-5>": lambda event: self.zoom_by(1 / STEP, (event.x, event.y)),
            "<KeyPress>": lambda _event: self.configure(highlightcolor=self._look.focus),
            "<FocusOut>": lambda _event: self.configure(highlightcolor=self._look.focus),
            "<Escape>": self._abandoned,
            "<Home>": lambda _event: self._to(0.0),
            "<End>": lambda _event: self._to(1.0),
        }
        for sequence, action in table.items():
            self.bind(sequence, action)
        for key, dx, dy in (("Left", -1, 0), ("Right", 1, 0), ("Up", 0, -1), ("Down", 0, 1)):
            for prefix, times in (("", 1), ("Shift-", 5)):
                self.bind(f"<{prefix}{key}>", self._arrow_key(times * dx, times * dy))

    def _arrow_key(self, dx: int, dy: int) -> Callable[[tk.Event[tk.Canvas]], str]:
        """Return what moves the divider, or what is seen of the photograph."""

        def pressed(_event: tk.Event[tk.Canvas]) -> str:
            self.configure(highlightcolor=self._look.focus)
            if dx and self._divided:
                self.divider += dx * _KEY_STEP
            else:
                self.pan(-dx * _KEY_PAN * self.view.room[0], -dy * _KEY_PAN * self.view.room[1])
            return "break"

        return pressed

    def _to(self, share: float) -> None:
        if self._divided:
            self.divider = share

    def _pressed(self, event: tk.Event[tk.Canvas]) -> None:
        self.configure(highlightcolor=self._look.canvas)  # the ring is for those who use the keyboard
        self.focus_set()
        if self.scene.picture is None:
            return
        handle = self._handle_at(event.x, event.y)
        if self._peeking:
            self._start(event, "pan")
        elif handle is not None:
            self._on_select(handle)
            self._start(event, "stroke")
        elif self._on_divider(event.x, event.y):
            self._start(event, "divide")
        elif self.scene.tool == "paint" and self._inside(event.x, event.y) and self.scene.mode != "before":
            self._start(event, "paint")
            self._paint(event)
        else:
            self._start(event, "pan")

    def _start(self, event: tk.Event[tk.Canvas], drag: Drag) -> None:
        self._drag, self._from = drag, (event.x, event.y)
        self._origin = self._origin_at(event.x)
        self._painted = []
        if drag == "pan":
            self.configure(cursor="fleur")

    def _dragged(self, event: tk.Event[tk.Canvas]) -> None:
        x, y = self._from
        if self._drag == "pan":
            self.pan(event.x - x, event.y - y)
            self._from = (event.x, event.y)
        elif self._drag == "divide":
            self._look_at(geometry.divided(self.view, event.x - self._origin[0]))
        elif self._drag == "paint":
            self._paint(event)
            self._show_brush(event)
        elif self._drag == "stroke":
            self.delete("moved")
            self._shift(event)

    def _shift(self, event: tk.Event[tk.Canvas]) -> None:
        """Show a stroke where it is being moved to."""
        number = self.scene.selected
        if number is None or number >= len(self.scene.strokes):
            return
        dx, dy = self._moved(event)
        view = geometry.shifted(self.view, dx, dy)
        self._over.no_strokes()
        for origin in self._origins():
            self._over.stroke(self.scene.strokes[number], number, view, origin, chosen=True)

    def _moved(self, event: tk.Event[tk.Canvas]) -> Point:
        return event.x - self._from[0], event.y - self._from[1]

    def _released(self, event: tk.Event[tk.Canvas]) -> None:
        drag, self._drag = self._drag, ""
        if drag == "paint":
            self._over.no_painting()
            self._on_stroke(tuple(self._painted))
        elif drag == "stroke":
            self._over_key = None
            self._later()
            distance, number = self._moved(event), self.scene.selected
            if math.hypot(*distance) > _STILL * self._px and number is not None:
                self._on_move_stroke(number, distance[0] / self.zoom, distance[1] / self.zoom)
        self._set_cursor()

    def _abandoned(self, _event: tk.Event[tk.Canvas]) -> None:
        """Leave off painting or moving: nothing has changed."""
        if self._drag in {"paint", "stroke"}:
            self._drag = ""
            self._over.no_painting()
            self._over_key = None
            self._later()

    def _double(self, event: tk.Event[tk.Canvas]) -> None:
        """Show the whole photograph, or its pixels as they are."""
        if self.scene.tool == "paint":
            self._pressed(event)
        elif self.view.fitted and self.zoom < 1:
            self.actual((event.x, event.y))
        else:
            self.fit()

    def _paint(self, event: tk.Event[tk.Canvas]) -> None:
        x, y = self.view.to_photo(event.x - self._origin[0], event.y - self._origin[1])
        width, height = self.view.photo
        point = (min(max(x, 0.0), width), min(max(y, 0.0), height))
        if self._painted and math.dist(self._painted[-1], point) * self.zoom < _SPACING:
            return
        self._painted.append(point)
        places = [self.view.to_screen(*p) for p in self._painted]
        places = [(px + self._origin[0], py + self._origin[1]) for px, py in places]
        self._over.painting(places, self.scene.radius * self.zoom, self.scene.color)

    def _picked(self, event: tk.Event[tk.Canvas]) -> None:
        """Tell the color that is seen under the mouse."""
        self.focus_set()
        if self.scene.picture is None or not self._inside(event.x, event.y):
            return
        origin = self._origin_at(event.x)
        x, y = int(event.x - origin[0]), int(event.y - origin[1])
        layout = self._layout()
        parts = layout[-1] if origin == self._origins()[-1] else layout[0]
        part = next(part for part in parts if part.left <= x < part.right)
        box = self.view.box((x, y, x + 1, y + 1))
        red, green, blue = self.scene.picture.render(box, (1, 1), part.what, part.merger)[0, 0].tolist()
        self._on_pick((red, green, blue))

    def _hovered(self, event: tk.Event[tk.Canvas]) -> None:
        self._set_cursor(event)
        self._show_brush(event)

    def _show_brush(self, event: tk.Event[tk.Canvas]) -> None:
        if self.cget("cursor") == "none":
            self._over.brush(event.x, event.y, self.scene.radius * self.zoom, self.scene.color)
        else:
            self._over.no_brush()

    def _set_cursor(self, event: tk.Event[tk.Canvas] | None = None) -> None:
        """Show by the mouse's form what pressing it would do."""
        cursor = ""
        if event is not None and self.scene.picture is not None:
            if self._handle_at(event.x, event.y) is not None:
                cursor = "hand2"
            elif self._on_divider(event.x, event.y):
                cursor = "sb_h_double_arrow"
            elif (
                self.scene.tool == "paint" and self._inside(event.x, event.y) and self.scene.mode != "before"
            ):
                cursor = "none"
        if str(self.cget("cursor")) != cursor:
            self.configure(cursor=cursor)

    def _inside(self, x: float, y: float) -> bool:
        left, top, right, bottom = self._area(self._origin_at(x))
        return left <= x < right and top <= y < bottom

    def _on_divider(self, x: float, y: float) -> bool:
        """Say whether a place is on the divider; only its grip counts while one paints."""
        if not self._divided:
            return False
        left, top, _, bottom = self._area(self._origins()[0])
        away, down = abs(x - left + self.view.visible[0] - self.view.divider_x), abs(y - (top + bottom) / 2)
        if self.scene.tool == "paint":
            return math.hypot(away, down) <= GRIP * self._px / 2
        return (away <= _NEAR * self._px and top <= y < bottom) or math.hypot(
            away, down
        ) <= GRIP * self._px / 2

    def _handle_at(self, x: float, y: float) -> int | None:
        """Return the stroke whose handle is at a place, the uppermost first."""
        if self.scene.mode == "before" or self._peeking:
            return None
        origin = self._origin_at(x)
        for number in reversed(range(len(self.scene.strokes))):
            if self.scene.tool == "paint" or number == self.scene.selected:
                px, py = self.view.to_screen(*self.scene.strokes[number].points[0])
                if math.dist((px + origin[0], py + origin[1]), (x, y)) <= HANDLE * self._px / 2:
                    return number
        return None
