"""Widgets: they render a state and call back what a person asks for."""

from __future__ import annotations

import tkinter as tk
from pathlib import Path
from tkinter import filedialog, ttk
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageTk
from tktooltip import ToolTip

from tintype import batch, output

if TYPE_CHECKING:
    from collections.abc import Callable

    from tintype.gui.state import State

PHOTOS: Final = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(batch.SUFFIXES))
_GAP: Final = 8
_PAPER, _RED = "#24272b", "#c62828"


class View(ttk.Frame):
    """A row of buttons, the photograph before and after, a line of text."""

    def __init__(self, root: tk.Tk, actions: dict[str, Callable[[], None]]) -> None:
        """Take what the buttons do: open, colorize, save."""
        super().__init__(root, padding=_GAP)
        bar = ttk.Frame(self)
        self.buttons = {
            "open": self._button(bar, "Open…", actions["open"], "Choose a photograph (Ctrl+O)"),
            "colorize": self._button(bar, "Colorize", actions["colorize"], "Give it color (Enter)"),
            "save": self._button(bar, "Save…", actions["save"], "Save the result at full size (Ctrl+S)"),
        }
        bar.pack(fill="x")
        self.canvas = tk.Canvas(self, background=_PAPER, highlightthickness=0, width=880, height=460)
        self.canvas.pack(fill="both", expand=True, pady=_GAP)
        self.canvas.bind("<Configure>", lambda _event: self._draw())
        self.status = ttk.Label(self, anchor="w")
        self.status.pack(fill="x")
        self._state: State | None = None
        self._shown: list[ImageTk.PhotoImage] = []

    def render(self, state: State) -> None:
        """Show a state."""
        self._state = state
        enabled = {"open": not state.busy, "colorize": state.can_colorize, "save": state.can_save}
        for name, button in self.buttons.items():
            button.state(["!disabled" if enabled[name] else "disabled"])
        self.status.configure(text=state.message, foreground=_RED if state.failed else "")
        self._draw()

    def ask_open(self) -> Path | None:
        """Let a person choose a photograph; None if they do not."""
        name = filedialog.askopenfilename(
            parent=self, filetypes=[("Photographs", PHOTOS), ("All files", "*")]
        )
        return Path(name) if name else None

    def ask_save(self, source: Path) -> Path | None:
        """Let a person choose where to save the result of a photograph; None if they do not."""
        suffix = output.suffix_for(source.name)
        proposed = batch.DEFAULT_NAME.format(stem=source.stem, ext=suffix)
        name = filedialog.asksaveasfilename(
            parent=self, initialdir=source.parent, initialfile=proposed, defaultextension=suffix
        )
        return Path(name) if name else None

    def _button(self, bar: ttk.Frame, text: str, action: Callable[[], None], tip: str) -> ttk.Button:
        button = ttk.Button(bar, text=text, command=action)
        button.pack(side="left", padx=(0, _GAP))
        ToolTip(button, msg=tip, delay=0.5)
        return button

    def _draw(self) -> None:
        """Draw before and, once there is one, after it the colorized picture, as large as they fit."""
        self.canvas.delete("all")
        state = self._state
        pictures = [p for p in (state.before, state.after) if p is not None] if state else []
        width, height = self.canvas.winfo_width(), self.canvas.winfo_height()
        self._shown = []
        for index, picture in enumerate(pictures):
            room = (width - _GAP * (len(pictures) + 1)) // len(pictures)
            shown = ImageTk.PhotoImage(_fit(picture, room, height - 2 * _GAP), master=self)
            center = _GAP + index * (room + _GAP) + room // 2
            self.canvas.create_image(center, height // 2, image=shown)
            self._shown.append(shown)  # Tk itself keeps no reference


def _fit(picture: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
