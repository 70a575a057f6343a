"""What the desktop tells and does, with programs of our own in its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from pictures import picture
from tintype.gui import clipboard, desktop, drop, scheme

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable
    from pathlib import Path

linux = pytest.mark.skipif(sys.platform != "linux", reason="programs and settings of Linux desktops")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that puts a shell script in the place of a program; there are no others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shell = shutil.which("sh")
    for name in ("sleep", "cat"):
        (folder / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(folder))

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!{shell}\n{script}\n")
        (folder / name).chmod(0o755)

    return put


def freedesktop(tmp_path: Path, **environment: str) -> bool | None:
    """Ask with nothing but the environment given."""
    return scheme.freedesktop({"XDG_CONFIG_HOME": str(tmp_path), **environment}, time.monotonic() + 5)


@linux
@pytest.mark.parametrize(
    ("name", "dark"), [("Adwaita:dark", True), ("Yaru-dark", True), ("Adwaita", False), ("Darkroom", False)]
)
def test_gtk_theme(tmp_path: Path, programs: Any, name: str, dark: bool) -> None:  # noqa: FBT001
    """GTK_THEME tells by its name."""
    assert freedesktop(tmp_path, GTK_THEME=name) is dark


@linux
@pytest.mark.parametrize(("said", "dark"), [("1", True), ("2", False), ("0", None)])
def test_portal(tmp_path: Path, programs: Any, said: str, dark: bool | None) -> None:  # noqa: FBT001
    """The portal's 1 is dark, 2 light and 0 no answer."""
    programs("gdbus", f'echo "(<<uint32 {said}>>,)"')
    assert freedesktop(tmp_path, DBUS_SESSION_BUS_ADDRESS="unix:path=/none") is dark
    assert freedesktop(tmp_path) is None  # without a bus the portal is not asked


@linux
@pytest.mark.parametrize(
    ("answer", "dark"),
    [("'prefer-dark'", True), ("'prefer-light'", False), ("'Mint-Y-Dark'", True), ("'Adwaita'", False)],
)
def test_gnome(tmp_path: Path, programs: Any, answer: str, dark: bool) -> None:  # noqa: FBT001
    """GNOME's preference tells, and where there is none the name of its theme."""
    programs("gsettings", f'echo "{answer}"')
    assert freedesktop(tmp_path) is dark


@linux
@pytest.mark.parametrize(("color", "dark"), [("42,46,50", True), ("239,240,241", False)])
def test_kde(tmp_path: Path, programs: Any, color: str, dark: bool) -> None:  # noqa: FBT001
    """KDE's windows tell by how light they are."""
    text = (
        f"[Colors:View]\nBackgroundNormal=9,9,9\n\n[Colors:Window]\nAlternate=1\nBackgroundNormal={color}\n"
    )
    (tmp_path / "kdeglobals").write_text(text)
    assert freedesktop(tmp_path, XDG_CURRENT_DESKTOP="KDE") is dark
    assert freedesktop(tmp_path) is None


@linux
def test_gtk_file(tmp_path: Path, programs: Any) -> None:
    """GTK's own file tells last."""
    (tmp_path / "gtk-3.0").mkdir()
    path = tmp_path / "gtk-3.0" / "settings.ini"
    path.write_text("[Settings]\ngtk-application-prefer-dark-theme=1\n")
    assert freedesktop(tmp_path) is True
    path.write_text("[Settings]\ngtk-theme-name=Arc\n")
    assert freedesktop(tmp_path) is False


@linux
def test_asking_takes_no_longer_than_it_may(
    tmp_path: Path, programs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desktop that does not answer is not waited for beyond 0.3 seconds, counted from the beginning."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "GTK_THEME", "XDG_CURRENT_DESKTOP"):
        monkeypatch.delenv(name, raising=False)
    programs("gsettings", "exec sleep 60")
    took = []
    for _ in range(3):  # the machine may be busy with other things
        started = time.monotonic()
        desktop.before_tk()
        begun = time.monotonic()
        assert desktop.dark() is None
        took.append((begun - started, time.monotonic() - started))
    assert min(begun for begun, _ in took) < 0.1
    assert min(whole for _, whole in took) < 0.6
    programs("gsettings", "echo \"'prefer-dark'\"")
    assert desktop.dark() is True  # asked anew


@linux
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"GDK_SCALE": "2"}, 2.0),
        ({"GDK_SCALE": "2", "GDK_DPI_SCALE": "0.75"}, 1.5),
        ({"GDK_SCALE": "9"}, 3.0),
    ],
)
@pytest.mark.gui
def test_scale_from_the_environment(
    root: tk.Tk, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: float
) -> None:
    """What GTK is told holds here too, within bounds."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert desktop.scale(root) == expected


@linux
@pytest.mark.gui
def test_scale_from_x_resources(root: tk.Tk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a word of GTK's the X resource Xft.dpi tells; what makes no sense is 1."""
    monkeypatch.delenv("GDK_SCALE", raising=False)
    monkeypatch.setattr(desktop, "_xft_dpi", lambda: 144.0)
    assert desktop.scale(root) == 1.5
    monkeypatch.undo()
    monkeypatch.setenv("GDK_SCALE", "large")
    monkeypatch.setattr(desktop, "_xft_dpi", lambda: 96.0)
    assert desktop.scale(root) == 1.0


@linux
@pytest.mark.gui
def test_xft_dpi_of_a_display(display: None, tmp_path: Path) -> None:
    """The number is read from X itself."""
    (tmp_path / ".Xdefaults").write_text("Xft.dpi: 192\n")
    code = "from tintype.gui import desktop; print(desktop._xft_dpi())"
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == 192.0


@pytest.mark.gui
@pytest.mark.parametrize(
    ("geometry", "kept"),
    [
        ("400x300+10+20", True),
        ("400x300+-200+20", True),
        ("400x300+9000+20", False),
        ("400x300+10+-50", False),
        ("99999x300+0+0", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_visible(root: tk.Tk, geometry: str, kept: bool) -> None:  # noqa: FBT001
    """A window is put back where it was only if it can be reached there."""
    assert desktop.visible(root, geometry) == (geometry if kept else "")


@linux
def test_open_folder(tmp_path: Path, programs: Any, wait_for: Any) -> None:
    """The file manager gets the folder and is not waited for; where there is none a sentence says so."""
    assert "file manager" in desktop.open_folder(tmp_path)
    opened = f'until [ -e "{tmp_path}/go" ]; do sleep 0.02; done; echo "$1" > "{tmp_path}/opened"'
    programs("xdg-open", opened)
    assert desktop.open_folder(tmp_path) == ""
    (tmp_path / "go").touch()
    wait_for((tmp_path / "opened").exists)
    assert str(tmp_path / "gone") in desktop.open_folder(tmp_path / "gone")


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Return a function that waits for a condition, without a window."""

    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.01)

    return until


@linux
def test_nice() -> None:
    """Only the thread that asks for it steps back."""
    found: list[int] = []

    def work() -> None:
        desktop.nice()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, 0)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [min(19, before + 5)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_paths_in_texts(tmp_path: Path) -> None:
    """Texts name files by URIs or absolute paths; what does not exist is no file."""
    odd = tmp_path / "a b%20ü.jpg"
    odd.touch()
    text = f"copy\n{odd.as_uri()}\r\n{tmp_path}\n'{odd}'\nrelative.jpg\nfile:///none\nhttps://a/b.jpg\n\0\n"
    assert clipboard.paths_in(text) == [odd, tmp_path, odd]


@linux
@pytest.mark.gui
@pytest.mark.skipif(shutil.which("xclip") is None, reason="no xclip")
def test_image_there_and_back(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied is what is pasted, pixel by pixel, and large ones too."""
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    image = picture(3, 700)
    assert clipboard.copy(image) == ""
    patience = time.monotonic() + 10
    pasted = clipboard.paste(root)
    while not isinstance(pasted, Image.Image) and time.monotonic() < patience:
        pasted = clipboard.paste(root)  # xclip takes the clipboard when it gets to it
    assert isinstance(pasted, Image.Image)
    np.testing.assert_array_equal(np.asarray(pasted), np.asarray(image))


@linux
@pytest.mark.gui
def test_paste_files(root: tk.Tk, tmp_path: Path) -> None:
    """Names of files can be pasted, and anything else is told in a sentence."""
    root.clipboard_clear()
    root.clipboard_append(f"{tmp_path}\n")
    assert clipboard.paste(root) == [tmp_path]
    root.clipboard_clear()
    root.clipboard_append("a poem")
    assert "neither a picture" in str(clipboard.paste(root))


@linux
@pytest.mark.gui
def test_without_programs(root: tk.Tk, programs: Any) -> None:
    """Without a program for the clipboard a sentence names the ones that would do."""
    assert "xclip" in clipboard.copy(picture(3, 8))
    programs("xclip", "exit 1")
    assert "not copied" in clipboard.copy(picture(3, 8))


@pytest.mark.gui
def test_drop(root: tk.Tk, tmp_path: Path, wait: Any) -> None:
    """What is dropped arrives as paths, also those with spaces and braces; what is no file does not."""
    pytest.importorskip("tkinterdnd2")
    assert drop.can_drop()
    paths = [tmp_path / "a b.jpg", tmp_path / "{c}.jpg"]
    for path in paths:
        path.touch()
    arrived: list[Any] = []
    assert drop.enable_drop(root, arrived.append)
    script = str(root.tk.call("bind", ".", "<<Drop:DND_Files>>")).removesuffix("%D")
    data = root.tk.call("list", *map(str, paths))
    assert root.tk.call(*root.tk.splitlist(script), data) == "copy"
    assert arrived == []
    wait(lambda: bool(arrived))
    assert arrived == [paths]
    assert root.tk.call(*root.tk.splitlist(script), "nowhere.jpg") == "copy"
    root.update()
    assert len(arrived) == 1


@pytest.mark.gui
def test_without_tkinterdnd2(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tkinterdnd2 nothing can be dropped, and nothing fails."""
    monkeypatch.setitem(sys.modules, "tkinterdnd2", None)
    assert not drop.enable_drop(root, print)
    monkeypatch.setattr(drop, "find_spec", lambda _name: None)
    assert not drop.can_drop()
