"""The state of the window changes by events alone."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tintype.gui.state import Colorized, Failed, Opened, Saved, Started, State, reduce

PICTURE = Image.new("L", (4, 3))
OPENED = Opened(Path("a.jpg"), (4, 3), PICTURE, ("a note",))
COLORIZED = Colorized(PICTURE, 0.25, "classic", "cpu", 96)


def test_nothing_can_be_done_at_first() -> None:
    """Without a photograph there is nothing to colorize or to save."""
    assert not State().can_colorize
    assert not State().can_save


def test_a_photograph_goes_its_way() -> None:
    """Opened it can be colorized, colorized it can be saved, and each step says what happened."""
    opened = reduce(reduce(State(), Started("Opening")), OPENED)
    assert opened.can_colorize
    assert not opened.can_save
    assert opened.message == "a.jpg, 4 x 3 px; a note"
    colorized = reduce(opened, COLORIZED)
    assert colorized.can_save
    assert "classic on cpu, working size 96" in colorized.message
    assert "Saved b.png in 1.50 s" in reduce(colorized, Saved(Path("b.png"), 1.5)).message


def test_nothing_else_while_busy() -> None:
    """While work is under way nothing else can be begun."""
    busy = reduce(reduce(reduce(State(), OPENED), COLORIZED), Started("Saving"))
    assert busy.busy
    assert not busy.can_colorize
    assert not busy.can_save


def test_an_error_keeps_what_was_there() -> None:
    """After an error the photograph and its result are still there, and the error is shown as one."""
    failed = reduce(reduce(reduce(State(), OPENED), COLORIZED), Failed("disk full"))
    assert failed.failed
    assert failed.message == "disk full"
    assert failed.can_save
    assert not reduce(failed, COLORIZED).failed


def test_another_photograph_drops_the_result() -> None:
    """Opening another photograph drops the result of the one before."""
    again = reduce(reduce(reduce(State(), OPENED), COLORIZED), OPENED)
    assert again.after is None
