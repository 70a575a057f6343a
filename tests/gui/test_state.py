"""The state of the window changes by events alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tintype.adjustments import Adjustments
from tintype.colorizer import Prediction
from tintype.gui import state as states
from tintype.gui.state import Document, Edit, History, Item, ModelInfo, Result, State, Task, reduce
from tintype.hints import Stroke

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tintype.gui.state import Event

MODEL = ModelInfo("classic", "classic", 96, "cpu", vividness=False)
ZEROS = np.zeros((8, 8), np.float32)
PREDICTION = Prediction(ZEROS, np.zeros((2, 8, 8), np.float32), None)
RESULT = Result(PREDICTION, MODEL, 0.25)
STROKE = Stroke(((1.0, 2.0),), 3.0, (10, 20, 30))
STRONG = Edit(Adjustments(strength=1.5))
OPENING = states.Started(Task("open", "Opening a.jpg"))


def document(name: str = "a.jpg", *, complete: bool = True) -> Document:
    """Return an open photograph whose picture nobody looks at."""
    picture: Any = object()
    return Document(name, Path(name), picture, complete)


def after(*events: Event, state: State | None = None) -> State:
    """Return the state after some events."""
    state = state or State()
    for event in events:
        state = reduce(state, event)
    return state


COLORIZED = (states.Opened(document(), "opened"), states.Colorized(RESULT, "colorized"))


def test_nothing_can_be_done_at_first() -> None:
    """Without a photograph there is nothing to colorize, to change or to save."""
    state = State()
    flags = (state.can_colorize, state.can_adjust, state.can_save, state.unsaved, state.busy)
    assert not any(flags)


def test_a_photograph_goes_its_way() -> None:
    """Opened it can be colorized, colorized it can be changed and saved, and each step says what happened."""
    opened = after(OPENING, states.Opened(document(), "a.jpg, 4 x 3 px"))
    assert opened.can_colorize
    assert not opened.can_save
    assert opened.message.text == "a.jpg, 4 x 3 px"
    colorized = after(states.Colorized(RESULT, "in 0.25 s"), state=opened)
    assert colorized.can_save
    assert colorized.can_adjust
    assert colorized.message.text == "in 0.25 s"
    saved = after(states.Saved(Path("b.png"), "saved", Edit()), state=colorized)
    assert saved.target == Path("b.png")


def test_a_quick_decode_is_followed_by_the_whole() -> None:
    """While the whole photograph is still being decoded it can be colorized, and stays colorized after."""
    quick = after(OPENING, states.Opened(document(complete=False), "quick"))
    assert quick.busy
    assert quick.can_colorize
    colorized = after(states.Started(Task("colorize", "")), states.Colorized(RESULT, "done"), state=quick)
    whole = after(states.Opened(document(), "whole"), state=colorized)
    assert whole.result is RESULT
    assert not whole.busy
    assert whole.document is not None
    assert whole.document.complete


def test_another_photograph_drops_what_was_made_of_the_one_before() -> None:
    """Result, changes, variants and rating belong to one photograph; brush, mode and folder stay."""
    before = after(
        *COLORIZED,
        states.Chose(mode="side", radius=0.05),
        states.ColorPicked((1, 2, 3)),
        states.Edited(STRONG),
        states.Rated("good", ""),
        states.Queued((Item(Path("x.png")),), Path("out")),
    )
    state = after(OPENING, states.Opened(document("b.jpg"), ""), state=before)
    assert (state.result, state.edit, state.rating, state.variants) == (None, Edit(), "", ())
    assert (state.mode, state.radius, state.brush, len(state.items)) == ("side", 0.05, (1, 2, 3), 1)


def test_an_error_keeps_what_was_there() -> None:
    """After an error the photograph and its result are still there, and the error is shown as one."""
    state = after(
        *COLORIZED, states.Started(Task("save", "")), states.Failed("the disk is full", "Traceback")
    )
    assert state.message.failed
    assert state.message.details == "Traceback"
    assert state.can_save
    assert not after(states.Colorized(RESULT, "again"), state=state).message.failed


def test_nothing_else_while_busy() -> None:
    """While something is saved nothing else can be saved; cancelled, it can be tried again."""
    busy = after(*COLORIZED, states.Started(Task("save", "Saving")), states.Progressed(0.5, 2.0))
    assert busy.task == Task("save", "Saving", 0.5, 2.0)
    assert not busy.can_save
    assert not busy.can_colorize
    assert after(states.Cancelled("cancelled"), state=busy).can_save


def test_a_slider_dragged_is_one_step_of_undo() -> None:
    """Changes of one group are undone at once, those of another on their own."""
    edits = [Edit(Adjustments(strength=value)) for value in (1.1, 1.2, 1.3)]
    dragged = after(*COLORIZED, *(states.Edited(edit, "strength 1") for edit in edits))
    assert dragged.edit == edits[-1]
    warm = replace(edits[-1], adjustments=replace(edits[-1].adjustments, warmth=0.5))
    both = after(states.Edited(warm, "warmth 2"), state=dragged)
    assert after(states.Undone(), state=both).edit == edits[-1]
    assert after(states.Undone(), states.Undone(), state=both).edit == Edit()
    assert after(states.Undone(), states.Undone(), states.Redone(), states.Redone(), state=both).edit == warm


def test_a_change_ends_what_could_be_redone() -> None:
    """After a change, what had been undone cannot come back."""
    state = after(*COLORIZED, states.Edited(STRONG), states.Undone(), states.Edited(Edit(strokes=(STROKE,))))
    assert not state.history.future
    assert after(states.Redone(), state=state).edit.strokes == (STROKE,)


@given(st.lists(st.one_of(st.integers(0, 3), st.just("undo"), st.just("redo")), max_size=30))
def test_undo_and_redo_go_through_all_that_was(steps: list[int | str]) -> None:
    """However one goes back and forth, undoing everything gives the start, and redoing all the end."""
    history = History()
    for step in steps:
        if isinstance(step, int):
            history = history.change(Edit(Adjustments(strength=step / 2)))
        else:
            history = history.undo() if step == "undo" else history.redo()
    while history.future:
        history = history.redo()
    end = history.present
    while history.past:
        history = history.undo()
    assert history.present == Edit()
    while history.future:
        history = history.redo()
    assert history.present == end


def test_a_chosen_stroke_takes_another_color() -> None:
    """A color picked while a stroke is chosen recolors it, which can be undone; else it is the brush's."""
    painted = after(*COLORIZED, states.Edited(Edit(strokes=(STROKE,))))
    chosen = after(states.Selected(0), state=painted)
    assert chosen.brush == STROKE.color
    red = after(states.ColorPicked((255, 0, 0)), state=chosen)
    assert red.edit.strokes[0].color == (255, 0, 0)
    assert after(states.Undone(), state=red).edit.strokes[0].color == STROKE.color
    free = after(states.Selected(None), states.ColorPicked(None), state=painted)
    assert free.edit.strokes[0].color == STROKE.color
    assert free.brush is None


@pytest.mark.parametrize(
    ("events", "unsaved"),
    [
        ((), False),
        ((states.Edited(STRONG),), True),
        ((states.Edited(STRONG), states.Saved(Path("b.png"), "", STRONG)), False),
        ((states.Edited(STRONG), states.Saved(Path("layer.png"), "")), True),
        ((states.Edited(STRONG), states.Undone()), False),
    ],
)
def test_what_would_be_lost(events: Iterable[Event], *, unsaved: bool) -> None:
    """Changes by hand count as unsaved until the result itself was saved with them."""
    assert after(*COLORIZED, *events).unsaved is unsaved


def test_a_variant_becomes_the_result() -> None:
    """A variant that is chosen is the result from then on; strokes and sliders stay."""
    other = Result(PREDICTION, replace(MODEL, working_size=128), 0.5)
    thumbnail: Any = object()
    variant = states.Variant("classic", 128, thumbnail, other)
    state = after(*COLORIZED, states.Edited(STRONG), states.VariantMade(variant))
    chosen = after(states.VariantChosen(variant), state=state)
    assert chosen.result is other
    assert chosen.edit == STRONG
    assert chosen.variants == (variant,)


def test_the_folder_is_kept_item_by_item() -> None:
    """A photograph of the folder changes its state, the others stay as they are."""
    items = (Item(Path("a.png")), Item(Path("b.png")))
    state = after(
        states.Queued(items, Path("out")), states.ItemChanged(1, replace(items[1], status="failed"))
    )
    assert [item.status for item in state.items] == ["waiting", "failed"]
    hidden = after(states.FolderHidden(), state=state)
    assert (hidden.items, hidden.folder) == ((), None)
