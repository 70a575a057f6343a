"""The line at the bottom: what happened, how far work is, what runs."""

from __future__ import annotations

from tkinter import ttk
from typing import TYPE_CHECKING

from tintype.gui import theme
from tintype.gui.texts import t
from tintype.gui.widgets import tip
from tintype.progress import duration

if TYPE_CHECKING:
    import tkinter as tk

    from tintype.gui.app import App
    from tintype.gui.state import State


class StatusBar(ttk.Frame):
    """Message and progress on the left; model, working size, provider, time and zoom on the right."""

    def __init__(self, parent: tk.Misc, app: App) -> None:
        px = theme.current(parent).px
        super().__init__(parent, style="Status.TFrame", padding=(px(12), px(4)))
        self.app = app
        gap = px(16)
        self.bar = ttk.Progressbar(self, length=theme.current(parent).px(140))
        self.stop = ttk.Button(
            self, text=t("do.cancel"), style="Tool.TButton", command=lambda: app.run("cancel")
        )
        tip(self.stop, t("tip.cancel"))
        self.copy = ttk.Button(self, text=t("copy_details"), style="Tool.TButton", command=self._copy_details)
        self.message = ttk.Label(self, anchor="w")
        self.message.bind("<Configure>", lambda event: self.message.configure(wraplength=event.width))
        self.facts = ttk.Label(self, style="Muted.TLabel", anchor="e")
        self.zoom = ttk.Label(self, style="Muted.TLabel", anchor="e", width=6)
        self.zoom.grid(row=0, column=5, padx=(gap, 0))
        self.facts.grid(row=0, column=4, padx=(gap, 0))
        self.message.grid(row=0, column=2, sticky="ew")
        self.columnconfigure(2, weight=1)
        self._moving = False

    def render(self, state: State) -> None:
        """Show what the state says."""
        task, message = state.task, state.message
        if task is None:
            text = message.text
            self._hide(self.bar, self.stop)
            self._move(moving=False)
        else:
            text = f"{task.label}  {_progress(task.share, task.left)}".rstrip()
            self.bar.grid(row=0, column=0, padx=(0, theme.current(self).px(8)))
            self.stop.grid(row=0, column=1, padx=(0, theme.current(self).px(8)))
            self._move(moving=task.share is None)
            if task.share is not None:
                self.bar.configure(value=100 * task.share)
        failed = message.failed and task is None
        self.message.configure(text=text, style="Danger.TLabel" if failed else "TLabel")
        if failed and message.details:
            self.copy.grid(row=0, column=3)
        else:
            self._hide(self.copy)
        self.facts.configure(text=_facts(state))

    def show_zoom(self, zoom: float) -> None:
        """Show how large the photograph's pixels are on the screen."""
        self.zoom.configure(text=f"{zoom:.0%}" if zoom else "")

    def _move(self, *, moving: bool) -> None:
        """Let the bar run to and fro where no share is known."""
        if moving != self._moving:
            self._moving = moving
            self.bar.configure(mode="indeterminate" if moving else "determinate")
            if moving:
                self.bar.start(20)
            else:
                self.bar.stop()

    def _copy_details(self) -> None:
        self.clipboard_clear()
        message = self.app.state.message
        self.clipboard_append(f"{message.text}\n{message.details}")

    @staticmethod
    def _hide(*widgets: ttk.Widget) -> None:
        for widget in widgets:
            widget.grid_remove()


def _progress(share: float | None, left: float | None) -> str:
    if share is None:
        return ""
    return (
        t("status.share", share=share) if left is None else t("status.left", share=share, left=duration(left))
    )


def _facts(state: State) -> str:
    """Return the model in use, its working size and provider, and how long the photograph took."""
    model = state.result.model if state.result is not None else state.model
    if model is None:
        return ""
    facts = t("status.model", model=model.name, size=model.working_size, provider=model.provider.upper())
    return facts if state.result is None else f"{facts} · {t('status.seconds', seconds=state.result.seconds)}"
