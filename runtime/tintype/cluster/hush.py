"""Keep Ray from writing into what is said to people and programs.

Its libraries write to the descriptors of standard output and error, its threads print, its children too.
What this thread prints goes to where it went before, all else goes nowhere. Ray's own log files hold it.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

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
    return _Own(file, stream.encoding, stream.errors, line_buffering=True)


class _Own(io.TextIOWrapper):
    """Takes what the thread that made it writes."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        """Take a text, or drop it."""
        return super().write(text) if threading.get_ident() == self._thread else len(text)
