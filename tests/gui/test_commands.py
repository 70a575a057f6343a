"""The table of commands holds together with menus, texts and the application."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import tintype.gui
from tintype.gui.app import App
from tintype.gui.commands import COMMANDS, LINE, MENUS, sequence, shown, typed
from tintype.gui.state import State
from tintype.gui.texts import ENGLISH, t, use

FOLDER = Path(tintype.gui.__file__).parent


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    """Every command has a text and a method of the application, and knows when it makes sense."""
    assert t(f"do.{name}")
    assert callable(getattr(App, name))
    assert COMMANDS[name].enabled(State()) in (True, False)


def test_menus_name_commands() -> None:
    """Every entry of a menu is a command, and stands in one menu only."""
    entries = [name for menu in MENUS.values() for name in menu if name != LINE]
    assert set(entries) <= set(COMMANDS)
    assert len(entries) == len(set(entries))


def test_no_key_is_given_twice() -> None:
    """No two commands have the same key."""
    keys = [key for command in COMMANDS.values() for key in command.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("keys", "expected", "text"),
    [
        ("Ctrl+O", "<Control-Key-o>", "Ctrl+O"),
        ("Ctrl+Shift+Z", "<Control-Shift-Key-Z>", "Ctrl+Shift+Z"),
        ("Ctrl++", "<Control-Key-plus>", "Ctrl++"),
        ("+", "<Key-plus>", "+"),
        ("Return", "<Key-Return>", "Enter"),
    ],
)
def test_keys_as_tk_and_as_menus_write_them(keys: str, expected: str, text: str) -> None:
    """Keys of the table become Tk's sequences and what menus show."""
    if "Command" not in sequence(keys):
        assert sequence(keys) == expected
        assert shown(keys) == text


def test_keys_that_write_text() -> None:
    """Letters, digits and Enter belong to the control that has the focus; Ctrl+O and F1 do not."""
    assert [typed(keys) for keys in ("B", "1", "Return", "Ctrl+O", "F1", "Alt+1")] == [True] * 3 + [False] * 3


def test_texts_are_all_used() -> None:
    """No sentence of the table is left over: each key, or the family it belongs to, stands in the code."""
    code = "".join(path.read_text() for path in FOLDER.glob("*.py") if path.name != "texts.py")
    quoted = set(re.findall(r"""["'][a-z_.]+["']""", code))
    families: tuple[str, ...] = ("do.", "tip.", "menu.", "folder.", "key.", "shortcuts.", "theme.", "color.")
    families += ("strength", "vividness", "warmth", "welcome.", "caption.")
    left = [key for key in ENGLISH if not {f'"{key}"', f"'{key}'"} & quoted and not key.startswith(families)]
    assert not left


def test_a_translation_goes_first() -> None:
    """A translation replaces the sentences that it has; the others stay English."""
    try:
        use({"pasted": "eingefügt"})
        assert t("pasted") == "eingefügt"
        assert t("copied") == ENGLISH["copied"]
    finally:
        use({})
    assert t("pasted") == "pasted"


def test_fields_are_named() -> None:
    """Every field of a sentence has a name, so that translators may move it."""
    for sentence in ENGLISH.values():
        assert all(field is None or field for _, field, *_ in string.Formatter().parse(sentence))
