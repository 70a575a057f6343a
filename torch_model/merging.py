"""The runtime's merge of color with lightness (`tintype.merge`), in torch: to be learned through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from tintype.merge import RADIUS, SMOOTHNESS

if TYPE_CHECKING:
    from torch import Tensor


def merged(lightness: Tensor, ab: Tensor) -> Tensor:
    """Return ab (N, 2, H, W) as the runtime (`tintype.merge`) leaves it by l (N, 1, H, W) of its size."""
    mean_l, mean_ab = _mean_around(lightness), _mean_around(ab)
    variance = (_mean_around(lightness.square()) - mean_l.square()).clamp(min=0)
    slope = (_mean_around(ab * lightness) - mean_ab * mean_l) / (variance + SMOOTHNESS)
    return _mean_around(slope) * lightness + _mean_around(mean_ab - slope * mean_l)


def _mean_around(planes: Tensor) -> Tensor:
    return F.avg_pool2d(planes, 2 * RADIUS + 1, 1, RADIUS, count_include_pad=False)
