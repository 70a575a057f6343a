"""Which photographs an archive has, folder by folder: no more is held than the names of one folder."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tintype import discover, naming
from tintype.cluster.remote import Remote, words
from tintype.discover import SUFFIXES, Found, Source
from tintype.errors import UsageError
from tintype.journal import Journal
from tintype.url import Url, as_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tintype.cluster.plan import Plan
    from tintype.naming import Job

CHUNK: Final = 8
"""Photographs that a worker is given at a time: enough that handing them over is nothing beside the work."""


def walk(plan: Plan) -> Iterator[Found]:
    """Yield what each folder of the archive holds. Raises UsageError where the first cannot be read."""
    if isinstance(plan.folder, Url):
        yield from _walk_elsewhere(plan.folder, plan.out, recursive=plan.recursive)
        return
    inside = plan.recursive and not isinstance(plan.out, Url) and discover.is_folder(plan.out)
    closed = [discover.node(plan.out)] if inside else []
    yield from discover.walk(plan.folder, closed, recursive=plan.recursive)


def count(plan: Plan) -> int:
    """Count what an archive holds, as `walk` finds it."""
    return sum(len(found.sources) + len(found.refused) for found in walk(plan))


def chunks(plan: Plan) -> Iterator[list[dict[str, Any]]]:
    """Yield photographs, CHUNK at a time, each with what the journal says of its place, or what is wrong.

    Each is a dict that JSON can write: `source`, `below`, `lines` and `renewed`, or `source` and `failed`.
    """
    journal = None if isinstance(plan.out, Url) else Journal(plan.out, write=False)
    some: list[dict[str, Any]] = []
    for found in walk(plan):
        for item in chain(_refused(found), _in_folder(plan, found, journal)):
            some.append(item)
            if len(some) == CHUNK:
                yield some
                some = []
    if some:
        yield some


def _refused(found: Found) -> Iterator[dict[str, Any]]:
    for path, reason in found.refused:
        yield {"source": str(path), "failed": reason}


def _in_folder(plan: Plan, found: Found, journal: Journal | None) -> Iterator[dict[str, Any]]:
    places = naming.Places(source.path for source in found.sources)
    for source in found.sources:
        job = plan.names.job(source, compare=plan.compare)
        if fault := places.take(job):
            yield {"source": str(source.path), "failed": fault}
        else:
            yield {"source": str(source.path), "below": str(source.below)} | _known(job, journal)


def _known(job: Job, journal: Journal | None) -> dict[str, Any]:
    if journal is None:
        return {"lines": [], "renewed": False}
    return {"lines": journal.lines(job.target), "renewed": journal.is_renewed(job.target)}


def _walk_elsewhere(top: Path, out: Path, *, recursive: bool) -> Iterator[Found]:
    files, folders = Remote(str(top)), [str(top)]
    while folders:
        folder = folders.pop()
        found = Found()
        try:
            entries = sorted(files.entries(folder), key=lambda entry: str(entry["name"]))
        except Exception as error:
            if folder == str(top):
                raise UsageError(words(top, error)) from error
            found.refused.append((as_path(folder), words(folder, error)))
            entries = []
        below = as_path(folder).relative_to(top)
        for entry in entries:
            path = as_path(entry["name"])
            if path.name.startswith(".") or path == as_path(folder):
                continue
            if entry["type"] == "directory":
                if recursive and path != out:
                    folders.append(str(path))
            elif path.suffix.lower() in SUFFIXES:
                found.sources.append(Source(path, Path(str(below))))
        yield found
