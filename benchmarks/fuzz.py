"""Break files at random and take each through open -> colorize -> save: `python -m benchmarks.fuzz`.

One process after the other takes a slice of the numbers; number n is always the same file. A process that
dies or hangs is a finding, as is any error but our own, a torn result, too much time or memory, a file that
stays open. What is found lies in --findings, with the number to try again: `--first N --count 1`.

Coverage is of the modules that a photograph goes through.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import hostile, mutations, road

SLICE: Final = 5000  # files a process
SHARE: Final = 1 / 3  # of the files that are to reach the network, at least
MEMORY: Final = 4 << 30  # bytes that a process may map
MODULES: Final = "image scan deep png pnm tiff profiles keepsakes provenance formats photo reduction"
WAY: Final = (*MODULES.split(), "develop", "colorizer", "merge", "lab", "encoding", "output")


@dataclass
class Totals:
    """What came of all slices."""

    files: int = 0
    reached: int = 0
    slowest: tuple[float, int] = (0.0, 0)
    peak: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def add(self, said: dict[str, Any]) -> None:
        """Add what a slice said."""
        self.files += said["files"]
        self.reached += said["reached"]
        self.slowest = max(self.slowest, tuple(said["slowest"]))
        self.peak = max(self.peak, said["peak"])
        self.counts.update(said["counts"])
        self.findings += said["findings"]


def main() -> int:
    """Run slices until all files were taken; return 1 if something was found."""
    options = _options()
    if options.child:
        _slice(options)
        return 0
    start, totals = time.monotonic(), Totals()
    with tempfile.TemporaryDirectory(dir=_memory_disk()) as folder:
        number, end = options.first, options.first + options.count
        while number < end:
            stop = min(end, number + SLICE)
            number = _one_slice(number, stop, Path(folder), options, totals)
            print(
                f"{number - options.first} of {options.count}, {_line(totals)}", file=sys.stderr, flush=True
            )
        _say(totals, time.monotonic() - start)
        if options.coverage:
            _coverage(Path(folder))
    return int(bool(totals.findings) or totals.reached < SHARE * totals.files)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=200_000, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first file")
    parser.add_argument("--findings", type=Path, default=Path("findings"), metavar="FOLDER")
    parser.add_argument("--coverage", action="store_true", help="needs the package coverage; takes longer")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _one_slice(number: int, stop: int, folder: Path, options: argparse.Namespace, totals: Totals) -> int:
    """Have a process take files; return the number to go on with."""
    said = folder / "said.json"
    said.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.fuzz", "--child", str(folder), "--first", str(number)]
    command += ["--count", str(stop - number), "--findings", str(options.findings)]
    with (folder / "errors").open("wb") as errors:
        done = subprocess.run(
            command + ["--coverage"] * options.coverage, stderr=errors, cwd=road.ROOT, check=False
        )
    if done.returncode == 0:
        totals.add(json.loads(said.read_bytes()))
        return stop
    at = int((folder / "at").read_text(encoding="ascii"))
    tail = (folder / "errors").read_text(errors="replace")[-3000:]
    reason = f"the process ended with {done.returncode}: {tail}"
    totals.findings.append(_found(at, reason, options.findings))
    totals.files += at - number + 1
    return at + 1


def _slice(options: argparse.Namespace) -> None:
    """Take files one after the other, in this process."""
    measured = _measured(options.child) if options.coverage else contextlib.nullcontext()
    _limit()
    with measured:
        way = road.Road(_work(options.child))
        files, findings = hostile.seeds(), list[dict[str, Any]]()
        names, opened = sorted(files), 0
        for number in range(options.first, options.first + options.count):
            (options.child / "at").write_text(str(number), encoding="ascii")
            faulthandler.dump_traceback_later(3 * road.PATIENCE, exit=True)
            name, content = mutations.mutant(number, names, files)
            try:
                way.take(name, content, number)
            except road.Finding as finding:
                findings.append(_found(number, str(finding), options.findings))
            opened = opened or road.open_files()
    faulthandler.cancel_dump_traceback_later()
    if road.open_files() > opened + 4:
        findings.append(_found(options.first, f"{road.open_files()} files stay open", options.findings))
    said = {"files": options.count, "reached": way.reached, "slowest": way.slowest}
    said |= {"peak": road.peak_memory(), "counts": way.counts, "findings": findings}
    (options.child / "said.json").write_text(json.dumps(said), encoding="ascii")


def _found(number: int, reason: str, folder: Path) -> dict[str, Any]:
    """Keep the file with that number."""
    files = hostile.seeds()
    name, content = mutations.mutant(number, sorted(files), files)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}-{name}").write_bytes(content)
    print(f"{number} ({name}): {reason}", file=sys.stderr, flush=True)
    return {"number": number, "name": name, "reason": reason}


def _work(folder: Path) -> Path:
    place = folder / "work"
    place.mkdir(exist_ok=True)
    for left in place.iterdir():  # of a process that died
        left.unlink()
    return place


def _limit() -> None:
    """Have memory run out before the machine's does."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ["OMP_NUM_THREADS"] = "1"


def _memory_disk() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of a random name in it


def _measured(folder: Path) -> Any:
    """Return what measures which lines are run, from before the modules are imported."""
    import coverage

    data = coverage.Coverage(
        data_file=folder / "coverage" / ".coverage", data_suffix=True, source_pkgs=["tintype"]
    )
    (folder / "coverage").mkdir(exist_ok=True)
    data.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured"])
    stack = contextlib.ExitStack()
    data.start()
    stack.callback(data.save)
    stack.callback(data.stop)
    return stack


def _coverage(folder: Path) -> None:
    """Print which share of the lines of each module was run."""
    import coverage

    data = coverage.Coverage(data_file=folder / "coverage" / ".coverage")
    data.combine()
    lines = run = 0
    for name in WAY:
        path = road.ROOT / "runtime" / "tintype" / f"{name}.py"
        _, statements, _, missing, _ = data.analysis2(str(path))
        lines, run = lines + len(statements), run + len(statements) - len(missing)
        print(f"{name:12} {100 - 100 * len(missing) / len(statements):5.1f} % of {len(statements)} lines")
    print(f"{'all':12} {100 * run / lines:5.1f} % of {lines} lines")


def _line(totals: Totals) -> str:
    share = 100 * totals.reached / max(1, totals.files)
    return f"{share:.1f} % reached the network, {len(totals.findings)} findings"


def _say(totals: Totals, seconds: float) -> None:
    print(f"{totals.files} files in {seconds:.0f} s, {totals.files / seconds:.0f} a second, {_line(totals)}")
    slowest, number = totals.slowest
    print(f"slowest {slowest:.2f} s (number {number}), largest resident set {totals.peak / 1e6:.0f} MB")
    print(", ".join(f"{count} {name}" for name, count in totals.counts.most_common()))
    for finding in totals.findings:
        print(f"{finding['number']} ({finding['name']}): {finding['reason']}")


if __name__ == "__main__":
    sys.exit(main())
