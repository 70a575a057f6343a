"""A classifier learns from itself to see in grey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from torch_model import distill
from torch_model.classifiers import pretrained

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = ["--classifier-weights", "random", "--classifier-side", "32", "--threads", "1", "--device", "cpu"]


def test_agreement() -> None:
    """Equal features agree entirely; opposite ones do not."""
    features = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    top = torch.nn.Linear(8, 20)
    same, other = distill.agreement(top, features, features), distill.agreement(top, -features, features)
    assert (same.photos, same.top1, same.top5) == (40, 1, 1)
    assert same.cosine == pytest.approx(1)
    assert other.cosine == pytest.approx(-1)
    assert other.top1 < 0.5
    assert other.top1 <= other.top5


def test_loss() -> None:
    """The loss is nothing between equal features, and something between others."""
    features = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    top = torch.nn.Linear(8, 5)
    assert distill.loss(top, features, features).item() == pytest.approx(0, abs=1e-5)
    assert distill.loss(top, features + 0.5, features).item() > 0.01


def test_teaches(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what it brings, and leaves weights that a classifier takes."""
    out = tmp_path / "taught.safetensors"
    places = ["--data", str(folder), "--val", str(folder), "--cache", str(tmp_path)]
    assert distill.main([str(out), *RANDOM, *places, "--epochs", "4"]) == 0
    said = capsys.readouterr().out
    assert said.index("before: ") < said.index("after: ")
    assert "of 24 photographs, in grey at 32 px" in said
    assert pretrained("efficientnet_lite0", "softmax", 32, str(out)).features == 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["out.pt"], "does not end in .safetensors"),
        (["out.safetensors", "--classifier", "x"], "choose one of"),
    ],
)
def test_refused(folder: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot work is refused in one line with exit code 2."""
    assert distill.main([*options, "--data", str(folder), "--val", str(folder)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
