"""Losses between what a network gives and true ab (N, 2, H, W), CIE units.

What it gives is ab (N, 2, H, W) or, of `vivid` and `unet`, logits (N, Q, h, w) of the ab bins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_model import bins
from torch_model.model import AB_SCALE

Loss = Literal["mse", "l1", "huber", "chroma", "bins"]
LossFunction: TypeAlias = Callable[[Tensor, Tensor], Tensor]

_MEAN_WEIGHT: Final = 20.0  # of the expectation's squared error: a tenth of the cross entropy, about
_VIVID: Final = 20.0  # CIE units of chroma that make a pixel count twice
_HUBER_DELTA: Final = 6.4 / AB_SCALE  # 6.4 CIE units: about where a color difference becomes another color


def _mse(predicted: Tensor, true: Tensor) -> Tensor:
    return F.mse_loss(predicted / AB_SCALE, true / AB_SCALE)


def _l1(predicted: Tensor, true: Tensor) -> Tensor:
    return F.l1_loss(predicted / AB_SCALE, true / AB_SCALE)


def _huber(predicted: Tensor, true: Tensor) -> Tensor:
    return F.huber_loss(predicted / AB_SCALE, true / AB_SCALE, delta=_HUBER_DELTA)


def _chroma(predicted: Tensor, true: Tensor) -> Tensor:
    weight = 1 + true.square().sum(dim=1, keepdim=True).sqrt() / _VIVID
    weight = weight / weight.mean(dim=(2, 3), keepdim=True)  # by photograph, as batches have parts
    return (weight * ((predicted - true) / AB_SCALE).square()).mean()


def _bins(logits: Tensor, true: Tensor) -> Tensor:
    true = F.avg_pool2d(true, true.shape[-1] // logits.shape[-1])
    numbers, weights = bins.encode(true)
    logs = F.log_softmax(logits, dim=1)
    entropy = -(weights * logs.gather(1, numbers)).sum(dim=1).mean()
    centers = torch.from_numpy(bins.centers()).to(true.device).T[:, :, None, None]
    return entropy + _MEAN_WEIGHT * _mse(F.conv2d(logs.exp(), centers), true)


LOSSES: Final[dict[Loss, LossFunction]] = {
    "mse": _mse,  # the original's: PSNR's own, muted where several colors are likely
    "l1": _l1,
    "huber": _huber,
    "chroma": _chroma,  # squared errors, those of vivid colors weighing more
    "bins": _bins,  # cross entropy of the colors' weights, and the expectation's squared error
}
