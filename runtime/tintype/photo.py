"""A photograph in hand: its pixels, upright and in sRGB, and what goes along into its result.

Pixels of 8 bits are a Pillow image, those of 16 bits an array: Pillow has no color of 16 bits. Rows go
out and in as arrays, so that a large photograph is never held twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.reduction import reduced

Array: TypeAlias = NDArray[Any]
Size: TypeAlias = "tuple[int, int]"

_REDUCING_GAP: Final = 3.0  # large photographs are first averaged down to three times the size wanted
_STRIP: Final = 1 << 20  # px converted at once


@dataclass
class Photo:
    """A photograph in hand."""

    pixels: Image.Image | Array
    """Upright, in sRGB: a Pillow image, mode L, RGB or RGBA; or uint16, (H, W) grey, (H, W, 2) with
    alpha, (H, W, 3) in color, (H, W, 4) with alpha. Of an image with mode I;16 an array is made."""
    format: str
    """Pillow's name of the format that it came in; empty for an image that came from no file."""
    info: dict[str, Any] = field(default_factory=dict)
    """What goes along into the output; see `tintype.keepsakes`."""
    notes: list[str] = field(default_factory=list)
    """What a person should know: what was converted or left out."""
    frames: tuple[int, ...] = (0,)
    """The numbers of the pages of a TIFF that are photographs; one of them is in hand."""
    profile: bytes = b""
    """The RGB profile that it came in, where it was another one than sRGB."""

    def __post_init__(self) -> None:
        if isinstance(self.pixels, Image.Image) and self.pixels.mode == "I;16":
            self.pixels = values_of(self.pixels)

    @property
    def size(self) -> Size:
        """Width and height, px."""
        if isinstance(self.pixels, Image.Image):
            return self.pixels.size
        height, width = self.pixels.shape[:2]
        return width, height

    @property
    def deep(self) -> bool:
        """Whether it has 16 bits a channel."""
        return not isinstance(self.pixels, Image.Image)

    @property
    def has_alpha(self) -> bool:
        """Whether some of it may be transparent."""
        if isinstance(self.pixels, Image.Image):
            return self.pixels.mode == "RGBA"
        return self.pixels.ndim == 3 and self.pixels.shape[2] in (2, 4)

    def note_one_page(self) -> None:
        """Note that of several pages one alone goes on."""
        if len(self.frames) > 1:
            self.notes.append(
                f"the first of {len(self.frames)} pages was taken: `tintype` makes a TIFF of all"
            )

    def rows(self, top: int, bottom: int) -> Array:
        """Return rows as uint8 or uint16, (rows, W, 3) or, of grey photographs, (rows, W)."""
        if isinstance(self.pixels, Image.Image):
            rows = np.asarray(self.pixels.crop((0, top, self.pixels.width, bottom)))
            return rows[..., :3] if rows.ndim == 3 else rows
        rows = self.pixels[top:bottom]
        if rows.ndim == 3:
            rows = rows[..., 0] if rows.shape[2] < 3 else rows[..., :3]
        return np.ascontiguousarray(rows)

    def alpha(self, top: int, bottom: int) -> Array | None:
        """Return rows of alpha, (rows, W) uint8 or uint16; None where all is opaque."""
        if not self.has_alpha:
            return None
        if isinstance(self.pixels, Image.Image):
            strip = self.pixels.crop((0, top, self.pixels.width, bottom))
            return np.asarray(strip.getchannel("A"))
        return np.ascontiguousarray(self.pixels[top:bottom, :, -1])

    @cached_property
    def image(self) -> Image.Image:
        """The photograph as a Pillow image: L, RGB, RGBA, or I;16 of grey with 16 bits; color has 8 bits."""
        if isinstance(self.pixels, Image.Image):
            return self.pixels
        if self.pixels.ndim == 2:
            return Image.fromarray(np.ascontiguousarray(self.pixels))
        return self._eight_bits()

    def _eight_bits(self) -> Image.Image:
        image = Image.new("RGBA" if self.has_alpha else "RGB", self.size)
        width, height = self.size
        step = max(1, _STRIP // width)
        for top in range(0, height, step):
            rows = self.rows(top, top + step)
            self.put(image, rows if rows.ndim == 3 else np.repeat(rows[..., None], 3, axis=2), top)
        return image

    def stretched(self, size: Size, gap: float = _REDUCING_GAP) -> Array:
        """Return a small copy of another shape, antialiased in sRGB, without alpha.

        It is first averaged down to `gap` times the size wanted. (h, w) of grey photographs, (h, w, 3)
        of others; uint8, or float32 in 0..1 of 16 bits.
        """
        if isinstance(self.pixels, Image.Image):
            if not self.has_alpha:
                return np.asarray(_resized(self.pixels, size, gap))
            bands = (self.pixels.getchannel(name) for name in "RGB")  # Pillow would premultiply them
            return np.stack([np.asarray(_resized(band, size, gap)) for band in bands], axis=-1)
        return reduced(self.rows, self.size, size, gap)

    def result(self, *, keep: bool = False) -> Image.Image:
        """Return the image of 8 bits that takes the colorized rows: the photograph's own where it is RGB.

        `keep`: another one in any case, so that the photograph stays as it is.
        """
        if isinstance(self.pixels, Image.Image) and self.pixels.mode in ("RGB", "RGBA"):
            return self.pixels.copy() if keep else self.pixels
        return Image.new("RGBA" if self.has_alpha else "RGB", self.size, None)  # every pixel will be put

    def put(self, result: Image.Image, rows: Array, top: int) -> None:
        """Write colorized rows (rows, W, 3) into a result, of 16 bits the upper 8; alpha stays."""
        alpha = self.alpha(top, top + len(rows))
        if alpha is not None:
            rows = np.concatenate([to_8_bits(rows), to_8_bits(alpha)[..., None]], axis=2)
        result.paste(Image.fromarray(to_8_bits(rows)), (0, top))


def values_of(image: Image.Image) -> Array:
    """Return an image of greys with 16 bits as uint16 (H, W): strip by strip, since Pillow copies thrice."""
    values = np.empty((image.height, image.width), np.uint16)
    step = max(1, _STRIP // image.width)
    for top in range(0, image.height, step):
        values[top : top + step] = np.asarray(
            image.crop((0, top, image.width, min(top + step, image.height)))
        )
    return values


def in_hand(photo: Photo | Image.Image) -> Photo:
    """Return a photograph as it is, an image (mode L, I;16, RGB or RGBA) as a photograph."""
    return photo if isinstance(photo, Photo) else Photo(photo, "")


def _resized(band: Image.Image, size: Size, gap: float) -> Image.Image:
    return band.resize(size, Image.Resampling.BICUBIC, reducing_gap=gap)


def to_8_bits(rows: Array) -> Array:
    """Return uint8 of uint8 or uint16, rounded."""
    if rows.dtype == np.uint8:
        return rows
    return np.rint(rows / np.float32(257)).astype(np.uint8)
