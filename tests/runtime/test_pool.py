"""Several at a time: as they are done, never more than there is room for, and none left behind."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from tintype import pool
from tintype.errors import CancelledError
from tintype.watch import Watch


def _square(number: int, _: Watch | None) -> int:
    return number * number


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_all(workers: int) -> None:
    """Each item is worked at once; one worker keeps their order."""
    answers = list(pool.each(_square, range(20), workers))
    assert sorted(answers) == [number**2 for number in range(20)]
    assert workers > 1 or answers == sorted(answers)


def test_as_they_are_done() -> None:
    """What takes long holds back no other."""
    gate = threading.Event()

    def work(number: int, _: Watch | None) -> int:
        if number == 0:
            gate.wait(20)
        return number

    with closing(pool.each(work, range(4), 2)) as answers:  # type: ignore[type-var]
        assert [next(answers) for _ in range(3)] == [1, 2, 3]
        gate.set()
        assert list(answers) == [0]


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_taken_when_there_is_time(workers: int) -> None:
    """No more items are taken than can be worked at."""
    taken = []

    def items() -> object:
        for number in range(100):
            taken.append(number)
            yield number

    with closing(pool.each(_square, items(), workers)) as answers:  # type: ignore[arg-type,type-var]
        next(answers)
        assert len(taken) <= workers


@pytest.mark.parametrize("workers", [1, 2])
def test_errors(workers: int) -> None:
    """What work raises is raised, and the others are cancelled and have ended."""
    ended = []

    def work(number: int, watch: Watch | None) -> None:
        if number == 1:
            raise ZeroDivisionError
        if watch is not None:
            while not watch.cancelled:
                time.sleep(0.001)
        ended.append(number)

    with pytest.raises(ZeroDivisionError):
        list(pool.each(work, range(9), workers))
    assert ended == [0]


def test_room() -> None:
    """Who wants more than is left waits for it."""
    room, order = pool.Room(100), []

    def second() -> None:
        with room.take(60, None):
            order.append("second")

    with room.take(60, None):
        thread = threading.Thread(target=second)
        thread.start()
        with room.take(40, None):
            thread.join(0.05)
            order.append("first")
    thread.join(20)
    assert order == ["first", "second"]


def test_more_than_all() -> None:
    """Who wants more than there is gets it alone; without a bound all get what they want."""
    room = pool.Room(100)
    with room.take(1000, None):
        watch = Watch()
        watch.cancel()
        with pytest.raises(CancelledError), room.take(1, watch):
            pass
    with pool.Room(None).take(1 << 62, None):
        pass
