"""How far the color of a stroke goes: as far as lightness is smooth, to its edges and no further.

Per color, the share u of each pixel is 1 on its own strokes, 0 on others, and elsewhere minimizes

    sum over neighbors  w (u_i - u_j)^2  +  sum over pixels  LEAK / (h w) w_i u_i^2
    with  w = 1 / (1 + (g / (EDGE + TEXTURE t))^8)

(after Levin, Lischinski and Weiss, 2004; there with colors in place of shares). g is the gradient of
smoothed lightness between two pixels, whichever way it points: differences of neighbors alone leave
round and slanting edges full of holes. t is the mean gradient a few pixels off, on the calmer side: in
fur and grain an edge must stand out to count as one, and an edge itself raises no t. w_i is the mean w
around a pixel, so that pixels within an edge take the color of their own side instead of none. At an
edge of 8 L* w is about 1e-6, and so it has to be: what little comes through adds up along the edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype.merge import Merger, fit, lightness_of, mean_around
from tintype.multigrid import solve
from tintype.photo import in_hand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from tintype.photo import Photo

Float: TypeAlias = NDArray[np.float32]
Index: TypeAlias = NDArray[np.intp]

AREA: Final = 384 * 256  # px of the grid on which strokes act: an eye has some, and a solution takes 0.1 s
EDGE: Final = 0.7  # L* a pixel of that grid
TEXTURE: Final = 0.25  # of the gradient around: what an edge must exceed
LEAK: Final = 0.1  # against the conductance of smooth places: a click covers a whole smooth photograph
FADE: Final = (0.2, 0.7)  # sums of shares from which on color shows, and shows whole
RIVALRY: Final = 3  # shares of several colors are raised to it: two clicks on a wall part it, not mix on it
_FIT: Final = (1, 4.0)  # radius, px, and smoothness, L* squared, of the merge: shares have sharp edges
_GAP: Final = 2.0  # photographs are first averaged down to twice the grid
_AROUND: Final = 3  # px: the window of the mean gradient is 7 x 7


@dataclass(frozen=True)
class Spread:
    """Where the colors of strokes go: all of it that does not depend on the color beneath."""

    lightness: Float
    """(h, w), L* that they were spread on."""
    shares: Float
    """(k, h, w), of each color; their sum is at most 1."""
    colors: Float
    """(k, 2), ab, CIE units."""

    def apply(self, ab: Float) -> Float:
        """Return ab (2, h, w) mixed with the colors."""
        rest = 1 - self.shares.sum(axis=0)
        mixed: Float = ab * rest + np.tensordot(self.colors.T, self.shares, axes=1)
        return mixed

    def planes(self, planes: Float) -> Float:
        """Return slopes and offsets (4, h, w), as `Merger` takes them, with the colors mixed in."""
        if not len(self.colors):
            return planes
        height, width = self.lightness.shape
        ab = np.stack(Merger(planes, width, height).ab(self.lightness, 0))
        return fit(self.lightness, self.apply(ab), *_FIT)


def detail(photo: Photo | Image.Image) -> Float:
    """Return the L* of a photograph (h, w) that strokes spread on: its own shape, at most AREA px.

    An image has mode L, I;16, RGB or RGBA.
    """
    photo = in_hand(photo)
    width, height = photo.size
    scale = min(1.0, math.sqrt(AREA / (width * height)))
    return lightness_of(photo.stretched((max(1, round(width * scale)), max(1, round(height * scale))), _GAP))


def spread(lightness: Float, labels: Index, colors: Sequence[tuple[float, float]]) -> Spread:
    """Spread colors (a, b) on lightness (h, w) from where labels (h, w) say which; -1 where none."""
    shares = np.zeros((len(colors), *lightness.shape), np.float32)
    if colors:
        across, down = conductances(lightness)
        shares = np.clip(solve(across, down, labels, len(colors), LEAK / labels.size), 0, 1)
        shown = _shown(shares.sum(axis=0))
        shares **= RIVALRY
        shares *= shown / np.maximum(shares.sum(axis=0), np.float32(1e-12))
    shares.setflags(write=False)  # threads share it
    return Spread(lightness, shares, np.array(colors, np.float32).reshape(-1, 2))


def _shown(total: Float) -> Float:
    low, high = FADE
    t = np.clip((total - np.float32(low)) / np.float32(high - low), 0, 1)
    shown: Float = t * t * (3 - 2 * t)
    return shown


def conductances(lightness: Float) -> tuple[Float, Float]:
    """Return w between neighbors across (h, w - 1) and down (h - 1, w): 1 where smooth, 0 at edges."""
    smooth = _binomial(_binomial(lightness).T).T
    across, down = _gradient(smooth), _gradient(smooth.T).T
    around = np.zeros_like(lightness)
    for gradient, first, second in (
        (across, np.s_[:, :-1], np.s_[:, 1:]),
        (down, np.s_[:-1], np.s_[1:]),
    ):
        around[first] += gradient / 4
        around[second] += gradient / 4
    around = mean_around(around, _AROUND)
    return _conductance(across, around), _conductance(down.T, around.T).T


def _binomial(plane: Float) -> Float:
    """Smooth rows by 1, 2, 1."""
    padded = np.pad(plane, ((0, 0), (1, 1)), "edge")
    smooth: Float = (padded[:, :-2] + 2 * plane + padded[:, 2:]) * np.float32(0.25)
    return smooth


def _gradient(plane: Float) -> Float:
    """Return the length of the gradient (h, w - 1) between pixels that follow in a row."""
    padded = np.pad(plane, ((1, 1), (0, 0)), "edge")
    down = (padded[2:] - padded[:-2]) / 4
    return np.hypot(np.diff(plane, axis=1), down[:, 1:] + down[:, :-1])


def _conductance(gradient: Float, around: Float) -> Float:
    gap = _AROUND + 2  # an edge does not count as the texture beside it
    padded = np.pad(around, ((0, 0), (gap, gap)), "edge")
    count = gradient.shape[1]
    calmer = np.minimum(padded[:, :count], padded[:, 2 * gap + 1 : 2 * gap + 1 + count])
    squared: Float = (gradient / (np.float32(EDGE) + np.float32(TEXTURE) * calmer)) ** 2
    return np.reciprocal(1 + squared**4)
