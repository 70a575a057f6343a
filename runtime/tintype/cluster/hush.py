"""Keep native code and its child processes from writing into what is said to people and programs.

Ray's libraries write to the descriptors of standard output and error, each as it pleases. What Python prints
goes to where it went before; what is written past it goes nowhere. Ray's own log files hold the rest.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def hushed() -> Iterator[None]:
    """Do so for a while."""
    kept = [(name, stream) for name in ("stdout", "stderr") if (stream := _native(name)) is not None]
    copies = [(stream.fileno(), os.dup(stream.fileno())) for _, stream in kept]
    try:
        for (name, stream), (number, copy) in zip(kept, copies, strict=True):
            stream.flush()
            setattr(sys, name, _like(stream, copy))
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
        yield
    finally:
        for (name, stream), (number, copy) in zip(kept, copies, strict=True):
            with suppress(OSError):
                getattr(sys, name).flush()
            os.dup2(copy, number)
            os.close(copy)
            setattr(sys, name, stream)


def _native(name: str) -> io.TextIOWrapper | None:
    """Return a standard stream if it is the process's own."""
    stream = getattr(sys, name)
    return stream if isinstance(stream, io.TextIOWrapper) and stream is getattr(sys, f"__{name}__") else None


def _like(stream: io.TextIOWrapper, descriptor: int) -> io.TextIOWrapper:
    file = os.fdopen(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(file, stream.encoding, stream.errors, line_buffering=True)
