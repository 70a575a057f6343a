"""A folder that photographs arrive in, from a scanner or a camera: each is taken when it is at rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tintype.journal import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tintype.discover import Source
    from tintype.journal import State

PAUSE: Final = 1.0  # s between two looks
QUIET: Final = 2.0  # s without a change, after which a file is taken to be whole


class Arrivals:
    """Tells new files, and those that changed, from what was told already."""

    def __init__(self, quiet: float = QUIET) -> None:
        """Take the seconds without a change that make a file whole."""
        self._quiet = quiet
        self._told: dict[Path, State] = {}
        self._moving: dict[Path, tuple[State, float]] = {}  # and since when it is so

    def at_rest(self, sources: list[Source], now: float) -> list[Source]:
        """Return those to be done now, of the sources, which are all that are there at time `now`, s."""
        states = {source.path: state for source in sources if (state := _state(source.path)) is not None}
        for kept in (self._told, self._moving):
            for path in kept.keys() - states.keys():
                del kept[path]
        return [source for source in sources if self._rests(source.path, states.get(source.path), now)]

    def _rests(self, path: Path, state: State | None, now: float) -> bool:
        if state is None or self._told.get(path) == state:
            return False
        before, since = self._moving.get(path, (None, now))
        if before != state:
            self._moving[path] = state, now
            return False
        if not state[0] or now - since < self._quiet:  # nothing is in it yet, or it may go on
            return False
        self._told[path] = state
        del self._moving[path]
        return True


def arrivals(
    look: Callable[[], list[Source]], pause: float = PAUSE, quiet: float = QUIET
) -> Iterator[list[Source]]:
    """Look again and again, without end; yield photographs, one at least, as soon as they are at rest."""
    known = Arrivals(quiet)
    while True:
        if rested := known.at_rest(look(), time.monotonic()):
            yield rested
        else:
            time.sleep(pause)


def _state(path: Path) -> State | None:
    try:
        return state_of(path)
    except OSError:  # it is gone again
        return None
