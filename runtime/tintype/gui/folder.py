"""The queue under the photograph: a folder's pictures, their states, and what to do about them."""

from __future__ import annotations

from collections import Counter
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageTk

from tintype.gui import theme
from tintype.gui.texts import t
from tintype.gui.widgets import tip
from tintype.progress import duration

if TYPE_CHECKING:
    import tkinter as tk

    from tintype.gui.app import App
    from tintype.gui.state import Item, State

ROW: Final = 40
ROWS: Final = 4
WIDE: Final = 1.5
"""Width of a row's picture to its height."""


class FolderStrip(ttk.Frame):
    """A table with a row for each photograph; Enter or a double click opens one."""

    def __init__(self, parent: tk.Misc, app: App) -> None:
        super().__init__(parent, style="TFrame", padding=theme.current(parent).px(8))
        self.app = app
        self._items: tuple[Item, ...] = ()
        self._pictures: dict[int, ImageTk.PhotoImage] = {}
        self._head()
        self.table = self._table()

    def render(self, state: State) -> None:
        """Show the items; only rows that changed are touched."""
        if len(state.items) != len(self._items):
            self.table.delete(*self.table.get_children())
            self._pictures, self._items = {}, ()
        for index, item in enumerate(state.items):
            if index >= len(self._items):
                self.table.insert("", "end", iid=str(index))
            elif item is self._items[index]:
                continue
            self._show(index, item)
        self._items = state.items
        counts = Counter(item.status for item in state.items)
        waiting = counts["waiting"] + counts["working"]
        values = {name: counts[name] for name in ("done", "skipped", "failed")}
        self.summary.configure(text=t("folder.summary", **values, waiting=waiting))
        busy = state.task is not None and state.task.kind == "folder"
        self.stop.state(["!disabled" if busy else "disabled"])
        self.retry.state(["!disabled" if counts["failed"] and not state.busy else "disabled"])
        self.results.state(["!disabled" if state.folder is not None else "disabled"])
        self.hide.state(["disabled" if busy else "!disabled"])

    def _head(self) -> None:
        row = ttk.Frame(self)
        row.pack(fill="x", pady=(0, theme.current(self).px(8)))
        ttk.Label(row, text=t("folder.title"), style="Heading.TLabel").pack(side="left")
        self.summary = ttk.Label(row, style="Muted.TLabel")
        self.summary.pack(side="left", padx=theme.current(self).px(12))
        self.hide = self._button(row, "hide", self.app.hide_folder, "tip.hide")
        self.results = self._button(row, "show", self.app.show_output, "tip.show_output")
        self.retry = self._button(row, "retry", self.app.retry, "tip.retry")
        self.stop = self._button(row, "stop", lambda: self.app.run("cancel"), "tip.stop")

    def _button(self, row: ttk.Frame, name: str, command: object, hint: str) -> ttk.Button:
        button = ttk.Button(row, text=t(f"folder.{name}"), style="Tool.TButton", command=command)  # type: ignore[arg-type]
        button.pack(side="right")
        tip(button, t(hint))
        return button

    def _table(self) -> ttk.Treeview:
        look = theme.current(self)
        ttk.Style(self).configure("Folder.Treeview", rowheight=look.px(ROW))
        frame = ttk.Frame(self)
        frame.pack(fill="both", expand=True)
        table = ttk.Treeview(
            frame, columns=("status", "result"), height=ROWS, selectmode="browse", style="Folder.Treeview"
        )
        table.heading("#0", text=t("folder.name"), anchor="w")
        table.heading("status", text=t("folder.status"), anchor="w")
        table.heading("result", text=t("folder.result"), anchor="w")
        table.column("#0", width=look.px(280))
        table.column("status", width=look.px(120), stretch=False)
        table.column("result", width=look.px(360))
        bar = ttk.Scrollbar(frame, command=table.yview)
        table.configure(yscrollcommand=bar.set)
        table.pack(side="left", fill="both", expand=True)
        bar.pack(side="right", fill="y")
        table.bind("<Double-1>", lambda _event: self._open())
        table.bind("<Return>", lambda _event: self._open())
        table.bind("<<TreeviewSelect>>", lambda _event: self._explain())
        table.tag_configure("failed", foreground=look.theme.danger)
        return table

    def _show(self, index: int, item: Item) -> None:
        result = item.reason.removeprefix(f"{item.source} ") or (  # its name stands in the row already
            item.target.name if item.target is not None and item.status == "done" else ""
        )
        if item.status == "done":
            result = f"{result}, {duration(item.seconds)}" if item.seconds >= 1 else result
        self._pictures[index] = self._picture(item.thumbnail)
        self.table.item(
            str(index),
            text=f"  {item.source.name}",
            values=(t(f"folder.{item.status}"), result),
            image=self._pictures[index],
            tags=(item.status,),
        )
        if item.status == "working":
            self.table.see(str(index))

    def _picture(self, thumbnail: Image.Image | None) -> ImageTk.PhotoImage:
        """Return a picture for a row; all are of one size, so that names stand below each other."""
        tall = theme.current(self).px(ROW - 6)
        wide = round(tall * WIDE)
        picture = Image.new("RGBA", (wide, tall))
        if thumbnail is not None:
            small = thumbnail.copy()
            small.thumbnail((wide, tall))
            picture.paste(small, ((wide - small.width) // 2, (tall - small.height) // 2))
        return ImageTk.PhotoImage(picture, master=self)

    def _open(self) -> None:
        item = self._chosen()
        if item is not None and not self.app.state.busy:
            self.app.open(item.source)
            self.app.view.viewer.focus_set()  # so that Enter colorizes it

    def _explain(self) -> None:
        item = self._chosen()
        if item is not None:
            self.app.explain(item)

    def _chosen(self) -> Item | None:
        chosen = self.table.selection()
        return self._items[int(chosen[0])] if chosen else None
