"""Many photographs: one that fails stops no other, what is done is done once, nothing is lost."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tintype import Adjustments, Colorizer, batch, memory, models, naming
from tintype.batch import Settings
from tintype.discover import Source
from tintype.journal import NAME, Journal
from tintype.naming import Job, Naming

if TYPE_CHECKING:
    from tintype.records import Record

SETTINGS = Settings(Adjustments())


def _names(out: Path | None = None) -> Naming:
    return Naming(out, folder=True, template=naming.DEFAULT_NAME, model="stub")


def _plan(*sources: Path, out: Path | None = None, compare: bool = False) -> list[Job]:
    return naming.plan(map(Source, sources), _names(out), compare=compare)


def _run(
    jobs: list[Job], colorizer: Colorizer, journal: Journal | None = None, **options: Any
) -> list[Record]:
    return list(batch.run(jobs, colorizer, replace(SETTINGS, **options), journal))


def _status(records: list[Record]) -> list[str]:
    return [record.status for record in records]


def test_run(colorizer: Colorizer, color_photo: Path, grey_photo: Path, stub: Path, tmp_path: Path) -> None:
    """Each photograph gives a record of what became of it, in order, when it has become so."""
    jobs = _plan(color_photo, grey_photo)
    work = batch.run(jobs, colorizer, SETTINGS)
    first = next(work)
    assert jobs[0].target.exists()
    assert not jobs[1].target.exists()
    second = next(work)
    assert (first.input, first.output) == (str(color_photo), str(jobs[0].target))
    assert (first.status, first.reason, first.width, first.height) == ("done", None, 72, 48)
    assert (first.model, first.working_size, first.provider) == ("stub", 64, "cpu")
    assert first.model_sha256 == models.sha256(stub)
    assert first.psnr is not None
    assert second.psnr is None
    assert first.seconds is not None


def test_skip_and_overwrite(colorizer: Colorizer, color_photo: Path, tmp_path: Path) -> None:
    """A result that is there is left alone and said to be, unless it shall be made again."""
    jobs = _plan(color_photo)
    jobs[0].target.write_bytes(b"precious")
    (skipped,) = _run(jobs, colorizer)
    assert (skipped.status, skipped.output) == ("skipped", str(jobs[0].target))
    assert jobs[0].target.read_bytes() == b"precious"
    (done,) = _run(jobs, colorizer, overwrite=True)
    assert done.status == "done"
    assert jobs[0].target.read_bytes() != b"precious"


def test_failures_stop_no_other(colorizer: Colorizer, color_photo: Path, tmp_path: Path) -> None:
    """Photographs that are missing, damaged, folders or too large fail alone; the others are colorized."""
    broken = tmp_path / "broken.png"
    broken.touch()
    (tmp_path / "folder.png").mkdir()
    large = tmp_path / "large.png"
    Image.new("L", (100, 100)).save(large)
    sources = [tmp_path / "missing.png", broken, tmp_path / "folder.png", large, color_photo]
    before = set(tmp_path.iterdir())
    records = _run(_plan(*sources), colorizer, max_megapixels=0.005)
    assert [record.status for record in records] == ["failed"] * 4 + ["done"]
    reasons = ["there is no photograph", "it is empty", "it is a folder", "raise --max-megapixels"]
    for record, source, reason in zip(records, sources, reasons, strict=False):
        assert (record.input, record.output) == (str(source), None)
        assert record.reason is not None
        assert reason in record.reason
        assert str(source) in record.reason
    assert set(tmp_path.iterdir()) - before == {tmp_path / "meadow_color.png"}


def test_full_disk_stops_no_other(
    colorizer: Colorizer, color_photo: Path, grey_photo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A result that finds no space fails alone, and leaves nothing behind."""
    real = os.fsync
    refusals = iter([True, False])

    def refuse_first(descriptor: int) -> None:
        if next(refusals):
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_first)
    failed, done = _run(_plan(color_photo, grey_photo), colorizer)
    assert (failed.status, done.status) == ("failed", "done")
    assert failed.reason == f"{tmp_path / 'meadow_color.png'} cannot be written: No space left on device"
    assert {path.name for path in tmp_path.iterdir()} == {"meadow.png", "street.png", "street_color.png"}


def test_notes(colorizer: Colorizer, tmp_path: Path) -> None:
    """What a person should know of a photograph stands in its record."""
    frames = [Image.new("L", (9, 9), value) for value in (0, 255)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    (record,) = _run(_plan(tmp_path / "moving.gif"), colorizer)
    assert record.reason == "the first of 2 pages or frames was taken"
