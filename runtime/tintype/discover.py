"""Find photographs: files as they are given, folders with what is in them, patterns with what they match."""

from __future__ import annotations

import glob
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tintype import output
from tintype.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIXES: Final = frozenset({*output.FORMATS, ".pgm", ".pnm", ".gif"})


@dataclass(frozen=True)
class Source:
    """A photograph, and the folders between what was given and it: the tree that --out keeps."""

    path: Path
    below: Path = Path()


@dataclass
class Found:
    """What was found, sorted within each folder that was given, and what could not be looked into."""

    sources: list[Source] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    """Folders and links with the reason."""

    @property
    def paths(self) -> list[Path]:
        """The photographs."""
        return [source.path for source in self.sources]


def find(
    inputs: Iterable[Path], *, recursive: bool = False, out: Path | None = None, patient: bool = False
) -> Found:
    """Find photographs; `recursive`: in folders within folders too, but not in `out`, where results go.

    Files are taken as they are given, there or not: what is missing fails on its own, beside the others.
    Of folders those files are taken that have a photograph's suffix; names that begin with a dot are left
    out. A folder that links lead to is taken once, in its own place if that is among what was given.
    Raises UsageError for a folder without photographs, or one that cannot be read, unless `patient`.
    """
    given = [place for path in inputs for place in _matches(path)]
    found = Found()
    known = {node(place.path) for place in given if is_folder(place.path)}
    closed = {node(out)} - known if recursive and out is not None and is_folder(out) else set()
    for place in given:
        if is_folder(place.path):
            _look(place.path, found, closed, recursive=recursive, patient=patient)
        else:
            found.sources.append(place)
    first: dict[Path, Source] = {}
    for source in found.sources:
        first.setdefault(source.path, source)
    found.sources = list(first.values())
    return found


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder; what may not be looked at is none, and fails on its own."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_pattern(path: Path) -> bool:
    """Say whether a path stands for those that it matches; a file that is called so comes first."""
    return glob.has_magic(str(path)) and not os.path.lexists(path)


def _matches(path: Path) -> Iterator[Source]:
    """Yield what a pattern stands for, with the tree below its fixed part; any other path is itself."""
    if not is_pattern(path):
        yield Source(path)
        return
    names = glob.glob(str(path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute patterns
    matched = sorted(map(Path, names))
    fixed = Path(*_until_magic(path))
    for place in matched:
        yield Source(place, place.parent.relative_to(fixed))
    if not matched:
        yield Source(path)


def _until_magic(path: Path) -> Iterator[str]:
    for part in path.parent.parts:
        if glob.has_magic(part):
            return
        yield part


def walk(
    top: Path, closed: Iterable[tuple[int, int]] = (), *, recursive: bool, patient: bool = False
) -> Iterator[Found]:
    """Yield what is in a folder and, if `recursive`, in those within it, one folder after the other.

    Folders first, then links to folders, each folder once and none of `closed` (see `node`): no more is held
    than which folders were seen. Raises UsageError where the first cannot be read, unless `patient`.
    """
    folders, links = [top], deque[Path]()
    seen = set(closed)
    while folders or links:
        folder = folders.pop() if folders else links.popleft()
        try:
            if _is_known(folder, seen):
                continue
            inside = _entries(folder)
        except OSError as error:
            if folder == top and not patient:
                raise UsageError(f"{top} cannot be read: {error.strerror}") from error
            yield Found([], [(folder, f"{folder} cannot be read: {error.strerror}")])
            continue
        sources = [Source(path, folder.relative_to(top)) for path in sorted(inside.photos)]
        yield Found(sources, [(path, f"{path} is a link that leads nowhere") for path in inside.broken])
        if recursive:
            folders += inside.folders
            links += inside.links


def _look(top: Path, found: Found, closed: set[tuple[int, int]], *, recursive: bool, patient: bool) -> None:
    """Add the photographs of a folder."""
    sources: list[Source] = []
    for inside in walk(top, closed, recursive=recursive, patient=patient):
        sources += inside.sources
        found.refused += inside.refused
    if not sources and not patient:
        raise UsageError(f"there are no photographs in the folder {top}")
    found.sources += sorted(sources, key=lambda source: source.path)


@dataclass
class _Inside:
    photos: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    broken: list[Path] = field(default_factory=list)


def _entries(folder: Path) -> _Inside:
    inside = _Inside()
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                inside.folders.append(path)
            elif entry.is_symlink() and is_folder(path):
                inside.links.append(path)
            elif path.suffix.lower() in SUFFIXES and os.path.isfile(path):  # noqa: PTH113 - False for loops too
                inside.photos.append(path)
            elif path.suffix.lower() in SUFFIXES and entry.is_symlink() and not os.path.exists(path):  # noqa: PTH110
                inside.broken.append(path)
    return inside


def _is_known(folder: Path, seen: set[tuple[int, int]]) -> bool:
    found = node(folder)
    known = found in seen
    seen.add(found)
    return known


def node(folder: Path) -> tuple[int, int]:
    """Return what a folder is known by, whatever path leads to it. Raises OSError."""
    state = folder.stat()
    return state.st_dev, state.st_ino
