"""How much memory this process may still take, and giving back what it no longer needs."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource


def available() -> int | None:
    """Return the bytes that can be had: the machine's, the container's or the process's limit.

    None where the platform does not tell.
    """
    limits = [limit for limit in (_machine(), _container(), _process()) if limit is not None]
    return min(limits) if limits else None


def give_back() -> None:
    """Return freed memory to the system where the C library keeps it: glibc, on Linux.

    Opening a model leaves about 27 MB behind and running one 18, which would add to the peak of a large
    photograph.
    """
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


def _machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        values = dict(line.split(":", 1) for line in lines)
        return int(values["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _container() -> int | None:
    root = Path("/sys/fs/cgroup")
    try:
        limit = int((root / "memory.max").read_text(encoding="ascii"))
        used = int((root / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return max(0, limit - used)


def _process() -> int | None:
    """Return what RLIMIT_DATA and RLIMIT_AS leave, less what is taken already."""
    if sys.platform == "win32":
        return None
    left = []
    for limit, field in ((resource.RLIMIT_DATA, "VmData"), (resource.RLIMIT_AS, "VmSize")):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            left.append(max(0, soft - _taken(field)))
    return min(left) if left else None


def _taken(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
    except (OSError, StopIteration, ValueError):
        return 0
