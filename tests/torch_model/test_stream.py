"""Photographs in shards: each once an epoch, in one order, whoever reads them."""

from __future__ import annotations

import io
import itertools
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import train
from pictures import picture
from tintype.errors import UsageError
from torch_model import cache, shards, stream
from torch_model.batches import Share
from torch_model.config import TrainConfig
from torch_model.distributed import World
from torch_model.stream import Reading, Stream

if TYPE_CHECKING:
    from pathlib import Path

    from torch_model.shards import Shards

COUNTS = (5, 11, 2, 7, 9)  # photographs in each shard
TOTAL = sum(COUNTS)
BATCH = 8
CPU = torch.device("cpu")


def pack(path: Path, photos: dict[str, bytes]) -> None:
    """Write a shard as WebDataset has them: of each sample a photograph and something else."""
    with tarfile.open(path, "w") as archive:
        for name, data in photos.items():
            for member, content in ((name, data), (f"{name}.json", b"{}")):
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))


def encoded(seed: int) -> bytes:
    """Return a small photograph, encoded."""
    file = io.BytesIO()
    picture(seed).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of five uneven shards."""
    place = tmp_path_factory.mktemp("shards")
    seeds = itertools.count()
    for number, count in enumerate(COUNTS):
        photos = {f"{seed:03d}.png": encoded(seed) for seed in itertools.islice(seeds, count)}
        pack(place / f"train-{number}.tar", photos)
    return place


@pytest.fixture(scope="module")
def found(folder: Path) -> Shards:
    """Return those shards."""
    return shards.find([str(folder / "train-*.tar")], 3, 10, folder)


def given(found: Shards, share: Share, workers: int, start: int, steps: int) -> list[list[list[bytes]]]:
    """Return, for each step and worker, which photographs a process is given (by what they show)."""
    config = TrainConfig(stream=True, val=("x",), batch=BATCH, size=16, workers=workers)
    source = Stream(found, config, CPU, share, World())
    portions = iter(source._loader(start))
    each = max(1, workers)
    read = [[next(portions) for _ in range(each)] for _ in range(steps)]
    return [[[photo.tobytes() for photo in portion.pixels] for portion in step] for step in read]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine with one core
def test_every_photograph_once(found: Shards) -> None:
    """Two processes with two workers each see every photograph once an epoch, five shards among four."""
    steps = Reading(found, cache.Rule(16, "center"), BATCH, Share()).per_epoch
    ranks = [given(found, Share(rank, 2), 2, 0, 2 * steps) for rank in range(2)]
    for epoch in (slice(None, steps), slice(steps, None)):
        seen = [photo for rank in ranks for step in rank[epoch] for portion in step for photo in portion]
        assert len(seen) == len(set(seen)) == TOTAL
    assert ranks[0][:steps] != ranks[0][steps:]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_batches_are_the_same(found: Shards, size: int) -> None:
    """Any number of processes takes the same batches, and goes on with them in the middle of an epoch."""
    (alone,) = (given(found, Share(), 0, 0, 8),)
    ranks = [given(found, Share(rank, size), 0, 3, 5) for rank in range(size)]
    for number in range(5):
        together = sorted(photo for rank in ranks for photo in rank[number][0])
        assert together == sorted(alone[number + 3][0])


def test_batches_are_whole(found: Shards) -> None:
    """All batches of an epoch are full but for the last one."""
    assert [len(step[0]) for step in given(found, Share(), 0, 0, 5)] == [8, 8, 8, 8, 2]


def test_shuffled_within_a_window(found: Shards) -> None:
    """A lane gives its photographs in another order, and holds back no more of them than its window."""
    count, window = 400, 20
    plan = replace(found, found=(shards.Shard(found.found[0].path, count, 0),), window=window).plan(0)
    ranks = plan._ranks(0)
    assert sorted(ranks.tolist()) == list(range(count))
    order = np.argsort(ranks)
    assert (order != np.arange(count)).mean() > 0.8
    furthest = np.maximum.accumulate(order)  # what must have been read for each that is given
    assert (furthest + 1 - np.arange(1, count + 1)).max() <= window


def test_lanes_are_even(found: Shards) -> None:
    """Where shards are many, no lane has more photographs than another by more than a shard."""
    many = tuple(shards.Shard(found.found[0].path, 10 + number % 7, 0) for number in range(500))
    counts = replace(found, found=many).plan(1).counts
    assert len(counts) == shards.LANES
    assert counts.max() - counts.min() <= 16


def test_taken(found: Shards) -> None:
    """Lanes give in turn as long as they last, and nothing is given twice."""
    plan = found.plan(0)
    taken = np.array([plan.taken(position) for position in range(TOTAL + 1)])
    assert (np.diff(taken, axis=0).sum(axis=1) == 1).all()
    assert (taken[-1] == plan.counts).all()
    assert taken[10].tolist() == [2] * 5


def test_augmentation_belongs_to_the_photograph(found: Shards) -> None:
    """What a photograph goes through depends on seed, epoch and its number alone."""
    assert np.array_equal(found.uniforms(2, 7, 5), found.uniforms(2, 7, 5))
    others = [found.uniforms(2, 8, 5), found.uniforms(3, 7, 5), replace(found, seed=4).uniforms(2, 7, 5)]
    assert not any(np.array_equal(found.uniforms(2, 7, 5), other) for other in others)


def test_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Photographs that cannot be used are named, and missing in their batch; weights are by the others."""
    grey = io.BytesIO()
    picture(0).convert("L").save(grey, "PNG")
    pack(tmp_path / "a.tar", {"a.png": encoded(1), "b.png": b"no photograph", "c.png": grey.getvalue()})
    known = shards.find([str(tmp_path / "a.tar")], 0, 4, tmp_path)
    config = TrainConfig(stream=True, val=("x",), batch=3, size=16, workers=0, accumulate=2)
    (part,) = Stream(known, config, CPU, Share(0, 1, 2), World()).parts(0)
    assert part.weight == 1
    assert len(part.batch.ab) == 1
    said = capsys.readouterr().err
    assert "left out b.png: unreadable" in said
    assert "left out c.png: grey" in said


def test_nothing_left(tmp_path: Path) -> None:
    """A process that is left without a photograph takes black, of no weight."""
    pack(tmp_path / "a.tar", {"b.png": b"no photograph"})
    known = shards.find([str(tmp_path / "a.tar")], 0, 4, tmp_path)
    config = TrainConfig(stream=True, val=("x",), batch=3, size=16, workers=0)
    (part,) = Stream(known, config, CPU, Share(), World()).parts(0)
    assert (part.weight, len(part.batch.ab), part.last) == (0, 1, True)
    with pytest.raises(UsageError, match="none of 1 photographs"):
        Stream(known, config, CPU, Share(), World()).few(8)


def test_damaged_shard(folder: Path, tmp_path: Path) -> None:
    """A shard that is cut off, or was exchanged, ends reading with a line that names it."""
    place = tmp_path / "train.tar"
    place.write_bytes((folder / "train-1.tar").read_bytes())
    known = shards.find([str(place)], 0, 4, tmp_path)
    config = TrainConfig(stream=True, val=("x",), batch=32, size=16, workers=0)
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])
    with pytest.raises(UsageError, match=r"train\.tar (is damaged|has changed)"):
        list(Stream(known, config, CPU, Share(), World()).parts(0))
    place.write_bytes((folder / "train-0.tar").read_bytes())
    with pytest.raises(UsageError, match=r"train\.tar has changed since"):
        list(Stream(known, config, CPU, Share(), World()).parts(0))


def test_counted_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards are counted once; a record that is damaged is made anew."""
    assert [shard.count for shard in shards.find([str(folder / "train-*.tar")], 0, 1, tmp_path).found] == [
        *COUNTS
    ]
    with monkeypatch.context() as patched:
        patched.setattr(shards, "_count", None)
        shards.find([str(folder / "train-*.tar")], 0, 1, tmp_path)
    (tmp_path / "shards.json").write_text("{")
    assert shards.find([str(folder / "train-*.tar")], 0, 1, tmp_path).count == TOTAL


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "nowhere.tar"], "--stream reads tar files, which nowhere.tar is not"),
        (["--limit", "3", "--list", "x"], "takes shards as they are: leave out --list, --limit"),
        (["--val"], "--stream needs --val"),
        (["--workers", "-1"], "--workers -1: wanted is at least 0"),
    ],
)
def test_wrong_options(
    folder: Path, tmp_path: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does not go with --stream is refused in one line."""
    val = [] if options == ["--val"] else ["--val", str(folder / "train-2.tar")]
    places = ["--data", str(folder / "train-0.tar"), "--cache", str(tmp_path), "--out", str(tmp_path / "run")]
    wrong = [] if options == ["--val"] else options
    assert train.main(["--stream", "--size", "16", *places, *val, *wrong]) == 2
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_too_few_shards(found: Shards) -> None:
    """More processes than shards are refused."""
    config = TrainConfig(stream=True, val=("x",), size=16)
    with pytest.raises(UsageError, match="6 processes share 5 shards"):
        Stream(found, config, CPU, Share(0, 6), World())


@pytest.mark.slow
def test_worker_killed(found: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is gone, as the system kills for memory, ends training with a line and no traceback."""
    monkeypatch.setattr(stream, "decode", lambda *_: __import__("os")._exit(9))
    config = TrainConfig(stream=True, val=("x",), batch=4, size=16, workers=1)
    with pytest.raises(UsageError, match="a worker that reads photographs is gone"):
        list(Stream(found, config, CPU, Share(), World()).parts(0))


def test_trains_and_resumes(folder: Path, tmp_path: Path) -> None:
    """A run on shards that is stopped in the middle of an epoch ends as one that is not."""
    from torch_model import checkpoint

    options = [
        *("--stream", "--data", str(folder / "train-*.tar"), "--val", str(folder / "train-2.tar")),
        *("--size", "16", "--batch", "8", "--device", "cpu", "--threads", "1", "--no-tensorboard"),
        *("--cache", str(tmp_path / "cache"), "--workers", "0"),
    ]
    assert train.main([*options, "--steps", "7", "--out", str(tmp_path / "whole")]) == 0
    for steps in ("3", "7"):
        assert train.main([*options, "--steps", steps, "--out", str(tmp_path / "halves")]) == 0
    first, second = (
        checkpoint.load(checkpoint.path_of(tmp_path / name / "checkpoints", 7))
        for name in ("whole", "halves")
    )
    assert all(torch.equal(value, second["model"][key]) for key, value in first["model"].items())
