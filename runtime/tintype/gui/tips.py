"""Tooltips: on hover after a moment, and on what the keyboard has just reached."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from tintype.gui import theme

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable

    from tktooltip import ToolTip

DELAY: Final = 0.5  # seconds


def tip(widget: tk.Widget, text: str | Callable[[], str]) -> None:
    """Explain a widget: `text`, or what a function says whenever it is shown.

    The tooltip itself is made when it is first needed, so that many of them cost nothing at the start.
    """
    _Tip(widget, text)


class _Tip:
    def __init__(self, widget: tk.Widget, text: str | Callable[[], str]) -> None:
        self._widget, self._text = widget, text
        self._made: ToolTip | None = None
        widget.bind("<Enter>", self._hovered, add="+")
        widget.bind("<<TraverseIn>>", self._reached, add="+")
        for event in ("<FocusOut>", "<KeyPress>"):
            widget.bind(event, self._left, add="+")
        widget.bind("<<ThemeChanged>>", self._drop, add="+")
        widget.bind("<Destroy>", self._drop, add="+")

    def _hovered(self, event: tk.Event[Any]) -> None:
        if self._made is None:  # afterwards it is bound by itself
            self._make().on_enter(event)

    def _reached(self, _event: tk.Event[Any]) -> None:
        widget = self._widget
        x, y = widget.winfo_rootx(), widget.winfo_rooty() + widget.winfo_height()
        self._make().on_enter(SimpleNamespace(x_root=x - 10, y_root=y - 4))

    def _left(self, _event: tk.Event[Any]) -> None:
        if self._made is not None:
            self._made.on_leave()

    def _drop(self, _event: tk.Event[Any]) -> None:
        if self._made is not None:
            self._made.destroy()
            self._made = None

    def _make(self) -> ToolTip:
        if self._made is None:
            from tktooltip import ToolTip

            look = theme.current(self._widget)
            colors, px = look.theme, look.px
            top = self._widget.winfo_toplevel()
            self._made = ToolTip(
                self._widget,
                msg=self._text,
                delay=DELAY,
                x_offset=px(10),
                y_offset=px(16),
                parent_kwargs={"master": top, "bg": colors.border, "padx": 1, "pady": 1},
                bg=colors.surface,
                fg=colors.text,
                font="TkTooltipFont",
                padx=px(8),
                pady=px(4),
                borderwidth=0,
                width=px(320),
            )
        return self._made
