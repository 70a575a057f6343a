"""One photograph of many: is it done, may its result be written, what became of it."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tintype import image as images, memory, models, pool
from tintype.errors import (
    OutputError,
    PhotoChangedError,
    PhotoError,
    PhotoTooLargeError,
    PhotoUnreadableError,
)
from tintype.journal import Journal, Origin, State, digest, state_of
from tintype.naming import identity
from tintype.output import make_folder
from tintype.records import Record
from tintype.url import Url

if TYPE_CHECKING:
    from pathlib import Path

    from tintype.batch import Settings
    from tintype.colorizer import Colorizer, Outcome
    from tintype.naming import Job
    from tintype.output import Seal
    from tintype.watch import Watch

FULL: Final = 3  # photographs in a row that find no space: the others are not tried then
_SHARE: Final = 0.7  # of the memory at hand, for photographs at work together
_PER_PIXEL: Final = 12  # bytes that a photograph takes at work, at most


class _PutOffError(Exception):
    """Memory has no place for a photograph while others are at work."""


class Workbench:
    """Where one photograph after the other is colorized. Used by several threads."""

    def __init__(self, colorizer: Colorizer, settings: Settings, journal: Journal | None) -> None:
        self._colorizer, self._settings, self._journal = colorizer, settings, journal
        self._room = pool.Room(_room() if settings.workers > 1 else None)
        self._full = 0
        self._known: dict[str, Any] = {
            "model": colorizer.model,
            "model_sha256": models.sha256(colorizer.session.path),
            "working_size": colorizer.working_size,
            "provider": colorizer.provider,
        }

    @cached_property
    def kind(self) -> str:
        """What is the same for all photographs of the run."""
        return digest({"model": self._known["model_sha256"], "settings": self._look})

    @cached_property
    def _look(self) -> str:
        return digest(self._settings.look() | {"working_size": self._colorizer.working_size})

    def record(self, job: Job, watch: Watch | None) -> Record | Job:
        """Do what is to be done for a photograph; return it again where it is to wait until it is alone.

        Raises CancelledError, and what stops all.
        """
        try:
            return self.record_alone(job, watch)
        except _PutOffError:
            return job

    def record_alone(self, job: Job, watch: Watch | None = None) -> Record:
        """Do what is to be done for a photograph beside which, without a watch, no other is at work."""
        try:
            return self._record(job, watch)
        except PhotoError as error:
            return Record(str(job.source), None, "failed", str(error), **self._known)

    def _record(self, job: Job, watch: Watch | None) -> Record:
        places: dict[str, Any] = {"input": str(job.source), "output": str(job.target)}
        state = self.state(job.source)
        origin = self._origin(job, state)
        left, again = self._decide(job, origin)
        if left is not None:
            return Record(**places, status="skipped", reason=left, **self._known)
        if self._settings.dry:
            reason = "dry run: it would be colorized" + (f"; {again}" if again else "")
            return Record(**places, status="skipped", reason=reason, **self._known)
        if self._full >= FULL:
            raise OutputError(job.target, "the disk is full, so it was not tried")
        try:
            outcome = self.make(job, state, origin, watch)
        except OutputError as error:
            self._full = self._full + 1 if _is_full(error) else self._full
            raise
        self._full = 0
        return Record(
            **places,
            status="done",
            reason="; ".join(filter(None, [again, *outcome.notes])) or None,
            width=outcome.width,
            height=outcome.height,
            seconds=round(outcome.seconds, 4),
            psnr=None if outcome.psnr is None else round(outcome.psnr, 3),
            **self._known,
        )

    def _origin(self, job: Job, state: State) -> Origin | None:
        """Return what the result is to be made from; None without a journal, or where nothing can be read."""
        if not self.remembers:
            return None
        try:
            photo = self.content(job, state)
        except (OSError, ValueError):  # what is wrong is told when it is decoded
            return None
        return Origin(photo, self._known["model_sha256"], self._look)

    def _decide(self, job: Job, origin: Origin | None) -> tuple[str | None, str | None]:
        """Return why a photograph is left as it is, if so, and why it is made again, if so."""
        there = self.there(job)
        if not there:
            return None, None
        made = None if origin is None else self.made(job)
        if origin is None or made is None:
            exists = f"{there[0]} exists; --overwrite makes it again"
            return None if self._settings.overwrite else exists, None
        other = self.other(job, made, origin)
        if other is not None and not self._settings.overwrite:
            return f"{there[0]} is the result of {other}; --overwrite makes it again from this one", None
        missing = None if len(there) == len(job.places) else "its comparison is missing"
        difference = made.difference(origin) or missing
        if self._settings.overwrite:
            done = difference is None and self.is_renewed(job)
            return "made again before the run was interrupted" if done else None, None
        if difference is None:
            return "done before, from the same photograph, with this model and these settings", None
        return None, f"made again: {difference}"

    # What follows asks and changes files of this machine; a subclass may do so elsewhere.

    @property
    def remembers(self) -> bool:
        """Whether anything is known of what results were made from."""
        return self._journal is not None

    def state(self, source: Path) -> State:
        """Return a photograph's state; raises PhotoUnreadableError where it is none."""
        return _state(source)

    def content(self, job: Job, state: State) -> str:
        """Return the SHA-256 of a photograph, as the journal knows it. Raises OSError or ValueError."""
        assert self._journal is not None
        return self._journal.photo(job.source, state, job.target)

    def there(self, job: Job) -> list[Path]:
        """Return the places of a photograph's results in which something is."""
        return [place for place in job.places if os.path.lexists(place)]

    def made(self, job: Job) -> Origin | None:
        """Return what the result that is there was made from; None where that is not known."""
        return None if self._journal is None else self._journal.origin(job.target)

    def is_renewed(self, job: Job) -> bool:
        """Say whether the result that is there was made by a run that this one goes on with."""
        return self._journal is not None and self._journal.is_renewed(job.target)

    def other(self, job: Job, made: Origin, origin: Origin) -> object | None:
        """Return the other photograph, if it is still there, that the result in a place was made from."""
        source = None if self._journal is None else self._journal.source(job.target)
        if source is None or made.photo == origin.photo or identity(source) == identity(job.source):
            return None
        return source if isinstance(source, Url) or os.path.lexists(source) else None

    def make(self, job: Job, state: State, origin: Origin | None, watch: Watch | None) -> Outcome:
        """Colorize a photograph into its place. Raises a PhotoError."""
        before = _place(job.target)
        if before is not None and not before.st_mode & stat.S_IWUSR:
            raise OutputError(job.target, "it is read-only: make it writable, or choose another name")

        def seal(result: os.stat_result) -> None:
            if self.state(job.source) != state:
                raise PhotoChangedError(job.source)
            if before is None and os.path.lexists(job.target):
                raise OutputError(job.target, "a file of that name appeared meanwhile, and was left alone")
            if self._journal is not None and origin is not None:
                self.note(self._journal.claim, job, origin, state, result)

        make_folder(job.target.parent)
        return self._fitting(self.at_hand(job), seal, watch)

    def at_hand(self, job: Job) -> Job:
        """Return a job with the photograph as a file of this machine."""
        return job

    def _fitting(self, job: Job, seal: Seal | None, watch: Watch | None) -> Outcome:
        """Colorize a photograph when memory has a place for it; raises _PutOffError where it has none now."""
        if watch is None:  # it is alone
            return self._carry_out(job, seal, watch)
        pixels = images.pixels(job.source)
        try:
            with self._room.take(pixels * _PER_PIXEL, watch):
                return self._carry_out(job, seal, watch)
        except PhotoTooLargeError as error:
            if pixels > self._settings.max_megapixels * 1e6:
                raise
            raise _PutOffError from error

    def _carry_out(self, job: Job, seal: Seal | None, watch: Watch | None) -> Outcome:
        return self._colorizer.colorize_file(
            job.source,
            job.target,
            self._settings.adjustments,
            self._settings.hints,
            max_megapixels=self._settings.max_megapixels,
            compare=job.comparison,
            watch=watch,
            seal=seal,
            settings=self._settings.written,
        )

    @staticmethod
    def note(write: Any, *values: Any) -> None:
        """Write into the journal if that can be: a result counts more than what is known of it."""
        with suppress(OSError):
            write(*values)


def _state(source: Path) -> State:
    """Return a photograph's state; what is missing, or a folder, is told when it is read."""
    try:
        mode = source.stat().st_mode
        state = state_of(source)
    except (OSError, ValueError):
        return 0, 0, 0, 0
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe would be waited for without end
        raise PhotoUnreadableError(source, "it is no regular file")
    return state


def _place(target: Path) -> os.stat_result | None:
    try:
        return target.lstat()
    except (OSError, ValueError):
        return None


def _is_full(error: OutputError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}


def _room() -> int | None:
    available = memory.available()
    return None if available is None else int(available * _SHARE)
