"""The line about long work: on a terminal and in a log."""

from __future__ import annotations

import io
import time

import pytest

from tintype.progress import Progress, duration


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock that stands until a test sets it."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (42.4, "42 s"),
        (59.4, "59 s"),
        (59.7, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (18720, "5 h 12 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    """Lengths of time read as a person would write them."""
    assert duration(seconds) == text


def test_line(clock: list[float]) -> None:
    """The line tells count, rate and time left, and at the end the time taken."""
    line = Progress("photos", 10, stream=io.StringIO())
    assert line.line() == "photos: 0 of 10, 0 s"
    clock[0] += 2
    line.advance(4)
    assert line.line() == "photos: 4 of 10, 2.0/s, 3 s left"
    line.advance(6)
    assert line.line() == "photos: 10 of 10, 2 s"


def test_terminal(clock: list[float]) -> None:
    """On a terminal the line is rewritten in place, at most ten times a second, and ends with a newline."""
    stream = _Terminal()
    with Progress("photos", 3, stream=stream) as line:
        line.advance()
        assert stream.getvalue() == ""
        clock[0] += 0.2
        line.advance()
        assert stream.getvalue().count("\r") == 1
        line.advance()
    assert stream.getvalue().count("\r") == 2
    assert stream.getvalue().endswith("3 of 3, 0 s\n")


def test_log(clock: list[float]) -> None:
    """In a log a whole line appears every ten seconds, and the last at the end."""
    stream = io.StringIO()
    with Progress("photos", 3, stream=stream) as line:
        clock[0] += 9
        line.advance()
        assert stream.getvalue() == ""
        clock[0] += 2
        line.advance()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "\r" not in stream.getvalue()


def test_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Left alone it goes to standard error; nothing to do is no division by zero."""
    with Progress("photos", 0):
        pass
    assert capsys.readouterr().err == "photos: 0 of 0, 0 s\n"
