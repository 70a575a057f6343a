"""Colors that a person sets: strokes on the photograph, and how their color spreads.

A stroke's color goes as far as lightness is smooth and stops at its edges: per color, the share u of
each pixel minimizes

    sum over neighbors  w (u_i - u_j)^2  +  LEAK sum u^2  +  HOLD sum over strokes (u - 1 or 0)^2
    with  w = exp(-((L_i - L_j) / EDGE)^2)

(after Levin, Lischinski and Weiss, 2004; there with colors in place of shares). The equations are
solved at working size by conjugate gradients, in a fraction of a second.
"""

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

if TYPE_CHECKING:
    from pathlib import Path

Float: TypeAlias = NDArray[np.float32]

VERSION: Final = 1
EDGE: Final = 4.0  # L* between neighbors at working size: twice as much all but stops a color
LEAK: Final = 2e-5  # against 1 in smooth places: a color fades over about 200 px of them
HOLD: Final = 10.0
_TOLERANCE: Final = 1e-4
_MOST_STEPS: Final = 1500
_LARGEST: Final = 16 << 20  # bytes of a hints file


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

    def apply(self, lightness: Float, ab: Float) -> Float:
        """Return ab (2, h, w) with the strokes' colors spread over lightness (h, w), both at working size."""
        labels = self._labels(*lightness.shape)
        used = [index for index in range(len(self.strokes)) if (labels == index).any()]
        if not used:
            return ab
        colors = dict.fromkeys(_chroma(self.strokes[index].color) for index in used)
        groups = {color: number for number, color in enumerate(colors)}
        targets = np.zeros((len(groups), *lightness.shape), np.float32)
        for index in used:
            targets[groups[_chroma(self.strokes[index].color)]][labels == index] = 1
        shares = np.clip(_solve(lightness, targets, labels >= 0), 0, 1)
        shares /= np.maximum(1, shares.sum(axis=0))
        set_ab = np.einsum("khw,kc->chw", shares, np.array(list(groups), np.float32))
        mixed: Float = ab * (1 - shares.sum(axis=0)) + set_ab
        return mixed

    def _labels(self, height: int, width: int) -> NDArray[np.intp]:
        """Return, for each pixel at working size, the last stroke that touches it, or -1."""
        x = (np.arange(width) + 0.5) * self.width / width
        y = (np.arange(height)[:, None] + 0.5) * self.height / height
        reach = math.hypot(self.width / width, self.height / height) / 2  # no stroke falls between pixels
        labels = np.full((height, width), -1, np.intp)
        for index, stroke in enumerate(self.strokes):
            for start, end in zip(stroke.points, stroke.points[1:] or stroke.points, strict=False):
                labels[_distance(x, y, start, end) <= max(stroke.radius, reach)] = index
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
    if width < 1 or height < 1:
        raise ValueError(f"size is {width} x {height}")
    return Hints(width, height, strokes)


def _stroke(values: dict[str, Any]) -> Stroke:
    points = tuple((float(x), float(y)) for x, y in values["points"])
    radius, color = float(values["radius"]), values["color"]
    if not points or not all(map(math.isfinite, (radius, *(v for point in points for v in point)))):
        raise ValueError("a stroke has no points, or its numbers are not finite")
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


def _distance(
    x: NDArray[Any], y: NDArray[Any], start: tuple[float, float], end: tuple[float, float]
) -> NDArray[Any]:
    """Return each pixel's distance to the line from start to end, px of the photograph."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    part = ((x - start[0]) * dx + (y - start[1]) * dy) / length if length else 0 * x + 0 * y
    part = np.clip(part, 0, 1)
    return np.hypot(x - start[0] - part * dx, y - start[1] - part * dy)


def _solve(lightness: Float, targets: Float, held: NDArray[np.bool_]) -> Float:
    """Return the shares (k, h, w) of k colors, by conjugate gradients with a diagonal preconditioner."""
    across = np.exp(-((np.diff(lightness, axis=1) / EDGE) ** 2)).astype(np.float32)
    down = np.exp(-((np.diff(lightness, axis=0) / EDGE) ** 2)).astype(np.float32)
    diagonal = LEAK + HOLD * held.astype(np.float32)
    own = diagonal.copy()
    own[:, 1:] += across
    own[:, :-1] += across
    own[1:] += down
    own[:-1] += down

    def apply(u: Float) -> Float:
        product = own * u
        product[..., 1:] -= across * u[..., :-1]
        product[..., :-1] -= across * u[..., 1:]
        product[..., 1:, :] -= down * u[..., :-1, :]
        product[..., :-1, :] -= down * u[..., 1:, :]
        return product

    shares = targets.copy()
    wanted = np.float32(HOLD) * targets
    residual = wanted - apply(shares)
    scaled = residual / own
    direction: Float = scaled.copy()
    fit = _dot(residual, scaled)
    goal = _TOLERANCE**2 * _dot(wanted, wanted / own)
    for _ in range(_MOST_STEPS):
        if (fit <= goal).all():
            break
        product = apply(direction)
        step = fit / np.maximum(_dot(direction, product), np.float32(1e-30))
        shares += step * direction
        residual -= step * product
        scaled = residual / own
        fit, before = _dot(residual, scaled), fit
        direction *= fit / np.maximum(before, np.float32(1e-30))
        direction += scaled
    return shares


def _dot(first: Float, second: Float) -> Float:
    """Return the product of each plane with its like, (k, 1, 1)."""
    sums = np.sum(first * second, axis=(1, 2), keepdims=True, dtype=np.float64)
    return np.asarray(sums, np.float32)
