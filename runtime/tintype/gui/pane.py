"""The photograph on a canvas: what changed is drawn anew, and nothing else."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageTk

if TYPE_CHECKING:
    import tkinter as tk

    from tintype.gui.geometry import View
    from tintype.gui.picture import Picture, What
    from tintype.merge import Merger

Bytes: TypeAlias = NDArray[np.uint8]
Area: TypeAlias = "tuple[int, int, int, int]"
"""Left, top, right, bottom, screen px of the pane."""

_COARSEST: Final = 3  # px of the screen for one that is made, at most


class Part(NamedTuple):
    """Columns of the visible photograph, and what they show."""

    left: int
    right: int
    """Screen px of the pane."""
    what: What
    merger: Merger | None = None


class Pane:
    """One picture on a canvas, which is made of parts side by side."""

    def __init__(self, canvas: tk.Canvas) -> None:
        self.canvas = canvas
        self.item = canvas.create_image(0, 0, anchor="nw", state="hidden", tags="photo")
        self._image: ImageTk.PhotoImage | None = None
        self._frame: Bytes = np.empty((0, 0, 3), np.uint8)
        self._shown: tuple[Picture, View] | None = None
        self._parts: tuple[Part, ...] = ()
        self.coarse = False

    def clear(self) -> None:
        """Show nothing."""
        self.canvas.itemconfigure(self.item, state="hidden")
        self._shown, self._parts, self.coarse = None, (), False

    def release(self) -> None:
        """Give the picture back, in Tk's own thread."""
        self._image = None

    def draw(
        self,
        picture: Picture,
        view: View,
        parts: tuple[Part, ...],
        origin: tuple[float, float],
        most: float = math.inf,
    ) -> int:
        """Show parts of a picture, the pane's corner being at `origin`; return how many pixels were made.

        Where more than `most` are missing, fewer are made, for a moment: then the pane is `coarse`.
        """
        left, top, right, bottom = view.visible
        if self.coarse and most == math.inf:
            self._parts = ()
        moved, stale = self._keep(picture, view, parts)
        missing = sum((area[2] - area[0]) * (area[3] - area[1]) for area, _ in stale)
        coarser = min(_COARSEST, math.ceil(math.sqrt(missing / most))) if missing else 1
        for area, part in stale:
            pixels = _rendered(picture, view, area, part, max(1, coarser))
            self._frame[area[1] - top : area[3] - top, area[0] - left : area[2] - left] = pixels
        if moved or 4 * missing > (right - left) * (bottom - top):
            self._paste()
        else:
            self._patch([area for area, _ in stale], left, top)
        self.canvas.coords(self.item, origin[0] + left, origin[1] + top)
        self._shown, self._parts = (picture, view), parts
        self.coarse = coarser > 1 or (self.coarse and most < math.inf)
        return missing // max(1, coarser) ** 2

    def _keep(
        self, picture: Picture, view: View, parts: tuple[Part, ...]
    ) -> tuple[bool, list[tuple[Area, Part]]]:
        """Keep what is drawn already, at its new place; return whether it moved, and what is missing."""
        left, top, right, bottom = view.visible
        frame, x, y = self._frame, left, top
        there: tuple[Part, ...] = ()
        same = self._shown is not None and self._shown[0] is picture and self._shown[1].drawn == view.drawn
        if same and self._shown is not None:
            before = self._shown[1]
            dx, dy = view.x - before.x, view.y - before.y
            x, y = before.visible[0] + dx, before.visible[1] + dy  # of the frame's corner by now
            there = tuple(part._replace(left=part.left + dx, right=part.right + dx) for part in self._parts)
        above, below = max(top, y), min(bottom, y + len(frame))
        moved = not same or (x, y, *frame.shape[1::-1]) != (left, top, right - left, bottom - top)
        if moved:
            self._frame = np.empty((bottom - top, right - left, 3), np.uint8)
        missing: list[tuple[Area, Part]] = []
        for part, known in _split(there if above < below else (), parts):
            if known and moved:
                kept = frame[above - y : below - y, part.left - x : part.right - x]
                self._frame[above - top : below - top, part.left - left : part.right - left] = kept
            rows = ((top, above), (below, bottom)) if known else ((top, bottom),)
            missing += [((part.left, first, part.right, last), part) for first, last in rows if first < last]
        return moved, missing

    def _paste(self) -> None:
        image = Image.fromarray(self._frame)
        if self._image is None or (self._image.width(), self._image.height()) != image.size:
            self._image = ImageTk.PhotoImage("RGB", image.size, master=self.canvas)
        self._image.paste(image)
        self.canvas.itemconfigure(self.item, image=self._image, state="normal")

    def _patch(self, areas: list[Area], x: int, y: int) -> None:
        """Put areas into the picture that is there: that takes a hundredth of the time of all of it."""
        for left, top, right, bottom in areas:
            pixels = np.ascontiguousarray(self._frame[top - y : bottom - y, left - x : right - x])
            scratch = ImageTk.PhotoImage(Image.fromarray(pixels), master=self.canvas)
            self.canvas.tk.call(str(self._image), "copy", str(scratch), "-to", left - x, top - y)


def _rendered(picture: Picture, view: View, area: Area, part: Part, coarser: int) -> Bytes:
    width, height = area[2] - area[0], area[3] - area[1]
    size = (width // coarser or 1, height // coarser or 1)
    pixels = picture.render(view.box(area), size, part.what, part.merger)
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def _split(old: tuple[Part, ...], new: tuple[Part, ...]) -> list[tuple[Part, bool]]:
    """Split new parts where old ones end; say of each piece whether an old part shows the same there."""
    pieces: list[tuple[Part, bool]] = []
    for part in new:
        edges = {part.left, part.right, *(edge for there in old for edge in there[:2])}
        for left, right in pairwise(sorted(edge for edge in edges if part.left <= edge <= part.right)):
            same = [there for there in old if there.left <= left and right <= there.right]
            known = any(there[2:] == part[2:] for there in same)
            pieces.append((part._replace(left=left, right=right), known))
    return pieces
