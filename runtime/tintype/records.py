"""What became of each photograph: records for --json and --report, and the counts of the summary."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from tintype import output
from tintype.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import IO

REPORT_VERSION: Final = 1


@dataclass(frozen=True)
class Record:
    """What --json and --report say of one photograph."""

    input: str
    output: str | None
    status: str
    """done, skipped or failed"""
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    model: str | None = None
    model_sha256: str | None = None
    working_size: int | None = None
    provider: str | None = None
    psnr: float | None = None
    """dB against the photograph's own colors; null for a grey one"""


def to_json(record: Record) -> str:
    """Return a record as one line of ASCII, which any locale prints and any name fits into."""
    return json.dumps(asdict(record))


class Tally:
    """Counts records as they come, and keeps them on disk where a report is wanted: memory stays as it is."""

    def __init__(self, *, keep: bool = False) -> None:
        """`keep`: for `report`."""
        self.started = time.time()
        self.counts: Counter[str] = Counter()
        self._keep, self._kept = keep, contextlib.ExitStack()
        self._file: IO[bytes] | None = None
        self._lost: OSError | None = None

    def add(self, record: Record) -> None:
        """Count a record."""
        self.counts[record.status] += 1
        if not self._keep or self._lost is not None:
            return
        try:
            if self._file is None:
                self._file = self._kept.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `report` closes it
            self._file.write(to_json(record).encode() + b"\n")
        except OSError as error:  # results count more: what is wrong is told with the report
            self._lost = error

    @property
    def seconds(self) -> float:
        """How long it takes already."""
        return time.time() - self.started

    def summary(self) -> str:
        """Return one line about the whole run."""
        counts = [f"{self.counts[status]} {status}" for status in ("done", "skipped", "failed")]
        return ", ".join([*counts, f"{self.seconds:.1f} s"])

    def report(self, path: Path) -> None:
        """Write the report, whole or not at all, and forget the records; raises OutputError."""
        try:
            with self._kept:
                if self._lost is not None:
                    raise self._lost
                lines: Iterable[bytes] = () if self._file is None else self._file
                if self._file is not None:
                    self._file.seek(0)
                write_report(path, (line.rstrip(b"\n") for line in lines), self.started)
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(path, error.strerror or error) from error


def write_report(path: Path, photos: Iterable[bytes], started: float) -> None:
    """Write records, each a JSON object, as the report of a run, whole or not at all; raises OutputError."""
    when = datetime.fromtimestamp(started, timezone.utc).isoformat(timespec="seconds")
    head = {"version": REPORT_VERSION, "started": when, "seconds": round(time.time() - started, 3)}
    with output.replacing(path) as file:
        file.write(json.dumps(head)[:-1].encode() + b', "photos": [')
        for number, line in enumerate(photos):
            file.write((b",\n" if number else b"\n") + line)
        file.write(b"\n]}\n")
