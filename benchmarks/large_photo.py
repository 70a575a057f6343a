"""Colorize large photographs as whole processes, beside Pillow alone and a version that holds whole arrays.

    python -m benchmarks.large_photo
    python -m benchmarks.large_photo --kinds large large_grey large_rotated --model fusion
    python -m benchmarks.large_photo --kinds color.tif color.png plain.tif grey.tif huge.jpg huge_grey.jpg \
        --model fusion --runs 1

12 megapixels: a color, a grey, an EXIF-rotated and a progressive JPEG; 24: large...; 100 with 16 bits: *.tif
and *.png; 400 with 8 bits: huge... The same model file on both sides. --data-limit runs Tintype's processes
under RLIMIT_DATA.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks import measure

if TYPE_CHECKING:
    import argparse

    from benchmarks.measure import Sample

PILLOW, NAIVE, OURS = "Pillow alone", "whole arrays", "tintype"
MOST_TIME: Final = 4.0  # times Pillow's, wall, at 24 megapixels
_MODEL: Final = "import sys; from tintype import models; print(models.find(sys.argv[1]))"
_LIMITED: Final = (
    "import resource, sys; from tintype.cli import main;"
    "resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]),) * 2); sys.exit(main(sys.argv[2:]))"
)


class Kind(NamedTuple):
    """What is colorized."""

    size: str
    megabytes: float
    """The peak aimed at."""
    maker: str = "photos"
    """The module that makes it; of those that scans makes, Tintype alone is run."""
    timed: bool = False
    """Whether its time is held to Pillow's."""


SMALL: Final = ("color", "grey", "rotated", "progressive")
KINDS: Final = {
    **{f"{name}.jpg": Kind("4000x3000", 200) for name in SMALL},
    **{
        f"{name}.jpg": Kind("6000x4000", 300, timed=True) for name in ("large", "large_grey", "large_rotated")
    },
    **{
        name: Kind("10000x10000, 16 bits", 1000, "scans")
        for name in ("color.tif", "color.png", "plain.tif", "grey.tif", "grey.png")
    },
    **{name: Kind("20000x20000", 2500, "scans") for name in ("huge.jpg", "huge_grey.jpg")},
}


def main() -> int:
    """Run all kinds; return the exit code."""
    parser = measure.parser(__doc__, 5)
    add = parser.add_argument
    add("--kinds", nargs="+", type=_named, choices=KINDS, default=[f"{name}.jpg" for name in SMALL])
    add("--model", default="classic", help="a bundled name (%(default)s)")
    add("--megabytes", type=float, help="the peak aimed at, in place of each kind's own")
    add("--data-limit", type=float, metavar="MB", help="run under a limit of data")
    add("--skip-naive", action="store_true", help="run the command line alone")
    options = parser.parse_args()
    print(measure.machine("tintype", "onnxruntime", "numpy", "pillow", "scikit-image"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if any(KINDS[kind].maker == "photos" for kind in options.kinds):
            _make("photos", name)
        for kind in options.kinds:
            if KINDS[kind].maker == "scans":
                _make("scans", name, kind)
            samples = measure.rounds(commands(kind, options), options.runs, folder)
            report(kind, samples, options.megabytes or KINDS[kind].megabytes)
            if KINDS[kind].maker == "scans":
                for path in folder.glob(f"{Path(kind).stem}*"):
                    path.unlink()
    return 0


def _named(name: str) -> str:
    return name if "." in name else f"{name}.jpg"


def _make(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *arguments], cwd=measure.ROOT, check=True)


def commands(photo: str, options: argparse.Namespace) -> dict[str, list[str | Path]]:
    """Return the command lines of one round."""
    start: list[str | Path] = [sys.executable, "-m", "tintype"]
    if options.data_limit is not None:
        start = [sys.executable, "-c", _LIMITED, str(round(options.data_limit * measure.MB))]
    ours = [*start, photo, "--overwrite", "--model", options.model]
    if options.skip_naive or KINDS[photo].maker == "scans":
        return {OURS: ours}
    model = subprocess.check_output([sys.executable, "-c", _MODEL, options.model], text=True).strip()
    here = Path(__file__)
    return {
        PILLOW: [sys.executable, here.with_name("pillow_alone.py"), photo, "pillow.jpg"],
        NAIVE: [sys.executable, here.with_name("naive.py"), model, photo, "naive.jpg"],
        OURS: ours,
    }


def report(kind: str, samples: dict[str, list[Sample]], most: float) -> None:
    """Print the table of one kind."""
    ours = samples[OURS]
    peak = statistics.median(sample.peak / measure.MB for sample in ours)
    print(f"{kind}, {KINDS[kind].size}:\n\n{measure.samples_table(samples)}\n")
    if naive := samples.get(NAIVE):
        less = (f"{ratio:.1f}x less {name}" for name, ratio in measure.ratios(naive, ours).items())
        print(f"To whole arrays, pair by pair, median: {', '.join(less)}.")
    if pillow := samples.get(PILLOW):
        more = measure.ratios(ours, pillow)
        told = (
            f"To Pillow alone: {more['wall time']:.1f}x the wall time, {more['CPU time']:.1f}x the CPU time"
        )
        reached = f"; at most {MOST_TIME:g}x wall: {measure.verdict(more['wall time'] <= MOST_TIME)}"
        print(f"{told}{reached if KINDS[kind].timed else ''}.")
    print(f"Peak under {most:g} MB: {peak:.0f} MB, {measure.verdict(peak < most)}.\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
