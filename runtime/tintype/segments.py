"""Segments of a journal: files beside it, each written by one process of a run that has many.

Network file systems do not let several machines append to one file safely. So each worker of a cluster
writes the same lines into a file of its own, `.tintype-journal.RUN.WORKER`, and holds a lock on it. Whoever
reads a journal reads its segments after it; `merge` moves the lines of those that nobody writes any more
into the journal. A kill in between leaves lines twice, which say the same.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import BinaryIO

try:
    import fcntl
except ImportError:  # on Windows, where Ray runs on one machine: segments stay, and are read
    fcntl = None  # type: ignore[assignment]

JOURNAL: Final = ".tintype-journal"


def names(folder: Path, run: str = "") -> list[Path]:
    """Return the segments of a folder's journal, of one run or of all."""
    start = f"{JOURNAL}.{run}"
    try:
        return sorted(folder / name for name in os.listdir(folder) if name.startswith(start))  # noqa: PTH208
    except OSError:
        return []


def begin(folder: Path, run: str) -> tuple[Path, BinaryIO]:
    """Make a new segment; return its path, and a file that keeps it locked while open. Raises OSError."""
    path = folder / f"{JOURNAL}.{run}.{os.urandom(6).hex()}"
    file = path.open("xb")
    _locked(file.fileno(), wait=True)
    return path, file


def merge(folder: Path, bring: Callable[[Iterable[bytes]], None]) -> int:
    """Give `bring` the lines of segments that nobody writes, remove them; return how many stay.

    What cannot be read, locked or removed stays as it is, and is read again.
    """
    left = 0
    for path in names(folder):
        try:
            with path.open("rb+") as file:
                if not _locked(file.fileno()):
                    left += 1
                    continue
                bring(file)
                path.unlink()
        except OSError:
            left += 1
    return left


def _locked(descriptor: int, *, wait: bool = False) -> bool:
    """Lock a segment; say whether it could be, which it never is where there are no locks."""
    if fcntl is None:
        return False
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    return False
