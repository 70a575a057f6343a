"""Widgets of the panel and the bars, made of ttk's own so that keyboards and screen readers know them."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tintype.gui import icons, shapes, theme
from tintype.gui.scroll import ScrollFrame
from tintype.gui.slider import Slider
from tintype.gui.tips import tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tintype.gui.state import Color

__all__ = ["Choice", "IconButton", "ScrollFrame", "Section", "Segments", "Slider", "Swatches", "tip"]

_STEPS: Final = {"<Left>": -1, "<Up>": -1, "<Right>": 1, "<Down>": 1}


class Choice(NamedTuple):
    """One of several: its value, its text, what explains it, its icon."""

    value: str
    text: str
    tip: str = ""
    icon: str = ""


class IconButton(ttk.Button):
    """A button with an icon, and text beside it if there is any."""

    def __init__(
        self,
        parent: tk.Misc,
        icon: str,
        command: Callable[[], object],
        *,
        text: str = "",
        explain: str | Callable[[], str] = "",
        style: str = "Tool.TButton",
    ) -> None:
        """Take an icon's name and what to do; `explain` is the tooltip: give one where there is no text."""
        super().__init__(parent, text=text, style=style, command=command)
        self.configure(compound="left" if text else "image")
        self._icon = icon
        for event in ("<<ThemeChanged>>", "<Map>"):  # what was never on the screen hears of no change
            self.bind(event, lambda _event: self.show_icon(self._icon), add="+")
        self.show_icon(icon)
        if explain:
            tip(self, explain)

    def show_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        colors = theme.current(self).theme
        ink = colors.accent_text if "Accent" in str(self.cget("style")) else colors.text
        image, off = (icons.image(self, icon, color) for color in (ink, colors.faint))
        icons.put(self, image, "disabled", off)


class Segments(ttk.Frame):
    """A row of buttons of which one is down. Left and Right choose; Tab goes past the others."""

    def __init__(
        self, parent: tk.Misc, choices: Sequence[Choice], on_choose: Callable[[str], object]
    ) -> None:
        super().__init__(parent, style="Group.TFrame", padding=theme.current(parent).px(2))
        self._on_choose = on_choose
        self._variable = tk.StringVar(self, value=choices[0].value)
        self.buttons: dict[str, ttk.Radiobutton] = {}
        for column, choice in enumerate(choices):
            self.buttons[choice.value] = self._button(choice)
            self.buttons[choice.value].grid(row=0, column=column, sticky="nswe")
            self.columnconfigure(column, weight=1, uniform="segments")
        self.show(choices[0].value)

    def show(self, value: str) -> None:
        """Show which one is chosen, or with "" that none is, without a word to anybody."""
        self._variable.set(value)
        reached = value if value in self.buttons else next(iter(self.buttons))
        for name, button in self.buttons.items():
            button.configure(takefocus=name == reached)

    def enable(self, *, on: bool) -> None:
        """Let a person choose, or not."""
        for button in self.buttons.values():
            button.state(["!disabled" if on else "disabled"])

    def _button(self, choice: Choice) -> ttk.Radiobutton:
        button = ttk.Radiobutton(
            self,
            text=choice.text,
            value=choice.value,
            variable=self._variable,
            style="Segment.TRadiobutton",
            command=lambda: self._chosen(choice.value),
        )
        for event, step in _STEPS.items():
            button.bind(event, self._stepper(choice.value, step))
        if choice.tip:
            tip(button, choice.tip)
        return button

    def _chosen(self, value: str) -> None:
        self.show(value)
        self._on_choose(value)

    def _stepper(self, value: str, step: int) -> Callable[[tk.Event[Any]], str]:
        return lambda _event: self._step(value, step)

    def _step(self, value: str, step: int) -> str:
        names = list(self.buttons)
        button = self.buttons[names[(names.index(value) + step) % len(names)]]
        button.focus_set()
        button.invoke()
        return "break"


class Section(ttk.Frame):
    """A heading that folds what is below it: put that into `body`."""

    def __init__(self, parent: tk.Misc, title: str, *, opened: bool = True) -> None:
        super().__init__(parent)
        px = theme.current(parent).px
        self.heading = IconButton(self, "down", self.toggle, text=title, style="Section.TButton")
        self.heading.pack(fill="x")
        self.body = ttk.Frame(self, padding=(px(8), px(4), px(8), px(12)))
        self.opened = not opened
        self.toggle()

    def toggle(self) -> None:
        """Fold or unfold."""
        self.opened = not self.opened
        self.heading.show_icon("down" if self.opened else "right")
        if self.opened:
            self.body.pack(fill="x")
        else:
            self.body.pack_forget()


class Swatches(ttk.Frame):
    """Colors to paint with, one of them chosen; None keeps grey."""

    def __init__(
        self,
        parent: tk.Misc,
        colors: Sequence[tuple[Color, str]],
        on_pick: Callable[[Color], object],
        *,
        on_more: Callable[[], object],
        more: str,
        columns: int = 9,
    ) -> None:
        """Take colors with their names, what to do with a chosen one, and what `more` (its tooltip) does."""
        super().__init__(parent)
        self._on_pick, self._variable = on_pick, tk.StringVar(self)
        self.buttons: dict[Color, ttk.Radiobutton] = {}
        for index, (color, name) in enumerate(colors):
            self._place(self._swatch(color, name), index, columns)
        self.more = IconButton(self, "plus", on_more, explain=more, style="Swatch.TButton")
        self._place(self.more, len(colors), columns)
        for event in ("<<ThemeChanged>>", "<Map>"):
            self.bind(event, lambda _event: self._draw(), add="+")
        self._draw()

    def show(self, color: Color) -> None:
        """Show which color is chosen; one that is not among them leaves all of them unchosen."""
        self._variable.set(_name(color))

    def enable(self, *, on: bool) -> None:
        """Let a person choose, or not."""
        for button in (*self.buttons.values(), self.more):
            button.state(["!disabled" if on else "disabled"])

    def _place(self, button: ttk.Widget, index: int, columns: int) -> None:
        gap = theme.current(self).px(4)
        button.grid(row=index // columns, column=index % columns, pady=(0, gap))

    def _swatch(self, color: Color, name: str) -> ttk.Radiobutton:
        button = ttk.Radiobutton(
            self,
            value=_name(color),
            variable=self._variable,
            style="Swatch.TRadiobutton",
            command=lambda: self._on_pick(color),
        )
        tip(button, name)
        self.buttons[color] = button
        return button

    def _draw(self) -> None:
        look = theme.current(self)
        for color, button in self.buttons.items():
            icons.put(button, *_swatch_images(self, look, color))


def _name(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color) if color else "grey"


def _swatch_images(widget: tk.Misc, look: theme.Look, color: Color) -> tuple[Any, ...]:
    """Return a picture of a color, and those of its states: rings around it, the focus outermost."""
    focus, chosen = look.theme.focus, look.theme.text
    states = {"selected focus": (focus, chosen), "focus": (focus,), "selected": (chosen,)}
    spec: tuple[Any, ...] = (_swatch_image(widget, look, color, ()),)
    for state, rings in states.items():
        spec += (state.split(), _swatch_image(widget, look, color, rings))
    return spec


def _swatch_image(widget: tk.Misc, look: theme.Look, color: Color, rings: tuple[str, ...]) -> str:
    colors, side = look.theme, look.px(28)
    full = f"tintype-swatch-{_name(color)}-{colors.name}-{side}-{'-'.join(rings)}"
    if full not in widget.tk.splitlist(widget.tk.call("image", "names")):
        fill = _name(color) if color else "#808080"
        inner = 3 if not rings else 2 * len(rings) + 2
        inks = [(2 * index, ink) for index, ink in enumerate((*rings, colors.background) if rings else ())]
        inks += [(inner, shapes.mix(fill, colors.text, 0.2)), (inner + 1, fill)]
        edges = [(look.px(inset), ink) for inset, ink in inks]
        layers: list[shapes.Box | shapes.Mark] = [
            shapes.Box(edge, edge, side - 2 * edge, side - 2 * edge, side / 2 - edge, ink)
            for edge, ink in edges
        ]
        if color is None:
            a, b = side * 0.34, side * 0.66
            layers.append(shapes.Mark((((a, b), (b, a)),), look.px(1.5), "#ffffff"))
        data = shapes.picture(side, side, colors.background, layers)
        widget.tk.call("image", "create", "photo", full, "-data", data)
    return full
