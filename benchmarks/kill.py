"""Kill a batch again and again, at random moments: `python -m benchmarks.kill`.

A folder of photographs is colorized by the command line, killed with SIGKILL at a random moment, started
again, ... ; when all are done it begins anew in another folder, until it was killed often enough. After each
kill: what is there is, byte for byte, what an undisturbed run makes, and what was there before is untouched.
After the last run: nothing is missing, nothing is left over.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from benchmarks import measure, road

PHOTOS: Final = 200
KILLS: Final = 100
SIZE: Final = (700, 500)
_FOLDERS: Final = ("", "1950", "1950/summer", "1960")
_NAMES: Final = ("jpg", "png", "tif")
_JOURNAL: Final = ".tintype-journal"


@dataclass
class Tally:
    """What was seen."""

    kills: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    rounds: int = 0
    cut: int = 0
    """Kills after which a half-written file lay beside the results."""


def main() -> int:
    """Kill, look, and say what was seen; return 1 if anything was wrong."""
    options = measure.parser(__doc__, 1)
    options.add_argument("--photos", type=int, default=PHOTOS)
    options.add_argument("--kills", type=int, default=KILLS)
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    print(measure.machine("numpy", "pillow", "onnxruntime"))
    chance, tally = random.Random(chosen.seed), Tally()  # noqa: S311 - it is to be the same again
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make(folder / "in", chosen.photos)
        start = time.monotonic()
        _finish(folder, "wanted", chosen.jobs)
        took = time.monotonic() - start
        wanted = _results(folder / "wanted")
        assert len(wanted) == chosen.photos
        while tally.kills < chosen.kills:
            tally.rounds += 1
            out = f"out{tally.rounds}"
            _round(folder, out, wanted, chance, took / chosen.photos, chosen.jobs, chosen.kills, tally)
    _say(tally, chosen.photos, took)
    return int(bool(tally.faults))


def _round(  # noqa: PLR0917 - it is called once
    folder: Path,
    out: str,
    wanted: dict[str, bytes],
    chance: random.Random,
    pace: float,
    jobs: int,
    kills: int,
    tally: Tally,
) -> None:
    """Start the batch and kill it, again and again, until it is done."""
    place, before = folder / out, dict[str, tuple[int, int]]()
    told: Counter[str] = Counter()
    while tally.kills < kills:
        patience = chance.choice(
            (chance.uniform(0, 0.4), chance.uniform(0, 6 * pace), chance.uniform(0, 0.02))
        )
        ended, done = _killed(_command(folder, out, jobs), patience, chance.random() < 0.8)
        told.update(done)
        if ended:
            break
        tally.kills += 1
        tally.moments["before one was done" if not done else "among photographs"] += 1
        tally.cut += any(place.rglob("*.partial")) if place.is_dir() else 0
        before = _look(place, wanted, before, tally)
    _finish(folder, out, jobs)
    _look(place, wanted, before, tally)
    if missing := wanted.keys() - _results(place).keys():
        tally.faults.append(f"missing: {sorted(missing)}")
    if left := [str(path) for path in place.rglob("*.partial")]:
        tally.faults.append(f"left over: {left}")
    if again := [photo for photo, count in told.items() if count > 1]:
        tally.faults.append(f"done again: {again}")


def _killed(command: list[str], patience: float, after_first: bool) -> tuple[bool, list[str]]:  # noqa: FBT001
    """Run a command and kill it; return whether it ended by itself before, and the photographs it did.

    `after_first`: the time runs from the first photograph that it does, else from the start.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    said = b""
    while after_first and (line := process.stdout.readline()):
        said += line
        after_first = b'"status": "done"' not in line
    time.sleep(patience)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    lines = [line for line in (said + rest).split(b"\n")[:-1] if line]
    records = [json.loads(line) for line in lines]
    return process.returncode != -signal.SIGKILL, [r["input"] for r in records if r["status"] == "done"]


def _look(
    place: Path, wanted: dict[str, bytes], before: dict[str, tuple[int, int]], tally: Tally
) -> dict[str, tuple[int, int]]:
    """Compare what is there with what is to be there; return inode and time of each."""
    now = {}
    for name, content in _results(place).items():
        state = (place / name).stat()
        now[name] = state.st_ino, state.st_mtime_ns
        if content != wanted[name]:
            tally.faults.append(f"torn: {name}")
        if name in before and before[name] != now[name]:
            tally.faults.append(f"done again: {name}")
    tally.faults += [f"gone: {name}" for name in before.keys() - now.keys()]
    return now


def _results(place: Path) -> dict[str, bytes]:
    """Return what is in an output folder, but for the journal and what is half-written."""
    paths = [path for path in place.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in paths}


def _command(folder: Path, out: str, jobs: int) -> list[str]:
    options = ["--recursive", "--json", "--threads", "1", "--jobs", str(jobs), "--model", str(road.STUB)]
    return [sys.executable, "-m", "tintype", str(folder / "in"), "-o", str(folder / out), *options]


def _finish(folder: Path, out: str, jobs: int) -> None:
    subprocess.run(_command(folder, out, jobs), check=True, capture_output=True)


def _make(folder: Path, count: int) -> None:
    """Make photographs of several formats in a tree, each another one."""
    for number in range(count):
        path = folder / _FOLDERS[number % 4] / f"{number:03}.{_NAMES[number % 3]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        random_ = np.random.default_rng(number)
        small = Image.fromarray(random_.integers(0, 256, (9, 12), np.uint8))
        small.resize(SIZE, Image.Resampling.BICUBIC).save(path)


def _say(tally: Tally, photos: int, took: float) -> None:
    moments = ", ".join(f"{count} {moment}" for moment, count in sorted(tally.moments.items()))
    print(f"{tally.kills} kills in {tally.rounds} batches of {photos}; undisturbed, one takes {took:.1f} s")
    print(f"{moments}; after {tally.cut} a half-written file lay there")
    print(f"faults: {len(tally.faults)} {measure.verdict(not tally.faults)}")
    for fault in tally.faults:
        print(f"  {fault}")


if __name__ == "__main__":
    sys.exit(main())
