"""Whether the desktop is dark. Asking takes a moment, so it is begun before the window is made."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE: Final = 0.3  # seconds that all asking together may take
_PORTAL: Final = [
    *("gdbus", "call", "--session", "--dest", "org.freedesktop.portal.Desktop"),
    *("--object-path", "/org/freedesktop/portal/desktop"),
    *("--method", "org.freedesktop.portal.Settings.Read", "org.freedesktop.appearance", "color-scheme"),
]
_GNOME: Final = ["gsettings", "get", "org.gnome.desktop.interface"]
_WINDOWS: Final = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
_MIDDLE: Final = 128  # of 0..255: a window darker than this belongs to a dark desktop


def ask() -> Callable[[], bool | None]:
    """Begin to ask, and return what waits for the answer: None where it is not known in time."""
    found: list[bool | None] = []
    deadline = time.monotonic() + PATIENCE
    thread = threading.Thread(target=lambda: found.append(_look(deadline)), daemon=True)
    thread.start()

    def answer() -> bool | None:
        thread.join(max(0.0, deadline - time.monotonic()))
        return found[0] if found else None

    return answer


def _look(deadline: float) -> bool | None:
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _said(["defaults", "read", "-g", "AppleInterfaceStyle"], deadline) == "Dark"
    return freedesktop(os.environ, deadline)


def freedesktop(environment: Mapping[str, str], deadline: float) -> bool | None:
    """Return what the first of several places says, from the plainest to the slowest; None if none does.

    They are: GTK_THEME, the desktop portal, KDE's settings, GNOME's, GTK's own file.
    """
    config = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places: tuple[Callable[[], bool | None], ...] = (
        lambda: _by_name(environment.get("GTK_THEME", "")),
        lambda: _portal(environment, deadline),
        lambda: _kde(config / "kdeglobals") if "KDE" in environment.get("XDG_CURRENT_DESKTOP", "") else None,
        lambda: _gnome(deadline),
        lambda: _gtk(config / "gtk-3.0" / "settings.ini"),
    )
    return next((dark for place in places if (dark := place()) is not None), None)


def _said(command: list[str], deadline: float) -> str:
    """Return what a program says in time, or nothing."""
    import subprocess  # here, where it delays no window

    left = deadline - time.monotonic()
    if left <= 0:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the commands are those above
            command, capture_output=True, text=True, timeout=left, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _by_name(theme: str) -> bool | None:
    """Tell by the name of a GTK theme: Adwaita:dark, Yaru-dark, Arc-Dark-solid."""
    return bool(re.search(r"[:-]dark\b", theme, re.IGNORECASE)) if theme else None


def _portal(environment: Mapping[str, str], deadline: float) -> bool | None:
    bus = Path(environment.get("XDG_RUNTIME_DIR", "/nowhere")) / "bus"
    if "DBUS_SESSION_BUS_ADDRESS" not in environment and not bus.exists():
        return None  # gdbus would start a bus of its own
    found = re.search(r"uint32 (\d)", _said(_PORTAL, deadline))
    return {"1": True, "2": False}.get(found[1]) if found else None


def _gnome(deadline: float) -> bool | None:
    scheme = _said([*_GNOME, "color-scheme"], deadline)
    if "prefer" in scheme:
        return "dark" in scheme
    return _by_name(_said([*_GNOME, "gtk-theme"], deadline).strip("'"))


def _kde(path: Path) -> bool | None:
    text = _read(path)
    window = re.search(r"\[Colors:Window\][^\[]*?BackgroundNormal=(\d+),(\d+),(\d+)", text)
    if window:
        return sum(int(part) for part in window.groups()) < 3 * _MIDDLE
    named = re.search(r"^ColorScheme=(.+)$", text, re.MULTILINE)
    return "dark" in named[1].lower() if named else None


def _gtk(path: Path) -> bool | None:
    text = _read(path)
    wanted = re.search(r"^gtk-application-prefer-dark-theme\s*=\s*(\w+)", text, re.MULTILINE)
    if wanted:
        return wanted[1].lower() in {"1", "true"}
    named = re.search(r"^gtk-theme-name\s*=\s*(.+)$", text, re.MULTILINE)
    return _by_name(named[1]) if named else None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _windows() -> bool | None:
    if sys.platform != "win32":
        return None
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _WINDOWS) as key:
            return not winreg.QueryValueEx(key, "AppsUseLightTheme")[0]
    except OSError:
        return None
