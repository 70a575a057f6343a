"""One actor of the pool: a model, open, and photographs one after the other."""

from __future__ import annotations

import dataclasses
import json
import socket
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tintype import __version__, leftovers, models
from tintype.cluster.elsewhere import Elsewhere
from tintype.cluster.ledger import Ledger
from tintype.cluster.remote import Remote
from tintype.colorizer import Colorizer
from tintype.discover import Source
from tintype.errors import TintypeError, UsageError
from tintype.output import make_folder
from tintype.records import Record, to_json
from tintype.url import Url, as_path
from tintype.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tintype.cluster.plan import Plan
    from tintype.naming import Job

_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds to wait for memory that other workers of the machine hold."""


class Worker:
    """Takes chunks of photographs, answers with their records, or with what keeps it from working."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._swept = plan, set[Path]()
        self._ledger: Ledger | None = None
        self._fault: str | None = None
        try:
            self._start(plan)
        except TintypeError as error:
            self._fault = str(error)
        except OSError as error:
            self._fault = f"{plan.out} cannot be written on {socket.gethostname()}: {error.strerror or error}"

    def __call__(self, row: dict[str, Any]) -> dict[str, str]:
        """Colorize a chunk: JSON in the column `chunk`; JSON in `records`, or a `fault` that ends the run."""
        chunk = json.loads(row["chunk"])
        fault = self._fault or chunk.get("fault")
        if fault:
            return {"records": "[]", "fault": fault}
        return {"records": json.dumps([self._answer(item) for item in chunk["photos"]]), "fault": ""}

    def close(self) -> None:
        """End in order."""
        if self._ledger is not None:
            self._ledger.close()

    def _start(self, plan: Plan) -> None:
        if plan.version != __version__:
            host = socket.gethostname()
            raise UsageError(
                f"{host} has tintype {__version__}, and this is {plan.version}: install one everywhere"
            )
        places = tuple(
            Remote(str(place)) if isinstance(place, Url) else None for place in (plan.folder, plan.out)
        )
        if not isinstance(plan.out, Url):
            if not plan.settings.dry:
                make_folder(plan.out)
            self._ledger = Ledger(plan.out, plan.run, write=not plan.settings.dry)
        with _model(plan) as model:
            colorizer = Colorizer(
                model, provider=plan.provider, threads=plan.threads, working_size=plan.working_size
            )
            self._bench = Elsewhere(colorizer, plan.settings, self._ledger, (places[0], places[1]), plan.run)

    def _answer(self, item: dict[str, Any]) -> str:
        if "failed" in item:
            return to_json(Record(item["source"], None, "failed", item["failed"]))
        job = self._plan.names.job(
            Source(as_path(item["source"]), Path(item["below"])), compare=self._plan.compare
        )
        try:
            return to_json(self._record(job, item))
        except Exception as error:  # noqa: BLE001 - one photograph among millions ends no run
            reason = f"{job.source}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
            return to_json(Record(str(job.source), None, "failed", reason))

    def _record(self, job: Job, item: dict[str, Any]) -> Record:
        if self._ledger is not None:
            name = [line["result"] for line in item["lines"][:1]] if item["renewed"] else []
            self._ledger.learn(item["lines"], name)
            self._sweep(job.target.parent)
        for pause in _PAUSES:
            record = self._bench.record(job, Watch())
            if isinstance(record, Record):
                return self._own(record, job)
            time.sleep(pause)
        return self._own(self._bench.record_alone(job), job)

    def _own(self, record: Record, job: Job) -> Record:
        """Say of what a lost worker of this run made that it is done."""
        if record.status != "skipped" or self._plan.settings.dry or not self._bench.is_fresh(job):
            return record
        return dataclasses.replace(record, status="done", reason="by a worker that was lost then")

    def _sweep(self, folder: Path) -> None:
        if folder not in self._swept and not self._plan.settings.dry:
            self._swept.add(folder)
            leftovers.sweep([folder])


@contextmanager
def _model(plan: Plan) -> Iterator[str | Path]:
    """Give the model: one that is not bundled comes along. Raises UsageError where it is another one."""
    if plan.weights is None:
        if models.sha256(models.find(plan.model)) != plan.model_sha256:
            raise UsageError(
                f"{socket.gethostname()} has another {plan.model}: install one Tintype everywhere"
            )
        yield plan.model
        return
    import ray

    with tempfile.TemporaryDirectory(prefix="tintype-") as folder:
        path = Path(folder) / plan.model
        path.write_bytes(ray.get(plan.weights))
        yield path
