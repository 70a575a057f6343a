"""Photographs with 16 bits a channel, from files: their pixels and what the files hold besides."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype import deep, keepsakes, png, pnm, profiles
from tintype.photo import Photo

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]

TIFF_STARTS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _COMPRESSION, _ORIENTATION, _PLAIN = 258, 259, 274, 1
_ACROSS, _DOWN, _UNIT, _CENTIMETER = 282, 283, 296, 3
_XMP, _ICC = 700, 34675
NO_PROFILE: Final = "its inks have no color profile: its lightness is approximate"
_LEFT_OUT: Final = "its EXIF could not be read and was left out"


class Scan:
    """A file with 16 bits a channel, of which nothing but its head is read yet."""

    def __init__(
        self,
        size: tuple[int, int],
        bytes_per_pixel: int,
        read: Callable[[Watch | None], Photo],
    ) -> None:
        """Take width and height, px, what a pixel takes in memory, and what reads the rest."""
        self.size, self.bytes_per_pixel, self.read = size, bytes_per_pixel, read


def scan(file: BinaryIO, opened: Image.Image | None, frame: int) -> Scan | None:
    """Return the file as one of 16 bits, if it is one, and Pillow, which has opened it, would lose of them.

    None for `opened` stands for a TIFF that Pillow does not know. Raises MissingLibraryError, ValueError.
    """
    file.seek(0)
    if opened is None or (opened.format == "TIFF" and _is_deep(opened)):
        page = deep.TiffPage(file, frame)
        return Scan(page.size, page.bytes_per_pixel, partial(_tiff, page))
    if opened.format == "PNG" and (head := png.header(file)) and head.depth == 16:
        size = 8 * len(opened.getbands())  # two bytes a channel, and of interlaced ones more for a while
        return Scan((head.width, head.height), size if head.interlaced else size // 4, partial(_png, file))
    if opened.format == "PPM" and (start := pnm.header(file)) and 255 < start.most < 65536:
        return Scan((start.width, start.height), 2 * start.channels, partial(_pnm, file))
    return None


def _is_deep(opened: Image.Image) -> bool:
    """Say whether a page that Pillow opened has pixels of which it would lose bits."""
    bits = opened.tag_v2.get(_BITS, (1,))  # type: ignore[attr-defined]
    most = max(bits) if isinstance(bits, tuple) else bits
    return most > 8 and opened.mode not in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")


def _pnm(file: BinaryIO, watch: Watch | None) -> Photo:
    file.seek(0)
    return Photo(pnm.read(file, watch), "PPM")


# PNG


def _png(file: BinaryIO, watch: Watch | None) -> Photo:
    file.seek(0)
    with Image.open(png.without_pixels(file)) as said:
        said.load()
        info = said.info
        pixels = _png_pixels(file, watch)
        if (shade := info.get("transparency")) is not None:
            pixels = _with_transparent_shade(pixels, shade)
        photo = Photo(pixels, "PNG")
        photo.info = keepsakes.taken(said)
    if exif := photo.info.pop("exif", None):
        _turn(photo, exif)
    convert(photo, info.get("icc_profile", b""))
    return photo


def _png_pixels(file: BinaryIO, watch: Watch | None) -> Array:
    file.seek(0)
    head = png.header(file)
    assert head is not None
    if not head.interlaced:
        return png.read(file, watch)
    with Image.open(file) as upper:
        if upper.mode == "I;16":
            return np.asarray(upper).astype(np.uint16)
        upper.load()
        file.seek(0)
        with Image.open(file) as lower:
            return png.read_interlaced(upper, lower)


def _with_transparent_shade(pixels: Array, shade: Any) -> Array:
    """Return pixels with alpha, which is 0 at one color."""
    color = np.array(shade, np.uint16)
    plain = pixels[..., None] if pixels.ndim == 2 else pixels
    alpha = np.where(np.all(plain == color, axis=-1, keepdims=True), np.uint16(0), np.uint16(65535))
    return np.concatenate([plain, alpha], axis=-1)


def _turn(photo: Photo, exif: bytes) -> None:
    """Turn a photograph upright, and take its EXIF along, which says so then."""
    assert isinstance(photo.pixels, np.ndarray)
    try:
        there = keepsakes.loaded(exif)
        orientation = there.pop(_ORIENTATION, 1)
        photo.info["exif"] = there.tobytes()
    except Exception:  # noqa: BLE001 - Pillow's reader of EXIF raises whatever the damage makes it raise
        photo.notes.append(_LEFT_OUT)
        return
    if orientation in range(2, 9):
        photo.pixels = deep.upright(photo.pixels, orientation)
        if "xmp" in photo.info:
            photo.info["xmp"] = keepsakes.without_orientation(photo.info["xmp"])


# TIFF


def _tiff(page: deep.TiffPage, watch: Watch | None) -> Photo:
    photo = Photo(page.read(watch), "TIFF")
    profile = b""
    try:
        directory = page.directory()
        profile = _tiff_info(photo, directory)
    except Exception:  # noqa: BLE001 - Pillow's reader of tags raises whatever the damage makes it raise
        photo.notes.append(_LEFT_OUT)
    convert(photo, profile)
    if page.cmyk and isinstance(photo.pixels, np.ndarray) and photo.pixels.shape[2] == 4:
        photo.notes.append(NO_PROFILE)
        photo.pixels = deep.cmyk_to_rgb(photo.pixels)
    return photo


def _tiff_info(photo: Photo, directory: Image.Exif) -> bytes:
    """Take along what a directory says, turn the photograph upright, and return its profile."""
    info = photo.info
    info["compression"] = "raw" if directory.get(_COMPRESSION, _PLAIN) == _PLAIN else "tiff_adobe_deflate"
    if isinstance(xmp := directory.get(_XMP), bytes):
        info["xmp"] = xmp
    if iptc := keepsakes.iptc_of_directory(directory._info):  # noqa: SLF001
        info["iptc"] = iptc
    if dpi := _dpi(directory):
        info["dpi"] = dpi
    orientation = directory.get(_ORIENTATION, 1)
    if exif := keepsakes.of_directory(directory):
        info["exif"] = exif
    if orientation in range(2, 9):
        assert isinstance(photo.pixels, np.ndarray)
        photo.pixels = deep.upright(photo.pixels, orientation)
        if "xmp" in info:
            info["xmp"] = keepsakes.without_orientation(info["xmp"])
    profile = directory.get(_ICC, b"")
    return profile if isinstance(profile, bytes) else b""


def _dpi(directory: Image.Exif) -> tuple[float, float] | None:
    if directory.get(_UNIT, 2) not in (2, _CENTIMETER) or not {_ACROSS, _DOWN} <= set(directory):
        return None
    scale = 2.54 if directory.get(_UNIT) == _CENTIMETER else 1.0
    return float(directory[_ACROSS]) * scale, float(directory[_DOWN]) * scale


# Profiles


def convert(photo: Photo, profile: bytes) -> None:
    """Convert a photograph of 16 bits into sRGB; raises MissingLibraryError."""
    if not profile:
        return
    assert isinstance(photo.pixels, np.ndarray)
    try:
        space = profiles.space_of(profile)
        if space is None:
            return
        photo.pixels = profiles.deep_to_srgb(photo.pixels, profile, space)
    except profiles.ProfileError as error:
        photo.notes.append(f"its color profile could not be used and was left out: {error}")
        return
    if space == "rgb":
        photo.profile = profile
