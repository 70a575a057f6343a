"""The ab plane as bins: what a network that predicts a distribution chooses among.

Bins are the points of a square grid (Zhang, Isola and Efros, 2016, spacing 10) that are corners of
the cells in which sRGB colors lie. A color is written as weights of its cell's four corners, by
bilinear interpolation, so that the weights' expectation is the color itself; and the expectation
of what a network learns from them estimates the mean of the likely colors.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SPACING: Final = 10  # CIE units
_REACH: Final = 13  # cells to either side of grey: sRGB ends at -108 and 98
_SIDE: Final = 2 * _REACH + 1
_CORNERS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))

# The lowest and the highest b of the bins of each a, in cells; none is missing between them. Of all
# 8-bit colors 44 lie in three cells more, and are 0.012 at most from their weights' expectation.
_A: Final = range(-9, 11)
_LOWEST: Final = (5, 2, 0, -1, -3, -4, -4, -5, -6, -7, -8, -8, -9, -10, -10, -11, -11, -11, -11, -8)
_HIGHEST: Final = (9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 9, 9, 8, 8, 8, 8, 8, 7, 7, -2)


@cache
def centers() -> NDArray[np.float32]:
    """Return the bins' a and b, (Q, 2), CIE units, sorted."""
    rows = zip(_A, _LOWEST, _HIGHEST, strict=True)
    points = [(a, b) for a, low, high in rows for b in range(low, high + 1)]
    return np.array(points, np.float32) * SPACING


def encode(ab: Tensor) -> tuple[Tensor, Tensor]:
    """Write colors as weights of bins: ab (N, 2, H, W) to numbers of bins and weights, both (N, 4, H, W).

    Means of colors may lie outside of the gamut's cells: a corner that is no bin is its nearest one.
    """
    scaled = (ab / SPACING).clamp(-_REACH, _REACH - 1e-3)
    low = scaled.floor()
    a, b = (scaled - low).unbind(1)  # (N, H, W), 0..1
    weights = torch.stack([(a if da else 1 - a) * (b if db else 1 - b) for da, db in _CORNERS], dim=1)
    row, column = (low.long() + _REACH).unbind(1)
    points = torch.stack([(row + da) * _SIDE + column + db for da, db in _CORNERS], dim=1)
    return _nearest(ab.device)[points], weights


def prior(photos: Tensor) -> Tensor:
    """Return how much of some photographs' color each bin holds, (Q,), of ab (N, 2, H, W); it sums to one."""
    numbers, weights = encode(photos)
    sums = torch.zeros(len(centers()), dtype=torch.float64, device=photos.device)
    sums.index_add_(0, numbers.flatten(), weights.flatten().double())
    return sums / sums.sum()


@cache
def _nearest(device: torch.device) -> Tensor:
    """Return the number of the bin nearest to each point of the grid, (_SIDE * _SIDE,)."""
    axis = torch.arange(-_REACH, _REACH + 1) * float(SPACING)
    points = torch.cartesian_prod(axis, axis)
    return torch.cdist(points, torch.from_numpy(centers())).argmin(1).to(device)
