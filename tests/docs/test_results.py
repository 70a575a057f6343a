"""The page of photographs judged by eye."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from docs import results

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def marks(tmp_path: Path) -> dict[str, Any]:
    """Return marks of every photograph for one model, in the format that reports export."""
    files = [photo.file for photo in results.load()]
    kinds = list(results.LABELS) * len(files)
    return {
        "tintype_marks": 1,
        "marks": {file: {"stub": mark} for file, mark in zip(files, kinds, strict=False)},
    }


@pytest.fixture
def options(stub: Path, tmp_path: Path) -> list[str]:
    """Return what makes the page of a stub model."""
    return ["--model", str(stub), "--out", str(tmp_path), "--marks", str(tmp_path / "marks.json")]


def test_photographs() -> None:
    """There are at least 15, of every kind, each with who made it, and every file is there."""
    photos = results.load()
    assert len(photos) >= 15
    assert {photo.kind for photo in photos} == set(results.KINDS)
    assert all(photo.author and photo.licence and photo.source for photo in photos)
    there = {file.name for file in results.PHOTOGRAPHS.glob("*.jpg")}
    assert there == {photo.file for photo in photos}


def test_page(options: list[str], marks: dict[str, Any], tmp_path: Path) -> None:
    """The page has every photograph's mark, the counts, the pictures, and whose the photographs are."""
    (tmp_path / "marks.json").write_text(json.dumps(marks))
    assert results.main(options) == 0
    page = (tmp_path / "results.md").read_text()
    photos = results.load()
    given = [own["stub"] for own in marks["marks"].values()]
    counts = " | ".join(str(given.count(mark)) for mark in results.LABELS)
    assert f"| stub | {counts} |" in page
    for photo in photos:
        assert f"| {photo.shows} | {results.LABELS[marks['marks'][photo.file]['stub']]} |" in page
        assert f"| {photo.shows} | {photo.author} | {photo.licence} |" in page
    assert str(tmp_path) not in page
    for kind in results.KINDS:
        with Image.open(tmp_path / f"results-{kind}.webp") as sheet:
            assert sheet.width == 3 * (results.SIDE + results.GAP) - results.GAP


def test_missing_marks(
    options: list[str], marks: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not judged is told, and so is a model that is another file than the one judged."""
    del marks["marks"]["cat.jpg"]
    (tmp_path / "marks.json").write_text(json.dumps(marks))
    assert results.main(options) == 1
    assert "1 marks are missing\ncat.jpg: stub" in capsys.readouterr().out
    (tmp_path / "marks.json").write_text(json.dumps(marks | {"models": {"stub": "another"}}))
    assert results.main(options) == 1
    said = capsys.readouterr().out
    assert "another was judged" in said
    assert f"{len(results.load())} marks are missing" in said


def test_wrong_marks(
    options: list[str], marks: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that holds other things than marks is refused in a line."""
    marks["marks"]["cat.jpg"]["stub"] = "superb"
    (tmp_path / "marks.json").write_text(json.dumps(marks))
    assert results.main(options) == 2
    assert capsys.readouterr().err.count("\n") == 1
