"""The color alone, as PNG files for photo editors, written strip by strip.

color   RGBA, 8 bits. Lay it over the photograph and choose the blend mode `LCH Color` (GIMP) or
        `Color` (others). Each pixel has the result's a and b at L* = 65, where most colors fit into
        sRGB; one that does not takes the photograph's own L*. Alpha is the photograph's, else opaque:
        where the result is grey, the layer makes what it lies on grey.
ab      RGB, 16 bits, in the order of Lab: R is L* = 50 throughout (32768), and

            a = G / 257 - 128        b = B / 257 - 128        in CIE units, -128..127

        Split into channels, put the photograph's own L* in place of the first, compose as Lab.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype import output
from tintype.errors import UsageError
from tintype.lab import lightness_ab_to_rgb, rgb_to_lab
from tintype.merge import lightness_of, strips

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from tintype.image import Photo
    from tintype.merge import Merger
    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]
Kind: TypeAlias = Literal["color", "ab"]

LIGHTNESS: Final = 65.0
MIDDLE: Final = 32768  # the first channel of ab
_LOST: Final = 1.0  # CIE units of chroma that a color may lose at LIGHTNESS
_EFFORT: Final = 4  # of zlib, 1..9
_RGB, _RGBA = 2, 6  # PNG's color types
_SUB: Final = 1  # PNG's filter: differences to the pixel on the left


def write(target: Path, kind: Kind, photo: Photo, merger: Merger, *, workers: int, watch: Watch) -> None:
    """Write a layer of a photograph's size; raises UsageError, OutputError, CancelledError."""
    if target.suffix.lower() != ".png":
        raise UsageError(f"{target}: the color layer is a PNG: end its name with .png")
    width, height = photo.size
    paint = partial(color if kind == "color" else ab, merger)
    depth, color_type = (8, _RGBA) if kind == "color" else (16, _RGB)
    with (
        output.replacing(target) as file,
        closing(strips(photo.rows, merger, workers, paint)) as done,
    ):
        png = _Png(file, width, height, depth, color_type)
        for top, _, rows in done:
            watch.advance(top / height)
            png.write(_with_alpha(rows, photo, top) if kind == "color" else rows)
        png.close()


def color(merger: Merger, rows: Array, top: int) -> Array:
    """Return rows (rows, W, 3) uint8 that have a merger's a and b, and no detail of the photograph."""
    lightness = lightness_of(rows)
    a, b = merger.ab(lightness, top)
    flat = np.full_like(lightness, LIGHTNESS)
    fitted = rgb_to_lab(lightness_ab_to_rgb(flat, a, b))
    lost = np.hypot(a, b) - np.hypot(fitted[..., 1], fitted[..., 2]) > _LOST
    return lightness_ab_to_rgb(np.where(lost, lightness, flat), a, b, np.uint8)


def ab(merger: Merger, rows: Array, top: int) -> Array:
    """Return rows (rows, W, 3) uint16: MIDDLE, a and b, coded as the module says."""
    planes = merger.ab(lightness_of(rows), top)
    coded = np.empty((*rows.shape[:2], 3), np.uint16)
    coded[..., 0] = MIDDLE
    for channel, plane in enumerate(planes, 1):
        coded[..., channel] = np.rint((np.clip(plane, -128, 127) + 128) * 257)
    return coded


def _with_alpha(rows: Array, photo: Photo, top: int) -> Array:
    """Return rows (rows, W, 4) with the photograph's alpha, or opaque."""
    alpha = np.full((*rows.shape[:2], 1), 255, np.uint8)
    if photo.image.mode == "RGBA":
        strip = photo.image.crop((0, top, photo.size[0], top + len(rows)))
        alpha = np.asarray(strip.getchannel("A"))[..., None]
    return np.concatenate([rows, alpha], axis=-1)


class _Png:
    """Writes a PNG row by row; Pillow wants the whole image, and has no RGB of 16 bits."""

    def __init__(self, file: BinaryIO, width: int, height: int, depth: int, color_type: int) -> None:
        self._file = file
        self._deflate = zlib.compressobj(_EFFORT)
        file.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))

    def write(self, rows: Array) -> None:
        """Write rows (rows, W, channels), uint8 or uint16."""
        pixel = rows.shape[2] * rows.itemsize
        plain = rows.astype(rows.dtype.newbyteorder(">")).reshape(len(rows), -1).view(np.uint8)
        filtered = np.empty((len(rows), plain.shape[1] + 1), np.uint8)
        filtered[:, 0] = _SUB
        filtered[:, 1 : pixel + 1] = plain[:, :pixel]
        np.subtract(plain[:, pixel:], plain[:, :-pixel], out=filtered[:, pixel + 1 :])
        self._data(self._deflate.compress(filtered.tobytes()))

    def close(self) -> None:
        """Write the end; the file itself stays open."""
        self._data(self._deflate.flush())
        self._chunk(b"IEND", b"")

    def _data(self, data: bytes) -> None:
        if data:
            self._chunk(b"IDAT", data)

    def _chunk(self, name: bytes, data: bytes) -> None:
        check = zlib.crc32(name + data)
        self._file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", check))
