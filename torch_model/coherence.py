"""Whether places of one color are given one color.

A loss of each place by itself says nothing of that: where a cup may be blue or red, half of it in each costs
no more than all of it in one. To the eye it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

GRID: Final = 24
"""Side of the grid of places that are compared."""
_ONE: Final = 4.0  # CIE units: standard deviation of the bell by which two true colors are one
_NEAR: Final = 2.0  # cells: what lies nearer is alike anyway
_LEAST: Final = 0.5  # CIE units: pictures with less color than that are not held to have more
_ROUND: Final = 0.01  # CIE units: where distances have no corner, which has no gradient


def unevenness(ab: Tensor, true: Tensor) -> Tensor:
    """Return how far apart the colors of places of one true color are, as a share of that of any places.

    Both (N, 2, H, W), CIE units. Each place of a grid is compared with all that are not beside it; the mean
    over photographs. 0 if all that is of one color is given one; the scale of chroma plays no part, nor has
    it a gradient. Of any places only those have one that are not yet as far apart as they truly are: else
    some color made stronger and stronger would be a way to a smaller share.
    """
    far = _distances(_places(ab.device)[None])[0] > _NEAR  # (K, K)
    truly, apart = _distances(_grid(true)), _distances(_grid(ab))
    alike = torch.exp(-((truly / _ONE).square()) / 2) * far  # (N, K, K)
    of_one = (alike * apart).sum(dim=(1, 2)) / alike.sum(dim=(1, 2)).clamp(min=1)
    of_any = apart.detach().mean(dim=(1, 2)).clamp(min=_LEAST)
    near = torch.where(apart < truly, apart, 0).mean(dim=(1, 2)).clamp(min=_LEAST)
    return (of_one / of_any * (near.detach() / near)).mean()


def _grid(ab: Tensor) -> Tensor:
    """Return the mean color of each place, (N, 2, K), of ab (N, 2, H, W)."""
    return F.adaptive_avg_pool2d(ab, GRID).flatten(2)


def _places(device: torch.device) -> Tensor:
    """Return where the grid's places are, (2, K), in cells."""
    cells = torch.arange(GRID, device=device, dtype=torch.float32)
    return torch.stack(torch.meshgrid(cells, cells, indexing="ij")).flatten(1)


def _distances(x: Tensor) -> Tensor:
    """Return how far apart vectors (N, C, K) are, (N, K, K), with a gradient where they are equal too."""
    squared = (x[..., :, None] - x[..., None, :]).square().sum(dim=1)
    return (squared + _ROUND**2).sqrt() - _ROUND
