"""The widgets of the panel, driven by real events."""

from __future__ import annotations

import time
import tkinter as tk
from tkinter import ttk
from typing import TYPE_CHECKING, Any

import pytest

from tintype.gui import theme
from tintype.gui.widgets import Choice, IconButton, ScrollFrame, Section, Segments, Slider, Swatches, tip

if TYPE_CHECKING:
    from tintype.gui.state import Color

pytestmark = pytest.mark.gui
CHOICES = [Choice(name, name.title(), f"About {name}") for name in ("split", "side", "color")]


@pytest.fixture
def window(root: tk.Tk) -> tk.Tk:
    """Return a window with the theme, on the screen and with the keyboard."""
    theme.apply(root, theme.DARK, 1)
    root.geometry("400x300+0+0")
    root.update()
    root.focus_force()
    return root


@pytest.fixture
def told() -> list[Any]:
    """Return a list of what widgets told."""
    return []


def slider(window: tk.Tk, told: list[Any], bounds: tuple[float, float] = (-1.0, 1.0)) -> Slider:
    """Return a slider on the screen."""
    made = Slider(window, "Warmth", bounds, 0.0, lambda value, group: told.append((value, group)), step=0.05)
    made.pack(fill="x")
    window.update()
    return made


def drag(widget: tk.Misc, *places: tuple[int, int]) -> None:
    """Press at the first place, go to the others and release at the last."""
    widget.event_generate("<ButtonPress-1>", x=places[0][0], y=places[0][1])
    for x, y in places:
        widget.event_generate("<B1-Motion>", x=x, y=y)
    widget.event_generate("<ButtonRelease-1>", x=places[-1][0], y=places[-1][1])


def test_a_drag_is_one_group(window: tk.Tk, told: list[Any]) -> None:
    """All changes of one drag have one group, those of the next another; values keep to the step."""
    made = slider(window, told)
    drag(made.scale, (200, 9), (300, 9), (350, 9))
    first = {group for _value, group in told}
    assert len(first) == 1
    assert told[-1][0] == made.value > 0.5
    assert all(abs(value / 0.05 - round(value / 0.05)) < 1e-6 for value, _group in told)
    drag(made.scale, (50, 9), (60, 9))
    assert told[-1][1] not in first
    assert made.value < -0.5


def test_a_click_beside_the_knob_goes_there(window: tk.Tk, told: list[Any]) -> None:
    """A click on the trough brings the knob to it at once."""
    made = slider(window, told)
    made.scale.event_generate("<ButtonPress-1>", x=382, y=9)
    made.scale.event_generate("<ButtonRelease-1>", x=382, y=9)
    assert made.value == pytest.approx(0.95, abs=0.06)


def test_the_colored_part_is_the_slider_too(window: tk.Tk, told: list[Any]) -> None:
    """A drag that begins on the colored part of the trough moves the knob."""
    made = slider(window, told, (0.0, 2.0))
    made.show(1.5)
    window.update()
    assert made.fill.winfo_ismapped()
    drag(made.fill, (10, 2), (40, 2))
    assert 0 < made.value < 0.5


@pytest.mark.parametrize(
    ("key", "value"),
    [("Right", 0.05), ("Left", -0.05), ("Prior", 0.5), ("Next", -0.5), ("Home", -1.0), ("End", 1.0)],
)
def test_slider_keys(window: tk.Tk, told: list[Any], key: str, value: float) -> None:
    """Arrow keys go a step, Page Up and Down ten, Home and End to the ends."""
    made = slider(window, told)
    made.scale.focus_force()
    made.scale.event_generate(f"<{key}>")
    assert made.value == pytest.approx(value)
    assert told[-1][0] == pytest.approx(value)


def test_slider_goes_back(window: tk.Tk, told: list[Any]) -> None:
    """The button beside the number and a double click set the default again, and tell."""
    made = slider(window, told)
    made.show(0.5)
    assert told == []
    made.reset.invoke()
    assert (made.value, told[-1][0]) == (0.0, 0.0)
    assert made.reset.instate(["disabled"])
    made.show(0.5)
    window.update()
    for event in ("<ButtonPress-1>", "<ButtonRelease-1>") * 2:
        made.scale.event_generate(event, x=300, y=9)
    assert made.value == 0.0


def test_slider_near_the_default_is_the_default(window: tk.Tk, told: list[Any]) -> None:
    """The knob snaps to the default when it comes near."""
    made = Slider(window, "Fine", (-1.0, 1.0), 0.0, lambda value, _group: told.append(value), step=0.001)
    made.pack(fill="x")
    made.show(0.5)
    window.update()
    made.scale.event_generate("<ButtonPress-1>", x=202, y=9)
    made.scale.event_generate("<ButtonRelease-1>", x=202, y=9)
    assert made.value == 0.0


def test_slider_switched_off(window: tk.Tk, told: list[Any]) -> None:
    """A slider that is off changes by no key and no click."""
    made = slider(window, told)
    made.enable(on=False)
    made.scale.event_generate("<ButtonPress-1>", x=350, y=9)
    made.scale.event_generate("<ButtonRelease-1>", x=350, y=9)
    made.scale.event_generate("<Right>")
    assert (made.value, told) == (0.0, [])


def test_segments(window: tk.Tk, told: list[Any]) -> None:
    """Clicks and arrow keys choose and tell; showing does not tell; Tab reaches the chosen one alone."""
    made = Segments(window, CHOICES, told.append)
    made.pack()
    window.update()
    made.buttons["side"].invoke()
    made.buttons["side"].focus_force()
    made.buttons["side"].event_generate("<Right>")
    made.buttons["color"].event_generate("<Right>")
    assert told == ["side", "color", "split"]
    made.show("side")
    assert len(told) == 3
    reached = [
        name for name, button in made.buttons.items() if button.tk.getboolean(button.cget("takefocus"))
    ]
    assert reached == ["side"]
    made.show("")
    assert not any(button.instate(["selected"]) for button in made.buttons.values())
    made.enable(on=False)
    made.buttons["split"].invoke()
    assert len(told) == 3


def test_swatches(window: tk.Tk, told: list[Any]) -> None:
    """A click tells the color, None for grey; a color picked elsewhere leaves none of them chosen."""
    colors: list[tuple[Color, str]] = [((214, 162, 130), "Skin"), ((90, 140, 200), "Sky"), (None, "Grey")]
    made = Swatches(window, colors, told.append, on_more=lambda: told.append("more"), more="Another")
    made.pack()
    window.update()
    made.buttons[None].invoke()
    made.buttons[(90, 140, 200)].invoke()
    made.more.invoke()
    assert told == [None, (90, 140, 200), "more"]
    made.show((1, 2, 3))
    assert not any(button.instate(["selected"]) for button in made.buttons.values())
    theme.apply(window, theme.LIGHT, 2)
    window.update()
    assert made.buttons[None].winfo_reqheight() == 56


def test_section_folds(window: tk.Tk) -> None:
    """The heading folds and unfolds what is below it, by the keyboard too."""
    made = Section(window, "Adjust")
    made.pack(fill="x")
    ttk.Label(made.body, text="something").pack()
    window.update()
    opened = made.winfo_reqheight()
    made.heading.focus_force()
    made.heading.event_generate("<space>")
    window.update()
    assert not made.opened
    assert made.winfo_reqheight() < opened
    made.toggle()
    window.update()
    assert made.winfo_reqheight() == opened


def test_scrolling(window: tk.Tk) -> None:
    """The wheel over anything inside scrolls, not outside; the keyboard brings what it reaches into view."""
    made = ScrollFrame(window, 200)
    made.pack(side="left", fill="y")
    outside = ttk.Label(window, text="outside")
    outside.pack()
    buttons = [ttk.Button(made.body, text=str(number)) for number in range(40)]
    for button in buttons:
        button.pack()
    window.update()
    assert made.winfo_width() == 200
    top = buttons[0].winfo_rooty()
    outside.event_generate("<Button-5>")
    assert buttons[0].winfo_rooty() == top
    buttons[3].event_generate("<Button-5>")
    window.update()
    assert buttons[0].winfo_rooty() < top
    buttons[3].event_generate("<Button-4>")
    window.update()
    assert buttons[0].winfo_rooty() == top
    buttons[-1].event_generate("<<TraverseIn>>")
    window.update()
    bottom = buttons[-1].winfo_rooty() + buttons[-1].winfo_height()
    assert bottom <= made.winfo_rooty() + made.winfo_height()


def test_icon_button_follows_the_theme(window: tk.Tk, told: list[Any]) -> None:
    """An icon is drawn anew in the colors of another theme, and its button does what it is for."""
    made = IconButton(window, "undo", lambda: told.append(1), explain="Undo")
    made.pack()
    before = str(made.cget("image"))
    theme.apply(window, theme.LIGHT, 1)
    window.update()
    assert str(made.cget("image")) != before
    made.invoke()
    assert told == [1]


def tips(window: tk.Tk) -> list[tk.Toplevel]:
    """Return the tooltips that can be seen."""
    return [
        each for each in window.winfo_children() if isinstance(each, tk.Toplevel) and each.winfo_ismapped()
    ]


def test_tooltip_by_keyboard(window: tk.Tk, wait: Any) -> None:
    """Tab brings up the tooltip of what it reaches, a key takes it away, and none is made before."""
    first, second = ttk.Button(window, text="1"), ttk.Button(window, text="2")
    for button in (first, second):
        button.pack()
        tip(button, lambda: "what it does")
    window.update()
    first.focus_force()
    assert not [each for each in window.winfo_children() if isinstance(each, tk.Toplevel)]
    first.event_generate("<Tab>")
    wait(lambda: bool(tips(window)))
    assert window.focus_get() is second
    second.event_generate("<KeyPress-a>")
    wait(lambda: not tips(window))


def test_tooltip_by_pointer(window: tk.Tk, wait: Any) -> None:
    """The pointer brings up the tooltip after a moment, and not before."""
    button = ttk.Button(window, text="1")
    button.pack()
    tip(button, "what it does")
    window.update()
    started = time.perf_counter()
    button.event_generate("<Enter>")
    wait(lambda: bool(tips(window)))
    assert time.perf_counter() - started >= 0.45
    button.event_generate("<Leave>")
    wait(lambda: not tips(window))
