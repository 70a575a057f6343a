"""Colorize 12 megapixels as a whole process, beside a version that holds whole arrays.

    python -m benchmarks.large_photo

A color, a grey, an EXIF-rotated and a progressive JPEG; the same model file on both sides.
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
    from benchmarks.measure import Sample

KINDS: Final = ("color", "grey", "rotated", "progressive")
MOST_MEMORY: Final = 200.0  # MB
_MODEL: Final = "from tintype import models; print(models.find('default'))"


def main() -> int:
    """Run all kinds; return the exit code."""
    parser = measure.parser(__doc__, 5)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of photographs")
    parser.add_argument("--skip-naive", action="store_true", help="run the command line alone")
    options = parser.parse_args()
    print(measure.machine("tintype", "onnxruntime", "numpy", "pillow", "scikit-image"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "benchmarks.photos", name], cwd=measure.ROOT, check=True)
        for kind in options.kinds:
            found = commands(kind, naive=not options.skip_naive)
            report(kind, measure.rounds(found, options.runs, folder))
    return 0


def commands(kind: str, *, naive: bool) -> dict[str, list[str | Path]]:
    """Return the command lines of one round."""
    photo = f"{kind}.jpg"
    ours: list[str | Path] = [sys.executable, "-m", "tintype", photo, "--overwrite"]
    if not naive:
        return {"tintype": ours}
    model = subprocess.check_output([sys.executable, "-c", _MODEL], text=True).strip()
    script = Path(__file__).with_name("naive.py")
    return {"whole arrays": [sys.executable, script, model, photo, f"{kind}_naive.jpg"], "tintype": ours}


def report(kind: str, samples: dict[str, list[Sample]]) -> None:
    """Print the table of one kind."""
    ours = samples["tintype"]
    peak = statistics.median(sample.peak / measure.MB for sample in ours)
    print(f"{kind}, 4000x3000:\n\n{measure.samples_table(samples)}\n")
    naive = samples.get("whole arrays")
    if naive:
        less = (f"{ratio:.1f}x less {name}" for name, ratio in measure.ratios(naive, ours).items())
        print(f"Pair by pair, median: {', '.join(less)}.")
    print(f"Peak under {MOST_MEMORY:g} MB: {peak:.0f} MB, {measure.verdict(peak < MOST_MEMORY)}.\n")


if __name__ == "__main__":
    sys.exit(main())
