"""Compare the rgb form with the runtime, as pictures of 8 bits: `python -m export.agreement --data PHOTOS`.

Each photograph is stretched to each size, half of them made grey, and colorized by both. It prints a row for
each form: the largest difference in levels of 255, the share of pixels that differ by more than 1 and by
more than 2, the mean, and how many times as long the form takes, in turn on one thread.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

try:
    import numpy as np
    import onnx
    import onnxruntime
    from numpy.typing import NDArray
    from PIL import Image

    from export import forms
    from tintype import Adjustments, Colorizer, models, precision
    from tintype.errors import TintypeError
    from tintype.metadata import MEAN_OUTPUT
    from torch_model import photos, table
except ModuleNotFoundError as missing:
    sys.exit(f"export.agreement needs {missing.name}: in this folder, run pip install -e '.[train,export]'")

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[Any]

SIZES: Final = ((1, 1), (13, 7), (300, 1), (96, 96), (127, 130), (500, 333), (700, 385), (1200, 800))
TITLES: Final = ("form", "pictures", "largest", "> 1 level", "> 2 levels", "mean", "times as long, 1200x800")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export.agreement", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("models", nargs="*", metavar="NAME", help="released models; else all")
    parser.add_argument("--data", nargs="+", required=True, help="photographs: folders, .tar files, patterns")
    parser.add_argument("--limit", type=int, default=40, metavar="N", help="photographs (%(default)s)")
    options = parser.parse_args(arguments)
    names = options.models or [name for name in models.bundled() if not name.endswith(precision.SUFFIX)]
    try:
        found = photos.find(options.data, photos.Selection(limit=options.limit), Path())
        pictures = [np.asarray(Image.open(io.BytesIO(one.read())).convert("RGB")) for one in found]
        rows = [row for name in names for row in compare(name, pictures)]
    except (TintypeError, ValueError, OSError) as error:
        print(f"agreement: {error}", file=sys.stderr)
        return 2
    print(table.markdown(TITLES, rows))
    return 0


def compare(name: str, pictures: Sequence[Array]) -> list[tuple[str, ...]]:
    """Return a row for each rgb form of any size that a model has in float32."""
    model = onnx.load(models.find(name))
    colorizer = Colorizer(name, provider="cpu", threads=1)
    rows = []
    for form in forms.forms(forms.described(model), [item.name for item in model.graph.output]):
        if form.form == "rgb" and form.size is None and form.precision == "fp32":
            session = opened(forms.build(model, form))
            rows.append((f"{name}{form.suffix}", *_row(session, colorizer, form.output, pictures)))
    return rows


def opened(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Return a session of a model on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def colorized(session: onnxruntime.InferenceSession, photo: Array) -> Array:
    """Return a photograph (H, W, 3) uint8, colorized by an rgb form, as that."""
    rgb = np.moveaxis(photo, -1, 0)[None].astype(np.float32) / 255
    (color,) = session.run(None, {"rgb": rgb})
    result: Array = np.rint(np.moveaxis(color[0], 0, -1) * 255).astype(np.uint8)
    return result


def _row(
    session: onnxruntime.InferenceSession, colorizer: Colorizer, output: str, pictures: Sequence[Array]
) -> tuple[str, ...]:
    adjustments = Adjustments(vividness=0.0 if output == MEAN_OUTPUT else 1.0)
    counts, ratios, total = np.zeros(256, np.int64), list[float](), 0.0
    for number, picture in enumerate(pictures):
        image = Image.fromarray(picture).convert("RGB" if number % 2 else "L").convert("RGB")
        for size in SIZES:
            photo = np.asarray(image.resize(size))
            times = [time.perf_counter()]
            ours = colorizer.colorize(photo, adjustments)
            times.append(time.perf_counter())
            theirs = colorized(session, photo)
            times.append(time.perf_counter())
            difference = np.abs(ours.astype(np.int16) - theirs)
            counts += np.bincount(difference.max(axis=-1).ravel(), minlength=256)
            total += float(difference.sum()) / 3
            if size == SIZES[-1]:
                ratios.append((times[2] - times[1]) / (times[1] - times[0]))
    shares = [counts[beyond:].sum() / counts.sum() for beyond in (2, 3)]
    return (
        str(len(pictures) * len(SIZES)),
        str(np.flatnonzero(counts)[-1]),
        *(f"{1e6 * share:.1f} in a million" for share in shares),
        f"{total / counts.sum():.4f}",
        f"{statistics.median(ratios):.1f}",
    )


if __name__ == "__main__":
    sys.exit(main())
