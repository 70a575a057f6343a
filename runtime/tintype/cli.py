"""The command line: `build_parser`, `run`, `main`.

Exit codes: 0 all done or skipped, 1 some photograph failed, 2 nothing could start, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tintype import interrupts, options
from tintype.errors import PhotoError, TintypeError, UsageError
from tintype.progress import say

if TYPE_CHECKING:
    from collections.abc import Sequence

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
  tintype cluster scans/ -o color/ -r   an archive, on several processes or machines: tintype cluster --help
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
    options.add_run(parser)
    add("-j", "--jobs", type=int, default=1, metavar="N", help="photographs at a time (%(default)s)")
    add("--watch", action="store_true", help="stay, and colorize what arrives in folders, until Ctrl-C")
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
    options.add_look(parser)
    add("--threads", type=int, metavar="N", help="threads of the network; the physical cores by default")
    add(
        "--hints",
        type=Path,
        metavar="FILE",
        help="PHOTO.tintype.json: colors that a person set, for one photograph",
    )
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
        if arguments[:1] == ["cluster"]:
            from tintype.cluster import command

            return command.run(arguments[1:])
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


def run(chosen: argparse.Namespace) -> int:
    """Carry out parsed options; return the exit code. Raises TintypeError where nothing can start."""
    options.check(chosen)
    hints = _hints(chosen.hints)
    if chosen.photos == [PIPE]:
        return _run_pipe(chosen, hints)
    if PIPE in chosen.photos:
        raise UsageError("- stands for one photograph on stdin and goes with no other")
    if chosen.format is not None:
        raise UsageError("--format goes with - alone: for files the name's suffix gives the format")
    if chosen.jobs < 1:
        raise UsageError(f"--jobs {chosen.jobs}: at least 1 is needed")
    from tintype import runs

    settings = replace(options.settings(chosen), hints=hints, workers=chosen.jobs)
    return runs.run(chosen, settings, lambda: options.open_model(chosen))


def _run_pipe(chosen: argparse.Namespace, hints: Hints | None) -> int:
    """Colorize one photograph from stdin to stdout."""
    import io

    for name in ("out", "json", "report", "compare", "files_from", "recursive", "dry_run", "watch"):
        if getattr(chosen, name):
            raise UsageError(f"--{name.replace('_', '-')} does not go with -: the result goes to stdout")
    if sys.stdout.isatty():
        raise UsageError("the result would go to a terminal: write > color.png, or give a file's name for -")
    colorizer = options.open_model(chosen)
    source = io.BytesIO(sys.stdin.buffer.read())
    try:
        outcome = colorizer.colorize_file(
            source,
            sys.stdout.buffer,
            options.adjustments(chosen),
            hints,
            format_name=chosen.format and chosen.format.upper(),
            max_megapixels=chosen.max_megapixels,
            settings=options.written(chosen),
        )
        sys.stdout.buffer.flush()
    except PhotoError as error:
        say(f"tintype: {error}")
        return 1
    for note in outcome.notes:
        say(f"tintype: {note}")
    return 0


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
