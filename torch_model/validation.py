"""Validation while training: metrics and sheets of photographs never trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from tintype.lab import lightness_ab_to_rgb
from torch_model import cache, disk, metrics
from torch_model.batches import Augmentation, Batches, Chosen
from torch_model.journal import sheet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from torch_model.losses import LossFunction
    from torch_model.model import Network

MOST = 500  # photographs measured at each validation
SHOWN = 8  # photographs on a sheet
_BATCH = 25
_NONE = Augmentation(rotation=0, zoom=0, flip=False)


@dataclass(frozen=True)
class Scores:
    """Means over photographs, at the training size.

    Of networks that predict a distribution, distances are of its expectation, colorfulness is of
    the annealed mean.
    """

    loss: float
    psnr: float
    """dB, sRGB."""
    ab_rmse: float
    """CIE units, over all values."""
    colorfulness: float
    """Ratio of means, predicted to true."""
    accuracy: float
    """Share of pixels whose larger one of a and b is the true one's: Keras's accuracy of two channels."""


class Validation:
    """The photographs held back, as batches without augmentation."""

    def __init__(self, photos: Chosen, side: int, precision: str, device: torch.device) -> None:
        """Take the first photographs, at this side, px, where they are held larger."""
        held = photos.first(MOST)
        if held.pixels.shape[1] != side:
            smaller = [cache.shrink(Image.fromarray(photo), side, "stretch") for photo in held.pixels]
            held = Chosen.every(np.stack([np.asarray(photo) for photo in smaller]), held.embeddings)
        self.pixels = held.pixels
        self.batches = Batches(held, _BATCH, _NONE, 0, device)
        self.precision, self.device = precision, device

    def measure(self, model: Network, loss: LossFunction) -> tuple[Scores, NDArray[np.float32]]:
        """Score a network; return the scores and the first photographs' ab (n, S, S, 2) for a sheet."""
        losses: list[float] = []
        squared: list[float] = []
        psnrs: list[float] = []
        ours: list[float] = []
        theirs: list[float] = []
        shown: list[NDArray[np.float32]] = []
        right: list[float] = []
        training = model.training
        model.eval()
        for number in range(self.batches.per_epoch):
            inputs, ab, _ = self.batches(number)
            lightness = inputs[0]
            given = self._predict(model, inputs)
            losses.append(loss(given, ab).item() * len(ab))
            outputs = model.decode(given, lightness)
            squared.append(torch.mean((outputs[-1] - ab) ** 2).item() * len(ab))
            right.append((outputs[-1].argmax(1) == ab.argmax(1)).float().mean().item() * len(ab))
            shown.append(outputs[0].movedim(1, -1).cpu().numpy())
            photos = self.pixels[self.batches.indices(number).cpu().numpy()]
            vivid, calm = colorize(lightness, outputs[0]), colorize(lightness, outputs[-1])
            psnrs += map(metrics.psnr, calm, photos)
            ours += map(metrics.colorfulness, vivid)
            theirs += map(metrics.colorfulness, photos)
        model.train(training)
        count = len(self.pixels)
        rmse = float(np.sqrt(sum(squared) / count))
        ratio = float(np.mean(ours) / np.mean(theirs))
        scores = Scores(sum(losses) / count, float(np.mean(psnrs)), rmse, ratio, sum(right) / count)
        return scores, np.concatenate(shown)[:SHOWN]

    def save_sheet(self, ab: NDArray[np.float32], path: Path) -> None:
        """Draw grey, colorized and original for the first photographs."""
        order = torch.cat([self.batches.indices(number) for number in range(self.batches.per_epoch)])
        with disk.writing(path) as file:
            sheet(self.pixels[order[: len(ab)].cpu().numpy()], [ab]).save(file, "PNG")

    @torch.no_grad()
    def _predict(self, model: Network, inputs: tuple[Tensor, ...]) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            return model(*inputs).float()  # type: ignore[no-any-return]


def colorize(lightness: Tensor, ab: Tensor) -> NDArray[np.uint8]:
    """Return sRGB (N, H, W, 3) uint8 of lightness (N, 1, H, W) and ab (N, 2, H, W)."""
    a, b = ab.movedim(1, 0).cpu().numpy()
    return lightness_ab_to_rgb(lightness[:, 0].cpu().numpy(), a, b, np.uint8)
