"""Write results: whole or not at all, never over a photograph."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from PIL import Image

from tintype.errors import OutputError, UsageError
from tintype.image import descriptive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tintype.image import Photo

FORMATS: Final = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".ppm": "PPM",
}
FALLBACK: Final = ".png"  # for what comes in a format that cannot be written in color
_SAME: Final = {"MPO": "JPEG"}  # a camera's JPEG with a second picture in it
_LONGEST: Final = {"JPEG": 65500, "WEBP": 16383}  # px a side
_NO_ALPHA: Final = frozenset({"JPEG", "PPM", "BMP"})
_METADATA: Final = {
    "JPEG": ("exif", "dpi", "xmp"),
    "PNG": ("exif", "dpi"),
    "TIFF": ("exif", "dpi"),
    "WEBP": ("exif", "xmp"),
}
_TIFF_COMPRESSION: Final = frozenset({"raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"})
JPEG_QUALITY: Final = 95


def suffix_for(name: str) -> str:
    """Return the suffix of a photograph's result: its own where color can be written so, else .png."""
    suffix = Path(name).suffix
    return suffix if suffix.lower() in FORMATS else FALLBACK


def format_of(path: Path) -> str:
    """Return the format that a suffix stands for; raises UsageError."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{path}: end the name of a photograph with one of {', '.join(FORMATS)}, that of a folder with /"
        ) from None


def encode(image: Image.Image, photo: Photo, target: BinaryIO, format_name: str) -> None:
    """Encode a colorized photograph, with what its file held besides pixels; raises OSError."""
    longest = _LONGEST.get(format_name)
    if longest is not None and max(image.size) > longest:
        raise OSError(f"{format_name} holds at most {longest} px a side: choose PNG or TIFF")
    if image.mode == "RGBA" and format_name in _NO_ALPHA:
        photo.notes.append(f"{format_name} keeps no transparency: put on white")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    image.info.pop("transparency", None)
    image.save(target, format_name, **_options(photo, format_name))


def encoded(image: Image.Image, photo: Photo, format_name: str | None = None) -> bytes:
    """Return a colorized photograph as a file's bytes: in `format_name`, the input's format, or PNG.

    Raises OutputError.
    """
    known = _SAME.get(photo.format, photo.format)
    stream = io.BytesIO()
    try:
        encode(
            image, photo, stream, format_name or (known if known in FORMATS.values() else FORMATS[FALLBACK])
        )
    except OSError as error:
        raise OutputError("the result", error.strerror or error) from error
    return stream.getvalue()


def _options(photo: Photo, format_name: str) -> dict[str, Any]:
    options: dict[str, Any] = {"icc_profile": srgb_profile()} if format_name not in ("BMP", "PPM") else {}
    options |= _metadata(photo, format_name)
    if format_name == "JPEG":
        options |= {"quality": JPEG_QUALITY, "subsampling": "4:4:4"}
    elif format_name == "WEBP":
        options["quality"] = JPEG_QUALITY
    elif format_name == "TIFF":
        known = photo.info.get("compression")
        options["compression"] = known if known in _TIFF_COMPRESSION else "tiff_adobe_deflate"
    return options


def _metadata(photo: Photo, format_name: str) -> dict[str, Any]:
    """Return what the format can hold of exif, dpi and xmp; each is tried on a single pixel first."""
    kept = {key: photo.info[key] for key in _METADATA.get(format_name, ()) if photo.info.get(key)}
    for key in list(kept):
        try:
            if format_name == "TIFF" and key == "exif":  # Pillow writes no folders into a compressed TIFF
                kept[key] = descriptive(kept[key])
            Image.new("RGB", (1, 1)).save(io.BytesIO(), format_name, **{key: kept[key]})
        except Exception as error:  # noqa: BLE001 - encoders raise whatever a bad value makes them raise
            photo.notes.append(f"its {key} was left out: {error}")
            del kept[key]
    return kept


@cache
def srgb_profile() -> bytes:
    """Return an sRGB profile that is the same at any time: LittleCMS writes the date into it."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    return bytes(profile)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its name at the end, or vanishes on any error.

    Raises OutputError where the system refuses: no such folder, no permission, no space.
    """
    partial = path.with_name(f".tintype-{os.urandom(6).hex()}.partial")
    try:
        with partial.open("xb") as file:
            yield cast("BinaryIO", _Sink(file))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise OutputError(path, error.strerror or error) from error
    finally:
        with suppress(OSError):
            partial.unlink()


class _Sink:
    """A file without a descriptor: Pillow then writes through Python, whose errors say what happened."""

    def __init__(self, file: BinaryIO) -> None:
        self.write, self.read, self.flush = file.write, file.read, file.flush
        self.seek, self.tell = file.seek, file.tell


def check_folder(folder: Path) -> None:
    """Make a folder for results and see that it can be written to; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error
