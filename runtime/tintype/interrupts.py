"""Ctrl-C and SIGTERM: they end a program of ours in one way, wherever it is when they come."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_now: Final = SimpleNamespace(heard=False, listening=False)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM came.

    A type of its own: CPython remembers a plain KeyboardInterrupt that leaves an `exec` of text, which is
    how dataclasses and named tuples are made while modules are imported, and kills the process in the
    end although it was caught.
    """


def listen() -> None:
    """Raise Interrupted in the main thread, from which this is called, when SIGINT or SIGTERM comes.

    A signal that the process was started to ignore, as shells do for jobs in the background, stays ignored.
    """
    _now.heard, _now.listening = False, True
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)


def renew() -> None:
    """Take the signals back from a library that took them, where `listen` was called before."""
    if _now.listening and not _now.heard:
        listen()


def heard() -> bool:
    """Say whether a signal came since `listen`."""
    return bool(_now.heard)


def check() -> None:
    """Raise Interrupted if a signal came.

    What is raised within native code and finalizers may become another error, or be dropped.
    """
    if _now.heard:
        raise Interrupted


def ignore() -> None:
    """Hear no signal any more: all is done, and Python's own end is not to be disturbed."""
    _now.listening = False
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _raise(_number: int, _frame: FrameType | None) -> NoReturn:
    _now.heard = True
    raise Interrupted
