"""Places elsewhere as paths."""

from __future__ import annotations

import pickle
from pathlib import Path

from tintype.url import Url, as_path, is_url


def test_as_paths_are() -> None:
    """A URL has name, suffix and folders as paths have, and stays one in writing and when it travels."""
    place = as_path("s3://archive/scans/1960/a.b.tif")
    assert isinstance(place, Url)
    assert (place.stem, place.suffix, str(place.parent)) == ("a.b", ".tif", "s3://archive/scans/1960")
    assert str(place.parent / "more" / place.with_name("c.png").name) == "s3://archive/scans/1960/more/c.png"
    assert str(place.relative_to(as_path("s3://archive"))) == "scans/1960/a.b.tif"
    assert str(pickle.loads(pickle.dumps(place))) == str(place)  # noqa: S301 - our own


def test_this_machine() -> None:
    """A path without a protocol is one of this machine, whatever else is in it."""
    assert type(as_path("a:b/c")) is type(Path("x"))
    assert not is_url("a:/b")
