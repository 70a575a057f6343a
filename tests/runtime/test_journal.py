"""The journal: what holds after a kill at any point, and what is none."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from tintype import journal, models
from tintype.errors import UsageError
from tintype.journal import NAME, Journal, Origin, state_of
from tintype.naming import Job

ORIGIN = Origin("photo", "model", "settings")
PHOTO = Path("in", "photo.png")


def _made(folder: Path, name: str = "a.png", origin: Origin = ORIGIN, *, content: bytes = b"result") -> Path:
    """Write a result and claim it, as a run does: the claim first."""
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name("partial")
    partial.write_bytes(content)
    Journal(folder).claim(Job(PHOTO, place), origin, (1, 2, 3, 4), partial.stat())
    partial.replace(place)
    return place


def test_origin(tmp_path: Path) -> None:
    """A result is known by its place, size and time; a file that is another one is not."""
    place = _made(tmp_path, "deep/a.png")
    assert Journal(tmp_path).origin(place) == ORIGIN
    assert Journal(tmp_path).origin(tmp_path / "deep" / ".." / "deep" / "a.png") == ORIGIN
    assert Journal(tmp_path).origin(tmp_path / "b.png") is None
    os.utime(place, (99, 99))
    assert Journal(tmp_path).origin(place) is None
    place.write_bytes(b"another")
    assert Journal(tmp_path).origin(place) is None
    place.unlink()
    assert Journal(tmp_path).origin(place) is None


def test_source(tmp_path: Path) -> None:
    """A result knows its photograph, from where the folder is."""
    (tmp_path / "out").mkdir()
    place = tmp_path / "out" / "a.png"
    place.write_bytes(b"x")
    job = Job(tmp_path / "in" / "photo.png", place)
    Journal(tmp_path / "out").claim(job, ORIGIN, (1, 2, 3, 4), place.stat())
    assert Journal(tmp_path / "out").source(place) == tmp_path.resolve() / "in" / "photo.png"
    assert Journal(tmp_path / "out").source(tmp_path / "out" / "b.png") is None
    (tmp_path / "out").rename(tmp_path / "new")
    assert (
        Journal(tmp_path / "new").source(tmp_path / "new" / "a.png")
        == tmp_path.resolve() / "in" / "photo.png"
    )


def test_moved_folder(tmp_path: Path) -> None:
    """A folder that was moved with its journal is the same."""
    _made(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert Journal(tmp_path / "new").origin(tmp_path / "new" / "a.png") == ORIGIN


def test_killed_before_the_name(tmp_path: Path) -> None:
    """A claim that nothing answers to is none; the claim for the file that is there holds still."""
    place = _made(tmp_path)
    other = Origin("photo", "model", "others")
    partial = tmp_path / "partial"
    partial.write_bytes(b"another result")
    Journal(tmp_path).claim(Job(PHOTO, place), other, (1, 2, 3, 4), partial.stat())
    assert Journal(tmp_path).origin(place) == ORIGIN
    partial.replace(place)
    assert Journal(tmp_path).origin(place) == other


def test_same_size(tmp_path: Path) -> None:
    """Of two claims for files of one size the one with the nearer time holds."""
    place = _made(tmp_path)
    state = place.stat()
    os.utime(place, ns=(state.st_mtime_ns, state.st_mtime_ns - 10**9))
    partial = tmp_path / "partial"
    partial.write_bytes(b"RESULT")
    Journal(tmp_path).claim(Job(PHOTO, place), Origin("x", "y", "z"), (1, 2, 3, 4), place.stat())
    Journal(tmp_path).claim(Job(PHOTO, place), ORIGIN, (1, 2, 3, 4), partial.stat())
    assert Journal(tmp_path).origin(place) == Origin("x", "y", "z")


def test_coarse_clock(tmp_path: Path) -> None:
    """A file system that keeps even seconds alone, as FAT does, tells results as well."""
    place = _made(tmp_path)
    seconds = place.stat().st_mtime_ns // 10**9
    os.utime(place, (seconds - seconds % 2, seconds - seconds % 2))
    assert Journal(tmp_path).origin(place) == ORIGIN


def test_cut_off_anywhere(tmp_path: Path) -> None:
    """Cut off at any byte, a journal is read as far as it goes, and goes on from there."""
    names = ["a.png", "b.png"]
    places = [_made(tmp_path, name) for name in names]
    content = (tmp_path / NAME).read_bytes()
    ends = [end + offset for end in (0, len(content) // 2, len(content)) for offset in range(-25, 25)]
    for length in sorted({*range(0, len(content), 11), *(n for n in ends if 0 <= n < len(content))}):
        (tmp_path / NAME).write_bytes(content[:length])
        known = [place for place in places if Journal(tmp_path).origin(place) == ORIGIN]
        assert known == places[: len(known)]
        new = _made(tmp_path, "new.png")
        assert Journal(tmp_path).origin(new) == ORIGIN
        assert [place for place in places if Journal(tmp_path).origin(place) == ORIGIN] == known


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"result": 1}',
        b'{"result": "a.png", "size": "x"}',
    ],
)
def test_lines_that_are_none(tmp_path: Path, line: bytes) -> None:
    """A line that makes no sense is passed over."""
    place = _made(tmp_path)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b"\n" + line)
    assert Journal(tmp_path).origin(place) == ORIGIN
    new = _made(tmp_path, "new.png")
    assert Journal(tmp_path).origin(new) == ORIGIN


@pytest.mark.parametrize("content", [b"my notes", b"\xff\xd8\xff\xe0 a photograph", b"{}\n{}", b"\n\n"])
def test_not_a_journal(tmp_path: Path, content: bytes) -> None:
    """A file of that name that is something else is left alone, with what to do."""
    (tmp_path / NAME).write_bytes(content)
    if content.strip():
        with pytest.raises(
            UsageError, match="is no journal of Tintype: move it away, or choose another --out"
        ):
            Journal(tmp_path)
    assert (tmp_path / NAME).read_bytes() == content


def test_later_version(tmp_path: Path) -> None:
    """A journal of a later version is not written to."""
    (tmp_path / NAME).write_text('{"tintype_journal": 2}\n')
    with pytest.raises(UsageError, match="is of version 2, known is 1: update Tintype"):
        Journal(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_journal_that_is_a_link(tmp_path: Path) -> None:
    """A link of that name, which might lead to a photograph, is not followed."""
    (tmp_path / "photo.png").write_bytes(b"photo")
    (tmp_path / NAME).symlink_to("photo.png")
    with pytest.raises(UsageError, match="cannot be read"):
        Journal(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="folders open otherwise on Windows")
def test_journal_that_is_a_folder(tmp_path: Path) -> None:
    """A folder of that name is told."""
    (tmp_path / NAME).mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        Journal(tmp_path)


def test_no_trace(tmp_path: Path) -> None:
    """Reading, and a journal that is not to be written, leave nothing behind."""
    quiet = Journal(tmp_path, write=False)
    (tmp_path / "a.png").write_bytes(b"x")
    quiet.claim(Job(PHOTO, tmp_path / "a.png"), ORIGIN, (1, 2, 3, 4), (tmp_path / "a.png").stat())
    quiet.begin("run")
    Journal(tmp_path)
    Journal(tmp_path / "nowhere")
    assert not (tmp_path / NAME).exists()


def test_photo_is_read_where_it_may_have_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content is read unless size, times and inode are those of a claim, and were at rest then."""
    photo, place = tmp_path / "photo.png", tmp_path / "a.png"
    photo.write_bytes(b"content")
    place.write_bytes(b"result")
    sha, state = models.sha256(photo), state_of(photo)
    late = max(state[1:3]) + journal.GRAIN + 1
    origin = Origin(sha, "model", "settings")
    Journal(tmp_path).claim(Job(PHOTO, place), origin, state, place.stat())
    reads: list[Path] = []

    def read(path: Path) -> str:
        reads.append(path)
        return sha

    monkeypatch.setattr(models, "sha256", read)
    assert Journal(tmp_path).photo(photo, state, place) == sha
    assert len(reads) == 1  # the photograph was younger than clocks can tell
    monkeypatch.setattr(time, "time_ns", lambda: late)
    Journal(tmp_path).claim(Job(PHOTO, place), origin, state, place.stat())
    assert Journal(tmp_path).photo(photo, state, place) == sha
    assert len(reads) == 1
    Journal(tmp_path).photo(photo, (*state[:3], state[3] + 1), place)
    Journal(tmp_path).photo(photo, state, tmp_path / "b.png")
    assert len(reads) == 3


def test_again(tmp_path: Path) -> None:
    """What is made again is told from what was made before, until all of it is."""
    place = _made(tmp_path)
    assert not Journal(tmp_path).is_renewed(place)
    Journal(tmp_path).begin("run")
    _made(tmp_path, "b.png")
    again = Journal(tmp_path)
    assert (again.is_renewed(place), again.is_renewed(tmp_path / "b.png")) == (False, True)
    again.begin("run")
    assert Journal(tmp_path).is_renewed(tmp_path / "b.png")
    other = Journal(tmp_path)
    other.begin("another")
    assert not other.is_renewed(tmp_path / "b.png")
    other.end("another")
    assert not Journal(tmp_path).is_renewed(tmp_path / "b.png")


def test_results(tmp_path: Path) -> None:
    """Results and comparisons are known for what they are."""
    place = tmp_path / "a.png"
    place.write_bytes(b"x")
    Journal(tmp_path).claim(Job(PHOTO, place, tmp_path / "a_compare.png"), ORIGIN, (1, 2, 3, 4), place.stat())
    assert Journal(tmp_path).results() == {place.resolve(), tmp_path.resolve() / "a_compare.png"}


@pytest.mark.parametrize(
    "name", ["写真.png", 'quo"te.png', "line\nbreak.png", "caf\udce9.png", "x" * 240 + ".png"]
)
def test_any_name(tmp_path: Path, name: str) -> None:
    """Names in any script, with any bytes, come back."""
    if sys.platform != "linux" and not name.isprintable():
        pytest.skip("names are not any bytes here")
    place = _made(tmp_path, name)
    assert Journal(tmp_path).origin(place) == ORIGIN
    assert (tmp_path / NAME).read_bytes().isascii()


def test_shared(tmp_path: Path) -> None:
    """Several threads, each with a journal of its own as processes have, lose no line."""
    tmp_path.joinpath("x").write_bytes(b"x")
    state = tmp_path.joinpath("x").stat()

    def write(number: int) -> None:
        mine = Journal(tmp_path)
        for count in range(20):
            mine.claim(Job(PHOTO, tmp_path / f"{number}-{count}.png"), ORIGIN, (1, 2, 3, 4), state)

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Journal(tmp_path).results()) == 80
    lines = (tmp_path / NAME).read_bytes().split(b"\n")
    assert all(isinstance(json.loads(line), dict) for line in lines if line)


def test_held_up_at_the_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who saw no journal, and writes after others have begun it and gone on, takes no line from them."""
    tmp_path.joinpath("x").write_bytes(b"x")
    state = tmp_path.joinpath("x").stat()
    names = ["first.png", "second.png", "held up.png"]

    def claim(name: str) -> None:
        Journal(tmp_path).claim(Job(PHOTO, tmp_path / name), ORIGIN, (1, 2, 3, 4), state)

    write = os.write

    def others_first(descriptor: int, line: bytes) -> int:
        monkeypatch.undo()
        for name in names[:2]:
            claim(name)
        return write(descriptor, line)

    monkeypatch.setattr(os, "write", others_first)
    claim(names[2])
    assert Journal(tmp_path).results() == {Path(os.path.realpath(tmp_path)) / name for name in names}
