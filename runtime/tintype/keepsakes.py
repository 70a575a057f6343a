"""What a photograph's file holds besides pixels: taken along, and made ready for another file.

In `Photo.info`, each where there is one:

exif         bytes, as JPEG has them; upright, without the small picture that cameras put in
xmp          bytes, one packet
iptc         bytes, the records of IPTC-IIM
dpi          two floats
comment      bytes, of a JPEG
text         a dict of str, of a PNG
compression  Pillow's name of a TIFF's
quality      1..100, about what a JPEG was saved with
luminance    64 steps: with what a JPEG's lightness was quantized, where its pixels are as they were
lossless     True for a WebP without loss
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, PngImagePlugin

from tintype.formats import FORMATS

if TYPE_CHECKING:
    from tintype.photo import Photo
    from tintype.provenance import Origin

_SOFTWARE, _EXIF, _GPS, _INTEROP, _IPTC, _PHOTOSHOP = 305, 34665, 34853, 40965, 33723, 34377
_COLOR_SPACE, _WIDE, _HIGH, _MAKER_NOTE = 40961, 40962, 40963, 37500
_SRGB: Final = 1
_STRUCTURE: Final = frozenset(
    {
        *range(254, 269),
        *range(273, 285),
        *range(288, 294),
        *(296, 297, 301, 317, 330, 400, 401, 402, 403, 559, 700, 33421, 33422, 34675, 37724, 50255),
        *range(318, 326),
        *range(332, 337),
        *range(338, 348),
        *range(433, 436),
        *range(512, 522),
        *range(529, 533),
        *range(50706, 51126),
        *(_EXIF, _GPS, _INTEROP, _IPTC, _PHOTOSHOP),
    }
)  # tags that describe a file's layout and pixels, or that stand elsewhere
_IPTC_RESOURCE: Final = 0x0404
_RAW_IPTC: Final = "Raw profile type iptc"
_XMP_TEXT: Final = "XML:com.adobe.xmp"
_LUMINANCE: Final = (
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62 "
    "18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 "
    "72 92 95 98 112 100 103 99"
)  # ITU-T T.81, table K.1
_CHROMINANCE: Final = (
    "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99 "
    + "99 " * 32
)  # table K.2


def taken(opened: Image.Image) -> dict[str, Any]:
    """Return what an image that Pillow opened and turned upright holds; `exif` may have to be read first."""
    info = opened.info
    kept = {key: info[key] for key in ("exif", "xmp", "dpi", "compression") if info.get(key)}
    if isinstance(kept.get("xmp"), str):
        kept["xmp"] = kept["xmp"].encode()
    if iptc := _iptc(opened):
        kept["iptc"] = iptc
    if opened.format in ("JPEG", "MPO"):
        if info.get("comment"):
            kept["comment"] = info["comment"]
        if tables := getattr(opened, "quantization", None):
            kept["quality"] = quality_of(tables)
            kept["luminance"] = tuple(tables.get(0, ()))
    if text := _text(opened):
        kept["text"] = text
    return kept


def _text(opened: Image.Image) -> dict[str, str]:
    found = opened.info if opened.format == "PNG" else {}
    left_out = (_XMP_TEXT, "xmp", "exif")
    return {
        str(key): str(value)
        for key, value in found.items()
        if isinstance(key, str)
        and isinstance(value, str)
        and key not in left_out
        and not key.startswith("Raw profile type")
    }


def quality_of(tables: dict[int, list[int]]) -> int | None:
    """Return about the quality, 1..100, that quantization tables stand for: libjpeg's nearest one."""
    first = tables.get(0)
    if not first or len(first) != 64:
        return None
    return min(range(1, 101), key=lambda quality: abs(_strength(quality) - sum(first)))


@cache
def _strength(quality: int) -> int:
    """Return the sum of libjpeg's table of luminance at a quality."""
    return sum(_scaled(_LUMINANCE, quality))


def _scaled(table: str, quality: int) -> list[int]:
    """Return a table as libjpeg has it at a quality."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return [min(255, max(1, (int(step) * scale + 50) // 100)) for step in table.split()]


def tables(info: dict[str, Any], least: int) -> list[list[int]] | None:
    """Return tables for a JPEG like the photograph's own, if it was one; chroma of quality `least` or more.

    What was quantized once is not quantized again on another grid: that would cost grey detail.
    """
    steps = list(info.get("luminance", ()))
    if len(steps) != 64 or not 0 < min(steps) <= max(steps) < 256:
        return None
    return [steps, _scaled(_CHROMINANCE, max(least, info.get("quality") or 0))]


# IPTC


def _iptc(opened: Image.Image) -> bytes:
    """Return the IPTC records of a JPEG, TIFF or PNG."""
    photoshop = opened.info.get("photoshop")
    if isinstance(photoshop, dict):
        found = photoshop.get(_IPTC_RESOURCE)
        return found if isinstance(found, bytes) else b""
    if opened.format == "TIFF":
        return iptc_of_directory(opened.tag_v2)  # type: ignore[attr-defined]
    profile = opened.info.get(_RAW_IPTC)
    return _resource(_unwrapped(profile)) if isinstance(profile, str) else b""


def iptc_of_directory(directory: Any) -> bytes:
    """Return the IPTC records of a TIFF from its directory.

    They are taken as they stand in the file: they may be called 32-bit numbers, of which Pillow gives one.
    """
    data = getattr(directory, "_tagdata", {})
    records, photoshop = data.get(_IPTC), data.get(_PHOTOSHOP)
    return records or (_resource(photoshop) if photoshop else b"")


def _resource(data: bytes) -> bytes:
    """Return the IPTC records within Photoshop's resources, or the data itself where it is such records."""
    if data.startswith(b"\x1c"):
        return data
    at = 0
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        number, name = struct.unpack_from(">HB", data, at + 4)
        at += 6 + (name + 2) // 2 * 2
        if at + 4 > len(data):
            return b""
        (size,) = struct.unpack_from(">I", data, at)
        at += 4
        if number == _IPTC_RESOURCE:
            return data[at : at + size]
        at += size + size % 2
    return b""


def _wrapped(iptc: bytes) -> bytes:
    """Return IPTC records as a resource of Photoshop's."""
    return b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)


def _unwrapped(profile: str) -> bytes:
    """Return the bytes of a raw profile in a PNG: a name, a length, and hexadecimal lines."""
    parts = profile.split(None, 2)
    try:
        return bytes.fromhex("".join(parts[2].split())) if len(parts) == 3 else b""
    except ValueError:
        return b""


# EXIF


def loaded(exif: bytes) -> Image.Exif:
    """Return EXIF to be read and changed, its folders with it. Raises whatever damage makes Pillow raise."""
    there = Image.Exif()
    there.load(exif)
    for tag in (_EXIF, _GPS):
        if tag in there:
            there[tag] = dict(there.get_ifd(tag))
    if (interop := there.get(_EXIF, {}).get(_INTEROP)) is not None and not isinstance(interop, dict):
        del there[_EXIF][_INTEROP]
    return there


def of_directory(there: Image.Exif) -> bytes:
    """Return what a TIFF's directory says of the photograph, without what describes the file."""
    kept = Image.Exif()
    for tag in there:
        if tag not in _STRUCTURE and tag < 1 << 16:
            kept[tag] = there[tag]
    for tag in (_EXIF, _GPS):
        if folder := there.get_ifd(tag):
            kept[tag] = {key: value for key, value in folder.items() if key != _INTEROP}
    return kept.tobytes() if len(kept) else b""


def tags_of(exif: Image.Exif) -> dict[int, Any]:
    """Return EXIF as tags of a TIFF."""
    return {tag: exif[tag] for tag in exif if tag not in _STRUCTURE or tag in (_EXIF, _GPS)}


# On the way out


KEYS: Final = ("exif", "xmp", "iptc", "dpi", "comment", "text")


@dataclass
class Kept:
    """What goes into a file, ready for the encoders."""

    exif: Image.Exif | None = None
    xmp: bytes = b""
    iptc: bytes = b""
    dpi: tuple[float, float] | None = None
    comment: bytes = b""
    text: dict[str, str] = field(default_factory=dict)

    def leave_out(self, key: str) -> None:
        """Have one of KEYS as if it had not been there."""
        setattr(self, key, getattr(Kept(), key))

    def alone(self, key: str) -> Kept:
        """Return this with one of KEYS and nothing else."""
        return Kept(**{key: getattr(self, key)})


def prepared(photo: Photo, format_name: str, size: tuple[int, int], origin: Origin | None) -> Kept:
    """Return what a format can hold of a photograph, with where its colors come from, if that is to be said.

    `size` is that of the result, px. What cannot be kept is noted.
    """
    holds, info = FORMATS[format_name].metadata, photo.info
    kept = Kept(
        iptc=info.get("iptc", b""), dpi=_sane(info.get("dpi"), photo), comment=info.get("comment", b"")
    )
    kept.exif = _exif(photo, size, kept.dpi if "dpi" not in holds else None, origin)
    kept.xmp = _xmp(photo, origin)
    kept.text = dict(info.get("text", {}))
    if origin is not None:
        kept.text["Software"] = origin.beside(kept.text.get("Software"))
    for key, there in (("exif", "EXIF"), ("xmp", "XMP"), ("iptc", "IPTC")):
        if key not in holds and info.get(key):
            photo.notes.append(f"{format_name} keeps no {there}")
    for key in KEYS:
        if key not in holds:
            kept.leave_out(key)
    return kept


def _sane(dpi: Any, photo: Photo) -> tuple[float, float] | None:
    if dpi is None:
        return None
    try:
        across, down = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        across = down = 0.0
    if not (0 < across < 1e6 and 0 < down < 1e6):
        photo.notes.append("its dpi was left out: it is no resolution")
        return None
    return across, down


def _exif(
    photo: Photo, size: tuple[int, int], dpi: tuple[float, float] | None, origin: Origin | None
) -> Image.Exif | None:
    try:
        exif = loaded(photo.info["exif"]) if photo.info.get("exif") else Image.Exif()
        exif.tobytes()
    except Exception as error:  # noqa: BLE001 - Pillow's reader of EXIF raises whatever damage makes it raise
        photo.notes.append(f"its exif was left out: {error}")
        exif = Image.Exif()
    if origin is not None:
        exif[_SOFTWARE] = origin.beside(exif.get(_SOFTWARE))
    if dpi is not None:
        exif[282], exif[283], exif[296] = dpi[0], dpi[1], 2
    folder = exif.get(_EXIF)
    if isinstance(folder, dict):
        _corrected(folder, size, photo)
    return exif if len(exif) else None


def _corrected(folder: dict[int, Any], size: tuple[int, int], photo: Photo) -> None:
    """Have the Exif folder say what is true of the result: its size and its color space."""
    for tag, side in zip((_WIDE, _HIGH), size, strict=True):
        if tag in folder:
            folder[tag] = side
    if _COLOR_SPACE in folder and not photo.profile:
        folder[_COLOR_SPACE] = _SRGB


def _xmp(photo: Photo, origin: Origin | None) -> bytes:
    from tintype.provenance import stamped

    own: bytes = photo.info.get("xmp", b"")
    if origin is None:
        return own
    packet = stamped(own, origin)
    if packet is None:
        photo.notes.append("its xmp was left out: it is not as XMP should be")
        packet = said_alone(origin)
    return packet


def said_alone(origin: Origin) -> bytes:
    """Return an XMP packet that says where colors come from, and nothing else."""
    from tintype.provenance import stamped

    packet = stamped(b"", origin)
    assert packet is not None
    return packet


def without_maker_note(exif: Image.Exif) -> Image.Exif | None:
    """Return EXIF without what only the camera's maker reads, which can be long; None where there is none."""
    folder = exif.get(_EXIF)
    if not isinstance(folder, dict) or _MAKER_NOTE not in folder:
        return None
    exif[_EXIF] = {tag: value for tag, value in folder.items() if tag != _MAKER_NOTE}
    return exif


def without_orientation(xmp: bytes) -> bytes:
    """Return an XMP packet that no longer says that the photograph lies on its side."""
    xmp = re.sub(rb'\s*tiff:Orientation\s*=\s*["\'][0-9]["\']', b"", xmp)
    return re.sub(rb"<tiff:Orientation>[0-9]</tiff:Orientation>", b"", xmp)


# For encoders


def app13(iptc: bytes) -> bytes:
    """Return the segment of a JPEG that holds IPTC; raises ValueError where it is too long for one."""
    body = b"Photoshop 3.0\0" + _wrapped(iptc)
    if len(body) > 65533:
        raise ValueError("it is too long for a JPEG")
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def text_chunks(kept: Kept) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG that hold text, XMP and IPTC."""
    info = PngImagePlugin.PngInfo()
    for key, value in kept.text.items():
        info.add_text(key, value)
    if kept.xmp:
        info.add_itxt(_XMP_TEXT, kept.xmp.decode("utf-8", "replace"))
    if kept.iptc:
        lines = re.sub("(.{72})", r"\1\n", _wrapped(kept.iptc).hex())
        info.add_text(_RAW_IPTC, f"\niptc\n{len(_wrapped(kept.iptc)):8d}\n{lines}\n", zip=True)
    return [(chunk[0], chunk[1]) for chunk in info.chunks]
