"""Networks that were trained from one another are averaged into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from torch_model import average, weights
from torch_model.model import NetworkConfig, build, initialize

if TYPE_CHECKING:
    from pathlib import Path


def file(path: Path, seed: int, config: NetworkConfig | None = None) -> Path:
    """Write weights by a seed; return the file."""
    network = build(config or NetworkConfig("vivid", gain=1 + seed))
    initialize(network, "he", seed)
    weights.save(network, path, {"steps": seed})
    return path


def test_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each weight is the mean by shares; decoding is the first one's; the file says what it was made of."""
    files = [file(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    out = tmp_path / "new" / "out.safetensors"
    assert average.main([*map(str, files), str(out), "--shares", "1", "3"]) == 0
    assert capsys.readouterr().out == f"{out}: the mean of 2 networks\n"
    made, (one, other) = weights.load(out), map(weights.load, files)
    assert made.config == one.config
    for name, value in made.state_dict().items():
        mean = 0.25 * one.state_dict()[name] + 0.75 * other.state_dict()[name]
        torch.testing.assert_close(value, mean)
    parts = [{"file": "1.safetensors", "share": 1.0}, {"file": "2.safetensors", "share": 3.0}]
    assert weights.training(out) == {"steps": 1, "averaged": parts}


def test_alike_without_shares(tmp_path: Path) -> None:
    """Without shares all count alike: a network with itself is itself."""
    path, out = file(tmp_path / "1.safetensors", 1), tmp_path / "out.safetensors"
    assert average.main([str(path)] * 3 + [str(out)]) == 0
    state = weights.load(path).state_dict()
    for name, value in weights.load(out).state_dict().items():
        torch.testing.assert_close(value, state[name])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["one", "one", "out.pt"], "out.pt does not end in .safetensors"),
        (["one", "out.safetensors"], "two or more files are wanted before the one to write"),
        (["one", "one", "out.safetensors", "--shares", "1"], "--shares has 1 numbers for 2 files"),
        (["one", "one", "out.safetensors", "--shares", "1", "0"], "--shares: numbers above 0 are wanted"),
        (["one", "one", "out.safetensors", "--shares", "1", "nan"], "--shares: numbers above 0 are wanted"),
        (
            ["one", "other", "out.safetensors"],
            "a classic is not of the first network's kind, vivid: same options",
        ),
        (["one", "none", "out.safetensors"], "there is no model"),
    ],
)
def test_said(line: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be averaged is said in one line, and nothing is written."""
    file(tmp_path / "one.safetensors", 1)
    file(tmp_path / "other.safetensors", 1, NetworkConfig("classic"))
    named = [
        str(tmp_path / f"{part}.safetensors") if part in ("one", "other", "none") else part for part in line
    ]
    named = [str(tmp_path / part) if part.startswith("out") else part for part in named]
    assert average.main(named) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("average: ")
    assert shown.err.count("\n") == 1
    assert said in shown.err
    assert not list(tmp_path.glob("out*"))
