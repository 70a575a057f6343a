"""Several photographs at a time, in threads, and never more of them than fit into memory together."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from tintype.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_POLL = 0.2  # s; a wait without an end hears no Ctrl-C on Windows


def each(
    work: Callable[[Item, Watch | None], Answer], items: Iterable[Item], workers: int
) -> Iterator[Answer]:
    """Yield what `work` answers for each item, as it is done; raise what it raises.

    One worker works in this thread and is given no watch. However this generator is left, those at work
    are cancelled by their watch, and have ended then.
    """
    if workers == 1:
        yield from (work(item, None) for item in items)
        return
    cancelled, busy = threading.Event(), set[Future[Answer]]()
    with ThreadPoolExecutor(workers, thread_name_prefix="tintype photo") as threads:
        try:
            for item in items:
                busy.add(threads.submit(work, item, Watch(cancelled=cancelled)))
                if len(busy) == workers:
                    yield from _done(busy)
            while busy:
                yield from _done(busy)
        finally:
            cancelled.set()


def _done(busy: set[Future[Answer]]) -> Iterator[Answer]:
    """Wait until one is done at least; take those out and yield their answers."""
    done: set[Future[Answer]] = set()
    while not done:
        done, _ = wait(busy, _POLL, FIRST_COMPLETED)
    busy -= done
    for future in done:
        yield future.result()


class Room:
    """Memory that several share: who wants more than is left waits, and who wants more than all is alone."""

    def __init__(self, size: int | None) -> None:
        """Take the bytes that there are; None for no bound."""
        self._size = size
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, need: int, watch: Watch | None) -> Iterator[None]:
        """Hold some bytes; raises CancelledError while it waits for them."""
        with self._changed:
            while self._size is not None and self._taken and self._taken + need > self._size:
                self._changed.wait(_POLL)
                if watch is not None:
                    watch.check()
            self._taken += need
        try:
            yield
        finally:
            with self._changed:
                self._taken -= need
                self._changed.notify_all()
