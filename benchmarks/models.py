"""Compare models: each a cold `tintype photo.jpg`, in turn.

python -m benchmarks.models
python -m benchmarks.models unet DIR/unet/unet-ab-int8.onnx --photo color.jpg
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import measure


def main() -> int:
    """Run every model; return the exit code."""
    parser = measure.parser(__doc__, 10)
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help="names or .onnx files; else all bundled ones"
    )
    parser.add_argument(
        "--photo", default="small.jpg", help="one of those of benchmarks.photos (%(default)s)"
    )
    options = parser.parse_args()
    print(measure.machine("tintype", "onnxruntime", "numpy", "pillow"))
    folder = measure.ROOT / "runtime" / "tintype" / "models"
    named = options.models or sorted(path.stem for path in folder.glob("*.onnx"))
    found = {Path(name).stem: str(Path(name).resolve()) if name.endswith(".onnx") else name for name in named}
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "benchmarks.photos", place], cwd=measure.ROOT, check=True)
        start = [sys.executable, "-m", "tintype", options.photo, "--overwrite", "--model"]
        commands = {name: [*start, model] for name, model in found.items()}
        samples = measure.rounds(commands, options.runs, Path(place))
    print(measure.samples_table(samples))
    for name in list(samples)[1:]:
        ratios = measure.ratios(samples[next(iter(samples))], samples[name])
        told = ", ".join(f"{what} {ratio:.2f}" for what, ratio in ratios.items())
        print(f"\n{next(iter(samples))} to {name}, pair by pair: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
