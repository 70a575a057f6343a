"""Real windows, driven by real events."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from pictures import picture
from tintype import Adjustments, Colorizer
from tintype.hints import Hints

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Iterator
    from pathlib import Path

    from tintype.gui.app import App

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings and ratings of these tests to themselves."""
    monkeypatch.setenv("TINTYPE_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture
def app(root: tk.Tk, stub_mean: Path) -> Iterator[App]:
    """Return a running application with a stub model that offers vividness."""
    yield from running(root, stub_mean)


@pytest.fixture
def plain(root: tk.Tk, stub: Path) -> Iterator[App]:
    """Return a running application with a stub model of one output."""
    yield from running(root, stub)


def running(root: tk.Tk, model: Path) -> Iterator[App]:
    """Run an application until the test is over."""
    from tintype.gui.app import App
    from tintype.gui.settings import Settings

    made = App(root, Settings(theme="dark", scale=1.0), str(model))
    root.update()
    yield made
    made.view.dialogs.confirm_leave = lambda: True  # type: ignore[method-assign]
    made.quit()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a grey photograph on disk."""
    path = tmp_path / "photo.png"
    picture(1, 120).convert("L").save(path)
    return path


@pytest.fixture
def colorized(app: App, photo: Path, wait: Any) -> App:
    """Return the application with a photograph open and colorized."""
    app.open(photo)
    wait(lambda: app.state.can_colorize and not app.state.busy)
    app.run("colorize")
    wait(lambda: app.state.can_save)
    return app


def enabled(app: App, name: str) -> bool:
    """Say whether a button of the tool bar can be pressed."""
    return app.view.buttons[name].instate(["!disabled"])


def press(app: App, sequence: str) -> None:
    """Press a key while the photograph has the focus."""
    app.view.viewer.focus_force()
    app.root.update()
    app.view.viewer.event_generate(sequence)
    app.root.update()


def slide(app: App, name: str, sequence: str, times: int) -> None:
    """Press a key on a slider of the panel."""
    scale = app.view.panel.sliders[name].scale
    scale.focus_force()
    app.root.update()
    for _ in range(times):
        scale.event_generate(sequence)
    app.root.update()


def drag(app: App, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press, move and release the mouse on the canvas."""
    canvas = app.view.viewer
    canvas.event_generate("<Motion>", x=start[0], y=start[1])
    canvas.event_generate("<ButtonPress-1>", x=start[0], y=start[1])
    for step in range(1, 6):
        x = start[0] + (end[0] - start[0]) * step // 5
        y = start[1] + (end[1] - start[1]) * step // 5
        canvas.event_generate("<B1-Motion>", x=x, y=y)
        app.root.update()
    canvas.event_generate("<ButtonRelease-1>", x=end[0], y=end[1])
    app.root.update()


def middle(app: App) -> tuple[int, int]:
    """Return the middle of the canvas."""
    canvas = app.view.viewer
    return canvas.winfo_width() // 2, canvas.winfo_height() // 2


def test_the_whole_way(
    app: App, photo: Path, stub_mean: Path, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open, colorize, divide, adjust, paint, undo, save: the file is what the command line gives."""
    target = photo.with_name("out.png")
    monkeypatch.setattr(app.view.dialogs, "ask_open", lambda _folder: photo)
    monkeypatch.setattr(app.view.dialogs, "ask_save", lambda _folder, _name: target)
    app.view.buttons["open"].invoke()
    wait(lambda: app.state.can_colorize and not app.state.busy)
    press(app, "<Return>")
    wait(lambda: app.state.can_save)

    x, y = middle(app)
    before = app.view.viewer.divider
    drag(app, (x, y), (x + 60, y))
    assert app.view.viewer.divider > before

    slide(app, "strength", "<Prior>", 5)
    slide(app, "warmth", "<Right>", 25)
    assert app.state.edit.adjustments == Adjustments(strength=1.5, warmth=0.25)
    app.pick((220, 40, 30))
    assert app.state.tool == "paint"
    drag(app, (x, y + 20), (x + 40, y + 30))
    assert len(app.state.edit.strokes) == 1
    drag(app, (x - 60, y), (x - 80, y))
    assert len(app.state.edit.strokes) == 2
    press(app, "<Control-z>")
    assert len(app.state.edit.strokes) == 1
    wait(lambda: app.state.spread is not None and app.state.spread[0] == app.state.edit.strokes)
    edit = app.state.edit
    press(app, "<Control-s>")
    wait(lambda: not app.state.unsaved)
    assert app.state.target == target

    hints = photo.with_name("photo.tintype.json")
    with Image.open(photo) as opened:
        hints.write_text(Hints(*opened.size, edit.strokes).to_json())
    options = [f"--{name}={value}" for name, value in vars(edit.adjustments).items()]
    expected = photo.with_name("expected.png")
    command = [sys.executable, "-m", "tintype", photo, "-o", expected, "--hints", hints, *options]
    subprocess.run([*command, "--model", stub_mean], check=True, capture_output=True)
    with Image.open(target) as ours, Image.open(expected) as theirs:
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_what_can_be_done_follows_the_state(app: App, photo: Path, wait: Any) -> None:
    """Colorize and Save can be pressed only when there is something to colorize or to save."""
    assert [enabled(app, name) for name in ("open", "colorize", "save", "fit")] == [True, False, False, False]
    assert app.view.welcome.winfo_ismapped()
    app.open(photo)
    wait(lambda: enabled(app, "colorize"))
    assert not app.view.welcome.winfo_ismapped()
    assert not enabled(app, "save")
    app.view.buttons["colorize"].invoke()
    wait(lambda: enabled(app, "save"))


def test_the_result_is_seen(colorized: App, wait: Any) -> None:
    """Right of the divider the canvas shows color, left of it and while Space is held it shows grey."""
    app = colorized
    wait(lambda: saturation(app, 0.75) > 10)
    assert saturation(app, 0.25) < 3
    press(app, "<KeyPress-space>")
    wait(lambda: saturation(app, 0.75) < 3)
    press(app, "<KeyRelease-space>")
    wait(lambda: saturation(app, 0.75) > 10)
    press(app, "3")
    wait(lambda: saturation(app, 0.25) > 10)


def saturation(app: App, share: float) -> float:
    """Return how far from grey the screen is, in levels, at a share of the photograph's visible width."""
    from PIL import ImageGrab

    canvas = app.view.viewer
    app.root.update()
    left, top, right, bottom = canvas.view.visible
    x = canvas.winfo_rootx() + left + share * (right - left)
    y = canvas.winfo_rooty() + top + 0.75 * (bottom - top)
    box = (int(x) - 10, int(y) - 10, int(x) + 10, int(y) + 10)
    values = np.asarray(ImageGrab.grab(box, xdisplay=os.environ.get("DISPLAY"))).astype(int)
    return float(np.mean(values.max(axis=2) - values.min(axis=2)))


def test_vividness_only_where_it_is_offered(plain: App, photo: Path, wait: Any) -> None:
    """With a model of one output the vividness slider cannot be moved, the others can."""
    plain.open(photo)
    wait(lambda: plain.state.can_colorize and not plain.state.busy)
    plain.run("colorize")
    wait(lambda: plain.state.can_save)
    sliders = plain.view.panel.sliders
    assert sliders["vividness"].scale.instate(["disabled"])
    assert sliders["strength"].scale.instate(["!disabled"])


def test_another_photograph_is_seen_whole(colorized: App, tmp_path: Path, wait: Any) -> None:
    """A photograph of the same size as the one before is not seen at the place where one looked there."""
    app, other = colorized, tmp_path / "other.png"
    with Image.open(tmp_path / "photo.png") as first:
        first.save(other)
    app.run("actual")
    app.view.viewer.zoom_by(4.0)
    app.open(other)
    wait(lambda: app.state.document is not None and app.state.document.name == "other.png")
    assert app.view.viewer.view.fitted


def test_adjusting_does_not_run_the_network(colorized: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slider acts on the color that is there; the network is not asked again."""
    asked: list[object] = []
    monkeypatch.setattr(colorized.worker, "colorize", asked.append)
    merger = colorized.mixer.merger(colorized.state)
    slide(colorized, "strength", "<Home>", 1)
    assert colorized.state.edit.adjustments.strength == 0
    assert colorized.mixer.merger(colorized.state) is not merger
    assert not asked


def test_a_stroke_is_chosen_recolored_moved_and_removed(colorized: App) -> None:
    """A stroke can be chosen, get another color, be moved and be removed, and all of it undone."""
    app = colorized
    app.stroke(((20.0, 20.0), (30.0, 20.0)))
    app.select(0)
    app.pick(None)
    assert app.state.edit.strokes[0].color is None
    app.move_stroke(0, 5, -3)
    assert app.state.edit.strokes[0].points == ((25.0, 17.0), (35.0, 17.0))
    press(app, "<Delete>")
    assert not app.state.edit.strokes
    for _ in range(3):
        press(app, "<Control-z>")
    assert app.state.edit.strokes[0].points == ((20.0, 20.0), (30.0, 20.0))
    assert app.state.edit.strokes[0].color is not None


def test_strokes_go_to_a_file_and_back(
    colorized: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strokes that were saved and opened again are the same."""
    app, path = colorized, tmp_path / "photo.png.tintype.json"
    monkeypatch.setattr(app.view.dialogs, "ask_save", lambda _folder, _name: path)
    monkeypatch.setattr(app.view.dialogs, "ask_strokes", lambda _folder: path)
    app.stroke(((20.0, 20.0), (30.0, 25.0)))
    strokes = app.state.edit.strokes
    app.run("save_strokes")
    app.run("reset")
    assert not app.state.edit.strokes
    app.run("open_strokes")
    assert app.state.edit.strokes == strokes
    path.write_text("{}")
    app.run("open_strokes")
    assert app.state.message.failed
    assert app.state.edit.strokes == strokes


def test_broken_photograph(app: App, tmp_path: Path, wait: Any) -> None:
    """A file that is no photograph is told in a sentence; the window goes on."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    app.open(broken)
    wait(lambda: app.state.message.failed)
    assert "broken.jpg" in app.state.message.text
    assert not app.state.busy
    app.sample()
    wait(lambda: app.state.document is not None and app.state.document.complete)


def test_a_folder_goes_on_after_a_broken_photograph(app: App, photo: Path, wait: Any) -> None:
    """Of a folder every photograph is tried; what failed says why, and the rest is there."""
    photo.with_name("broken.jpg").write_bytes(b"no picture")
    picture(2, 60).save(photo.with_name("another.png"))
    app.open_many([photo.parent])
    wait(lambda: bool(app.state.items) and not app.state.busy)
    statuses = {item.source.name: item.status for item in app.state.items}
    assert statuses == {"another.png": "done", "broken.jpg": "failed", "photo.png": "done"}
    assert photo.with_name("photo_color.png").exists()
    folder = app.view.folder
    reasons = [folder.table.item(row, "values")[1] for row in folder.table.get_children()]
    assert any(reason.startswith("cannot be read") for reason in reasons)
    assert folder.retry.instate(["!disabled"])
    folder.table.selection_set("1")
    wait(lambda: app.state.message.failed)
    assert "broken.jpg cannot be read" in app.state.message.text


def test_a_photograph_of_a_folder_is_opened_and_colorized(app: App, photo: Path, wait: Any) -> None:
    """A double click on a row opens its photograph, Enter then colorizes it; the list can be put away."""
    app.open_many([photo.parent])
    wait(lambda: bool(app.state.items) and not app.state.busy)
    folder = app.view.folder
    x, y, *_ = map(int, folder.table.bbox("0"))
    for kind in ("ButtonPress", "ButtonRelease") * 2:
        folder.table.event_generate(f"<{kind}-1>", x=x + 60, y=y + 20)
    wait(lambda: app.state.can_colorize and not app.state.busy)
    assert app.root.focus_lastfor() is app.view.viewer
    press(app, "<Return>")
    wait(lambda: app.state.can_save)
    folder.hide.invoke()
    app.root.update()
    assert not folder.winfo_ismapped()
    assert photo.with_name("photo_color.png").exists()


def test_cancel_in_the_middle(colorized: App, tmp_path: Path, wait: Any) -> None:
    """Saving that is cancelled leaves no file and no trace; the result can be saved after all."""
    app, large = colorized, tmp_path / "large.png"
    picture(3, 3000).save(large, compress_level=1)
    app.open(large)
    wait(lambda: app.state.document is not None and app.state.document.complete and not app.state.busy)
    app.run("colorize")
    wait(lambda: app.state.can_save)
    target = tmp_path / "out" / "large_color.png"
    target.parent.mkdir()
    app.worker.save(target, app.state.edit)
    wait(lambda: app.state.task is not None and app.state.task.kind == "save")
    press(app, "<Escape>")
    wait(lambda: not app.state.busy)
    assert not app.state.message.failed
    assert not list(target.parent.iterdir())
    assert app.state.can_save


def test_the_original_is_never_written_over(
    colorized: App, photo: Path, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving under the photograph's own name is refused, and the photograph stays as it was."""
    before = photo.read_bytes()
    monkeypatch.setattr(colorized.view.dialogs, "ask_save", lambda _folder, _name: photo)
    colorized.run("save")
    wait(lambda: colorized.state.message.failed)
    assert "original" in colorized.state.message.text
    assert photo.read_bytes() == before


def test_unsaved_strokes_are_not_lost(
    colorized: App, photo: Path, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opens another photograph with unsaved changes is asked, and may stay."""
    answers = [False, True]
    monkeypatch.setattr(colorized.view.dialogs, "confirm_leave", lambda: answers.pop(0))
    colorized.stroke(((20.0, 20.0),))
    document = colorized.state.document
    colorized.open(photo)
    colorized.root.update()
    assert colorized.state.document is document
    colorized.open(photo)
    wait(lambda: colorized.state.document is not document)
    assert not answers


def test_variants_are_offered_and_taken(colorized: App, wait: Any) -> None:
    """Variants appear as small pictures; a click makes one the result."""
    from tkinter import ttk

    app = colorized
    app.run("variants")
    wait(lambda: len(app.state.variants) > 1 and not app.state.busy)
    buttons = [b for b in app.view.panel.grid_of_variants.winfo_children() if isinstance(b, ttk.Button)]
    assert len(buttons) == len(app.state.variants)
    buttons[-1].invoke()
    assert app.state.result is app.state.variants[-1].result
    assert [button.instate(["selected"]) for button in buttons] == [False] * (len(buttons) - 1) + [True]


def test_ratings_are_kept(colorized: App) -> None:
    """A result that was rated is counted for its model."""
    from tintype.gui import ratings

    press(colorized, "<Alt-Key-1>")
    assert colorized.state.rating == "good"
    assert [row["good"] for row in ratings.summary().values()] == [1]


@pytest.mark.parametrize("name", ["shortcuts", "about", "ratings", "models", "preferences"])
def test_small_windows_open_and_close(app: App, name: str, wait: Any) -> None:
    """Every small window opens over the main one, fits into the smallest one, and is closed by Esc."""
    import tkinter as tk

    wait(lambda: app.state.model is not None)
    app.run(name)
    app.root.update()
    windows = [child for child in app.root.winfo_children() if isinstance(child, tk.Toplevel)]
    window = next(child for child in windows if child.winfo_viewable())
    assert window.winfo_width() <= 900
    assert window.winfo_height() <= 600
    window.focus_force()
    window.event_generate("<Escape>")
    app.root.update()
    assert not window.winfo_exists()


def test_another_model_is_remembered_and_a_wrong_one_refused(
    plain: App, photo: Path, stub: Path, stub_mean: Path, wait: Any
) -> None:
    """A model chosen colorizes again and is remembered; what is none is refused, the one before stays."""
    app = plain
    app.open(photo)
    wait(lambda: app.state.can_colorize and not app.state.busy)
    app.run("colorize")
    wait(lambda: app.state.can_save)
    app.use_model(str(stub_mean))
    wait(lambda: app.state.result is not None and app.state.result.model.name == "stub_mean")
    assert app.settings.model == str(stub_mean)
    wrong = photo.with_name("wrong.onnx")
    wrong.write_bytes(b"no model")
    app.use_model(str(wrong))
    wait(lambda: app.state.message.failed or not app.state.busy)
    wait(lambda: not app.state.busy)
    assert app.settings.model == str(stub_mean)
    assert app.state.result is not None
    assert app.state.result.model.name == "stub_mean"


def test_settings_act_at_once_and_are_remembered(colorized: App) -> None:
    """Another theme and size are shown at once, keep the photograph, and are there at the next start."""
    from dataclasses import replace

    from tintype.gui import theme
    from tintype.gui.settings import Settings

    colorized.use_settings(replace(colorized.settings, theme="light", scale=1.25))
    colorized.root.update()
    assert theme.current(colorized.root).theme is theme.LIGHT
    assert colorized.view.viewer.scene.picture is not None
    assert Settings.load().scale == 1.25


def test_every_control_can_be_reached_by_tab(colorized: App) -> None:
    """Tab goes from control to control through the whole window and comes back to where it began."""
    root = colorized.root
    colorized.view.viewer.focus_force()
    root.update()
    reached = []
    for _ in range(200):
        root.event_generate("<Tab>")
        root.update()
        focus = root.focus_get()
        if focus in reached:
            break
        reached.append(focus)
    assert colorized.view.viewer in reached
    assert colorized.view.buttons["open"] in reached
    for slider in colorized.view.panel.sliders.values():
        assert slider.scale in reached


@pytest.mark.parametrize("size", [(900, 600), (1240, 800)])
def test_nothing_is_cut_off(colorized: App, size: tuple[int, int]) -> None:
    """At the smallest size and the usual one, bars fit into the window and the photograph has room."""
    root, view = colorized.root, colorized.view
    root.geometry(f"{size[0]}x{size[1]}")
    root.update()
    for button in (*view.buttons.values(), *view.modes.buttons.values()):
        right = button.winfo_rootx() + button.winfo_width() - root.winfo_rootx()
        assert right <= root.winfo_width()
        assert button.winfo_width() >= button.winfo_reqwidth()
    assert view.viewer.winfo_width() >= 400
    assert view.viewer.winfo_height() >= 300


def test_from_outside(photo: Path, stub: Path, tmp_path: Path, display: None) -> None:
    """Keys pressed by another program colorize and close the window, which exits with 0 and says nothing."""
    tool = shutil.which("xdotool")
    if tool is None:
        pytest.skip("no xdotool")
    command = [sys.executable, "-m", "tintype.gui.app", str(photo), "--model", str(stub)]
    window = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ)
    try:
        search = [tool, "search", "--sync", "--onlyvisible", "--name", "photo.png"]
        found = subprocess.check_output(search, timeout=120, text=True).split()[0]
        subprocess.run([tool, "windowfocus", "--sync", found], check=True, timeout=60)
        subprocess.run([tool, "key", "--clearmodifiers", "Return", "ctrl+q"], check=True, timeout=60)
        _, errors = window.communicate(timeout=120)
    finally:
        window.kill()
    assert window.returncode == 0, errors
    assert not errors


@pytest.mark.skipif(sys.platform == "win32", reason="a process on Windows gets no SIGINT alone")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(photo: Path, stub: Path, display: None, number: signal.Signals) -> None:
    """Ctrl-C in the terminal closes the window, remembers its settings and says nothing."""
    from tintype.gui import settings

    command = [sys.executable, "-m", "tintype.gui.app", str(photo), "--model", str(stub)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as window:
        deadline = time.monotonic() + 120
        while not tool_sees("photo.png"):
            assert window.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        window.send_signal(number)
        _, errors = window.communicate(timeout=120)
    assert (window.returncode, errors) == (130, b"")
    assert settings.Settings.load().recent == (photo,)


def tool_sees(name: str) -> bool:
    """Say whether there is a window whose name has this in it."""
    tool = shutil.which("xdotool")
    if tool is None:
        pytest.skip("no xdotool")
    command = [tool, "search", "--onlyvisible", "--name", name]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def test_an_error_of_the_window_is_told(colorized: App) -> None:
    """An error in a callback is a sentence with details to copy, and the window goes on."""
    try:
        1 // 0  # noqa: B018
    except ZeroDivisionError as error:
        colorized.failed(type(error), error, error.__traceback__)
    assert "ZeroDivisionError" in colorized.state.message.text
    assert "Traceback" in colorized.state.message.details
    colorized.view.status.copy.invoke()
    assert "test_window.py" in colorized.root.clipboard_get()


def test_a_long_message_is_not_cut_off(colorized: App, wait: Any) -> None:
    """What is said takes as many lines as it needs."""
    from tintype.gui import state as states

    message = colorized.view.status.message
    before = message.winfo_height()
    colorized.dispatch(states.Said("a photograph with a long name cannot be read. " * 6, failed=True))
    wait(lambda: message.winfo_height() >= 2 * before - 4)
    assert message.winfo_reqwidth() <= message.winfo_width()


def test_without_a_display() -> None:
    """Without a display the program says in one line what to do, with exit code 2."""
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    command = [sys.executable, "-m", "tintype.gui.app"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "tintype" in done.stderr


def test_result_of_a_plain_save(colorized: App, photo: Path, stub_mean: Path, wait: Any) -> None:
    """What is saved without changes equals what the Python interface gives."""
    target = photo.with_name("saved.png")
    colorized.worker.save(target, colorized.state.edit)
    wait(target.exists)
    wait(lambda: not colorized.state.busy)
    with Image.open(target) as saved:
        expected = Colorizer(stub_mean).colorize(photo, Adjustments())
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(expected))


def test_without_tk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without Tk the program names the package to install and ends with exit code 2."""
    from tintype.gui import app as module

    monkeypatch.setitem(sys.modules, "tkinter", None)
    assert module.main([]) == 2
    assert "python3-tk" in capsys.readouterr().err
