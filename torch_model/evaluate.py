"""Score models on photographs: `python -m torch_model.evaluate --model classic --data PHOTOS`.

The models run through the runtime, so that what is scored is what users get. Photographs are
stretched to 256x256, as in published tables. Plain grey is scored beside them, as the floor.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.adjustments import Adjustments
from tintype.colorizer import Colorizer
from tintype.errors import TintypeError
from tintype.lab import lightness_to_rgb, rgb_to_lab, rgb_to_lightness
from tintype.progress import Progress
from torch_model import cache, frechet, metrics, photos

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array: TypeAlias = NDArray[Any]

SIDE = 256
GREY = "plain grey"
SHOWN, COLUMNS, GAP = 24, 6, 12  # photographs on a sheet, in a row of it, px between rows


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
    frechet: float | None = None
    """Frechet Inception distance to the originals, where it was asked for."""


@dataclass(frozen=True)
class Contender:
    """What is scored."""

    name: str
    size: int
    """Working size, px; 0 for what has none."""
    colorize: Callable[[Array], Array]
    """sRGB (H, W, 3) uint8 to the same."""


class Judge:
    """Tells how far sets of pictures are from the originals, as sets."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        """Look at the originals (N, H, W, 3); raises UsageError where the network is not installed."""
        self.network = frechet.inception()
        self.originals = frechet.features(self.network, pixels, len(pixels), "the originals")

    def distance(self, pictures: Sequence[Array], name: str) -> float:
        """Return the Frechet distance of a contender's pictures."""
        found = frechet.features(self.network, pictures, len(pictures), f"what {name} made")
        return frechet.distance(found, self.originals)


def score(contender: Contender, pixels: NDArray[np.uint8], judge: Judge | None = None) -> Scores:
    """Score what a contender makes of photographs (N, H, W, 3) uint8."""
    name, size, colorize = contender.name, contender.size, contender.colorize
    psnrs, squares, ours, theirs = [], [], [], []
    results: list[Array] = []
    with Progress(f"scoring {name} at {size}", len(pixels)) as progress:
        for photo in pixels:
            result = colorize(photo)
            if judge is not None:
                results.append(result)
            psnrs.append(metrics.psnr(result, photo))
            squares.append(metrics.ab_rmse(rgb_to_lab(result)[..., 1:], rgb_to_lab(photo)[..., 1:]) ** 2)
            ours.append(metrics.colorfulness(result))
            theirs.append(metrics.colorfulness(photo))
            progress.advance()
    mine, original = float(np.mean(ours)), float(np.mean(theirs))
    rmse = float(np.sqrt(np.mean(squares)))
    apart = None if judge is None else judge.distance(results, name)
    return Scores(
        name, size, len(pixels), float(np.mean(psnrs)), rmse, mine, original, mine / original, apart
    )


def grey(photo: Array) -> Array:
    """Return a photograph's own L* as sRGB (H, W, 3) uint8."""
    return lightness_to_rgb(rgb_to_lightness(photo), np.uint8)


def sheet(contenders: Sequence[Contender], pixels: NDArray[np.uint8]) -> Image.Image:
    """Lay out photographs (N, H, W, 3): a column each, from above grey, every contender, the original."""
    columns = min(COLUMNS, len(pixels))
    bands = []
    for start in range(0, len(pixels), columns):
        originals = pixels[start : start + columns]
        rows = [[c.colorize(photo) for photo in originals] for c in contenders]
        rows.append(list(originals))
        band = np.concatenate([np.concatenate(row, axis=1) for row in rows])
        missing = columns * SIDE - band.shape[1]
        bands.append(np.pad(band, ((0, GAP), (0, missing), (0, 0)), constant_values=255))
    return Image.fromarray(np.concatenate(bands)[:-GAP])


def table(rows: Sequence[Scores]) -> str:
    """Return a Markdown table."""
    titles = ["model", "working size", "photos", "PSNR, dB", "ab RMSE", "colorfulness", "of the originals'"]
    judged = any(row.frechet is not None for row in rows)
    if judged:
        titles.append("Frechet distance")
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for r in rows:
        line = f"| {r.model} | {r.working_size or ''} | {r.photos} | {r.psnr:.2f} | {r.ab_rmse:.2f} "
        line += f"| {r.colorfulness:.1f} | {r.ratio:.2f} |"
        lines.append(line + (f" {r.frechet:.1f} |" if judged else ""))
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
    add(
        "--vividness",
        nargs="+",
        type=float,
        default=[1.0],
        metavar="V",
        help="0 the mean of likely colors, 1 as predicted, of models that offer it",
    )
    add("--limit", type=int, help="score at most so many photographs")
    add("--list", type=Path, help="file of names, one a line: score only these")
    add("--cache", type=Path, default=Path(".cache/photos"), help="where decoded photographs are kept")
    add(
        "--sheet",
        type=Path,
        metavar="FILE",
        help="draw grey, colorized and original, of up to 24 photographs",
    )
    add("--json", type=Path, metavar="FILE", help="write the scores")
    add("--frechet", action="store_true", help="also the Frechet Inception distance to the originals")
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
    contenders = [Contender(GREY, 0, grey)]
    for model in options.model:
        for size in options.working_size:
            colorizer = Colorizer(model, working_size=size)
            name = colorizer.model if model == "default" else Path(model).stem
            for vividness in options.vividness if colorizer.session.has_mean else [1.0]:
                shown = name if vividness == 1 else f"{name}, vividness {vividness:g}"
                colorize = partial(_colorize, colorizer, Adjustments(vividness=vividness))
                contenders.append(Contender(shown, colorizer.working_size, colorize))
    if options.sheet is not None:
        sheet(contenders, found.pixels[:SHOWN]).save(options.sheet, quality=90)
    judge = Judge(found.pixels) if options.frechet else None
    return [score(contender, found.pixels, judge) for contender in contenders]


def _colorize(colorizer: Colorizer, adjustments: Adjustments, photo: Array) -> Array:
    return colorizer.colorize(photo, adjustments)


if __name__ == "__main__":
    sys.exit(main())
