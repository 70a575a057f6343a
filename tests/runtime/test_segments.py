"""Segments of a journal: written beside it, read with it, brought into it when their writers are gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tintype import segments
from tintype.cluster.ledger import Ledger
from tintype.journal import Journal, Origin
from tintype.naming import Job

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = Origin("photo", "model", "settings")
STATE = (1, 2, 3, 4)


def _claimed(folder: Path, name: str, run: str = "run") -> Ledger:
    """Return the ledger of a worker that made one result and is still at work."""
    ledger = Ledger(folder, run)
    place = folder / name
    place.write_bytes(b"result")
    ledger.claim(Job(folder.parent / "photo.png", place), ORIGIN, STATE, place.stat())
    return ledger


def test_read_with_the_journal(tmp_path: Path) -> None:
    """What a worker claims is known to everyone who reads the folder's journal."""
    ledger = _claimed(tmp_path, "a.png")
    assert Journal(tmp_path).origin(tmp_path / "a.png") == ORIGIN
    ledger.close()


def test_brought_in(tmp_path: Path) -> None:
    """Segments of workers that are no more become lines of the journal; one that is being written stays."""
    done, busy = _claimed(tmp_path, "a.png"), _claimed(tmp_path, "b.png")
    done.close()
    assert Journal(tmp_path).merge() == 1
    assert len(segments.names(tmp_path)) == 1
    busy.close()
    assert Journal(tmp_path).merge() == 0
    assert segments.names(tmp_path) == []
    lines = (tmp_path / segments.JOURNAL).read_text().splitlines()
    assert sum('"result"' in line for line in lines) == 2
    journal = Journal(tmp_path)
    assert [journal.origin(tmp_path / name) for name in ("a.png", "b.png")] == [ORIGIN, ORIGIN]


def test_torn(tmp_path: Path) -> None:
    """A line that was cut off when a machine went down claims nothing, and harms no other."""
    _claimed(tmp_path, "a.png").close()
    (segment,) = segments.names(tmp_path)
    with segment.open("ab") as file:
        file.write(b'\n{"result":"b.png","photo":"x')
    Journal(tmp_path).merge()
    assert Journal(tmp_path).origin(tmp_path / "a.png") == ORIGIN
    assert segments.names(tmp_path) == []


def test_a_ledger_knows_what_it_is_told(tmp_path: Path) -> None:
    """A worker reads no journal: it knows what it was told of the photographs at hand, no others."""
    for name in ("a.png", "b.png"):
        _claimed(tmp_path, name, "earlier").close()
    journal, ledger = Journal(tmp_path), Ledger(tmp_path, "later")
    assert ledger.origin(tmp_path / "a.png") is None
    ledger.learn(journal.lines(tmp_path / "a.png"), [])
    assert ledger.origin(tmp_path / "a.png") == ORIGIN
    assert not ledger.is_fresh(tmp_path / "a.png")
    ledger.learn(journal.lines(tmp_path / "b.png"), [])
    assert ledger.origin(tmp_path / "a.png") is None
    ledger.close()


def test_a_ledger_looks_around(tmp_path: Path) -> None:
    """A result that nobody told of is looked for in what workers of the same run have claimed."""
    lost = _claimed(tmp_path, "a.png")
    lost.close()
    ledger = Ledger(tmp_path, "run")
    assert ledger.origin(tmp_path / "a.png") == ORIGIN
    assert ledger.is_fresh(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"retouched")
    assert ledger.origin(tmp_path / "a.png") is None
    ledger.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_what_cannot_be_brought_in(tmp_path: Path) -> None:
    """A segment that cannot be removed stays, and is read."""
    _claimed(tmp_path, "a.png").close()
    tmp_path.chmod(0o500)
    assert Journal(tmp_path).merge() == 1
    tmp_path.chmod(0o700)
    assert Journal(tmp_path).origin(tmp_path / "a.png") == ORIGIN
