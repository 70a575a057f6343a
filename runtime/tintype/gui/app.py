"""The application: state, worker and view brought together."""

from __future__ import annotations

import argparse
import queue
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Sequence

    from tintype.gui.state import Event

POLL: Final = 30  # ms between two looks at what the worker has posted
NO_TK = (
    "tintype-gui: this Python has no Tk: install python3-tk (Debian, Ubuntu), python3-tkinter (Fedora) "
    "or python-tk (Homebrew); the command line, tintype, works without it"
)


class App:
    """Runs the window: what a person does goes to the worker, what the worker posts to the view."""

    def __init__(self, root: tk.Tk, model: str = "default") -> None:
        from tintype.gui.state import State
        from tintype.gui.view import View
        from tintype.gui.worker import Worker

        self.root, self.state, self.worker = root, State(), Worker(model)
        self.view = View(root, {"open": self.open, "colorize": self.colorize, "save": self.save})
        self.view.pack(fill="both", expand=True)
        root.title("Tintype")
        root.minsize(480, 320)
        root.bind("<Control-o>", lambda _event: self.open())
        root.bind("<Control-s>", lambda _event: self.save())
        root.bind("<Return>", lambda _event: self.colorize())
        root.protocol("WM_DELETE_WINDOW", self.close)
        self.view.render(self.state)
        self._poll()

    def open(self, source: Path | None = None) -> None:
        """Open a photograph, asking which if none is given."""
        if self.state.busy:
            return
        source = source or self.view.ask_open()
        if source is not None:
            self._start(f"Opening {source.name}…")
            self.worker.open(source)

    def colorize(self) -> None:
        """Colorize the photograph shown."""
        if self.state.can_colorize:
            self._start("Colorizing…")
            self.worker.colorize()

    def save(self) -> None:
        """Save the result, asking where."""
        if self.state.can_save and self.state.source is not None:
            target = self.view.ask_save(self.state.source)
            if target is not None:
                self._start(f"Saving {target.name}…")
                self.worker.save(target)

    def close(self) -> None:
        """Close the window and end the worker."""
        self.root.after_cancel(self._timer)
        self.root.withdraw()  # what is being saved is finished first, unseen
        self.worker.close()
        self.root.destroy()

    def _start(self, message: str) -> None:
        from tintype.gui.state import Started

        self._handle(Started(message))

    def _handle(self, event: Event) -> None:
        from tintype.gui.state import reduce

        self.state = reduce(self.state, event)
        self.view.render(self.state)

    def _poll(self) -> None:
        try:
            while True:
                self._handle(self.worker.events.get_nowait())
        except queue.Empty:
            self._timer = self.root.after(POLL, self._poll)


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window; return the exit code: 2 without Tk or a display."""
    parser = argparse.ArgumentParser(prog="tintype-gui", description="Colorize photographs in a window.")
    parser.add_argument("photo", nargs="?", type=Path, help="a photograph to open")
    parser.add_argument("--model", default="default", help="a bundled name or an .onnx file")
    options = parser.parse_args(arguments)
    try:
        import tkinter as tk
    except ImportError:
        print(NO_TK, file=sys.stderr)
        return 2
    try:
        root = tk.Tk()
    except tk.TclError as error:
        print(
            f"tintype-gui: no window can be opened: {error}; try the command line, tintype", file=sys.stderr
        )
        return 2
    app = App(root, options.model)
    if options.photo is not None:
        app.open(options.photo)
    root.mainloop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
