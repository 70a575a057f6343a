"""Real windows, driven by real events."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from pictures import picture
from tintype import Colorizer

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Iterator
    from pathlib import Path

    from tintype.gui.app import App

Wait = "Callable[[Callable[[], bool]], None]"

pytestmark = pytest.mark.gui


@pytest.fixture
def app(root: tk.Tk, stub: Path) -> Iterator[App]:
    """Return a running application with the stub model."""
    from tintype.gui.app import App

    made = App(root, str(stub))
    root.update()
    yield made
    made.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a grey photograph on disk."""
    path = tmp_path / "photo.png"
    picture(1, 120).convert("L").save(path)
    return path


def test_open_colorize_save(
    app: App, photo: Path, stub: Path, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is opened, colorized and saved in the window equals what the Python interface gives."""
    target = photo.with_name("out.png")
    monkeypatch.setattr(app.view, "ask_open", lambda: photo)
    monkeypatch.setattr(app.view, "ask_save", lambda _source: target)
    app.view.buttons["open"].invoke()
    wait(lambda: app.state.can_colorize)
    app.root.focus_force()
    app.root.event_generate("<Return>")
    wait(lambda: app.state.can_save)
    assert len(app.view.canvas.find_all()) == 2
    app.root.event_generate("<Control-s>")
    wait(target.exists)
    wait(lambda: not app.state.busy)
    with Image.open(target) as saved:
        expected = Colorizer(stub).colorize(photo)
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(expected))


def test_buttons_follow_the_state(app: App, photo: Path, wait: Any) -> None:
    """Colorize and Save can be pressed only when there is something to colorize or to save."""

    def enabled(name: str) -> bool:
        return app.view.buttons[name].instate(["!disabled"])

    assert (enabled("open"), enabled("colorize"), enabled("save")) == (True, False, False)
    app.open(photo)
    wait(lambda: enabled("colorize"))
    assert not enabled("save")
    app.view.buttons["colorize"].invoke()
    wait(lambda: enabled("save"))


def test_broken_photograph(app: App, tmp_path: Path, wait: Any) -> None:
    """A file that is no photograph is told in a sentence; the window goes on."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photograph")
    app.open(broken)
    wait(lambda: app.state.failed)
    assert "cannot be read as a photograph" in app.view.status.cget("text")
    assert app.view.buttons["open"].instate(["!disabled"])


def test_original_is_never_overwritten(
    app: App, photo: Path, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving over the original is refused, and the original stays as it was."""
    before = photo.read_bytes()
    monkeypatch.setattr(app.view, "ask_save", lambda _source: photo)
    app.open(photo)
    wait(lambda: app.state.can_colorize)
    app.colorize()
    wait(lambda: app.state.can_save)
    app.save()
    wait(lambda: app.state.failed)
    assert "it is the original" in app.state.message
    assert photo.read_bytes() == before


def test_without_a_display() -> None:
    """Without a display the program says so in one line and ends with exit code 2."""
    pytest.importorskip("tkinter")
    environment = {"PATH": "/usr/bin", "DISPLAY": ":987"}
    command = [sys.executable, "-m", "tintype.gui.app"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("tintype-gui: no window can be opened")
    assert done.stderr.count("\n") == 1


def test_without_tk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without Tk the program names the package to install and ends with exit code 2."""
    from tintype.gui import app as module

    monkeypatch.setitem(sys.modules, "tkinter", None)
    assert module.main([]) == 2
    assert "python3-tk" in capsys.readouterr().err
