"""From the state to what is drawn: the merger that gives the visible part its color."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tintype.adjustments import Adjustments
    from tintype.colorizer import Prediction
    from tintype.gui.state import State
    from tintype.hints import Hints
    from tintype.merge import Merger
    from tintype.spread import Spread


class Mixer:
    """Makes a merger of a state, and keeps it as long as nothing changes that it depends on."""

    def __init__(self) -> None:
        self._prediction: Prediction | None = None
        self._spread: Spread | None = None
        self._rest: tuple[Adjustments, tuple[int, int]] | None = None
        self._merger: Merger | None = None

    def merger(self, state: State) -> Merger | None:
        """Return what colors the photograph as the state has it; None while there is no color.

        Strokes whose spread is not known yet are left out, or shown as they were: the worker is at it.
        """
        document, result = state.document, state.result
        if document is None or result is None:
            return None
        spread = state.spread[1] if state.spread is not None and state.edit.strokes else None
        rest = (state.edit.adjustments, document.picture.size)
        known = self._prediction is result.prediction and self._spread is spread and self._rest == rest
        if not known or self._merger is None:
            self._prediction, self._spread, self._rest = result.prediction, spread, rest
            self._merger = result.prediction.merger(*rest[1], rest[0], spread)
        return self._merger


def hints_of(state: State) -> Hints | None:
    """Return the strokes as the hints that a file and the command line take."""
    from tintype.hints import Hints

    if state.document is None or not state.edit.strokes:
        return None
    return Hints(*state.document.picture.size, state.edit.strokes)
