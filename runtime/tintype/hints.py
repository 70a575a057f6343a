"""Colors that a person sets: strokes on the photograph, and the file that keeps them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype.errors import UsageError
from tintype.lab import rgb_to_lab
from tintype.spread import Spread, spread

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Float: TypeAlias = NDArray[np.float32]

VERSION: Final = 1
_LARGEST: Final = 16 << 20  # bytes of a hints file
_FARTHEST: Final = 1e9  # px


@dataclass(frozen=True)
class Stroke:
    """A line that was drawn, or a click, which is one point."""

    points: tuple[tuple[float, float], ...]
    """x, y, pixels of the upright photograph."""
    radius: float
    """px"""
    color: tuple[int, int, int] | None
    """sRGB, of which only the chroma counts; None keeps what it touches grey."""


@dataclass(frozen=True)
class Hints:
    """What stands in a PHOTO.tintype.json."""

    width: int
    height: int
    """Of the upright photograph that was drawn on; on one of another size strokes are scaled."""
    strokes: tuple[Stroke, ...]

    def to_json(self) -> str:
        """Return the file's text."""
        strokes = [
            {"points": s.points, "radius": s.radius, "color": None if s.color is None else _hex(s.color)}
            for s in self.strokes
        ]
        return json.dumps({"tintype_hints": VERSION, "size": [self.width, self.height], "strokes": strokes})

    def scaled(self, width: int, height: int) -> Hints:
        """Return the same strokes on a photograph of another size, px."""
        across, down = width / self.width, height / self.height
        strokes = (
            Stroke(
                tuple((x * across, y * down) for x, y in stroke.points),
                stroke.radius * math.sqrt(across * down),
                stroke.color,
            )
            for stroke in self.strokes
        )
        return Hints(width, height, tuple(strokes))

    def spread(self, lightness: Float) -> Spread:
        """Return where the strokes' colors go on lightness (h, w) of the whole photograph.

        This takes the time (about 0.1 s), and does not depend on the color beneath.
        `tintype.spread.detail` makes a lightness that is fine enough for eyes and lips.
        """
        colors = [_chroma(stroke.color) for stroke in self.strokes]
        numbers = {color: number for number, color in enumerate(dict.fromkeys(colors))}
        height, width = lightness.shape
        labels = self._labels(height, width, [numbers[color] for color in colors])
        used, labels[labels >= 0] = np.unique(labels[labels >= 0], return_inverse=True)
        return spread(lightness, labels, [list(numbers)[number] for number in used])

    def _labels(self, height: int, width: int, numbers: Iterable[int]) -> NDArray[np.intp]:
        """Return, for each pixel of a grid, the last of the strokes' numbers there, or -1."""
        x = (np.arange(width) + 0.5) * self.width / width
        y = (np.arange(height) + 0.5) * self.height / height
        reach = math.hypot(self.width / width, self.height / height) / 2  # no stroke falls between pixels
        labels = np.full((height, width), -1, np.intp)
        for stroke, number in zip(self.strokes, numbers, strict=True):
            radius = max(stroke.radius, reach)
            for start, end in zip(stroke.points, stroke.points[1:] or stroke.points, strict=False):
                rows, columns = _around(y, start[1], end[1], radius), _around(x, start[0], end[0], radius)
                near = _distance(x[columns], y[rows, None], start, end) <= radius
                labels[rows, columns][near] = number
        return labels


def read(path: Path) -> Hints:
    """Read a hints file; raises UsageError that says what is wrong with it."""
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"--hints {path}: it is larger than {_LARGEST >> 20} MB")
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--hints {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--hints {path} is no hints file of version {VERSION}: {error}") from error


def parse(text: str) -> Hints:
    """Read hints from text; raises ValueError."""
    values = json.loads(text)
    if not isinstance(values, dict) or values.get("tintype_hints") != VERSION:
        raise ValueError(f"tintype_hints is not {VERSION}")
    try:
        width, height = (int(side) for side in values["size"])
        strokes = tuple(_stroke(stroke) for stroke in values["strokes"])
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"size or strokes are missing or not as they should be ({error})") from error
    if not (1 <= width <= _FARTHEST and 1 <= height <= _FARTHEST):
        raise ValueError(f"size is {width} x {height}")
    return Hints(width, height, strokes)


def _stroke(values: dict[str, Any]) -> Stroke:
    points = tuple((float(x), float(y)) for x, y in values["points"])
    radius, color = float(values["radius"]), values["color"]
    if not points or not all(abs(v) <= _FARTHEST for v in (radius, *(v for point in points for v in point))):
        raise ValueError("a stroke has no points, or its numbers are not finite or too large")
    if color is None:
        return Stroke(points, radius, None)
    if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
        raise ValueError(f"color {color!r} is neither #rrggbb nor null")
    red, green, blue = bytes.fromhex(color[1:])
    return Stroke(points, radius, (red, green, blue))


def _hex(color: tuple[int, int, int]) -> str:
    return "#" + bytes(color).hex()


def _chroma(color: tuple[int, int, int] | None) -> tuple[float, float]:
    """Return a and b of a color; grey for None."""
    if color is None:
        return (0.0, 0.0)
    _, a, b = rgb_to_lab(np.array(color, np.uint8))
    return (float(a), float(b))


def _around(places: NDArray[Any], start: float, end: float, radius: float) -> slice:
    """Return which places, in order, lie between start and end or within a radius of them."""
    low, high = min(start, end) - radius, max(start, end) + radius
    return slice(int(np.searchsorted(places, low)), int(np.searchsorted(places, high, "right")))


def _distance(
    x: NDArray[Any], y: NDArray[Any], start: tuple[float, float], end: tuple[float, float]
) -> NDArray[Any]:
    """Return each pixel's distance to the line from start to end, px of the photograph."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    part = ((x - start[0]) * dx + (y - start[1]) * dy) / length if length else 0 * x + 0 * y
    part = np.clip(part, 0, 1)
    return np.hypot(x - start[0] - part * dx, y - start[1] - part * dy)
