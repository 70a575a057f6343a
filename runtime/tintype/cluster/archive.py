"""One run over an archive, from the first photograph to what is said of all."""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tintype import leftovers
from tintype.cluster import engine, listing
from tintype.errors import UsageError
from tintype.journal import Journal
from tintype.progress import Pace
from tintype.teller import Teller
from tintype.url import Url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from tintype.cluster.engine import Pool
    from tintype.cluster.plan import Plan
    from tintype.records import Record


class Run:
    """One run, from the first photograph to what is said of all."""

    def __init__(self, chosen: argparse.Namespace, plan: Plan, pool: Pool, kind: str) -> None:
        """Take what was chosen, and a name for all that makes results look alike."""
        self._chosen, self._plan, self._pool, self._kind = chosen, plan, pool, kind
        self._write = not plan.settings.dry
        self._journal = None if isinstance(plan.out, Url) else Journal(plan.out, write=self._write)
        self._pace = Pace(None)

    def carry_out(self) -> int:
        """Colorize; return the exit code."""
        self._begin()
        threading.Thread(target=self._count, name="tintype count", daemon=True).start()
        whole = False
        try:
            code = Teller(self._chosen).tell(self._records(), self._pace, many=True)
            whole = True
        finally:
            engine.stop()  # workers end before what they wrote is brought in
            self._end(whole=whole)
        return code

    def _records(self) -> Iterator[Record]:
        with closing(engine.records(self._plan, self._pool)) as records:  # type: ignore[type-var]
            for record in records:
                if not self._pace.done:
                    self._pace.begin()  # until now Ray and the workers were starting
                yield record
        if not self._pace.done:
            raise UsageError(f"there are no photographs in the folder {self._plan.folder}")

    def _count(self) -> None:
        """Count what there is to do while it is done: until then nobody knows how long it takes."""
        with suppress(Exception):
            self._pace.expect(listing.count(self._plan))

    def _begin(self) -> None:
        if self._journal is not None and self._write:
            _note(self._journal.merge)
            if self._plan.settings.overwrite:
                _note(self._journal.begin, self._kind)

    def _end(self, *, whole: bool) -> None:
        """Bring in what workers claimed; remove what those that were stopped left half-written."""
        if self._journal is None or not self._write:
            return
        _note(self._journal.merge)
        if whole and self._plan.settings.overwrite:
            _note(self._journal.end, self._kind)
        if not whole:
            leftovers.sweep(Path(folder) for folder, _, _ in os.walk(self._plan.out))


def _note(write: Callable[..., object], *values: object) -> None:
    """Write into the journal if that can be: results count more than what is known of them."""
    with suppress(OSError):
        write(*values)
