"""A display for windows, and windows that fail a test when one of their callbacks fails."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable, Generator, Iterator


@pytest.fixture(scope="session")
def display() -> Iterator[None]:
    """Use the display there is, or a virtual one; skip where there is neither."""
    if os.environ.get("DISPLAY") or os.name == "nt":
        yield
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("no display and no Xvfb")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        os.environ["DISPLAY"] = f":{answer.readline().strip()}"
    yield
    del os.environ["DISPLAY"]
    server.terminate()
    server.wait()


@pytest.fixture
def root(display: None) -> Iterator[tk.Tk]:
    """Return a window; an error in any callback fails the test."""
    tk = pytest.importorskip("tkinter")
    window = tk.Tk()
    window.update()  # Tk 8.6 may crash where a window before this one was closed under the pointer
    corner = {"x": window.winfo_screenwidth() - 1, "y": window.winfo_screenheight() - 1}
    window.event_generate("<Motion>", warp=True, **corner)
    window.update()
    errors: list[Any] = []
    window.report_callback_exception = lambda *error: errors.append(error[1])
    yield window
    with contextlib.suppress(tk.TclError):  # the test may have closed it
        window.destroy()
    assert not errors, errors


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Free a test's window as soon as pytest itself has let it go.

    Its objects stand in a circle. Python's collector comes whenever it will, in a thread too: there Tcl ends
    the process.
    """
    result = yield
    if "root" in getattr(item, "fixturenames", ()):
        gc.collect()
    return result


@pytest.fixture
def wait(root: tk.Tk) -> Callable[[Callable[[], bool]], None]:
    """Return a function that runs the window's loop until a condition holds."""

    def until(condition: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            root.update()
            time.sleep(0.005)

    return until
