"""Colors, fonts and sizes: light and dark, at any scale. `skin` makes ttk's widgets of them."""

from __future__ import annotations

import sys
import tkinter as tk
from dataclasses import dataclass
from tkinter import ttk
from typing import Final

_LOOK: Final = "tintype_look"  # a variable of the Tcl interpreter: name of the theme and scale
_FAMILIES: Final = ("Adwaita Sans", "Inter", "Cantarell", "Ubuntu", "Noto Sans")
_FONTS: Final = {
    "TkDefaultFont": (13, "normal"),
    "TkTextFont": (13, "normal"),
    "TkMenuFont": (13, "normal"),
    "TkIconFont": (13, "normal"),
    "TkHeadingFont": (13, "bold"),
    "TkCaptionFont": (13, "bold"),
    "TkTooltipFont": (12, "normal"),
    "TkSmallCaptionFont": (12, "normal"),
    "TintypeTitle": (20, "bold"),
}  # name: px at scale 1, weight


@dataclass(frozen=True)
class Theme:
    """Every color of the window, as #rrggbb."""

    name: str
    """light or dark."""
    background: str
    """Of the window, its bars and its panel."""
    surface: str
    """Of cards, fields, lists and menus."""
    raised: str
    """Of buttons and of what is chosen among segments."""
    border: str
    trough: str
    """Of sliders, bars and segments."""
    text: str
    muted: str
    """Of what explains."""
    faint: str
    """Of what cannot be used now."""
    accent: str
    accent_hover: str
    accent_pressed: str
    accent_text: str
    hover: str
    pressed: str
    focus: str
    """Of the ring around what has the keyboard."""
    danger: str
    canvas: str
    """Behind photographs: dark in both themes, as colors are judged against it."""
    canvas_text: str
    canvas_muted: str


LIGHT: Final = Theme(
    name="light",
    background="#f6f6f8",
    surface="#ffffff",
    raised="#ffffff",
    border="#cfd2d8",
    trough="#e2e4e9",
    text="#1c1e22",
    muted="#5a5f69",
    faint="#9a9fa8",
    accent="#3366cc",
    accent_hover="#2b5abb",
    accent_pressed="#234da6",
    accent_text="#ffffff",
    hover="#ebedf1",
    pressed="#dfe2e8",
    focus="#3366cc",
    danger="#b3261e",
    canvas="#25272b",
    canvas_text="#eceef1",
    canvas_muted="#a9aeb7",
)
DARK: Final = Theme(
    name="dark",
    background="#202226",
    surface="#292c31",
    raised="#383c43",
    border="#464a52",
    trough="#17191c",
    text="#eceef1",
    muted="#a9aeb7",
    faint="#6b7079",
    accent="#3d73d9",
    accent_hover="#4a80e6",
    accent_pressed="#3465c4",
    accent_text="#ffffff",
    hover="#32363c",
    pressed="#3b4047",
    focus="#7fadff",
    danger="#ff8a80",
    canvas="#141518",
    canvas_text="#eceef1",
    canvas_muted="#a9aeb7",
)
THEMES: Final = {theme.name: theme for theme in (LIGHT, DARK)}


@dataclass(frozen=True)
class Look:
    """A theme at a scale."""

    theme: Theme
    scale: float
    """Screen px per px of the design: 1 at 96 dpi."""

    def px(self, size: float) -> int:
        """Return whole screen px of a size of the design, at least 1 for what is not 0."""
        return max(1, round(size * self.scale)) if size else 0


def apply(root: tk.Misc, theme: Theme, scale: float = 1.0) -> Look:
    """Give the whole window a theme and a scale; again at any time, for another.

    Widgets that are not ttk's and exist already are recolored; what draws for itself listens to
    <<ThemeChanged>> and asks `current`.
    """
    from tintype.gui import skin

    look = Look(theme, scale)
    root.setvar(_LOOK, f"{theme.name} {scale:g}")
    root.tk.call("tk", "scaling", scale * 96 / 72)
    _set_fonts(root, look)
    style = ttk.Style(root)
    _set_options(root, look)
    skin.use(root, style, look)
    _recolor(root, look)
    return look


def current(widget: tk.Misc) -> Look:
    """Return the look that was applied last to a widget's window; light at scale 1 before."""
    try:
        name, scale = str(widget.getvar(_LOOK)).split()
    except tk.TclError:
        return Look(LIGHT, 1.0)
    return Look(THEMES[name], float(scale))


def _set_fonts(root: tk.Misc, look: Look) -> None:
    call = root.tk.call
    known = set(root.tk.splitlist(call("font", "names")))
    family = _family(root)
    for name, (size, weight) in _FONTS.items():
        verb = "configure" if name in known else "create"
        call("font", verb, name, "-family", family, "-size", -look.px(size), "-weight", weight)
    call("font", "configure", "TkFixedFont", "-size", -look.px(12))


def _family(root: tk.Misc) -> str:
    """Return the platform's own family where Tk knows it, else the first one at hand."""
    own = str(root.tk.call("font", "actual", "TkDefaultFont", "-family"))
    if sys.platform in {"win32", "darwin"}:
        return own
    for name in _FAMILIES:
        if root.tk.call("font", "actual", (name, "-13"), "-family") == name:
            return name
    return own


def _set_options(root: tk.Misc, look: Look) -> None:
    """Set what new widgets that are not ttk's, lists of choices and menus look like."""
    for kind, options in _plain(look).items():
        for option, value in options.items():
            root.tk.call("option", "add", f"*{kind}.{option}", value)


def _recolor(root: tk.Misc, look: Look) -> None:
    """Do the same to those that exist. Tcl lists them: not all of them were made from Python."""
    options, call = _plain(look), root.tk.call
    waiting = ["."]
    while waiting:
        path = waiting.pop()
        kind = "Toplevel" if path == "." else str(call("winfo", "class", path))
        for option, value in options.get(kind, {}).items():
            call(path, "configure", f"-{option.lower()}", value)
        waiting.extend(root.tk.splitlist(call("winfo", "children", path)))


def _plain(look: Look) -> dict[str, dict[str, str | int]]:
    """Return options by class, spelled as in Tk's option database."""
    theme = look.theme
    paper: dict[str, str | int] = {
        "background": theme.surface,
        "foreground": theme.text,
        "borderWidth": 0,
        "relief": "flat",
    }
    chosen = {"selectBackground": theme.accent, "selectForeground": theme.accent_text}
    field = paper | chosen | {"highlightThickness": 0, "font": "TkTextFont"}
    return {
        "Toplevel": {"background": theme.background},
        "Listbox": field | {"borderWidth": look.px(4), "activeStyle": "none"},
        "Text": field | {"insertBackground": theme.text},
        "Menu": paper
        | {"activeBackground": theme.accent, "activeForeground": theme.accent_text, "font": "TkMenuFont"}
        | {"disabledForeground": theme.faint, "selectColor": theme.text}
        | {"borderWidth": look.px(4), "activeBorderWidth": look.px(4)},
    }
