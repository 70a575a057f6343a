"""Long work seen from outside: it tells how far it is, and ends soon after it was cancelled."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, strategies as st

from tintype.errors import CancelledError, PhotoError, TintypeError
from tintype.watch import Watch

SHARES = st.floats(0, 1)


def test_shares_are_told() -> None:
    """What the work tells arrives in order, in its own thread; a watch nobody listens to is silent."""
    told: list[tuple[float, int]] = []
    watch = Watch(lambda share: told.append((share, threading.get_ident())))
    for share in (0.0, 0.5, 1.0):
        watch.advance(share)
        Watch().advance(share)
    assert told == [(share, threading.get_ident()) for share in (0.0, 0.5, 1.0)]


@given(SHARES, SHARES, SHARES, SHARES, SHARES)
def test_parts(low: float, high: float, inner_low: float, inner_high: float, share: float) -> None:
    """A part of a part tells the share of the whole."""
    told: list[float] = []
    Watch(told.append).part(low, high).part(inner_low, inner_high).advance(share)
    inner = inner_low + share * (inner_high - inner_low)
    assert told == [pytest.approx(low + inner * (high - low))]


def test_cancelled_together() -> None:
    """After `cancel`, the next word of the work or of a part of it raises CancelledError."""
    told: list[float] = []
    watch = Watch(told.append)
    part = watch.part(0, 0.5)
    watch.check()
    part.cancel()
    assert watch.cancelled
    for step in (watch.check, part.check, lambda: watch.advance(1), lambda: part.advance(1)):
        with pytest.raises(CancelledError):
            step()
    assert not told


def test_no_fault_of_a_photograph() -> None:
    """Cancelling is an error of ours but none of a photograph: a folder does not go on with the next one."""
    assert issubclass(CancelledError, TintypeError)
    assert not issubclass(CancelledError, (PhotoError, OSError, ValueError))
    assert "\n" not in str(CancelledError())


def test_native_work() -> None:
    """A native call's answer and its error come back as they are."""
    assert Watch().run(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        Watch().run(lambda: 1 // 0)


def test_native_work_is_left_behind() -> None:
    """A native call that hears nothing is told to end and left behind at once; its answer is dropped."""
    watch, told, ended = Watch(), threading.Event(), threading.Event()

    def call() -> None:
        told.wait(20)
        ended.set()

    def interrupt() -> None:
        assert not ended.is_set()
        told.set()

    threading.Timer(0.05, watch.cancel).start()
    start = time.monotonic()
    with pytest.raises(CancelledError):
        watch.run(call, interrupt)
    assert time.monotonic() - start < 5
    assert ended.wait(5)


def test_nothing_starts_when_cancelled() -> None:
    """A native call is not even begun when the work was cancelled before."""
    watch, begun = Watch(), threading.Event()
    watch.cancel()
    with pytest.raises(CancelledError):
        watch.run(begun.set)
    assert not begun.is_set()
