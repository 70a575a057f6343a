"""Run commands as whole processes, side by side, and print what they took.

Only the standard library: a child's peak memory counts what its parent held when it was started, so
the process that measures must be smaller than anything that it measures.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
MB: Final = 1e6
PAUSE: Final = 0.04  # s between two measurements in one process: threads of the one before go to sleep
_UNIT: Final = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, bytes
_LIBRARY_SETTINGS: Final = ("OPENBLAS_", "OMP_", "MKL_", "GOTO_")
_VERSIONS: Final = (
    "import importlib.metadata as m, json, platform, sys;"
    "print(json.dumps({'Python': platform.python_version()} | {d: m.version(d) for d in sys.argv[1:]}))"
)


@dataclass(frozen=True)
class Sample:
    """What one process took, all its threads and children together."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system."""
    peak: int
    """Bytes, the largest resident set."""


TAKEN: Final[dict[str, Callable[[Sample], float]]] = {
    "wall time": attrgetter("wall"),
    "CPU time": attrgetter("cpu"),
    "peak memory": attrgetter("peak"),
}


def parser(description: str | None, runs: int) -> argparse.ArgumentParser:
    """Build the parser that every benchmark starts from."""
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    options.add_argument("--runs", type=int, default=runs, metavar="N", help="rounds (default: %(default)s)")
    return options


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without settings of BLAS and OpenMP, with changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LIBRARY_SETTINGS)}
    return kept | changes


def run(command: Sequence[str | Path], folder: Path) -> Sample:
    """Run a command as a process of its own; raises CalledProcessError unless it exits with 0."""
    arguments = [str(word) for word in command]
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _UNIT)


def rounds(commands: Mapping[str, Sequence[str | Path]], runs: int, folder: Path) -> dict[str, list[Sample]]:
    """Run commands in turn, A B A B ..., after one round that is not counted (files come into memory)."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            sample = run(command, folder)
            if number:
                samples[name].append(sample)
        progress(number, runs)
    return samples


def progress(number: int, runs: int) -> None:
    """Say on standard error how far it is; round 0 is not counted."""
    print(f"round {number} of {runs}" if number else "warmed up", file=sys.stderr, flush=True)


def spread(values: Iterable[float], digits: int = 2) -> str:
    """Write values as `min / median / max`."""
    listed = list(values)
    parts = (min(listed), statistics.median(listed), max(listed))
    return " / ".join(f"{part:.{digits}f}" for part in parts)


def ratios(slow: Sequence[Sample], fast: Sequence[Sample]) -> dict[str, float]:
    """Return how many times more the first took of each: the median of the ratios pair by pair."""
    pairs = list(zip(slow, fast, strict=True))
    return {name: statistics.median(value(a) / value(b) for a, b in pairs) for name, value in TAKEN.items()}


def samples_table(samples: Mapping[str, Sequence[Sample]]) -> str:
    """Describe processes: wall and CPU time, peak memory, each as min / median / max."""
    rows = [
        [
            name,
            spread(s.wall for s in taken),
            spread(s.cpu for s in taken),
            spread((s.peak / MB for s in taken), 0),
        ]
        for name, taken in samples.items()
    ]
    return table(["min / median / max", "wall, s", "CPU, s", "peak memory, MB"], rows)


def verdict(reached: bool) -> str:  # noqa: FBT001 - what it puts into words
    """Say whether a target is reached."""
    return "reached" if reached else "**missed**"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table: the first column to the left, the others to the right."""
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(*distributions: str) -> str:
    """Describe the machine, its load now, and the versions at work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    noise = "" if load < 0.5 else " (not idle: trust ratios and CPU time only)"
    known = versions(distributions)
    return (
        f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}; load average {load:.2f} "
        f"at the start{noise}\n{known}\n"
    )


def versions(distributions: Iterable[str], python: Path | None = None) -> str:
    """Return versions of Python and of distributions, of this interpreter or of another one."""
    if python is not None:
        command = [str(python), "-c", _VERSIONS, *distributions]
        found: dict[str, str] = json.loads(subprocess.check_output(command, env=environment()))
    else:
        found = {"Python": platform.python_version()}
        found |= {name: importlib.metadata.version(name) for name in distributions}
    return ", ".join(f"{name} {version}" for name, version in found.items())


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return named[0] if named else platform.machine()
    return platform.processor() or platform.machine()
