"""Surfaces: patches of a small window of a photograph, laid so that nothing surrounds them.

Nearly all photographs are scenes. A network that has seen no others takes bricks or coins that fill a picture
for sky or water, and is sure of it. Nobody could know the color of most surfaces: they are to be pale.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

DRAWS: Final = 6  # whether it becomes a surface; the window's size, x, y; patches' size, which ones
WEIGHT: Final = 5.0
"""How many photographs a surface counts for in the loss: critics say nothing of it."""
_WINDOW: Final = (0.15, 0.4)  # smallest and largest share of width and height of a window
_PATCH: Final = (0.35, 0.85)  # likewise of a patch, of its window's
_LAYERS: Final = ((0.0, 0.0), (0.5, 0.5), (0.0, 0.5), (0.5, 0.0))  # where patches begin, x and y, in patches
_SHARP: Final = 6  # power of what patches weigh, from edge to middle: none is seen through another


def chosen(drawn: Tensor, share: float) -> Tensor:
    """Return which photographs, (B,) bool, become surfaces, by numbers (B, DRAWS) in [0, 1)."""
    return drawn[:, 0] < share


def surfaces(photos: Tensor, drawn: Tensor, side: int) -> Tensor:
    """Return surfaces (B, 3, side, side) of photographs (B, 3, H, W), float32, by numbers (B, DRAWS).

    Patches, mirrored or not, are laid side by side in four layers: each shows where the others' patches end.
    """
    half = _between(_WINDOW, drawn[:, 1])  # (B,), of half of a side
    center = (drawn[:, 2:4] * 2 - 1) * (1 - half[:, None])  # (B, 2): x, y; a photograph's side is 2
    size = 2 * half * _between(_PATCH, drawn[:, 4])
    room = (half - size / 2)[:, None, None]
    places = (torch.arange(side, device=photos.device) + 0.5) * 2 / side
    key = (drawn[:, 5] * 2**24).long()[:, None, None]
    made, weighed = torch.zeros((), device=photos.device), torch.zeros((), device=photos.device)
    for layer, begin in enumerate(_LAYERS):
        at = [places / size[:, None] + offset for offset in begin]  # two of (B, side): x, y; in patches
        column, row = at[0].floor().long()[:, None, :], at[1].floor().long()[:, :, None]
        across, down = at[0][:, None, :] - column - 0.5, at[1][:, :, None] - row - 0.5  # -0.5 to 0.5
        x, y, mirror = (_scattered(key, row, column, layer * 3 + which) for which in range(3))
        seen = [
            center[:, axis, None, None] + (2 * number - 1) * room + place * size[:, None, None]
            for axis, number, place in ((0, x, torch.where(mirror < 0.5, -across, across)), (1, y, down))
        ]
        weight = ((1 - 2 * across.abs()) * (1 - 2 * down.abs())).clamp(min=0.1) ** _SHARP
        grid = torch.stack(seen, dim=-1)  # (B, side, side, 2)
        shown = F.grid_sample(photos, grid, padding_mode="reflection", align_corners=False)
        made = made + weight[:, None] * shown
        weighed = weighed + weight[:, None]
    return made / weighed


def _between(bounds: tuple[float, float], share: Tensor) -> Tensor:
    low, high = bounds
    return low + (high - low) * share


def _scattered(key: Tensor, *counts: Tensor | int) -> Tensor:
    """Return numbers in [0, 1) of whole numbers that broadcast, the same ones on every device."""
    mixed = key
    for count in counts:
        mixed = ((mixed ^ (mixed >> 15) ^ count) * 0x45D9F3B) & 0x7FFFFFFF  # below 2^62 in between
        mixed = ((mixed ^ (mixed >> 16)) * 0x45D9F3B) & 0x7FFFFFFF
    return (mixed >> 7).float() / 2**24
