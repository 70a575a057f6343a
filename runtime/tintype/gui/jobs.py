"""Jobs done one after the other in a thread of their own: waiting, cancelled, dropped for newer ones."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tintype import memory
from tintype.gui import desktop
from tintype.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


@dataclass(frozen=True)
class Job:
    """A piece of work, and what hears how far it is."""

    kind: str
    work: Callable[[Watch], None]
    report: Callable[[float], None] | None = None
    replaces: bool = False
    """Whether it takes the place of one of its kind that still waits."""
    patient: bool = False
    """Whether it lets all others go before it."""


class Jobs:
    """Does jobs in turn. Every method may be called from any thread and, `close` aside, returns at once."""

    def __init__(self, failed: Callable[[Job, Exception], None]) -> None:
        """Take what is told, in the thread of the jobs, of each that raised; CancelledError included."""
        self._failed = failed
        self._waiting: list[Job] = []
        self._now: tuple[Job, Watch] | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = self._start()

    def put(self, job: Job) -> None:
        """Have a job done."""
        with self._changed:
            if job.replaces:
                self._drop({job.kind})
            self._waiting.append(job)
            self._changed.notify()

    def waits(self, kind: str) -> bool:
        """Say whether a job of this kind waits."""
        with self._changed:
            return any(job.kind == kind for job in self._waiting)

    def cancel(self, kinds: Collection[str]) -> None:
        """Cancel the job that is done now, if of these kinds, and drop those that wait."""
        with self._changed:
            self._drop(kinds)
            if self._now is not None and self._now[0].kind in kinds:
                self._now[1].cancel()

    def ensure(self) -> bool:
        """Say whether the thread is alive; start another one if it is not."""
        with self._changed:
            if self._thread.is_alive() or self._closed:
                return True
            self._now = None
            self._thread = self._start()
            return False

    def close(self, kept: Collection[str] = ()) -> None:
        """End the thread: what is done now is cancelled, or finished if of the kinds `kept`."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            if self._now is not None and self._now[0].kind not in kept:
                self._now[1].cancel()
            self._changed.notify()
        self._thread.join()

    def _drop(self, kinds: Collection[str]) -> None:
        self._waiting = [job for job in self._waiting if job.kind not in kinds]

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, name="tintype worker", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        desktop.nice()  # the window comes first, and whatever else the machine does
        while (now := self._next()) is not None:
            job, watch = now
            try:
                job.work(watch)
            except Exception as error:  # noqa: BLE001 - a worker that dies would leave a dead window
                self._failed(job, error)
            memory.give_back()  # what a large photograph took

    def _next(self) -> tuple[Job, Watch] | None:
        """Wait for the next job; None when there will be none."""
        with self._changed:
            self._now = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            job = min(self._waiting, key=lambda job: job.patient)
            self._waiting.remove(job)
            self._now = job, Watch(job.report)
            return self._now
