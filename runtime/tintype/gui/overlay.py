"""Strokes, brush, divider and captions: what lies over the photograph on a canvas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from PIL import ImageTk

from tintype.gui import marks
from tintype.gui.geometry import clipped

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Mapping, Sequence

    from PIL import Image

    from tintype.gui.geometry import View
    from tintype.gui.state import Color
    from tintype.hints import Stroke

Point: TypeAlias = "tuple[float, float]"

HANDLE: Final = 22  # px of a stroke's handle
GRIP: Final = 44  # px of the divider's
_MARGIN: Final = 12  # px from a corner of the photograph to its caption
_LEAST_ROOM: Final = 40  # px that captions need beside their own width
_LARGEST_BRUSH: Final = 260.0  # px: larger circles are drawn as plain lines
_DARK, _WHITE, _GREY = "#15161a", "#ffffff", "#808080"


class Look(Protocol):
    """The colors that the viewer takes from a theme, each #rrggbb."""

    @property
    def canvas(self) -> str:
        """Behind the photograph."""

    @property
    def accent(self) -> str:
        """Around a chosen stroke."""

    @property
    def focus(self) -> str:
        """Of the ring around what has the keyboard."""


class Overlay:
    """Draws what lies over the photograph; knows where handles are."""

    def __init__(self, canvas: tk.Canvas, look: Look, scale: float, captions: Mapping[str, str]) -> None:
        """Take widths and sizes times `scale`; `captions` has the words for grey, original and color."""
        self.canvas, self.look, self.scale, self.captions = canvas, look, scale, captions
        self._images: dict[object, ImageTk.PhotoImage] = {}
        self._brush: tuple[object, ImageTk.PhotoImage] | None = None
        self._lines = [
            canvas.create_line(0, 0, 0, 0, fill=fill, width=width * scale, state="hidden", tags="divider")
            for fill, width in ((_DARK, 4), (_WHITE, 2))
        ]
        image = self._kept("grip", marks.grip(round(GRIP * scale)))
        self._grip = canvas.create_image(0, 0, image=image, state="hidden", tags="divider")
        self._circle = canvas.create_oval(0, 0, 0, 0, outline=_WHITE, width=1.5 * scale, state="hidden")
        self._tip = canvas.create_image(0, 0, state="hidden")

    def release(self) -> None:
        """Give the pictures back, in Tk's own thread."""
        self._images.clear()
        self._brush = None

    def divider(self, x: float, top: float, bottom: float) -> None:
        """Show the divider at `x`, from top to bottom."""
        for line in self._lines:
            self.canvas.coords(line, x, top, x, bottom)
        self.canvas.coords(self._grip, x, (top + bottom) / 2)
        self.canvas.itemconfigure("divider", state="normal")

    def no_divider(self) -> None:
        """Hide the divider."""
        self.canvas.itemconfigure("divider", state="hidden")

    def caption(self, what: str, area: tuple[int, int, int, int], side: str) -> None:
        """Name what stands in an area, in its upper left or right corner, where there is room for it."""
        margin = _MARGIN * self.scale
        text = self.canvas.create_text(0, 0, text=self.captions[what], fill=_WHITE, tags="caption")
        self.canvas.itemconfigure(text, font="TkDefaultFont")
        left, top, right, bottom = self.canvas.bbox(text)
        width, height = round(right - left + 20 * self.scale), round(bottom - top + 8 * self.scale)
        if area[2] - area[0] < width + 2 * margin or area[3] - area[1] < height + _LEAST_ROOM * self.scale:
            self.canvas.delete(text)
            return
        x = area[0] + margin + width / 2 if side == "left" else area[2] - margin - width / 2
        y = area[1] + margin + height / 2
        image = self._kept(("pill", width, height), None) or self._kept(
            ("pill", width, height), marks.pill(width, height)
        )
        self.canvas.create_image(x, y, image=image, tags="caption")
        self.canvas.coords(text, x, y)
        self.canvas.tag_raise(text)

    def no_captions(self) -> None:
        """Remove all captions."""
        self.canvas.delete("caption")

    def stroke(self, stroke: Stroke, number: int, view: View, origin: Point, *, chosen: bool) -> None:
        """Show a stroke on a pane whose corner is at `origin`: a thin line and its handle."""
        points = [_moved(view.to_screen(*point), origin) for point in stroke.points]
        left, top, right, bottom = view.visible
        area = (left + origin[0], top + origin[1], right + origin[0], bottom + origin[1])
        edge = self.look.accent if chosen else _WHITE
        for fill, width in ((_DARK, 6), (edge, 4.5), (_of(stroke.color), 2.5)):
            for run in clipped(points, area):
                self._line(run, fill, width * self.scale, "stroke")
        x, y = points[0]
        if area[0] <= x <= area[2] and area[1] <= y <= area[3]:
            ring = self.look.accent if chosen else ""
            key = ("dot", stroke.color, ring)
            side = round(HANDLE * self.scale)
            image = self._kept(key, None) or self._kept(key, marks.dot(side, stroke.color, ring))
            self.canvas.create_image(x, y, image=image, tags=("stroke", f"handle-{number}"))

    def no_strokes(self) -> None:
        """Remove all strokes."""
        self.canvas.delete("stroke")

    def painting(self, points: Sequence[Point], radius: float, color: Color) -> None:
        """Show a stroke that is being painted, as wide as the brush, px of the screen."""
        self.canvas.delete("painting")
        self._line(points, _WHITE, 2 * radius + 2 * self.scale, "painting")
        self._line(points, _of(color), 2 * radius, "painting")
        self.canvas.tag_raise(self._circle)
        self.canvas.tag_raise(self._tip)

    def no_painting(self) -> None:
        """Remove it."""
        self.canvas.delete("painting")

    def brush(self, x: float, y: float, radius: float, color: Color) -> None:
        """Show the brush at a place; radius in px of the screen."""
        if radius > _LARGEST_BRUSH * self.scale:
            self.canvas.itemconfigure(self._tip, state="hidden")
            self.canvas.coords(self._circle, x - radius, y - radius, x + radius, y + radius)
            self.canvas.itemconfigure(self._circle, state="normal")
            self.canvas.tag_raise(self._circle)
            return
        key = (round(radius * 2), color)
        if self._brush is None or self._brush[0] != key:
            picture = marks.brush(max(radius, 1.5 * self.scale), self.scale, color)
            self._brush = key, ImageTk.PhotoImage(picture, master=self.canvas)
        self.canvas.itemconfigure(self._circle, state="hidden")
        self.canvas.itemconfigure(self._tip, image=self._brush[1], state="normal")
        self.canvas.coords(self._tip, x, y)
        self.canvas.tag_raise(self._tip)

    def no_brush(self) -> None:
        """Hide the brush."""
        for item in (self._circle, self._tip):
            self.canvas.itemconfigure(item, state="hidden")

    def _line(self, points: Sequence[Point], fill: str, width: float, tag: str) -> None:
        if len(points) == 1 or all(math.dist(points[0], point) < 1 for point in points):
            (x, y), reach = points[0], width / 2
            box = (x - reach, y - reach, x + reach, y + reach)
            self.canvas.create_oval(*box, fill=fill, width=0, tags=tag)
            return
        flat = [place for point in points for place in point]
        self.canvas.create_line(*flat, fill=fill, width=width, capstyle="round", joinstyle="round", tags=tag)

    def _kept(self, key: object, picture: Image.Image | None) -> ImageTk.PhotoImage | None:
        """Keep a picture, since Tk itself keeps no reference; return the one that is kept."""
        if picture is not None:
            self._images[key] = ImageTk.PhotoImage(picture, master=self.canvas)
        return self._images.get(key)


def _moved(point: Point, by: Point) -> Point:
    return point[0] + by[0], point[1] + by[1]


def _of(color: Color) -> str:
    return _GREY if color is None else "#" + bytes(color).hex()
