"""Surfaces: small windows of photographs, shown so that nothing surrounds them.

Nearly all photographs are scenes. A network that has seen no others takes bricks or coins that fill a picture
for sky or water, and is sure of it. So a window is mirrored over and over, or enlarged, or patches of it
are laid at random; of some contrast is low. Nobody could know the color of most: they are to be pale.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOWS: Final = 5  # drawn of each photograph: whether it becomes one, size, x, y, how much it is enlarged
PATCHES: Final = 4  # and: whether patches are laid, their size, which ones, contrast
WEIGHT: Final = 5.0
"""How many photographs a surface counts for in the loss: critics say nothing of it."""
_WINDOW: Final = (0.15, 0.4)  # smallest and largest share of width and height of a window
_PATCH: Final = (0.35, 0.85)  # likewise of a patch, of its window's
_PATCHED: Final = 0.6  # share of windows of which patches are laid
_LAYERS: Final = ((0.0, 0.0), (0.5, 0.5), (0.0, 0.5), (0.5, 0.0))  # where patches begin, x and y, in patches
_FAINTEST: Final = 0.1  # share of a window's contrast that a surface has at least
_SHARP: Final = 6  # power of what patches weigh, from edge to middle: none is seen through another


def chosen(windows: Tensor, share: float) -> Tensor:
    """Return which photographs, (B,) bool, become surfaces, by numbers (B, WINDOWS) in [0, 1)."""
    return windows[:, 0] < share


def surfaces(photos: Tensor, grid: Tensor, windows: Tensor, patches: Tensor) -> Tensor:
    """Return surfaces (B, 3, S, S) of photographs (B, 3, H, W), float32.

    `grid` (B, S, S, 2) is where photographs would be seen, as F.grid_sample has it: so turned is what is
    mirrored. By numbers (B, WINDOWS) and (B, PATCHES) in [0, 1).
    """
    smallest, largest = _WINDOW
    half = smallest + (largest - smallest) * windows[:, 1]  # (B,), of half of a side
    center = (windows[:, 2:4] * 2 - 1) * (1 - half[:, None])  # (B, 2): x, y
    shown = _look(photos, _mirrored(grid, half, center, windows[:, 4]))
    patched = patches[:, 0] < _PATCHED
    if patched.any():
        rows = (photos[patched], half[patched], center[patched], patches[patched, 1:3])
        shown = shown.index_put((patched,), _patched(*rows, grid.shape[1]))
    mean = shown.mean(dim=(2, 3), keepdim=True)
    contrast = _FAINTEST + (1 - _FAINTEST) * patches[:, 3, None, None, None]
    return mean + contrast * (shown - mean)


def _mirrored(grid: Tensor, half: Tensor, center: Tensor, enlarged: Tensor) -> Tensor:
    """Return a grid (B, S, S, 2) that stays within windows, mirrored at their edges.

    A window is shown between as large as it is and as large as the photograph.
    """
    half, center = half[:, None, None, None], center[:, None, None, :]
    away = (grid - center) * half ** (enlarged[:, None, None, None] - 1)  # 1: an edge of the window
    return center + half * (1 - ((away + 1) % 4 - 2).abs())


def _patched(photos: Tensor, half: Tensor, center: Tensor, patches: Tensor, side: int) -> Tensor:
    """Return patches of windows, mirrored or not, laid side by side in four layers, (B, 3, side, side).

    Each layer shows where the others' patches end.
    """
    smallest, largest = _PATCH
    size = 2 * half * (smallest + (largest - smallest) * patches[:, 0])  # (B,), a photograph's side is 2
    room = (half - size / 2)[:, None, None]
    places = (torch.arange(side, device=photos.device) + 0.5) * 2 / side
    key = (patches[:, 1] * 2**24).long()[:, None, None]
    made, weighed = torch.zeros((), device=photos.device), torch.zeros((), device=photos.device)
    for layer, begin in enumerate(_LAYERS):
        at = [places / size[:, None] + offset for offset in begin]  # two of (B, S): x, y; in patches
        column, row = at[0].floor().long()[:, None, :], at[1].floor().long()[:, :, None]
        across, down = at[0][:, None, :] - column - 0.5, at[1][:, :, None] - row - 0.5  # -0.5 to 0.5
        x, y, mirror = (_scattered(key, row, column, layer * 3 + which) for which in range(3))
        seen = [
            center[:, axis, None, None] + (2 * drawn - 1) * room + place * size[:, None, None]
            for axis, drawn, place in ((0, x, torch.where(mirror < 0.5, -across, across)), (1, y, down))
        ]
        weight = ((1 - 2 * across.abs()) * (1 - 2 * down.abs())).clamp(min=0.1) ** _SHARP
        made = made + weight[:, None] * _look(photos, torch.stack(seen, dim=-1))
        weighed = weighed + weight[:, None]
    return made / weighed


def _scattered(key: Tensor, *counts: Tensor | int) -> Tensor:
    """Return numbers in [0, 1) of whole numbers that broadcast, the same ones on every device."""
    mixed = key
    for count in counts:
        mixed = ((mixed ^ (mixed >> 15) ^ count) * 0x45D9F3B) & 0x7FFFFFFF  # below 2^62 in between
        mixed = ((mixed ^ (mixed >> 16)) * 0x45D9F3B) & 0x7FFFFFFF
    return (mixed >> 7).float() / 2**24


def _look(photos: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(photos, grid, padding_mode="reflection", align_corners=False)
