"""Several processes that train one network, by torch's own DistributedDataParallel.

    torchrun --nproc_per_node=2 train.py ...

Each process takes its share of every batch, and gradients are averaged before each step, so that all hold
the same network. What they must agree on - that all is prepared, when to stop, what the loss is - goes
through here. A process that torchrun did not start is a world of its own, in which nothing of this happens.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from tintype import interrupts
from tintype.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn
    from torch.distributed.distributed_c10d import Store

    from torch_model.config import TrainConfig

_T = TypeVar("_T")
_PATIENCE: Final = timedelta(days=2)  # for photographs to be decoded by one process, while the others wait
_LOST: Final = ("gloo", "nccl", "connection", "socket", "broken pipe", "timed out")  # in what torch says


class PeerError(RuntimeError):
    """Another process of this job failed, and said why."""


@dataclass(frozen=True)
class World:
    """The processes that train together, as one of them sees it."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Among those of its machine."""
    patient: Any = None
    """The group in which they wait for one another for long."""

    @property
    def first(self) -> bool:
        """Whether this is the one that validates, and writes all there is to write."""
        return self.rank == 0

    def in_turn(self, work: Callable[[], _T]) -> _T:
        """Return what `work` does here: first in one process, then in one of each other machine, then in all.

        So files that are made once are made once. If it fails anywhere it fails everywhere: with its own
        error there, with PeerError in the other processes.
        """
        if self.size == 1:
            return work()
        turn = 0 if self.first else 1 if self.local_rank == 0 else 2
        done: list[_T] = []
        for now in range(3):
            self._together(lambda: done.append(work()), wanted=now == turn)
        return done[0]

    def told(self, work: Callable[[], _T]) -> _T:
        """Return, in every process, what `work` gives in the first one; it fails everywhere as above."""
        if self.size == 1:
            return work()
        said: list[Any] = []
        self._together(lambda: said.append(work()), wanted=self.first)
        heard = said or [None]
        dist.broadcast_object_list(heard, 0, self.patient)
        return heard[0]  # type: ignore[no-any-return]

    def alike(self, value: str, what: str) -> None:
        """Raise UsageError, where it differs, unless all processes have the same value."""
        known = self.told(lambda: value)

        def compare() -> None:
            if known != value:
                raise UsageError(f"other {what} than rank 0 has: give all machines the same")

        if self.size > 1:
            self._together(compare, wanted=True)

    def largest(self, *values: int) -> list[int]:
        """Return, of each value, the largest of all processes."""
        if self.size == 1:
            return list(values)
        return self._reduced(torch.tensor(values), dist.ReduceOp.MAX).tolist()

    def total(self, count: int) -> int:
        """Return the sum of a count over all processes."""
        return int(self.sums(torch.tensor(count)))

    def sums(self, values: Tensor) -> Tensor:
        """Return the sums of values over all processes."""
        return self._reduced(values, dist.ReduceOp.SUM)

    def mean(self, values: Tensor) -> Tensor:
        """Return the means of values over all processes."""
        return self.sums(values) / self.size

    def wrap(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Return the network with gradients that are averaged over all processes."""
        if self.size == 1:
            return network
        devices = [device] if device.type == "cuda" else None
        return DistributedDataParallel(network, devices)

    def leave(self) -> None:
        """Wait until all are done, as a job is ended as soon as one process leaves with an exit code."""
        if hands_signals_on():
            interrupts.ignore()
        if self.size > 1:
            dist.barrier(self.patient)
            dist.destroy_process_group()

    def _together(self, work: Callable[[], object], *, wanted: bool) -> None:
        error = None
        if wanted:
            try:
                work()
            except Exception as caught:  # noqa: BLE001 - whatever it is, the others must not wait for ever
                error = caught
        failed = torch.tensor(error is not None, dtype=torch.int64)
        dist.all_reduce(failed, dist.ReduceOp.MAX, self.patient)
        if failed:
            raise error or PeerError

    def _reduced(self, values: Tensor, how: Any) -> Tensor:
        if self.size > 1:
            dist.all_reduce(values, how)
        return values


def started_by_torchrun() -> bool:
    """Say whether this is one of several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def hands_signals_on() -> bool:
    """Say whether a Ctrl-C comes twice: from the terminal, and from torchrun, which heard it too."""
    return dist.is_torchelastic_launched()


def silent() -> bool:
    """Say whether the first process says what this one would say."""
    return started_by_torchrun() and os.environ.get("RANK") != "0"


@contextlib.contextmanager
def said_once() -> Iterator[None]:
    """Have one process alone complain, where all complain alike."""
    with contextlib.ExitStack() as stack:
        if silent():
            nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        yield


def met() -> bool:
    """Say whether this process has joined the others of its job."""
    return dist.is_initialized()


def name() -> str:
    """Return what tells this process from the others of its job, to be written behind the program's name."""
    return f", rank {os.environ['RANK']}" if started_by_torchrun() else ""


def own_device(name: str) -> str:
    """Return the device of --device that is this process's: each has a GPU, by its number on its machine."""
    if not started_by_torchrun():
        return name
    if name.startswith(("cuda:", "mps")):
        raise UsageError(f"--device {name} cannot be shared by several processes: try --device cuda or cpu")
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return "cpu"


def join(device: torch.device) -> World:
    """Meet the other processes of this job, if torchrun started several. Raises UsageError."""
    if not started_by_torchrun():
        return World()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        store, rank, size = next(rendezvous("env://"))
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=_of_this_attempt(store), rank=rank, world_size=size)
        patient = dist.new_group(backend="gloo", timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"the processes of this job did not meet: {reason}") from error
    if silent():
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    return World(rank, size, int(os.environ.get("LOCAL_RANK", "0")), patient)


def _of_this_attempt(store: Store) -> Store:
    """Return the part of torchrun's store that belongs to its present attempt.

    torchrun keeps one store over its restarts, where processes would find their dead predecessors' addresses
    (pytorch issue 135712). It counts restarts for each machine alone: several need the README's variable.
    """
    if os.environ.get("GROUP_WORLD_SIZE", "1") != "1":
        return store
    return PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def check(config: TrainConfig) -> None:
    """Refuse what would be another run in shares of a batch. Raises UsageError."""
    if config.norm and config.accumulate > 1:
        raise UsageError(
            "--norm takes means over a whole batch, of which each part sees some photographs: "
            "leave it out, or train without --accumulate"
        )
    for option, share in {"--critic-share": config.critic_share, "--coherence": config.coherence}.items():
        if share and config.accumulate > 1:
            raise UsageError(
                f"{option} measures gradients over a whole batch: train this phase without --accumulate"
            )


def unsummed(network: Any, *, last: bool) -> contextlib.AbstractContextManager[None]:
    """Return a context in which gradients are summed over the processes only with a step's last part."""
    if last or not hasattr(network, "no_sync"):
        return contextlib.nullcontext()
    return network.no_sync()  # type: ignore[no-any-return]


def lost(error: RuntimeError) -> bool:
    """Say whether an error is about another process: that it failed, or is no longer there."""
    text, known = str(error).lower(), isinstance(error, PeerError | dist.DistError)
    return started_by_torchrun() and (known or any(word in text for word in _LOST))


def give_up(code: int) -> int:
    """End this process, one of several, with an exit code: torch's threads may abort on the usual way out."""
    if started_by_torchrun():
        sys.stderr.flush()
        os._exit(code)
    return code
