"""Score models on photographs: `python -m torch_model.evaluate --model classic --data PHOTOS`.

The models run through the runtime, so that what is scored is what users get. Photographs are stretched to
256x256, as in published tables. Plain grey is scored beside them, as the floor. Of a model that predicts a
distribution, both operating points are scored: as predicted, and the mean of the likely colors (vividness 0).

Means come with the half of their 95 % interval (seeded bootstrap over photographs). The gain over grey is
paired: of the same photographs, so its interval tells more than those of two PSNRs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tintype.errors import TintypeError, UsageError
from torch_model import (
    aging,
    cache,
    contenders,
    disk,
    frechet,
    inception,
    lpips,
    photos,
    report,
    sheet,
    table,
)
from torch_model.examiner import Examiner
from torch_model.scores import difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch_model.cache import Photos
    from torch_model.contenders import Contender
    from torch_model.scores import Measured

SIDE = 256


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m torch_model.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", nargs="+", default=["default"], help="bundled names, .onnx files, or NAME=FILE")
    add("--data", nargs="+", required=True, help="folders, .tar files or patterns of them")
    add("--working-size", nargs="+", type=int, default=[None], metavar="PX", help="else each model's own")
    add(
        "--vividness",
        nargs="+",
        type=float,
        default=contenders.VIVID_AND_CALM,
        metavar="V",
        help="operating points of models that predict a distribution (1 and 0)",
    )
    add("--limit", type=int, help="score at most so many photographs")
    add("--list", type=Path, help="file of names, one a line: score only these")
    add("--cache", type=Path, default=Path(".cache/photos"), help="where decoded photographs are kept")
    add("--aged", type=int, metavar="SEED", help="give the models the photographs made old, by this seed")
    add("--frechet", action="store_true", help="also Frechet and kernel Inception distances to the originals")
    add("--lpips", action="store_true", help="also LPIPS")
    add("--by-category", action="store_true", help="also a table of each category")
    add("--against", metavar="NAME", help="also what each model is above or below this one, photo by photo")
    add("--sheet", type=Path, metavar="FILE", help="draw 24 photographs: grey, colorized and original")
    add("--json", type=Path, metavar="FILE", help="write the scores")
    add(
        "--report",
        type=Path,
        metavar="DIR",
        help="write a page of all photographs, to be opened in a browser",
    )
    add("--threads", type=int, help="threads of models and metrics")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        tell(options, *evaluate(options))
    except (TintypeError, ValueError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as missing:
        print(f"evaluate needs {missing.name}: pip install -e '.[train]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("evaluate: interrupted", file=sys.stderr)
        return 130
    return 0


def tell(options: argparse.Namespace, found: Photos, measured: Sequence[Measured]) -> None:
    """Print and write the scores."""
    rows = [one.row(found.categories) for one in measured]
    values: dict[str, Any] = described(options, found) | {"rows": rows}
    print(table.overall(rows))
    if options.against is not None:
        (other,) = (one for one in measured if one.model == options.against)
        values["against"] = options.against
        values["differences"] = [difference(one, other) for one in measured if one is not other]
        print(f"\n{table.against(values['differences'], options.against)}")
    if options.by_category:
        print(f"\n{table.by_category(rows)}")
    if options.json is not None:
        disk.write_json(options.json, values)


def evaluate(options: argparse.Namespace) -> tuple[Photos, list[Measured]]:
    """Measure plain grey and every model, and draw what is wanted."""
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    features = inception.Kept(options.cache) if options.frechet else None
    perception = lpips.Perception() if options.lpips else None
    opened = contenders.open_all(options.model, options.working_size, options.vividness, options.threads)
    names = [contender.name for contender in (contenders.PLAIN, *opened)]
    if options.against is not None and names.count(options.against) != 1:
        raise UsageError(f"--against {options.against}: wanted is one of {', '.join(names)}")
    sources = photos.find(options.data, photos.Selection(options.list, options.limit), options.cache)
    found = cache.load(sources, SIDE, "stretch", options.cache)
    if options.frechet and len(found.names) < frechet.LEAST:
        raise UsageError(f"--frechet compares sets: it takes {frechet.LEAST} photographs at least")
    if options.sheet is not None:
        disk.draw(sheet.draw(opened, found), options.sheet)
    random = None if options.aged is None else aging.draw_for(options.aged, found.digests)
    examiner = Examiner(found.pixels, features=features, perception=perception, aged=random)
    page = None if options.report is None else report.Page(options.report, found, described(options, found))
    try:
        measured = [examine(examiner, contender, page) for contender in (contenders.PLAIN, *opened)]
        if page is not None:
            print(f"report: {page.finish()}", file=sys.stderr)
    finally:
        if page is not None:
            page.discard()
    return found, measured


def examine(examiner: Examiner, contender: Contender, page: report.Page | None) -> Measured:
    """Measure a contender, and show what it made."""
    measured, pictures = examiner.measure(contender)
    if page is not None:
        page.add(measured, pictures)
    return measured


def described(options: argparse.Namespace, found: Photos) -> dict[str, Any]:
    """Say what was scored."""
    return {
        "photos": len(found.names),
        "digest": found.digest,
        "side": SIDE,
        "aged": options.aged,
        "data": [Path(place).name for place in options.data],
    }


if __name__ == "__main__":
    sys.exit(main())
