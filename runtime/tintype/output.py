"""Write results: whole or not at all, never over a photograph."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from tintype import formats, leftovers
from tintype.encoding import encode
from tintype.errors import OutputError, PhotoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from PIL import Image

    from tintype.photo import Photo
    from tintype.watch import Watch

    Seal: TypeAlias = Callable[[os.stat_result], None]

FORMATS: Final = formats.SUFFIXES
FALLBACK: Final = ".png"  # for what comes in a format that cannot be written in color
_SAME: Final = {"MPO": "JPEG"}  # a camera's JPEG with a second picture in it


def suffix_for(name: str) -> str:
    """Return the suffix of a photograph's result: its own where color can be written so, else .png."""
    suffix = Path(name).suffix
    known = FORMATS.get(suffix.lower())
    return suffix if known is not None and formats.ready(known) else FALLBACK


def format_of(path: Path) -> str:
    """Return the format that a suffix stands for; raises UsageError."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{path}: end the name of a photograph with one of {', '.join(FORMATS)}, that of a folder with /"
        ) from None


def keep_original(source: Path | BinaryIO | None, *places: Path | BinaryIO | None) -> None:
    """Raise OutputError where something would be written over the photograph."""
    if isinstance(source, Path) and source.exists():
        for place in places:
            if isinstance(place, Path) and place.exists() and place.samefile(source):
                raise OutputError(place, "it is the original; choose another name")


def named(photo: Photo, format_name: str | None = None) -> str:
    """Return the format of a photograph's result in a stream: `format_name`, the input's, or PNG."""
    known = _SAME.get(photo.format, photo.format)
    return format_name or (known if known in formats.FORMATS and formats.ready(known) else FORMATS[FALLBACK])


def write(
    image: Image.Image,
    photo: Photo,
    target: Path,
    format_name: str | None = None,
    watch: Watch | None = None,
    *,
    seal: Seal | None = None,
) -> None:
    """Write a colorized image, whole or not at all, in `format_name` or as the suffix says.

    Raises OutputError, UsageError, CancelledError, and what `seal` raises.
    """
    name = format_name or format_of(target)
    with replacing(target, watch, seal) as file:
        encode(image, photo, file, name, watch=watch)


def encoded(image: Image.Image, photo: Photo, format_name: str | None = None) -> bytes:
    """Return a colorized image as a file's bytes: in `format_name`, the input's format, or PNG.

    Raises OutputError.
    """
    stream = io.BytesIO()
    try:
        encode(image, photo, stream, named(photo, format_name))
    except OSError as error:
        raise OutputError("the result", error.strerror or error) from error
    return stream.getvalue()


@contextmanager
def replacing(path: Path, watch: Watch | None = None, seal: Seal | None = None) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its name at the end, or vanishes on any error.

    It vanishes also if `watch` was cancelled. `seal` is called with the state of the file when it is whole on
    disk and has not taken its name yet: what it raises keeps it from that.
    Raises OutputError where the system refuses: no such folder, no permission, no space; CancelledError.
    """
    partial = leftovers.name(path)  # known before there is a file: Ctrl-C may come at any moment
    try:
        with leftovers.begin(partial) as file:
            yield cast("BinaryIO", _Sink(file))
            if watch is not None:
                watch.check()
            file.flush()
            os.fsync(file.fileno())
            if seal is not None:
                seal(os.fstat(file.fileno()))
            if not leftovers.WINDOWS:  # while it is locked
                partial.replace(path)
        if leftovers.WINDOWS:  # when it is closed
            partial.replace(path)
    except PhotoError:
        raise
    except OSError as error:
        raise OutputError(path, error.strerror or error) from error
    finally:
        with suppress(OSError):
            partial.unlink()


class _Sink:
    """A file without a descriptor: Pillow then writes through Python, whose errors say what happened."""

    def __init__(self, file: BinaryIO) -> None:
        self.write, self.read, self.flush = file.write, file.read, file.flush
        self.seek, self.tell = file.seek, file.tell


def make_folder(folder: Path) -> None:
    """Make a folder for results; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error


def check_folder(folder: Path) -> None:
    """Make a folder for results and see that it can be written to; raises OutputError."""
    make_folder(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error
