"""Measure what contenders make of a set of photographs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from tintype.lab import lightness_ab_to_rgb, lightness_to_rgb, rgb_to_lab, rgb_to_lightness
from tintype.progress import Progress
from torch_model import aging, frechet, metrics
from torch_model.coherence import unevenness
from torch_model.contenders import grey
from torch_model.rarity import Rarity
from torch_model.scores import Measured

if TYPE_CHECKING:
    from torch import Tensor

    from torch_model.contenders import Contender
    from torch_model.inception import Kept
    from torch_model.lpips import Perception

Array: TypeAlias = NDArray[Any]
Pixels: TypeAlias = NDArray[np.uint8]

BEST_PSNR: Final = 100.0
"""dB that count for a photograph that equals its original."""
_BATCH: Final = 16


class Examiner:
    """Photographs with their true colors, and all that is the same for every contender."""

    def __init__(
        self,
        pixels: Pixels,
        *,
        features: Kept | None = None,
        perception: Perception | None = None,
        aged: Tensor | None = None,
    ) -> None:
        """Take photographs (N, H, W, 3).

        `features` to measure distances of sets too, `perception` for LPIPS. With random numbers of each
        photograph in `aged` (see `aging`), contenders are given the photographs as old ones, and their colors
        are judged on the photographs' own lightness.
        """
        self.pixels, self.features, self.perception = pixels, features, perception
        self.aged = aged is not None
        self.given = pixels if aged is None else made_old(pixels, aged)
        self.rarity = Rarity.of(pixels)
        self.grey_psnr = np.array([_psnr(grey(photo), photo) for photo in pixels])
        self.colorfulness = np.array([metrics.colorfulness(photo) for photo in pixels])
        self.magnitudes = np.array([metrics.colorfulness(photo, magnitudes=True) for photo in pixels])

    @cached_property
    def originals(self) -> NDArray[np.float64]:
        """The features of the photographs."""
        assert self.features is not None
        return self.features(self.pixels, "the originals")

    def measure(self, contender: Contender) -> tuple[Measured, Pixels]:
        """Return the scores of a contender, and the pictures (N, H, W, 3) that it made."""
        made = np.empty_like(self.pixels)
        judged = np.empty_like(self.pixels) if self.aged else made
        rows = []
        with Progress(f"scoring {contender.name} at {contender.size}", len(made)) as progress:
            for number, photo in enumerate(self.pixels):
                made[number] = contender.colorize(self.given[number])
                if self.aged:
                    judged[number] = recolored(photo, made[number])
                rows.append(self._photo(judged[number], photo))
                progress.advance()
        columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        columns |= {"grey_psnr": self.grey_psnr, "colorfulness_original": self.colorfulness}
        columns["cf_original"] = self.magnitudes
        sets = self._sets(judged, contender.name)
        known = (contender.name, contender.size, contender.vividness, contender.digest)
        return Measured(*known, columns, sets), made

    def _photo(self, picture: Array, photo: Array) -> dict[str, float]:
        ours, true = rgb_to_lab(picture), rgb_to_lab(photo)
        near, weights = metrics.accuracy(ours[..., 1:], true[..., 1:]), self.rarity(true[..., 1:])
        found = {
            "psnr": _psnr(picture, photo),
            "ssim": metrics.ssim(picture, photo),
            "ciede2000": metrics.ciede2000(true, ours),
            "squared": metrics.ab_rmse(ours[..., 1:], true[..., 1:]) ** 2,
            "colorfulness": metrics.colorfulness(picture),
            "cf": metrics.colorfulness(picture, magnitudes=True),
            "near": float(near.mean()),
            "rare_near": float((near * weights).mean()),
            "rarity": float(weights.mean()),
            "unevenness": float(unevenness(_ab(ours), _ab(true))),
        }
        if self.perception is not None:
            found["lpips"] = self.perception.distance(picture, photo)
        return found

    def _sets(self, pictures: Pixels, name: str) -> dict[str, float]:
        if self.features is None:
            return {}
        found = self.features(pictures, f"what {name} made")
        return frechet.compare(found, self.originals)


def made_old(pixels: Pixels, random: Tensor) -> Pixels:
    """Return photographs (N, H, W, 3) as old ones, grey, by random numbers (N, aging.DRAWS)."""
    old = np.empty_like(pixels)
    for start in range(0, len(pixels), _BATCH):
        rows = slice(start, start + _BATCH)
        lightness = aging.age(torch.from_numpy(pixels[rows]).permute(0, 3, 1, 2), random[rows])
        old[rows] = lightness_to_rgb(lightness[:, 0].numpy(), np.uint8)
    return old


def recolored(photo: Array, picture: Array) -> Array:
    """Return a photograph's own lightness in another picture's colors, both (H, W, 3)."""
    _, a, b = np.moveaxis(rgb_to_lab(picture), -1, 0)
    return lightness_ab_to_rgb(rgb_to_lightness(photo), a, b, np.uint8)


def _ab(lab: Array) -> Tensor:
    """Return ab (1, 2, H, W) of lab (H, W, 3)."""
    return torch.from_numpy(lab[..., 1:]).movedim(-1, 0)[None]


def _psnr(first: Array, second: Array) -> float:
    return min(metrics.psnr(first, second), BEST_PSNR)
