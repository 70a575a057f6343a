"""Find photographs of one set in another: `python -m torch_model.duplicates --data TRAIN --against TEST`.

What a model was trained on must not be what it is scored on. Two photographs look alike if small grey
thumbnails of their detail correlate (what is light and dark beside its surroundings, so that not every sky
above every field counts), whichever of the two is mirrored. As photographs to train on are often squares cut
out, and those to test on stretched wholes, each of the latter is also compared by squares at its ends and in
its middle, as if it had been of 4:3, 3:2 or 16:9, upright or not. Whether two that look alike are one is for
the eye: draw them by --sheet.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.errors import TintypeError
from tintype.progress import Progress
from torch_model import cache, disk, photos

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch_model.cache import Photos

Array: TypeAlias = NDArray[Any]

SIDE: Final = 128
THUMBNAIL: Final = 32  # px
SURROUNDINGS: Final = 9  # px of a thumbnail, whose mean is taken out
ALIKE: Final = 0.65
"""Correlation of thumbnails from which two photographs are reported."""
ASPECTS: Final = (4 / 3, 3 / 2, 16 / 9)
FLATTEST: Final = 2.0  # deviation of grey levels below which a thumbnail says nothing
_CHUNK: Final = 1024


@dataclass(frozen=True)
class Pair:
    """Two photographs that look alike."""

    name: str
    against: str
    correlation: float
    first: int
    """Their numbers among the photographs."""
    second: int


def thumbnails(photo: NDArray[np.uint8]) -> Array:
    """Return views of a photograph (S, S, 3): the whole, and squares that were stretched from each aspect.

    (views, THUMBNAIL ** 2) float32, each of mean 0 and length 1, or zeros where there is too little to see.
    """
    grey = Image.fromarray(photo).convert("L")
    return np.stack([thumbnail(grey, box) for box in _boxes(grey.width)])


def _boxes(side: int) -> Iterator[tuple[float, float, float, float]]:
    yield 0, 0, side, side
    for aspect in ASPECTS:
        for place in (0, 0.5, 1):
            low = side * (1 - 1 / aspect) * place
            yield low, 0, low + side / aspect, side
            yield 0, low, side, low + side / aspect


def thumbnail(grey: Image.Image, box: tuple[float, float, float, float]) -> Array:
    """Return one view, (THUMBNAIL ** 2,)."""
    from scipy.ndimage import uniform_filter

    small = np.asarray(grey.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX, box=box), np.float32)
    detail = small - uniform_filter(small, SURROUNDINGS)
    if detail.std() < FLATTEST:
        return np.zeros(detail.size, np.float32)
    contrast = np.sqrt(uniform_filter(detail**2, SURROUNDINGS))
    even = (detail / (contrast + FLATTEST)).ravel()  # one bright edge, a horizon, is not all there is to see
    even = even - even.mean()
    found: Array = even / np.float32(np.linalg.norm(even))
    return found


def find(
    first: NDArray[np.uint8], second: NDArray[np.uint8], alike: float = ALIKE
) -> list[tuple[int, int, float]]:
    """Return which of two sets (N, S, S, 3) look alike: both numbers and the correlation, most alike first.

    Of a photograph of the second set all views are compared, of the first the whole and its mirror image.
    """
    views = np.stack([thumbnails(photo) for photo in second])
    count = len(second)
    flat = views.reshape(-1, views.shape[-1])  # (M * views, pixels)
    best: dict[tuple[int, int], float] = {}
    with Progress("comparing photographs", len(first)) as progress:
        for start in range(0, len(first), _CHUNK):
            part = np.stack([_whole(photo) for photo in first[start : start + _CHUNK]])
            mirrored = part.reshape(-1, THUMBNAIL, THUMBNAIL)[:, :, ::-1].reshape(part.shape)
            plain, turned = (
                (flat @ these.T).reshape(count, -1, len(part)).max(axis=1) for these in (part, mirrored)
            )
            found = np.maximum(plain, turned)  # (M, chunk)
            for row, column in zip(*np.nonzero(found >= alike), strict=True):
                best[start + int(column), int(row)] = float(found[row, column])
            progress.advance(len(part))
    return sorted(((i, j, value) for (i, j), value in best.items()), key=lambda pair: -pair[2])


def _whole(photo: NDArray[np.uint8]) -> Array:
    grey = Image.fromarray(photo).convert("L")
    return thumbnail(grey, (0, 0, *grey.size))


def pairs(data: Photos, against: Photos, alike: float) -> list[Pair]:
    """Return the pairs of two sets of photographs that look alike."""
    found = find(data.pixels, against.pixels, alike)
    return [Pair(data.names[i], against.names[j], value, i, j) for i, j, value in found]


def sheet(found: Sequence[Pair], data: Photos, against: Photos, columns: int = 8) -> Image.Image:
    """Lay out pairs: one below the other, the first pair at the upper left."""
    tiles = [np.concatenate([data.pixels[p.first], against.pixels[p.second]]) for p in found]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles), columns)]
    return Image.fromarray(np.concatenate([np.pad(row, ((0, 8), (0, 0), (0, 0))) for row in rows]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, or 1 where photographs look alike."""
    parser = argparse.ArgumentParser(
        prog="python -m torch_model.duplicates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", nargs="+", required=True, help="photographs to train on: folders, .tar files or patterns")
    add("--against", nargs="+", required=True, help="photographs never to train on, likewise")
    add("--alike", type=float, default=ALIKE, help="correlation of thumbnails that is reported (%(default)s)")
    add("--cache", type=Path, default=Path(".cache/photos"), help="where decoded photographs are kept")
    add("--json", type=Path, metavar="FILE", help="write the pairs")
    add("--sheet", type=Path, metavar="FILE", help="draw the 64 most alike pairs, to be judged by eye")
    options = parser.parse_args(arguments)
    try:
        return report(options)
    except (TintypeError, ValueError, OSError) as error:
        print(f"duplicates: {error}", file=sys.stderr)
        return 2


def report(options: argparse.Namespace) -> int:
    """Compare the two sets, and print and write what was found."""
    data, against = (
        cache.load(
            photos.find(places, photos.Selection(), options.cache), SIDE, "stretch", options.cache, greyest=0
        )
        for places in (options.data, options.against)
    )
    found = pairs(data, against, options.alike)
    same = len(set(data.digests) & set(against.digests))
    for pair in found:
        print(f"{pair.correlation:.4f}  {pair.name}  {pair.against}")
    print(
        f"{len(found)} pairs look alike (correlation of at least {options.alike:g}) among "
        f"{len(data.names)} and {len(against.names)} photographs; {same} files are the same"
    )
    if options.json is not None:
        disk.write_json(options.json, [asdict(pair) for pair in found])
    if options.sheet is not None and found:
        disk.draw(sheet(found[:64], data, against), options.sheet)
    return 1 if found or same else 0


if __name__ == "__main__":
    sys.exit(main())
