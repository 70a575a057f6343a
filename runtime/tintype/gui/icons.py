"""Icons, drawn as strokes on a grid of 16 x 16, crisp at any scale."""

from __future__ import annotations

from math import cos, radians, sin
from typing import TYPE_CHECKING, Final

from tintype.gui import shapes, theme

if TYPE_CHECKING:
    import tkinter as tk

    from tintype.gui.shapes import Path, Point

GRID: Final = 16
_WIDTH: Final = 1.4  # of the strokes, on the grid


def _arc(x: float, y: float, radius: float, start: float, end: float) -> tuple[Point, ...]:
    """Return points on a circle, from one angle to another: degrees, clockwise from the right."""
    steps = max(2, round(abs(end - start) / 18))
    angles = (radians(start + (end - start) * step / steps) for step in range(steps + 1))
    return tuple((x + radius * cos(angle), y + radius * sin(angle)) for angle in angles)


def _box(left: float, top: float, right: float, bottom: float) -> Path:
    return ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))


def _mirrored(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(tuple((GRID - x, y) for x, y in path) for path in paths)


_UNDO: Final = (
    ((6, 2.5), (3, 5.5), (6, 8.5)),
    ((3, 5.5), (9.5, 5.5), *_arc(9.5, 9.25, 3.75, -90, 90), (6.5, 13)),
)
_FRAME: Final = _box(2, 3, 14, 13)
PATHS: Final[dict[str, tuple[Path, ...]]] = {
    "none": (),
    "open": (((2, 4), (2, 13), (14, 13), (14, 5.5), (8, 5.5), (6.5, 3.5), (2, 3.5), (2, 4)),),
    "save": (
        ((8, 2.5), (8, 10)),
        ((5, 7.2), (8, 10.2), (11, 7.2)),
        ((2.5, 10.5), (2.5, 13.5), (13.5, 13.5), (13.5, 10.5)),
    ),
    "undo": _UNDO,
    "redo": _mirrored(_UNDO),
    "reset": ((*_arc(8, 8, 5.8, 180, -135), (2.3, 5.6)), ((2.3, 2.3), (2.3, 5.6), (5.6, 5.6))),
    "plus": (((8, 3), (8, 13)), ((3, 8), (13, 8))),
    "minus": (((3, 8), (13, 8)),),
    "fit": (
        ((2.5, 6), (2.5, 2.5), (6, 2.5)),
        ((10, 2.5), (13.5, 2.5), (13.5, 6)),
        ((13.5, 10), (13.5, 13.5), (10, 13.5)),
        ((6, 13.5), (2.5, 13.5), (2.5, 10)),
    ),
    "actual": (
        ((2.5, 5), (4.5, 3.5), (4.5, 12.5)),
        ((8, 6),),
        ((8, 10.5),),
        ((10.5, 5), (12.5, 3.5), (12.5, 12.5)),
    ),
    "split": (_FRAME, ((8, 1.5), (8, 14.5))),
    "side": (_box(2, 3, 7, 13), _box(9, 3, 14, 13)),
    "color": (((8, 1.8), *_arc(8, 9.7, 4.4, -28, 208), (8, 1.8)), _arc(8, 9.7, 2, 20, 110)),
    "before": (_FRAME, ((2, 11.5), (6, 7.5), (9, 10.5), (11, 8.5), (14, 11.5)), ((10.5, 5.8),)),
    "move": (
        ((8, 1.8), (8, 14.2)),
        ((1.8, 8), (14.2, 8)),
        ((6.2, 3.4), (8, 1.6), (9.8, 3.4)),
        ((6.2, 12.6), (8, 14.4), (9.8, 12.6)),
        ((3.4, 6.2), (1.6, 8), (3.4, 9.8)),
        ((12.6, 6.2), (14.4, 8), (12.6, 9.8)),
    ),
    "brush": (
        ((13.7, 2.3), (7, 8.4)),
        ((13.7, 2.3), (8.8, 10.2)),
        (*_arc(6.2, 10.6, 2.4, -70, 80), (2.2, 13.6), (3.7, 11.6), *_arc(6.2, 10.6, 2.4, -170, -70)),
    ),
    "picker": (
        ((9, 4), (12, 7)),
        ((10.2, 5.2), (12, 3.2), (13, 4.2), (11, 6)),
        ((9.6, 4.8), (3.4, 11), (2.6, 13.4), (5, 12.6), (11.2, 6.4)),
    ),
    "grey": (_arc(8, 8, 5.5, 0, 360), ((4.2, 11.8), (11.8, 4.2))),
    "trash": (
        ((2.5, 4.2), (13.5, 4.2)),
        ((6, 4), (6, 2.2), (10, 2.2), (10, 4)),
        ((3.9, 4.4), (4.6, 13.8), (11.4, 13.8), (12.1, 4.4)),
        ((6.7, 7), (6.9, 11.2)),
        ((9.3, 7), (9.1, 11.2)),
    ),
    "copy": (_box(5.5, 5.5, 13.5, 13.5), ((3, 10.5), (2.5, 10.5), (2.5, 2.5), (10.5, 2.5), (10.5, 3))),
    "paste": (
        ((5, 3.5), (3, 3.5), (3, 14), (13, 14), (13, 3.5), (11, 3.5)),
        _box(5.5, 2, 10.5, 5),
        ((5.8, 8.2), (10.2, 8.2)),
        ((5.8, 11), (8.8, 11)),
    ),
    "picture": (_FRAME, ((2, 11), (6, 7), (10.5, 12)), ((9, 10), (11, 8), (14, 11)), ((10.6, 5.8),)),
    "folder": (((2, 13), (2, 3.5), (6.5, 3.5), (8, 5.5), (14, 5.5), (14, 13), (2, 13)), ((2, 8), (14, 8))),
    "settings": (
        ((2, 4.5), (8, 4.5)),
        ((12, 4.5), (14, 4.5)),
        _arc(10, 4.5, 1.8, 0, 360),
        ((2, 11.5), (4, 11.5)),
        ((8, 11.5), (14, 11.5)),
        _arc(6, 11.5, 1.8, 0, 360),
    ),
    "help": (_arc(8, 8, 6, 0, 360), (*_arc(8, 6.5, 1.8, -180, 60), (8, 9.2)), ((8, 11.4),)),
    "info": (_arc(8, 8, 6, 0, 360), ((8, 7.4), (8, 11.2)), ((8, 4.9),)),
    "warning": (((8, 2), (14.4, 13.4), (1.6, 13.4), (8, 2)), ((8, 6.4), (8, 9.4)), ((8, 11.4),)),
    "check": (((3, 8.5), (6.5, 12), (13, 4.5)),),
    "close": (((4, 4), (12, 12)), ((12, 4), (4, 12))),
    "play": (((5, 3), (13, 8), (5, 13), (5, 3)),),
    "stop": (_box(4, 4, 12, 12),),
    "more": (((3, 8),), ((8, 8),), ((13, 8),)),
    "menu": (((2.5, 4), (13.5, 4)), ((2.5, 8), (13.5, 8)), ((2.5, 12), (13.5, 12))),
    "down": (((4, 6.2), (8, 10.2), (12, 6.2)),),
    "right": (((6.2, 4), (10.2, 8), (6.2, 12)),),
    "left": (((9.8, 4), (5.8, 8), (9.8, 12)),),
}


def put(widget: tk.Misc, *pictures: str | list[str]) -> None:
    """Show pictures on a button: the usual one, then states of ttk's and the one for them, in turn."""
    widget.tk.call(str(widget), "configure", "-image", pictures)


def image(widget: tk.Misc, name: str, color: str, size: float = GRID) -> str:
    """Return the name of Tk's picture of an icon: `size` px of the design, #rrggbb.

    It is drawn when it is first asked for, and belongs to the Tcl interpreter. Raises KeyError.
    """
    side = theme.current(widget).px(size)
    full = f"tintype-icon-{name}-{side}-{color}"
    if full not in widget.tk.splitlist(widget.tk.call("image", "names")):
        unit = side / GRID
        paths = tuple(tuple((x * unit, y * unit) for x, y in path) for path in PATHS[name])
        data = shapes.glyph(side, paths, max(1.2, _WIDTH * unit), color)
        widget.tk.call("image", "create", "photo", full, "-data", data)
    return full
