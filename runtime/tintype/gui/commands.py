"""Everything that can be asked for, as one table: menus, keys, buttons and the list under F1 come from it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tintype.gui.state import State

MAC: Final = sys.platform == "darwin"
LINE: Final = ""
"""Between commands of a menu: a line."""


@dataclass(frozen=True)
class Command:
    """Something a person can ask for. Its texts are `do.NAME` and, for a tooltip, `tip.NAME`."""

    name: str
    keys: tuple[str, ...] = ()
    """As `Ctrl+Shift+S`; on macOS Ctrl is Cmd. The first is shown."""
    enabled: Callable[[State], bool] = lambda _state: True


def _has_photo(state: State) -> bool:
    return state.document is not None


def _has_stroke(state: State) -> bool:
    return state.can_adjust and state.selected is not None


COMMANDS: Final = {
    command.name: command
    for command in (
        Command("open", ("Ctrl+O",)),
        Command("open_folder", ("Ctrl+Shift+O",), lambda s: not s.busy),
        Command("paste", ("Ctrl+V",)),
        Command("sample"),
        Command("save", ("Ctrl+S",), lambda s: s.can_save),
        Command("save_as", ("Ctrl+Shift+S",), lambda s: s.can_save),
        Command("copy", ("Ctrl+C",), lambda s: s.can_save),
        Command("save_layer", (), lambda s: s.can_save),
        Command("save_ab", (), lambda s: s.can_save),
        Command("save_comparison", (), lambda s: s.can_save),
        Command("open_strokes", (), lambda s: s.can_adjust),
        Command("save_strokes", (), lambda s: s.can_adjust and bool(s.edit.strokes)),
        Command("quit", ("Ctrl+Q",)),
        Command("undo", ("Ctrl+Z",), lambda s: bool(s.history.past)),
        Command("redo", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda s: bool(s.history.future)),
        Command("reset", ("Ctrl+R",), lambda s: s.can_adjust and s.edit != type(s.edit)()),
        Command("remove_stroke", ("Delete", "BackSpace"), _has_stroke),
        Command("preferences", ("Ctrl+,",)),
        Command("split", ("1",), _has_photo),
        Command("side", ("2",), _has_photo),
        Command("color", ("3",), _has_photo),
        Command("before", ("4",), _has_photo),
        Command("zoom_in", ("Ctrl++", "Ctrl+=", "+"), _has_photo),
        Command("zoom_out", ("Ctrl+-", "-"), _has_photo),
        Command("fit", ("Ctrl+0", "0"), _has_photo),
        Command("actual", ("Ctrl+1",), _has_photo),
        Command("colorize", ("Return", "KP_Enter"), lambda s: s.can_colorize),
        Command("cancel", ("Escape",), lambda s: s.busy or s.tool == "paint" or s.selected is not None),
        Command("paint", ("B",), lambda s: s.can_adjust),
        Command("move", ("H",), _has_photo),
        Command("variants", ("V",), lambda s: s.document is not None and not s.busy),
        Command("good", ("Alt+1",), lambda s: s.result is not None),
        Command("fair", ("Alt+2",), lambda s: s.result is not None),
        Command("bad", ("Alt+3",), lambda s: s.result is not None),
        Command("ratings"),
        Command("models", ("Ctrl+M",), lambda s: not s.busy),
        Command("shortcuts", ("F1",)),
        Command("about"),
    )
}

MENUS: Final = {
    "file": (
        *("open", "open_folder", "paste", "sample", LINE, "save", "save_as", "copy", LINE),
        *("save_layer", "save_ab", "save_comparison", LINE, "open_strokes", "save_strokes", LINE, "quit"),
    ),
    "edit": ("undo", "redo", "reset", LINE, "remove_stroke", LINE, "preferences"),
    "view": ("split", "side", "color", "before", LINE, "zoom_in", "zoom_out", "fit", "actual"),
    "photo": (
        *("colorize", "cancel", LINE, "paint", "move", LINE, "variants", "models", LINE),
        *("good", "fair", "bad", "ratings"),
    ),
    "help": ("shortcuts", "about"),
}
"""Menus from left to right, with the commands in each."""

_NAMES: Final = {"Ctrl": "Command" if MAC else "Control", "Shift": "Shift", "Alt": "Option" if MAC else "Alt"}
_KEYSYMS: Final = {"+": "plus", "-": "minus", ",": "comma", "=": "equal"}
_SHOWN: Final = {"Return": "Enter", "KP_Enter": "Enter", "Escape": "Esc"}


def sequence(keys: str) -> str:
    """Return Tk's event sequence of some keys: `Ctrl+Shift+S` is `<Control-Shift-Key-S>`."""
    *modifiers, key = _parts(keys)
    if len(key) == 1 and key.isalpha():
        key = key.upper() if "Shift" in modifiers else key.lower()
    return f"<{''.join(_NAMES[modifier] + '-' for modifier in modifiers)}Key-{_KEYSYMS.get(key, key)}>"


def shown(keys: str) -> str:
    """Return keys as menus and tooltips write them."""
    *modifiers, key = _parts(keys)
    names = ["Cmd" if MAC and name == "Ctrl" else name for name in modifiers]
    return "+".join([*names, _SHOWN.get(key, key)])


def typed(keys: str) -> bool:
    """Say whether keys also write text or work a control: those come first while they have the focus."""
    return not {"Ctrl", "Alt"} & set(_parts(keys)[:-1]) and not keys.startswith("F")


def _parts(keys: str) -> list[str]:
    """Split keys at the plus signs between them; the last may be a plus itself."""
    if keys.endswith("+"):
        return [*keys[:-1].rstrip("+").split("+"), "+"] if len(keys) > 1 else ["+"]
    return keys.split("+")
