"""Validation while training: metrics and sheets of photographs never trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from tintype.lab import lightness_ab_to_rgb
from torch_model import metrics
from torch_model.batches import Augmentation, Batches, Chosen
from torch_model.journal import sheet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from torch_model.losses import LossFunction

MOST = 500  # photographs measured at each validation
SHOWN = 8  # photographs on a sheet
_BATCH = 25
_NONE = Augmentation(rotation=0, zoom=0, flip=False)


@dataclass(frozen=True)
class Scores:
    """Means over photographs, at the training size."""

    loss: float
    psnr: float
    """dB, sRGB."""
    ab_rmse: float
    """CIE units, over all values."""
    colorfulness: float
    """Ratio of means, predicted to true."""


class Validation:
    """The photographs held back, as batches without augmentation."""

    def __init__(self, photos: Chosen, precision: str, device: torch.device) -> None:
        self.pixels = photos.pixels[photos.rows[:MOST]]
        self.batches = Batches(Chosen.every(self.pixels), _BATCH, _NONE, 0, device)
        self.precision, self.device = precision, device

    def measure(self, model: nn.Module, loss: LossFunction) -> tuple[Scores, NDArray[np.float32]]:
        """Score a network; return the scores and the first photographs' ab (n, S, S, 2) for a sheet."""
        losses: list[float] = []
        squared: list[float] = []
        psnrs: list[float] = []
        ours: list[float] = []
        theirs: list[float] = []
        shown: list[NDArray[np.float32]] = []
        training = model.training
        model.eval()
        for number in range(self.batches.per_epoch):
            lightness, ab = self.batches(number)
            predicted = self._predict(model, lightness)
            losses.append(loss(predicted, ab).item() * len(ab))
            squared.append(torch.mean((predicted - ab) ** 2).item() * len(ab))
            planes = predicted.movedim(1, -1).cpu().numpy()
            shown.append(planes)
            photos = self.pixels[self.batches.indices(number).cpu().numpy()]
            grey = lightness[:, 0].cpu().numpy()
            colorized = lightness_ab_to_rgb(grey, planes[..., 0], planes[..., 1], np.uint8)
            psnrs += map(metrics.psnr, colorized, photos)
            ours += map(metrics.colorfulness, colorized)
            theirs += map(metrics.colorfulness, photos)
        model.train(training)
        count = len(self.pixels)
        rmse = float(np.sqrt(sum(squared) / count))
        ratio = float(np.mean(ours) / np.mean(theirs))
        scores = Scores(sum(losses) / count, float(np.mean(psnrs)), rmse, ratio)
        return scores, np.concatenate(shown)[:SHOWN]

    def save_sheet(self, ab: NDArray[np.float32], path: Path) -> None:
        """Draw grey, colorized and original for the first photographs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        order = torch.cat([self.batches.indices(number) for number in range(self.batches.per_epoch)])
        sheet(self.pixels[order[: len(ab)].cpu().numpy()], [ab]).save(path)

    @torch.no_grad()
    def _predict(self, model: nn.Module, lightness: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            return model(lightness).float()  # type: ignore[no-any-return]
