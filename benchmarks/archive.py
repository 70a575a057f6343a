"""What an archive costs: where the time of a photograph goes, one worker against two.

    python -m benchmarks.archive
    python -m benchmarks.archive --workers --runs 2

Photographs of 2 and 24 megapixels (an example enlarged, grey, with grain, as JPEG) go through each step
alone, on one thread; CPU time is taken, which other work changes little. From it follows what millions cost.
With --workers `tintype cluster` runs with one and with two in turn: wall time, from the first answer to
the last.
"""

from __future__ import annotations

import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from benchmarks import measure
from tintype import Colorizer, image as images, output
from tintype.develop import render
from tintype.encoding import encode
from tintype.merge import strips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tintype.merge import Merger
    from tintype.photo import Photo

SIZES: Final = {"2 MP": (1632, 1224), "24 MP": (6000, 4000)}
COUNTS: Final = {"1 million": 1e6, "1 billion": 1e9}
EXAMPLE: Final = measure.ROOT / "examples" / "astronaut.jpg"
STEPS: Final = ("decode", "prepare", "network", "merge", "encode")
SMALL: Final = (800, 600)
MANY: Final = 64


def main() -> int:
    """Print the tables."""
    options = measure.parser(__doc__, 3)
    options.add_argument("--model", default="default")
    options.add_argument("--workers", action="store_true", help="also one worker against two, through Ray")
    chosen = options.parse_args()
    print(measure.machine("numpy", "pillow", "onnxruntime"))
    with tempfile.TemporaryDirectory() as name:
        if chosen.workers:
            print(_workers(Path(name), chosen.model, chosen.runs))
            return 0
        colorizer = Colorizer(chosen.model, threads=1)
        taken = {size: _split(_photo(Path(name), size), colorizer, chosen.runs) for size in SIZES}
    print(_steps(taken))
    print()
    print(_costs(taken))
    return 0


class Taken:
    """What one photograph took: CPU seconds by step, and bytes."""

    def __init__(
        self, seconds: dict[str, float], whole: float, io: float, sizes: tuple[int, int], peak: int
    ) -> None:
        self.seconds, self.whole, self.io, self.sizes, self.peak = seconds, whole, io, sizes, peak


def _photo(folder: Path, size: str) -> Path:
    """Make a grey photograph with grain."""
    with Image.open(EXAMPLE) as opened:
        grey = np.asarray(opened.convert("L").resize(SIZES[size], Image.Resampling.BICUBIC), np.float32)
    grain = np.random.default_rng(0).normal(0, 4, grey.shape)
    path = folder / f"{SIZES[size][0]}.jpg"
    Image.fromarray(np.clip(grey + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
    return path


def _split(path: Path, colorizer: Colorizer, runs: int) -> Taken:
    """Take the CPU time of each step alone, and of the whole; medians."""
    photo = images.read(path)
    lightness, _ = colorizer.prepare(photo)
    merger = colorizer.predict(lightness).merger(*photo.size)
    image, _ = render(images.read(path), merger, 1)
    result = path.with_name(f"{path.stem}_color.jpg")
    steps: dict[str, Callable[[], object]] = {
        "decode": lambda: images.read(path),
        "prepare": lambda: colorizer.prepare(photo),
        "network": lambda: colorizer.predict(lightness),
        "merge": lambda: _merged(photo, merger),
        "encode": lambda: encode(image, photo, io.BytesIO(), "JPEG"),
        "whole": lambda: colorizer.colorize_file(path, result),
    }
    medians = {name: statistics.median(_cpu(step) for _ in range(runs)) for name, step in steps.items()}
    files = statistics.median(_wall(lambda: _copy(result)) for _ in range(runs))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    whole = medians.pop("whole")
    return Taken(medians, whole, files, (path.stat().st_size, result.stat().st_size), peak)


def _merged(photo: Photo, merger: Merger) -> None:
    for _ in strips(photo.rows, merger, 1):
        pass


def _cpu(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


def _wall(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def _copy(path: Path) -> None:
    """Write a result as it is written: a new file, synced, that takes a name."""
    with output.replacing(path.with_name("copy.jpg")) as file:
        file.write(path.read_bytes())


def _steps(taken: dict[str, Taken]) -> str:
    rows = []
    for size, one in taken.items():
        parts = [
            f"{1000 * one.seconds[name]:.0f} ({100 * one.seconds[name] / one.whole:.0f} %)" for name in STEPS
        ]
        rows.append([size, *parts, f"{1000 * one.whole:.0f}", f"{1000 * one.io:.0f}"])
    return measure.table(["ms of CPU time", *STEPS, "whole", "write and sync (wall)"], rows)


def _costs(taken: dict[str, Taken]) -> str:
    header = ["", "photos/s of a core", "in", "out", "peak of a worker"]
    header += [f"{count}: {what}" for count in COUNTS for what in ("core hours", "traffic")]
    rows = []
    for size, one in taken.items():
        came, went = one.sizes
        row = [
            size,
            f"{1 / one.whole:.2f}",
            f"{came / 1e6:.2f} MB",
            f"{went / 1e6:.2f} MB",
            f"{one.peak / 1e6:.0f} MB",
        ]
        for count in COUNTS.values():
            row += [f"{one.whole * count / 3600:,.0f}", f"{(came + went) * count / 1e12:,.1f} TB"]
        rows.append(row)
    return measure.table(header, rows)


def _workers(folder: Path, model: str, runs: int) -> str:
    """Return photographs a second of one and of two workers, in turn."""
    scans = folder / "scans"
    scans.mkdir()
    with Image.open(EXAMPLE) as opened:
        small = opened.convert("L").resize(SMALL)
    for number in range(MANY):
        small.save(scans / f"{number}.jpg", quality=90)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for number in range(runs):
        for count, found in rates.items():
            found.append(
                _rate([str(scans), "-o", str(folder / f"{number}-{count}"), "--actors", str(count)], model)
            )
    rows = [[str(count), measure.spread(found)] for count, found in rates.items()]
    ratio = statistics.median(b / a for a, b in zip(rates[1], rates[2], strict=True))
    table = measure.table(["workers", "photographs/s, min / median / max"], rows)
    load = os.getloadavg()[0]
    said = f"efficiency {50 * ratio:.0f} %; load average {load:.1f}"
    return f"{table}\n\ntwo do {ratio:.2f} times what one does: {said}"


def _rate(arguments: Iterable[str], model: str) -> float:
    command = [sys.executable, "-m", "tintype", "cluster", *arguments, "--model", model, "--json"]
    times: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            assert json.loads(line)["status"] == "done", line
            times.append(time.monotonic())
    assert len(times) == MANY, "the run failed"
    first = sum(moment - times[0] < 0.1 for moment in times)  # the first answer brings several
    return (MANY - first) / (times[-1] - times[0])


if __name__ == "__main__":
    sys.exit(main())
