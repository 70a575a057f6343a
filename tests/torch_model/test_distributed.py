"""Several processes train as one does: with the same losses and weights, and through what happens to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

import train
from torch_model import checkpoint, distributed, journal
from torch_model.batches import Share
from torch_model.distributed import World

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
SMALL = ["--size", "16", "--threads", "1", "--no-tensorboard", "--device", "cpu", "--log-every", "1"]
UNEVEN = ["--batch", "9", "--ema", "0.9", "--clip", "1", "--eval-every", "6"]  # of 23 photographs: 9, 9, 5
STEADY = ["--center-lightness", "--lr", "1e-4", "--optimizer", "adamw"]  # which make little of rounding
STEPS = 12  # four epochs
NEAR = 2e-5  # relative, of losses


@pytest.fixture(scope="module")
def options(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return options of a small run with a short last batch, on 24 photographs decoded once."""
    cache = tmp_path_factory.mktemp("cache")
    return [*SMALL, *UNEVEN, *STEADY, "--data", str(folder), "--cache", str(cache), "--steps", str(STEPS)]


@pytest.fixture(scope="module")
def alone(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of that run, in one process."""
    place = tmp_path_factory.mktemp("alone")
    assert train.main([*options, "--out", str(place)]) == 0
    return place


def together(
    options: Sequence[str], place: Path, *torchrun: str, processes: int = 2, victim: str = ""
) -> subprocess.Popen[str]:
    """Start watched processes of a run in this folder; what they hold in the end is written beside it."""
    place.mkdir(exist_ok=True)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--monitor-interval", "0.1"]
    command = [*launcher, f"--nproc_per_node={processes}", *torchrun, str(HERE / "witness.py"), *options]
    return subprocess.Popen(
        [*command, "--out", str(place)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "WITNESS": str(place), "VICTIM": victim, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for processes to end with an exit code; return what they said."""
    try:
        said = process.communicate(timeout=300)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode == code, said
    return said


def losses(place: Path) -> list[float]:
    """Return the losses that a run wrote down, step by step."""
    return [float(row["loss"]) for row in journal.read(place / "log.csv")]


def state(place: Path) -> dict[str, Any]:
    """Return the last checkpoint of a run."""
    found, complaints = checkpoint.latest(place / "checkpoints")
    assert found is not None
    assert not complaints
    return found


def assert_same_run(one: Path, other: Path) -> None:
    """Compare losses, weights and averaged weights of two runs, within rounding."""
    assert losses(one) == pytest.approx(losses(other), rel=NEAR)
    first, second = state(one), state(other)
    assert first["step"] == second["step"] == STEPS
    assert first["averaged"] == second["averaged"]
    for name in ("model", "ema"):
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-5)


@pytest.fixture(scope="module")
def pair(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of the same run in two processes, two parts each, and what was said."""
    place = tmp_path_factory.mktemp("pair")
    return place, finish(together([*options, "--accumulate", "2"], place))


def test_two_processes_are_one_run(alone: Path, pair: tuple[Path, str]) -> None:
    """Two processes, two parts each, give one process's losses and weights, short last batches included."""
    assert_same_run(alone, pair[0])
    assert state(alone)["best"] == pytest.approx(state(pair[0])["best"], rel=NEAR)


def test_averaged_weights_on_every_rank(pair: tuple[Path, str]) -> None:
    """All processes hold the same weights and averaged weights, bit for bit, which are those kept."""
    first, second = (torch.load(pair[0] / f"rank-{rank}.pt", weights_only=True) for rank in range(2))
    kept = state(pair[0])
    for name in ("model", "ema"):
        for key, value in kept[name].items():
            assert torch.equal(first[name][key], value)
            assert torch.equal(second[name][key], value)


def test_first_rank_alone_speaks(pair: tuple[Path, str]) -> None:
    """Progress is said and written once, and nothing is warned of."""
    place, said = pair
    assert said.count("step 1/12") == said.count("finished, at step 12 of 12") == 1
    assert "Warning" not in said
    assert [int(row["step"]) for row in journal.read(place / "log.csv")] == list(range(1, STEPS + 1))


def test_resumed_on_another_number(options: list[str], alone: Path, tmp_path: Path) -> None:
    """A run of two processes goes on in one, then in three, as if nothing had happened."""
    finish(together([*options, "--steps", "4"], tmp_path))
    assert train.main([*options, "--steps", "8", "--out", str(tmp_path)]) == 0
    said = finish(together(options, tmp_path, processes=3))
    assert "from step 8" in said
    assert_same_run(alone, tmp_path)


def assert_near(one: Path, other: Path) -> None:
    """Compare losses of two runs whose rounding grows: of a critic in bfloat16."""
    expected, found = losses(one), losses(other)
    assert found[:3] == pytest.approx(expected[:3], rel=1e-3)
    assert found == pytest.approx(expected, rel=2e-3)


CRITIC = ["--critic-share", "1", "--critic-weights", "random", "--coherence", "1"]
CRITIC += ["--size", "32", "--lr", "1e-3"]


@pytest.fixture(scope="module")
def judged(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with a critic, held to coherence too, in one process."""
    place = tmp_path_factory.mktemp("judged")
    assert train.main([*options, *CRITIC, "--out", str(place)]) == 0
    return place


def test_critic_of_two_processes(options: list[str], judged: Path, tmp_path: Path) -> None:
    """With a critic two processes have one's losses, uneven batches too, and equal critics, bit for bit."""
    finish(together([*options, *CRITIC], tmp_path))
    assert_near(judged, tmp_path)
    first, second = (torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in range(2))
    assert all(torch.equal(value, second["critic"][name]) for name, value in first["critic"].items())


def test_critic_resumed_on_another_number(options: list[str], judged: Path, tmp_path: Path) -> None:
    """A run with a critic goes on in another number of processes."""
    finish(together([*options, *CRITIC, "--steps", "6"], tmp_path))
    assert train.main([*options, *CRITIC, "--out", str(tmp_path)]) == 0
    assert_near(judged, tmp_path)


NORM = ["--norm", "--batch", "11"]  # of 23 photographs: 11, 11, 1, of which one process has none


def assert_normal(one: Path, other: Path) -> None:
    """Compare losses of two runs with normalisation; of one photograph it has few values: rounding grows."""
    expected, found = losses(one), losses(other)
    whole = [step for step in range(STEPS) if step % 3 < 2]
    assert found[:2] == pytest.approx(expected[:2], rel=1e-4)
    assert [found[step] for step in whole] == pytest.approx([expected[step] for step in whole], rel=5e-2)
    assert found == pytest.approx(expected, rel=0.3)


@pytest.fixture(scope="module")
def normal(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with batch normalisation, in one process."""
    place = tmp_path_factory.mktemp("normal")
    assert train.main([*options, *NORM, "--out", str(place)]) == 0
    return place


def test_norm_of_two_processes(options: list[str], normal: Path, tmp_path: Path) -> None:
    """Batch normalisation goes over both processes' photographs; both hold the same tensors in the end."""
    finish(together([*options, *NORM], tmp_path))
    assert_normal(normal, tmp_path)
    first, second = (torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in range(2))
    assert all(torch.equal(value, second["model"][name]) for name, value in first["model"].items())


def test_norm_resumed_on_another_number(options: list[str], normal: Path, tmp_path: Path) -> None:
    """A run with batch normalisation goes on in another number of processes."""
    finish(together([*options, *NORM, "--steps", "6"], tmp_path, processes=3))
    assert train.main([*options, *NORM, "--out", str(tmp_path)]) == 0
    assert_normal(normal, tmp_path)


@pytest.mark.slow
def test_killed_rank_ends_the_job(options: list[str], tmp_path: Path) -> None:
    """If a process is killed, the job ends with a line that says so and how it goes on."""
    said = finish(together(options, tmp_path, victim="1:5"), 1)
    assert "train.py, rank 0: another process of this job is gone; the same command goes on" in said
    assert "Traceback" not in said.partition("train.py, rank 0")[2].partition("\n")[0]


@pytest.mark.slow
def test_killed_rank_is_brought_back(options: list[str], alone: Path, tmp_path: Path) -> None:
    """With torchrun's --max-restarts a killed process costs what came after the last checkpoint, no more."""
    process = together([*options, "--checkpoint-every", "4"], tmp_path, "--max-restarts=1", victim="1:5")
    assert "from step 4" in finish(process)
    assert (tmp_path / "killed").exists()
    assert_same_run(alone, tmp_path)


@pytest.mark.slow
def test_ctrl_c(options: list[str], tmp_path: Path) -> None:
    """Ctrl-C, which all processes of a terminal hear and torchrun hands on, ends all with one checkpoint."""
    process = together([*options, "--steps", "100000"], tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 3/"):
            os.killpg(process.pid, signal.SIGINT)
            break
    said = finish(process, 1)  # torchrun's own code, with a traceback of its own
    assert said.count("stopped: the same command goes on") == 1
    assert f"at step {state(tmp_path)['step']} of 100000" in said


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--norm"], "--norm takes means over a whole batch"),
        (["--critic-share", "0.5"], "--critic-share measures gradients over a whole batch"),
        (["--coherence", "0.5"], "--coherence measures gradients over a whole batch"),
        (["--accumulate", "0"], "--accumulate 0: wanted is at least 1"),
    ],
)
def test_what_would_be_another_run(
    options: list[str], tmp_path: Path, wrong: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options that would mean something else in parts of a batch are refused in one line."""
    assert train.main([*options, "--out", str(tmp_path), "--accumulate", "2", *wrong]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert words in error


def test_wrong_option_is_said_once(options: list[str], tmp_path: Path) -> None:
    """What all processes would complain of alike is said by one."""
    said = finish(together([*options, "--data", "nowhere"], tmp_path), 1)
    lines = [line for line in said.splitlines() if line.startswith("train.py")]
    assert lines == ["train.py, rank 0: there is no nowhere: name a folder or a .tar file of photographs"]


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [1, 5, 9])
def test_shares(size: int, count: int) -> None:
    """The parts of all processes are the batch, each photograph once; their weights are by their number."""
    batch = torch.arange(count)
    parts = [Share(rank, size, 2).split(batch) for rank in range(size)]
    assert all(1 <= len(own) <= 2 for own in parts)
    assert torch.cat([part for own in parts for part in own]).tolist() == batch.tolist()
    weights = [Share(0, size, 2).weight(len(part), count) for own in parts for part in own]
    assert sum(weights) / size == pytest.approx(1)


def test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that torchrun did not start meets nobody, and keeps its device."""
    world = distributed.join(torch.device("cpu"))
    assert world == World()
    assert world.told(lambda: 3) == world.in_turn(lambda: 3) == world.total(3) == 3
    assert distributed.own_device("cuda:1") == "cuda:1"
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert distributed.join(torch.device("cpu")) == world
