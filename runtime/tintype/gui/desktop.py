"""What the desktop around the window tells and does: dark or light, size, file manager."""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tintype.gui import scheme
from tintype.gui.texts import t

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable, Mapping
    from pathlib import Path

SCALES: Final = (0.75, 3.0)
_INCH: Final = 96  # px at scale 1
_PER_MONITOR: Final = 2
_SEEN: Final = 64  # px of a window that must lie on the screen, to drag it back by
_asked: list[Callable[[], bool | None]] = []


def before_tk() -> None:
    """Do what comes before the window: ask Windows for sharp drawing, and begin to ask for the theme."""
    _asked[:] = [scheme.ask()]
    if sys.platform == "win32":
        import ctypes

        with suppress(AttributeError, OSError):  # before Windows 8.1
            ctypes.windll.shcore.SetProcessDpiAwareness(_PER_MONITOR)


def dark() -> bool | None:
    """Return whether the desktop is dark; None where it does not say so within 0.3 seconds of being asked."""
    answer = _asked.pop() if _asked else scheme.ask()
    return answer()


def scale(root: tk.Misc) -> float:
    """Return how large the desktop wants things: 1 at 96 dpi, between 0.75 and 3, in quarters."""
    if sys.platform == "darwin":
        return 1.0  # its px are points
    wanted = root.winfo_fpixels("1i") / _INCH if sys.platform == "win32" else _x11_scale(os.environ)
    return min(SCALES[1], max(SCALES[0], round(wanted * 4) / 4))


def visible(root: tk.Misc, geometry: str) -> str:
    """Return WxH+X+Y as it was remembered, or "" where it would lie outside of the screen, or is none."""
    found = re.fullmatch(r"(\d+)x(\d+)\+(-?\d+)\+(-?\d+)", geometry)
    if not found:
        return ""
    width, height, x, y = map(int, found.groups())
    left, top = root.winfo_vrootx(), root.winfo_vrooty()
    right = left + max(root.winfo_vrootwidth(), root.winfo_screenwidth())
    bottom = top + max(root.winfo_vrootheight(), root.winfo_screenheight())
    across = min(x + width, right) - max(x, left)
    inside = across >= _SEEN and top <= y <= bottom - _SEEN
    return geometry if inside and width <= right - left and height <= bottom - top else ""


def open_folder(folder: Path) -> str:
    """Show a folder in the file manager, which is not waited for; return a sentence where that cannot be."""
    if sys.platform == "win32":
        try:
            os.startfile(folder)  # noqa: S606 - a folder
        except OSError as error:
            return t("desktop.no_folder", folder=folder, reason=error.strerror or error)
        return ""
    import shutil

    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None or not folder.is_dir():
        return t("desktop.no_manager", folder=folder) if folder.is_dir() else t("desktop.gone", folder=folder)
    command = [program, str(folder)]
    threading.Thread(target=_run, args=(command,), daemon=True).start()  # it is waited for there
    return ""


def nice(step: int = 5) -> None:
    """Let everything else go before the calling thread and those it starts; nothing where that is unknown."""
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + step)


def _run(command: list[str]) -> None:
    with suppress(OSError):
        import subprocess

        none = subprocess.DEVNULL
        subprocess.run(command, check=False, stdin=none, stdout=none, stderr=none)  # noqa: S603


def _x11_scale(environment: Mapping[str, str]) -> float:
    """Return the scale that GTK is told, else the one that X resources hold: Xft.dpi."""
    told = environment.get("GDK_SCALE", "")
    with suppress(ValueError):
        if told:
            return float(told) * float(environment.get("GDK_DPI_SCALE") or 1)
    return _xft_dpi() / _INCH


def _xft_dpi() -> float:
    """Ask X itself: Tk knows resources of its own program only, and xrdb may not be installed."""
    import ctypes

    try:
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XGetDefault.restype = ctypes.c_char_p
        x11.XGetDefault.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
        x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        display = x11.XOpenDisplay(None)
        if not display:
            return _INCH
        try:
            return float(x11.XGetDefault(display, b"Xft", b"dpi") or _INCH)
        finally:
            x11.XCloseDisplay(display)
    except (OSError, ValueError, AttributeError):
        return _INCH
