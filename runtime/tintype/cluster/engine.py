"""Ray: a cluster to be found or started, a pool of workers, and their answers as they come."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tintype import interrupts
from tintype.cluster import listing
from tintype.cluster.worker import Worker
from tintype.errors import TintypeError, UsageError
from tintype.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tintype.cluster.plan import Plan

OWN: Final = "local"
"""An address: Ray is started here, for this run alone."""
_PATIENCE: Final = 30.0
"""Seconds that a cluster may take to answer. Ray itself waits for minutes, and ends the process then."""
_STORE: Final = 100 << 20
"""Bytes of shared memory of a Ray of our own: names and records are all that goes through it."""
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True)
class Pool:
    """How many workers there are, and what each takes."""

    actors: int | None
    """None for as many as the cluster has room for."""
    threads: int
    gpus: float


def require() -> None:
    """Raise UsageError where Ray is not installed. Nothing else here may be called before."""
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    try:
        import ray
        import ray.data  # noqa: F401 - it has requirements of its own
    except ImportError as error:
        raise UsageError(f"tintype cluster needs Ray: pip install 'tintype[cluster]' ({error})") from None


def start(address: str | None, pool: Pool) -> None:
    """Find a cluster, or start one on this machine. Raises UsageError where that cannot be."""
    import ray

    address = address or os.environ.get("RAY_ADDRESS") or OWN
    own: dict[str, Any] = {}
    if address == OWN:
        own = {"include_dashboard": False, "object_store_memory": _STORE}
        if pool.actors is not None:
            own["num_cpus"] = pool.actors * pool.threads
    else:
        _check_address(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except SystemExit:
        raise UsageError(f"--address {address}: no Ray answers there") from None
    except Exception as error:
        interrupts.check()
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(f"--address {address}: {reason}") from error
    finally:
        with suppress(ValueError):  # Ray has put its own handlers in place of ours
            interrupts.renew()
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def stop() -> None:
    """Leave the cluster; one that was started here ends."""
    import ray

    ray.shutdown()


def keep(content: bytes) -> Any:
    """Put bytes where all workers can have them."""
    import ray

    return ray.put(content)


def size(pool: Pool) -> int:
    """Return how many workers there are to be. Raises UsageError where no machine has room for one."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    rooms = [_room(node, pool) for node in nodes]
    if not any(rooms):
        gpus = f" and {pool.gpus:g} GPUs" if pool.gpus else ""
        raise UsageError(
            f"no machine of the cluster has the {pool.threads} CPUs{gpus} that a worker takes: --threads"
        )
    return pool.actors or sum(rooms)


def records(plan: Plan, pool: Pool) -> Iterator[Record]:
    """Colorize an archive; yield what became of each photograph. Raises UsageError where workers cannot."""
    rows = _rows(plan, pool)
    for row in rows:
        if row["fault"]:
            raise UsageError(row["fault"])
        for line in json.loads(row["records"]):
            yield Record(**json.loads(line))


def _rows(plan: Plan, pool: Pool) -> Iterator[dict[str, str]]:
    """Run the pool: a source of chunks that is listed no faster than it is worked off, then actors."""
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = 1  # each chunk is a block: it goes to an actor as soon as it is listed
    context.target_min_block_size = 0
    count = size(pool)
    names = ray.data.read_datasource(_source(plan), override_num_blocks=1, num_cpus=0)
    answers = names.map(
        Worker,
        fn_constructor_args=(plan,),
        compute=ray.data.ActorPoolStrategy(size=count),
        num_cpus=pool.threads,
        num_gpus=pool.gpus,
    )
    try:
        yield from answers.iter_rows()
    except TintypeError:
        raise
    except Exception as error:
        interrupts.check()
        raise UsageError(f"Ray gave up: {_first_line(error)}") from error


def _source(plan: Plan) -> Any:
    """Return a source of Ray Data whose one task lists the archive, a block for each chunk."""
    import pyarrow as pa
    from ray.data import Datasource, ReadTask
    from ray.data.block import BlockMetadata

    def read() -> Iterable[Any]:
        try:
            for chunk in listing.chunks(plan):
                yield pa.table({"chunk": [json.dumps({"photos": chunk})]})
        except TintypeError as error:
            yield pa.table({"chunk": [json.dumps({"photos": [], "fault": str(error)})]})

    class Archive(Datasource):  # type: ignore[misc]
        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, *_: Any, **__: Any) -> list[Any]:
            known = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [ReadTask(read, known)]

    return Archive()


def _room(node: dict[str, float], pool: Pool) -> int:
    """Return how many workers a machine has room for."""
    room = int(node.get("CPU", 0) // pool.threads)
    return min(room, int(node.get("GPU", 0) / pool.gpus)) if pool.gpus else room


def _check_address(address: str) -> None:
    """See that a Ray answers at `HOST:PORT`; other addresses Ray itself checks at once. Raises UsageError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"--address {address}: it does not answer ({error})") from None
    if address.startswith("ray://"):
        return
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603 - fixed words
    except subprocess.TimeoutExpired:
        raise UsageError(f"--address {address}: what answers there is no Ray") from None
    if done.returncode:
        raise UsageError(f"--address {address}: what answers there is no Ray, or of another version")


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
