"""Options that one machine and a cluster share, and what they mean."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tintype import __version__
from tintype.adjustments import Adjustments
from tintype.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from tintype import batch, encoding
    from tintype.colorizer import Colorizer


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add which photographs are done, and what is told of them."""
    add = parser.add_argument
    add("--name", default="{stem}_color{ext}", help="names in folders, of {stem} {ext} {model} (%(default)s)")
    add(
        "-r",
        "--recursive",
        action="store_true",
        help="folders with all folders in them; --out gets the same tree",
    )
    add("--overwrite", action="store_true", help="make results again that exist")
    add("-n", "--dry-run", action="store_true", help="say what would be done, and write nothing")
    add("--compare", action="store_true", help="also write {stem}_compare.png: original, grey, colorized")
    add("--json", action="store_true", help="one JSON object a line on stdout for each photograph")
    add("--report", type=Path, metavar="FILE", help="write a JSON report of the run")
    add("--version", action="version", version=f"tintype {__version__}")


def add_look(parser: argparse.ArgumentParser) -> None:
    """Add what results look like, and what makes them."""
    add = parser.add_argument
    add("--model", default="default", help="a bundled name (see: tintype models) or an .onnx file")
    add(
        "--working-size",
        type=int,
        metavar="PX",
        help="what the network sees, 64 to 1024; the model's own by default",
    )
    add("--provider", default="auto", help="auto, cpu, cuda, directml, coreml or openvino (%(default)s)")
    add(
        "--max-megapixels",
        type=float,
        default=512,
        metavar="MP",
        help="refuse larger photographs (%(default)s)",
    )
    for item in dataclasses.fields(Adjustments):
        bounds = f"{item.metadata['low']:g} to {item.metadata['high']:g}, default {item.default:g}"
        add(
            f"--{item.name}",
            type=float,
            default=item.default,
            metavar="X",
            help=f"{item.metadata['help']} ({bounds})",
        )
    add("--quality", metavar="Q", help="1 to 100, or lossless; by default a JPEG's own, else 97")
    add("--keep-profile", action="store_true", help="write in the photograph's own RGB profile, not in sRGB")
    add(
        "--no-provenance",
        action="store_true",
        help="do not say in the metadata that the colors come from a model",
    )


def check(chosen: argparse.Namespace) -> None:
    """Raise UsageError for values that make no sense."""
    adjustments(chosen)
    if not chosen.max_megapixels > 0:
        raise UsageError(f"--max-megapixels {chosen.max_megapixels:g}: more than 0 is needed")


def adjustments(chosen: argparse.Namespace) -> Adjustments:
    """Return what a person changes of the predicted color; raises UsageError."""
    return Adjustments(**{f.name: getattr(chosen, f.name) for f in dataclasses.fields(Adjustments)})


def written(chosen: argparse.Namespace) -> encoding.Settings:
    """Return how results are written; raises UsageError."""
    from tintype.encoding import Settings

    lossless = chosen.quality == "lossless"
    quality = None
    if chosen.quality is not None and not lossless:
        quality = int(chosen.quality) if chosen.quality.isdecimal() else 0
        if not 1 <= quality <= 100:
            raise UsageError(f"--quality {chosen.quality}: 1 to 100, or lossless")
    return Settings(quality, lossless, chosen.keep_profile, not chosen.no_provenance)


def settings(chosen: argparse.Namespace) -> batch.Settings:
    """Return what holds for all photographs of a run; raises UsageError."""
    from tintype.batch import Settings

    check(chosen)
    return Settings(
        adjustments(chosen),
        max_megapixels=chosen.max_megapixels,
        overwrite=chosen.overwrite,
        dry=chosen.dry_run,
        written=written(chosen),
    )


def open_model(chosen: argparse.Namespace) -> Colorizer:
    """Open the model; raises a ModelError, ProviderError or UsageError."""
    from tintype.colorizer import Colorizer

    colorizer = Colorizer(
        chosen.model, provider=chosen.provider, threads=chosen.threads, working_size=chosen.working_size
    )
    if chosen.vividness != 1 and not colorizer.session.has_mean:
        raise UsageError(
            f"--vividness: the model {colorizer.model} predicts one color only; --strength works with all"
        )
    return colorizer
