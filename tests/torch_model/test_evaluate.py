"""Scores of models on photographs, through the runtime."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from torch_model import cache, contenders, evaluate, photos, sheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

METRICS = (
    "psnr",
    "gain",
    "ssim",
    "ciede2000",
    "ab_rmse",
    "auc",
    "auc_rebalanced",
    "ratio",
    "difference",
    "unevenness",
)


@pytest.fixture
def scored(folder: Path, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that evaluates with options and returns the rows of the JSON file."""

    def run(*options: str) -> list[dict[str, Any]]:
        file = tmp_path / "scores.json"
        places = ["--data", str(folder), "--limit", "8", "--cache", str(tmp_path), "--json", str(file)]
        assert evaluate.main([*places, *options]) == 0
        written = json.loads(file.read_text())
        assert written["photos"] == 8
        rows: list[dict[str, Any]] = written["rows"]
        return rows

    return run


def test_table_and_json(
    scored: Callable[..., list[dict[str, Any]]], stub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Models at several working sizes are scored beside plain grey, printed and written down."""
    rows = scored("--model", str(stub), "--working-size", "64", "96")
    table = capsys.readouterr().out
    named = [(row["model"], row["working_size"]) for row in rows]
    assert named == [("plain grey", 0), ("stub", 64), ("stub", 96)]
    for row in rows:
        assert f"| {row['psnr']:.2f} ±" in table
        for key in METRICS:
            low, high = row["intervals"][key]
            assert low <= row[key] <= high
        assert row["gain"] == pytest.approx(row["psnr"] - rows[0]["psnr"])
        assert sum(part["photos"] for part in row["categories"].values()) == row["photos"] == 8
    assert rows[0]["ratio"] < 0.02 < rows[1]["ratio"]
    assert rows[0]["gain"] == 0
    assert rows[0]["unevenness"] < 2 < rows[1]["unevenness"]


def test_both_operating_points(scored: Callable[..., list[dict[str, Any]]], stub_mean: Path) -> None:
    """A model with an expectation is scored twice: as predicted and at vividness 0, which is paler."""
    rows = scored("--model", str(stub_mean))
    named = [(row["model"], row["vividness"]) for row in rows]
    assert named == [("plain grey", None), ("stub_mean", 1.0), ("stub_mean, vividness 0", 0.0)]
    assert rows[1]["colorfulness"] > rows[2]["colorfulness"] > rows[0]["colorfulness"]


def test_named_models(
    scored: Callable[..., list[dict[str, Any]]], stub: Path, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """NAME=FILE names a row; two rows of one name are refused in a line."""
    assert [row["model"] for row in scored("--model", f"a={stub}", f"b={stub}")[1:]] == ["a", "b"]
    capsys.readouterr()
    assert evaluate.main(["--data", str(folder), "--model", str(stub), str(stub)]) == 2
    assert "NAME=FILE" in capsys.readouterr().err


def test_against(
    scored: Callable[..., list[dict[str, Any]]], stub: Path, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """Models are compared with one of them, pair by pair; a name that is not there is refused in a line."""
    scored("--model", str(stub), "--against", "plain grey")
    assert "| less plain grey |" in capsys.readouterr().out
    assert evaluate.main(["--data", str(folder), "--model", str(stub), "--against", "none"]) == 2
    assert "wanted is one of plain grey, stub" in capsys.readouterr().err


def test_results_that_cannot_be_written(
    folder: Path, stub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table is printed before a file that cannot be written is told in a line."""
    places = ["--data", str(folder), "--limit", "2", "--cache", str(tmp_path)]
    assert evaluate.main([*places, "--model", str(stub), "--json", str(stub / "x.json")]) == 2
    said = capsys.readouterr()
    assert "| stub |" in said.out
    assert said.err.splitlines()[-1].startswith("evaluate: ")


def test_missing_package(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without scikit-image one line says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "skimage"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert evaluate.main(["--data", str(folder), "--limit", "2", "--cache", str(tmp_path)]) == 2
    assert "evaluate needs skimage" in capsys.readouterr().err


def test_sheet_is_of_every_kind(folder: Path, tmp_path: Path) -> None:
    """Photographs of a sheet are the same in any order, of every category, each once."""
    found = cache.load(
        photos.find([str(folder)], photos.Selection(), tmp_path), 64, "stretch", tmp_path, greyest=0
    )
    chosen = sheet.pick(found, 10)
    assert len(set(chosen)) == 10
    kinds = Counter(found.categories[number] for number in chosen)
    assert kinds["landscape"] > kinds["people"] >= 3
    turned = replace(
        found,
        names=found.names[::-1],
        categories=found.categories[::-1],
        digests=found.digests[::-1],
        pixels=found.pixels[::-1],
    )
    again = [turned.names[number] for number in sheet.pick(turned, 10)]
    assert again == [found.names[number] for number in chosen]


def test_categories(
    scored: Callable[..., list[dict[str, Any]]], stub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each category has a mean of its own; together they are the mean over all."""
    rows = scored("--model", str(stub), "--by-category")
    parts = rows[1]["categories"]
    assert set(parts) == {"people", "landscape"}
    together = sum(part["psnr"] * part["photos"] for part in parts.values()) / 8
    assert together == pytest.approx(rows[1]["psnr"])
    assert capsys.readouterr().out.count("| people |") == 2


def test_aged(scored: Callable[..., list[dict[str, Any]]], stub: Path) -> None:
    """Photographs made old change what a model does and not what it is compared with."""
    clean, aged = scored("--model", str(stub)), scored("--model", str(stub), "--aged", "3")
    assert aged[0]["psnr"] == pytest.approx(clean[0]["psnr"], abs=0.01)
    assert abs(aged[1]["psnr"] - clean[1]["psnr"]) > 0.01
    assert scored("--model", str(stub), "--aged", "3") == aged


def test_sheet(folder: Path, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sheet has 24 photographs, 6 of them real grey ones: grey, colorized and original below each."""
    picture = tmp_path / "sheet.png"
    options = ["--data", str(folder), "--cache", str(tmp_path), "--limit", "20", "--sheet", str(picture)]
    assert evaluate.main(["--model", str(stub), *options]) == 0
    with Image.open(picture) as drawn:
        bands, rows = sheet.SHOWN // sheet.COLUMNS, 3
        side = evaluate.SIDE
        assert drawn.size == (sheet.COLUMNS * side, bands * rows * side + (bands - 1) * sheet.GAP)
        pixels = np.asarray(drawn)
    grey = pixels[-3 * side : -2 * side].astype(int)
    assert np.ptp(grey, axis=2).max() <= 1
    assert (pixels[-side:] == 255).all()


def test_grey_is_the_lightness() -> None:
    """Plain grey has one value in all channels and a photograph's own lightness."""
    from tintype.lab import rgb_to_lightness

    photo = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    grey = contenders.grey(photo)
    assert np.ptp(grey.astype(int), axis=2).max() <= 1
    np.testing.assert_allclose(rgb_to_lightness(grey), rgb_to_lightness(photo), atol=0.6)


def test_missing_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is told in one line with exit code 2."""
    assert evaluate.main(["--data", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
