"""Prepare a photograph, predict its color, merge the two at full resolution.

prepare   the whole photograph, stretched to the working size, as L*
predict   the network's ab at working size: the only slow step, and what adjustments act on
merge     ab meets the full L*, strip by strip
"""

from __future__ import annotations

import io
import math
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype import comparison, image as images, models, output
from tintype.adjustments import Adjustments
from tintype.errors import UsageError
from tintype.lab import grey_to_lightness, rgb_to_lab
from tintype.merge import Merger, fit, strips
from tintype.metadata import working_size_fault
from tintype.session import open_session, physical_cores
from tintype.spread import Spread, detail

if TYPE_CHECKING:
    from typing import BinaryIO

    from tintype.hints import Hints
    from tintype.image import Photo
    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]
Float: TypeAlias = NDArray[np.float32]

COLORED = 2.0  # CIE units of mean chroma above which a photograph counts as colored
_AS_PREDICTED = Adjustments()
_READING, _MERGING, _WRITING = (0.0, 0.2), (0.3, 0.75), (0.75, 1.0)  # shares of the time that a file takes
_REDUCING_GAP = 3.0  # large photographs are first averaged down to three times the working size


@dataclass(frozen=True)
class Prediction:
    """What the network says of one photograph, at working size."""

    lightness: Float
    """(h, w), L*."""
    ab: Float
    """(2, h, w), CIE units."""
    ab_mean: Float | None
    """(2, h, w), of models that predict a distribution."""

    def merger(
        self,
        width: int,
        height: int,
        adjustments: Adjustments = _AS_PREDICTED,
        hints: Hints | Spread | None = None,
    ) -> Merger:
        """Return what colors the rows of a photograph of this size: as adjusted, then as hinted.

        Hints are solved for at every call, and on the lightness of the working size; a Spread that was
        made of a finer one (`tintype.spread.detail`) costs a few milliseconds.
        """
        planes = fit(self.lightness, adjustments.apply(self.lightness, self.ab, self.ab_mean))
        if hints is not None:
            spread = hints if isinstance(hints, Spread) else hints.spread(self.lightness)
            planes = spread.planes(planes)
        return Merger(planes, width, height)


@dataclass(frozen=True)
class Outcome:
    """What became of one photograph."""

    width: int
    height: int
    seconds: float
    psnr: float | None
    """dB against the photograph's own colors; None for a grey one."""
    notes: tuple[str, ...]
    thumbnail: Image.Image | None = None
    """A small copy of the result, if wanted."""


class Colorizer:
    """A model, open and ready. Safe to use from several threads in turn."""

    def __init__(
        self,
        model: str | Path = "default",
        *,
        provider: str = "auto",
        threads: int | None = None,
        working_size: int | None = None,
    ) -> None:
        """Open a model by bundled name or path.

        `provider` auto, cpu, cuda, directml, coreml or openvino; `threads` None for the physical
        cores; `working_size` a multiple of 8 from 64 to 1024, None for the model's own. Raises a
        ModelError, ProviderError or UsageError.
        """
        if threads is not None and threads < 1:
            raise UsageError(f"{threads} threads: at least 1 is needed")
        self.threads = threads or physical_cores()
        self.session = open_session(models.find(model), provider, self.threads)
        metadata = self.session.metadata
        self.working_size = metadata.working_size if working_size is None else working_size
        if fault := working_size_fault(self.working_size, metadata.multiple):
            raise UsageError(fault)

    @property
    def model(self) -> str:
        """The model's name, as it says itself."""
        return self.session.metadata.model

    @property
    def provider(self) -> str:
        """The provider that runs the network."""
        return self.session.provider

    def predict_ab(self, lightness: Float) -> Float:
        """Run the network alone: L* in [0, 100], (H, W) or (N, 1, H, W), to ab (2, H, W) or (N, 2, H, W).

        H and W must be multiples of the model's size multiple, 8; raises ValueError otherwise.
        """
        batch = lightness[None, None] if lightness.ndim == 2 else lightness
        ab, _ = self.session.run(np.ascontiguousarray(batch, np.float32))
        return ab[0] if lightness.ndim == 2 else ab

    def predict(self, lightness: Float, watch: Watch | None = None) -> Prediction:
        """Predict color for prepared lightness (h, w); raises CancelledError soon after `watch.cancel()`."""
        ab, ab_mean = self.session.run(lightness[None, None], watch)
        return Prediction(lightness, ab[0], None if ab_mean is None else ab_mean[0])

    @overload
    def colorize(self, photo: bytes, adjustments: Adjustments = ..., hints: Hints | None = ...) -> bytes: ...
    @overload
    def colorize(self, photo: Array, adjustments: Adjustments = ..., hints: Hints | None = ...) -> Array: ...
    @overload
    def colorize(
        self, photo: str | Path | Image.Image, adjustments: Adjustments = ..., hints: Hints | None = ...
    ) -> Image.Image: ...
    def colorize(
        self,
        photo: bytes | Array | str | Path | Image.Image,
        adjustments: Adjustments = _AS_PREDICTED,
        hints: Hints | None = None,
    ) -> bytes | Array | Image.Image:
        """Colorize a photograph and give back what was given.

        bytes -> bytes in the same format (PNG where that cannot be written); array uint8 or uint16,
        (H, W) or (H, W, 3), sRGB -> array (H, W, 3) of the same dtype; path or PIL image -> PIL image.
        A colored photograph is made grey first. Raises a PhotoError or UsageError.
        """
        if isinstance(photo, np.ndarray):
            return self._colorize_array(photo, adjustments, hints)
        if isinstance(photo, bytes):
            opened = images.read(io.BytesIO(photo), name="the photograph")
            result, _ = self._colorize_photo(opened, adjustments, hints)
            return output.encoded(result, opened)
        opened = images.wrap(photo) if isinstance(photo, Image.Image) else images.read(Path(photo))
        return self._colorize_photo(opened, adjustments, hints)[0]

    def colorize_file(
        self,
        source: str | Path | BinaryIO,
        target: str | Path | BinaryIO,
        adjustments: Adjustments = _AS_PREDICTED,
        hints: Hints | None = None,
        *,
        format_name: str | None = None,
        max_megapixels: float = images.MAX_MEGAPIXELS,
        compare: Path | None = None,
        thumbnail: int = 0,
        watch: Watch | None = None,
        seal: output.Seal | None = None,
    ) -> Outcome:
        """Colorize a file into another, or a stream into another, without holding a photograph twice.

        A target path appears whole or not at all; its suffix gives the format. A stream takes
        `format_name`, or the input's format. `compare`: also write original, grey and colorized
        side by side. `thumbnail`: the longer side of a small copy of the result, px. `watch` hears how
        far it is. `seal` is called before a whole result takes its name (`output.replacing`). Raises a
        PhotoError, UsageError or CancelledError.
        """
        start = time.perf_counter()
        source = Path(source) if isinstance(source, str) else source
        target = Path(target) if isinstance(target, str) else target
        output.keep_original(source, target, compare)
        photo = images.read(source, max_megapixels, watch=watch and watch.part(*_READING))
        with images.fitting(images.name_of(source)):
            panels = comparison.before(photo) if compare else []
            result, psnr = self._colorize_photo(photo, adjustments, hints, watch)
            if isinstance(target, Path):
                part = watch and watch.part(*_WRITING)
                output.write(result, photo, target, format_name, part, seal=seal)
            else:
                target.write(output.encoded(result, photo, format_name))
            if compare:
                with output.replacing(compare) as file:
                    comparison.compose([*panels, comparison.panel(result)], psnr).save(file, "PNG")
            small = comparison.panel(result, thumbnail) if thumbnail else None
        return Outcome(*result.size, time.perf_counter() - start, psnr, tuple(photo.notes), small)

    def prepare(self, photo: Image.Image, working_size: int | None = None) -> tuple[Float, bool]:
        """Return a photograph's L* at working size, (h, w) float32, and whether it is in color.

        The whole photograph is stretched, antialiased, in sRGB; mode L, I;16, RGB or RGBA.
        """
        return prepare(photo, working_size or self.working_size)

    def _colorize_photo(
        self, photo: Photo, adjustments: Adjustments, hints: Hints | None, watch: Watch | None = None
    ) -> tuple[Image.Image, float | None]:
        """Return the colorized image (the photograph's own where it is RGB) and the PSNR if there is one."""
        lightness, colored = self.prepare(photo.image)
        merger = self.predict(lightness, watch).merger(*photo.size, adjustments, _spread(hints, photo.image))
        return render(photo, merger, self.threads, colored=colored, watch=watch and watch.part(*_MERGING))

    def _colorize_array(self, photo: Array, adjustments: Adjustments, hints: Hints | None) -> Array:
        shaped = photo.ndim == 2 or (photo.ndim == 3 and photo.shape[2] == 3)
        if not shaped or photo.dtype not in (np.uint8, np.uint16) or not photo.size:
            raise UsageError(
                f"an array of {photo.dtype} {photo.shape}: wanted is uint8 or uint16, (H, W) or (H, W, 3)"
            )
        height, width = photo.shape[:2]
        small = (
            Image.fromarray((photo >> 8).astype(np.uint8))
            if photo.dtype == np.uint16
            else Image.fromarray(photo)
        )
        spread = _spread(hints, small)
        merger = self.predict(self.prepare(small)[0]).merger(width, height, adjustments, spread)
        colorized = np.empty((height, width, 3), photo.dtype)
        for top, _, rows in strips(lambda top, bottom: photo[top:bottom], merger, self.threads):
            colorized[top : top + len(rows)] = rows
        return colorized


def prepare(photo: Image.Image, side: int) -> tuple[Float, bool]:
    """Return the L* of a photograph stretched to `side` x `side` px, float32, and whether it is in color."""
    if photo.mode == "I;16":
        values = np.asarray(_stretch(Image.fromarray(np.asarray(photo, np.float32)), side))
        return grey_to_lightness(np.clip(values, 0, 65535) / np.float32(65535)), False
    small = _stretch(photo.convert("RGB") if photo.mode == "RGBA" else photo, side)
    if small.mode == "L":
        return grey_to_lightness(np.asarray(small)), False
    lab = rgb_to_lab(np.asarray(small))
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    return np.ascontiguousarray(lab[..., 0]), bool(chroma.mean() > COLORED)


def _stretch(photo: Image.Image, side: int) -> Image.Image:
    return photo.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP)


def _spread(hints: Hints | None, photo: Image.Image) -> Spread | None:
    return None if hints is None else hints.spread(detail(photo))


def render(
    photo: Photo,
    merger: Merger,
    workers: int,
    *,
    colored: bool = False,
    keep: bool = False,
    watch: Watch | None = None,
) -> tuple[Image.Image, float | None]:
    """Give a photograph the color of a merger, at full size, with `workers` threads.

    Returns the colorized image and, of a `colored` photograph, its PSNR against that, dB. The image is
    the photograph's own where that is RGB, unless it is to be kept. Raises CancelledError.
    """
    result, error, height = photo.result(keep=keep), 0.0, photo.size[1]
    with closing(strips(photo.rows, merger, workers)) as done:
        for top, before, after in done:
            if colored:
                error += float(np.sum((before.astype(np.float32) - after) ** 2, dtype=np.float64))
            photo.put(result, after, top)
            if watch is not None:
                watch.advance((top + len(after)) / height)
    mean = error / (photo.size[0] * height * 3)
    return result, 10 * math.log10(255**2 / mean) if colored and mean else None
