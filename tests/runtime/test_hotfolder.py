"""A watched folder: each photograph once, when it is whole, and again when it changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tintype import hotfolder
from tintype.discover import Source
from tintype.hotfolder import Arrivals

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _names(sources: list[Source]) -> list[str]:
    return [source.path.name for source in sources]


def test_at_rest(tmp_path: Path) -> None:
    """A file is told when it has not changed for a while, and then no more."""
    path = tmp_path / "a.png"
    path.write_bytes(b"half")
    sources, known = [Source(path)], Arrivals(quiet=2)
    assert not known.at_rest(sources, 0)
    assert not known.at_rest(sources, 1)
    path.write_bytes(b"half and half")
    assert not known.at_rest(sources, 2.5)
    assert not known.at_rest(sources, 4)
    assert _names(known.at_rest(sources, 4.5)) == ["a.png"]
    assert not known.at_rest(sources, 99)


def test_changes(tmp_path: Path) -> None:
    """A file that changed, or came again, is told again."""
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    sources, known = [Source(path)], Arrivals(quiet=1)
    known.at_rest(sources, 0)
    assert known.at_rest(sources, 1)
    path.write_bytes(b"two, longer")
    assert not known.at_rest(sources, 2)
    assert known.at_rest(sources, 3)
    path.unlink()
    assert not known.at_rest(sources, 4)
    assert not known.at_rest([], 5)
    path.write_bytes(b"two, longer")
    assert not known.at_rest(sources, 6)
    assert known.at_rest(sources, 7)


def test_empty_file(tmp_path: Path) -> None:
    """A file in which nothing is yet is waited for."""
    path = tmp_path / "a.png"
    path.touch()
    known = Arrivals(quiet=1)
    assert not [
        known.at_rest([Source(path)], now) for now in range(0, 50, 10) if known.at_rest([Source(path)], now)
    ]


def test_arrivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks and waits, and yields what is at rest, several together."""
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            (tmp_path / "b.png").write_bytes(b"b")

    monkeypatch.setattr(time, "sleep", nap)
    (tmp_path / "a.png").write_bytes(b"a")
    looks = hotfolder.arrivals(
        lambda: [Source(path) for path in sorted(tmp_path.iterdir())], pause=0.5, quiet=0
    )
    assert _names(next(looks)) == ["a.png"]
    assert _names(next(looks)) == ["b.png"]
    assert set(naps) == {0.5}
