"""Compare cold processes: `tintype photo.jpg` and the original on Keras and TensorFlow.

    python -m benchmarks.cold_start --keras-python .venv-keras/bin/python
    python -m benchmarks.cold_start --keras-python .venv-keras/bin/python --fusion

With --fusion both sides run their network with a classifier: the original's is Inception-ResNet-v2.
The original's environment: see benchmarks/keras_original/requirements.txt. Tintype's is made anew, with
nothing but `pip install .`, unless --light-python names one.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import measure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from benchmarks.measure import Sample

ORIGINAL: Final = "original, Keras"
LIKE: Final = "tintype, 256 px"
DEFAULT: Final = "tintype, as it comes"
_SCRIPTS: Final = Path(__file__).parent / "keras_original"
_PACKAGED: Final = ("pyproject.toml", "README.md", "LICENSE")
_SITE: Final = "import sys; print(sys.prefix)"


@dataclass(frozen=True)
class Case:
    """What is compared, and what is aimed at."""

    make: str
    """The script that writes the original's files."""
    files: tuple[str, ...]
    colorize: str
    """The script that colorizes by them."""
    model: str
    """Tintype's."""
    less: dict[str, float]
    """By what factor Tintype should take less."""
    most_memory: float
    """MB, of Tintype's process."""


CLASSIC: Final = Case(
    "make_model.py",
    ("beta.keras",),
    "colorize.py",
    "classic",
    {"wall time": 6.0, "CPU time": 5.0, "peak memory": 4.0, "on disk": 8.0},
    150.0,
)
FUSION: Final = Case(
    "make_fusion.py",
    ("irv2.keras", "fusion.keras"),
    "colorize_fusion.py",
    "fusion",
    {"wall time": 15.0, "peak memory": 4.0, "model files": 6.0},
    280.0,
)


def main() -> int:
    """Run the comparison; return the exit code."""
    options = arguments()
    case = FUSION if options.fusion else CLASSIC
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        light = absolute(options.light_python) if options.light_python else make_environment(folder)
        heavy = absolute(options.keras_python)
        print(measure.machine())
        print(f"- tintype: {measure.versions(['tintype', 'onnxruntime', 'numpy', 'pillow'], light)}")
        known = ["keras", "tensorflow-cpu", "scikit-image", "numpy", "pillow"]
        print(f"- original: {measure.versions(known, heavy)}\n")
        subprocess.run([sys.executable, "-m", "benchmarks.photos", name], cwd=measure.ROOT, check=True)
        made = [folder / name for name in case.files]
        subprocess.run([heavy, _SCRIPTS / case.make, *made], check=True, stderr=subprocess.DEVNULL)
        samples = measure.rounds(commands(case, light, heavy), options.runs, folder)
        sizes = {
            "on disk": (disk(heavy), disk(light)),
            "model files": (sum(path.stat().st_size for path in made), file_of(case.model).stat().st_size),
        }
    report(case, samples, sizes)
    return 0


def arguments() -> argparse.Namespace:
    """Read the options."""
    parser = measure.parser(__doc__, 10)
    add = parser.add_argument
    add(
        "--keras-python",
        type=Path,
        required=True,
        metavar="PATH",
        help="Python of the original's environment",
    )
    add("--fusion", action="store_true", help="the networks with a classifier")
    add("--light-python", type=Path, metavar="PATH", help="Python of one with only Tintype; else made anew")
    return parser.parse_args()


def absolute(python: Path) -> Path:
    """Return an interpreter's path from the root, through no link: a link is what makes an environment."""
    return Path(os.path.abspath(python))  # noqa: PTH100 - resolve() would leave the environment


def make_environment(folder: Path) -> Path:
    """Make an environment with only Tintype in it; return its interpreter.

    It is installed from a copy, so that no build folder appears in the working tree.
    """
    copy, python = folder / "source", folder / "light" / "bin" / "python"
    shutil.copytree(measure.ROOT / "runtime", copy / "runtime", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in _PACKAGED:
        shutil.copy(measure.ROOT / name, copy)
    print("making an environment with only Tintype", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", folder / "light"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", copy], check=True)
    return python


def file_of(model: str) -> Path:
    """Return a bundled model's file in the working tree."""
    return measure.ROOT / "runtime" / "tintype" / "models" / f"{model}.onnx"


def commands(case: Case, light: Path, heavy: Path) -> dict[str, list[str | Path]]:
    """Return the command lines of one round."""
    tintype: list[str | Path] = [
        light.with_name("tintype"),
        "small.jpg",
        "--overwrite",
        "--model",
        case.model,
    ]
    return {
        ORIGINAL: [heavy, _SCRIPTS / case.colorize, *case.files, "small.jpg", "original.jpg"],
        LIKE: [*tintype, "--working-size", "256"],
        DEFAULT: tintype,
    }


def disk(python: Path) -> int:
    """Return the bytes of all files in an interpreter's environment."""
    root = subprocess.check_output([python, "-c", _SITE], text=True).strip()
    paths = (Path(parent, file) for parent, _, files in os.walk(root) for file in files)
    return sum(path.lstat().st_size for path in paths)


def report(case: Case, samples: dict[str, list[Sample]], sizes: dict[str, tuple[int, int]]) -> None:
    """Print the tables."""
    print(measure.samples_table(samples))
    print(f"\nOriginal to Tintype, pair by pair, median of {len(samples[LIKE])}:\n")
    ours = samples[LIKE], samples[DEFAULT]
    less = [measure.ratios(samples[ORIGINAL], taken) for taken in ours]
    less = [ratios | {name: heavy / light for name, (heavy, light) in sizes.items()} for ratios in less]
    rows = [_less_row(name, target, [ratios[name] for ratios in less]) for name, target in case.less.items()]
    peaks = [statistics.median(s.peak / measure.MB for s in taken) for taken in ours]
    rows.append(_peak_row(peaks, case.most_memory))
    print(measure.table(["", LIKE, DEFAULT, "target", ""], rows))
    for name, (heavy, light) in sizes.items():
        said = f"original {heavy / measure.MB:.0f} MB, Tintype {light / measure.MB:.0f} MB"
        print(f"\n{name.capitalize()}: {said}.")


def _less_row(name: str, target: float, ratios: Sequence[float]) -> list[str]:
    words = [f"{ratio:.1f}x less" for ratio in ratios]
    return [name, *words, f"{target:g}x less", measure.verdict(min(ratios) >= target)]


def _peak_row(peaks: Sequence[float], most: float) -> list[str]:
    words = [f"{peak:.0f} MB" for peak in peaks]
    return ["its peak", *words, f"under {most:g} MB", measure.verdict(max(peaks) < most)]


if __name__ == "__main__":
    sys.exit(main())
