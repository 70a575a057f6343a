"""Open, colorize and save in the real window: times and memory of a whole process.

    python -m benchmarks.window

On the display there is, or a virtual one (Xvfb). 12 megapixels, and 100 under --large; the latter also
under a limit of 2 GB of data (RLIMIT_DATA).
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES: Final = {"visible": 0.8, "ready": 1.5, "on the screen": 0.15}  # seconds, at most
RESIDENT: Final = 350.0  # MB, with 12 megapixels open and colorized
PEAK: Final = 1300.0  # MB, of 100 megapixels
LIMIT: Final = 2 << 30
_ENLARGE: Final = (
    "import sys; from PIL import Image; Image.MAX_IMAGE_PIXELS = None;"
    "Image.open(sys.argv[1]).resize((11600, 8700)).save(sys.argv[2], quality=90)"
)


def main() -> int:
    """Run all; return the exit code."""
    parser = measure.parser(__doc__, 5)
    parser.add_argument("--large", action="store_true", help="also 100 megapixels")
    options = parser.parse_args()
    print(measure.machine("tintype", "onnxruntime", "numpy", "pillow"))
    with tempfile.TemporaryDirectory() as name, display():
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "benchmarks.photos", name], cwd=measure.ROOT, check=True)
        for kind in ("color", "grey"):
            report_small(kind, [drive(folder / f"{kind}.jpg", folder) for _ in range(options.runs + 1)][1:])
        if options.large:
            large = folder / "large.jpg"
            subprocess.run([sys.executable, "-c", _ENLARGE, folder / "color.jpg", large], check=True)
            for limit in (None, LIMIT):
                report_large(drive(large, folder, limit), limit)
    return 0


def drive(photo: Path, folder: Path, limit: int | None = None) -> dict[str, float]:
    """Run one window; return what it took. Raises CalledProcessError."""
    target = folder / "saved.jpg"
    target.unlink(missing_ok=True)
    settings = folder / "settings"

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    child = Path(__file__).with_name("window_child.py")
    command = [sys.executable, str(child), str(photo), str(target), str(time.time())]
    environment = measure.environment(TINTYPE_CONFIG_DIR=str(settings))
    output = subprocess.check_output(command, env=environment, preexec_fn=restrict)
    took: dict[str, float] = json.loads(output)
    return took


def report_small(kind: str, runs: list[dict[str, float]]) -> None:
    """Print the table of 12 megapixels."""
    rows = [
        [name, measure.spread(run[name] for run in runs), *_verdict(name, runs)]
        for name in runs[0]
        if name not in {"resident", "peak"}
    ]
    for name in ("resident", "peak"):
        values = [run[name] / measure.MB for run in runs]
        reached = measure.verdict(statistics.median(values) < RESIDENT) if name == "resident" else ""
        rows.append([f"{name}, MB", measure.spread(values, 0), f"{RESIDENT:g}" if reached else "", reached])
    print(f"{kind}, 12 megapixels:\n")
    print(measure.table(["min / median / max", "s", "at most", ""], rows) + "\n")


def report_large(took: dict[str, float], limit: int | None) -> None:
    """Print one run of 100 megapixels."""
    peak = took["peak"] / measure.MB
    under = "" if limit is None else f", RLIMIT_DATA {limit / 2**30:g} GB"
    times = ", ".join(f"{name} {took[name]:.2f} s" for name in took if name not in {"resident", "peak"})
    print(f"color, 101 megapixels{under}: peak {peak:.0f} MB, {measure.verdict(peak < PEAK)}; {times}\n")


def _verdict(name: str, runs: list[dict[str, float]]) -> list[str]:
    most = TIMES.get(name)
    if most is None:
        return ["", ""]
    return [f"{most:g}", measure.verdict(statistics.median(run[name] for run in runs) < most)]


@contextmanager
def display() -> Iterator[None]:
    """Use the display there is, or a virtual one."""
    if os.environ.get("DISPLAY") or sys.platform in {"win32", "darwin"}:
        yield
        return
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        os.environ["DISPLAY"] = f":{answer.readline().strip()}"
    try:
        yield
    finally:
        del os.environ["DISPLAY"]
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
