"""Progress of long work on a terminal: one line with count, rate and time left."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

    from typing_extensions import Self

_EVERY = {True: 0.1, False: 10.0}  # seconds between two lines, on a terminal and in a log


def duration(seconds: float) -> str:
    """Write a length of time as a person would: `42 s`, `3 min 20 s`, `5 h 12 min`."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def say(line: str) -> None:
    """Tell a person one line on standard error; what acts on a terminal, as names may, is spelled out."""
    plain = (c if c.isprintable() else ascii(c)[1:-1] for c in line)
    print("".join(plain), file=sys.stderr, flush=True)


class Pace:
    """How long the rest will take, from what was worked at so far; what was skipped took no time."""

    def __init__(self, total: int | None) -> None:
        """Take how many there are; None while that is not known, see `expect`."""
        self.total = total
        self.done = self.worked = 0
        self.begin()

    def begin(self) -> None:
        """Say that work begins now."""
        self.start = time.monotonic()

    def expect(self, total: int) -> None:
        """Say how many there are."""
        self.total = total

    def count(self, *, worked: bool) -> None:
        """Count one that is done, or skipped."""
        self.done += 1
        if worked:
            self.worked += 1
        elif not self.worked:
            self.begin()

    def rest(self) -> float | None:
        """Return the seconds left; None where nothing is left, or nothing is known yet."""
        if not self.worked or self.total is None or self.done >= self.total:
            return None
        return (time.monotonic() - self.start) / self.worked * (self.total - self.done)


class Progress:
    """A line on standard error that is rewritten in place, or repeated now and then in a log.

    Use as a context manager and call `advance` after each piece of work.
    """

    def __init__(self, label: str, total: int, *, stream: TextIO | None = None) -> None:
        self.label, self.total, self.done = label, total, 0
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.start = self.shown = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        self._show()
        if self.terminal:
            self.stream.write("\n")

    def advance(self, count: int = 1) -> None:
        """Count finished pieces and show it, at most ten times a second."""
        self.done += count
        if time.monotonic() - self.shown >= _EVERY[self.terminal]:
            self._show()

    def line(self) -> str:
        """Describe the state in words."""
        elapsed = time.monotonic() - self.start
        text = f"{self.label}: {self.done} of {self.total}"
        if 0 < self.done < self.total and elapsed > 0:
            left = elapsed / self.done * (self.total - self.done)
            return f"{text}, {self.done / elapsed:.1f}/s, {duration(left)} left"
        return f"{text}, {duration(elapsed)}"

    def _show(self) -> None:
        self.shown = time.monotonic()
        text = self.line()
        self.stream.write(f"\r\x1b[K{text}" if self.terminal else f"{text}\n")
        self.stream.flush()
