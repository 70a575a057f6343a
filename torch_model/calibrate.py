"""Set how vivid a network that predicts a distribution is, and where it had better be pale.

    python -m torch_model.calibrate WEIGHTS OUT.safetensors --data 'train-*.tar' --val val-00.tar

The logarithm of how common each bin is among the training photographs, times --rebalance, is
subtracted from the logits; their distribution is then sharpened by --temperature, and its mean multiplied
by --gain. Where so many colors are as likely as each other, --perplexity, it is grey: it fades from two
thirds of that on, by the geometric mean of a place's own and the whole photograph's. Violet, what a mean
of red and blue is and few things are, keeps --violet of its color.

Every choice of these is scored on the validation photographs, beside the expectation (ab_mean) and plain
grey. Of those whose colorfulness is at least --colorfulness of the originals' the one of the highest PSNR
is written, else the most colorful one. A single choice is written as it is.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tintype.errors import TintypeError, UsageError
from torch_model import cache, disk, photos, weights
from torch_model.calibration import CHOICES, Cell, calibrated, choose, log_prior, score, table
from torch_model.checkpoint import CheckpointError
from torch_model.model import MULTIPLE, Distribution, fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch_model.cache import Photos

TEMPERATURES: Final = (0.3, 0.4, 0.5, 0.7, 1.0)
REBALANCES: Final = (0.0, 0.2, 0.4, 0.6, 0.8)
GAINS: Final = (1.0,)
PERPLEXITIES: Final = (0.0,)
VIOLETS: Final = (1.0,)
_BOUNDS: Final = {
    "temperature": (0.01, 10.0),
    "rebalance": (0.0, 1.0),
    "gain": (0.1, 10.0),
    "perplexity": (0.0, 1000.0),
    "violet": (0.0, 1.0),
    "colorfulness": (0.0, 10.0),
}


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m torch_model.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("weights", type=Path, help="of vivid or unet: folder of a run, .pt, .onnx or .safetensors")
    add("out", type=Path, help="the .safetensors file to write")
    add(
        "--data",
        nargs="+",
        required=True,
        help="training photographs: folders, .tar files or patterns of them",
    )
    add("--val", nargs="+", required=True, help="photographs to score, likewise")
    add("--size", type=int, default=64, metavar="PX", help="side of the photographs (%(default)s)")
    add("--crop", choices=["center", "stretch"], default="center", help="as in training (%(default)s)")
    add("--limit", type=int, help="score at most so many photographs")
    add("--temperature", nargs="+", type=float, default=TEMPERATURES, metavar="T", help="one or more")
    add("--rebalance", nargs="+", type=float, default=REBALANCES, metavar="R", help="one or more")
    add("--gain", nargs="+", type=float, default=GAINS, metavar="G", help="one or more")
    add("--perplexity", nargs="+", type=float, default=PERPLEXITIES, metavar="P", help="one or more; 0: none")
    add("--violet", nargs="+", type=float, default=VIOLETS, metavar="SHARE", help="one or more; 1: all of it")
    add("--colorfulness", type=float, default=0.85, help="wanted, of the originals' (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the scores")
    add("--cache", type=Path, default=Path(".cache/photos"), help="where decoded photographs are kept")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        calibrate(options)
    except (TintypeError, CheckpointError, ValueError, OSError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 2
    return 0


def calibrate(options: argparse.Namespace) -> None:
    """Score every cell, print the table, write the weights with the chosen one."""
    check(options)
    network = fold(weights.load(options.weights))
    if not isinstance(network, Distribution):
        raise UsageError(f"{options.weights} is {network.config.variant}, which predicts no distribution")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    seen, held = _photos(options, options.data, None), _photos(options, options.val, options.limit)
    prior = log_prior(seen.pixels)
    cells = (Cell(*each) for each in product(*(getattr(options, name) for name in CHOICES)))
    networks = {cell: calibrated(network, cell, prior) for cell in cells}
    rows = score(networks, held.pixels)
    print(table(rows))

    chosen = choose(rows, options.colorfulness)
    assert chosen.cell is not None
    said = {"photos": len(seen.names), "size": options.size, **asdict(chosen.cell)}
    training = weights.training(options.weights) | {"calibration": said}
    weights.save(networks[chosen.cell], options.out, training)
    print(f"{options.out}: " + ", ".join(f"{name} {value:g}" for name, value in asdict(chosen.cell).items()))
    if options.json is not None:
        values = {
            "photos": len(held.names),
            "chosen": asdict(chosen),
            "scores": [asdict(row) for row in rows],
        }
        disk.write_json(options.json, values)


def check(options: argparse.Namespace) -> None:
    """Raise UsageError for values that cannot work, in words."""
    weights.check_name(options.out)
    if options.size < MULTIPLE or options.size % MULTIPLE:
        raise UsageError(f"--size {options.size} is not a multiple of {MULTIPLE}")
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit {options.limit}: wanted is at least 1")
    for name, (low, high) in _BOUNDS.items():
        for value in np.atleast_1d(getattr(options, name)):
            if not low <= value <= high:
                raise UsageError(f"--{name} {value:g}: wanted is from {low:g} to {high:g}")


def _photos(options: argparse.Namespace, data: Sequence[str], limit: int | None) -> Photos:
    sources = photos.find(data, photos.Selection(limit=limit), options.cache)
    found = cache.load(sources, options.size, options.crop, options.cache)
    print(found.report())
    return found


if __name__ == "__main__":
    sys.exit(main())
