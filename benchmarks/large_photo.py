"""Colorize 12 megapixels as a whole process, beside a version that holds whole arrays.

    python -m benchmarks.large_photo
    python -m benchmarks.large_photo --kinds large --model fusion --megabytes 400

A color, a grey, an EXIF-rotated and a progressive JPEG, and a color one of 24 megapixels; the same model
file on both sides. --data-limit runs Tintype's processes under RLIMIT_DATA.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import measure

if TYPE_CHECKING:
    import argparse

    from benchmarks.measure import Sample

KINDS: Final = ("color", "grey", "rotated", "progressive")
LARGE: Final = "large"
MOST_MEMORY: Final = 200.0  # MB
_MODEL: Final = "import sys; from tintype import models; print(models.find(sys.argv[1]))"
_LIMITED: Final = (
    "import resource, sys; from tintype.cli import main;"
    "resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]),) * 2); sys.exit(main(sys.argv[2:]))"
)


def main() -> int:
    """Run all kinds; return the exit code."""
    parser = measure.parser(__doc__, 5)
    add = parser.add_argument
    add("--kinds", nargs="+", choices=(*KINDS, LARGE), default=KINDS, help="of photographs")
    add("--model", default="classic", help="a bundled name (%(default)s)")
    add("--megabytes", type=float, default=MOST_MEMORY, help="the peak aimed at (%(default)s)")
    add("--data-limit", type=float, metavar="MB", help="run under a limit of data")
    add("--skip-naive", action="store_true", help="run the command line alone")
    options = parser.parse_args()
    print(measure.machine("tintype", "onnxruntime", "numpy", "pillow", "scikit-image"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "benchmarks.photos", name], cwd=measure.ROOT, check=True)
        for kind in options.kinds:
            found = commands(kind, options)
            report(kind, measure.rounds(found, options.runs, folder), options.megabytes)
    return 0


def commands(kind: str, options: argparse.Namespace) -> dict[str, list[str | Path]]:
    """Return the command lines of one round."""
    photo = f"{kind}.jpg"
    start: list[str | Path] = [sys.executable, "-m", "tintype"]
    if options.data_limit is not None:
        start = [sys.executable, "-c", _LIMITED, str(round(options.data_limit * measure.MB))]
    ours = [*start, photo, "--overwrite", "--model", options.model]
    if options.skip_naive:
        return {"tintype": ours}
    model = subprocess.check_output([sys.executable, "-c", _MODEL, options.model], text=True).strip()
    script = Path(__file__).with_name("naive.py")
    return {"whole arrays": [sys.executable, script, model, photo, f"{kind}_naive.jpg"], "tintype": ours}


def report(kind: str, samples: dict[str, list[Sample]], most: float) -> None:
    """Print the table of one kind."""
    ours = samples["tintype"]
    peak = statistics.median(sample.peak / measure.MB for sample in ours)
    print(f"{kind}, {'6000x4000' if kind == LARGE else '4000x3000'}:\n\n{measure.samples_table(samples)}\n")
    naive = samples.get("whole arrays")
    if naive:
        less = (f"{ratio:.1f}x less {name}" for name, ratio in measure.ratios(naive, ours).items())
        print(f"Pair by pair, median: {', '.join(less)}.")
    print(f"Peak under {most:g} MB: {peak:.0f} MB, {measure.verdict(peak < most)}.\n")


if __name__ == "__main__":
    sys.exit(main())
