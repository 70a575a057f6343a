"""Prepare a photograph, predict its color, merge the two at full resolution.

prepare   the whole photograph, stretched to the working size, as L*
predict   the network's ab at working size: the only slow step, and what adjustments act on
merge     ab meets the full L*, strip by strip
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype import comparison, encoding, image as images, memory, models, output, precision
from tintype.adjustments import Adjustments
from tintype.develop import develop, render
from tintype.encoding import AS_IT_CAME
from tintype.errors import OutputError, UsageError
from tintype.lab import grey_to_lightness, rgb_to_lab
from tintype.merge import Merger, fit, strips
from tintype.metadata import working_size_fault
from tintype.photo import Photo, in_hand
from tintype.provenance import Origin
from tintype.session import open_session, physical_cores
from tintype.spread import Spread, detail

if TYPE_CHECKING:
    from typing import BinaryIO

    from tintype import tiff
    from tintype.encoding import Settings
    from tintype.hints import Hints
    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]
Float: TypeAlias = NDArray[np.float32]

COLORED = 2.0  # CIE units of mean chroma above which a photograph counts as colored
_LARGE = 8_000_000  # px: what the network took is given back before photographs of more are merged
_AS_PREDICTED = Adjustments()
_READING, _DEVELOPING = (0.0, 0.2), (0.3, 1.0)  # shares of the time that a file takes


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
        """Open a model by bundled name or path; of `default` the form that suits the CPU (`precision`).

        `provider` auto, cpu, cuda, directml, coreml or openvino; `threads` None for the physical
        cores; `working_size` a multiple of 8 from 64 to 1024, None for the model's own. Raises a
        ModelError, ProviderError or UsageError.
        """
        if threads is not None and threads < 1:
            raise UsageError(f"{threads} threads: at least 1 is needed")
        self.threads = threads or physical_cores()
        self.session = open_session(models.find(precision.choose(model, provider)), provider, self.threads)
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
        (H, W) or (H, W, 3), sRGB -> array (H, W, 3) of the same dtype; path or PIL image -> PIL image, which
        has 8 bits a channel. A colored photograph is made grey first. Raises a PhotoError or UsageError.
        """
        if isinstance(photo, np.ndarray):
            return self._colorize_array(photo, adjustments, hints)
        if isinstance(photo, bytes):
            result = io.BytesIO()
            self.colorize_file(io.BytesIO(photo), result, adjustments, hints)
            return result.getvalue()
        opened = images.wrap(photo) if isinstance(photo, Image.Image) else images.read(Path(photo))
        merger, _ = self._merger(opened, adjustments, hints)
        return render(opened, merger, self.threads)[0]

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
        settings: Settings = AS_IT_CAME,
    ) -> Outcome:
        """Colorize a file into another, or a stream into another, without holding a photograph twice.

        A target path appears whole or not at all; its suffix gives the format. A stream takes
        `format_name`, or the input's format. TIFF takes every page of a TIFF. `compare`: also write original,
        grey and colorized side by side. `thumbnail`: the longer side of a small copy of the result, px.
        `watch` hears how far it is. `seal` is called before a whole result takes its name, see
        `output.replacing`. `settings` say how it is written. Raises a PhotoError, UsageError or
        CancelledError.
        """
        start = time.perf_counter()
        source = Path(source) if isinstance(source, str) else source
        target = Path(target) if isinstance(target, str) else target
        output.keep_original(source, target, compare)
        name = (format_name or output.format_of(target)) if isinstance(target, Path) else None
        photo = images.read(source, max_megapixels, watch=watch and watch.part(*_READING))
        name = name or output.named(photo, format_name)
        work = _Work(self, source, name, adjustments, hints, max_megapixels, settings)
        side = max(thumbnail, comparison.SIDE if compare else 0)
        with images.fitting(images.name_of(source)):
            panels = comparison.before(photo) if compare else []
            width, height = photo.size
            part = watch and watch.part(*_DEVELOPING)
            if isinstance(target, Path):
                with output.replacing(target, watch, seal) as file:
                    psnr, small = work.carry_out(photo, file, side, part)
            else:
                psnr, small = _into_stream(work, photo, target, side, part)
            if compare and small is not None:
                with output.replacing(compare) as file:
                    shown = small.resize(panels[0].size) if small.size != panels[0].size else small
                    comparison.compose([*panels, shown], psnr).save(file, "PNG")
            copy = comparison.panel(small, thumbnail) if thumbnail and small is not None else None
        return Outcome(width, height, time.perf_counter() - start, psnr, tuple(work.notes), copy)

    def prepare(self, photo: Photo | Image.Image, working_size: int | None = None) -> tuple[Float, bool]:
        """Return a photograph's L* at working size, (h, w) float32, and whether it is in color.

        The whole photograph is stretched, antialiased, in sRGB; an image has mode L, I;16, RGB or RGBA.
        """
        return prepare(photo, working_size or self.working_size)

    @property
    def origin(self) -> Origin:
        """What is said of where its colors come from."""
        return Origin(self.model, self.session.metadata.version)

    def _merger(
        self, photo: Photo, adjustments: Adjustments, hints: Hints | None, watch: Watch | None = None
    ) -> tuple[Merger, bool]:
        """Return what colors a photograph, and whether it is in color already."""
        lightness, colored = self.prepare(photo)
        spread = None if hints is None else hints.spread(detail(photo))
        prediction = self.predict(lightness, watch)
        if photo.size[0] * photo.size[1] > _LARGE:
            memory.give_back()
        return prediction.merger(*photo.size, adjustments, spread), colored

    def _colorize_array(self, array: Array, adjustments: Adjustments, hints: Hints | None) -> Array:
        shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
        if not shaped or array.dtype not in (np.uint8, np.uint16) or not array.size:
            raise UsageError(
                f"an array of {array.dtype} {array.shape}: wanted is uint8 or uint16, (H, W) or (H, W, 3)"
            )
        photo = Photo(array if array.dtype == np.uint16 else Image.fromarray(array), "")
        merger, _ = self._merger(photo, adjustments, hints)
        colorized = np.empty((*array.shape[:2], 3), array.dtype)
        for top, _, rows in strips(photo.rows, merger, self.threads):
            colorized[top : top + len(rows)] = rows
        return colorized


def prepare(photo: Photo | Image.Image, side: int) -> tuple[Float, bool]:
    """Return the L* of a photograph stretched to `side` x `side` px, float32, and whether it is in color."""
    small = in_hand(photo).stretched((side, side))
    if small.ndim == 2:
        return grey_to_lightness(small), False
    lab = rgb_to_lab(small)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    return np.ascontiguousarray(lab[..., 0]), bool(chroma.mean() > COLORED)


@dataclass
class _Work:
    """A photograph's way from file to file, with all its pages."""

    colorizer: Colorizer
    source: Path | BinaryIO
    format_name: str
    adjustments: Adjustments
    hints: Hints | None
    max_megapixels: float
    settings: Settings
    notes: list[str] = field(default_factory=list)

    def carry_out(
        self, photo: Photo, file: BinaryIO, small: int, watch: Watch | None
    ) -> tuple[float | None, Image.Image | None]:
        """Write all pages; return the PSNR and a small copy of the first."""
        frames = photo.frames
        if self.format_name != "TIFF" or len(frames) == 1:
            photo.note_one_page()
            return self._page(photo, file, small, watch)
        writer = encoding.tiff_writer(photo, file)
        first = self._page(photo, writer, small, watch and watch.part(0, 1 / len(frames)))
        for number, frame in enumerate(frames[1:], 1):
            photo = images.read(self.source, self.max_megapixels, frame=frame)
            part = watch and watch.part(number / len(frames), (number + 1) / len(frames))
            self._page(photo, writer, 0, part, f"page {number + 1}: ")
        return first

    def _page(
        self,
        photo: Photo,
        target: BinaryIO | tiff.Writer,
        small: int,
        watch: Watch | None,
        called: str = "",
    ) -> tuple[float | None, Image.Image | None]:
        colorizer, hints = self.colorizer, None if called else self.hints
        merger, colored = colorizer._merger(photo, self.adjustments, hints, watch)  # noqa: SLF001
        outcome = develop(
            photo,
            merger,
            target,
            self.format_name,
            colorizer.threads,
            settings=replace(self.settings, origin=colorizer.origin),
            colored=colored,
            small=small,
            watch=watch,
        )
        self.notes += [called + note for note in photo.notes]
        return outcome


def _into_stream(
    work: _Work, photo: Photo, target: BinaryIO, small: int, watch: Watch | None
) -> tuple[float | None, Image.Image | None]:
    """Carry out work into a stream, which gets nothing of a result that fails; raises OutputError."""
    stream = io.BytesIO()
    try:
        outcome = work.carry_out(photo, stream, small, watch)
    except OSError as error:
        raise OutputError("the result", error.strerror or error) from error
    target.write(stream.getbuffer())
    return outcome
