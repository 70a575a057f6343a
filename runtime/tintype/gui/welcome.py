"""What stands in the middle while no photograph is open: an invitation."""

from __future__ import annotations

from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from tintype.gui import theme
from tintype.gui.texts import t

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Sequence
    from pathlib import Path

    from tintype.gui.app import App

MOST_RECENT: Final = 4


class Welcome(ttk.Frame):
    """A title, two buttons, and what was opened last."""

    def __init__(self, parent: tk.Misc, app: App, *, can_drop: bool) -> None:
        super().__init__(parent, style="Canvas.TFrame", padding=theme.current(parent).px(32))
        self.app = app
        px = theme.current(parent).px
        ttk.Label(self, text=t("welcome.title"), style="Canvas.Title.TLabel").pack()
        hint = t("welcome.drop") if can_drop else t("welcome.no_drop")
        ttk.Label(self, text=hint, style="Canvas.Muted.TLabel").pack(pady=(px(6), px(20)))
        row = ttk.Frame(self, style="Canvas.TFrame")
        row.pack()
        self.buttons = {
            name: ttk.Button(row, text=t(f"welcome.{name}"), style=style, command=partial(app.run, name))
            for name, style in (("open", "Canvas.Accent.TButton"), ("sample", "Canvas.TButton"))
        }
        for button in self.buttons.values():
            button.pack(side="left", padx=px(4))
        self.recent = ttk.Frame(self, style="Canvas.TFrame")

    def render(self, recent: Sequence[Path]) -> None:
        """Offer what was opened last and is still there."""
        for child in self.recent.winfo_children():
            child.destroy()
        px = theme.current(self).px
        there = [path for path in recent if path.is_file()][:MOST_RECENT]
        if not there:
            self.recent.pack_forget()
            return
        self.recent.pack(pady=(px(20), 0))
        ttk.Label(self.recent, text=t("welcome.recent"), style="Canvas.Muted.TLabel").pack()
        for path in there:
            button = ttk.Button(
                self.recent,
                text=path.name,
                style="Canvas.TButton",
                command=partial(self.app.open, path),
            )
            button.pack()
