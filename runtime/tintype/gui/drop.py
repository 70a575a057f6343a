"""Files dropped onto the window, where tkinterdnd2 is installed: pip install 'tintype[drop]'."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from tintype.gui.clipboard import paths_in

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable, Sequence
    from pathlib import Path


def can_drop() -> bool:
    """Return whether what it takes is installed."""
    return find_spec("tkinterdnd2") is not None


def enable_drop(widget: tk.Misc, on_paths: Callable[[Sequence[Path]], object]) -> bool:
    """Take files that are dropped onto a widget or what is in it; return whether that is possible here.

    The package is loaded into the Tcl interpreter that there is, and told in Tcl: its Python side would
    want a window class of its own.
    """
    if not _load(widget):
        return False

    def dropped(data: str) -> str:
        paths = paths_in("\n".join(widget.tk.splitlist(data)))
        if paths:  # later, or the program they come from would wait until they are open
            widget.after_idle(on_paths, paths)
        return "copy"

    command = widget.register(dropped)
    widget.tk.call("tkdnd::drop_target", "register", str(widget), "DND_Files")
    widget.tk.call("bind", str(widget), "<<Drop:DND_Files>>", f"{command} %D")
    return True


def _load(widget: tk.Misc) -> bool:
    from tkinter import TclError

    try:
        from tkinterdnd2 import TkinterDnD

        # `require` is younger than what it calls
        getattr(TkinterDnD, "require", TkinterDnD._require)(widget)  # noqa: SLF001
    except (ImportError, RuntimeError, TclError):
        return False
    return True
