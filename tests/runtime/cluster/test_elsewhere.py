"""Photographs and results that are elsewhere: on a real S3 server, and where files hold no metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cluster_tools import needs_s3, statuses, work
from tintype import cli
from tintype.cluster.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tintype.cluster.plan import Plan

    Plans = Callable[..., Plan]

pytestmark = pytest.mark.cluster

IN, OUT = "s3://archive/scans", "s3://archive/color"


@pytest.fixture
def scans(s3: Any, color_photo: Path, grey_photo: Path) -> list[Path]:
    """Put two photographs into the bucket, one of them in a folder; return them as files."""
    s3.put_file(str(color_photo), f"{IN}/meadow.png")
    s3.put_file(str(grey_photo), f"{IN}/1960/street.png")
    return [color_photo, grey_photo]


def _local(photo: Path, stub: Path) -> bytes:
    """Return what the local command makes of a photograph."""
    out = photo.with_name("expected.png")
    assert cli.main([str(photo), "-o", str(out), "--model", str(stub), "--threads", "1", "--overwrite"]) == 0
    return out.read_bytes()


@needs_s3
def test_bucket_to_bucket(s3: Any, scans: list[Path], make_plan: Plans, stub: Path) -> None:
    """Results are the local command's bytes, in the same tree; an object says what it was made from."""
    records = work(make_plan(IN, OUT))
    assert statuses(records) == ["done", "done"]
    assert {record["output"] for record in records} == {
        f"{OUT}/meadow_color.png",
        f"{OUT}/1960/street_color.png",
    }
    assert s3.cat_file(f"{OUT}/meadow_color.png") == _local(scans[0], stub)
    assert s3.cat_file(f"{OUT}/1960/street_color.png") == _local(scans[1], stub)
    said = json.loads(s3.metadata(f"{OUT}/meadow_color.png")["tintype"])
    assert said["from"] == f"{IN}/meadow.png"
    assert sorted(s3.find("archive/color")) == [
        "archive/color/1960/street_color.png",
        "archive/color/meadow_color.png",
    ]


@needs_s3
def test_goes_on(s3: Any, scans: list[Path], make_plan: Plans) -> None:
    """What is done is skipped; a photograph that changed is made again; a retouched result is left."""
    work(make_plan(IN, OUT))
    again = work(make_plan(IN, OUT))
    assert statuses(again) == ["skipped", "skipped"]
    assert "done before, from the same photograph" in again[0]["reason"]
    s3.put_file(str(scans[1]), f"{IN}/meadow.png")
    s3.pipe_file(f"{OUT}/1960/street_color.png", b"retouched")
    changed = {record["input"]: record for record in work(make_plan(IN, OUT))}
    assert changed[f"{IN}/meadow.png"]["reason"] == "made again: the photograph has changed"
    assert "exists; --overwrite" in changed[f"{IN}/1960/street.png"]["reason"]
    assert s3.cat_file(f"{OUT}/1960/street_color.png") == b"retouched"
    assert statuses(work(make_plan(IN, OUT, overwrite=True))) == ["done", "done"]
    assert s3.cat_file(f"{OUT}/1960/street_color.png") != b"retouched"


@needs_s3
def test_another_photograph(s3: Any, scans: list[Path], make_plan: Plans, grey_photo: Path) -> None:
    """The result of another photograph that is still there is left alone, and its name is said."""
    work(make_plan(IN, OUT))
    s3.put_file(str(grey_photo), "s3://archive/more/meadow.png")
    (record,) = work(make_plan("s3://archive/more", OUT))
    assert f"{OUT}/meadow_color.png is the result of {IN}/meadow.png; --overwrite" in record["reason"]
    s3.rm_file(f"{IN}/meadow.png")
    assert statuses(work(make_plan("s3://archive/more", OUT))) == ["done"]


@needs_s3
def test_done_by_one_that_was_lost(s3: Any, scans: list[Path], make_plan: Plans) -> None:
    """A worker that comes to what one of its run finished, and was lost then, says that it is done."""
    plan = make_plan(IN, OUT)
    assert [record["width"] for record in work(plan)] == [72, 72]
    again = work(plan)
    assert statuses(again) == ["done", "done"]
    assert {record["reason"] for record in again} == {"by a worker that was lost then"}


@needs_s3
def test_there_and_back(s3: Any, scans: list[Path], make_plan: Plans, stub: Path, tmp_path: Path) -> None:
    """From a bucket into a folder, with its journal, and from a folder into a bucket: the same bytes."""
    down, up = tmp_path / "down", "s3://archive/up"
    assert statuses(work(make_plan(IN, down))) == ["done", "done"]
    assert statuses(work(make_plan(IN, down))) == ["skipped", "skipped"]
    (tmp_path / "some").mkdir()
    scans[0].rename(tmp_path / "some" / "meadow.png")
    assert statuses(work(make_plan(tmp_path / "some", up))) == ["done"]
    assert statuses(work(make_plan(tmp_path / "some", up))) == ["skipped"]
    assert s3.cat_file(f"{up}/meadow_color.png") == (down / "meadow_color.png").read_bytes()


@needs_s3
def test_comparison_and_dry_run(s3: Any, scans: list[Path], make_plan: Plans) -> None:
    """A dry run fetches and writes nothing; comparisons go along with results."""
    dry = work(make_plan(IN, OUT, dry=True))
    assert [record["reason"] for record in dry] == ["dry run: it would be colorized"] * 2
    assert not s3.exists("archive/color")
    work(make_plan(IN, OUT, compare=True))
    assert s3.exists(f"{OUT}/1960/street_compare.png")


@needs_s3
def test_damage(s3: Any, make_plan: Plans) -> None:
    """What is wrong with a photograph is said with its URL, and stops no other."""
    s3.pipe_file(f"{IN}/torn.png", b"\x89PNG\r\n\x1a\n")
    (record,) = work(make_plan(IN, OUT))
    assert record["status"] == "failed"
    assert record["reason"].startswith(f"{IN}/torn.png cannot be read as a photograph")


def test_no_metadata(color_photo: Path, make_plan: Plans) -> None:
    """Where files hold no metadata, whatever is there is skipped; results come whole, by another name."""
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    files.pipe_file("/scans/meadow.png", color_photo.read_bytes())
    plan = make_plan("memory://scans", "memory://color")
    worker = Worker(plan)
    assert statuses(work(plan, worker)) == ["done"]
    assert files.ls("/color", detail=False) == ["/color/meadow_color.png"]
    (again,) = work(plan, worker)
    assert again["reason"] == "memory://color/meadow_color.png exists; --overwrite makes it again"
    files.rm("/", recursive=True)
