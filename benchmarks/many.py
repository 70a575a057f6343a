"""Very many small photographs in one run, and several at a time: `python -m benchmarks.many`.

The command line colorizes a folder; its resident set is read at every photograph. Drift is the median of the
last tenth against that of the second tenth: by then all that is loaded once has been. With --jobs-too, larger
photographs are colorized one, two and four at a time.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from benchmarks import measure, road

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT: Final = 10_000
DRIFT: Final = 0.05
SMALL: Final = (64, 48)
LARGE: Final = (4000, 3000)
LARGES: Final = 12
_KINDS: Final = ("jpg", "png", "tif", "webp", "bmp")


def main() -> int:
    """Colorize, watch memory, and say how much it grew; return 1 if that is too much."""
    options = measure.parser(__doc__, 1)
    options.add_argument("--count", type=int, default=COUNT)
    options.add_argument("--model", default=str(road.STUB))
    options.add_argument("--working-size", default="64")
    options.add_argument("--jobs", default="1")
    options.add_argument("--jobs-too", action="store_true")
    chosen = options.parse_args()
    print(measure.machine("numpy", "pillow", "onnxruntime"))
    arguments = ["--model", chosen.model, "--working-size", chosen.working_size]
    with tempfile.TemporaryDirectory() as name:
        if chosen.jobs_too:
            print(_several(Path(name), arguments))
            return 0
        folder = _small(Path(name) / "in", chosen.count)
        more = [*arguments, "--jobs", chosen.jobs]
        sizes, seconds = _watched([str(folder), "-o", f"{name}/out", "-r", *more], chosen.count)
        return _flat(sizes, seconds, chosen.count)


def _flat(sizes: Sequence[int], seconds: float, count: int) -> int:
    tenth = max(1, count // 10)
    early, late = statistics.median(sizes[tenth : 2 * tenth]), statistics.median(sizes[-tenth:])
    drift = late / early - 1
    print(f"{len(sizes)} photographs of {count} in {seconds:.0f} s, {count / seconds:.0f} a second")
    print(f"resident set {early / 1e6:.1f} MB, then {late / 1e6:.1f} MB, at most {max(sizes) / 1e6:.1f} MB")
    good = drift < DRIFT and len(sizes) == count
    print(f"drift {100 * drift:+.2f} %, {measure.verdict(good)}")
    return int(not good)


def _watched(arguments: list[str], count: int) -> tuple[list[int], float]:
    """Run the command line; return its resident set at each photograph, bytes, and the seconds of all."""
    command = [sys.executable, "-m", "tintype", *arguments, "--json", "--threads", "1"]
    start, sizes = time.monotonic(), list[int]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["status"] == "done" and len(sizes) < count:
                sizes.append(_resident(process.pid) or sizes[-1])
    return sizes, time.monotonic() - start


def _resident(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):  # it has ended
        return 0


def _several(folder: Path, arguments: list[str]) -> str:
    """Return a table of time and memory with one, two and four photographs at a time."""
    place = folder / "large"
    place.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    photo = Image.fromarray(noise).resize(LARGE, Image.Resampling.BICUBIC)
    for number in range(LARGES):
        photo.save(place / f"{number}.jpg", quality=92)
    rows = []
    for jobs in (1, 2, 4):
        command = [sys.executable, "-m", "tintype", str(place), "-o", str(folder / str(jobs)), *arguments]
        sample = measure.run([*command, "--jobs", str(jobs)], folder)
        rows.append([str(jobs), f"{sample.wall:.1f}", f"{sample.cpu:.1f}", f"{sample.peak / 1e6:.0f}"])
    return measure.table(["photographs at a time", "wall, s", "CPU, s", "peak memory, MB"], rows)


def _small(folder: Path, count: int) -> Path:
    """Make small photographs of five formats in a tree of folders of a hundred."""
    random = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number // 100:03}" / f"{number:05}.{_KINDS[number % len(_KINDS)]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
        small.resize(SMALL, Image.Resampling.BICUBIC).save(path)
    return folder


if __name__ == "__main__":
    sys.exit(main())
