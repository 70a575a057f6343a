"""Calibration: how common bins are, what each cell scores, which is chosen, what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from torch_model import bins, calibrate, weights
from torch_model.calibration import UNIFORM, Cell, Scores, calibrated, choose, log_prior, score
from torch_model.model import NetworkConfig, Vivid, build, initialize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SAMPLES = ["--data", "skimage:samples", "--val", "skimage:samples"]
CELL = Cell(0.5, 0.2, 1.3, 40, 0.25)


def network() -> Vivid:
    """Return a network of seeded weights that is drawn to some colors more than to others."""
    made = Vivid(NetworkConfig("vivid"))
    initialize(made, "he", 0)
    assert made.head.bias is not None
    made.head.bias.data = -0.002 * (made.centers - 20).square().sum(dim=1)
    return made.eval()


def noise(count: int = 70) -> NDArray[np.uint8]:
    """Return seeded noise as photographs of 16 x 16."""
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), np.uint8)


def options(folder: Path, *, source: Path | None = None, out: str = "out.safetensors") -> list[str]:
    """Return a command line over scikit-image's samples at 16 px, of weights made here if none are given."""
    if source is None:
        source = folder / "in.safetensors"
        weights.save(network(), source, {"steps": 7})
    return [str(source), str(folder / out), *SAMPLES, "--size", "16", "--cache", str(folder / "cache")]


def row(psnr: float, colorfulness: float, cell: Cell | None = CELL) -> Scores:
    """Return scores of a cell."""
    return Scores("ab", cell, psnr, 10, colorfulness)


def test_prior_counts_every_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log prior does not depend on how photographs are batched, and no bin's is infinite."""
    whole = log_prior(noise())
    monkeypatch.setattr("torch_model.calibration._PIXELS", 16 * 16 * 9)
    torch.testing.assert_close(log_prior(noise()), whole)
    assert torch.isfinite(whole).all()
    assert whole.mean().item() == pytest.approx(0, abs=1e-5)


def test_prior_of_one_color() -> None:
    """Of white photographs grey is the common bin; most others have an even part of UNIFORM."""
    shares = log_prior(np.full((3, 16, 16, 3), 255, np.uint8)).double().softmax(dim=0)
    grey = (bins.centers() == 0).all(axis=1).argmax()
    assert shares[grey].item() == pytest.approx(1 - UNIFORM, abs=0.01)
    assert shares.median().item() == pytest.approx(UNIFORM / 306)


def test_calibrated_shares_all_but_the_decoding() -> None:
    """A calibrated network has a cell's numbers and a shift by them; its weights are the same memory."""
    source, prior = network(), torch.arange(306.0)
    made = calibrated(source, CELL, prior)
    assert made.config == replace(source.config, temperature=0.5, gain=1.3, perplexity=40, violet=0.25)
    torch.testing.assert_close(made.shift.flatten(), 0.2 * prior)
    assert made.head.weight.data_ptr() == source.head.weight.data_ptr()
    assert not source.shift.any()


def test_scores_are_of_what_a_network_decodes() -> None:
    """Grey has no color; the rows of cells differ; equal cells among others score the same as alone."""
    prior = log_prior(noise())
    cells = [Cell(1.0, 0.0), Cell(0.5, 0.0), Cell(1.0, 0.5)]
    networks = {cell: calibrated(network(), cell, prior) for cell in cells}
    grey, mean, same, sharp, raised = score(networks, noise(10))
    assert grey.colorfulness < 0.02
    assert [r.cell for r in (grey, mean, same, sharp, raised)] == [None, None, *cells]
    assert same.psnr == pytest.approx(mean.psnr)
    assert same.ab_rmse == pytest.approx(mean.ab_rmse)
    assert len({same.psnr, sharp.psnr, raised.psnr}) == 3
    assert score({cells[2]: networks[cells[2]]}, noise(10))[2] == raised


def test_choice() -> None:
    """Of cells colorful enough the highest PSNR is chosen, else the most colorful; never a reference."""
    grey = row(30, 2, None)
    rows = [grey, row(23, 0.5), row(22, 0.9), row(21, 1.1)]
    assert choose(rows, 0.85) == rows[2]
    assert choose(rows, 0.2) == rows[1]
    assert choose(rows, 1.5) == rows[3]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every choice is scored beside grey and the mean, written down, and the chosen one is in the weights."""
    grid = ["--temperature", "0.3", "1", "--rebalance", "0", "0.5", "--gain", "1.2", "--perplexity", "50"]
    grid += ["--violet", "0.3"]
    file = tmp_path / "scores.json"
    written = [*options(tmp_path, out="new/out.safetensors"), "--json", str(file)]
    assert calibrate.main([*written, *grid, "--limit", "3"]) == 0
    said = capsys.readouterr()
    found = json.loads(file.read_text())
    pairs = [(r["cell"] or {}).get("temperature") for r in found["scores"]]
    assert pairs == [None, None, 0.3, 0.3, 1, 1]
    assert all(f"| {r['psnr']:.2f} | {r['ab_rmse']:.2f} |" in said.out for r in found["scores"])
    assert found["photos"] == 3
    assert "scoring: 3 of 3" in said.err
    chosen = found["chosen"]["cell"]
    made = weights.load(tmp_path / "new" / "out.safetensors")
    assert isinstance(made, Vivid)
    assert (made.config.temperature, made.config.gain) == (chosen["temperature"], 1.2)
    assert (made.config.perplexity, made.config.violet) == (50, 0.3)
    assert made.shift.any() == (chosen["rebalance"] > 0)
    assert torch.equal(made.head.weight, network().head.weight)
    training = weights.training(tmp_path / "new" / "out.safetensors")
    assert training == {"steps": 7, "calibration": {"photos": 5, "size": 16, **chosen}}


def test_single_pair_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A single pair is written, whatever its color; its shift is so much of the log prior."""
    pair = ["--temperature", "0.7", "--rebalance", "0.25", "--colorfulness", "9", "--crop", "stretch"]
    assert calibrate.main([*options(tmp_path), *pair]) == 0
    assert "temperature 0.7, rebalance 0.25, gain 1" in capsys.readouterr().out
    once = weights.load(tmp_path / "out.safetensors")
    again = options(tmp_path, source=tmp_path / "out.safetensors", out="again.safetensors")
    assert calibrate.main([*again, *pair[:2], "--rebalance", "0.5", *pair[4:]]) == 0
    twice = weights.load(tmp_path / "again.safetensors")
    assert isinstance(once, Vivid)
    assert isinstance(twice, Vivid)
    torch.testing.assert_close(twice.shift, 2 * once.shift)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--size", "20"], "--size 20 is not a multiple of 8"),
        (["--limit", "0"], "--limit 0: wanted is at least 1"),
        (["--temperature", "0.5", "0"], "--temperature 0: wanted is from 0.01"),
        (["--temperature", "nan"], "--temperature nan: wanted is from"),
        (["--gain", "0"], "--gain 0: wanted is from 0.1 to 10"),
        (["--perplexity", "-1"], "--perplexity -1: wanted is from 0 to 1000"),
        (["--violet", "1.5"], "--violet 1.5: wanted is from 0 to 1"),
        (["--rebalance", "-1"], "--rebalance -1: wanted is from 0 to 1"),
        (["--data", "nowhere"], "there is no nowhere"),
        (["--val", "nowhere.tar"], "there is no nowhere.tar"),
    ],
)
def test_wrong_options(
    tmp_path: Path, wrong: Sequence[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options that cannot work are refused in one line, with exit code 2, and nothing is written."""
    assert calibrate.main([*options(tmp_path), *wrong]) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("decoding")]
    assert len(error) == 1
    assert error[0].startswith("calibrate: ")
    assert words in error[0]
    assert not (tmp_path / "out.safetensors").exists()


def test_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights that are not there or of classic, and an output of another kind, are refused in one line."""
    classic = tmp_path / "classic.safetensors"
    weights.save(build(NetworkConfig()), classic)
    (tmp_path / "folder.safetensors").mkdir()
    tries = [
        (options(tmp_path, source=classic), "is classic, which predicts no distribution"),
        (options(tmp_path, source=tmp_path / "none.pt"), "there is no model"),
        (options(tmp_path, out="out.onnx"), "does not end in .safetensors"),
        ([*options(tmp_path, out="folder.safetensors"), "--temperature", "1"], "cannot be written"),
    ]
    for command, words in tries:
        assert calibrate.main(command) == 2
        assert words in capsys.readouterr().err.splitlines()[-1]
