"""Small windows: file choosers, what they ask and what they show."""

from __future__ import annotations

import tkinter as tk
from dataclasses import replace
from functools import partial
from pathlib import Path
from tkinter import colorchooser, filedialog, messagebox, ttk
from typing import TYPE_CHECKING, Any, Final

from tintype import __version__, models
from tintype.gui import theme
from tintype.gui.commands import COMMANDS, LINE, MENUS, shown
from tintype.gui.scroll import ScrollFrame
from tintype.gui.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tintype.gui.settings import Settings
    from tintype.gui.state import ModelInfo

THEMES: Final = ("auto", "light", "dark")
SCALES: Final = (0.0, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
"""Sizes of the interface; 0 is as the desktop has it."""
_GESTURES: Final = ("space", "wheel", "drag", "pick", "arrows")
_COLUMNS: Final = (("file", "edit"), ("view", "mouse"), ("photo", "help"))
"""Of the list of keys: menus below each other, and what the mouse does."""
_PAD: Final = 16
_HIGHEST: Final = 420
"""Of a list in a small window: with what is around it, it fits into the smallest main window."""


class Dialogs:
    """All that asks or tells in a window of its own."""

    def __init__(self, parent: tk.Misc) -> None:
        """Take the window that dialogs belong to."""
        self.parent = parent
        self._plain = False

    # Choosers: None where nothing was chosen.

    def ask_open(self, folder: Path | None) -> Path | None:
        """Let a person choose a photograph."""
        from tintype import discover  # with numpy, which the first window need not wait for

        patterns = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(discover.SUFFIXES))
        return self._file("ask.open", folder, (t("ask.photos"), patterns))

    def ask_strokes(self, folder: Path | None) -> Path | None:
        """Let a person choose a file of strokes."""
        return self._file("ask.strokes", folder, (t("ask.hints"), "*.tintype.json"))

    def ask_model(self) -> Path | None:
        """Let a person choose a model file."""
        return self._file("ask.model", None, (t("ask.models"), "*.onnx"))

    def ask_folder(self, folder: Path | None) -> Path | None:
        """Let a person choose a folder."""
        self._hide_hidden()
        name = filedialog.askdirectory(
            parent=self.parent, title=t("ask.folder"), initialdir=folder or "", mustexist=True
        )
        return Path(name) if name else None

    def ask_save(self, folder: Path | None, name: str) -> Path | None:
        """Let a person choose where to save; an existing file is asked about by the chooser itself."""
        self._hide_hidden()
        chosen = filedialog.asksaveasfilename(
            parent=self.parent, title=t("ask.save"), initialdir=folder or "", initialfile=name
        )
        if not chosen:
            return None
        path = Path(chosen)
        return path if path.suffix else path.with_suffix(Path(name).suffix)

    def ask_color(self, color: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        """Let a person choose a color."""
        start = "#d6a282" if color is None else "#{:02x}{:02x}{:02x}".format(*color)
        rgb, _ = colorchooser.askcolor(start, parent=self.parent, title=t("ask.color"))
        return None if rgb is None else (int(rgb[0]), int(rgb[1]), int(rgb[2]))

    def confirm_leave(self) -> bool:
        """Ask whether to go on without the changes that were not saved."""
        return messagebox.askokcancel(t("leave.title"), t("leave.text"), parent=self.parent, icon="warning")

    def _file(self, title: str, folder: Path | None, kind: tuple[str, str]) -> Path | None:
        self._hide_hidden()
        name = filedialog.askopenfilename(
            parent=self.parent, title=t(title), initialdir=folder or "", filetypes=[kind, (t("ask.all"), "*")]
        )
        return Path(name) if name else None

    def _hide_hidden(self) -> None:
        """Have Tk's own choosers, where they are in use, list hidden files only when they are asked to."""
        if not self._plain and self.parent.tk.call("tk", "windowingsystem") == "x11":
            self._plain = True
            self.parent.tk.eval(
                "auto_load ::tk::dialog::file::\n"
                "set ::tk::dialog::file::showHiddenBtn 1\n"
                "set ::tk::dialog::file::showHiddenVar 0"
            )

    # Windows that show.

    def show_shortcuts(self) -> None:
        """List every key, menu by menu, then what the mouse does."""
        body, window = self._window("shortcuts.title")
        blocks = {
            menu: (
                t(f"menu.{menu}"),
                [(t(f"do.{n}"), self._keys(n)) for n in names if n != LINE and COMMANDS[n].keys],
            )
            for menu, names in MENUS.items()
        }
        mouse = [(t(f"shortcuts.{name}"), t(f"key.{name}")) for name in _GESTURES]
        blocks["mouse"] = (t("shortcuts.mouse"), mouse)
        for names in _COLUMNS:
            column = ttk.Frame(body)
            column.pack(side="left", fill="y", padx=self._px(12))
            for name in names:
                self._keys_of(column, *blocks[name])
        self._show(window)

    @staticmethod
    def _keys(name: str) -> str:
        return ", ".join(dict.fromkeys(shown(keys) for keys in COMMANDS[name].keys[:2]))

    def _keys_of(self, column: ttk.Frame, title: str, rows: Iterable[tuple[str, str]]) -> None:
        block = ttk.Frame(column)
        block.pack(fill="x", pady=(0, self._px(_PAD)))
        block.columnconfigure(0, weight=1)
        heading = ttk.Label(block, text=title, style="Heading.TLabel")
        heading.grid(columnspan=2, sticky="w", pady=(0, self._px(4)))
        for text, keys in rows:
            line = block.grid_size()[1]
            ttk.Label(block, text=text).grid(row=line, column=0, sticky="w", padx=(0, self._px(20)))
            ttk.Label(block, text=keys, style="Muted.TLabel").grid(row=line, column=1, sticky="e")

    def show_about(self, model: ModelInfo | None) -> None:
        """Say what this is, its version, and what runs."""
        import onnxruntime

        body, window = self._window("about.title")
        self._text(body, t("about.text", version=__version__))
        if model is not None:
            values = {"model": model.name, "provider": model.provider, "onnxruntime": onnxruntime.__version__}
            self._text(body, t("about.model", **values), "Muted.TLabel")
        self._show(window)

    def show_ratings(self, counts: Mapping[str, Mapping[str, int]], path: Path) -> None:
        """Show how often each model was rated Good, Fair and Bad."""
        body, window = self._window("ratings.title")
        if not counts:
            self._text(body, t("ratings.none"))
        else:
            columns = ("good", "fair", "bad")
            table = ttk.Treeview(body, columns=columns, height=len(counts), selectmode="none")
            table.heading("#0", text=t("ratings.model"), anchor="w")
            for name in columns:
                table.heading(name, text=t(f"do.{name}"))
                table.column(name, width=self._px(72), anchor="center")
            for model, row in counts.items():
                table.insert("", "end", text=model, values=[row.get(name, 0) for name in columns])
            table.pack(fill="x")
            self._text(body, t("ratings.where", path=path), "Muted.TLabel")
        self._show(window)

    def show_preferences(self, now: Callable[[], Settings], use: Callable[[Settings], None]) -> None:
        """Let a person choose theme and size; both show at once."""
        body, window = self._window("preferences.title")
        names = [t(f"theme.{name}") for name in THEMES]
        chosen = THEMES.index(now().theme)
        self._choice(body, "preferences.theme", names, chosen, lambda i: use(replace(now(), theme=THEMES[i])))
        sizes = [t("scale.auto") if scale == 0 else f"{scale:.0%}" for scale in SCALES]
        size = min(range(len(SCALES)), key=lambda index: abs(SCALES[index] - now().scale))
        self._choice(body, "preferences.scale", sizes, size, lambda i: use(replace(now(), scale=SCALES[i])))
        self._show(window)

    def _choice(
        self, body: ttk.Frame, title: str, values: list[str], chosen: int, use: Callable[[int], None]
    ) -> None:
        row = ttk.Frame(body)
        row.pack(fill="x", pady=self._px(4))
        ttk.Label(row, text=t(title)).pack(side="left")
        box = ttk.Combobox(row, values=values, state="readonly", width=16)
        box.current(chosen)
        box.pack(side="right", padx=(self._px(24), 0))
        box.bind("<<ComboboxSelected>>", lambda _event: use(box.current()))

    def show_models(self, current: ModelInfo | None, use: Callable[[str], None]) -> None:
        """Show the bundled models with what is known of them, and let a person choose one or an own file."""
        body, window = self._window("models.title")

        def take(model: str) -> None:
            window.destroy()
            use(model)

        def own() -> None:
            path = self.ask_model()
            if path is not None:
                take(str(path))

        cards = ScrollFrame(body)
        cards.pack(fill="both", expand=True)
        for name, entry in models.bundled().items():
            self._model(cards.body, name, entry, current, partial(take, name))
        cards.fit(self._px(_HIGHEST))

        ttk.Button(body, text=t("models.own"), command=own).pack(anchor="w", pady=(self._px(8), 0))
        self._show(window)

    def _model(
        self,
        body: ttk.Frame,
        name: str,
        entry: dict[str, Any],
        current: ModelInfo | None,
        use: Callable[[], object],
    ) -> None:
        card = ttk.Frame(body, style="Card.TFrame", padding=self._px(12))
        card.pack(fill="x", padx=(0, self._px(8)), pady=(0, self._px(8)))
        used = current is not None and current.label in (name, "default") and current.name == name
        marks = [t("models.in_use")] * used + [t("models.default")] * (name == models.default())
        heading = name + (f" ({', '.join(marks)})" if marks else "")
        ttk.Label(card, text=heading, style="Card.Heading.TLabel").grid(sticky="w")
        figures = [f"{key} {value}" for key, value in entry["metrics"].items() if not isinstance(value, dict)]
        for key, text in {
            "models.size": f"{entry['bytes'] / 1e6:.1f} MB",
            "models.working_size": f"{entry['working_size']} px",
            "models.license": entry["license"],
            "models.data": _words(entry.get("data")),
            "models.metrics": ", ".join(figures),
        }.items():
            if text:
                line = f"{t(key)}: {text}"
                label = ttk.Label(card, text=line, style="Card.Muted.TLabel", wraplength=self._px(440))
                label.grid(sticky="w")
        button = ttk.Button(card, text=t("models.use"), command=use)
        button.state(["disabled" if used else "!disabled"])
        button.grid(row=0, column=1, rowspan=2, sticky="ne", padx=(self._px(16), 0))
        card.columnconfigure(0, weight=1)

    # Their common frame.

    def _window(self, title: str) -> tuple[ttk.Frame, tk.Toplevel]:
        window = tk.Toplevel(self.parent)
        window.withdraw()
        window.title(t(title))
        window.transient(self.parent.winfo_toplevel())
        outer = ttk.Frame(window, padding=self._px(_PAD))
        outer.pack(fill="both", expand=True)
        body = ttk.Frame(outer)
        body.pack(fill="both", expand=True)
        close = ttk.Button(outer, text=t("close"), command=window.destroy)
        close.pack(anchor="e", pady=(self._px(_PAD), 0))
        window.bind("<Escape>", lambda _event: window.destroy())
        close.focus_set()
        return body, window

    def _show(self, window: tk.Toplevel) -> None:
        """Put a window that is ready over the middle of its parent."""
        window.update_idletasks()
        parent = self.parent.winfo_toplevel()
        width, height = window.winfo_reqwidth(), window.winfo_reqheight()
        left = parent.winfo_rootx() + (parent.winfo_width() - width) // 2
        top = parent.winfo_rooty() + (parent.winfo_height() - height) // 3
        window.geometry(f"+{max(0, left)}+{max(0, top)}")
        window.resizable(width=False, height=False)
        window.deiconify()

    def _text(self, body: ttk.Frame, text: str, style: str = "TLabel") -> None:
        label = ttk.Label(body, text=text, style=style, wraplength=self._px(440), justify="left")
        label.pack(anchor="w", pady=(0, self._px(8)))

    def _px(self, length: int) -> int:
        return theme.current(self.parent).px(length)


def _words(data: object) -> str:
    """Return what a model says of its training data, in words."""
    if isinstance(data, dict):
        return ", ".join(
            f"{key} {value}" for key, value in data.items() if not isinstance(value, (dict, list))
        )
    return str(data or "")
