"""Records: one object a line, whatever the names; the report; the counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tintype import records
from tintype.errors import OutputError
from tintype.records import Record, Tally

if TYPE_CHECKING:
    from pathlib import Path

RECORD = Record("a.png", "a_color.png", "done", width=3, height=2, seconds=0.5, psnr=31.25)


def test_json() -> None:
    """A record is one line, with all its names, null where there is nothing to say."""
    line = records.to_json(RECORD)
    assert "\n" not in line
    found = json.loads(line)
    names = "input output status reason width height seconds model model_sha256 working_size provider psnr"
    assert list(found) == names.split()
    assert found["psnr"] == 31.25
    assert found["reason"] is None


@pytest.mark.parametrize("name", ["Zoë.png", "caf\udce9.png", 'quo"te.png', "line\nbreak.png"])
def test_json_of_any_name(name: str) -> None:
    """Any name that a file can have fits into a line of ASCII and comes back."""
    line = records.to_json(Record(name, None, "failed"))
    assert line.isascii()
    assert json.loads(line)["input"] == name


def test_report(tmp_path: Path) -> None:
    """The report holds the records, whole or not at all."""
    path = tmp_path / "report.json"
    records.write_report(
        path, [records.to_json(r).encode() for r in (RECORD, Record("caf\udce9.png", None, "failed"))], 1e9
    )
    report = json.loads(path.read_bytes())
    assert report["version"] == 1
    assert report["started"] == "2001-09-09T01:46:40+00:00"
    assert report["seconds"] > 0
    assert report["photos"][0] == json.loads(records.to_json(RECORD))
    with pytest.raises(OutputError):
        records.write_report(tmp_path / "nowhere" / "report.json", [], 0)


def test_tally(tmp_path: Path) -> None:
    """Counts are in the summary; records are in the report in the order they came, and not in memory."""
    tally = Tally(keep=True)
    for status in ("done", "done", "skipped", "failed"):
        tally.add(Record("a.png", None, status))
    assert tally.summary().startswith("2 done, 1 skipped, 1 failed, 0.")
    tally.report(tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert [photo["status"] for photo in report["photos"]] == ["done", "done", "skipped", "failed"]


def test_empty_report(tmp_path: Path) -> None:
    """A run without photographs has a report as well."""
    Tally(keep=True).report(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_bytes())["photos"] == []


def test_no_space_for_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where records find no space the run goes on, and the report says so."""

    def refuse() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records.tempfile, "TemporaryFile", refuse)  # type: ignore[attr-defined]
    tally = Tally(keep=True)
    tally.add(RECORD)
    tally.add(RECORD)
    assert tally.counts["done"] == 2
    with pytest.raises(OutputError, match="No space left on device"):
        tally.report(tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists()
