"""How results were judged, Good, Fair or Bad: one CSV file, a line for each photograph, model and size."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from dataclasses import asdict, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from tintype import __version__
from tintype.adjustments import Adjustments
from tintype.gui import settings

if TYPE_CHECKING:
    from pathlib import Path

RATINGS: Final = ("good", "fair", "bad")
_LOST: Final = "\ufffd"
_KEY: Final = ("photo", "sha256", "model", "working_size")
COLUMNS: Final = (
    "time",
    *_KEY,
    "version",
    *(field.name for field in fields(Adjustments)),
    "rating",
)


def path() -> Path:
    """Return where ratings are kept."""
    return settings.place("data") / "ratings.csv"


def add(
    photo: str,
    model: str,
    working_size: int,
    adjustments: Adjustments,
    rating: str,
    *,
    source: Path | None = None,
) -> None:
    """Keep a rating, in place of the one of the same photograph, model and working size.

    A photograph is known by its name and, if there is a file, by the SHA-256 of its bytes. A file of ratings
    in which something cannot be read is kept aside as ratings.csv.bad. Raises OSError and ValueError.
    """
    if rating not in RATINGS:
        raise ValueError(f"{rating} is none of {', '.join(RATINGS)}")
    row = {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "photo": photo,
        "sha256": _digest(source) if source is not None else "",
        "model": model,
        "version": __version__,
        "working_size": str(working_size),
        **{name: f"{value:g}" for name, value in asdict(adjustments).items()},
        "rating": rating,
    }
    rows, whole = _read()
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not whole:
        target.replace(target.with_name(f"{target.name}.bad"))
    kept = [each for each in rows if any(each[name] != row[name] for name in _KEY)]
    settings.write(target, _encoded([*kept, row]))


def summary() -> dict[str, dict[str, int]]:
    """Return how often each model was rated good, fair and bad; models by name."""
    counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(RATINGS, 0))
    for row in _read()[0]:
        counts[row["model"]][row["rating"]] += 1
    return dict(sorted(counts.items()))


def _read() -> tuple[list[dict[str, str]], bool]:
    """Return the rows that can be read, and whether these are all."""
    try:
        text = path().read_bytes().decode("utf-8", "replace").replace("\0", _LOST)
    except OSError:
        return [], True
    rows: list[dict[str, str]] = []
    whole = _LOST not in text and text.startswith(",".join(COLUMNS) + "\n")
    try:
        for row in csv.DictReader(io.StringIO(text, newline="")):
            sound = set(row) == set(COLUMNS) and row["rating"] in RATINGS and None not in row.values()
            whole &= sound
            if sound:
                rows.append(row)
    except csv.Error:
        whole = False
    return rows, whole


def _encoded(rows: list[dict[str, str]]) -> bytes:
    stream = io.StringIO(newline="")
    table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return stream.getvalue().encode("utf-8", "replace")


def _digest(source: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex; "" if it is gone."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
