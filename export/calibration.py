"""Find the ranges of values for int8: `python -m export.calibration unet --data PHOTOS`.

The network runs on photographs that it was not trained on; how far the values in its body go is written
to `export/ranges/NAME.json`, from which `export.quantization` makes the int8 form without any photograph.
Each method of onnxruntime is tried, and the one is taken whose colors are closest to float32's on other
photographs.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

try:
    import numpy as np
    import onnx
    import skimage.color
    from PIL import Image

    from export import body, quantization
    from tintype import models
    from tintype.colorizer import prepare
    from tintype.errors import TintypeError, UsageError
    from tintype.lab import lightness_ab_to_rgb, rgb_to_lab
    from tintype.session import Session, open_session
    from torch_model import photos
except ModuleNotFoundError as missing:
    sys.exit(f"export.calibration needs {missing.name}: in this folder, run pip install -e '.[train,export]'")

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onnx import ModelProto

    from tintype.session import Float

METHODS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "minmax": ("MinMax", {}),
    "percentile 99.999": ("Percentile", {"percentile": 99.999}),
    "percentile 99.99": ("Percentile", {"percentile": 99.99}),
    "entropy": ("Entropy", {}),
}
_AT_ONCE: Final = 16  # photographs, of which all values are held


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m export.calibration",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("models", nargs="+", metavar="NAME", help="released models")
    add("--data", nargs="+", required=True, help="photographs: folders, .tar files or patterns of them")
    add("--limit", type=int, default=96, metavar="N", help="photographs to calibrate with (%(default)s)")
    add("--judge", type=int, default=40, metavar="N", help="others, to choose by (%(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        for name in options.models:
            path = calibrate(name, options.data, options.limit, options.judge).write(name)
            print(f"{name}: {path}")
    except (TintypeError, ValueError, OSError) as error:
        print(f"calibration: {error}", file=sys.stderr)
        return 2
    return 0


def calibrate(name: str, data: Sequence[str], limit: int, judge: int) -> quantization.Ranges:
    """Return the ranges of the method that is best for a released model, and say how good each is."""
    model = onnx.load(models.find(name))
    lightness = load(data, limit + judge, open_session(models.find(name), "cpu").metadata.working_size)
    seen, others = lightness[:-judge], lightness[-judge:]
    found = []
    for method in METHODS:
        ranges = quantization.Ranges(
            body.weights_digest(model),
            method,
            ", ".join(Path(place).name for place in data),
            len(seen),
            collect(model, method, seen),
        )
        found.append((distance(model, quantization.int8(model, ranges), others), ranges))
        print(f"{name}, {method}: CIEDE2000 {found[-1][0]:.3f} to float32", flush=True)
    return min(found, key=lambda pair: pair[0])[1]


def load(data: Sequence[str], count: int, side: int) -> list[Float]:
    """Return the L* of photographs as a model sees them, each (1, 1, side, side), ordered by names."""
    sources = photos.find(data, photos.Selection(limit=count), Path())
    if len(sources) < count:
        raise UsageError(
            f"there are {len(sources)} photographs, and {count} are needed: see --limit and --judge"
        )
    return [lightness_of(Image.open(io.BytesIO(source.read())).convert("RGB"), side) for source in sources]


def lightness_of(photo: Image.Image, side: int) -> Float:
    """Return the L* of a photograph as a model sees it, (1, 1, side, side)."""
    return prepare(photo, side)[0][None, None]


def collect(model: ModelProto, method: str, lightness: Sequence[Float]) -> dict[str, tuple[float, float]]:
    """Return how far the values that int8 must hold go on some photographs."""
    from onnxruntime.quantization import CalibrationMethod, create_calibrator

    wide = body.widen(model)
    nodes = quantization.quantized(wide)
    wanted = {name for node in nodes for name in (*node.input, *node.output)}
    kind, options = METHODS[method]
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        onnx.save(wide, source := str(Path(folder, "model.onnx")))
        calibrator = create_calibrator(
            source,
            list(quantization.QUANTIZED),
            str(Path(folder, "augmented.onnx")),
            getattr(CalibrationMethod, kind),
            extra_options=options,
        )
        for first in range(0, len(lightness), _AT_ONCE):
            calibrator.collect_data(_Reader(lightness[first : first + _AT_ONCE]))
        found = {name: value.range_value for name, value in calibrator.compute_data().items()}
    return {
        name: (float(np.ravel(low)[0]), float(np.ravel(high)[0]))
        for name, (low, high) in sorted(found.items())
        if name in wanted
    }


class _Reader:
    """What onnxruntime's calibration asks for the next photograph."""

    def __init__(self, lightness: Sequence[Float]) -> None:
        self._left: Iterator[Float] = iter(lightness)

    def get_next(self) -> dict[str, Float] | None:
        """Return the inputs of the network, or None at the end."""
        following = next(self._left, None)
        return None if following is None else {"l": following}


def distance(first: ModelProto, second: ModelProto, lightness: Sequence[Float]) -> float:
    """Return the mean CIEDE2000 between what two models make of photographs, at their working size."""
    with tempfile.TemporaryDirectory() as folder:
        sessions: list[Session] = []
        for model in (first, second):
            onnx.save(model, path := Path(folder, f"{len(sessions)}.onnx"))
            sessions.append(open_session(path, "cpu"))
        return float(np.mean([_distance(sessions, planes) for planes in lightness]))


def _distance(sessions: Sequence[Session], lightness: Float) -> float:
    colors = [
        rgb_to_lab(lightness_ab_to_rgb(lightness[0, 0], *session.run(lightness)[0][0]))
        for session in sessions
    ]
    return float(skimage.color.deltaE_ciede2000(*colors).mean())


if __name__ == "__main__":
    sys.exit(main())
