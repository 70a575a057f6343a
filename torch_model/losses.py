"""Losses between predicted and true ab, both (N, 2, H, W) in CIE units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import torch.nn.functional as F
from torch import Tensor

from torch_model.model import AB_SCALE

Loss = Literal["mse", "l1", "huber"]
LossFunction: TypeAlias = Callable[[Tensor, Tensor], Tensor]

_HUBER_DELTA: Final = 6.4 / AB_SCALE  # 6.4 CIE units: about where a color difference becomes another color


def _mse(predicted: Tensor, true: Tensor) -> Tensor:
    return F.mse_loss(predicted / AB_SCALE, true / AB_SCALE)


def _l1(predicted: Tensor, true: Tensor) -> Tensor:
    return F.l1_loss(predicted / AB_SCALE, true / AB_SCALE)


def _huber(predicted: Tensor, true: Tensor) -> Tensor:
    return F.huber_loss(predicted / AB_SCALE, true / AB_SCALE, delta=_HUBER_DELTA)


LOSSES: Final[dict[Loss, LossFunction]] = {
    "mse": _mse,  # the original's: PSNR's own, muted where several colors are likely
    "l1": _l1,
    "huber": _huber,
}
