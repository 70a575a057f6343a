"""Scores of models on photographs, through the runtime."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from torch_model import evaluate, metrics

if TYPE_CHECKING:
    from pathlib import Path


def test_table_sheet_and_json(
    folder: Path, stub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Models at several working sizes are scored beside plain grey, drawn and written down."""
    options = ["--data", str(folder), "--limit", "8", "--cache", str(tmp_path), "--working-size", "64", "96"]
    files = ["--json", str(tmp_path / "scores.json"), "--sheet", str(tmp_path / "sheet.png")]
    assert evaluate.main(["--model", str(stub), *options, *files]) == 0
    table = capsys.readouterr().out
    rows = json.loads((tmp_path / "scores.json").read_text())
    assert [(row["model"], row["working_size"]) for row in rows] == [
        ("plain grey", 0),
        ("stub", 64),
        ("stub", 96),
    ]
    assert all(row["photos"] == 8 and f"{row['psnr']:.2f}" in table for row in rows)
    assert rows[0]["ratio"] < 0.02 < rows[1]["ratio"]
    with Image.open(tmp_path / "sheet.png") as sheet:
        columns, kinds = evaluate.COLUMNS, 4
        assert sheet.size == (columns * evaluate.SIDE, 2 * kinds * evaluate.SIDE + evaluate.GAP)


def test_missing_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is told in one line with exit code 2."""
    assert evaluate.main(["--data", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_psnr_equals_scikit_image() -> None:
    """PSNR is scikit-image's, and infinite for equal photographs."""
    reference = pytest.importorskip("skimage.metrics")
    first, second = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3), np.uint8)
    assert metrics.psnr(first, second) == pytest.approx(
        reference.peak_signal_noise_ratio(first, second), 1e-5
    )
    assert metrics.psnr(first, first) == float("inf")


def test_colorfulness() -> None:
    """Grey has no colorfulness; a plain red has 0.3 of its distance from grey, by the formula."""
    assert metrics.colorfulness(np.full((4, 4, 3), 90, np.uint8)) == 0
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    assert metrics.colorfulness(red) == pytest.approx(0.3 * np.hypot(200, 100))


def test_ab_rmse() -> None:
    """The error counts a and b alike."""
    assert metrics.ab_rmse(np.zeros((2, 2, 2)), np.full((2, 2, 2), 3.0)) == pytest.approx(3)
