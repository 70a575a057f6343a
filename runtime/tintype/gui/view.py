"""The window itself: bars, viewer, panel and queue, each shown as the state says."""

from __future__ import annotations

import tkinter as tk
from dataclasses import replace
from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from tintype.gui import desktop, drop, theme
from tintype.gui.commands import COMMANDS, LINE, MENUS, sequence, shown, typed
from tintype.gui.dialogs import Dialogs
from tintype.gui.folder import FolderStrip
from tintype.gui.panel import Panel
from tintype.gui.statusbar import StatusBar
from tintype.gui.texts import t
from tintype.gui.viewer import Scene, Viewer
from tintype.gui.welcome import Welcome
from tintype.gui.widgets import Choice, IconButton, Segments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tintype.gui.app import App
    from tintype.gui.settings import Settings
    from tintype.gui.state import State
    from tintype.merge import Merger

SMALLEST: Final = (900, 600)
FIRST: Final = (1240, 800)
MODES: Final = ("split", "side", "color", "before")
ICONS: Final = {"colorize": "color", "zoom_in": "plus", "zoom_out": "minus"}
_TEXT_KEYS: Final = frozenset({"TEntry", "Entry", "Text", "TCombobox", "TSpinbox"})
_PRESSED_BY_ENTER: Final = frozenset({"TButton", "TMenubutton", "TCombobox", "TRadiobutton", "Treeview"})


_REPEAT: Final = 40  # ms between a release and the press that belongs to the same held key, at most


class View(ttk.Frame):
    """Everything in the window. It changes nothing but itself: what a person does goes to the app."""

    def __init__(self, root: tk.Tk, app: App) -> None:
        super().__init__(root)
        self.root, self.app = root, app
        self.dialogs = Dialogs(root)
        self._shown: tuple[str, Path | None] | None = None
        self._style(app.settings)
        self._geometry(app.settings)
        self._menus()
        self.can_drop = drop.enable_drop(root, app.open_many)
        self._build()
        self._bind()

    def render(self, state: State, merger: Merger | None) -> None:
        """Show a state; `merger` gives the photograph its color."""
        document = state.document
        picture = document.picture if document is not None else None
        longer = max(picture.size) if picture is not None else 1
        self.viewer.show(
            Scene(
                picture=picture,
                merger=merger,
                mode=state.mode,
                tool=state.tool,
                strokes=state.edit.strokes,
                selected=state.selected,
                color=state.brush,
                radius=state.radius * longer,
            )
        )
        shown = None if document is None else (document.name, document.source)
        if shown != self._shown:  # another photograph of the same size is seen whole, too
            self._shown = shown
            self.viewer.fit()
        if document is None:
            self.welcome.render(self.app.settings.recent)
            self.welcome.place(relx=0.5, rely=0.5, anchor="center")
        else:
            self.welcome.place_forget()
        for name, button in self.buttons.items():
            button.state(["!disabled" if COMMANDS[name].enabled(state) else "disabled"])
        self.modes.show(state.mode)
        self.modes.enable(on=document is not None)
        self.panel.render(state)
        self._render_folder(state)
        self.status.render(state)
        self.root.title(f"{document.name} — Tintype" if document is not None else "Tintype")

    def restyle(self, settings: Settings) -> None:
        """Take another theme or size: everything is built anew."""
        self._style(settings)
        for child in self.winfo_children():
            child.destroy()
        self._menus()
        self._build()

    def remember(self, settings: Settings) -> Settings:
        """Return the settings with the window's place and size."""
        folded = tuple(name for name, section in self.panel.sections.items() if not section.opened)
        if _maximized(self.root):
            return replace(settings, maximized=True, folded=folded)
        return replace(settings, geometry=self.root.winfo_geometry(), maximized=False, folded=folded)

    def _style(self, settings: Settings) -> None:
        dark = settings.theme == "dark" or (settings.theme == "auto" and bool(desktop.dark()))
        scale = settings.scale or desktop.scale(self.root)
        theme.apply(self.root, theme.DARK if dark else theme.LIGHT, scale)

    def _geometry(self, settings: Settings) -> None:
        px = theme.current(self.root).px
        width, height = self.root.winfo_screenwidth(), self.root.winfo_screenheight()
        self.root.minsize(min(px(SMALLEST[0]), width), min(px(SMALLEST[1]), height))
        first = f"{min(px(FIRST[0]), width)}x{min(px(FIRST[1]), height)}"
        self.root.geometry(desktop.visible(self.root, settings.geometry) or first)
        if settings.maximized:
            _maximize(self.root)

    def _build(self) -> None:
        self._toolbar().pack(side="top", fill="x")
        ttk.Separator(self).pack(side="top", fill="x")
        self.status = StatusBar(self, self.app)
        self.status.pack(side="bottom", fill="x")
        ttk.Separator(self).pack(side="bottom", fill="x")
        self.folder = FolderStrip(self, self.app)
        middle = ttk.Frame(self)
        middle.pack(side="top", fill="both", expand=True)
        self._middle = middle
        look = theme.current(self)
        self.panel = Panel(middle, self.app)
        self.panel.pack(side="right", fill="y")
        ttk.Separator(middle, orient="vertical").pack(side="right", fill="y")
        self.viewer = Viewer(
            middle,
            theme=look.theme,
            scale=look.scale,
            captions={name: t(f"caption.{name}") for name in ("grey", "original", "color")},
            on_stroke=self.app.stroke,
            on_select=self.app.select,
            on_move_stroke=self.app.move_stroke,
            on_pick=self.app.pick,
            on_view=self._show_zoom,
        )
        self.viewer.pack(side="left", fill="both", expand=True)
        self.welcome = Welcome(self.viewer, self.app, can_drop=self.can_drop)

    def _toolbar(self) -> ttk.Frame:
        px = theme.current(self).px
        bar = ttk.Frame(self, style="Toolbar.TFrame", padding=px(8))
        self.buttons: dict[str, IconButton] = {}
        for name, style in (("open", "TButton"), ("colorize", "Accent.TButton"), ("save", "TButton")):
            button = self._button(bar, name, t(f"do.{name}"), style)
            button.pack(side="left", padx=(0, px(8)))
        for name in ("zoom_in", "actual", "fit", "zoom_out"):
            self._button(bar, name, "", "Tool.TButton").pack(side="right")
        modes = [Choice(mode, t(f"do.{mode}"), t(f"tip.{mode}")) for mode in MODES]
        self.modes = Segments(bar, modes, self.app.run)
        self.modes.pack(side="right", padx=(0, px(12)))
        return bar

    def _button(self, bar: ttk.Frame, name: str, text: str, style: str) -> IconButton:
        keys = COMMANDS[name].keys
        explain = t(f"tip.{name}") + (f" ({shown(keys[0])})" if keys else "")
        button = IconButton(
            bar, ICONS.get(name, name), lambda: self.app.run(name), text=text, explain=explain, style=style
        )
        self.buttons[name] = button
        return button

    def _menus(self) -> None:
        """Make the menus of the table; what makes no sense now is grey when one is opened."""
        bar = tk.Menu(self.root, tearoff=False)
        for title, names in MENUS.items():
            menu = tk.Menu(bar, tearoff=False)
            for name in names:
                if name == LINE:
                    menu.add_separator()
                    continue
                keys = COMMANDS[name].keys
                menu.add_command(
                    label=t(f"do.{name}"),
                    accelerator=shown(keys[0]) if keys else "",
                    command=partial(self.app.run, name),
                )
                if name == "open_folder":
                    menu.add_cascade(label=t("menu.recent"), menu=self._recent(menu))
            menu.configure(postcommand=partial(self._enable, menu, names))
            bar.add_cascade(label=t(f"menu.{title}"), menu=menu, underline=0)
        self.root.configure(menu=bar)

    def _recent(self, parent: tk.Menu) -> tk.Menu:
        menu = tk.Menu(parent, tearoff=False)

        def fill() -> None:
            menu.delete(0, "end")
            for path in self.app.settings.recent:
                menu.add_command(label=str(path), command=partial(self.app.open, path))

        menu.configure(postcommand=fill)
        return menu

    def _enable(self, menu: tk.Menu, names: tuple[str, ...]) -> None:
        for name in names:
            if name != LINE:
                there = COMMANDS[name].enabled(self.app.state)
                menu.entryconfigure(t(f"do.{name}"), state="normal" if there else "disabled")

    def _bind(self) -> None:
        for command in COMMANDS.values():
            for keys in command.keys:
                self.root.bind(sequence(keys), self._on_key(command.name, keys))
        for kind in ("TButton", "TRadiobutton"):  # Tk itself presses them by Space only
            for key in ("<Return>", "<KP_Enter>"):
                self.root.bind_class(kind, key, lambda event: event.widget.invoke())
        self._release = ""
        self.root.bind("<KeyPress-space>", lambda event: self._peek(event, on=True))
        self.root.bind("<KeyRelease-space>", lambda event: self._peek(event, on=False))

    def _on_key(self, name: str, keys: str) -> Callable[[tk.Event], None]:
        """Return what a key does: nothing where the control with the focus needs it itself."""

        def pressed(event: tk.Event) -> None:
            kind = _kind(event)
            if event.widget.winfo_toplevel() is not self.root:
                return
            if typed(keys) and kind in _TEXT_KEYS:
                return
            if keys in {"Return", "KP_Enter"} and kind in _PRESSED_BY_ENTER:
                return
            self.app.run(name)

        return pressed

    def _peek(self, event: tk.Event, *, on: bool) -> None:
        """Show the photograph itself while Space is held, unless Space presses a button.

        A key held down repeats, which X11 tells as releases each followed by a press.
        """
        if self._release:
            self.root.after_cancel(self._release)
            self._release = ""
        if not on:
            self._release = self.root.after(_REPEAT, lambda: self.viewer.peek(on=False))
        elif _kind(event) not in _PRESSED_BY_ENTER | _TEXT_KEYS:
            self.viewer.peek(on=True)

    def _show_zoom(self) -> None:
        self.status.show_zoom(self.viewer.zoom)

    def _render_folder(self, state: State) -> None:
        if state.items:
            self.folder.pack(side="bottom", fill="x", before=self._middle)
            self.folder.render(state)
        else:
            self.folder.pack_forget()


def _kind(event: tk.Event) -> str:
    """Return the class of the widget that has the keyboard; Tk names some that Python did not make."""
    widget: object = event.widget
    return str(widget.winfo_class()) if isinstance(widget, tk.Misc) else ""


def _maximized(root: tk.Tk) -> bool:
    if root.tk.call("tk", "windowingsystem") == "x11":
        return bool(root.wm_attributes("-zoomed"))
    return root.wm_state() == "zoomed"


def _maximize(root: tk.Tk) -> None:
    if root.tk.call("tk", "windowingsystem") == "x11":
        root.wm_attributes("-zoomed", True)
    else:
        root.wm_state("zoomed")
