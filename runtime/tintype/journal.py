"""The journal of an output folder: what each result was made from, so that what is done is done once.

A file of lines, `.tintype-journal`: a first line that says what it is, then for each result one JSON object

    {"result": path within the folder, "also": paths of comparisons, "from": path from the folder,
     "photo": SHA-256, "model": SHA-256, "settings": SHA-256, "size": bytes, "mtime": ns,
     "input": [size, mtime ns, ctime ns, inode], "when": ns}

written when the result is whole on disk and has not taken its name yet. A line is a claim: it holds
where the file in that place has that size and time. So a kill at any moment leaves either a claim for a
file that is there, or one that nothing answers to; a line that was cut off is none. Nothing is ever
changed but at the end of the file, so that several runs may share a folder.

Processes on several machines, which cannot append to one file, write beside it, see `tintype.segments`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tintype import models, segments
from tintype.errors import UsageError
from tintype.url import Url, as_path, is_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tintype.naming import Job

NAME: Final = segments.JOURNAL
VERSION: Final = 1
GRAIN: Final = 2_000_000_000  # ns, the coarsest clock that a file system keeps, FAT's

State: TypeAlias = tuple[int, int, int, int]

_HEAD: Final = f'{{"tintype_journal":{VERSION}}}'.encode()
_LONGEST: Final = 1 << 16  # bytes of a line; names have at most 4 KB, six times that as ASCII
_PLAIN: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Origin:
    """What a result is made from."""

    photo: str
    """SHA-256 of the photograph's file."""
    model: str
    """SHA-256 of the model's file."""
    settings: str
    """SHA-256 of all that else decides how the result looks."""

    def difference(self, other: Origin) -> str | None:
        """Say in words what is not the same; None if all is."""
        if self.photo != other.photo:
            return "the photograph has changed"
        if self.model != other.model:
            return "the model is another one"
        return "the settings are others" if self.settings != other.settings else None


@dataclass(frozen=True)
class Claim:
    """What is said of a result."""

    origin: Origin
    source: str
    """The photograph, as it was called."""
    size: int
    mtime: int
    """Of the result, bytes and ns."""
    state: State
    """Of the photograph."""
    when: int
    """ns, when it was said."""

    def knows(self, state: State) -> bool:
        """Say whether a photograph in this state is what it was made from, for all that clocks can tell."""
        return self.state == state and self.when > max(state[1], state[2]) + GRAIN

    def line(self, name: str) -> dict[str, Any]:
        """Return the line that says so of the result called `name`."""
        return {
            "result": name,
            "from": self.source,
            **asdict(self.origin),
            "size": self.size,
            "mtime": self.mtime,
            "input": list(self.state),
            "when": self.when,
        }


class Journal:
    """What an output folder remembers. Safe to use from several threads and by several processes."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Read a folder's journal, if there is one; raises UsageError where the file is none."""
        self._path = folder / NAME
        self._folder = os.path.realpath(folder)
        self._write = write
        self._claims: dict[str, list[Claim]] = {}
        self._results: set[str] = set()
        self._open: str | None = None
        self._renewed: set[str] = set()
        self._read()

    def origin(self, place: Path) -> Origin | None:
        """Return what the file that is in a place was made from; None where that is not known."""
        claim = self._claim(place)
        return None if claim is None else claim.origin

    def source(self, place: Path) -> Path | None:
        """Return the photograph that the file in a place was made from, as it was called then."""
        claim = self._claim(place)
        if claim is None:
            return None
        if is_url(claim.source):
            return as_path(claim.source)
        return Path(os.path.normpath(os.path.join(self._folder, claim.source)))  # noqa: PTH118

    def lines(self, place: Path) -> list[dict[str, Any]]:
        """Return what is claimed of the file in a place, as it was written."""
        name = self._name(place)
        return [claim.line(name) for claim in self._claims.get(name, [])]

    def merge(self) -> int:
        """Bring in what workers wrote beside it who are no more; return how many files are left there."""
        if not self._write:
            return 0
        return segments.merge(self._path.parent, self._bring)

    def known(self, state: State, place: Path) -> str | None:
        """Return the SHA-256 of a photograph in this state, if a result in this place was made from it."""
        claims = reversed(self._claims.get(self._name(place), []))
        return next((claim.origin.photo for claim in claims if claim.knows(state)), None)

    def photo(self, source: Path, state: State, place: Path) -> str:
        """Return the SHA-256 of a photograph, read only where it may have changed. Raises OSError."""
        known = self.known(state, place)
        return models.sha256(source) if known is None else known

    def claim(self, job: Job, origin: Origin, state: State, result: os.stat_result) -> None:
        """Say that a whole file, which takes its place next, is made from an origin. Raises OSError."""
        name, *also = map(self._name, job.places)
        source, when = self._name(job.source), time.time_ns()
        claim = Claim(origin, source, result.st_size, result.st_mtime_ns, state, when)
        self._append(claim.line(name) | {"also": also})

    def begin(self, run: str) -> None:
        """Say that all results are made again; what such a run made before it was killed stays made."""
        if self._open != run:
            self._renewed.clear()
            self._append({"again": run})

    def end(self, run: str) -> None:
        """Say that all results were made again."""
        self._append({"done": run})

    def is_renewed(self, place: Path) -> bool:
        """Say whether a result was made by a run that `begin` goes on with."""
        return self._name(place) in self._renewed

    def results(self) -> set[Path]:
        """Return the places of all results and comparisons that were made."""
        return {Path(self._folder, name) for name in self._results}

    def _claim(self, place: Path) -> Claim | None:
        try:
            there = place.lstat()
        except (OSError, ValueError):
            return None
        claims = [c for c in self._claims.get(self._name(place), []) if c.size == there.st_size]
        apart = [abs(claim.mtime - there.st_mtime_ns) for claim in claims]
        nearest = min(range(len(claims)), key=apart.__getitem__, default=None)
        return None if nearest is None or apart[nearest] >= GRAIN else claims[nearest]

    def _name(self, place: Path) -> str:
        if isinstance(place, Url):
            return str(place)
        folder = os.path.realpath(place.parent)
        try:
            return Path(os.path.relpath(folder, self._folder), place.name).as_posix()
        except ValueError:  # on another drive
            return Path(folder, place.name).as_posix()

    def _read(self) -> None:
        for path in (self._path, *segments.names(self._path.parent)):
            for line in _lines(path):
                self._take(_parsed(line))

    def _take(self, line: dict[str, Any]) -> None:
        if "again" in line:
            self._open = str(line["again"])
            self._renewed.clear()
        elif "done" in line:
            self._open = None
        elif (claim := claim_of(line)) is not None:
            name, also = str(line["result"]), line.get("also") or []
            self._claims.setdefault(name, []).append(claim)
            self._results |= {name, *map(str, also)}
            if self._open is not None:
                self._renewed.add(name)

    def _bring(self, lines: Iterable[bytes]) -> None:
        for line in map(_parsed, lines):
            if line and "tintype_journal" not in line:  # whole, and no first line
                self._append(line, sync=False)
                self._take(line)
        if self._path.exists():
            descriptor = os.open(self._path, os.O_WRONLY | _PLAIN)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _append(self, line: dict[str, Any], *, sync: bool = True) -> None:
        """Add a line in one piece, and see that it is on disk; one cut off before stays for itself."""
        if not self._write:
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _PLAIN
        descriptor = os.open(self._path, flags, 0o666)
        try:
            head = b"" if os.fstat(descriptor).st_size else _HEAD
            os.write(descriptor, head + b"\n" + _encoded(line) + b"\n")  # another may begin it as well, later
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def state_of(path: Path) -> State:
    """Return what changes when a file is written to or replaced. Raises OSError."""
    state = path.stat()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def digest(settings: dict[str, Any]) -> str:
    """Return the SHA-256 of settings that JSON can write, whatever their order."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a journal but the first; raises UsageError where it is none."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | _PLAIN), "rb") as file:
            _check(path, file.readline(_LONGEST).rstrip(b"\n"))
            while line := file.readline(_LONGEST):
                yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _check(path: Path, head: bytes) -> None:
    if _HEAD.startswith(head):  # whole, or cut off by a full disk
        return
    version = _parsed(head).get("tintype_journal")
    if version is None:
        raise UsageError(f"{path} is no journal of Tintype: move it away, or choose another --out")
    raise UsageError(f"{path} is of version {version}, known is {VERSION}: update Tintype")


def _encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode("ascii")


def _parsed(line: bytes) -> dict[str, Any]:
    """Return a line's object; an empty one where it is cut off or not ours."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def claim_of(line: dict[str, Any]) -> Claim | None:
    """Return what a line claims; None where it claims nothing."""
    try:
        size, mtime, when = int(line["size"]), int(line["mtime"]), int(line["when"])
        origin = Origin(str(line["photo"]), str(line["model"]), str(line["settings"]))
        first, second, third, fourth = map(int, line["input"])
        return Claim(origin, str(line["from"]), size, mtime, (first, second, third, fourth), when)
    except (KeyError, TypeError, ValueError):
        return None
