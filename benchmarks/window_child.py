"""Drive the window once and print what it took, as JSON: `window_child.py PHOTO TARGET START`.

START is when the process was started, by time.time(). Times are in seconds, memory in bytes.
"""

from __future__ import annotations

import json
import sys
import time
import tkinter as tk
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.gui import desktop
from tintype.gui.app import App
from tintype.gui.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 120.0


def main() -> None:
    """Open, colorize and save a photograph in a real window."""
    photo, target, started = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    desktop.before_tk()
    root = tk.Tk(className="Tintype")
    app = App(root, Settings())
    took: dict[str, float] = {}

    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline or app.state.message.failed:
                sys.exit(app.state.message.text or "waited in vain")
            root.update()
            time.sleep(0.001)
        root.update()

    until(lambda: bool(app.view.viewer.winfo_viewable()))
    took["visible"] = time.time() - started
    until(lambda: app.state.model is not None)
    took["ready"] = time.time() - started
    begun = time.time()
    app.open(photo)
    until(lambda: app.state.document is not None)
    took["on the screen"] = time.time() - begun
    until(lambda: app.state.document is not None and app.state.document.complete)
    took["decoded"] = time.time() - begun
    begun = time.time()
    app.run("colorize")
    until(lambda: app.state.result is not None)
    took["colorized"] = time.time() - begun
    until(lambda: not app.state.busy)
    took["resident"] = field("VmRSS")
    begun = time.time()
    app.worker.save(target, app.state.edit)
    until(target.exists)
    until(lambda: not app.state.busy)
    took["saved"] = time.time() - begun
    took["peak"] = field("VmHWM")
    app.quit()
    print(json.dumps(took))


def field(name: str) -> float:
    """Return a field of this process's status, bytes; 0 where the system has none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
