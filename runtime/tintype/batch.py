"""Many photographs: find them, name their results, colorize them one after the other, report."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tintype import models, output
from tintype.errors import PhotoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tintype.adjustments import Adjustments
    from tintype.colorizer import Colorizer
    from tintype.hints import Hints

REPORT_VERSION: Final = 1
DEFAULT_NAME: Final = "{stem}_color{ext}"
SUFFIXES: Final = frozenset({*output.FORMATS, ".pgm", ".pnm", ".gif"})


@dataclass(frozen=True)
class Job:
    """One photograph and the places of its result and, if wanted, of the comparison."""

    source: Path
    target: Path
    comparison: Path | None = None

    @property
    def places(self) -> list[Path]:
        """What is written."""
        return [self.target] if self.comparison is None else [self.target, self.comparison]


@dataclass(frozen=True)
class Naming:
    """Where results go and what they are called."""

    out: Path | None
    """--out as given; None for beside each photograph."""
    folder: bool
    """Whether `out` is a folder."""
    template: str
    model: str

    def target(self, source: Path) -> Path:
        """Return the place of a photograph's result."""
        if self.out is not None and not self.folder:
            return self.out
        name = self.template.format(stem=source.stem, ext=output.suffix_for(source.name), model=self.model)
        return (self.out or source.parent) / name


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


def discover(inputs: Iterable[Path]) -> list[Path]:
    """List photographs: files as they are given, folders by the suffixes of their files, sorted.

    Raises UsageError for a folder without photographs or one that cannot be read. What is not
    there is left to fail on its own, beside the others.
    """
    found: list[Path] = []
    for path in inputs:
        if not _is_folder(path):
            found.append(path)
            continue
        try:
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        if not inside:
            raise UsageError(f"there are no photographs in the folder {path}")
        found += inside
    return list(dict.fromkeys(found))


def naming(inputs: Sequence[Path], out: str | None, template: str, model: str) -> Naming:
    """Decide where results go; makes the output folder. Raises UsageError or OutputError."""
    try:
        name = template.format(stem="stem", ext=output.FALLBACK, model="model")
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise UsageError(f"--name {template}: known are {{stem}}, {{ext}} and {{model}}") from error
    if Path(name).name != name:
        raise UsageError(f"--name {template}: it is a name alone; --out takes the folder")
    output.format_of(Path(name))
    if out is None:
        return Naming(None, folder=False, template=template, model=model)
    path = Path(out)
    several = len(inputs) != 1 or _is_folder(inputs[0])
    folder = several or _is_folder(path) or out.endswith(("/", os.sep))
    if not folder:
        output.format_of(path)
    output.check_folder(path if folder else path.parent)
    return Naming(path, folder=folder, template=template, model=model)


def plan(sources: Iterable[Path], names: Naming, *, compare: bool = False) -> list[Job]:
    """Pair photographs with results; raises UsageError where two results, or one and a photograph, meet."""
    jobs = [_job(source, names, compare=compare) for source in sources]
    taken: dict[Path, Path] = {}
    originals = {_identity(job.source) for job in jobs}
    for source, place in ((job.source, place) for job in jobs for place in job.places):
        identity = _identity(place)
        if identity in originals:
            raise UsageError(f"{place} is a photograph of this run: choose another --out or --name")
        if identity in taken:
            raise UsageError(
                f"{taken[identity]} and {source} would both become {place}: "
                "choose another --name, or colorize them into different folders"
            )
        taken[identity] = source
    return jobs


def check_report(path: Path, jobs: Sequence[Job]) -> None:
    """Raise UsageError where a report would take the place of a photograph or a result of this run."""
    if _identity(path) in {_identity(place) for job in jobs for place in (job.source, *job.places)}:
        raise UsageError(f"--report {path} is a photograph or a result of this run: choose another name")


def without_results(sources: Sequence[Path], inputs: Iterable[Path], names: Naming) -> list[Path]:
    """Leave out what an earlier run made in a folder of photographs; what is named by itself stays."""
    jobs = [_job(source, names, compare=True) for source in sources]
    made = {_identity(place) for job in jobs for place in job.places}
    made -= {_identity(path) for path in inputs}
    return [source for source in sources if _identity(source) not in made]


def _job(source: Path, names: Naming, *, compare: bool) -> Job:
    target = names.target(source)
    return Job(source, target, target.with_name(f"{source.stem}_compare.png") if compare else None)


def run(
    jobs: Iterable[Job],
    colorizer: Colorizer,
    adjustments: Adjustments,
    hints: Hints | None,
    *,
    overwrite: bool,
    max_megapixels: float,
) -> Iterator[Record]:
    """Colorize photographs in turn, yielding what became of each; one that fails stops no other."""
    known: dict[str, Any] = {
        "model": colorizer.model,
        "model_sha256": models.sha256(colorizer.session.path),
        "working_size": colorizer.working_size,
        "provider": colorizer.provider,
    }
    for job in jobs:
        places: dict[str, Any] = {"input": str(job.source), "output": str(job.target)}
        there = [] if overwrite else [place for place in job.places if os.path.lexists(place)]
        if there:
            reason = f"{there[0]} exists; --overwrite makes it again"
            yield Record(**places, status="skipped", reason=reason, **known)
            continue
        try:
            outcome = colorizer.colorize_file(
                job.source,
                job.target,
                adjustments,
                hints,
                max_megapixels=max_megapixels,
                compare=job.comparison,
            )
        except PhotoError as error:
            yield Record(str(job.source), None, "failed", str(error), **known)
            continue
        yield Record(
            **places,
            status="done",
            reason="; ".join(outcome.notes) or None,
            width=outcome.width,
            height=outcome.height,
            seconds=round(outcome.seconds, 4),
            psnr=None if outcome.psnr is None else round(outcome.psnr, 3),
            **known,
        )


def to_json(record: Record) -> str:
    """Return a record as one line of ASCII, which any locale prints and any name fits into."""
    return json.dumps(asdict(record))


def write_report(path: Path, records: Sequence[Record], started: float) -> None:
    """Write the report of a run, whole or not at all; raises OutputError."""
    report: dict[str, Any] = {
        "version": REPORT_VERSION,
        "started": datetime.fromtimestamp(started, timezone.utc).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "photos": [asdict(record) for record in records],
    }
    with output.replacing(path) as file:
        file.write(json.dumps(report, indent=1).encode())


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no permission to look, or no name at all: it fails on its own, beside the others
        return False


def _identity(path: Path) -> Path:
    """Return a path that is equal for equal files, also through links and on case-blind systems."""
    return Path(os.path.normcase(os.path.realpath(path)))
