"""A frame that scrolls up and down where it does not fit."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Any, Final

from tintype.gui import theme

_NOTCH: Final = 48  # px of the design that a notch of the wheel scrolls
_WHEEL: Final = 120  # of a MouseWheel event, for a notch; macOS says 1


class ScrollFrame(ttk.Frame):
    """Put what is to scroll into `body`: it is as wide as the frame, and as high as it needs to be."""

    def __init__(self, parent: tk.Misc, width: int = 0) -> None:
        """Take the width in screen px, the scrollbar included; 0 leaves it to the layout."""
        super().__init__(parent)
        self._canvas = tk.Canvas(self, highlightthickness=0, borderwidth=0, takefocus=False, height=1)
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self._canvas.yview, takefocus=False)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self.body = ttk.Frame(self._canvas)
        self._item = self._canvas.create_window(0, 0, window=self.body, anchor="nw")
        self._canvas.pack(side="left", fill="both", expand=True)
        self._bar.pack(side="right", fill="y")
        if width:
            self._canvas.configure(width=width - self._bar.winfo_reqwidth())
        self._listen()
        self._draw()

    def fit(self, most: int) -> None:
        """Be as large as the body, but at most so high, screen px."""
        self.update_idletasks()
        self._canvas.configure(
            width=self.body.winfo_reqwidth(), height=min(self.body.winfo_reqheight(), most)
        )

    def see(self, widget: tk.Misc) -> None:
        """Scroll until a widget inside can be seen."""
        top = widget.winfo_rooty() - self.body.winfo_rooty()
        whole, seen = max(1, self.body.winfo_height()), self._canvas.winfo_height()
        first = self._canvas.canvasy(0)
        if top < first:
            self._canvas.yview_moveto(top / whole)
        elif top + widget.winfo_height() > first + seen:
            self._canvas.yview_moveto((top + widget.winfo_height() - seen) / whole)

    def _listen(self) -> None:
        self.body.bind("<Configure>", lambda _event: self._fit(), add="+")
        self._canvas.bind("<Configure>", lambda _event: self._fit(), add="+")
        self.bind("<<ThemeChanged>>", lambda _event: self._draw(), add="+")
        window = self.winfo_toplevel()
        for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            window.bind(event, self._wheel, add="+")
        window.bind("<<TraverseIn>>", self._reached, add="+")

    def _draw(self) -> None:
        self._canvas.configure(background=theme.current(self).theme.background)

    def _fit(self) -> None:
        self._canvas.itemconfigure(self._item, width=self._canvas.winfo_width())
        height = max(self.body.winfo_reqheight(), self._canvas.winfo_height())
        self._canvas.configure(scrollregion=(0, 0, 1, height))

    def _inside(self, widget: Any) -> bool:
        """Whether it is in the body. What Tcl made has no widget here, but a name."""
        return bool(self.winfo_exists()) and str(widget).startswith(f"{self}.")

    def _wheel(self, event: tk.Event[Any]) -> None:
        if not self._inside(event.widget):
            return
        if event.num in {4, 5}:
            notches = 1.0 if event.num == 5 else -1.0
        else:
            notches = -event.delta / (_WHEEL if abs(event.delta) >= _WHEEL else 1)
        whole = max(1, self.body.winfo_height())
        pixels = self._canvas.canvasy(0) + notches * theme.current(self).px(_NOTCH)
        self._canvas.yview_moveto(max(0.0, pixels / whole))

    def _reached(self, event: tk.Event[Any]) -> None:
        if self._inside(event.widget):
            self.see(event.widget)
