"""Many photographs: colorize what is not done yet, a few at a time, and say what became of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tintype import image as images, memory, pool
from tintype.encoding import AS_IT_CAME, Settings as Written
from tintype.records import Record
from tintype.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tintype.adjustments import Adjustments
    from tintype.colorizer import Colorizer
    from tintype.hints import Hints
    from tintype.journal import Journal
    from tintype.naming import Job


@dataclass(frozen=True)
class Settings:
    """What a person chose for all photographs of a run."""

    adjustments: Adjustments
    hints: Hints | None = None
    max_megapixels: float = images.MAX_MEGAPIXELS
    overwrite: bool = False
    """Make results again that are there."""
    dry: bool = False
    """Say what would be done, and write nothing."""
    workers: int = 1
    written: Written = AS_IT_CAME
    """How results are written."""

    def look(self) -> dict[str, Any]:
        """Return what decides how a result looks, as JSON has it: what the journal knows it by."""
        hints = None if self.hints is None else asdict(self.hints)
        return {"adjustments": asdict(self.adjustments), "hints": hints, "written": asdict(self.written)}


def run(
    jobs: Iterable[Job], colorizer: Colorizer, settings: Settings, journal: Journal | None = None
) -> Iterator[Record]:
    """Colorize photographs, yielding what became of each, as it is done; one that fails stops no other.

    With a journal, a result is left as it is if it was made from the same content, model and settings, and
    made again if it was not; any other file in its place is left alone. Without, whatever is there is.
    """
    bench = Workbench(colorizer, settings, journal)
    renewing = journal is not None and settings.overwrite and not settings.dry
    if journal is not None and renewing:
        bench.note(journal.begin, bench.kind)
    later: list[Job] = []
    for done in pool.each(bench.record, jobs, settings.workers):
        if isinstance(done, Record):
            yield done
        else:
            later.append(done)
    memory.give_back()
    yield from (bench.record_alone(job) for job in later)
    if journal is not None and renewing:
        bench.note(journal.end, bench.kind)
