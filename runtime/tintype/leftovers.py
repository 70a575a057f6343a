"""Half-written files that a killed process left: told from those that are being written, and removed.

Who writes holds a lock on the file, which ends with the process, however that ends.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

try:
    import fcntl
except ImportError:  # on Windows a file that is open cannot be removed, which does as well
    fcntl = None  # type: ignore[assignment]

WINDOWS: Final = os.name == "nt"
START: Final = ".tintype-"
END: Final = ".partial"


def name(path: Path) -> Path:
    """Return a new name beside `path`, for a file that is to replace it."""
    return path.with_name(f"{START}{os.urandom(6).hex()}{END}")


def begin(partial: Path) -> BinaryIO:
    """Open a new file of such a name, to be written. Raises OSError."""
    while True:
        file = partial.open("xb")
        try:
            if _locked(file):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _locked(file: BinaryIO) -> bool:
    """Lock a new file; say whether it is still there: another process may take it for a leftover before."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks: what is left there stays
            fcntl.flock(file, fcntl.LOCK_EX)
    return WINDOWS or os.fstat(file.fileno()).st_nlink > 0


def sweep(folders: Iterable[Path]) -> int:
    """Remove from folders what processes that are no more left half-written; return how many files."""
    return sum(_remove(folder / name) for folder in folders for name in _names(folder))


def _names(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.startswith(START) and name.endswith(END)]  # noqa: PTH208
    except OSError:
        return []


def _remove(path: Path) -> bool:
    try:
        if fcntl is None:
            path.unlink()
            return True
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(descriptor)
    except OSError:  # it is at work, gone, or not ours
        return False
    return True
