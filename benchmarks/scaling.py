"""What training on many photographs costs: reading and decoding them, steps, and steps in two processes.

    python -m benchmarks.scaling --data 'train-*.tar'

Rates are by CPU time, of all threads, beside wall time: other work on the machine lengthens the second alone.
Steps are train.py's own, with a classifier of random weights, in processes that torchrun starts; one and two
processes take turns.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from benchmarks import measure
from torch_model import cache, distributed, shards
from torch_model.batches import Batches, Share
from torch_model.config import TrainConfig
from torch_model.run import Run
from torch_model.stream import Stream, decode
from train import step_once

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from torch_model.shards import Encoded, Shards

PHOTOS: Final = 500
WARM: Final = 2  # steps that are not counted
_WORKER: Final = "TINTYPE_SCALING"  # options of the processes that torchrun starts, as JSON
_ENDLESS: Final = 10**9  # steps of the run, for its schedule


def main() -> int:
    """Measure; return the exit code."""
    if _WORKER in os.environ:
        return work(json.loads(os.environ[_WORKER]))
    options = arguments()
    print(measure.machine("torch", "numpy", "pillow"))
    with tempfile.TemporaryDirectory() as name:
        found = shards.find(options.data, 0, 64, Path(name))
        report_reading(found, options.sizes)
    report_steps(options, found.found[0].path)
    return 0


def arguments() -> argparse.Namespace:
    """Read the options."""
    parser = measure.parser(__doc__, 3)
    add = parser.add_argument
    add("--data", nargs="+", required=True, help="tar files of photographs, or patterns of them")
    add("--sizes", type=int, nargs="+", default=[128, 256], help="px (default: 128 256)")
    add("--model", default="unet", choices=["classic", "unet"], help="(default: unet)")
    add("--precision", default="bf16", choices=["bf16", "fp32"], help="(default: bf16)")
    add("--batch", type=int, default=32, metavar="N", help="photographs a step (default: 32)")
    add("--steps", type=int, default=6, metavar="N", help="of each round (default: 6)")
    return parser.parse_args()


def report_reading(found: Shards, sizes: list[int]) -> None:
    """Print how fast one core reads shards and decodes what is in them."""
    photos: list[Encoded] = []
    plan = found.plan(0)
    lanes = [plan.read(lane, 0) for lane in range(found.lanes)]
    every = (photo for photos in itertools.zip_longest(*lanes) for photo in photos if photo is not None)
    rows = [["reading shards", *timed(lambda: photos.extend(itertools.islice(every, PHOTOS)), PHOTOS)]]
    for size in sizes:
        rule = cache.Rule(size, "center")
        taken = timed(partial(decode_all, photos, rule), len(photos))
        rows.append([f"decoding to {size} px, with the test for grey", *taken])
    mean = sum(len(photo.data) for photo in photos) / len(photos)
    print(f"{len(photos)} photographs of {found.count}, {mean:.0f} bytes each, as they are in their files.\n")
    print(measure.table(["one core", "photos/s of CPU time", "of wall time"], rows) + "\n")


def decode_all(photos: list[Encoded], rule: cache.Rule) -> None:
    """Decode photographs as training would, and forget them."""
    for photo in photos:
        decode(photo, rule)


def timed(task: Callable[[], Any], count: int) -> list[str]:
    """Return how many photographs a second a task goes through, by CPU and by wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    task()
    return [f"{count / (time.process_time() - cpu):.0f}", f"{count / (time.perf_counter() - wall):.0f}"]


def report_steps(options: argparse.Namespace, shard: Path) -> None:
    """Print how fast one and two processes train, on photographs of a shard."""
    kinds = [(size, count) for size in options.sizes for count in (1, 2)]
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for number in range(options.runs):
        for size, count in kinds:
            taken[size, count].append(train_together(options, shard, size, count))
        measure.progress(number + 1, options.runs)
    rows = []
    for size, count in kinds:
        walls, cpus = zip(*taken[size, count], strict=True)
        ratios = zip(taken[size, 1], taken[size, count], strict=True)
        pairs = [(wall / one_wall / count, cpu / one_cpu) for (one_wall, one_cpu), (wall, cpu) in ratios]
        by_wall, by_cpu = (statistics.median(kind) for kind in zip(*pairs, strict=True))
        rows.append(
            [
                f"{size} px, {count} process{'es' if count > 1 else ''} of one thread",
                f"{statistics.median(walls):.1f}",
                f"{statistics.median(cpus):.1f}",
                f"{by_wall:.0%}",
                f"{by_cpu:.0%}",
            ]
        )
    print(f"Training {options.model}, {options.batch} a step, {options.precision}:\n")
    header = ["", "images/s", "images/s of CPU time", "efficiency by wall time", "by CPU time"]
    print(measure.table(header, rows))


def train_together(options: argparse.Namespace, shard: Path, size: int, count: int) -> tuple[float, float]:
    """Return the images a second of so many processes: by wall time, and by the CPU time of all."""
    names = ("model", "precision", "batch", "steps")
    asked = json.dumps(
        {name: getattr(options, name) for name in names} | {"size": size, "data": [str(shard)]}
    )
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={count}"]
    said = subprocess.run(
        [*launcher, "-m", "benchmarks.scaling"],
        env=measure.environment(OMP_NUM_THREADS="1", **{_WORKER: asked}),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    wall, cpu = json.loads(said.splitlines()[-1])
    return wall, cpu


def work(asked: dict[str, Any]) -> int:
    """Train as one of the processes, and print what they reached."""
    torch.set_num_threads(1)
    device = torch.device("cpu")
    world = distributed.join(device)
    config = TrainConfig(
        model=asked["model"],
        loss="bins" if asked["model"] == "unet" else "mse",
        size=asked["size"],
        batch=asked["batch"],
        precision=asked["precision"],
        classifier_weights="random",
        finetune_classifier=asked["model"] == "unet",
        optimizer="adamw",
        ema=0.999,
    )
    with tempfile.TemporaryDirectory() as name:
        found = shards.find(asked["data"], 0, 64, Path(name))
    few = Stream(found, config, device, Share(), world).few(4 * asked["batch"])
    share = Share(world.rank, world.size)
    batches = Batches(few.chosen, config.batch, config.augmentation, 0, device, share=share)
    run = Run.start(config, device)
    network = world.wrap(run.model, device)
    for _ in range(WARM):
        step_once(run, network, batches, _ENDLESS)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(asked["steps"]):
        step_once(run, network, batches, _ENDLESS)
    taken = time.perf_counter() - wall
    spent = world.total(round(1000 * (time.process_time() - cpu))) / 1000
    images = asked["steps"] * batches.largest
    print(json.dumps([images / taken, images / spent]))
    world.leave()
    return 0


if __name__ == "__main__":
    sys.exit(main())
