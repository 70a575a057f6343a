"""Which photographs an archive has: the local command's, folder by folder, a few at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tintype import discover
from tintype.cluster import listing
from tintype.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tintype.cluster.plan import Plan

    Plans = Callable[..., Plan]

pytestmark = pytest.mark.cluster

TREE = (
    "b.png",
    "a.JPG",
    "notes.txt",
    ".hidden.png",
    "1960/c.tif",
    "1960/winter/d.webp",
    ".cache/e.png",
    "out/f.png",
)


def _tree(folder: Path, names: Iterable[str] = TREE) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def _named(chunks: Iterable[list[dict[str, Any]]]) -> list[str]:
    return [item["source"] for chunk in chunks for item in chunk]


@pytest.mark.parametrize("recursive", [False, True])
def test_as_the_local_command(tmp_path: Path, make_plan: Plans, recursive: bool) -> None:  # noqa: FBT001 - two cases
    """An archive has the photographs that the local command finds: no hidden ones, none of its results."""
    plan = make_plan(_tree(tmp_path), tmp_path / "out", recursive=recursive)
    found = discover.find([tmp_path], recursive=recursive, out=tmp_path / "out")
    assert sorted(_named(listing.chunks(plan))) == sorted(map(str, found.paths))
    assert listing.count(plan) == len(found.paths)


def test_elsewhere(tmp_path: Path, make_plan: Plans) -> None:
    """On another filesystem the same photographs are found."""
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    for name in TREE:
        files.pipe_file(f"/scans/{name}", b"x")
    plan = make_plan("memory://scans", "memory://scans/out")
    names = [name.removeprefix("memory://scans/") for name in _named(listing.chunks(plan))]
    assert sorted(names) == ["1960/c.tif", "1960/winter/d.webp", "a.JPG", "b.png"]
    files.rm("/", recursive=True)
    with pytest.raises(UsageError, match=r"memory://scans: it is not there"):
        list(listing.walk(plan))


def test_lazily(tmp_path: Path, make_plan: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder is looked into before the photographs of those before it are taken."""
    _tree(tmp_path, [f"{folder}/{number}.png" for folder in "abc" for number in range(listing.CHUNK)])
    looked: list[object] = []
    entries = discover._entries

    def look(folder: Path) -> Any:
        looked.append(folder)
        return entries(folder)

    monkeypatch.setattr(discover, "_entries", look)
    chunks = listing.chunks(make_plan(tmp_path, tmp_path.parent / "out"))
    next(chunks)
    assert len(looked) == 2
    assert len(list(chunks)) == 2


def test_two_with_one_place(tmp_path: Path, make_plan: Plans) -> None:
    """Of two photographs whose results would be one file, the second fails and says so."""
    (chunk,) = listing.chunks(make_plan(_tree(tmp_path, ["a.gif", "a.png"]), tmp_path.parent / "out"))
    assert "failed" not in chunk[0]
    assert "would both become" in chunk[1]["failed"]
