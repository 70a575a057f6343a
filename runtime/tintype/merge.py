"""How predicted ab meets the full-resolution lightness: strip by strip, on the photograph's edges.

ab is fitted to the lightness at working size, in small windows, as ab = slope * L + offset (guided
filter, He et al. 2010; fast form, He and Sun 2015). Slopes and offsets are smooth; they alone are
enlarged, bilinearly, and meet the full L pixel by pixel. So strips need no border and their height
changes no pixel.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype import lab
from tintype.lab import f_to_rgb, grey_to_f, grey_to_lightness, rgb_to_f, rgb_to_lightness
from tintype.tinting import tinted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

Array: TypeAlias = NDArray[Any]
Float: TypeAlias = NDArray[np.float32]

STRIP: Final = 256_000  # px colorized at once; changes no pixel. With fewer, threads wait for Python's lock
RADIUS: Final = 2  # px at working size: the window is 5 x 5
SMOOTHNESS: Final = 30.0  # L* squared: edges of lightness below about 5 L* do not part colors
_COLUMNS: Final = 64  # px enlarged at once
_BLOCK: Final = 8_000  # px between two rows of the planes: with fewer, all rows of a strip are taken at once
_ROWS_KEPT: Final = 16  # of the planes, enlarged: for the strips at work


def fit(lightness: Float, ab: Float, radius: int = RADIUS, smoothness: float = SMOOTHNESS) -> Float:
    """Fit ab (2, h, w) to lightness (h, w): return slopes and offsets (4, h, w) of a, b, a, b."""
    mean_l = mean_around(lightness, radius)
    variance = mean_around(lightness * lightness, radius) - mean_l * mean_l
    mean_ab = mean_around(ab, radius)
    covariance = mean_around(ab * lightness, radius) - mean_ab * mean_l
    slope = covariance / (np.maximum(variance, 0) + np.float32(smoothness))
    return mean_around(np.concatenate([slope, mean_ab - slope * mean_l]), radius)


def bilinear(ab: Float) -> Float:
    """Return slopes and offsets (4, h, w) under which ab (2, h, w) is enlarged without regard to edges."""
    return np.concatenate([np.zeros_like(ab), ab])


def lightness_of(rows: Array) -> Float:
    """Return L* (rows, W) of grey rows (rows, W) or sRGB rows (rows, W, 3), uint8, uint16 or float32."""
    return grey_to_lightness(rows) if rows.ndim == 2 else rgb_to_lightness(rows)


def of_f(planes: Float) -> Float:
    """Return slopes and offsets of f(X) and f(Z), as lines of f(Y), of those of a and b, as lines of L*."""
    slope, offset = planes[:2], planes[2:]
    units = np.array([1 / 500, -1 / 200], np.float32).reshape(2, 1, 1)  # f(X) is a / 500 more than f(Y)
    return np.concatenate([1 + 116 * units * slope, units * (offset - 16 * slope)])  # L* = 116 f(Y) - 16


class Lines:
    """Two planes of a photograph which are lines of a third: slopes and offsets, enlarged row by row."""

    def __init__(self, planes: Float, width: int, height: int) -> None:
        """Take slopes and offsets (4, h, w), of both each, and the size of the photograph, px."""
        self.planes, self.width, self.height = planes, width, height
        small = planes.shape[2]
        self._left, self._toward = _between((np.arange(width) + 0.5) * (small / width), small)
        self._kept: dict[int, Float] = {}
        self._keeping = threading.Lock()

    def along(self, third: Float, top: int) -> tuple[Float, Float]:
        """Return both planes (rows, W) of rows whose first is row `top` of the photograph."""
        both = np.empty_like(third), np.empty_like(third)
        for rows, part, first, more in self.blocks(top, len(third)):
            for number, plane in enumerate(both):
                slope, offset = number, number + 2
                np.multiply(more[slope], part, out=plane[rows])
                plane[rows] += first[slope]
                plane[rows] *= third[rows]
                shift = more[offset] * part
                shift += first[offset]
                plane[rows] += shift
        return both

    def blocks(self, top: int, count: int) -> Iterator[tuple[slice, Float, Float, Float]]:
        """Go through rows, the first of them row `top` of the photograph, by what is the same for them.

        Yields which rows, n of them; how far they are between two rows of the planes, (n, 1); the upper of
        these, as wide as the photograph, (4, 1, W), or of a small photograph, whose rows are taken all at
        once, each row's, (4, n, W); and what the lower has more.
        """
        above, part = self.places(np.arange(top, top + count, dtype=np.float64) + 0.5)
        if self.width * self.height < _BLOCK * self.planes.shape[1]:
            pairs = map(self._between, above.tolist())
            first, more = (np.stack(rows, axis=1) for rows in zip(*pairs, strict=True))
            yield slice(0, count), part, first, more
            return
        starts = [0, *(np.flatnonzero(np.diff(above)) + 1)]
        for rows in map(slice, starts, [*starts[1:], count]):
            first, more = self._between(int(above[rows.start]))
            yield rows, part[rows], first[:, None], more[:, None]

    def places(self, y: NDArray[np.float64]) -> tuple[NDArray[np.intp], Float]:
        """Return the rows of the planes above heights `y`, and how far they are towards the next, (n, 1).

        Heights are px of the photograph, where a pixel's center ends in .5.
        """
        small = self.planes.shape[1]
        above, part = _between(y * (small / self.height), small)
        return above, part[:, None]

    def _between(self, row: int) -> tuple[Float, Float]:
        """Return a row of the planes as wide as the photograph, (4, W), and what the next has more."""
        below = min(row + 1, self.planes.shape[1] - 1)
        return self._wide(row), self._wide(below) - self._wide(row)

    def _wide(self, row: int) -> Float:
        """Return a row of the planes as wide as the photograph, (4, W)."""
        wide = self._kept.get(row)
        if wide is None:
            values = self.planes[:, row]
            steps = np.diff(values, append=values[:, -1:])
            wide = np.take(steps, self._left, axis=1)
            wide *= self._toward
            wide += np.take(values, self._left, axis=1)
            with self._keeping:
                while len(self._kept) >= _ROWS_KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[row] = wide
        return wide


class Merger:
    """Colors rows of one photograph, in any order and of any number."""

    def __init__(self, planes: Float, width: int, height: int) -> None:
        """Take slopes and offsets (4, h, w) and the size of the photograph, px."""
        small = (min(planes.shape[2], width), min(planes.shape[1], height))
        self.width, self.height = width, height
        self.planes = np.stack([_resize(plane, small) for plane in planes])
        self._lines = Lines(self.planes, width, height)

    @cached_property
    def _lines_of_f(self) -> Lines:  # which the screen, that shows regions, never needs
        return Lines(of_f(self.planes), self.width, self.height)

    def ab(self, lightness: Float, top: int) -> tuple[Float, Float]:
        """Return a and b (rows, W) of rows whose first is row `top` of the photograph."""
        return self._lines.along(lightness, top)

    def __call__(self, rows: Array, top: int) -> Array:
        """Return colorized sRGB (rows, W, 3), of the dtype of `rows`: grey (rows, W) or RGB (rows, W, 3)."""
        fy = grey_to_f(rows) if rows.ndim == 2 else rgb_to_f(rows)
        if rows.dtype == np.uint8:
            return self._tinted(fy, top)
        fx, fz = self._lines_of_f.along(fy, top)
        return f_to_rgb(fx, fy, fz, rows.dtype)

    def _tinted(self, fy: Float, top: int) -> NDArray[np.uint8]:
        """Do with 8 bits what `along` and `f_to_rgb` do, in a fraction of the time."""
        rgb, outside = np.empty((*fy.shape, 3), np.uint8), []
        for rows, *lines in self._lines_of_f.blocks(top, len(fy)):
            red, green, blue, beyond, fx, fz = tinted(fy[rows], *lines)
            rgb[rows] = lab.encoded((red, green, blue), rgb.dtype)
            there = np.flatnonzero(beyond)
            if there.size:
                f = (np.take(plane, there) for plane in (fx, fy[rows], fz))
                outside.append((there + rows.start * fy.shape[1], *f))
        if outside:  # fitted together: it takes many short passes
            places, *colors = map(np.concatenate, zip(*outside, strict=True))
            rgb.reshape(-1, 3)[places] = lab.fitted(*colors, dtype=rgb.dtype)
        return rgb

    def region(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Float:
        """Return slopes and offsets (4, h, w) on a grid of `size` (w, h) laid over a part of the photograph.

        `box` is left, top, right, bottom, px of the photograph. With a grid of its pixels, these are what
        `ab` takes there.
        """
        left, top, right, bottom = box
        width, height = size
        y = top + (np.arange(height, dtype=np.float64) + 0.5) * (bottom - top) / height
        rows = self._rows_at(y).reshape(4 * height, -1)
        planes = np.empty((4 * height, width), np.float32)
        for columns, used, hats in _hats(self.planes.shape[2], left / self.width, right / self.width, width):
            np.matmul(rows[:, used], hats, out=planes[:, columns])
        return planes.reshape(4, height, width)

    def _rows_at(self, y: NDArray[np.float64]) -> Float:
        """Interpolate the planes at heights `y`, px."""
        above, part = self._lines.places(y)
        below = np.minimum(above + 1, self.planes.shape[1] - 1)
        rows: Float = self.planes[:, above] * (1 - part) + self.planes[:, below] * part
        return rows


def _between(places: NDArray[np.float64], count: int) -> tuple[NDArray[np.intp], Float]:
    """Return which of `count` values is below each place, and how far it is towards the next.

    A value's place ends in .5; beyond the first and the last there is nothing but these.
    """
    places = np.clip(places - 0.5, 0, count - 1)
    below = places.astype(np.intp)
    return below, (places - below).astype(np.float32)


def _resize(plane: Float, size: tuple[int, int]) -> Float:
    """Resize a plane to (width, height): bilinear, antialiased where it shrinks."""
    if plane.shape == size[::-1]:
        return plane
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))


@lru_cache(maxsize=16)
def _hats(small: int, left: float, right: float, width: int) -> list[tuple[slice, slice, Float]]:
    """Return matrices that enlarge rows of `small` values: what they fill, what they take, hat functions.

    One for every few columns: a product of small full matrices takes a third of Pillow's time. `left`
    and `right` are shares of the rows.
    """
    x = (left + (np.arange(width) + 0.5) * (right - left) / width) * small - 0.5
    x = np.clip(x, 0, small - 1)
    matrices = []
    for start in range(0, width, _COLUMNS):
        there = x[start : start + _COLUMNS]
        used = slice(int(there[0]), min(int(there[-1]) + 2, small))
        hats = 1 - np.abs(there - np.arange(used.start, used.stop)[:, None])
        matrices.append((slice(start, start + len(there)), used, np.maximum(hats, 0).astype(np.float32)))
    return matrices


def mean_around(planes: Float, radius: int) -> Float:
    """Return the mean over windows of 2 radius + 1 px (..., h, w), smaller at the borders."""
    for axis in (-1, -2):
        planes = _box_along(planes, radius, axis)
    return planes


def _box_along(planes: Float, radius: int, axis: int) -> Float:
    length = planes.shape[axis]
    means = planes.copy()
    sums, shifted = np.moveaxis(means, axis, 0), np.moveaxis(planes, axis, 0)
    for shift in range(1, min(radius, length - 1) + 1):
        sums[shift:] += shifted[:-shift]
        sums[:-shift] += shifted[shift:]
    index = np.arange(length)
    count = np.minimum(index + radius + 1, length) - np.maximum(index - radius, 0)
    sums /= count.astype(np.float32).reshape(-1, *[1] * (planes.ndim - 1))
    return means


def step(width: int) -> int:
    """Return how many rows of a photograph `width` px wide are colorized at once."""
    return max(1, STRIP // width)


def strips(
    rows: Callable[[int, int], Array],
    merger: Merger,
    workers: int,
    paint: Callable[[Array, int], Any] | None = None,
) -> Generator[tuple[int, Array, Any], None, None]:
    """Colorize a photograph from top to bottom: yield each strip's first row, its rows, its result.

    `rows(top, bottom)` is called in the caller's thread and may read what earlier strips were
    written back to. `paint(rows, top)` makes another result than the merger's own.
    """
    height = step(merger.width)
    tops = iter(range(0, merger.height, height))
    waiting: deque[tuple[int, Array, Future[Any]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        while True:
            for top in islice(tops, workers + 1 - len(waiting)):
                strip = rows(top, min(top + height, merger.height))
                waiting.append((top, strip, pool.submit(paint or merger, strip, top)))
            if not waiting:
                return
            top, strip, result = waiting.popleft()
            yield top, strip, result.result()
