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

REPORT_VERSION: Final = 1
DEFAULT_NAME: Final = "{stem}_color{ext}"
SUFFIXES: Final = frozenset({*output.FORMATS, ".pgm", ".pnm", ".gif"})


@dataclass(frozen=True)
class Job:
    """One photograph and the place of its result."""

    source: Path
    target: Path


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
        if not path.is_dir():
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
        template.format(stem="", ext="", model="")
    except (KeyError, IndexError, ValueError) as error:
        raise UsageError(f"--name {template}: known are {{stem}}, {{ext}} and {{model}}") from error
    if out is None:
        return Naming(None, folder=False, template=template, model=model)
    path = Path(out)
    several = len(inputs) != 1 or inputs[0].is_dir()
    folder = several or path.is_dir() or out.endswith(("/", os.sep))
    if folder:
        output.check_folder(path)
    else:
        output.format_of(path)
    return Naming(path, folder=folder, template=template, model=model)


def plan(sources: Iterable[Path], names: Naming) -> list[Job]:
    """Pair photographs with results; raises UsageError where two results, or one and a photograph, meet."""
    jobs = [Job(source, names.target(source)) for source in sources]
    taken: dict[Path, Path] = {}
    originals = {_identity(job.source) for job in jobs}
    for job in jobs:
        place = _identity(job.target)
        if place in originals:
            raise UsageError(f"{job.target} is a photograph of this run: choose another --out or --name")
        if place in taken:
            raise UsageError(
                f"{taken[place]} and {job.source} would both become {job.target}: choose another --name"
            )
        taken[place] = job.source
    return jobs


def run(
    jobs: Iterable[Job],
    colorizer: Colorizer,
    adjustments: Adjustments,
    *,
    overwrite: bool,
    compare: bool,
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
        if job.target.exists() and not overwrite:
            yield Record(
                **places, status="skipped", reason="its result exists; --overwrite makes it again", **known
            )
            continue
        try:
            comparison = job.target.with_name(f"{job.source.stem}_compare.png") if compare else None
            outcome = colorizer.colorize_file(
                job.source, job.target, adjustments, max_megapixels=max_megapixels, compare=comparison
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
    """Return a record as one line."""
    return json.dumps(asdict(record), ensure_ascii=False)


def write_report(path: Path, records: Sequence[Record], started: float) -> None:
    """Write the report of a run, whole or not at all; raises OutputError."""
    report: dict[str, Any] = {
        "version": REPORT_VERSION,
        "started": datetime.fromtimestamp(started, timezone.utc).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "photos": [asdict(record) for record in records],
    }
    with output.replacing(path) as file:
        file.write(json.dumps(report, indent=1, ensure_ascii=False).encode())


def _identity(path: Path) -> Path:
    """Return a path that is equal for equal files, also through links and on case-blind systems."""
    return Path(os.path.normcase(os.path.realpath(path)))
