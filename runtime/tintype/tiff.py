"""Write TIFF strip by strip: Pillow compresses it in one call, during which no other thread runs."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, TiffImagePlugin

if TYPE_CHECKING:
    from typing import BinaryIO

STRIP: Final = 1 << 18  # px compressed at once
_START: Final = b"II*\0"  # little-endian TIFF; the place of the directory follows
_LEVEL: Final = 6  # of zlib, as libtiff has it
_DEFLATE, _RGB, _HORIZONTAL, _INCH, _ALPHA = 8, 2, 2, 2, 2  # values of tags
_PLACES, _LENGTHS = 273, 279  # tags of the strips
_LONG, _UNDEFINED = 4, 7  # types of values


def save(
    image: Image.Image,
    target: BinaryIO,
    *,
    icc_profile: bytes,
    exif: Image.Exif | None = None,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write an RGB or RGBA image, deflated; `exif` without folders. Raises OSError."""
    rows = max(1, STRIP // image.width)
    tops = range(0, image.height, rows)
    directory = _directory(image, rows, icc_profile, exif, dpi)
    directory[_PLACES] = directory[_LENGTHS] = (0,) * len(tops)
    head = _START + struct.pack("<I", 8)
    start = 8 + len(
        directory.tobytes(8)
    )  # of the strips; the directory's length depends on their number alone
    target.write(bytes(start))
    strips = [_strip(image, top, rows, target) for top in tops]
    directory[_PLACES] = tuple(place - start for place, _ in strips)  # Pillow adds the start
    directory[_LENGTHS] = tuple(length for _, length in strips)
    target.seek(0)
    target.write(head + directory.tobytes(8))


def _strip(image: Image.Image, top: int, rows: int, target: BinaryIO) -> tuple[int, int]:
    """Write some rows as differences to the pixel on the left; return their place and length."""
    pixels = np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))
    differences = pixels.copy()
    differences[:, 1:] -= pixels[:, :-1]
    data = zlib.compress(differences.tobytes(), _LEVEL)
    place = target.tell()
    target.write(data + bytes(len(data) % 2))  # places are even
    return place, len(data)


def _directory(
    image: Image.Image,
    rows: int,
    icc_profile: bytes,
    exif: Image.Exif | None,
    dpi: tuple[float, float] | None,
) -> TiffImagePlugin.ImageFileDirectory_v2:
    """Return what a file tells of its pixels, but for where they are."""
    channels = len(image.getbands())
    tags: dict[int, Any] = dict(exif or {})
    if dpi is not None:
        tags |= {282: dpi[0], 283: dpi[1], 296: _INCH}
    if channels == 4:
        tags[338] = _ALPHA
    tags |= {256: image.width, 257: image.height, 258: (8,) * channels, 259: _DEFLATE, 262: _RGB}
    tags |= {277: channels, 278: rows, 284: 1, 317: _HORIZONTAL, 34675: icc_profile}
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=_START[:2])
    directory.tagtype |= {_PLACES: _LONG, _LENGTHS: _LONG, 34675: _UNDEFINED}
    for tag, value in tags.items():
        directory[tag] = value
    return directory
