"""The page of all photographs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from torch_model import evaluate, metrics

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def options(folder: Path, stub: Path, tmp_path: Path) -> list[str]:
    """Return what evaluates a stub model on five photographs."""
    return ["--data", str(folder), "--limit", "5", "--cache", str(tmp_path / "cache"), "--model", str(stub)]


def test_report(options: list[str], tmp_path: Path) -> None:
    """The page has every photograph's numbers and pictures, needs no network, and replaces the last."""
    page = tmp_path / "out" / "page"
    for _ in range(2):
        assert evaluate.main([*options, "--report", str(page)]) == 0
    assert {file.name for file in page.parent.iterdir()} == {"page"}
    text = (page / "data.js").read_text()
    data = json.loads(text.removeprefix("const DATA = ").rstrip(";\n"))
    assert len(data["names"]) == len(data["categories"]) == 5
    grey, stub = data["models"]
    assert stub["summary"]["model"] == "stub"
    assert np.mean(stub["each"]["psnr"]) == pytest.approx(stub["summary"]["psnr"], abs=1e-3)
    assert set(grey["bands"]) | set(stub["bands"]) <= {"good", "fair", "bad"}
    for name in ("original", grey["images"], stub["images"]):
        for number in range(5):
            with Image.open(page / "images" / name / f"{number}.webp") as image:
                assert image.size == (256, 256)
    assert not re.search(r"https?:|//[a-z]", (page / "index.html").read_text())


def test_other_folders_are_kept(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with something else is refused in a line, and stays."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "mine.txt").write_text("mine")
    assert evaluate.main([*options, "--report", str(kept)]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("evaluate: ")
    assert (kept / "mine.txt").read_text() == "mine"


def test_nothing_is_left_of_a_failure(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that fails on the way leaves no half of a report."""

    def fail(*_: object) -> float:
        raise OSError("no space left")

    monkeypatch.setattr(metrics, "ssim", fail)
    assert evaluate.main([*options, "--report", str(tmp_path / "out" / "page")]) == 2
    assert not list((tmp_path / "out").iterdir())
