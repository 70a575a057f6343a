"""Encode colorized photographs: a whole image by Pillow, or strips by our own writers.

Strips are written where Pillow has not the depth, or would hold up all other threads: TIFF, and PNG and
PPM with 16 bits.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from tintype import keepsakes, png, pnm, profiles, tiff
from tintype.formats import FORMATS, missing, ready
from tintype.keepsakes import KEYS, Kept

if TYPE_CHECKING:
    from typing import BinaryIO, Protocol

    from tintype.photo import Photo
    from tintype.provenance import Origin
    from tintype.watch import Watch

    class Strips(Protocol):
        """Takes rows: `pack` may be called by several threads, `put` takes what it returns in order."""

        def pack(self, rows: Array) -> Any:
            """Return rows (rows, W, channels) as they go into the file."""

        def put(self, packed: Any) -> None:
            """Write packed rows below those before; raises OSError."""

        def close(self) -> None:
            """Write what comes behind the rows; the file itself stays open."""


Array: TypeAlias = NDArray[Any]

QUALITY: Final = 97
"""Of formats with loss, where neither the photograph nor the person says another: grain survives it."""
_CHROMA: Final = 90  # quality, at least, of colors in a JPEG that is quantized as the photograph was
_LOSSLESS: Final = frozenset({"WEBP", "JXL", "PNG", "TIFF", "BMP", "PPM"})
_NATIVE: Final = frozenset({"WEBP", "AVIF", "HEIF", "JXL"})
"""Encoded in one call; the others block by block."""
_BYTES: Final = {"JPEG": 0.6, "PNG": 2.0}  # a pixel, about, to say how far encoding is


@dataclass(frozen=True)
class Settings:
    """How results are written."""

    quality: int | None = None
    """1..100, of formats with loss; None for a JPEG's own, or QUALITY."""
    lossless: bool = False
    """Without loss where the format has both; else as the photograph was."""
    keep_profile: bool = False
    """Into the photograph's own RGB profile instead of sRGB."""
    provenance: bool = True
    """Whether metadata says where the colors come from."""
    origin: Origin | None = None
    """Where they come from; None where nobody knows."""

    @property
    def said(self) -> Origin | None:
        """What is to be said of where the colors come from, if anything."""
        return self.origin if self.provenance else None


AS_IT_CAME: Final = Settings()


def check(photo: Photo, format_name: str, settings: Settings) -> None:
    """Raise OSError where a format cannot take a photograph."""
    known = FORMATS[format_name]
    if not ready(format_name):
        raise OSError(missing(format_name))
    if known.longest is not None and max(photo.size) > known.longest:
        raise OSError(f"{format_name} holds at most {known.longest} px a side: choose PNG or TIFF")
    if settings.lossless and format_name not in _LOSSLESS:
        raise OSError(f"{format_name} has no form without loss: choose PNG, TIFF, WebP or JPEG XL")


def by_strips(photo: Photo, format_name: str) -> bool:
    """Say whether a photograph is written strip by strip, or else as a whole image."""
    return format_name == "TIFF" or (photo.deep and FORMATS[format_name].depth == 16)


# Strips


def strips(
    photo: Photo,
    target: BinaryIO | tiff.Writer,
    format_name: str,
    rows: int,
    settings: Settings = AS_IT_CAME,
) -> Strips:
    """Return what takes a photograph's colorized rows, `rows` at once, with its own alpha.

    `target` is a file, or a TIFF's writer for one page of several.
    """
    kept = _kept(photo, format_name, photo.size, settings.said)
    profile = photo.profile if settings.keep_profile and photo.profile else profiles.srgb()
    depth, channels = 16 if photo.deep else 8, 4 if photo.has_alpha else 3
    if format_name == "TIFF":
        writer = target if isinstance(target, tiff.Writer) else tiff.Writer(target, _raw_size(photo))
        deflated = photo.info.get("compression") != "raw"
        end = partial(writer.end_page, photo.size, channels, depth, rows, _tags(kept, profile))
        return _Tiff(writer, deflated, partial(end, deflated=deflated))
    assert not isinstance(target, tiff.Writer)
    if format_name == "PNG":
        chunks = [*png.chunks(profile, _exif_bytes(kept), kept.dpi), *keepsakes.text_chunks(kept)]
        return png.Writer(target, photo.size, channels, depth, chunks)
    return pnm.Writer(target, photo.size)


class _Tiff:
    """A page of a TIFF."""

    def __init__(self, writer: tiff.Writer, deflated: bool, end: Any) -> None:  # noqa: FBT001
        self.pack = partial(writer.pack, deflated=deflated)
        self.put, self.close = writer.put, end


def _raw_size(photo: Photo) -> int:
    """Return the bytes of all pages of a photograph's result without compression, if all are as large."""
    pixel = (4 if photo.has_alpha else 3) * (2 if photo.deep else 1)
    return photo.size[0] * photo.size[1] * pixel * len(photo.frames)


def tiff_writer(photo: Photo, file: BinaryIO) -> tiff.Writer:
    """Return a writer for all the pages of a photograph."""
    return tiff.Writer(file, _raw_size(photo))


def finished(photo: Photo, rows: Array, top: int, format_name: str, settings: Settings) -> Array:
    """Return colorized rows (rows, W, 3) as they are to be packed: in their profile, with alpha."""
    if settings.keep_profile and photo.profile:
        if photo.deep:
            rows = profiles.transform(rows, profiles.srgb(), photo.profile)
        else:
            strip = Image.fromarray(rows)
            profiles.image_from_srgb(strip, photo.profile)
            rows = np.asarray(strip)
    alpha = photo.alpha(top, top + len(rows))
    if alpha is None:
        return rows
    if FORMATS[format_name].alpha:
        return np.concatenate([rows, alpha[..., None]], axis=2)
    share = alpha[..., None] / np.float32(np.iinfo(rows.dtype).max)
    white = np.iinfo(rows.dtype).max
    return np.rint(rows * share + white * (1 - share)).astype(rows.dtype)


def _tags(kept: Kept, profile: bytes) -> dict[int, Any]:
    """Return what a TIFF says besides pixels."""
    tags = keepsakes.tags_of(kept.exif) if kept.exif is not None else {}
    if kept.dpi is not None:
        tags |= tiff.resolution(kept.dpi)
    if kept.xmp:
        tags[700] = kept.xmp
    if kept.iptc:
        tags[33723] = kept.iptc
    return tags | ({34675: profile} if profile else {})


# Whole images


def encode(
    image: Image.Image,
    photo: Photo,
    target: BinaryIO,
    format_name: str,
    *,
    watch: Watch | None = None,
    settings: Settings = AS_IT_CAME,
) -> None:
    """Encode a colorized image, RGB or RGBA in sRGB, with what the photograph's file held besides pixels.

    The image may be changed. Raises OSError, CancelledError.
    """
    check(replace(photo, pixels=image), format_name, settings)
    if format_name == "TIFF":
        _encode_tiff(image, photo, target, watch, settings)
        return
    if image.mode == "RGBA" and not FORMATS[format_name].alpha:
        photo.notes.append(f"{format_name} keeps no transparency: put on white")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    image.info.pop("transparency", None)
    profile = profiles.srgb()
    if settings.keep_profile and photo.profile:
        profiles.image_from_srgb(image, photo.profile)
        profile = photo.profile
    kept = _kept(photo, format_name, image.size, settings.said)
    options = _options(kept, format_name) | _loss(photo, format_name, settings)
    if FORMATS[format_name].profile:
        options["icc_profile"] = profile
    save = partial(image.save, _told(target, image, format_name, watch), format_name, **options)
    if watch is not None and format_name in _NATIVE:
        watch.run(save)
    else:
        save()


def _told(target: BinaryIO, image: Image.Image, format_name: str, watch: Watch | None) -> BinaryIO:
    """Return a file that tells a watch how much of what is expected is written."""
    if watch is None:
        return target
    size = round(image.width * image.height * _BYTES.get(format_name, 3.0))
    return cast("BinaryIO", _Told(target, watch, size))


class _Told:
    def __init__(self, file: BinaryIO, watch: Watch, size: int) -> None:
        self._file, self._watch, self._size, self._written = file, watch, max(1, size), 0
        self.seek, self.tell, self.flush = file.seek, file.tell, file.flush

    def write(self, data: bytes) -> int:
        self._watch.advance(min(1.0, self._written / self._size))
        self._written += len(data)
        return self._file.write(data)


def _encode_tiff(
    image: Image.Image,
    photo: Photo,
    target: BinaryIO,
    watch: Watch | None,
    settings: Settings,
) -> None:
    shown = replace(photo, pixels=image)
    rows = max(1, (1 << 18) // image.width)
    encoder = strips(shown, target, "TIFF", rows, settings)
    for top in range(0, image.height, rows):
        if watch is not None:
            watch.advance(top / image.height)
        strip = shown.rows(top, min(top + rows, image.height))
        encoder.put(encoder.pack(finished(shown, strip, top, "TIFF", settings)))
    encoder.close()


def _loss(photo: Photo, format_name: str, settings: Settings) -> dict[str, Any]:
    """Return options of quality: grey detail is to survive, so colors have as many pixels as lightness."""
    quality = settings.quality or QUALITY
    if format_name == "JPEG":
        own = keepsakes.tables(photo.info, _CHROMA) if settings.quality is None else None
        how = {"quality": quality} if own is None else {"qtables": own}
        return how | {"subsampling": "4:4:4"}
    if format_name in ("WEBP", "JXL"):
        as_came = photo.format == format_name and photo.info.get("lossless") and settings.quality is None
        if settings.lossless or as_came:
            return {"lossless": True, "exact": True} if format_name == "WEBP" else {"lossless": True}
        return {"quality": quality}
    if format_name == "AVIF":
        return {"quality": quality, "subsampling": "4:4:4"}
    return {"quality": quality, "chroma": 444} if format_name == "HEIF" else {}


# What goes along


def _kept(photo: Photo, format_name: str, size: tuple[int, int], origin: Origin | None) -> Kept:
    """Return what the format can hold of a photograph's belongings; each is tried on a single pixel first."""
    kept = keepsakes.prepared(photo, format_name, size, origin)
    for key in KEYS:
        if getattr(kept, key) and (fault := _fault(kept.alone(key), format_name)):
            shorter = keepsakes.without_maker_note(kept.exif) if key == "exif" and kept.exif else None
            if shorter is not None and not _fault(Kept(exif=shorter), format_name):
                photo.notes.append("its maker's note was left out: its EXIF would have been too long")
                continue
            photo.notes.append(f"its {key} was left out: {fault}")
            kept.leave_out(key)
    if "xmp" in FORMATS[format_name].metadata and not kept.xmp and origin is not None:
        kept.xmp = keepsakes.said_alone(origin)
    return kept


def _fault(kept: Kept, format_name: str) -> str:
    """Return why a format cannot take something; empty if it can."""
    try:
        if format_name == "TIFF":
            writer = tiff.Writer(io.BytesIO())
            writer.put(writer.pack(np.zeros((1, 1, 3), np.uint8)))
            writer.end_page((1, 1), 3, 8, 1, _tags(kept, b""))
        else:
            Image.new("RGB", (1, 1)).save(io.BytesIO(), format_name, **_options(kept, format_name))
    except Exception as error:  # noqa: BLE001 - encoders raise whatever a bad value makes them raise
        return str(error) or type(error).__name__
    return ""


def _options(kept: Kept, format_name: str) -> dict[str, Any]:
    """Return Pillow's options for what goes along."""
    options: dict[str, Any] = {}
    if kept.exif is not None:
        options["exif"] = kept.exif.tobytes()
    if kept.dpi is not None:
        options["dpi"] = kept.dpi
    if format_name == "PNG":
        options["pnginfo"] = info = PngImagePlugin.PngInfo()
        for name, data in keepsakes.text_chunks(kept):
            info.add(name, data)
        return options
    if kept.xmp:
        options["xmp"] = kept.xmp
    if kept.iptc:
        options["extra"] = keepsakes.app13(kept.iptc)
    if kept.comment:
        options["comment"] = kept.comment
    return options


def _exif_bytes(kept: Kept) -> bytes:
    return kept.exif.tobytes() if kept.exif is not None else b""
