"""Long work, seen from outside: how far it is, and how to call it off.

Work that takes a Watch tells it now and then how far it is, and ends with CancelledError at the next
such moment after `cancel`. Native calls, which tell nothing, are carried out by `run`.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Final, TypeVar

from tintype.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

_POLL: Final = 0.03  # s between two looks whether native work was cancelled


class Watch:
    """Watches one piece of work. `cancel` may be called from any thread; the rest is for the work itself."""

    def __init__(
        self, report: Callable[[float], None] | None = None, cancelled: threading.Event | None = None
    ) -> None:
        """Take what is told the share of the work that is done, 0..1, in the thread of the work.

        Watches with the same `cancelled` are cancelled together.
        """
        self._report = report
        self._cancelled = cancelled or threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the work is to end."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Have the work end as soon as it can; returns at once."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise CancelledError if the work was cancelled."""
        if self.cancelled:
            raise CancelledError

    def advance(self, share: float) -> None:
        """Report that a share of the work is done, 0..1; raises CancelledError if it was cancelled."""
        self.check()
        if self._report is not None:
            self._report(share)

    def part(self, low: float, high: float) -> Watch:
        """Return a watch for a part of the work, from share `low` to `high`; cancelled together with it."""
        return Watch(lambda share: self.advance(low + share * (high - low)), self._cancelled)

    def run(self, call: Callable[[], Answer], interrupt: Callable[[], None] | None = None) -> Answer:
        """Return what a native call returns, or raise what it raises, or CancelledError soon after `cancel`.

        The call runs in a thread of its own. On cancelling, `interrupt` tells it to end, and it is left
        behind: what it still does, it does unseen, and its answer is dropped.
        """
        self.check()
        answer: Future[Answer] = Future()
        threading.Thread(target=_fulfil, args=(answer, call), name="tintype native", daemon=True).start()
        while not wait([answer], _POLL).done:
            if self.cancelled:
                if interrupt is not None:
                    interrupt()
                raise CancelledError
        return answer.result()


def _fulfil(answer: Future[Answer], call: Callable[[], Answer]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again where the answer is awaited
        answer.set_exception(error)
