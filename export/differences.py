"""Measure what less precision costs in color, and brings: `python -m export.differences --data PHOTOS`.

Each released model is opened by the runtime in float32, as float16 and as int8, and colorizes the same
photographs at their full size. CIEDE2000 is that of every third pixel of every third row of the pictures of
8 bits. For time each photograph goes through all forms in turn: the network alone, and the whole way from
JPEG to JPEG. How many times as fast a form is, is the median of its ratios to float32, one a photograph.

It prints a table and writes `export/differences.json`, from which documents and metadata have their figures.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

try:
    import numpy as np
    import onnx
    import onnxruntime
    import skimage.color
    from numpy.typing import NDArray
    from PIL import Image

    from export import body, figures, quantization
    from tintype import Colorizer, models, precision
    from tintype.errors import TintypeError, UsageError
    from tintype.lab import rgb_to_lab
    from tintype.progress import Progress
    from torch_model import photos, table
except ModuleNotFoundError as missing:
    sys.exit(f"export.differences needs {missing.name}: in this folder, run pip install -e '.[train,export]'")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array: TypeAlias = NDArray[Any]

FLOAT32: Final = "float32"
THREADS: Final = (1, 2)
STRIDE: Final = 3  # px
FINEST: Final = 1e-3  # CIEDE2000, to which percentiles are told
LARGEST: Final = 100.0
NETWORK, PHOTOGRAPH = "network", "photograph"
TITLES: Final = (
    "model, form",
    "MB",
    "CIEDE2000, mean",
    "99th percentile",
    "network, ms, 1 / 2 threads",
    "times as fast",
    "photograph, ms",
    "times as fast",
)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m export.differences",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("models", nargs="*", metavar="NAME", help="released models; else all")
    add(
        "--data",
        nargs="+",
        help="photographs: folders, .tar files or patterns of them; none: tell what is known",
    )
    add("--limit", type=int, metavar="N", help="at most so many photographs")
    add("--timed", type=int, default=60, metavar="N", help="of these so many for time (%(default)s)")
    add("--json", type=Path, default=figures.FILE, metavar="FILE", help="where figures go (%(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        if options.data is not None:
            record(options)
        known = figures.read(options.json)
        print(told({name: known[name] for name in options.models or known if name in known}))
    except (TintypeError, ValueError, OSError) as error:
        print(f"differences: {error}", file=sys.stderr)
        return 2
    return 0


def record(options: argparse.Namespace) -> None:
    """Measure models, and write the figures of each as soon as they are there."""
    bundled = models.bundled()
    if unknown := [name for name in options.models if name not in bundled]:
        raise UsageError(f"there is no released model {unknown[0]}: choose from {', '.join(bundled)}")
    sources = [one.read for one in photos.find(options.data, photos.Selection(limit=options.limit), Path())]
    data = ", ".join(Path(place).name for place in options.data)
    for name in options.models or bundled:
        measured = measure(name, sources, options.timed) | {"data": data}
        figures.write(figures.read(options.json) | {name: measured}, options.json)


def measure(name: str, sources: Sequence[Callable[[], bytes]], timed: int) -> dict[str, Any]:
    """Measure the forms of a released model on photographs, which are JPEG; return plain types."""
    model = onnx.load(models.find(name))
    with tempfile.TemporaryDirectory() as folder:
        paths = {FLOAT32: models.find(name)}
        for form, made in forms(name, model).items():
            onnx.save(made, paths.setdefault(form, Path(folder, f"{form}.onnx")))
        colored, taken = colors(name, paths, sources), times(name, paths, sources[:timed])
        found = {
            form: {"bytes": path.stat().st_size, **colored[form], **taken[form]}
            for form, path in paths.items()
        }
    return {
        "weights": body.weights_digest(model),
        "photos": len(sources),
        "timed": len(sources[:timed]),
        "vnni": precision.vnni(),
        "onnxruntime": onnxruntime.__version__,
        "forms": found,
    }


def forms(name: str, model: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    """Return the forms of a released model that are less precise than it."""
    ranges = quantization.Ranges.read(name)
    return {"fp16": quantization.half(model), "int8": quantization.int8(model, ranges)}


def colors(
    name: str, paths: dict[str, Path], sources: Sequence[Callable[[], bytes]]
) -> dict[str, dict[str, float]]:
    """Return mean and 99th percentile of CIEDE2000 between each form's pictures and float32's."""
    opened = {form: Colorizer(path, provider="cpu") for form, path in paths.items()}
    counts = {form: np.zeros(round(LARGEST / FINEST), np.int64) for form in paths}
    sums = dict.fromkeys(paths, 0.0)
    with Progress(f"{name}, color", len(sources)) as progress:
        for read in sources:
            photo = np.asarray(Image.open(io.BytesIO(read())).convert("RGB"))
            labs = {form: rgb_to_lab(one.colorize(photo)[::STRIDE, ::STRIDE]) for form, one in opened.items()}
            for form, lab in labs.items():
                difference = skimage.color.deltaE_ciede2000(labs[FLOAT32], lab).ravel()
                sums[form] += float(difference.sum())
                counts[form] += np.histogram(difference, len(counts[form]), (0, LARGEST))[0]
            progress.advance()
    return {
        form: {
            "ciede2000_mean": float(f"{sums[form] / counts[form].sum():.3g}"),
            "ciede2000_p99": float(f"{_percentile(counts[form], 99):.3g}"),
        }
        for form in paths
    }


def _percentile(counts: Array, share: float) -> float:
    """Return a percentile of values counted in steps of FINEST; what lies in the first step counts as 0."""
    return float(np.searchsorted(counts.cumsum(), share / 100 * counts.sum())) * FINEST


def times(
    name: str, paths: dict[str, Path], sources: Sequence[Callable[[], bytes]]
) -> dict[str, dict[str, Any]]:
    """Return milliseconds, and how many times as fast as float32, by form, number of threads and what ran."""
    found: dict[str, dict[str, Any]] = {form: {"milliseconds": {}, "speed": {}} for form in paths}
    for threads in THREADS:
        opened = {form: Colorizer(path, provider="cpu", threads=threads) for form, path in paths.items()}
        taken: dict[str, dict[str, list[float]]] = {form: {NETWORK: [], PHOTOGRAPH: []} for form in paths}
        with Progress(f"{name}, time, {threads} threads", len(sources)) as progress:
            for number, read in enumerate(sources):
                _time(opened, taken, read(), number)
                progress.advance()
        for form, each in taken.items():
            pairs = {what: list(zip(taken[FLOAT32][what], each[what], strict=True)) for what in each}
            medians = {what: 1000 * statistics.median(values) for what, values in each.items()}
            ratios = {what: statistics.median(a / b for a, b in those) for what, those in pairs.items()}
            found[form]["milliseconds"][str(threads)] = {k: round(v, 1) for k, v in medians.items()}
            found[form]["speed"][str(threads)] = {k: round(v, 2) for k, v in ratios.items()}
    return found


def _time(
    opened: dict[str, Colorizer], taken: dict[str, dict[str, list[float]]], content: bytes, number: int
) -> None:
    """Time one photograph with all forms, beginning with another one each time."""
    photo = Image.open(io.BytesIO(content)).convert("RGB")
    order = list(opened)[number % len(opened) :] + list(opened)[: number % len(opened)]
    lightness = {form: opened[form].prepare(photo)[0][None, None] for form in order}
    for what in (NETWORK, PHOTOGRAPH):
        for form in order:
            start = time.perf_counter()
            if what == NETWORK:
                opened[form].session.run(lightness[form])
            else:
                opened[form].colorize(content)
            taken[form][what].append(time.perf_counter() - start)


def told(known: dict[str, dict[str, Any]]) -> str:
    """Return a table of figures."""
    return table.markdown(
        TITLES,
        [
            _line(f"{name}, {form}", of)
            for name, one in known.items()
            for form, of in sorted(one["forms"].items())
        ],
    )


def _line(title: str, of: dict[str, Any]) -> list[str]:
    cells = [title, f"{of['bytes'] / 1e6:.1f}", f"{of['ciede2000_mean']:.3f}", f"{of['ciede2000_p99']:.2f}"]
    for what in (NETWORK, PHOTOGRAPH):
        cells.append(" / ".join(f"{of['milliseconds'][str(n)][what]:.1f}" for n in THREADS))
        cells.append(" / ".join(f"{of['speed'][str(n)][what]:.2f}" for n in THREADS))
    return cells


if __name__ == "__main__":
    sys.exit(main())
