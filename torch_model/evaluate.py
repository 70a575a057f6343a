"""Score models on photographs: `python -m torch_model.evaluate --model classic --data PHOTOS`.

The models run through the runtime, so that what is scored is what users get. Photographs are
stretched to 256x256, as in published tables. Plain grey is scored beside them, as the floor.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype.colorizer import Colorizer
from tintype.errors import TintypeError
from tintype.lab import lightness_ab_to_rgb, rgb_to_lab
from tintype.progress import Progress
from torch_model import cache, metrics, photos

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array: TypeAlias = NDArray[Any]

SIDE = 256
GREY = "plain grey"


@dataclass(frozen=True)
class Scores:
    """What a model gets on a set of photographs."""

    model: str
    working_size: int
    photos: int
    psnr: float
    """Mean over photographs, dB, sRGB."""
    ab_rmse: float
    """Over all values, CIE units."""
    colorfulness: float
    """Mean over photographs, Hasler and Suesstrunk."""
    colorfulness_originals: float
    ratio: float
    """Of the two means."""


def score(name: str, size: int, pixels: NDArray[np.uint8], colorize: Callable[[Array], Array]) -> Scores:
    """Score what `colorize` makes of photographs (N, H, W, 3) uint8."""
    psnrs, squares, ours, theirs = [], [], [], []
    with Progress(f"scoring {name} at {size}", len(pixels)) as progress:
        for photo in pixels:
            result = colorize(photo)
            psnrs.append(metrics.psnr(result, photo))
            squares.append(metrics.ab_rmse(rgb_to_lab(result)[..., 1:], rgb_to_lab(photo)[..., 1:]) ** 2)
            ours.append(metrics.colorfulness(result))
            theirs.append(metrics.colorfulness(photo))
            progress.advance()
    mine, original = float(np.mean(ours)), float(np.mean(theirs))
    rmse = float(np.sqrt(np.mean(squares)))
    return Scores(name, size, len(pixels), float(np.mean(psnrs)), rmse, mine, original, mine / original)


def grey(photo: Array) -> Array:
    """Return a photograph's own L* as sRGB (H, W, 3) uint8."""
    lightness = rgb_to_lab(photo)[..., 0]
    nothing = np.zeros_like(lightness)
    return lightness_ab_to_rgb(lightness, nothing, nothing, np.uint8)


def table(rows: Sequence[Scores]) -> str:
    """Return a Markdown table."""
    lines = [
        "| model | working size | photos | PSNR, dB | ab RMSE | colorfulness | of the originals' |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.model} | {r.working_size or ''} | {r.photos} | {r.psnr:.2f} | {r.ab_rmse:.2f} "
        f"| {r.colorfulness:.1f} | {r.ratio:.2f} |"
        for r in rows
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m torch_model.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", nargs="+", default=["default"], help="bundled names or .onnx files")
    add("--data", nargs="+", required=True, help="folders, .tar files or patterns of them")
    add("--working-size", nargs="+", type=int, default=[None], metavar="PX", help="else each model's own")
    add("--limit", type=int, help="score at most so many photographs")
    add("--list", type=Path, help="file of names, one a line: score only these")
    add("--cache", type=Path, default=Path(".cache/photos"), help="where decoded photographs are kept")
    add("--json", type=Path, metavar="FILE", help="write the scores")
    options = parser.parse_args(arguments)
    try:
        rows = evaluate(options)
    except (TintypeError, ValueError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return 0


def evaluate(options: argparse.Namespace) -> list[Scores]:
    """Score every model at every working size; the first row is plain grey's."""
    sources = photos.find(options.data, photos.Selection(options.list, options.limit), options.cache)
    found = cache.load(sources, SIDE, "stretch", options.cache)
    rows = [score(GREY, 0, found.pixels, grey)]
    for model in options.model:
        for size in options.working_size:
            colorizer = Colorizer(model, working_size=size)
            name = colorizer.model if model == "default" else Path(model).stem
            rows.append(score(name, colorizer.working_size, found.pixels, colorizer.colorize))
    return rows


if __name__ == "__main__":
    sys.exit(main())
