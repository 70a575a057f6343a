"""Compare the bundled models: each a cold `tintype photo.jpg`, in turn.

python -m benchmarks.models
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import measure


def main() -> int:
    """Run every model; return the exit code."""
    options = measure.parser(__doc__, 10).parse_args()
    print(measure.machine("tintype", "onnxruntime", "numpy", "pillow"))
    names = sorted(path.stem for path in (measure.ROOT / "runtime" / "tintype" / "models").glob("*.onnx"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "benchmarks.photos", folder], cwd=measure.ROOT, check=True)
        start = [sys.executable, "-m", "tintype", "small.jpg", "--overwrite", "--model"]
        samples = measure.rounds({name: [*start, name] for name in names}, options.runs, Path(folder))
    print(measure.samples_table(samples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
