"""Batches of photographs that are read and decoded while training goes on, by torch's DataLoader.

Takes the place of `Batches` for sets that no cache can hold. Each process reads some lanes of the shards,
each of its workers some of those: what all read for a step is its batch.
"""

from __future__ import annotations

import itertools
import math
import signal
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tintype.errors import UsageError
from tintype.progress import say
from torch_model import cache, shards
from torch_model.batches import NUMBERS, Batch, Batches, Chosen, Part, Share, present
from torch_model.photos import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from torch_model.batches import Augmentation
    from torch_model.config import TrainConfig
    from torch_model.distributed import World
    from torch_model.shards import Encoded, Plan, Shards

_AHEAD = 2  # steps that each worker decodes beforehand
_TOLD = 5  # photographs left out that are named


class Portion(NamedTuple):
    """What one worker has read for a step, n photographs."""

    pixels: NDArray[np.uint8]
    """(n, side, side, 3), sRGB."""
    uniforms: NDArray[np.float32]
    """(n, sum(NUMBERS)) in [0, 1)."""
    left_out: list[str]
    """Photographs that cannot be used, with the reason."""
    failure: str
    """Why nothing more can be read, if so."""


@dataclass
class Reading(IterableDataset[Portion]):
    """A portion for each step, for ever: of a process's lanes, those of one of its workers."""

    shards: Shards
    rule: cache.Rule
    batch: int
    share: Share
    start: int = 0
    """The step to begin with."""

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch; the last batch may be short."""
        return math.ceil(self.shards.count / self.batch)

    def __iter__(self) -> Iterator[Portion]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        lanes = range(self.shards.lanes)[self.share.rank :: self.share.size][number::workers]
        epoch, step = divmod(self.start, self.per_epoch)
        try:
            for each in itertools.count(epoch):
                yield from self._epoch(each, lanes, step if each == epoch else 0)
        except (UsageError, OSError) as error:
            yield self._decode([], 0)._replace(failure=str(error))

    def _epoch(self, epoch: int, lanes: range, first: int) -> Iterator[Portion]:
        plan = self.shards.plan(epoch)
        before = self._taken(plan, first)
        readers = {lane: plan.read(lane, int(before[lane])) for lane in lanes}
        for step in range(first, self.per_epoch):
            after = self._taken(plan, step + 1)
            wanted = after - before
            photos = [photo for lane in lanes for photo in itertools.islice(readers[lane], int(wanted[lane]))]
            yield self._decode(photos, epoch)
            before = after

    def _taken(self, plan: Plan, step: int) -> NDArray[np.int64]:
        return plan.taken(min(step * self.batch, self.shards.count))

    def _decode(self, photos: list[Encoded], epoch: int) -> Portion:
        side = self.rule.side
        pixels, uniforms, left_out = [np.empty((0, side, side, 3), np.uint8)], [], []
        for photo in photos:
            decoded = decode(photo, self.rule)
            if isinstance(decoded, str):
                left_out.append(f"{photo.name}: {decoded}")
            else:
                pixels.append(decoded[None])
                uniforms.append(self.shards.uniforms(epoch, photo.number, sum(NUMBERS)))
        drawn = np.array(uniforms, np.float32).reshape(-1, sum(NUMBERS))
        return Portion(np.concatenate(pixels), drawn, left_out, "")


def decode(photo: Encoded, rule: cache.Rule) -> NDArray[np.uint8] | str:
    """Return the pixels (side, side, 3) of a photograph, or why it is left out, as the cache does."""
    source = Source(photo.name, "", len(photo.data), 0.0, partial(bytes, photo.data))
    decoded = cache.decode(source, rule)
    return decoded if isinstance(decoded, str) else decoded[0]


class Stream:
    """Batches by step, of photographs in shards: step s of any run takes the same ones."""

    def __init__(
        self, found: Shards, config: TrainConfig, device: torch.device, share: Share, world: World
    ) -> None:
        """Take shards; nothing is read yet. Raises UsageError if there are too few for the processes."""
        if share.size > len(found.found):
            raise UsageError(
                f"{share.size} processes share {len(found.found)} shards: each needs one, and better many"
            )
        self.shards, self.config, self.device, self.share, self.world = found, config, device, share, world
        self.reading = Reading(found, cache.Rule(config.held_side, config.crop), config.batch, share)
        self.count, self.per_epoch = found.count, self.reading.per_epoch
        self._at, self._told = -1, 0
        self._portions: Iterator[Portion] = iter(())

    @property
    def largest(self) -> int:
        """Photographs of a whole batch."""
        return min(self.config.batch, self.count)

    def few(self, count: int) -> Batches:
        """Return batches of a few photographs, for a trial."""
        first = self.shards.found[0]
        plan = shards.Plan((0, 0), [[first]], 1)
        decoded = (decode(photo, self.reading.rule) for photo in plan.read(0, 0))
        good = list(itertools.islice((one for one in decoded if not isinstance(one, str)), count))
        if not good:
            raise UsageError(f"none of {first.count} photographs in {first.path} can be used")
        chosen = Chosen.every(np.stack(good))
        return Batches(chosen, len(good), self.config.augmentation, self.config.seed, self.device)

    def close(self) -> None:
        """End the workers, which DataLoader does as its iterator goes."""
        self._portions, self._at = iter(()), -1

    def parts(self, step: int) -> Iterator[Part]:
        """Go through this process's share of a step's batch.

        What cannot be decoded is missing in the batch: weights are by what is there. A process that has
        nothing takes black, of weight zero.
        """
        read = [self._portion(step) for _ in range(max(1, self.config.workers))]
        self._at = step + 1
        pixels = torch.from_numpy(np.concatenate([portion.pixels for portion in read]))
        uniforms = torch.from_numpy(np.concatenate([portion.uniforms for portion in read]))
        whole = max(1, self.world.total(len(pixels)))
        parts = self.share.cut(torch.arange(len(pixels)))
        for number, part in enumerate(parts, 1):
            shown = pixels[part] if len(part) else pixels.new_zeros((1, *pixels.shape[1:]))
            drawn = uniforms[part] if len(part) else uniforms.new_zeros((1, uniforms.shape[1]))
            batch = self._show(shown, drawn, self.config.augmentation)
            yield Part(batch, self.share.weight(len(part), whole), number == len(parts))

    def _show(self, pixels: torch.Tensor, uniforms: torch.Tensor, augmentation: Augmentation) -> Batch:
        photos, random = pixels.to(self.device).permute(0, 3, 1, 2), uniforms.to(self.device)
        return present(photos, random, augmentation)

    def _portion(self, step: int) -> Portion:
        """Return what the next worker has read for a step. Raises UsageError where it could not go on."""
        if step != self._at:
            self._portions, self._at = iter(self._loader(step)), step
        try:
            portion = next(self._portions)
        except RuntimeError as error:  # DataLoader's word for it
            raise UsageError(
                f"a worker that reads photographs is gone ({error}): fewer --workers or a smaller --window "
                "take less memory"
            ) from error
        if portion.failure:
            raise UsageError(portion.failure)
        for line in portion.left_out[: _TOLD - self._told]:
            say(f"left out {line}")
            self._told += 1
        return portion

    def _loader(self, step: int) -> DataLoader[Portion]:
        workers = self.config.workers
        return DataLoader(
            replace(self.reading, start=step),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=_AHEAD if workers else None,
            worker_init_fn=_as_worker,
            collate_fn=_as_it_is,
        )


def _as_it_is(portion: Any) -> Any:
    """Keep arrays what they are: tensors would come through shared memory, scarce in containers."""
    return portion


def _as_worker(_number: int) -> None:
    """Leave Ctrl-C to the process that asked for photographs, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
