"""Name results, and see before any work that no two meet and none takes a photograph's place."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tintype import output
from tintype.discover import is_folder, is_pattern
from tintype.errors import UsageError
from tintype.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tintype.discover import Source

DEFAULT_NAME: Final = "{stem}_color{ext}"


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

    def target(self, source: Path, below: Path = Path()) -> Path:
        """Return the place of a photograph's result, in the folders `below` under --out."""
        if self.out is not None and not self.folder:
            return self.out
        name = self.template.format(stem=source.stem, ext=output.suffix_for(source.name), model=self.model)
        return (source.parent if self.out is None else self.out / below) / name

    def job(self, source: Source, *, compare: bool = False) -> Job:
        """Pair a photograph with the places of its results."""
        target = self.target(source.path, source.below)
        comparison = target.with_name(f"{source.path.stem}_compare.png") if compare else None
        return Job(source.path, target, comparison)


def naming(
    inputs: Sequence[Path], out: str | None, template: str, model: str, *, make: bool = True
) -> Naming:
    """Decide where results go; `make`: also make the output folder. Raises UsageError or OutputError."""
    check_template(template)
    if out is None:
        return Naming(None, folder=False, template=template, model=model)
    path = Path(out)
    several = len(inputs) != 1 or is_folder(inputs[0]) or is_pattern(inputs[0])
    folder = several or is_folder(path) or out.endswith(("/", os.sep))
    if not folder:
        output.format_of(path)
    if make:
        output.check_folder(path if folder else path.parent)
    return Naming(path, folder=folder, template=template, model=model)


def check_template(template: str) -> None:
    """Raise UsageError where results cannot be called so."""
    try:
        name = template.format(stem="stem", ext=output.FALLBACK, model="model")
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise UsageError(f"--name {template}: known are {{stem}}, {{ext}} and {{model}}") from error
    if Path(name).name != name:
        raise UsageError(f"--name {template}: it is a name alone; --out takes the folder")
    output.format_of(Path(name))


def plan(sources: Iterable[Source], names: Naming, *, compare: bool = False) -> list[Job]:
    """Pair photographs with results; raises UsageError where two results, or one and a photograph, meet."""
    jobs = [names.job(source, compare=compare) for source in sources]
    places = Places(job.source for job in jobs)
    for job in jobs:
        if fault := places.take(job):
            raise UsageError(fault)
    return jobs


class Places:
    """What results and photographs of a run lie where, also through links and on case-blind systems."""

    def __init__(self, originals: Iterable[Path]) -> None:
        """Take the photographs, over which nothing is to be written."""
        self._taken: dict[str, list[tuple[str, Path | None]]] = {}
        for path in originals:
            self._add(path, None)

    def add(self, original: Path) -> None:
        """Take one photograph more."""
        self._add(original, None)

    def take(self, job: Job) -> str | None:
        """Take the places of a job's results; say what speaks against it."""
        for place in job.places:
            for name, source in self._taken.get(_folded(place), []):
                if source == job.source:  # a photograph that came again
                    continue
                if name != str(identity(place)) and not is_case_blind(place.parent):
                    continue
                if source is None:
                    return f"{place} is a photograph of this run: choose another --out or --name"
                return (
                    f"{source} and {job.source} would both become {place}: "
                    "choose another --name, or colorize them into different folders"
                )
            self._add(place, job.source)
        return None

    def _add(self, place: Path, source: Path | None) -> None:
        self._taken.setdefault(_folded(place), []).append((str(identity(place)), source))


def without_results(sources: Sequence[Source], inputs: Iterable[Path], names: Naming) -> list[Source]:
    """Leave out what an earlier run made in a folder of photographs; what is named by itself stays."""
    jobs = [names.job(source, compare=True) for source in sources]
    made = {identity(place) for job in jobs for place in job.places}
    made -= {identity(path) for path in inputs}
    return [source for source in sources if identity(source.path) not in made]


def check_report(path: Path, jobs: Sequence[Job]) -> None:
    """Raise UsageError where a report would take the place of a photograph or a result of this run."""
    if identity(path) in {identity(place) for job in jobs for place in (job.source, *job.places)}:
        raise UsageError(f"--report {path} is a photograph or a result of this run: choose another name")


def is_case_blind(folder: Path) -> bool:
    """Say whether names that differ in capitals alone are one name in a folder, or where it will be made.

    A file is made and looked for by another name; where none can be made, no two results meet either.
    """
    if isinstance(folder, Url):
        return False
    there = next((place for place in (folder, *folder.parents) if is_folder(place)), None)
    if there is None:
        return False
    try:
        with tempfile.NamedTemporaryFile(prefix=".tintype-case-", suffix=".partial", dir=there) as probe:
            return os.path.lexists(there / Path(probe.name).name.swapcase())
    except OSError:
        return False


def _folded(path: Path) -> str:
    return unicodedata.normalize("NFC", str(identity(path))).casefold()


def identity(path: Path) -> Path:
    """Return a path that is equal for equal files, also through links and on case-blind systems."""
    if isinstance(path, Url):
        return path
    try:
        return Path(os.path.normcase(os.path.realpath(path)))
    except (OSError, ValueError):
        return Path(os.path.normcase(os.path.abspath(path)))  # noqa: PTH100 - resolve() is what failed
