"""Write results: whole or not at all, never over a photograph."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from PIL import Image

from tintype import tiff
from tintype.errors import OutputError, PhotoError, UsageError
from tintype.image import descriptive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from tintype.image import Photo
    from tintype.watch import Watch

    Seal: TypeAlias = Callable[[os.stat_result], None]

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
JPEG_QUALITY: Final = 95
_BYTES: Final = {
    "JPEG": 0.6,
    "WEBP": 0.5,
    "PNG": 2.0,
    "TIFF": 1.5,
}  # a pixel, about, to say how far encoding is


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


def keep_original(source: Path | BinaryIO | None, *places: Path | BinaryIO | None) -> None:
    """Raise OutputError where something would be written over the photograph."""
    if isinstance(source, Path) and source.exists():
        for place in places:
            if isinstance(place, Path) and place.exists() and place.samefile(source):
                raise OutputError(place, "it is the original; choose another name")


def write(
    image: Image.Image,
    photo: Photo,
    target: Path,
    format_name: str | None = None,
    watch: Watch | None = None,
    *,
    seal: Seal | None = None,
) -> None:
    """Write a colorized photograph, whole or not at all, in `format_name` or as the suffix says.

    Raises OutputError, UsageError, CancelledError, and what `seal` raises.
    """
    name = format_name or format_of(target)
    size = round(image.width * image.height * _BYTES.get(name, len(image.mode)))
    with replacing(target, watch, size, seal) as file:
        encode(image, photo, file, name, watch)


def encode(
    image: Image.Image, photo: Photo, target: BinaryIO, format_name: str, watch: Watch | None = None
) -> None:
    """Encode a colorized photograph, with what its file held besides pixels.

    Raises OSError, CancelledError.
    """
    longest = _LONGEST.get(format_name)
    if longest is not None and max(image.size) > longest:
        raise OSError(f"{format_name} holds at most {longest} px a side: choose PNG or TIFF")
    if image.mode == "RGBA" and format_name in _NO_ALPHA:
        photo.notes.append(f"{format_name} keeps no transparency: put on white")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    image.info.pop("transparency", None)
    options = _options(photo, format_name)
    if format_name == "TIFF" and photo.info.get("compression") != "raw":
        tiff.save(image, target, **options)
        return
    save = partial(image.save, target, format_name, **options)
    if watch is not None and format_name == "WEBP":  # one native call, the others write block by block
        watch.run(save)
    else:
        save()


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
def replacing(
    path: Path, watch: Watch | None = None, size: int = 0, seal: Seal | None = None
) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its name at the end, or vanishes on any error.

    `watch` hears of all that is written, of about `size` bytes. `seal` is called with the state of the
    file when it is whole on disk and has not taken its name yet: what it raises keeps it from that.
    Raises OutputError where the system refuses: no such folder, no permission, no space; CancelledError.
    """
    partial = path.with_name(f".tintype-{os.urandom(6).hex()}.partial")
    try:
        with partial.open("xb") as file:
            sink = _Sink(file)
            if watch is not None:
                sink.write = _watched(file, watch, size)
            yield cast("BinaryIO", sink)
            if watch is not None:
                watch.check()
            file.flush()
            os.fsync(file.fileno())
            if seal is not None:
                seal(os.fstat(file.fileno()))
        partial.replace(path)
    except PhotoError:
        raise
    except OSError as error:
        raise OutputError(path, error.strerror or error) from error
    finally:
        with suppress(OSError):
            partial.unlink()


class _Sink:
    """A file without a descriptor: Pillow then writes through Python, whose errors say what happened."""

    def __init__(self, file: BinaryIO) -> None:
        self.write: Callable[[bytes], int] = file.write
        self.read, self.flush = file.read, file.flush
        self.seek, self.tell = file.seek, file.tell


def _watched(file: BinaryIO, watch: Watch, size: int) -> Callable[[bytes], int]:
    """Return what writes to a file and tells a watch how much of what is expected is there."""
    written = 0

    def write(data: bytes) -> int:
        nonlocal written
        watch.advance(min(1.0, written / max(1, size)))
        written += len(data)
        return file.write(data)

    return write


def check_folder(folder: Path) -> None:
    """Make a folder for results and see that it can be written to; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error
