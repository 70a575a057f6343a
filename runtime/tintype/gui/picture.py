"""A photograph as the window draws it: any part at any scale, in its own colors, in grey or colorized.

Reduced levels (a half, a quarter, ...) stand beside the photograph, so that the whole of it is drawn
from few pixels. No colorized picture is kept: color is merged into what is on the screen.
"""

from __future__ import annotations

import gc
import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.gui import screen
from tintype.lab import grey_to_lightness, lightness_to_rgb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tintype.merge import Merger

Box: TypeAlias = "tuple[float, float, float, float]"
"""Left, top, right, bottom, px of the full-size photograph."""
Size: TypeAlias = "tuple[int, int]"
What: TypeAlias = Literal["color", "grey", "original"]
"""Colorized, its lightness alone, as it was opened."""
Bytes: TypeAlias = NDArray[np.uint8]
T = TypeVar("T")

CRISP: Final = 2.0  # screen px per pixel of the photograph from which on pixels are drawn as squares
_SMALLEST: Final = 512  # px: levels go down to a longer side of about this
_KEPT: Final = 3  # parts whose lightness is kept for the next drawing
_SQUARE: Final = 8  # px on the screen: of the pattern behind what is transparent
_SHADES: Final = (150, 105)
_THREADS: Final = min(os.cpu_count() or 1, 4)
_WORTH_THREADS: Final = 100_000  # px


class Picture:
    """A photograph and its reduced levels. Nothing of it changes; several threads may draw it."""

    def __init__(self, image: Image.Image, size: Size | None = None, *, colored: bool) -> None:
        """Take an upright image, mode L, I;16, RGB or RGBA.

        `size` is that of the full-size photograph where `image` is a reduced decode of it.
        """
        self.size: Size = size or image.size
        self.colored = colored
        self._image = image
        self._levels: list[Image.Image] = []
        self._lock = threading.Lock()
        self._lightness: dict[tuple[Box, Size], NDArray[np.float32]] = {}

    @property
    def image(self) -> Image.Image:
        """The image itself, as it was given."""
        return self._image

    def prepare(self) -> None:
        """Make the reduced levels and the tables of colors; else the first drawing makes them."""
        self._level(2.0)
        screen.warm()

    def render(self, box: Box, size: Size, what: What, merger: Merger | None = None) -> Bytes:
        """Draw a part of the photograph on `size` (w, h) pixels of the screen: sRGB (h, w, 3).

        It is antialiased where it shrinks, and where a pixel of the photograph covers `CRISP` or more
        on the screen, it is drawn as a square. "color" without a merger is "grey".
        """
        if size[0] >= CRISP * (box[2] - box[0]) and size[1] >= CRISP * (box[3] - box[1]):
            return self._squares(box, size, what, merger)
        return self._drawn(box, size, what, merger)

    def _squares(self, box: Box, size: Size, what: What, merger: Merger | None) -> Bytes:
        """Draw the pixels of the photograph that the box touches, then enlarge them."""
        left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
        right, bottom = min(self.size[0], math.ceil(box[2])), min(self.size[1], math.ceil(box[3]))
        pixels = self._drawn((left, top, right, bottom), (right - left, bottom - top), what, merger)
        columns = _places(box[0] - left, box[2] - left, size[0], right - left)
        rows = _places(box[1] - top, box[3] - top, size[1], bottom - top)
        return np.take(np.take(pixels, columns, axis=1), rows, axis=0)

    def _drawn(self, box: Box, size: Size, what: What, merger: Merger | None) -> Bytes:
        if what == "original":
            return self._original(box, size)
        lightness = self._lightness_of(box, size)
        if merger is None or what == "grey":
            return _tripled(np.take(_greys(), np.rint(lightness * 100).astype(np.uint16)))
        return _colorize(lightness, box, merger)

    def _original(self, box: Box, size: Size) -> Bytes:
        pixels = self._resized(box, size)
        if pixels.ndim == 2:
            return _tripled(pixels)
        return _over_squares(pixels) if pixels.shape[2] == 4 else pixels

    def _lightness_of(self, box: Box, size: Size) -> NDArray[np.float32]:
        """Return L* (h, w) of a part; the last ones are kept, since a slider changes only their color."""
        kept = self._lightness.get((box, size))
        if kept is not None:
            return kept
        pixels = self._resized(box, size)
        lightness = np.empty(pixels.shape[:2], np.float32)

        def convert(rows: slice) -> None:
            block = pixels[rows]
            lightness[rows] = grey_to_lightness(block) if block.ndim == 2 else screen.rgb_to_lightness(block)

        _by_blocks(convert, size[1], size[0])
        with self._lock:
            while len(self._lightness) >= _KEPT:
                del self._lightness[next(iter(self._lightness))]
            self._lightness[box, size] = lightness
        return lightness

    def _resized(self, box: Box, size: Size) -> Bytes:
        """Return a part in the photograph's own mode, 8 bits, (h, w) or (h, w, 3 or 4)."""
        across, down = self._image.width / self.size[0], self._image.height / self.size[1]
        number = self._level(min((box[2] - box[0]) * across / size[0], (box[3] - box[1]) * down / size[1]))
        level = self._levels[number - 1] if number else self._image
        x, y = across / 2**number, down / 2**number
        there = (box[0] * x, box[1] * y, min(box[2] * x, level.width), min(box[3] * y, level.height))
        left, top, right, bottom = (round(edge) for edge in there)
        if there == (left, top, right, bottom) and (right - left, bottom - top) == size:
            return np.asarray(_eight_bits(level.crop((left, top, right, bottom))))
        if level.mode == "I;16":
            level, there = _cut(level, there)
        return _resize(level, there, size)

    def _level(self, scale: float) -> int:
        """Return the number of the smallest level that shrinks when drawn at `scale` image px a pixel."""
        wanted = math.floor(math.log2(max(1.0, scale)))
        if wanted and not self._levels:
            with self._lock:
                self._levels = self._levels or _reduced(self._image)
        return min(wanted, len(self._levels))


def _reduced(image: Image.Image) -> list[Image.Image]:
    """Return an image at a half, a quarter and so on, in 8 bits."""
    levels: list[Image.Image] = []
    while max(image.size) >= 2 * _SMALLEST:
        image = _eight_bits(image).reduce(2)
        levels.append(image)
    return levels


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode != "I;16":
        return image
    return Image.fromarray((np.asarray(image) // np.uint16(257)).astype(np.uint8))


def _cut(level: Image.Image, box: Box) -> tuple[Image.Image, Box]:
    """Return the pixels that a box touches, and some around, in 8 bits, and the box in them."""
    left, top = max(0, math.floor(box[0]) - 8), max(0, math.floor(box[1]) - 8)
    right, bottom = min(level.width, math.ceil(box[2]) + 8), min(level.height, math.ceil(box[3]) + 8)
    part = _eight_bits(level.crop((left, top, right, bottom)))
    return part, (box[0] - left, box[1] - top, box[2] - left, box[3] - top)


def _resize(level: Image.Image, box: Box, size: Size) -> Bytes:
    """Resize a part of a level, antialiased where it shrinks, in bands that threads share."""
    step = (box[3] - box[1]) / size[1]
    shrinks = step > 1 or box[2] - box[0] > size[0]
    resample = Image.Resampling.HAMMING if shrinks else Image.Resampling.BICUBIC

    def resized(rows: slice) -> Bytes:
        there = (box[0], box[1] + rows.start * step, box[2], min(box[1] + rows.stop * step, level.height))
        return np.asarray(level.resize((size[0], rows.stop - rows.start), resample, box=there))

    count = _THREADS if size[0] * size[1] > _WORTH_THREADS else 1
    edges = [size[1] * number // count for number in range(count + 1)]
    bands = [slice(top, bottom) for top, bottom in pairwise(edges) if top < bottom]
    return np.concatenate(_each(resized, bands))


def _tripled(grey: Bytes) -> Bytes:
    rgb = np.empty((*grey.shape, 3), np.uint8)
    for channel in range(3):
        rgb[..., channel] = grey
    return rgb


def _places(start: float, stop: float, count: int, pixels: int) -> NDArray[np.intp]:
    """Return the pixels under the centers of `count` screen pixels from start to stop."""
    centers = start + (np.arange(count) + 0.5) * ((stop - start) / count)
    places: NDArray[np.intp] = np.clip(np.floor(centers), 0, pixels - 1).astype(np.intp)
    return places


def _colorize(lightness: NDArray[np.float32], box: Box, merger: Merger) -> Bytes:
    height, width = lightness.shape
    drawn = np.empty((height, width, 3), np.uint8)
    step = (box[3] - box[1]) / height

    def merge(rows: slice) -> None:
        there = (box[0], box[1] + rows.start * step, box[2], box[1] + rows.stop * step)
        planes = merger.region(there, (width, rows.stop - rows.start))
        ab = planes[:2] * lightness[rows]
        ab += planes[2:]
        drawn[rows] = screen.colorize(lightness[rows], ab[0], ab[1])

    _by_blocks(merge, height, width)
    return drawn


def _by_blocks(work: Callable[[slice], None], height: int, width: int) -> None:
    """Call `work` with slices of the rows of a picture, until it is done."""
    _each(work, [slice(top, bottom) for top, bottom in screen.blocks(height, width)])


def _each(work: Callable[[slice], T], parts: list[slice]) -> list[T]:
    """Return the results of `work` on each part, by several threads where there are several parts."""
    if len(parts) < 2 or _THREADS < 2:
        return [work(part) for part in parts]
    with _garbage.left():
        return list(_pool().map(work, parts))


class _Garbage:
    """Keeps Python from collecting garbage while other threads draw.

    It is collected in whatever thread makes it due. What belongs to Tk would have Tk's own thread called,
    which waits for the drawing: for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawing = 0
        self._enabled = False

    @contextmanager
    def left(self) -> Iterator[None]:
        """Leave it until this ends, in whichever thread that is last."""
        with self._lock:
            if not self._drawing:
                self._enabled = gc.isenabled()
                gc.disable()
            self._drawing += 1
        try:
            yield
        finally:
            with self._lock:
                self._drawing -= 1
                if self._enabled and not self._drawing:
                    gc.enable()


_garbage = _Garbage()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, "draw")


@cache
def _greys() -> Bytes:
    """Return the grey level of each hundredth of L*."""
    greys: Bytes = lightness_to_rgb(np.linspace(0, 100, 10_001, dtype=np.float32), np.uint8)[:, 1]
    return np.ascontiguousarray(greys)


def _over_squares(rgba: Bytes) -> Bytes:
    """Lay (h, w, 4) over the pattern that stands for transparency."""
    height, width = rgba.shape[:2]
    odd = (np.arange(height)[:, None] // _SQUARE + np.arange(width) // _SQUARE) % 2
    behind = np.array(_SHADES, np.uint16)[odd][..., None]
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed: Bytes = ((rgba[..., :3] * alpha + behind * (255 - alpha) + 127) // 255).astype(np.uint8)
    return mixed
