"""Time training steps: number formats, memory layouts, and the share that photographs take.

    python -m benchmarks.training

On the CPU and, where there is one, on a CUDA GPU. The steps are those of train.py, by its own
classes, on scikit-image's sample photographs; configurations take turns. The matrix rate is that of a large
square product in the same number format, measured in the same rounds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import measure
from torch_model import cache, photos
from torch_model.batches import Batches, Chosen
from torch_model.config import TrainConfig
from torch_model.run import Run
from train import step_once

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

PLAIN, LAST, BRAIN = "float32", "float32, channels last", "bfloat16, channels last"
FORMATS: Final[dict[str, dict[str, Any]]] = {
    PLAIN: {"precision": "fp32", "channels_last": False},
    LAST: {"precision": "fp32", "channels_last": True},
    BRAIN: {"precision": "bf16", "channels_last": True},
}
AUGMENTATIONS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "flips only": {"rotation": 0.0, "zoom": 0.0},
}
BATCH: Final = {64: 32, 128: 16, 256: 8}  # on the CPU
ON_CUDA: Final = 8  # times as many photographs a step, and as many steps timed together
PHOTOS: Final = 512
FASTER: Final = 2.0
LEAST_SHARE: Final = 0.35  # of the matrix rate, on a GPU
SIDE: Final = {"cpu": 2048, "cuda": 8192}  # of the square matrices
PRODUCTS: Final = {"cpu": 2, "cuda": 20}  # timed together
MOST_SHARE: Final = 0.15
_ENDLESS: Final = 10**9  # steps of the run, for its schedule


@dataclass
class Trial:
    """A run in one configuration and the seconds that its steps took."""

    run: Run
    batches: Batches
    steps: int
    """Timed together: a GPU's queue must not run empty between them."""

    def __post_init__(self) -> None:
        self.step_seconds: list[float] = []
        self.batch_seconds: list[float] = []
        self.product_rates: list[float] = []
        """Operations a second of a matrix product."""
        with FlopCounterMode(display=False) as counter:
            step_once(self.run, self.run.model, self.batches, _ENDLESS)
        self.operations = counter.get_total_flops()
        """Of a step: multiplications and additions of convolutions and products, forward and back."""
        brain = self.run.config.precision == "bf16"
        side, kind = SIDE[self.batches.device.type], torch.bfloat16 if brain else torch.float32
        self.matrix = torch.ones(side, side, dtype=kind, device=self.batches.device)

    def time_steps(self) -> float:
        """Return the seconds of a training step."""
        self._wait()
        start = time.perf_counter()
        for _ in range(self.steps):
            step_once(self.run, self.run.model, self.batches, _ENDLESS)
        self._wait()
        return (time.perf_counter() - start) / self.steps

    def time_batches(self) -> float:
        """Return the seconds of what a step does before the network: photographs, augmentation, Lab."""
        self._wait()
        start = time.perf_counter()
        for number in range(self.steps):
            self.batches(self.run.step + number)
        self._wait()
        return (time.perf_counter() - start) / self.steps

    def time_products(self) -> float:
        """Return the operations a second of a matrix product in the format of the run."""
        count, side = PRODUCTS[self.batches.device.type], len(self.matrix)
        self._wait()
        start = time.perf_counter()
        for _ in range(count):
            torch.mm(self.matrix, self.matrix)
        self._wait()
        return count * 2 * side**3 / (time.perf_counter() - start)

    def _wait(self) -> None:
        if self.batches.device.type == "cuda":
            torch.cuda.synchronize(self.batches.device)


def main() -> int:
    """Measure on each device; return the exit code."""
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(measure.machine("torch", "numpy"))
    with tempfile.TemporaryDirectory() as name:
        for device in devices(options.device):
            print(f"On {describe(device)}:\n")
            loaded = {size: pixels(size, Path(name)) for size in options.sizes}
            report_formats(
                {size: compare(FORMATS, size, loaded[size], device, options.runs) for size in loaded}
            )
            both = {kind: FORMATS[BRAIN] | changes for kind, changes in AUGMENTATIONS.items()}
            report_shares({size: compare(both, size, loaded[size], device, options.runs) for size in loaded})
    return 0


def arguments() -> argparse.Namespace:
    """Read the options."""
    parser = measure.parser(__doc__, 7)
    add = parser.add_argument
    add("--sizes", type=int, nargs="+", choices=list(BATCH), default=list(BATCH), help="px (default: all)")
    add("--device", nargs="+", help="(default: cpu, and cuda where there is one)")
    add("--threads", type=int, metavar="N", help="of torch on the CPU")
    return parser.parse_args()


def devices(names: list[str] | None) -> list[torch.device]:
    """Return the devices to measure on."""
    names = names or ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return [torch.device(name) for name in names]


def describe(device: torch.device) -> str:
    """Name a device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"the CPU, {torch.get_num_threads()} threads"


def pixels(size: int, root: Path) -> NDArray[np.uint8]:
    """Return sample photographs from a cache, (PHOTOS, size, size, 3), repeated as often as it takes."""
    sources = photos.find((photos.SAMPLES,), photos.Selection(), root)
    found = cache.load(sources, size, "center", root).pixels
    return np.resize(found, (PHOTOS, *found.shape[1:]))


def compare(
    changes: dict[str, dict[str, Any]], size: int, loaded: NDArray[np.uint8], device: torch.device, runs: int
) -> dict[str, Trial]:
    """Time configurations in turn, after a round that is not counted."""
    trials = {name: trial(changed, size, loaded, device) for name, changed in changes.items()}
    for number in range(runs + 1):
        for one in trials.values():
            step, batch, rate = one.time_steps(), one.time_batches(), one.time_products()
            if number:
                one.product_rates.append(rate)
                one.step_seconds.append(step)
                one.batch_seconds.append(batch)
        measure.progress(number, runs)
    return trials


def trial(changes: dict[str, Any], size: int, loaded: NDArray[np.uint8], device: torch.device) -> Trial:
    """Start a run of the default recipe, but for some changes."""
    times = ON_CUDA if device.type == "cuda" else 1
    config = TrainConfig(size=size, batch=BATCH[size] * times, **changes)
    batches = Batches(Chosen.every(loaded), config.batch, config.augmentation, config.seed, device)
    return Trial(Run.start(config, device), batches, times)


def report_formats(trials: dict[int, dict[str, Trial]]) -> None:
    """Print how fast formats and layouts are."""
    rows = []
    for size, of_size in trials.items():
        plain = of_size[PLAIN].step_seconds
        for name, one in of_size.items():
            rate = one.batches.size / statistics.median(one.step_seconds)
            best = one.batches.size / min(one.step_seconds)
            faster = statistics.median(a / b for a, b in zip(plain, one.step_seconds, strict=True))
            reached = measure.verdict(faster >= FASTER) if name == BRAIN else ""
            speed = one.operations / statistics.median(one.step_seconds)
            product = statistics.median(one.product_rates)
            matrix = f"{speed / product:.0%}"
            if one.batches.device.type == "cuda" and name == BRAIN:
                matrix += f", {measure.verdict(speed / product >= LEAST_SHARE)}"
            rows.append(
                [
                    f"{size} px, {one.batches.size} a step, {name}",
                    f"{rate:.1f}",
                    f"{best:.1f}",
                    f"{faster:.2f}",
                    reached,
                    f"{speed / 1e9:.0f}",
                    f"{product / 1e9:.0f}",
                    matrix,
                ]
            )
    shares = ["GFLOP/s", "matrix product, GFLOP/s", f"share; on a GPU at least {LEAST_SHARE:.0%}"]
    header = ["", "images/s, median", "best", "to plain float32", f"at least {FASTER:g}", *shares]
    print(f"{measure.table(header, rows)}\n")


def report_shares(trials: dict[int, dict[str, Trial]]) -> None:
    """Print what share of a step is over when the network starts."""
    rows = []
    for size, of_size in trials.items():
        for name, one in of_size.items():
            batch, step = statistics.median(one.batch_seconds), statistics.median(one.step_seconds)
            share = statistics.median(b / s for b, s in zip(one.batch_seconds, one.step_seconds, strict=True))
            rows.append(
                [
                    f"{size} px, {one.batches.size} a step, {BRAIN}, {name}",
                    f"{batch * 1000:.1f}",
                    f"{step * 1000:.1f}",
                    f"{share:.1%}",
                    measure.verdict(share < MOST_SHARE),
                ]
            )
    header = ["photographs, augmentation and Lab", "ms", "of a step's ms", "share", f"under {MOST_SHARE:.0%}"]
    print(f"{measure.table(header, rows)}\n")


if __name__ == "__main__":
    sys.exit(main())
