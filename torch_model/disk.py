"""Files that training and measuring leave: whole on disk or not there at all, and errors that name them."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from tintype import output
from tintype.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Raise OutputError with the name of what is written for whatever the system refuses meanwhile."""
    try:
        yield
    except OSError as error:
        raise OutputError(path, error.strerror or error) from error


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name at the end, or vanishes on any error; make the folders above it.

    Raises OutputError where the system refuses: no permission, no space.
    """
    output.make_folder(path.parent)
    with output.replacing(path) as file:
        yield file


def write(path: Path, data: bytes) -> None:
    """Write bytes. Raises OutputError."""
    with writing(path) as file:
        file.write(data)


def write_json(path: Path, values: object) -> None:
    """Write plain types, a line each. Raises OutputError."""
    write(path, (json.dumps(values, indent=1) + "\n").encode())


def draw(picture: Image.Image, path: Path) -> None:
    """Write a picture in the format that its name ends in, JPEG at a quality of 90.

    Raises OutputError, and UsageError for an ending that stands for no format.
    """
    name = output.format_of(path)
    with writing(path) as file:
        picture.save(file, name, quality=90)


def need(folder: Path, size: int, what: str, advice: str) -> None:
    """Raise UsageError, with advice, where a folder's disk has less room than `size` bytes for something."""
    free = shutil.disk_usage(folder).free
    if free < size:
        wanted, left = (f"{count / 1e6:,.0f} MB" for count in (size, free))
        raise UsageError(f"{what} take up to {wanted}, and {left} are free for {folder}: {advice}")
