"""Read and write photographs: what a file holds besides its pixels is kept.

A photograph in hand is a Pillow image, upright, in one of four modes: L, I;16 (grey, 16 bits), RGB,
RGBA; in sRGB. Its rows go out and in as arrays, so that a large one is never held twice.
"""

from __future__ import annotations

import io
import os
import threading
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tintype import memory
from tintype.errors import CancelledError, PhotoNotFoundError, PhotoTooLargeError, PhotoUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]

MAX_MEGAPIXELS: Final = 512.0
_BASE: Final = 120 << 20  # bytes: interpreter, onnxruntime and the network at work
_PER_PIXEL: Final = 6  # bytes: the photograph in hand, and its result where that is another image
_PROGRESSIVE: Final = 6  # bytes a pixel more: all coefficients of a progressive JPEG
_MODES: Final = {"L": "L", "1": "L", "I;16": "I;16", "RGB": "RGB", "RGBA": "RGBA"}
_WITH_ALPHA: Final = frozenset({"LA", "La", "PA", "RGBa"})
_KEPT: Final = ("exif", "xmp", "dpi", "compression")
_DESCRIPTIVE: Final = (270, 271, 272, 306, 315, 33432)  # description, maker, model, date, artist, copyright
_FOLDERS: Final = (34665, 34853)  # Exif and GPS
_READ_IN_BLOCKS: Final = (
    b"\xff\xd8\xff",
    b"\x89PNG",
)  # of others Pillow wants the file itself, or all at once
_lock = threading.Lock()


@dataclass
class Photo:
    """A photograph in hand."""

    image: Image.Image
    """Upright; mode L, I;16, RGB or RGBA; sRGB."""
    format: str
    """Pillow's name of the format that it came in; empty for an image that came from no file."""
    info: dict[str, Any] = field(default_factory=dict)
    """What goes along into the output: exif, xmp, dpi, compression."""
    notes: list[str] = field(default_factory=list)
    """What a person should know: what was converted or left out."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.image.size

    def rows(self, top: int, bottom: int) -> Array:
        """Return rows as uint8 (rows, W, 3) or, of grey photographs, uint8 or uint16 (rows, W)."""
        rows = np.asarray(self.image.crop((0, top, self.image.width, bottom)))
        return rows[..., :3] if rows.ndim == 3 else rows

    @staticmethod
    def put(result: Image.Image, rows: Array, top: int) -> None:
        """Write colorized rows (rows, W, 3) into a result; of 16 bits the upper 8 go; alpha stays."""
        if rows.dtype == np.uint16:
            rows = np.rint(rows / np.float32(257)).astype(np.uint8)
        strip = Image.fromarray(rows)
        if result.mode == "RGBA":
            strip.putalpha(result.crop((0, top, result.width, top + len(rows))).getchannel("A"))
        result.paste(strip, (0, top))

    def result(self, *, keep: bool = False) -> Image.Image:
        """Return the image that takes the colorized rows: the photograph's own where it is RGB.

        `keep`: another one in any case, so that the photograph stays as it is.
        """
        if self.image.mode in ("RGB", "RGBA"):
            return self.image.copy() if keep else self.image
        return Image.new("RGB", self.image.size)


def read(
    source: Path | BinaryIO,
    max_megapixels: float = MAX_MEGAPIXELS,
    name: str = "",
    watch: Watch | None = None,
) -> Photo:
    """Read a photograph from a file; raises PhotoNotFoundError, PhotoUnreadableError, PhotoTooLargeError.

    Orientation is applied, profiles are converted to sRGB, of animations and several pages the
    first is taken; `notes` say so. `name` is what errors call a stream. JPEG and PNG files tell
    `watch` how far they are read; raises CancelledError.
    """
    name = name or name_of(source)
    try:
        with ExitStack() as stack:
            opened = stack.enter_context(_open(_watched(source, watch, stack)))
            _check_size(opened, max_megapixels, name)
            return _prepare(opened)
    except FileNotFoundError:
        raise PhotoNotFoundError(name) from None
    except (CancelledError, PhotoTooLargeError, PhotoUnreadableError):
        raise
    except MemoryError:
        raise _too_large(name) from None
    except Exception as error:  # Pillow's decoders raise whatever the damage makes them raise
        raise PhotoUnreadableError(name, _reason(source, error)) from error


def glance(source: Path, side: int) -> tuple[Photo, tuple[int, int]] | None:
    """Decode a JPEG in a fraction of the time, at a half, a quarter or an eighth of its size.

    Returns the photograph, its longer side at least `side` px, and the size of the whole; None where
    there is nothing to gain, or where reading the whole will tell what is wrong.
    """
    try:
        with _open(source) as opened:
            whole = opened.size
            least = (max(1, whole[0] * side // max(whole)), max(1, whole[1] * side // max(whole)))
            if opened.format not in ("JPEG", "MPO") or opened.draft(None, least) is None:
                return None
            reduced = opened.size
            if reduced == whole:
                return None
            photo = _prepare(opened)
    except Exception:  # noqa: BLE001 - Pillow's decoders raise whatever the damage makes them raise
        return None
    return photo, whole if photo.size == reduced else whole[::-1]


def _open(source: Path | BinaryIO) -> Image.Image:
    with _unlimited():
        return Image.open(source)


def _watched(source: Path | BinaryIO, watch: Watch | None, stack: ExitStack) -> Path | BinaryIO:
    """Return what Pillow is to read: a file that tells a watch, where there is one and it can."""
    if watch is None or not isinstance(source, Path):
        return source
    file = stack.enter_context(source.open("rb"))
    start = file.read(4)
    file.seek(0)
    return cast("BinaryIO", _Source(file, watch)) if start.startswith(_READ_IN_BLOCKS) else source


class _Source:
    """A file that tells a watch how far it has been read."""

    def __init__(self, file: BinaryIO, watch: Watch) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._file, self._watch = file, watch
        self._size = max(1, os.fstat(file.fileno()).st_size)

    def read(self, count: int = -1) -> bytes:
        self._watch.advance(self._file.tell() / self._size)
        return self._file.read(count)


def name_of(source: Path | BinaryIO) -> str:
    """Return what messages call a photograph."""
    return str(source) if isinstance(source, Path) else "the photograph"


@contextmanager
def fitting(name: str) -> Iterator[None]:
    """Raise PhotoTooLargeError where memory runs out in the middle of the work."""
    try:
        yield
    except PhotoTooLargeError:
        raise
    except MemoryError as error:
        raise _too_large(name) from error


def _too_large(name: str) -> PhotoTooLargeError:
    return PhotoTooLargeError(
        f"{name} does not fit into the memory of this machine: close other programs or use a smaller copy"
    )


def wrap(image: Image.Image) -> Photo:
    """Take an image in hand that came from no file, or from one that Pillow opened.

    Raises PhotoUnreadableError for a mode that is none of a photograph, or damage found while decoding.
    """
    try:
        return _prepare(image.copy())
    except (ValueError, OSError) as error:
        raise PhotoUnreadableError("the image", error) from error


def _prepare(opened: Image.Image) -> Photo:
    photo = Photo(opened, opened.format or "")
    if getattr(opened, "n_frames", 1) > 1:
        photo.notes.append(f"the first of {opened.n_frames} pages or frames was taken")  # type: ignore[attr-defined]
    if _is_deep_color(opened):
        photo.notes.append("its colors have 16 bits, of which 8 were read")
    opened.load()
    if opened.format == "TIFF":
        opened.info["exif"] = _exif_of_tiff(opened)
    image = _to_srgb(opened, photo)
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # noqa: BLE001 - Pillow's reader of EXIF raises whatever the damage makes it raise
        photo.notes.append("its EXIF could not be read and was left out")
        image.info.pop("exif", None)
    photo.info = {key: image.info[key] for key in _KEPT if image.info.get(key)}
    photo.image = _to_mode(image, photo)
    photo.image.info.pop("icc_profile", None)  # it is sRGB now
    return photo


def descriptive(exif: bytes) -> Image.Exif:
    """Return what is said of the photograph, without what describes a file's layout, and without folders."""
    there = Image.Exif()
    there.load(exif)
    return _descriptive(there)


def _descriptive(there: Image.Exif) -> Image.Exif:
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if there.get(tag):
            kept[tag] = there[tag]
    return kept


def _exif_of_tiff(image: Image.Image) -> bytes:
    there = image.getexif()
    kept = _descriptive(there)
    for tag in _FOLDERS:
        if folder := there.get_ifd(tag):
            kept[tag] = dict(folder)
    return kept.tobytes() if len(kept) else b""


def _to_mode(image: Image.Image, photo: Photo) -> Image.Image:
    if "transparency" in image.info and image.mode == "I;16":
        photo.notes.append("its transparent shade was left out")
        del image.info["transparency"]
    if "transparency" in image.info and image.mode != "RGBA":
        return image.convert("RGBA")
    if image.mode in ("I;16B", "I;16L", "I;16N"):
        return Image.fromarray(np.asarray(image).astype(np.uint16))
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are of mode {image.mode}: convert it to 8 or 16 bits a channel first")
    mode = _MODES.get(image.mode, "RGBA" if image.mode in _WITH_ALPHA else "RGB")
    return image if mode == image.mode else image.convert(mode)


def _to_srgb(image: Image.Image, photo: Photo) -> Image.Image:
    """Convert from the photograph's own profile, in place where that can be."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode not in ("L", "RGB", "RGBA", "CMYK"):
        photo.notes.append("its color profile was left out")
        return image
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(source).strip()
        if "sRGB" in name and "linear" not in name.lower():
            return image
        target = ImageCms.createProfile("sRGB")
        if image.mode in ("RGB", "RGBA"):
            ImageCms.profileToProfile(image, source, target, inPlace=True)
            return image
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        photo.notes.append(f"its color profile could not be used and was left out: {error}")
        return image
    assert converted is not None
    converted.info = image.info
    return converted


def _is_deep_color(image: Image.Image) -> bool:
    """Say whether Pillow will drop bits of a color photograph: PNG and TIFF with 16 bits a channel."""
    if image.mode not in ("RGB", "RGBA"):
        return False
    return any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _check_size(image: Image.Image, max_megapixels: float, name: str) -> None:
    pixels = image.width * image.height
    if pixels > max_megapixels * 1e6:
        raise PhotoTooLargeError(
            f"{name} has {pixels / 1e6:.0f} megapixels, more than the {max_megapixels:g} allowed: "
            "raise --max-megapixels if you trust the file"
        )
    per_pixel = _PER_PIXEL + (_PROGRESSIVE if image.info.get("progressive") else 0)
    needed, available = _BASE + pixels * per_pixel, memory.available()
    if available is not None and needed > available:
        raise PhotoTooLargeError(
            f"{name} needs about {needed >> 20} MB of memory and {available >> 20} MB are free: "
            "close other programs or use a smaller copy"
        )


def _reason(source: Path | BinaryIO, error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, UnidentifiedImageError):
        size = source.stat().st_size if isinstance(source, Path) else source.seek(0, io.SEEK_END)
        return "it is of no image format known here" if size else "it is empty"
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__


@contextmanager
def _unlimited() -> Iterator[None]:
    """Put our own limit on size in place of Pillow's, which is the process's; keep its warnings quiet."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
