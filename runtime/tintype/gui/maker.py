"""Elements of a ttk theme, made of pictures that ttk stretches from their middle.

They belong to the Tcl interpreter, as the elements do, and not to any object of Python's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from tintype.gui import shapes
from tintype.gui.shapes import Box

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Sequence

    from tintype.gui.shapes import Mark
    from tintype.gui.theme import Look

HEIGHT: Final = 32  # px of the design: buttons, fields, segments
MIDDLE: Final = 48  # px that are stretched: the longer, the fewer copies ttk has to draw
States: TypeAlias = "tuple[tuple[str, str, str, str], ...]"
"""States of ttk, fill, border, ring or ""."""


class Maker:
    """Makes elements out of pictures."""

    def __init__(self, root: tk.Misc, look: Look, prefix: str) -> None:
        self.look, self.theme, self.px = look, look.theme, look.px
        self._call, self._prefix = root.tk.call, prefix

    def element(
        self,
        name: str,
        size: tuple[int, int],
        ground: str,
        states: Sequence[tuple[str, Sequence[Box | Mark]]],
        *,
        border: tuple[int, ...] = (0,),
        least: tuple[int, int] | None = None,
        sticky: str = "nswe",
    ) -> None:
        """Make an element: a picture for each set of states, the first that holds; "" holds always."""
        names = [self._picture(f"{name}.{index}", size, ground, s[1]) for index, s in enumerate(states)]
        by_state = (
            part for s, each in zip(states, names, strict=True) if s[0] for part in (s[0].split(), each)
        )
        width, height = least or size
        options = {"border": border, "padding": 0, "width": width, "height": height, "sticky": sticky}
        self.create(name, (names[-1], *by_state), options)

    def create(self, name: str, pictures: tuple[object, ...], options: dict[str, object]) -> None:
        """Make an element of pictures by their names: the usual one, then states and the one for them."""
        given = (part for option, value in options.items() for part in (f"-{option}", value))
        self._call("ttk::style", "element", "create", name, "image", pictures, *given)

    def _picture(self, name: str, size: tuple[int, int], ground: str, layers: Sequence[Box | Mark]) -> str:
        return self.keep(name, shapes.picture(*size, ground, layers))

    def keep(self, name: str, data: bytes) -> str:
        """Make a picture of a file's bytes, and return its name."""
        full = f"{self._prefix}.{name}"
        self._call("image", "create", "photo", full, "-data", data)
        return full

    def box(self, name: str, ground: str, radius: float, states: States, height: int = HEIGHT) -> None:
        """Make an element that is a box with round corners, a line around it, and a ring for the focus."""
        r, line, tall = self.px(radius), self.px(1), self.px(height)
        wide = 2 * r + MIDDLE
        pictures = []
        for condition, fill, border, ring in states:
            layers = [Box(0, 0, wide, tall, r, border)]
            inset = line if border != fill else 0
            if ring:
                layers.append(Box(0, 0, wide, tall, r, ring))
                inset = self.px(2)
            layers.append(inside(wide, tall, inset, r, fill))
            pictures.append((condition, layers))
        edge = r + 1
        least = tall if height <= HEIGHT else 2 * edge
        self.element(name, (wide, tall), ground, pictures, border=(edge,), least=(2 * edge, least))


def inside(width: int, height: int, inset: int, radius: float, color: str) -> Box:
    """Return a box within one of a width, a height and a radius (px), its edges parallel to those."""
    return Box(inset, inset, width - 2 * inset, height - 2 * inset, max(0, radius - inset), color)
