"""Files that mean harm, and a short slice of those broken at random, go through without harm."""

from __future__ import annotations

import gc
import threading
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from benchmarks import fuzz, hostile, mutations, road

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not road.STUB.exists(), reason="there is no stub model")
GOOD = hostile.seeds()
BAD = hostile.hostile()


@pytest.fixture
def way(tmp_path: Path) -> Iterator[road.Road]:
    """Return the way of a photograph. Pillow warns of damage: that is no failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield road.Road(tmp_path)


def test_good_files(way: road.Road) -> None:
    """Files of every format and mode come to the network and out again, but for floating point."""
    for number, (name, content) in enumerate(GOOD.items()):
        said = way.take(name, content, 6 * number)
        assert said == ("PhotoUnreadableError" if name == "F.tif" else "done"), name


def _kinds() -> list[str]:
    return sorted({name.partition("-")[0] for name in BAD})


@pytest.mark.parametrize("kind", _kinds())
def test_hostile_files(way: road.Road, kind: str) -> None:
    """Each is done or refused in one line, within time and memory, and leaves nothing behind."""
    files = {name: content for name, content in BAD.items() if name.partition("-")[0] == kind}
    for number, (name, content) in enumerate(files.items()):
        try:
            way.take(name, content, number)
        except road.Finding as finding:
            pytest.fail(f"{name}: {finding}")
    assert sum(way.counts.values()) == len(files)


def test_what_is_refused(way: road.Road) -> None:
    """Bombs and giants, programs and words are refused, and never come to the network."""
    kinds = ("giant", "bomb-size", "words", "program", "document", "archive", "page", "zeros", "ifd-chain")
    names = [name for name in BAD if name.startswith(kinds)]
    assert [name for name in names if way.take(name, BAD[name]) == "done"] == []
    assert way.reached == 0
    assert way.counts["PhotoTooLargeError"] > 9


@pytest.mark.parametrize("first", [0, 700_000])
def test_slice(way: road.Road, first: int) -> None:
    """A slice of the files that are broken at random, always the same ones; a third reach the network."""
    names = sorted(GOOD)
    for number in range(first, first + 250):
        name, content = mutations.mutant(number, names, GOOD)
        way.take(name, content, number)
    assert way.reached > 250 * fuzz.SHARE


def test_numbers_are_files() -> None:
    """A number is always the same file, and nearly each one another."""
    names = sorted(GOOD)
    made = [mutations.mutant(number, names, GOOD) for number in range(200)]
    assert made == [mutations.mutant(number, names, GOOD) for number in range(200)]
    assert len({content for _, content in made}) > 190


def test_findings(way: road.Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another error than ours, a result that is not there, a file left behind: the harness finds them."""
    content = GOOD["RGB.png"]

    def fail(*_: object) -> None:
        raise ZeroDivisionError("no reason")

    with monkeypatch.context() as patch:
        patch.setattr(way, "_one", fail)
        with pytest.raises(road.Finding, match="ZeroDivisionError: no reason"):
            way.take("RGB.png", content)
    real = way._one
    with monkeypatch.context() as patch:

        def lose(source: Path, target: Path, number: int) -> object:
            outcome = real(source, target, number)
            target.unlink()
            return outcome

        patch.setattr(way, "_one", lose)
        with pytest.raises(road.Finding, match="no result, and no error"):
            way.take("RGB.png", content)
    (way._folder / "left.partial").touch()
    with pytest.raises(road.Finding, match="left behind"):
        way.take("words.png", b"words")
    monkeypatch.setattr(way, "bound", 1)
    with pytest.raises(road.Finding, match="MB"):
        way.take("RGB.png", content)


def test_nothing_stays_open(way: road.Road) -> None:
    """Files and threads are as many after a hundred photographs, good and bad, as before."""
    names = sorted(GOOD)
    way.take("RGB.png", GOOD["RGB.png"])
    gc.collect()  # or what tests before left open would be closed in between
    opened, threads = road.open_files(), threading.active_count()
    for number in range(100):
        way.take(*mutations.mutant(number, names, GOOD), number)
    deadline = time.monotonic() + 20
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (road.open_files(), threading.active_count()) == (opened, threads)
