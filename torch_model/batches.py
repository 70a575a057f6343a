"""Batches for training: order, augmentation and Lab, on the device where the network is.

What a photograph goes through depends on the seed, the epoch and its index among so many: not on the
batch size, the device, or what was done before. So training can stop at any step and go on as if it
had not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from torch_model import aging, textures
from torch_model.color import rgb_to_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# what is drawn of each photograph, in this order: what comes later leaves as it was what a seed gave before
TURNS: Final = 4  # rotation, zoom of x, zoom of y, flip
YEARS: Final = 1 + aging.DRAWS  # whether it ages, and how
CROPS: Final = 3  # of what is cut out: size, x, y
NUMBERS: Final = (TURNS, YEARS, CROPS, textures.DRAWS)
_RESERVE: Final = 0.5  # share of the free GPU memory that photographs may take


@dataclass(frozen=True)
class Augmentation:
    """What is done to photographs at random."""

    rotation: float = 20.0
    """Degrees, to either side."""
    zoom: float = 0.2
    """Share of width and of height, each to either side, independently."""
    flip: bool = True
    """Mirror every second photograph, on average."""
    resized_crop: float = 1.0
    """Smallest share of width and of height that is shown, cut anywhere; 1 for whole photographs."""
    side: int | None = None
    """Of what is shown, px, where photographs are held larger."""
    aged: float = 0.0
    """Share of the photographs whose L* is shown as time leaves it; their ab stay what they were."""
    textures: float = 0.0
    """Share of the photographs of which patches of a small window are shown as a surface, by itself."""
    texture_chroma: float = 0.3
    """Share of its own chroma that a surface is to get: nobody could know the color of most."""

    @property
    def held_side(self) -> int:
        """Side at which to hold photographs, px, so that what is cut out of them needs no enlarging."""
        assert self.side is not None
        return math.ceil(self.side / self.resized_crop)


@dataclass(frozen=True)
class Chosen:
    """Some of the photographs of an array, which may be mapped from disk."""

    pixels: NDArray[np.uint8]
    """(M, H, W, 3), sRGB."""
    rows: NDArray[np.int64]
    """(N,) which of them."""
    embeddings: NDArray[np.float16] | None = None
    """(M, F), what a classifier makes of them, where that is known."""

    @classmethod
    def every(cls, pixels: NDArray[np.uint8], embeddings: NDArray[np.float16] | None = None) -> Chosen:
        """Choose all of them."""
        return cls(pixels, np.arange(len(pixels)), embeddings)

    def first(self, count: int) -> Chosen:
        """Return an array of its own of the first few."""
        rows = self.rows[:count]
        return Chosen.every(self.pixels[rows], None if self.embeddings is None else self.embeddings[rows])


@dataclass(frozen=True)
class Draws:
    """The random numbers of one epoch."""

    order: Tensor
    """(N,) int64, a permutation."""
    uniforms: Tensor
    """(N, sum(NUMBERS)) float32 in [0, 1); row i belongs to photograph i."""


def draw(seed: int, epoch: int, count: int, device: torch.device) -> Draws:
    """Draw what an epoch of `count` photographs needs, from a generator keyed by seed and epoch."""
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    order = generator.permutation(count)
    uniforms = np.concatenate([generator.random((count, each), np.float32) for each in NUMBERS], axis=1)
    return Draws(*(torch.from_numpy(drawn).to(device) for drawn in (order, uniforms)))


class Batch(NamedTuple):
    """What a network is given, and what it should give."""

    inputs: tuple[Tensor, ...]
    """l (B, 1, H, W) in [0, 100] and, where embeddings are known, those (B, F)."""
    ab: Tensor
    """(B, 2, H, W), CIE units."""
    whole: Tensor
    """(B,) bool: whether a photograph is shown as one, and not a small window of it as a surface."""


@dataclass(frozen=True)
class Held:
    """Values of photographs, (M, ...), and which rows of them count, (N,): on a GPU where they fit."""

    values: Tensor
    rows: Tensor

    @classmethod
    def of(cls, values: NDArray[Any], rows: NDArray[np.int64], device: torch.device) -> Held:
        """Hold values of the chosen rows for a device."""
        if device.type == "cuda":
            needed = values[:1].nbytes * len(rows)
            if needed < _RESERVE * torch.cuda.mem_get_info(device)[0]:
                held = torch.from_numpy(values[rows]).to(device)
                return cls(held, torch.arange(len(rows), device=device))
        return cls(torch.from_numpy(values), torch.from_numpy(rows).to(device))

    def take(self, indices: Tensor) -> Tensor:
        """Return the values of some of the chosen rows, (B,) int64 on the device."""
        taken = self.values[self.rows[indices].to(self.values.device)]
        return taken.to(indices.device, non_blocking=True)


class Part(NamedTuple):
    """A part of a batch, small enough to be gone through at once."""

    batch: Batch
    weight: float
    """Its share of the batch's photographs, times the processes: their mean is that over photographs."""
    last: bool
    """Whether this process has no other part of the batch after it."""


@dataclass(frozen=True)
class Share:
    """What one of several processes takes of each batch, and in how many parts."""

    rank: int = 0
    size: int = 1
    parts: int = 1

    def split(self, indices: Tensor) -> list[Tensor]:
        """Return the parts of a batch's photographs (B,); there is one that is empty where none is left."""
        return self.cut(indices.tensor_split(self.size)[self.rank])

    def cut(self, own: Tensor) -> list[Tensor]:
        """Return the parts of this process's photographs (n,) of a batch."""
        return list(own.tensor_split(max(1, min(self.parts, len(own)))))

    def weight(self, count: int, whole: int) -> float:
        """Return the weight of a part with so many photographs of the whole batch's."""
        return self.size * count / whole


class Batches:
    """Batches by step: step s of any run is the same batch."""

    def __init__(
        self,
        photos: Chosen,
        size: int,
        augmentation: Augmentation,
        seed: int,
        device: torch.device,
        *,
        share: Share | None = None,
    ) -> None:
        """Take photographs; they move to a GPU whole where its memory allows, else stay mapped from disk."""
        self.share = share or Share()
        self.augmentation, self.seed, self.size, self.device = augmentation, seed, size, device
        self.count = len(photos.rows)
        self.per_epoch = math.ceil(self.count / size)
        self.chosen = photos
        self.photos = Held.of(photos.pixels, photos.rows, device)
        known = photos.embeddings
        self.embeddings = None if known is None else Held.of(known, photos.rows, device)
        self._epoch, self._draws = -1, draw(seed, 0, 0, device)

    @property
    def largest(self) -> int:
        """Photographs of a whole batch."""
        return min(self.size, self.count)

    def few(self, count: int) -> Batches:
        """Return batches of the first few photographs, for a trial."""
        return Batches(self.chosen.first(count), count, self.augmentation, self.seed, self.device)

    def __call__(self, step: int) -> Batch:
        """Return the batch of a step; the last one of an epoch may be short."""
        return self._show(self.indices(step))

    def close(self) -> None:
        """Nothing is open here, as it is where photographs are read while training goes on."""

    def parts(self, step: int) -> Iterator[Part]:
        """Go through this process's share of a step's batch.

        A process for which no photograph is left goes through one with weight zero, as sums of gradients
        need all processes.
        """
        indices = self.indices(step)
        parts = self.share.split(indices)
        for number, part in enumerate(parts, 1):
            shown = self._show(part if len(part) else indices[:1])
            yield Part(shown, self.share.weight(len(part), len(indices)), number == len(parts))

    def _show(self, indices: Tensor) -> Batch:
        photos = self.photos.take(indices).permute(0, 3, 1, 2)  # (B, 3, H, W), channels last in memory
        shown = present(photos, self._draws.uniforms[indices], self.augmentation)
        if self.embeddings is None:
            return shown
        return shown._replace(inputs=(*shown.inputs, self.embeddings.take(indices).float()))

    def indices(self, step: int) -> Tensor:
        """Return which of the chosen photographs a step takes, (B,) int64 on the device."""
        epoch, number = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._draws = epoch, draw(self.seed, epoch, self.count, self.device)
        return self._draws.order[number * self.size : (number + 1) * self.size]


def present(photos: Tensor, random: Tensor, augmentation: Augmentation) -> Batch:
    """Return l (B, 1, S, S), alone, and ab (B, 2, S, S) of augmented photographs (B, 3, H, W) uint8.

    By random numbers in [0, 1), a row for each: (B, sum(NUMBERS)).
    """
    shown = augment(photos, random, augmentation)
    lightness, ab = rgb_to_lab(shown)
    lightness = _aged(lightness, shown, random, augmentation.aged)
    *_, surface = random.split_with_sizes(NUMBERS, dim=1)
    alone = textures.chosen(surface, augmentation.textures)
    if augmentation.textures:
        ab = torch.where(alone[:, None, None, None], augmentation.texture_chroma * ab, ab)
    return Batch((lightness,), ab, ~alone)


def _aged(lightness: Tensor, photos: Tensor, random: Tensor, share: float) -> Tensor:
    """Return L* (B, 1, H, W) with that of a share of the photographs (B, 3, H, W) aged."""
    _, years, *_ = random.split_with_sizes(NUMBERS, dim=1)
    old = years[:, 0] < share
    if not old.any():
        return lightness
    return lightness.index_put((old,), aging.age(photos[old], years[old, 1:]))


def augment(photos: Tensor, random: Tensor, augmentation: Augmentation) -> Tensor:
    """Rotate, zoom, mirror and cut photographs (B, 3, H, W) uint8, each by its row of `random`.

    Of some a surface is shown instead (see `textures`).

    Returns uint8 (B, 3, H, W) where no more than mirroring is asked for, else float32 in [0, 1], of the side
    that is asked for. Borders are filled by reflection.
    """
    turns, _, crops, surface = random.split_with_sizes(NUMBERS, dim=1)
    mirror = turns[:, 3] < (0.5 if augmentation.flip else 0.0)
    side = augmentation.side or photos.shape[-1]
    still = not augmentation.rotation and not augmentation.zoom and augmentation.resized_crop == 1
    if still and not augmentation.textures and side == photos.shape[-1]:
        return torch.where(mirror[:, None, None, None], photos.flip(3), photos)
    angle = (turns[:, 0] * 2 - 1) * math.radians(augmentation.rotation)
    zoom = 1 + (turns[:, 1:3] * 2 - 1) * augmentation.zoom  # (B, 2): x, y
    sign = torch.where(mirror, -1.0, 1.0)
    rows = [
        torch.stack([sign * zoom[:, 0] * angle.cos(), -zoom[:, 1] * angle.sin()], dim=1),
        torch.stack([sign * zoom[:, 0] * angle.sin(), zoom[:, 1] * angle.cos()], dim=1),
    ]
    share = 1 - (1 - augmentation.resized_crop) * crops[:, 0]
    shift = (crops[:, 1:] * 2 - 1) * (1 - share[:, None])  # (B, 2): x, y; of half of the side
    turned = torch.stack(rows, dim=1) * share[:, None, None]
    matrix = torch.cat([turned, shift[..., None]], dim=2)  # (B, 2, 3)
    grid = F.affine_grid(matrix, [*photos.shape[:2], side, side], align_corners=False)
    scaled = photos.float() / 255
    shown = F.grid_sample(scaled, grid, padding_mode="reflection", align_corners=False)
    if augmentation.textures and (alone := textures.chosen(surface, augmentation.textures)).any():
        surfaces = textures.surfaces(scaled[alone], surface[alone], side)
        shown = shown.index_put((alone,), surfaces)
    return shown
