"""Give a photograph its color at full size: into an image, or straight into a file, strip by strip."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype import comparison, encoding, merge, tiff
from tintype.encoding import AS_IT_CAME
from tintype.formats import FORMATS
from tintype.photo import to_8_bits

if TYPE_CHECKING:
    from typing import BinaryIO

    from tintype.encoding import Settings
    from tintype.merge import Merger
    from tintype.photo import Photo
    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]

_MERGED: Final = 0.65  # share of the time after which an image remains to be encoded
_OVERSAMPLED: Final = 2  # rows and columns of a small copy, for each that is wanted


def _error(before: Array, after: Array) -> float:
    """Return the sum of squared differences, in levels of 8 bits."""
    difference = before.astype(np.float32).ravel()
    difference -= after.ravel()
    return float(np.dot(difference, difference)) * (255 / np.iinfo(after.dtype).max) ** 2


def _psnr(error: float, size: tuple[int, int]) -> float | None:
    """Return dB; None where nothing differs."""
    return 10 * math.log10(255**2 / (error / (3 * size[0] * size[1]))) if error else None


def render(
    photo: Photo,
    merger: Merger,
    workers: int,
    *,
    colored: bool = False,
    keep: bool = False,
    watch: Watch | None = None,
) -> tuple[Image.Image, float | None]:
    """Give a photograph the color of a merger, at full size and 8 bits, with `workers` threads.

    Returns the colorized image and, of a `colored` photograph, its PSNR against that, dB. The image is
    the photograph's own where that is RGB, unless it is to be kept. Raises CancelledError.
    """
    result, height, total = photo.result(keep=keep), photo.size[1], 0.0

    def paint(before: Array, top: int) -> tuple[Array, float]:
        after = merger(before, top)
        return after, _error(before, after) if colored else 0.0

    with closing(merge.strips(photo.rows, merger, workers, paint)) as done:
        for top, _, (after, error) in done:
            total += error
            photo.put(result, after, top)  # by one thread: Pillow may have to copy the image at the first
            if watch is not None:
                watch.advance((top + len(after)) / height)
    return result, _psnr(total, photo.size) if colored else None


def develop(
    photo: Photo,
    merger: Merger,
    target: BinaryIO | tiff.Writer,
    format_name: str,
    workers: int,
    *,
    settings: Settings = AS_IT_CAME,
    colored: bool = False,
    keep: bool = False,
    small: int = 0,
    watch: Watch | None = None,
) -> tuple[float | None, Image.Image | None]:
    """Write a photograph in the color of a merger into a file, or as a page of a TIFF.

    Returns its PSNR, dB, if it is `colored`, and a copy whose longer side is `small` px, if that is wanted.
    The photograph's own pixels may be used up, unless it is to be kept. Raises OSError, CancelledError.
    """
    encoding.check(photo, format_name, settings)
    if encoding.by_strips(photo, format_name):
        return _by_strips(
            photo,
            merger,
            target,
            format_name,
            workers,
            settings=settings,
            colored=colored,
            small=small,
            watch=watch,
        )
    assert not isinstance(target, tiff.Writer)
    if photo.deep:
        photo.notes.append(f"{format_name} holds 8 bits of its 16")
    image, psnr = render(
        photo, merger, workers, colored=colored, keep=keep, watch=watch and watch.part(0, _MERGED)
    )
    copy = comparison.panel(image, small) if small else None
    part = watch and watch.part(_MERGED, 1)
    encoding.encode(image, photo, target, format_name, watch=part, settings=settings)
    return psnr, copy


def _by_strips(
    photo: Photo,
    merger: Merger,
    target: BinaryIO | tiff.Writer,
    format_name: str,
    workers: int,
    *,
    settings: Settings,
    colored: bool,
    small: int,
    watch: Watch | None,
) -> tuple[float | None, Image.Image | None]:
    if photo.has_alpha and not FORMATS[format_name].alpha:
        photo.notes.append(f"{format_name} keeps no transparency: put on white")
    rows = merge.step(photo.size[0])
    encoder = encoding.strips(photo, target, format_name, rows, settings)
    total, copy = 0.0, _Small(photo.size, small)

    def paint(before: Array, top: int) -> tuple[Array, Any, float]:
        after = merger(before, top)
        packed = encoder.pack(encoding.finished(photo, after, top, format_name, settings))
        return after, packed, _error(before, after) if colored else 0.0

    with closing(merge.strips(photo.rows, merger, workers, paint)) as done:
        for top, _, (after, packed, error) in done:
            encoder.put(packed)
            total += error
            copy.add(after, top)
            if watch is not None:
                watch.advance((top + len(after)) / photo.size[1])
    encoder.close()
    return _psnr(total, photo.size) if colored else None, copy.image()


@dataclass
class _Small:
    """Gathers a small copy of a result from its strips."""

    size: tuple[int, int]
    side: int
    rows: list[Array] = field(default_factory=list)

    def add(self, strip: Array, top: int) -> None:
        if self.side:
            step = max(1, max(self.size) // (_OVERSAMPLED * self.side))
            self.rows.append(to_8_bits(strip[-top % step :: step, ::step]))

    def image(self) -> Image.Image | None:
        if not self.side:
            return None
        whole = Image.fromarray(np.concatenate(self.rows))
        scale = min(1.0, self.side / max(self.size))
        size = (max(1, round(self.size[0] * scale)), max(1, round(self.size[1] * scale)))
        return whole if whole.size == size else whole.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
