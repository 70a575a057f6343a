"""Images to and from the clipboard, through Tk, Pillow, or the platform's own programs."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tintype.gui.texts import t

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Mapping, Sequence

    from PIL import Image

_PATIENCE: Final = 5  # seconds for a program
_IMAGES: Final = ("image/png", "image/tiff", "image/jpeg", "image/webp", "image/bmp")
_FILES: Final = ("text/uri-list", "UTF8_STRING", "STRING")
_MAC: Final = (
    "osascript",
    *("-e", "on run arguments"),
    *("-e", "set the clipboard to (read (POSIX file (item 1 of arguments)) as «class PNGf»)"),
    *("-e", "end run"),
)
_WINDOWS: Final = (
    *("powershell", "-NoProfile", "-STA", "-Command"),
    (
        "Add-Type -AssemblyName System.Windows.Forms, System.Drawing; "
        "[Windows.Forms.Clipboard]::SetImage([Drawing.Image]::FromFile($env:TINTYPE_COPY))"
    ),
)


def copy(image: Image.Image) -> str:
    """Put an image into the clipboard; return a sentence where that cannot be done, else "".

    It takes a second for a large one; Tk is not used, so any thread may do it.
    """
    try:
        if sys.platform in {"win32", "darwin"}:
            return _copy_file(image)
        tool = _tool("wl-copy", ("--type", "image/png"), ("-in", "-target", "image/png"))
        if tool is None:
            return t("clipboard.no_copy")
        _run(tool, _png(image))
    except OSError as error:
        return t("clipboard.failed", reason=error)
    return ""


def paste(widget: tk.Misc) -> Image.Image | list[Path] | str:
    """Return what the clipboard holds: an image, paths of files, or a sentence if it is neither."""
    if sys.platform in {"win32", "darwin"}:
        return _grab() or _text(widget, ("STRING",)) or t("clipboard.nothing")
    targets = _get(widget, "TARGETS").split()
    kind = next((kind for kind in _IMAGES if kind in targets), None)
    if kind is not None:
        return _decoded(_bytes(widget, kind)) or t("clipboard.no_paste")
    return _text(widget, [kind for kind in _FILES if kind in targets]) or t("clipboard.nothing")


def paths_in(text: str) -> list[Path]:
    """Return what a text names, one a line: absolute paths or file: URIs, of what exists."""
    found = (_path(line.strip().strip("\"'")) for line in text.splitlines())
    return [path for path in found if path is not None and path.is_absolute() and path.exists()]


def _path(line: str) -> Path | None:
    if not line or "\0" in line:
        return None
    if line.startswith("file:"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        return Path(url2pathname(urlsplit(line).path))
    return Path(line)


def _text(widget: tk.Misc, kinds: Sequence[str]) -> list[Path]:
    return next((paths for kind in kinds if (paths := paths_in(_get(widget, kind)))), [])


def _get(widget: tk.Misc, kind: str) -> str:
    from tkinter import TclError

    try:
        return str(
            widget.tk.call("selection", "get", "-displayof", ".", "-selection", "CLIPBOARD", "-type", kind)
        )
    except TclError:
        return ""


def _bytes(widget: tk.Misc, kind: str) -> bytes:
    """Return what the clipboard holds as bytes.

    Tk gives them as numbers, and only if there are few: programs that do better come first. They may be
    waited for, because what Tk itself offers is text, and never comes here.
    """
    tool = _tool("wl-paste", ("--no-newline", "--type", kind), ("-out", "-target", kind))
    if tool is not None:
        try:
            return _run(tool)
        except OSError:
            return b""
    try:
        return bytes(int(number, 16) for number in _get(widget, kind).split())
    except ValueError:
        return b""


def _tool(wayland: str, wayland_options: tuple[str, ...], x11_options: tuple[str, ...]) -> list[str] | None:
    """Return the command of the program that serves this desktop's clipboard; None if there is none."""
    import shutil

    if os.environ.get("WAYLAND_DISPLAY") and (found := shutil.which(wayland)):
        return [found, *wayland_options]
    if found := shutil.which("xclip"):
        return [found, "-selection", "clipboard", *x11_options]
    return None


def _run(
    command: list[str], data: bytes | None = None, environment: Mapping[str, str] | None = None
) -> bytes:
    """Run a program, with something to read or not, and return what it says; raises OSError if it fails."""
    import subprocess

    # What is given an image stays behind to serve it: its output must go nowhere, or it would be waited for.
    output = subprocess.PIPE if data is None else subprocess.DEVNULL
    try:
        done = subprocess.run(  # noqa: S603 - the commands are those of this module
            command,
            input=data,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=_PATIENCE,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise OSError(str(error)) from error
    return done.stdout or b""


def _decoded(data: bytes) -> Image.Image | None:
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return image


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _copy_file(image: Image.Image) -> str:
    """Hand the image over in a file: that is what macOS and Windows can be told in one command."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tintype-") as folder:
        path = Path(folder) / "copy.png"
        path.write_bytes(_png(image))
        command = [*_MAC, str(path)] if sys.platform == "darwin" else [*_WINDOWS]
        environment = os.environ | {"TINTYPE_COPY": str(path)}
        _run(command, environment=environment)
    return ""


def _grab() -> Image.Image | list[Path] | None:
    from PIL import Image, ImageGrab

    try:
        found = ImageGrab.grabclipboard()
    except (OSError, NotImplementedError, ValueError):
        return None
    return found if found is None or isinstance(found, Image.Image) else [Path(name) for name in found]
