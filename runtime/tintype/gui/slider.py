"""A slider with its name, its value, and a way back to where it was."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import TYPE_CHECKING, Any, Final

from tintype.gui import icons, theme
from tintype.gui.elements import KNOB, TROUGH
from tintype.gui.tips import tip

if TYPE_CHECKING:
    from collections.abc import Callable

_KEYS: Final = {"<Left>": -1, "<Down>": -1, "<Right>": 1, "<Up>": 1, "<Next>": -10, "<Prior>": 10}
_MAGNET: Final = 0.015  # of the range: nearer to the default than this is the default


class Slider(ttk.Frame):
    """A slider. Arrow keys go a step, Page Up and Down ten, Home and End to the ends; a double click back."""

    def __init__(
        self,
        parent: tk.Misc,
        text: str,
        bounds: tuple[float, float],
        default: float,
        on_change: Callable[[float, str], object],
        *,
        step: float = 0.01,
        describe: Callable[[float], str] = "{:.2f}".format,
        explain: str = "",
        reset: str = "",
    ) -> None:
        """Take the lowest and highest value, the default, and whom to tell.

        `on_change` gets the value and a group: the same for all changes of one drag, or of keys pressed in
        a row. `explain` and `reset` are tooltips of the slider and of its button.
        """
        super().__init__(parent)
        self._low, self._high = bounds
        self._default, self._step, self._text = default, step, text
        self._on_change, self._describe = on_change, describe
        self._value, self._group, self._on = default, 0, True
        self._hold: float | None = None  # px from the pointer to the middle of the knob, while it is held
        self._build(explain, reset)
        self.show(default)

    @property
    def value(self) -> float:
        """What is shown."""
        return self._value

    def show(self, value: float) -> None:
        """Show a value, without a word to anybody."""
        self._value = min(self._high, max(self._low, value))
        self._place.set(self._value)
        self.number.configure(text=self._describe(self._value))
        changed = abs(self._value - self._default) > self._step / 2
        self.reset.state(["!disabled" if changed and self._on else "disabled"])
        self._fill()

    def enable(self, *, on: bool) -> None:
        """Let a person change it, or not."""
        self._on = on
        for widget in (self.scale, self.label, self.number, self.fill):
            widget.state(["!disabled" if on else "disabled"])
        self.show(self._value)

    def _build(self, explain: str, reset: str) -> None:
        px = theme.current(self).px
        self.label = ttk.Label(self, text=self._text)
        self.number = ttk.Label(self, style="Muted.TLabel", anchor="e")
        self.reset = ttk.Button(self, style="Tiny.TButton", takefocus=False, command=self._back)
        self._place = tk.DoubleVar(self)
        self.scale = ttk.Scale(self, from_=self._low, to=self._high, variable=self._place)
        self.fill = ttk.Frame(self.scale, style="Fill.TFrame")
        self.columnconfigure(0, weight=1)
        self.label.grid(row=0, column=0, sticky="w")
        self.number.grid(row=0, column=1, sticky="e")
        self.reset.grid(row=0, column=2, padx=(px(4), 0))
        self.scale.grid(row=1, column=0, columnspan=3, sticky="we", pady=(px(2), px(8)))
        self._listen()
        self._draw()
        if explain:
            tip(self.scale, explain)
        if reset:
            tip(self.reset, reset)

    def _listen(self) -> None:
        scale = self.scale
        for key, steps in _KEYS.items():
            scale.bind(key, self._stepper(steps))
        scale.bind("<Home>", lambda _event: self._key(self._low))
        scale.bind("<End>", lambda _event: self._key(self._high))
        scale.bind("<FocusIn>", lambda _event: self._begin(), add="+")
        scale.bind("<Configure>", lambda _event: self._fill(), add="+")
        for widget in (scale, self.fill):  # the colored part of the trough lies over the slider
            widget.bind("<ButtonPress-1>", self._press)
            widget.bind("<B1-Motion>", self._drag)
            widget.bind("<ButtonRelease-1>", self._release)
            widget.bind("<Double-ButtonPress-1>", self._double)
        for event in ("<<ThemeChanged>>", "<Map>"):  # what was never on the screen hears of no change
            self.bind(event, lambda _event: self._draw(), add="+")

    def _draw(self) -> None:
        colors = theme.current(self).theme
        image, none = (icons.image(self, name, colors.muted, 12) for name in ("reset", "none"))
        icons.put(self.reset, image, "disabled", none)
        self._fill()

    def _fill(self) -> None:
        """Lay color over the trough from zero, or from the end next to it, to the knob."""
        height, half = self.scale.winfo_height(), self._half()
        origin = min(self._high, max(self._low, 0.0))
        if self._value >= origin:
            left = 0.0 if origin == self._low else self._x(origin)
            right = self._x(self._value) - half
        else:
            left, right = self._x(self._value) + half, self._x(origin)
        if right - left < 1 or height <= 1:
            self.fill.place_forget()
        else:
            tall = theme.current(self).px(TROUGH)
            self.fill.place(x=round(left), y=(height - tall) // 2, width=round(right - left), height=tall)

    def _half(self) -> float:
        return theme.current(self).px(KNOB) / 2

    def _x(self, value: float) -> float:
        """Return where the knob stands at a value, px."""
        half = self._half()
        share = (value - self._low) / (self._high - self._low)
        return half + share * (self.scale.winfo_width() - 2 * half)

    def _begin(self) -> None:
        self._group += 1

    def _press(self, event: tk.Event[Any]) -> str:
        """Take hold of the knob; beside it, bring it to the pointer first. Tk would go by steps of 1."""
        if self._on:
            self.scale.focus_set()
            self.scale.state(["pressed"])
            self._begin()
            beside = self._x(self._value) - self._pointer(event)
            self._hold = beside if abs(beside) <= self._half() else 0.0
            self._drag(event)
        return "break"

    def _drag(self, event: tk.Event[Any]) -> str:
        if self._hold is not None:
            half, width = self._half(), max(1.0, self.scale.winfo_width() - 2 * self._half())
            share = (self._pointer(event) + self._hold - half) / width
            value = self._low + min(1.0, max(0.0, share)) * (self._high - self._low)
            near = abs(value - self._default) < _MAGNET * (self._high - self._low)
            self._change(self._default if near else value)
        return "break"

    def _release(self, _event: tk.Event[Any]) -> str:
        self._hold = None
        self.scale.state(["!pressed"])
        return "break"

    def _double(self, _event: tk.Event[Any]) -> str:
        self._back()
        return "break"

    def _pointer(self, event: tk.Event[Any]) -> int:
        return event.x_root - self.scale.winfo_rootx()

    def _back(self) -> None:
        if self._on:
            self._begin()
            self._change(self._default)

    def _stepper(self, steps: int) -> Callable[[tk.Event[Any]], str]:
        return lambda _event: self._key(self._value + steps * self._step)

    def _key(self, value: float) -> str:
        if self._on:
            self._change(value)
        return "break"

    def _change(self, value: float) -> None:
        before = self._value
        self.show(round(value / self._step) * self._step)
        if self._value != before:
            self._on_change(self._value, f"{self._text} {self._group}")
