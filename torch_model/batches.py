"""Batches for training: order, augmentation and Lab, on the device where the network is.

What a photograph goes through depends on (seed, epoch, index) alone: not on the batch size, the
device, or what was done before. So training can stop at any step and go on as if it had not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from torch_model.color import rgb_to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESERVE = 0.5  # share of the free GPU memory that photographs may take


@dataclass(frozen=True)
class Augmentation:
    """What is done to photographs at random."""

    rotation: float = 20.0
    """Degrees, to either side."""
    zoom: float = 0.2
    """Share of width and of height, each to either side, independently."""
    flip: bool = True
    """Mirror every second photograph, on average."""


@dataclass(frozen=True)
class Draws:
    """The random numbers of one epoch."""

    order: NDArray[np.int64]
    """(N,) a permutation."""
    uniforms: NDArray[np.float32]
    """(N, 4) in [0, 1): rotation, zoom of x, zoom of y, flip; row i belongs to photograph i."""


def draw(seed: int, epoch: int, count: int) -> Draws:
    """Draw what an epoch needs from a counter-based generator keyed by seed and epoch."""
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    return Draws(generator.permutation(count), generator.random((count, 4), np.float32))


class Batches:
    """Batches of (l, ab) by step: step s of any run is the same batch."""

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        size: int,
        augmentation: Augmentation,
        seed: int,
        device: torch.device,
    ) -> None:
        """Take photographs (N, H, W, 3) uint8; they move to a GPU whole where its memory allows."""
        self.augmentation, self.seed, self.size, self.device = augmentation, seed, size, device
        self.count = len(pixels)
        self.per_epoch = math.ceil(self.count / size)
        self.pixels = _hold(pixels, device)
        self._epoch, self._draws = -1, draw(seed, 0, 0)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return l (B, 1, H, W) and ab (B, 2, H, W) of a step; the last batch of an epoch may be short."""
        indices = self.indices(step)
        photos = take(self.pixels, indices, self.device)
        return rgb_to_lab(augment(photos, self._draws.uniforms[indices], self.augmentation))

    def indices(self, step: int) -> NDArray[np.int64]:
        """Return which photographs a step takes."""
        epoch, number = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._draws = epoch, draw(self.seed, epoch, self.count)
        return self._draws.order[number * self.size : (number + 1) * self.size]


def take(pixels: Tensor, indices: NDArray[np.int64], device: torch.device) -> Tensor:
    """Gather photographs as uint8 (B, 3, H, W), channels last in memory, on the device."""
    chosen = pixels[torch.from_numpy(indices).to(pixels.device)]
    return chosen.to(device, non_blocking=True).permute(0, 3, 1, 2)


def augment(photos: Tensor, uniforms: NDArray[np.float32], augmentation: Augmentation) -> Tensor:
    """Rotate, zoom and mirror photographs (B, 3, H, W) uint8, each by its row of `uniforms`.

    Returns uint8 where no more than mirroring is asked for, else float32 in [0, 1]. Borders are
    filled by reflection.
    """
    random = torch.from_numpy(uniforms).to(photos.device)
    mirror = random[:, 3] < (0.5 if augmentation.flip else 0.0)
    if not augmentation.rotation and not augmentation.zoom:
        return torch.where(mirror[:, None, None, None], photos.flip(3), photos)
    angle = (random[:, 0] * 2 - 1) * math.radians(augmentation.rotation)
    zoom = 1 + (random[:, 1:3] * 2 - 1) * augmentation.zoom  # (B, 2): x, y
    sign = torch.where(mirror, -1.0, 1.0)
    rows = [
        torch.stack([sign * zoom[:, 0] * angle.cos(), -zoom[:, 1] * angle.sin()], dim=1),
        torch.stack([sign * zoom[:, 0] * angle.sin(), zoom[:, 1] * angle.cos()], dim=1),
    ]
    matrix = F.pad(torch.stack(rows, dim=1), (0, 1))  # (B, 2, 3), no shift
    grid = F.affine_grid(matrix, list(photos.shape), align_corners=False)
    scaled = photos.float() / 255
    return F.grid_sample(scaled, grid, padding_mode="reflection", align_corners=False)


def _hold(pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    held = torch.from_numpy(np.ascontiguousarray(pixels))
    if device.type == "cuda" and held.nbytes < _RESERVE * torch.cuda.mem_get_info(device)[0]:
        return held.to(device)
    return held
