"""Photographs are found in folders, in folders within folders, by patterns, whatever their names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tintype import discover
from tintype.discover import Source
from tintype.errors import UsageError

no_windows = pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")


def _touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def _deny(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    real = os.scandir

    def scandir(path: Path) -> object:
        if path in folders:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_discover_folder(tmp_path: Path) -> None:
    """Of a folder the photographs are taken, sorted; other and hidden files, and folders, are not."""
    _touch(
        tmp_path, "b.JPG", "a.png", "c.tiff", "d.pgm", "e.gif", ".f.png", "notes.txt", "noise", "deep/f.png"
    )
    (tmp_path / "folder.png").mkdir()
    names = [path.name for path in discover.find([tmp_path]).paths]
    assert names == ["a.png", "b.JPG", "c.tiff", "d.pgm", "e.gif"]


def test_discover_files(tmp_path: Path) -> None:
    """Files stay in the order they were given, whatever they are called, there or not, each once."""
    first, second = _touch(tmp_path, "z.dat", "a.png")
    missing = tmp_path / "missing.png"
    assert discover.find([first, missing, second, first]).paths == [first, missing, second]
    assert discover.find([second, tmp_path]).paths == [second]


def test_folder_without_photographs(tmp_path: Path) -> None:
    """A folder without photographs is an error that names it."""
    _touch(tmp_path, "notes.txt")
    with pytest.raises(UsageError, match=f"there are no photographs in the folder {tmp_path}"):
        discover.find([tmp_path])


def test_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be read is an error that says why."""
    _deny(monkeypatch, tmp_path)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        discover.find([tmp_path])


def test_place_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photograph that may not be looked at is left to fail on its own."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert discover.find([tmp_path / "secret.png"]).paths == [tmp_path / "secret.png"]


def test_recursive(tmp_path: Path) -> None:
    """All folders in a folder are looked into, hidden ones are not; each photograph knows its tree."""
    _touch(tmp_path, "b.png", "x/a.png", "x/y/z.jpg", "w/notes.txt", ".trash/old.png", "x/._z.jpg")
    found = discover.find([tmp_path], recursive=True)
    assert found.sources == [
        Source(tmp_path / "b.png", Path()),
        Source(tmp_path / "x" / "a.png", Path("x")),
        Source(tmp_path / "x" / "y" / "z.jpg", Path("x", "y")),
    ]
    assert not found.refused


def test_out_within(tmp_path: Path) -> None:
    """The folder that results go to is not looked into, unless it is the one that is given."""
    _touch(tmp_path, "a.png", "out/a_color.png", "out/deep/b_color.png")
    assert discover.find([tmp_path], recursive=True, out=tmp_path / "out").paths == [tmp_path / "a.png"]
    assert len(discover.find([tmp_path], recursive=True, out=tmp_path / "new").paths) == 3
    assert len(discover.find([tmp_path], recursive=True, out=tmp_path).paths) == 3
    assert len(discover.find([tmp_path / "out"], recursive=True, out=tmp_path / "out").paths) == 2


@no_windows
def test_loops(tmp_path: Path) -> None:
    """Links that lead around end, and every folder is looked into once, in its own place."""
    _touch(tmp_path, "top/a.png", "top/x/b.png", "top/x/y/c.png", "other/d.png")
    top = tmp_path / "top"
    for link, to in [
        ("x/y/up", ".."),
        ("around", "."),
        ("a", "x"),
        ("z", "../other"),
        ("x/more", "../../other"),
    ]:
        (top / link).symlink_to(to)
    (top / "self").symlink_to("self")
    found = [str(path.relative_to(top)) for path in discover.find([top], recursive=True).paths]
    assert len(found) == 4
    assert found[:3] == ["a.png", "x/b.png", "x/y/c.png"] or "z/d.png" in found
    assert {Path(name).name for name in found} == {"a.png", "b.png", "c.png", "d.png"}


@no_windows
def test_many_links(tmp_path: Path) -> None:
    """Folders that all link to each other, of which there are more ways than time, are each taken once."""
    names = [f"f{number}" for number in range(12)]
    _touch(tmp_path, *(f"{name}/{name}.png" for name in names))
    for name in names:
        for other in names:
            (tmp_path / name / f"to-{other}").symlink_to(tmp_path / other)
    assert discover.find([tmp_path], recursive=True).paths == [
        tmp_path / n / f"{n}.png" for n in sorted(names)
    ]


@no_windows
def test_broken_links(tmp_path: Path) -> None:
    """A link that leads nowhere is told, as is one to itself; links to files are taken."""
    _touch(tmp_path, "a.png")
    for name, to in [("b.png", "nowhere.png"), ("c.png", "c.png"), ("d.png", "a.png"), ("e.txt", "nowhere")]:
        (tmp_path / name).symlink_to(to)
    found = discover.find([tmp_path])
    assert [path.name for path in found.paths] == ["a.png", "d.png"]
    assert sorted(path.name for path, _ in found.refused) == ["b.png", "c.png"]
    assert all(reason == f"{path} is a link that leads nowhere" for path, reason in found.refused)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_pipes(tmp_path: Path) -> None:
    """A pipe that is called like a photograph is none."""
    _touch(tmp_path, "a.png")
    os.mkfifo(tmp_path / "b.png")
    assert discover.find([tmp_path]).paths == [tmp_path / "a.png"]


def test_unreadable_folder_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder within that cannot be read is told with the reason; the others are taken."""
    _touch(tmp_path, "a.png", "x/b.png", "y/c.png")
    _deny(monkeypatch, tmp_path / "x")
    found = discover.find([tmp_path], recursive=True)
    assert [path.name for path in found.paths] == ["a.png", "c.png"]
    assert found.refused == [(tmp_path / "x", f"{tmp_path / 'x'} cannot be read: Permission denied")]


def test_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for photographs is not told off for an empty folder, or one that cannot be read now."""
    assert not discover.find([tmp_path], patient=True).sources
    _deny(monkeypatch, tmp_path)
    assert [path for path, _ in discover.find([tmp_path], patient=True).refused] == [tmp_path]


def test_patterns(tmp_path: Path) -> None:
    """A pattern stands for what it matches, with the tree below its fixed part."""
    _touch(tmp_path, "in/a.png", "in/b.jpg", "in/x/c.png", "in/x/y/d.png")
    found = discover.find([tmp_path / "in" / "*.png"])
    assert found.sources == [Source(tmp_path / "in" / "a.png", Path())]
    found = discover.find([tmp_path / "in" / "**" / "*.png"])
    assert [(s.path.name, s.below) for s in found.sources] == [
        ("a.png", Path()),
        ("c.png", Path("x")),
        ("d.png", Path("x", "y")),
    ]
    assert [path.name for path in discover.find([tmp_path / "i*"]).paths] == ["a.png", "b.jpg"]


def test_relative_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern without a fixed part keeps the tree from here."""
    _touch(tmp_path, "x/c.png")
    monkeypatch.chdir(tmp_path)
    assert discover.find([Path("**/*.png")]).sources == [Source(Path("x", "c.png"), Path("x"))]


def test_names_like_patterns(tmp_path: Path) -> None:
    """A file that is called like a pattern is meant itself; a pattern without a match fails on its own."""
    (there,) = _touch(tmp_path, "scan[1].png")
    assert discover.find([there]).paths == [there]
    missing = tmp_path / "no*.png"
    assert discover.find([missing]).paths == [missing]


@pytest.mark.parametrize(
    "name", ["Žluťoučký kůň.png", "写真.png", "صورة.jpg", "🖼.png", "two\nlines.png", "caf\udce9.png"]
)
def test_any_name(tmp_path: Path, name: str) -> None:
    """Names in any script, with any bytes, are found in folders of such names."""
    if sys.platform != "linux" and not name.isprintable():
        pytest.skip("names are not any bytes here")
    folder = Path(name).stem
    _touch(tmp_path, f"{folder}/{name}")
    assert discover.find([tmp_path], recursive=True).sources == [
        Source(tmp_path / folder / name, Path(folder))
    ]


def test_names_that_are_none(tmp_path: Path) -> None:
    """What can be no file's name is left to fail on its own."""
    long, zero = Path("x" * 5000 + ".png"), Path("a\0b.png")
    assert discover.find([long, zero]).paths == [long, zero]
