"""Ratings are kept, replaced, counted, and survive a damaged file."""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING

import pytest

from tintype.adjustments import Adjustments
from tintype.gui import ratings, settings

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = Adjustments()


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep ratings in a folder of the test's own."""
    monkeypatch.setenv(settings.VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data" / "ratings.csv"


def rows(file: Path) -> list[dict[str, str]]:
    """Return what any other program would read."""
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_nothing_yet() -> None:
    """Before anything was rated there is nothing to count."""
    assert ratings.summary() == {}


def test_kept_and_counted(file: Path, tmp_path: Path) -> None:
    """A rating holds what it was given for, of the photograph only name and digest; models are counted."""
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"bytes")
    ratings.add("a.jpg", "classic", 96, Adjustments(strength=1.2), "good", source=photo)
    ratings.add('odd,\n"name".jpg', "vivid", 128, DEFAULT, "bad")
    ratings.add("b.jpg", "vivid", 128, DEFAULT, "fair")
    assert ratings.summary() == {
        "classic": {"good": 1, "fair": 0, "bad": 0},
        "vivid": {"good": 0, "fair": 1, "bad": 1},
    }
    first, second, _third = rows(file)
    assert first["sha256"] == hashlib.sha256(b"bytes").hexdigest()
    assert (first["strength"], first["warmth"], first["working_size"]) == ("1.2", "0", "96")
    assert second["photo"] == 'odd,\n"name".jpg'


def test_rated_again(file: Path) -> None:
    """Another rating of the same photograph, model and size takes the place of the first; others stay."""
    for size, rating in ((96, "good"), (128, "fair"), (96, "bad")):
        ratings.add("a.jpg", "classic", size, DEFAULT, rating)
    assert [(row["working_size"], row["rating"]) for row in rows(file)] == [("128", "fair"), ("96", "bad")]


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\x00\x01\n", b"one,two\n", b"2024,a,b,c,1,1,1,1,1,great\n", b'"open']
)
def test_damaged(file: Path, damage: bytes) -> None:
    """Lines that cannot be read do not count; what can be read stays, and the old file is kept aside."""
    ratings.add("a.jpg", "classic", 96, DEFAULT, "good")
    content = file.read_bytes() + damage
    file.write_bytes(content)
    assert ratings.summary()["classic"]["good"] == 1
    ratings.add("b.jpg", "classic", 96, DEFAULT, "good")
    assert ratings.summary() == {"classic": {"good": 2, "fair": 0, "bad": 0}}
    assert file.with_name("ratings.csv.bad").read_bytes() == content


def test_sound_files_are_not_kept_aside(file: Path) -> None:
    """Where nothing is damaged nothing is put aside."""
    for name in ("a.jpg", "b.jpg"):
        ratings.add(name, "classic", 96, DEFAULT, "good")
    assert [path.name for path in file.parent.iterdir()] == ["ratings.csv"]


def test_unknown_rating() -> None:
    """What is none of the three is refused, and nothing is written."""
    with pytest.raises(ValueError, match="great is none of good, fair, bad"):
        ratings.add("a.jpg", "classic", 96, DEFAULT, "great")
    assert ratings.summary() == {}
