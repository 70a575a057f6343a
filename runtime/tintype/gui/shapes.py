"""Rounded boxes and strokes, antialiased, as files in memory: what ttk's elements and icons are made of.

Plain Python on small pictures: the window is there before Pillow or numpy have been imported. Boxes are
opaque (drawn upon the color that they will stand on), because Tk draws pictures with transparency slowly.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from math import hypot
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Point: TypeAlias = "tuple[float, float]"
Path: TypeAlias = "tuple[Point, ...]"


_DOT: Final = 1.6  # a point alone is drawn larger than a line is thick: it would not be seen


class Box(NamedTuple):
    """A filled rectangle with round corners: x, y of its upper left, width, height, radius (px), #rrggbb."""

    x: int
    y: int
    width: int
    height: int
    radius: float
    color: str


class Mark(NamedTuple):
    """Strokes with round ends: paths of points (px), their width (px), #rrggbb."""

    paths: tuple[Path, ...]
    width: float
    color: str


def rgb(color: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0..255 each, of #rrggbb."""
    value = int(color[1:], 16)
    return value >> 16, value >> 8 & 255, value & 255


def mix(color: str, other: str, share: float) -> str:
    """Return #rrggbb between two colors: `share` 0..1 of the other, in sRGB."""
    parts = zip(rgb(color), rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def picture(width: int, height: int, ground: str, layers: Sequence[Box | Mark]) -> bytes:
    """Return a PPM file, RGB: layers drawn one over the other upon a color. Boxes must lie within it."""
    alike = _alike(height, layers)
    rows = [bytearray(bytes(rgb(ground)) * width) for _ in range(height - alike)]
    for layer in layers:
        if isinstance(layer, Box):
            _fill(rows, layer._replace(height=layer.height - alike))
        else:
            _stroke(rows, layer)
    middle = len(rows) // 2
    rows[middle:middle] = [rows[middle]] * alike
    return b"P6 %d %d 255\n" % (width, height) + b"".join(rows)


def _alike(height: int, layers: Sequence[Box | Mark]) -> int:
    """Return how many rows need not be drawn, because they are as the one in the middle."""
    if not all(isinstance(layer, Box) and 2 * layer.y + layer.height == height for layer in layers):
        return 0
    edge = max((layer.y + int(layer.radius) + 1 for layer in layers if isinstance(layer, Box)), default=0)
    return max(0, height - 2 * edge - 1)


def glyph(size: int, paths: Iterable[Path], width: float, color: str) -> bytes:
    """Return a PNG file, RGBA, size x size: strokes (px) of a width (px) and a color upon nothing."""
    ink = bytes(rgb(color))
    rows = [bytearray((ink + b"\0") * size) for _ in range(size)]
    for row, shares in zip(rows, coverage(size, size, tuple(paths), width), strict=True):
        row[3::4] = bytes(round(255 * share) for share in shares)
    return _png(size, size, rows)


@lru_cache(maxsize=64)
def coverage(width: int, height: int, paths: tuple[Path, ...], thickness: float) -> list[list[float]]:
    """Return how much of each pixel is covered by strokes, 0..1, as rows; a path of one point is a dot."""
    rows = [[0.0] * width for _ in range(height)]
    for path in paths:
        half = thickness / 2 if len(path) > 1 else thickness * _DOT / 2
        for start, end in zip(path, path[1:] or path, strict=False):
            _segment(rows, start, end, half)
    return rows


def _segment(rows: list[list[float]], start: Point, end: Point, half: float) -> None:
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy or 1.0
    columns = range(max(0, int(min(x0, x1) - half - 1)), min(len(rows[0]), int(max(x0, x1) + half + 2)))
    for y in range(max(0, int(min(y0, y1) - half - 1)), min(len(rows), int(max(y0, y1) + half + 2))):
        row, py = rows[y], y + 0.5 - y0
        for x in columns:
            px = x + 0.5 - x0
            along = min(1.0, max(0.0, (px * dx + py * dy) / square))
            share = half + 0.5 - hypot(px - along * dx, py - along * dy)
            if share > row[x]:
                row[x] = min(1.0, share)


@lru_cache(maxsize=64)
def _corner(radius: float) -> tuple[tuple[int, tuple[tuple[int, float], ...]], ...]:
    """Return, row by row of an upper left corner, where it is full from, and what else is covered in part."""
    near = range(int(radius + 0.999))
    rows = []
    for y in near:
        shares = [min(1.0, max(0.0, radius + 0.5 - hypot(radius - x - 0.5, radius - y - 0.5))) for x in near]
        full = next((x for x in near if shares[x] == 1), len(near))
        rows.append((full, tuple((x, share) for x, share in enumerate(shares[:full]) if share)))
    return tuple(rows)


def _fill(rows: list[bytearray], box: Box) -> None:
    ink, corner = rgb(box.color), _corner(box.radius)
    solid, end = bytes(ink) * box.width, box.x + box.width
    for y in range(box.height):
        row, edge = rows[box.y + y], min(y, box.height - 1 - y)
        full, partly = corner[edge] if edge < len(corner) else (0, ())
        if 2 * full < box.width:
            row[3 * (box.x + full) : 3 * (end - full)] = solid[: 3 * (box.width - 2 * full)]
        for x, share in partly:
            _blend(row, box.x + x, ink, share)
            if 2 * x + 1 < box.width:
                _blend(row, end - 1 - x, ink, share)


def _stroke(rows: list[bytearray], mark: Mark) -> None:
    ink = rgb(mark.color)
    for row, shares in zip(rows, coverage(len(rows[0]) // 3, len(rows), mark.paths, mark.width), strict=True):
        for x, share in enumerate(shares):
            if share:
                _blend(row, x, ink, share)


def _blend(row: bytearray, x: int, ink: tuple[int, int, int], share: float) -> None:
    at = 3 * x
    row[at] += round((ink[0] - row[at]) * share)
    row[at + 1] += round((ink[1] - row[at + 1]) * share)
    row[at + 2] += round((ink[2] - row[at + 2]) * share)


def _png(width: int, height: int, rows: Iterable[bytearray]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
