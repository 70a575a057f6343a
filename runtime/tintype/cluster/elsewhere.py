"""One photograph of many whose file, or whose result, is not on this machine.

It is fetched into a folder of this machine, colorized there by the same code as any other, and its result
put in place. What an object was made from stands in its own metadata: the two appear together or not at
all, so that there is no moment at which one is without the other, and no journal to be kept.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tintype import models
from tintype.cluster.remote import Remote, words
from tintype.errors import OutputError, PhotoChangedError, PhotoNotFoundError, PhotoUnreadableError
from tintype.journal import Claim, Origin, State, claim_of
from tintype.naming import Job, identity
from tintype.url import Url, as_path, is_url
from tintype.workbench import Workbench

if TYPE_CHECKING:
    from tintype.batch import Settings
    from tintype.cluster.ledger import Ledger
    from tintype.colorizer import Colorizer, Outcome
    from tintype.records import Record
    from tintype.watch import Watch

_LONGEST: Final = 1500  # bytes of what an object says; S3 takes 2 KB with the names
_UNKNOWN: Final = "another photograph"


class Elsewhere(Workbench):
    """A workbench with what is elsewhere brought here and back."""

    def __init__(
        self,
        colorizer: Colorizer,
        settings: Settings,
        ledger: Ledger | None,
        places: tuple[Remote | None, Remote | None],
        run: str,
    ) -> None:
        """Take the filesystems of photographs and of results, None for this machine's, and the run's name."""
        super().__init__(colorizer, settings, ledger)
        self._ledger, self._dry = ledger, settings.dry
        self._from, self._to = places
        self._run = run
        self._stage = Path()
        self._said: dict[str, Any] = {}
        self._infos: dict[Path, dict[str, Any] | None] = {}

    def record_alone(self, job: Job, watch: Watch | None = None) -> Record:
        """Do what is to be done for a photograph; what was fetched of it is removed."""
        with tempfile.TemporaryDirectory(prefix="tintype-") as stage:
            self._stage, self._said, self._infos = Path(stage), {}, {}
            record = super().record_alone(job, watch)
            if record.reason is None:
                return record
            reason = record.reason
            for here, there in ((self._fetched(job), job.source), (self._result(job.target), job.target)):
                reason = reason.replace(str(here), str(there))
            return dataclasses.replace(record, reason=reason)

    def is_fresh(self, job: Job) -> bool:
        """Say whether a result was made in this run: by a worker that was lost before it could tell."""
        if self._to is not None:
            return self._said.get("run") == self._run
        return self._ledger is not None and self._ledger.is_fresh(job.target)

    @property
    def remembers(self) -> bool:
        """Whether anything is known of what results were made from, by a journal or by objects."""
        return super().remembers if self._to is None else self._to.remembers

    def state(self, source: Path) -> State:
        """Return a photograph's state; raises PhotoNotFoundError or PhotoUnreadableError."""
        if self._from is None:
            return super().state(source)
        try:
            state = self._from.state(source)
        except Exception as error:
            raise PhotoUnreadableError(source, words(source, error)) from error
        if state is None:
            raise PhotoNotFoundError(source)
        return state

    def content(self, job: Job, state: State) -> str:
        """Return the SHA-256 of a photograph, fetched only where it may have changed."""
        if self._dry and not self.there(job):
            raise OSError  # nothing would be done with it
        if self._to is not None:
            claim = self._claim(job)
            if claim is not None and claim.knows(state):
                return claim.origin.photo
            return models.sha256(self.at_hand(job).source)
        assert self._ledger is not None
        known = self._ledger.known(state, job.target)
        return models.sha256(self.at_hand(job).source) if known is None else known

    def there(self, job: Job) -> list[Path]:
        """Return the places of a photograph's results in which something is. Raises OutputError."""
        if self._to is None:
            return super().there(job)
        return [place for place in job.places if self._info(self._to, place) is not None]

    def made(self, job: Job) -> Origin | None:
        """Return what the result that is there was made from; None where that is not known."""
        if self._to is None:
            return super().made(job)
        claim = self._claim(job)
        return None if claim is None else claim.origin

    def is_renewed(self, job: Job) -> bool:
        """Say whether a result was made by a run that this one goes on with; an object, by this one."""
        return super().is_renewed(job) if self._to is None else self.is_fresh(job)

    def other(self, job: Job, made: Origin, origin: Origin) -> object | None:
        """Return the other photograph, unless it is gone, that the result in a place was made from."""
        if self._to is None:
            return super().other(job, made, origin)
        claim = self._claim(job)
        if claim is None or made.photo == origin.photo or claim.source == _called(job.source):
            return None
        if not claim.source:
            return _UNKNOWN
        source = as_path(claim.source)
        if is_url(claim.source):
            return source if self._from is None or self._info(self._from, source) is not None else None
        return source if source.exists() else None

    def at_hand(self, job: Job) -> Job:
        """Return a job with the photograph as a file of this machine. Raises PhotoUnreadableError."""
        if self._from is None:
            return job
        fetched = self._fetched(job)
        if not fetched.exists():
            try:
                self._from.fetch(job.source, fetched)
            except Exception as error:
                raise PhotoUnreadableError(job.source, words(job.source, error)) from error
        return dataclasses.replace(job, source=fetched)

    def make(self, job: Job, state: State, origin: Origin | None, watch: Watch | None) -> Outcome:
        """Colorize a photograph into its place. Raises a PhotoError."""
        if self._to is None:
            return super().make(job, state, origin, watch)
        here = Job(
            self.at_hand(job).source,
            self._result(job.target),
            job.comparison and self._result(job.comparison),
        )
        here.target.parent.mkdir()
        outcome = self._fitting(here, None, watch)
        if self.state(job.source) != state:
            raise PhotoChangedError(job.source)
        try:
            if here.comparison is not None and job.comparison is not None:
                self._to.put(here.comparison, job.comparison)
            line = None if origin is None else self._line(job, origin, state, here.target)
            self._to.put(here.target, job.target, line)
        except Exception as error:
            raise OutputError(job.target, words(job.target, error)) from error
        return outcome

    def _claim(self, job: Job) -> Claim | None:
        """Return what the object in a result's place says of itself; None if nothing, or untrue."""
        if self._to is None or not self._to.remembers:
            return None
        if not self._said:
            found = self._info(self._to, job.target)
            said = {} if found is None else self._to.claim(job.target)
            self._said = (
                said if found is not None and found.get("size") == said.get("size") else {"run": None}
            )
        return claim_of(self._said)

    def _info(self, files: Remote, place: Path) -> dict[str, Any] | None:
        """Return what is known of a file elsewhere, asked once for each photograph. Raises OutputError."""
        if place not in self._infos:
            try:
                self._infos[place] = files.info(place)
            except Exception as error:
                raise OutputError(place, words(place, error)) from error
        return self._infos[place]

    def _line(self, job: Job, origin: Origin, state: State, result: Path) -> dict[str, Any]:
        """Return what an object is to say of itself."""
        claim = Claim(origin, _called(job.source), result.stat().st_size, 0, state, time.time_ns())
        line = claim.line("") | {"run": self._run}
        if len(json.dumps(line)) > _LONGEST:
            line["from"] = ""
        del line["result"]
        return line

    def _fetched(self, job: Job) -> Path:
        return self._stage / f"photo{job.source.suffix}" if isinstance(job.source, Url) else job.source

    def _result(self, place: Path) -> Path:
        return self._stage / "results" / place.name if isinstance(place, Url) else place


def _called(source: Path) -> str:
    return str(identity(source))
