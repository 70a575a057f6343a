"""Tell what becomes of each photograph of a run, and of all: lines, JSON, a report and an exit code."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from tintype import interrupts
from tintype.errors import PhotoError
from tintype.progress import duration, say
from tintype.records import Tally, to_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from tintype.progress import Pace
    from tintype.records import Record

_SOON: Final = 3.0  # s; less than that is not said to be left


class Teller:
    """Tells one run."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Take `json` and `report` of the options."""
        self._json: bool = options.json
        self._report: Path | None = options.report
        self._tally = Tally(keep=self._report is not None)

    def tell(self, records: Iterator[Record], pace: Pace | None = None, *, many: bool) -> int:
        """Say what becomes of each photograph, and of all; return the exit code."""
        try:
            with closing(records):  # type: ignore[type-var]
                for record in records:
                    self._tally.add(record)
                    if self._json:
                        print(to_json(record), flush=True)
                    say(_count(pace, record) + describe(record))
                    interrupts.check()
        finally:  # what was done is told even if the rest cannot be
            if many:
                say(self._tally.summary())
            reported = self._report is None or self._write_report(self._report)
        return int(not reported or self._tally.counts["failed"] > 0)

    def _write_report(self, path: Path) -> bool:
        try:
            self._tally.report(path)
        except PhotoError as error:
            say(f"tintype: {error}")
            return False
        return True


def describe(record: Record) -> str:
    """Return one line about one photograph."""
    if record.status == "failed":
        return f"failed: {record.reason}"
    if record.status == "skipped":
        return f"skipped {record.input}: {record.reason}"
    note = f" ({record.reason})" if record.reason else ""
    if record.width is None or record.seconds is None:  # who made it could not tell any more
        return f"{record.input} -> {record.output}{note}"
    psnr = "" if record.psnr is None else f", PSNR {record.psnr:.2f} dB"
    return (
        f"{record.input} -> {record.output}, {record.width}x{record.height}, {record.seconds:.2f} s, "
        f"{record.model} on {record.provider}{psnr}{note}"
    )


def _count(pace: Pace | None, record: Record) -> str:
    """Return how far a run is, of which `record` is the next."""
    if pace is None:
        return ""
    pace.count(worked=record.status != "skipped")
    if pace.total == 1:
        return ""
    rest = pace.rest()
    total = "" if pace.total is None else f"/{pace.total}"
    left = f", {duration(rest)} left" if rest is not None and rest >= _SOON else ""
    return f"[{pace.done}{total}{left}] "
