"""Jobs in a thread of their own: in turn, cancelled, replaced by newer ones, and never dead for long."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tintype.errors import CancelledError
from tintype.gui.jobs import Job, Jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tintype.watch import Watch

LONG = 120.0  # s: a test that waits so long has failed


class Bench:
    """Jobs, and what became of them."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failed: list[tuple[str, Exception]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.jobs = Jobs(lambda job, error: self.failed.append((job.kind, error)))

    def put(self, kind: str, name: str, *, replaces: bool = False, patient: bool = False) -> None:
        """Have a job done that only notes its name."""
        self.jobs.put(Job(kind, lambda _: self.done.append(name), replaces=replaces, patient=patient))

    def block(self, kind: str = "long") -> None:
        """Have the thread busy until `go`, or until it is cancelled."""

        def work(watch: Watch) -> None:
            self.begun.set()
            while not self.go.wait(0.001):
                watch.check()
            self.done.append(kind)

        self.jobs.put(Job(kind, work))
        assert self.begun.wait(LONG)

    @staticmethod
    def wait(condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + LONG
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.001)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Return jobs that are closed at the end."""
    made = Bench()
    yield made
    made.go.set()
    made.jobs.close()


def test_in_turn(bench: Bench) -> None:
    """Jobs are done in the order they came, those that are patient last."""
    bench.block()
    bench.put("warm", "patient", patient=True)
    for name in "abc":
        bench.put("save", name)
    assert bench.jobs.waits("save")
    assert not bench.jobs.waits("open")
    bench.go.set()
    bench.wait(lambda: len(bench.done) == 5)
    assert bench.done == ["long", "a", "b", "c", "patient"]


def test_newest_only(bench: Bench) -> None:
    """A job that replaces takes the place of those of its kind that wait, and of no others."""
    bench.block()
    for name in "abc":
        bench.put("spread", name, replaces=True)
        bench.put("save", name)
    bench.go.set()
    bench.wait(lambda: len(bench.done) == 5)
    assert bench.done == ["long", "a", "b", "c", "c"]
    assert not bench.failed


def test_cancel(bench: Bench) -> None:
    """Cancelling ends the job under way and drops those that wait, of the kinds named alone."""
    bench.block("open")
    bench.put("colorize", "dropped")
    bench.put("save", "kept")
    bench.jobs.cancel({"open", "colorize"})
    bench.wait(lambda: bench.done == ["kept"])
    ((kind, error),) = bench.failed
    assert kind == "open"
    assert isinstance(error, CancelledError)


def test_others_are_not_cancelled(bench: Bench) -> None:
    """A job of another kind goes on when others are cancelled."""
    bench.block("save")
    bench.jobs.cancel({"open"})
    bench.go.set()
    bench.wait(lambda: bench.done == ["save"])
    assert not bench.failed


def test_errors_are_told(bench: Bench) -> None:
    """A job that raises is told of, and the next one is done."""
    bench.jobs.put(Job("bad", lambda _: next(iter(()))))
    bench.put("good", "good")
    bench.wait(lambda: bench.done == ["good"])
    ((kind, error),) = bench.failed
    assert (kind, type(error)) == ("bad", StopIteration)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_dead_thread(bench: Bench) -> None:
    """A thread that died is found out, once, and another one does what waits."""

    def die(_watch: Watch) -> None:
        raise GeneratorExit

    assert bench.jobs.ensure()
    bench.jobs.put(Job("deadly", die))
    bench.wait(lambda: not bench.jobs._thread.is_alive())
    bench.put("next", "next")
    assert not bench.jobs.ensure()
    bench.wait(lambda: bench.done == ["next"])
    assert bench.jobs.ensure()


@pytest.mark.parametrize("kept", [True, False])
def test_close(bench: Bench, kept: bool) -> None:  # noqa: FBT001
    """At the end what is kept is finished, all else is cancelled, and what waits is not begun."""
    bench.block()
    bench.put("save", "dropped")
    threading.Timer(0.05, bench.go.set if kept else lambda: None).start()
    bench.jobs.close({"long"} if kept else ())
    assert bench.done == (["long"] if kept else [])
    assert [kind for kind, _ in bench.failed] == ([] if kept else ["long"])
    assert bench.jobs.ensure()
