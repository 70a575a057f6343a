"""The command line: `build_parser`, `run`, `main`.

Exit codes: 0 all done or skipped, 1 some photograph failed, 2 nothing could start, 130 interrupted.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tintype import __version__, interrupts
from tintype.adjustments import Adjustments
from tintype.errors import PhotoError, TintypeError, UsageError
from tintype.progress import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tintype.colorizer import Colorizer
    from tintype.encoding import Settings
    from tintype.hints import Hints

PIPE = "-"
EXAMPLES = """\
examples:
  tintype photo.jpg                     photo_color.jpg appears beside it
  tintype photo.jpg -o color.png        into this file
  tintype scans/ -o color/              a folder of photographs
  tintype scans/ -o color/ --recursive  with all folders in it; again, it goes on where it stopped
  cat grey.png | tintype - > color.png  in a pipe
  tintype models                        which models are here
"""


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of `tintype PHOTO... [options]`."""
    parser = argparse.ArgumentParser(
        prog="tintype",
        description="Colorize grey-scale photographs. Originals are never touched.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "photos",
        nargs="*",
        metavar="PHOTO",
        help="photographs, folders of them, or patterns like 'scans/**/*.tif'; - reads one from stdin",
    )
    add("-o", "--out", help="a file for one photograph; a folder (or a trailing /) for any number")
    add("--name", default="{stem}_color{ext}", help="names in folders, of {stem} {ext} {model} (%(default)s)")
    add(
        "-r",
        "--recursive",
        action="store_true",
        help="folders with all folders in them; --out gets the same tree",
    )
    add("--overwrite", action="store_true", help="make results again that exist")
    add("-n", "--dry-run", action="store_true", help="say what would be done, and write nothing")
    add("-j", "--jobs", type=int, default=1, metavar="N", help="photographs at a time (%(default)s)")
    add("--watch", action="store_true", help="stay, and colorize what arrives in folders, until Ctrl-C")
    add("--compare", action="store_true", help="also write {stem}_compare.png: original, grey, colorized")
    add(
        "--files-from",
        metavar="FILE",
        help="a file that lists photographs, one a line (or ended by zero bytes); - for stdin",
    )
    add(
        "--format",
        choices=["jpeg", "png", "tiff", "webp", "bmp", "ppm", "avif", "heif", "jxl"],
        help="of stdout; else the input's",
    )
    add("--json", action="store_true", help="one JSON object a line on stdout for each photograph")
    add("--report", type=Path, metavar="FILE", help="write a JSON report of the run")
    add("--model", default="default", help="a bundled name (see: tintype models) or an .onnx file")
    add(
        "--working-size",
        type=int,
        metavar="PX",
        help="what the network sees, 64 to 1024; the model's own by default",
    )
    add("--provider", default="auto", help="auto, cpu, cuda, directml, coreml or openvino (%(default)s)")
    add("--threads", type=int, metavar="N", help="threads of the network; the physical cores by default")
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
    add(
        "--hints",
        type=Path,
        metavar="FILE",
        help="PHOTO.tintype.json: colors that a person set, for one photograph",
    )
    add("--version", action="version", version=f"tintype {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Without `arguments`, those of the process are taken, and it hears signals until all is done.
    """
    if arguments is None:
        interrupts.listen()  # SIGTERM cleans up as Ctrl-C does
    try:
        try:
            return _carry_out(sys.argv[1:] if arguments is None else arguments)
        finally:
            if arguments is None:
                interrupts.ignore()
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt) and not interrupts.heard():
            raise
        say("tintype: interrupted; what was finished is kept, nothing half-written is left")
        return 130


def _carry_out(arguments: Sequence[str]) -> int:
    try:
        if arguments[:1] == ["models"]:
            return list_models(arguments[1:])
        code = run(build_parser().parse_args(arguments))
        interrupts.check()
    except TintypeError as error:
        interrupts.check()
        say(f"tintype: {error}")
        return 2
    except OSError as error:  # standard output is closed or full: nothing more can go there, not even at exit
        interrupts.check()
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(f"tintype: standard output: {error.strerror}")
        return 1
    return code


def run(options: argparse.Namespace) -> int:
    """Carry out parsed options; return the exit code. Raises TintypeError where nothing can start."""
    adjustments = Adjustments(**{f.name: getattr(options, f.name) for f in dataclasses.fields(Adjustments)})
    if not options.max_megapixels > 0:
        raise UsageError(f"--max-megapixels {options.max_megapixels:g}: more than 0 is needed")
    hints = _hints(options.hints)
    if options.photos == [PIPE]:
        return _run_pipe(options, adjustments, hints)
    if PIPE in options.photos:
        raise UsageError("- stands for one photograph on stdin and goes with no other")
    if options.format is not None:
        raise UsageError("--format goes with - alone: for files the name's suffix gives the format")
    if options.jobs < 1:
        raise UsageError(f"--jobs {options.jobs}: at least 1 is needed")
    from tintype import batch, runs

    settings = batch.Settings(
        adjustments,
        hints,
        max_megapixels=options.max_megapixels,
        overwrite=options.overwrite,
        dry=options.dry_run,
        workers=options.jobs,
        written=_written(options),
    )
    return runs.run(options, settings, lambda: _open(options, adjustments))


def _run_pipe(options: argparse.Namespace, adjustments: Adjustments, hints: Hints | None) -> int:
    """Colorize one photograph from stdin to stdout."""
    import io

    for name in ("out", "json", "report", "compare", "files_from", "recursive", "dry_run", "watch"):
        if getattr(options, name):
            raise UsageError(f"--{name.replace('_', '-')} does not go with -: the result goes to stdout")
    if sys.stdout.isatty():
        raise UsageError("the result would go to a terminal: write > color.png, or give a file's name for -")
    colorizer = _open(options, adjustments)
    source = io.BytesIO(sys.stdin.buffer.read())
    try:
        outcome = colorizer.colorize_file(
            source,
            sys.stdout.buffer,
            adjustments,
            hints,
            format_name=options.format and options.format.upper(),
            max_megapixels=options.max_megapixels,
            settings=_written(options),
        )
        sys.stdout.buffer.flush()
    except PhotoError as error:
        say(f"tintype: {error}")
        return 1
    for note in outcome.notes:
        say(f"tintype: {note}")
    return 0


def _written(options: argparse.Namespace) -> Settings:
    """Return how results are written."""
    from tintype.encoding import Settings

    lossless = options.quality == "lossless"
    quality = None
    if options.quality is not None and not lossless:
        quality = int(options.quality) if options.quality.isdecimal() else 0
        if not 1 <= quality <= 100:
            raise UsageError(f"--quality {options.quality}: 1 to 100, or lossless")
    return Settings(quality, lossless, options.keep_profile, not options.no_provenance)


def _open(options: argparse.Namespace, adjustments: Adjustments) -> Colorizer:
    from tintype.colorizer import Colorizer

    colorizer = Colorizer(
        options.model, provider=options.provider, threads=options.threads, working_size=options.working_size
    )
    if adjustments.vividness != 1 and not colorizer.session.has_mean:
        raise UsageError(
            f"--vividness: the model {colorizer.model} predicts one color only; --strength works with all"
        )
    return colorizer


def _hints(path: Path | None) -> Hints | None:
    if path is None:
        return None
    from tintype.hints import read

    return read(path)


def list_models(arguments: Sequence[str]) -> int:
    """Carry out `tintype models`: name, size, licence and figures of what is bundled, and what is opened."""
    from tintype import models, precision

    parser = argparse.ArgumentParser(prog="tintype models", description="List the bundled models.")
    parser.parse_args(arguments)
    default = models.default()
    for name, entry in models.bundled().items():
        marked = " (default)" if name == default else ""
        figures = [f"{key} {value}" for key, value in entry["metrics"].items() if not isinstance(value, dict)]
        size = f"{name}{marked}: {entry['bytes'] / 1e6:.1f} MB"
        print(", ".join([size, *figures, entry["license"]]))
    opened, reason = precision.preferred()
    print(f"without --model: {opened}, {reason}")
    return 0
