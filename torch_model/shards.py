"""Photographs in tar files that are read from beginning to end, in an order that is known beforehand.

For sets larger than memory and than a disk for a cache. Shards are as WebDataset has them: plain tar files of
photographs (other members are passed over), many more of them than processes.

Each epoch deals the shards, in another order, to lanes. A lane reads one after the other and shuffles within
a window of photographs; batches take from the lanes in turn. So what a batch holds is a function of seed,
epoch and number, whoever reads which lane: any number of processes may share them, or go on in the middle.
"""

from __future__ import annotations

import bisect
import hashlib
import heapq
import json
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tintype.errors import UsageError
from tintype.progress import Progress
from torch_model import disk
from torch_model.photos import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

LANES: Final = 64  # fewer where there are fewer shards
_KNOWN: Final = "shards.json"  # in the cache: how many photographs are in shards that were counted before
_READ: Final = 1 << 20  # bytes at a time, of each shard that is open
_OF_LANES, _OF_PHOTOS = 1, 2  # separate the random numbers that one key gives


@dataclass(frozen=True)
class Shard:
    """A tar file of photographs."""

    path: Path
    count: int
    first: int
    """Number of its first photograph among those of all shards."""


@dataclass(frozen=True)
class Shards:
    """Tar files of photographs, and how they are shuffled."""

    found: tuple[Shard, ...]
    seed: int
    window: int
    """Photographs that all lanes together hold back, encoded, to shuffle them."""

    @property
    def count(self) -> int:
        """Photographs in all of them."""
        return self.found[-1].first + self.found[-1].count

    @property
    def lanes(self) -> int:
        """How many shards are read at a time."""
        return min(LANES, len(self.found))

    @property
    def digest(self) -> str:
        """A digest of which shards there are, by name, size and count: their contents are not looked at."""
        listing = [(shard.path.name, shard.path.stat().st_size, shard.count) for shard in self.found]
        return hashlib.sha256(json.dumps(listing).encode()).hexdigest()[:16]

    def report(self) -> str:
        """Say how many photographs there are, in a line."""
        return f"{self.count} photographs in {len(self.found)} shards, read as training goes on"

    def plan(self, epoch: int) -> Plan:
        """Deal the shards of an epoch to lanes, each to the one with the fewest photographs so far."""
        key = [self.seed, epoch]
        order = np.random.Generator(np.random.Philox(key=key)).permutation(len(self.found))
        lanes: list[list[Shard]] = [[] for _ in range(self.lanes)]
        filled = [(0, lane) for lane in range(self.lanes)]
        for number in order:
            count, lane = filled[0]
            lanes[lane].append(self.found[number])
            heapq.heapreplace(filled, (count + self.found[number].count, lane))
        return Plan(tuple(key), lanes, max(1, self.window // self.lanes))

    def uniforms(self, epoch: int, photo: int, count: int) -> NDArray[np.float32]:
        """Draw random numbers (count,) in [0, 1) for a photograph in an epoch."""
        philox = np.random.Philox(key=[self.seed, epoch], counter=[0, 0, photo, _OF_PHOTOS])
        return np.random.Generator(philox).random(count, np.float32)


@dataclass(frozen=True)
class Encoded:
    """A photograph as it stands in its shard."""

    number: int
    """Among those of all shards."""
    name: str
    data: bytes


@dataclass(frozen=True)
class Plan:
    """The order of one epoch."""

    key: tuple[int, ...]
    lanes: list[list[Shard]]
    window: int
    """Photographs that each lane holds back to shuffle them."""

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Photographs of each lane, (L,)."""
        return np.array([sum(shard.count for shard in lane) for lane in self.lanes])

    def taken(self, position: int) -> NDArray[np.int64]:
        """Return how many photographs of each lane, (L,), are among so many first ones of the epoch.

        Lanes give one photograph each, in turn, as long as they last.
        """
        counts = self.counts
        ends = range(int(counts.max()) + 1)
        rounds = bisect.bisect_right(ends, position, key=lambda end: np.minimum(counts, end).sum()) - 1
        taken = np.minimum(counts, rounds)
        taken[np.flatnonzero(counts > rounds)[: position - taken.sum()]] += 1
        return taken

    def read(self, lane: int, start: int) -> Iterator[Encoded]:
        """Yield the photographs of a lane, but for the first ones, which were taken before.

        Shards are read from beginning to end; none of which all was taken is opened. Raises UsageError on one
        that is damaged or not what it was.
        """
        ranks = self._ranks(lane)
        held: dict[int, Encoded] = {}
        for shard in self.lanes[lane]:
            own, ranks = ranks[: shard.count], ranks[shard.count :]
            if (own < start).all():
                continue
            for photo in _members(shard):
                rank = int(own[photo.number - shard.first])
                if rank >= start:
                    held[rank] = photo
                while start in held:
                    yield held.pop(start)
                    start += 1

    def _ranks(self, lane: int) -> NDArray[np.int64]:
        """Return when each photograph of a lane, in the order of the shards, is given: within a window of it.

        A shuffle buffer, as a sort: where every photograph may come up to a window later than it is read, no
        more than a window of them is held at a time.
        """
        count = self.counts[lane]
        philox = np.random.Philox(key=list(self.key), counter=[0, 0, lane, _OF_LANES])
        keys = np.arange(count) + self.window * np.random.Generator(philox).random(count)
        ranks = np.empty(count, np.int64)
        ranks[np.argsort(keys, kind="stable")] = np.arange(count)
        return ranks


def find(data: Sequence[str], seed: int, window: int, cache: Path) -> Shards:
    """List tar files, or patterns of them, with how many photographs are in each. Raises UsageError."""
    paths = [path for place in data for path in _paths(place)]
    shards, first = [], 0
    for path, count in zip(paths, _counts(paths, cache / _KNOWN), strict=True):
        if count:
            shards.append(Shard(path, count, first))
            first += count
    if not shards:
        raise UsageError(f"no photographs in {', '.join(data)}")
    return Shards(tuple(shards), seed, window)


def _paths(place: str) -> list[Path]:
    path = Path(place)
    matches = [path] if path.is_file() else sorted(path.parent.glob(path.name))
    if not matches or not all(match.is_file() for match in matches):
        raise UsageError(f"--stream reads tar files, which {place} is not: name them, as 'train-*.tar'")
    return matches


def _counts(paths: list[Path], known: Path) -> list[int]:
    """Return how many photographs are in tar files; what was counted before is `known`."""
    try:
        counted: dict[str, int] = json.loads(known.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none so far, or damaged
        counted = {}
    keys = [_key(path) for path in paths]
    new = [(key, path) for key, path in zip(keys, paths, strict=True) if key not in counted]
    if new:
        with Progress("counting photographs", len(new)) as progress:
            for key, path in new:
                counted[key] = _count(path)
                progress.advance()
        disk.write_json(known, counted)
    return [counted[key] for key in keys]


def _key(path: Path) -> str:
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def _count(path: Path) -> int:
    try:
        with tarfile.open(path, "r:") as archive:  # which goes from header to header
            return sum(_is_photo(member) for member in archive)
    except tarfile.TarError as error:
        raise UsageError(f"{path} is not an uncompressed tar file: {error}") from error


def _members(shard: Shard) -> Iterator[Encoded]:
    """Read the photographs of a shard as a stream."""
    number, last = shard.first, shard.first + shard.count
    try:
        with tarfile.open(shard.path, "r|", bufsize=_READ) as archive:
            for member in archive:
                file = archive.extractfile(member) if _is_photo(member) else None
                if file is not None and number < last:
                    yield Encoded(number, member.name, file.read())
                number += file is not None
                archive.members = []  # type: ignore[attr-defined]  # or it would remember all
    except tarfile.TarError as error:
        raise UsageError(f"{shard.path} is damaged: {error}") from error
    if number != last:
        raise UsageError(f"{shard.path} has changed since its photographs were counted")


def _is_photo(member: tarfile.TarInfo) -> bool:
    return member.isfile() and Path(member.name).suffix.lower() in SUFFIXES
