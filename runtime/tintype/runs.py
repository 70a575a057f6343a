"""`tintype PHOTO...`: one run over files, from options to lines on the terminal and an exit code."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tintype import batch, discover, hotfolder, leftovers, naming, output
from tintype.errors import UsageError
from tintype.journal import Journal
from tintype.progress import Pace, say
from tintype.records import Record
from tintype.teller import Teller

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from tintype.batch import Settings
    from tintype.colorizer import Colorizer
    from tintype.discover import Found, Source
    from tintype.naming import Job

PIPE: Final = "-"


def run(options: argparse.Namespace, settings: Settings, open_model: Callable[[], Colorizer]) -> int:
    """Colorize what the options name; return the exit code. Raises TintypeError where nothing can start."""
    inputs = _inputs(options)
    if options.watch:
        _check_watch(options, inputs)
    out = None if options.out is None else Path(options.out)
    found = discover.find(inputs, recursive=options.recursive, out=out, patient=options.watch)
    if settings.hints is not None and (options.watch or len(found.sources) != 1):
        raise UsageError(f"--hints belongs to one photograph, and there are {len(found.sources)}")
    work = _Run(options, settings, inputs, open_model())
    return work.watch() if options.watch else work.once(found)


class _Run:
    """A run over files: where results go, what is remembered, what became of each."""

    def __init__(
        self, options: argparse.Namespace, settings: Settings, inputs: list[Path], colorizer: Colorizer
    ) -> None:
        self._options, self._settings, self._inputs, self._colorizer = options, settings, inputs, colorizer
        self._names = naming.naming(inputs, options.out, options.name, colorizer.model, make=not settings.dry)
        home = _home(inputs, self._names)
        self._journal = None if home is None else Journal(home, write=not settings.dry)
        self._made = set(map(naming.identity, self._journal.results())) if self._journal else set[Path]()
        self._teller = Teller(options)

    def once(self, found: Found) -> int:
        """Colorize what was found."""
        sources = self._photographs(found)
        if len(sources) < len(found.sources):
            count = len(found.sources) - len(sources)
            say(f"left out {count} files that are results or comparisons of others")
        jobs = naming.plan(sources, self._names, compare=self._options.compare)
        self._check_report(jobs)
        self._sweep(jobs)
        total = len(jobs) + len(found.refused)
        return self._teller.tell(self._all(found, jobs), Pace(total), many=total > 1)

    def watch(self) -> int:
        """Colorize what arrives, until a signal comes."""
        self._check_report([])
        say(f"watching {', '.join(map(str, self._inputs))}: Ctrl-C ends it")
        return self._teller.tell(self._arriving(), many=True)

    def _all(self, found: Found, jobs: Iterable[Job]) -> Iterator[Record]:
        yield from (Record(str(path), None, "failed", reason) for path, reason in found.refused)
        yield from batch.run(jobs, self._colorizer, self._settings, self._journal)

    def _arriving(self) -> Iterator[Record]:
        places = naming.Places([])
        told = set[Path]()
        refused: list[Record] = []

        def look() -> list[Source]:
            found = discover.find(
                [path for path in self._inputs if discover.is_folder(path)],
                recursive=self._options.recursive,
                out=self._names.out if self._names.folder else None,
                patient=True,
            )
            refused.extend(
                Record(str(path), None, "failed", reason)
                for path, reason in found.refused
                if path not in told
            )
            told.update(path for path, _ in found.refused)
            return self._photographs(found)

        for sources in hotfolder.arrivals(look):
            yield from refused
            refused.clear()
            jobs = []
            for source in sources:
                job = self._names.job(source, compare=self._options.compare)
                places.add(source.path)
                if fault := places.take(job):
                    yield Record(str(source.path), None, "failed", fault)
                else:
                    jobs.append(job)
                    self._made.update(map(naming.identity, job.places))
            self._sweep(jobs)
            yield from batch.run(jobs, self._colorizer, self._settings, self._journal)

    def _photographs(self, found: Found) -> list[Source]:
        """Leave out what is a result of this run, or of one before."""
        named = set(self._inputs)
        sources = [s for s in found.sources if s.path in named or not self._is_made(s.path)]
        if self._settings.overwrite and not self._options.watch:
            return sources
        return naming.without_results(sources, self._inputs, self._names)

    def _is_made(self, path: Path) -> bool:
        return bool(self._made) and naming.identity(path) in self._made

    def _check_report(self, jobs: list[Job]) -> None:
        if self._options.report is not None:
            output.check_folder(self._options.report.parent)
            naming.check_report(self._options.report, jobs)

    def _sweep(self, jobs: list[Job]) -> None:
        if not self._settings.dry:
            leftovers.sweep(dict.fromkeys(job.target.parent for job in jobs))


def _home(inputs: list[Path], names: naming.Naming) -> Path | None:
    """Return the folder that keeps the journal: --out of many, or the one folder that is given without it."""
    many = len(inputs) > 1 or discover.is_folder(inputs[0]) or discover.is_pattern(inputs[0])
    if names.out is not None:
        return names.out if names.folder and many else None
    return inputs[0] if len(inputs) == 1 and discover.is_folder(inputs[0]) else None


def _check_watch(options: argparse.Namespace, inputs: list[Path]) -> None:
    if options.dry_run:
        raise UsageError("--watch does not go with --dry-run: it would never end")
    if not all(discover.is_folder(path) for path in inputs):
        raise UsageError("--watch takes folders, in which photographs arrive")


def _inputs(options: argparse.Namespace) -> list[Path]:
    names = options.photos + _listed(options.files_from)
    if "" in names:
        raise UsageError("the name of a photograph is empty")
    if not names:
        raise UsageError("name a photograph or a folder; tintype --help shows how")
    return [Path(name) for name in names]


def _listed(path: str | None) -> list[str]:
    """Return the names in a list: lines or, where there is a zero byte, what stands between these."""
    if path is None:
        return []
    try:
        content = sys.stdin.buffer.read() if path == PIPE else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from {path}: {error.strerror}") from error
    content = content.removeprefix(BOM_UTF8)
    lines = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [os.fsdecode(line) for line in lines if line.strip()]
