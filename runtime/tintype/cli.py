"""The command line: `build_parser`, `run`, `main`.

Exit codes: 0 all done or skipped, 1 some photograph failed, 2 nothing could start, 130 interrupted.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from codecs import BOM_UTF8
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tintype import __version__, interrupts
from tintype.adjustments import Adjustments
from tintype.errors import PhotoError, TintypeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tintype.batch import Job, Record
    from tintype.colorizer import Colorizer
    from tintype.hints import Hints

PIPE = "-"
EXAMPLES = """\
examples:
  tintype photo.jpg                     photo_color.jpg appears beside it
  tintype photo.jpg -o color.png        into this file
  tintype scans/ -o color/              a folder of photographs
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
    add("photos", nargs="*", metavar="PHOTO", help="photographs or folders of them; - reads one from stdin")
    add("-o", "--out", help="a file for one photograph; a folder (or a trailing /) for any number")
    add("--name", default="{stem}_color{ext}", help="names in folders, of {stem} {ext} {model} (%(default)s)")
    add("--overwrite", action="store_true", help="make results again that exist")
    add("--compare", action="store_true", help="also write {stem}_compare.png: original, grey, colorized")
    add("--files-from", metavar="FILE", help="a file that lists photographs, one a line; - for stdin")
    add("--format", choices=["jpeg", "png", "tiff", "webp", "bmp", "ppm"], help="of stdout; else the input's")
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
        _say("tintype: interrupted; what was finished is kept, nothing half-written is left")
        return 130


def _carry_out(arguments: Sequence[str]) -> int:
    try:
        if arguments[:1] == ["models"]:
            return list_models(arguments[1:])
        code = run(build_parser().parse_args(arguments))
        interrupts.check()
    except TintypeError as error:
        interrupts.check()
        _say(f"tintype: {error}")
        return 2
    except OSError as error:  # standard output is closed or full: nothing more can go there, not even at exit
        interrupts.check()
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _say(f"tintype: standard output: {error.strerror}")
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
    return _run_files(options, adjustments, hints)


def _run_files(options: argparse.Namespace, adjustments: Adjustments, hints: Hints | None) -> int:
    from tintype import batch, output

    started = time.time()
    names = options.photos + _listed(options.files_from)
    if "" in names:
        raise UsageError("the name of a photograph is empty")
    inputs = [Path(name) for name in names]
    if not inputs:
        raise UsageError("name a photograph or a folder; tintype --help shows how")
    sources = batch.discover(inputs)
    if hints is not None and len(sources) != 1:
        raise UsageError(f"--hints belongs to one photograph, and there are {len(sources)}")
    colorizer = _open(options, adjustments)
    jobs = _jobs(options, inputs, sources, colorizer.model)
    if options.report is not None:
        output.check_folder(options.report.parent)
        batch.check_report(options.report, jobs)

    records: list[Record] = []
    work = batch.run(
        jobs,
        colorizer,
        adjustments,
        hints,
        overwrite=options.overwrite,
        max_megapixels=options.max_megapixels,
    )
    try:
        for record in work:
            records.append(record)
            if options.json:
                print(batch.to_json(record), flush=True)
            _say(describe(record, len(records), len(jobs)))
            interrupts.check()
    finally:  # what was done is told even if the rest cannot be
        if len(jobs) > 1:
            _say(summary(records, time.time() - started))
        reported = options.report is None or _report(options.report, records, started)
    return int(not reported or any(record.status == "failed" for record in records))


def _report(path: Path, records: Sequence[Record], started: float) -> bool:
    from tintype import batch

    try:
        batch.write_report(path, records, started)
    except PhotoError as error:
        _say(f"tintype: {error}")
        return False
    return True


def _jobs(options: argparse.Namespace, inputs: list[Path], sources: list[Path], model: str) -> list[Job]:
    from tintype import batch

    names = batch.naming(inputs, options.out, options.name, model)
    kept = sources if options.overwrite else batch.without_results(sources, inputs, names)
    if len(kept) < len(sources):
        _say(f"left out {len(sources) - len(kept)} files that are results or comparisons of others")
    return batch.plan(kept, names, compare=options.compare)


def _run_pipe(options: argparse.Namespace, adjustments: Adjustments, hints: Hints | None) -> int:
    """Colorize one photograph from stdin to stdout."""
    import io

    for name in ("out", "json", "report", "compare", "files_from"):
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
        )
        sys.stdout.buffer.flush()
    except PhotoError as error:
        _say(f"tintype: {error}")
        return 1
    for note in outcome.notes:
        _say(f"tintype: {note}")
    return 0


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


def _listed(path: str | None) -> list[str]:
    if path is None:
        return []
    try:
        content = sys.stdin.buffer.read() if path == PIPE else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from {path}: {error.strerror}") from error
    return [os.fsdecode(line) for line in content.removeprefix(BOM_UTF8).splitlines() if line.strip()]


def describe(record: Record, number: int, total: int) -> str:
    """Return one line about one photograph."""
    count = f"[{number}/{total}] " if total > 1 else ""
    if record.status == "failed":
        return f"{count}failed: {record.reason}"
    if record.status == "skipped":
        return f"{count}skipped {record.input}: {record.reason}"
    psnr = "" if record.psnr is None else f", PSNR {record.psnr:.2f} dB"
    note = f" ({record.reason})" if record.reason else ""
    return (
        f"{count}{record.input} -> {record.output}, {record.width}x{record.height}, {record.seconds:.2f} s, "
        f"{record.model} on {record.provider}{psnr}{note}"
    )


def summary(records: Sequence[Record], seconds: float) -> str:
    """Return one line about a whole run."""
    counts = {status: sum(r.status == status for r in records) for status in ("done", "skipped", "failed")}
    return ", ".join(f"{count} {status}" for status, count in counts.items()) + f", {seconds:.1f} s"


def list_models(arguments: Sequence[str]) -> int:
    """Carry out `tintype models`: name, size, licence and figures of what is bundled."""
    from tintype import models

    parser = argparse.ArgumentParser(prog="tintype models", description="List the bundled models.")
    parser.parse_args(arguments)
    default = models.default()
    for name, entry in models.bundled().items():
        marked = " (default)" if name == default else ""
        figures = [f"{key} {value}" for key, value in entry["metrics"].items() if not isinstance(value, dict)]
        size = f"{name}{marked}: {entry['bytes'] / 1e6:.1f} MB"
        print(", ".join([size, *figures, entry["license"]]))
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
