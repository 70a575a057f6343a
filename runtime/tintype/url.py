"""Places that are not files of this machine, `s3://bucket/scans/photo.tif`, as paths."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final, cast

_MARK: Final = "://"


class Url(PurePosixPath):
    """A path with a protocol before it: what names need of a path, and nothing that looks at files."""

    def __str__(self) -> str:
        return super().__str__().replace(":/", _MARK, 1)


def is_url(place: str) -> bool:
    """Say whether a place is given as a URL."""
    return _MARK in place


def as_path(place: str) -> Path:
    """Return a place as a path: a Url, or a file of this machine, which the type stands for."""
    return cast("Path", Url(place)) if is_url(place) else Path(place)
