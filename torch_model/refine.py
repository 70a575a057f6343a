"""Teach a network to bring its color onto edges: `python -m torch_model.refine WEIGHTS OUT.safetensors`.

The head of `unet` stands at a quarter of the size, so color leaks over edges and small things lose theirs. A
few convolutions over lightness and the enlarged color mend that (`Refinement` in `torch_model.model`). They
are taught on true colors, averaged as coarsely as the head's: on the network's own they would learn that grey
is a safe answer. What counts is the color that is left when the runtime has merged it with the photograph, so
they also give back what that takes. The network itself does not run, and stays as it is. How much of
such detail is right depends on how fine photographs' own color is: `--strength` keeps a share of it.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F

from tintype.errors import TintypeError, UsageError
from torch_model import cache, optim, photos, weights
from torch_model.batches import Augmentation, Batches, Chosen
from torch_model.calibration import in_lab
from torch_model.checkpoint import CheckpointError
from torch_model.config import BOUNDS, check_bounds
from torch_model.merging import merged
from torch_model.model import UNET_GRID, UNET_MULTIPLE, Refinement, UNet, build, count_parameters, fold
from torch_model.run import pick_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from torch_model.cache import Photos

_PREFIX: Final = "refinement."  # of its weights' names in the network


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m torch_model.refine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("weights", type=Path, help="of unet: folder of a run, .pt, .onnx or .safetensors")
    add("out", type=Path, help="the .safetensors file to write")
    add("--data", nargs="+", required=True, help="photographs to learn from: folders, .tar files or patterns")
    add("--list", type=Path, help="file of names, one a line: use only these photographs")
    add("--limit", type=int, help="learn from at most so many photographs")
    add("--val", nargs="+", required=True, help="photographs to measure with, likewise")
    add("--size", type=int, default=192, metavar="PX", help="side that the network will see (%(default)s)")
    add("--crop", choices=["center", "stretch"], default="center", help="as in training (%(default)s)")
    add("--channels", type=int, default=48, help="of the convolutions (%(default)s)")
    add("--steps", type=int, default=4000, help="(%(default)s)")
    add("--batch", type=int, default=8, help="photographs a step (%(default)s)")
    add("--lr", type=float, default=1.5e-3, help="learning rate, at its highest (%(default)s)")
    add("--resized-crop", type=float, default=0.75, help="smallest share of sides cut out (%(default)s)")
    add("--strength", type=float, default=1.0, help="share of what it adds that is kept (%(default)s)")
    add("--seed", type=int, default=0, help="of weights, order and augmentation (%(default)s)")
    add("--threads", type=int, help="threads of torch on the CPU")
    add("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    add("--cache", type=Path, default=Path(".cache/photos"), help="where decoded photographs are kept")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        refine(options)
    except (TintypeError, CheckpointError, ValueError, OSError) as error:
        print(f"refine: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("refine: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def refine(options: argparse.Namespace) -> None:
    """Teach, measure, write the file."""
    check(options)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = pick_device(options.device)
    network = fold(weights.load(options.weights))
    if not isinstance(network, UNet):
        raise UsageError(f"{options.weights} is {network.config.variant}: only unet is refined")
    augmentation = Augmentation(0, 0, resized_crop=options.resized_crop, side=options.size)
    selection = photos.Selection(options.list, options.limit)
    learned = _photos(options, options.data, selection, augmentation.held_side)
    shown = _photos(options, options.val, photos.Selection(), options.size).pixels

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        taught = Refinement(options.channels).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    chosen = Chosen.every(learned.pixels)
    batches = Batches(chosen, options.batch, augmentation, options.seed, device)
    start = time.monotonic()
    teach(taught, batches, options.steps, options.lr)
    seconds = round(time.monotonic() - start)
    with torch.no_grad():
        for parameter in taught.last.parameters():  # linear: all that is added
            parameter.mul_(options.strength)

    before, after = errors(taught, shown, device)
    print(
        f"true colors of {len(shown)} photographs, averaged over {UNET_GRID} px, enlarged to "
        f"{options.size} and merged: ab RMSE {before:.2f}, refined {after:.2f}"
    )
    said = {
        "photos": len(learned.names),
        "size": options.size,
        "steps": options.steps,
        "batch": options.batch,
        "lr": options.lr,
        "resized_crop": options.resized_crop,
        "strength": options.strength,
        "seed": options.seed,
        "seconds": seconds,
        "ab_rmse": {"before": round(before, 3), "after": round(after, 3)},
    }
    made = build(replace(network.config, refinement=options.channels)).eval()
    state = {name: value for name, value in network.state_dict().items() if not name.startswith(_PREFIX)}
    made.load_state_dict(state | taught.state_dict(prefix=_PREFIX))
    weights.save(made, options.out, weights.training(options.weights) | {"refinement": said})
    print(f"{options.out}: {count_parameters(taught):,} parameters more")


def check(options: argparse.Namespace) -> None:
    """Raise UsageError or ValueError on options that cannot work."""
    weights.check_name(options.out)
    if options.size < UNET_MULTIPLE or options.size % UNET_MULTIPLE:
        raise UsageError(f"--size {options.size} is not a multiple of {UNET_MULTIPLE}")
    known = {name: BOUNDS[name] for name in ("resized_crop", "steps", "batch")}
    check_bounds(options, known | {"channels": (1, math.inf), "strength": (0, 2)})


def teach(refinement: Refinement, batches: Batches, steps: int, rate: float) -> None:
    """Train a refinement to give true colors back of their averages."""

    def distance(step: int) -> Tensor:
        (lightness,), ab, _ = batches(step)
        shown = coarse(ab, lightness)
        with torch.autocast(lightness.device.type, torch.bfloat16):
            given = refinement(lightness, shown)
        return F.mse_loss(merged(lightness, given.float()), ab)

    optim.teach(refinement, distance, steps, rate)


def coarse(ab: Tensor, lightness: Tensor) -> Tensor:
    """Return ab (N, 2, H, W) as a head gives it: averaged on its grid, and enlarged."""
    return UNet.spread(F.avg_pool2d(ab, UNET_GRID), lightness)


@torch.no_grad()
def errors(refinement: Refinement, pixels: NDArray[np.uint8], device: torch.device) -> tuple[float, float]:
    """Return the RMSE, ab, of photographs' (N, H, W, 3) true colors, made coarse and merged; and refined."""
    before = after = 0.0
    for lightness, ab, originals in in_lab("measuring", pixels):
        l, true = lightness.to(device), ab.to(device)  # noqa: E741 - the graph's own name
        shown = coarse(true, l)
        before += F.mse_loss(merged(l, shown), true).item() * len(originals)
        after += F.mse_loss(merged(l, refinement(l, shown)), true).item() * len(originals)
    return math.sqrt(before / len(pixels)), math.sqrt(after / len(pixels))


def _photos(
    options: argparse.Namespace, data: Sequence[str], selection: photos.Selection, side: int
) -> Photos:
    sources = photos.find(data, selection, options.cache)
    return cache.load(sources, side, options.crop, options.cache)


if __name__ == "__main__":
    sys.exit(main())
