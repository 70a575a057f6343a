"""Read photographs: what a file holds besides its pixels is kept.

8 bits a channel are Pillow's; more are read by `tintype.scan`.
"""

from __future__ import annotations

import io
import os
import threading
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tintype import formats, jxl, keepsakes, memory, profiles
from tintype.errors import CancelledError, PhotoNotFoundError, PhotoTooLargeError, PhotoUnreadableError
from tintype.photo import Photo, values_of
from tintype.scan import NO_PROFILE, TIFF_STARTS, convert, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]

MAX_MEGAPIXELS: Final = 512.0
_BASE: Final = 120 << 20  # bytes: interpreter, onnxruntime and the network at work
_PER_PIXEL: Final = 6  # bytes: the photograph in hand, and its result where that is another image
_DECODED_AT_ONCE: Final = 8  # bytes a pixel more: what a plug-in decodes into, and hands over
_PROGRESSIVE: Final = 6  # bytes a pixel more: all coefficients of a progressive JPEG
_MODES: Final = {"L": "L", "1": "L", "I;16": "I;16", "RGB": "RGB", "RGBA": "RGBA"}
_WITH_ALPHA: Final = frozenset({"LA", "La", "PA", "RGBa"})
_MOST_PAGES: Final = 1000  # of a TIFF; to come to a page takes all those before
_HEAD: Final = 32  # bytes by which a format is known
_HEAD_READ: Final = 0.02  # share of reading, at most, until a file is known as one of 16 bits
_ORIENTATION: Final = 274  # tag of EXIF
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SUBFILE, _BITS, _PHOTOMETRIC = 254, 258, 262  # tags of TIFF
_REDUCED_OR_MASK: Final = 1 | 4  # kinds of pages that are no photographs of their own
_WHITE_IS_ZERO, _FILTER_ARRAY, _LINEAR_RAW = 0, 32803, 34892
_SUBFOLDERS, _MAKER, _DNG = 330, 271, 50706
_GAMMA: Final = 0.45455  # that of sRGB, about, as a PNG says it
_READ_IN_BLOCKS: Final = (
    b"\xff\xd8\xff",
    b"\x89PNG",
)  # of others Pillow wants the file itself, or all at once
_lock = threading.Lock()


def read(
    source: Path | BinaryIO,
    max_megapixels: float = MAX_MEGAPIXELS,
    name: str = "",
    watch: Watch | None = None,
    *,
    frame: int | None = None,
) -> Photo:
    """Read a photograph from a file; raises PhotoNotFoundError, PhotoUnreadableError, PhotoTooLargeError.

    Orientation is applied, profiles are converted to sRGB, of animations the first frame is taken; `notes`
    say so. Of a TIFF the first of its `frames` is taken, or the one that `frame` names. `name` is what
    errors call a stream. JPEG, PNG and files with 16 bits tell `watch` how far they are read; raises
    CancelledError.
    """
    name = name or name_of(source)
    try:
        with ExitStack() as stack:
            file = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
            return _read(source, file, name, max_megapixels=max_megapixels, watch=watch, frame=frame)
    except FileNotFoundError:
        raise PhotoNotFoundError(name) from None
    except (CancelledError, PhotoTooLargeError, PhotoUnreadableError):
        raise
    except MemoryError:
        raise _too_large(name) from None
    except Exception as error:  # decoders raise whatever the damage makes them raise
        raise PhotoUnreadableError(name, _reason(source, error)) from error


def _read(
    source: Path | BinaryIO,
    file: BinaryIO,
    name: str,
    *,
    max_megapixels: float,
    watch: Watch | None,
    frame: int | None,
) -> Photo:
    head = _identified(file, name)
    if formats.of_content(head) == "JXL" and (size := jxl.size(file)) is not None:
        _check_size(size, _PER_PIXEL + _DECODED_AT_ONCE, max_megapixels, name)
    file.seek(0)
    with ExitStack() as stack:
        opened: Image.Image | None = None
        frames: tuple[int, ...] = (frame or 0,)
        try:
            opened = stack.enter_context(_open(_watched(source, file, head, watch)))
        except UnidentifiedImageError:
            if not head.startswith(TIFF_STARTS):
                raise
        if opened is not None:
            _check_raw(opened, name)
            frames = _frames(opened) if frame is None else (frame,)
            opened.seek(frames[0])
        found = scan(file, opened, frames[0])
        if found is not None:
            _check_size(found.size, found.bytes_per_pixel, max_megapixels, name)
            photo = found.read(watch and watch.part(_HEAD_READ, 1))
        else:
            assert opened is not None
            more = _PROGRESSIVE if opened.info.get("progressive") else 0
            _check_size(opened.size, _PER_PIXEL + more, max_megapixels, name)
            photo = _prepare(opened)
        if formats.is_webp_without_loss(file):
            photo.info["lossless"] = True
        photo.frames = frames
        count = 1 if photo.format == "TIFF" else getattr(opened, "n_frames", 1)
        if count > 1:
            photo.notes.insert(0, f"the first of {count} pages or frames was taken")
        return photo


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


def pixels(source: Path) -> int:
    """Return how many pixels a file says that it has; 0 where that cannot be told."""
    try:
        with _open(source) as opened:
            return opened.width * opened.height
    except Exception:  # noqa: BLE001 - Pillow's decoders raise whatever the damage makes them raise
        return 0


def _open(source: Path | BinaryIO) -> Image.Image:
    with _unlimited():
        return Image.open(source)


def _identified(file: BinaryIO, name: str) -> bytes:
    """Return the first bytes of a file; raises PhotoUnreadableError where nothing here can read it."""
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    if advice := formats.raw_advice(head, name):
        raise PhotoUnreadableError(name, advice)
    if formats.is_program(head):
        raise PhotoUnreadableError(name, "it is PostScript, a program, not a photograph: make it a PNG first")
    wanted = formats.of_content(head)
    if wanted is not None and not formats.ready(wanted):
        raise PhotoUnreadableError(name, formats.missing(wanted))
    return head


def _check_raw(opened: Image.Image, name: str) -> None:
    """Raise PhotoUnreadableError for a camera's raw file that calls itself a TIFF."""
    if opened.format != "TIFF":
        return
    tags: Any = opened.tag_v2  # type: ignore[attr-defined]
    small = int(tags.get(_SUBFILE, 0)) & 1 and _SUBFOLDERS in tags and _MAKER in tags
    if small or _DNG in tags or tags.get(_PHOTOMETRIC) in (_FILTER_ARRAY, _LINEAR_RAW):
        raise PhotoUnreadableError(name, formats.RAW_ADVICE)


def _frames(opened: Image.Image) -> tuple[int, ...]:
    """Return which pages of a TIFF are photographs of their own; the first alone of anything else."""
    if opened.format != "TIFF":
        return (0,)
    found: list[int] = []
    for number in range(_MOST_PAGES + 1):
        try:
            opened.seek(number)
        except EOFError:
            return tuple(found) or (0,)
        if not int(opened.tag_v2.get(_SUBFILE, 0)) & _REDUCED_OR_MASK:  # type: ignore[attr-defined]
            found.append(number)
    raise ValueError(f"it has more than {_MOST_PAGES} pages: split it first")


def _watched(source: Path | BinaryIO, file: BinaryIO, head: bytes, watch: Watch | None) -> Path | BinaryIO:
    """Return what Pillow is to read: a file that tells a watch, where there is one and it can."""
    if head.startswith(TIFF_STARTS):
        return file  # by its name Pillow would map it into memory, and mistake the sides of turned ones
    if watch is None or not isinstance(source, Path) or not head.startswith(_READ_IN_BLOCKS):
        return source
    return cast("BinaryIO", _Source(file, watch))


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
    photo = Photo(Image.new("L", (1, 1)), opened.format or "")
    depth = opened.info.get("bit_depth", 8)
    opened.load()
    if opened.format == "TIFF":
        opened.info["exif"] = keepsakes.of_directory(opened.getexif())
    image = _to_srgb(_scaled(opened), photo)
    image = _upright(image, photo)
    _note_what_is_lost(image, depth, photo)
    photo.info |= keepsakes.taken(opened) | {"exif": image.info.get("exif"), "xmp": image.info.get("xmp")}
    if image is not opened or photo.profile:  # pixels are others now
        photo.info.pop("luminance", None)
    photo.info = {key: value for key, value in photo.info.items() if value}
    deep = image.info.get("icc_profile") if image.mode.startswith("I;16") else None
    image = _to_mode(image)
    for said in ("icc_profile", "transparency"):  # it is sRGB now, with alpha
        image.info.pop(said, None)
    photo = Photo(image, photo.format, photo.info, photo.notes, profile=photo.profile)
    if deep:
        convert(photo, deep)
    return photo


def _upright(image: Image.Image, photo: Photo) -> Image.Image:
    """Return an image turned as its EXIF says, which no longer says so then."""
    info, turn = image.info, None
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
        if turn is None:
            return image
        said = Image.new("L", (1, 2))  # Pillow turns this one, and mends what it says
        said.info = dict(info)
        ImageOps.exif_transpose(said, in_place=True)
        info = said.info
    except Exception:  # noqa: BLE001 - Pillow's reader of EXIF raises whatever the damage makes it raise
        photo.notes.append("its EXIF could not be read and was left out")
        info.pop("exif", None)
    if turn is not None:
        image = _rebuilt(image, lambda band: band.transpose(turn))
        image.info = info
    return image


def _rebuilt(image: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return an image whose bands are changed, and use up its pixels: a large one is not held twice."""
    mode, bands = image.mode, list(image.split())
    image.im = Image.new(mode, (1, 1)).im
    memory.give_back()
    for number in range(len(bands)):
        bands[number] = change(bands[number])
    rebuilt = bands[0] if len(bands) == 1 else Image.merge(mode, bands)
    bands.clear()
    memory.give_back()
    return rebuilt


def _scaled(opened: Image.Image) -> Image.Image:
    """Return greys of 16 bits with black at zero and white at all bits, as a TIFF need not have them."""
    if opened.format != "TIFF" or not opened.mode.startswith("I;16"):
        return opened
    tags: Any = opened.tag_v2  # type: ignore[attr-defined]
    bits = tags.get(_BITS, (16,))[0]
    if bits == 16 and tags.get(_PHOTOMETRIC) != _WHITE_IS_ZERO:
        return opened
    values = values_of(opened)
    if bits < 16:
        values = (values.astype(np.uint32) * 65535 // ((1 << bits) - 1)).astype(np.uint16)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = np.uint16(65535) - values
    image = Image.fromarray(values)
    image.info = opened.info
    image.getexif().load(opened.info.get("exif") or b"")
    return image


def _note_what_is_lost(image: Image.Image, depth: int, photo: Photo) -> None:
    if depth > 8 and not image.mode.startswith("I;16"):
        photo.notes.append(f"it has {depth} bits a channel, of which 8 were read")
    gamma = image.info.get("gamma")
    if gamma and not image.info.get("icc_profile") and abs(gamma / _GAMMA - 1) > 0.1:
        photo.notes.append(f"it says that its gamma is {gamma:.3g}, which was not applied")


def _to_mode(image: Image.Image) -> Image.Image:
    if "transparency" in image.info and not image.mode.startswith("I;16") and image.mode != "RGBA":
        return image.convert("RGBA")
    if image.mode in ("I;16B", "I;16L", "I;16N"):
        return Image.fromarray(values_of(image))
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are of mode {image.mode}: convert it to 8 or 16 bits a channel first")
    if image.mode == "CMYK":
        return profiles.rgb_by_strips(image, lambda strip: strip.convert("RGB"))
    mode = _MODES.get(image.mode, "RGBA" if image.mode in _WITH_ALPHA else "RGB")
    return image if mode == image.mode else image.convert(mode)


def _to_srgb(image: Image.Image, photo: Photo) -> Image.Image:
    """Convert from the photograph's own profile, in place where that can be."""
    if image.mode == "LAB":
        return profiles.lab_to_srgb(image)
    profile = image.info.get("icc_profile")
    if not profile or image.mode == "1" or image.mode.startswith("I"):
        if image.mode == "CMYK":
            photo.notes.append(NO_PROFILE)
        return image
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    try:
        space = profiles.space_of(profile)
        if space is None:
            return image
        converted = profiles.image_to_srgb(image, profile, space)
    except profiles.ProfileError as error:
        photo.notes.append(f"its color profile could not be used and was left out: {error}")
        return image
    if space == "rgb" and image.mode != "L":
        photo.profile = profile
    return converted


def _check_size(size: tuple[int, int], per_pixel: int, max_megapixels: float, name: str) -> None:
    pixels = size[0] * size[1]
    if pixels == 0:
        raise PhotoUnreadableError(name, "it has no pixels")
    if pixels > max_megapixels * 1e6:
        raise PhotoTooLargeError(
            f"{name} has {pixels / 1e6:.0f} megapixels, more than the {max_megapixels:g} allowed: "
            "raise --max-megapixels if you trust the file"
        )
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
