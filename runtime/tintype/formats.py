"""Which formats are read and written, by which names, and what each of them can hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

EXTRA: Final = "pip install 'tintype[formats]'"
RAW_ADVICE: Final = (
    "it is a camera's raw file: develop it first, with darktable, RawTherapee or the camera's own program, "
    "and give Tintype the TIFF with 16 bits"
)


@dataclass(frozen=True)
class Format:
    """What a format, by Pillow's name of it, can hold."""

    suffixes: tuple[str, ...]
    alpha: bool = True
    depth: int = 8
    """Bits a channel that are written, at most."""
    longest: int | None = None
    """px a side"""
    metadata: frozenset[str] = frozenset()
    """Of exif, xmp, iptc, dpi, text, comment."""
    profile: bool = True
    """Whether it can be tagged with a color profile."""
    plugin: str | None = None
    """The module that teaches it to Pillow."""
    register: str | None = None
    """The function of that module to call; None where importing it is enough."""


_MODERN: Final = frozenset({"exif", "xmp"})
FORMATS: Final = {
    "JPEG": Format(
        (".jpg", ".jpeg"),
        alpha=False,
        longest=65500,
        metadata=frozenset({"exif", "xmp", "iptc", "dpi", "comment"}),
    ),
    "PNG": Format((".png",), depth=16, metadata=frozenset({"exif", "xmp", "iptc", "dpi", "text"})),
    "TIFF": Format((".tif", ".tiff"), depth=16, metadata=frozenset({"exif", "xmp", "iptc", "dpi"})),
    "WEBP": Format((".webp",), longest=16383, metadata=_MODERN),
    "BMP": Format((".bmp",), alpha=False, metadata=frozenset({"dpi"}), profile=False),
    "PPM": Format((".ppm",), alpha=False, depth=16, profile=False),
    "AVIF": Format((".avif",), longest=65535, metadata=_MODERN, plugin="PIL.AvifImagePlugin"),
    "HEIF": Format(
        (".heic", ".heif"),
        longest=16384,
        metadata=_MODERN,
        plugin="pillow_heif",
        register="register_heif_opener",
    ),
    "JXL": Format((".jxl",), metadata=_MODERN, plugin="pillow_jxl"),
}
SUFFIXES: Final = {suffix: name for name, known in FORMATS.items() for suffix in known.suffixes}

_JXL: Final = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_RAW_STARTS: Final = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM", b"HEAPCCDR")
_PROGRAM_STARTS: Final = (b"%!PS", b"\xc5\xd0\xd3\xc6")
_RAW_SUFFIXES: Final = frozenset(
    {
        ".3fr",
        ".ari",
        ".arw",
        ".bay",
        ".cap",
        ".cr2",
        ".cr3",
        ".crw",
        ".dcr",
        ".dng",
        ".erf",
        ".fff",
        ".gpr",
        ".iiq",
        ".k25",
        ".kdc",
        ".mdc",
        ".mef",
        ".mos",
        ".mrw",
        ".nef",
        ".nrw",
        ".orf",
        ".pef",
        ".ptx",
        ".pxn",
        ".r3d",
        ".raf",
        ".raw",
        ".rw2",
        ".rwl",
        ".rwz",
        ".sr2",
        ".srf",
        ".srw",
        ".x3f",
    }
)


def of_content(head: bytes) -> str | None:
    """Return the format of a file that only a plug-in reads, by its first 32 bytes; None for others."""
    if head.startswith(_JXL):
        return "JXL"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _AVIF_BRANDS or (brand in (b"mif1", b"msf1") and b"avif" in head):
            return "AVIF"
        return "HEIF" if brand in _HEIF_BRANDS else None
    return None


def is_program(head: bytes) -> bool:
    """Say whether a file is PostScript, which Pillow would have another program carry out."""
    return head.startswith(_PROGRAM_STARTS)


def is_webp_without_loss(file: BinaryIO) -> bool:
    """Say whether a file is a WebP that holds its pixels as they were."""
    file.seek(0)
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        return False
    while len(chunk := file.read(8)) == 8:
        if chunk[:4] in (b"VP8 ", b"VP8L"):
            return chunk[:4] == b"VP8L"
        length = int.from_bytes(chunk[4:], "little")
        file.seek(16 if chunk[:4] == b"ANMF" else length + length % 2, 1)  # frames hold chunks themselves
    return False


def raw_advice(head: bytes, name: str) -> str | None:
    """Return what to do with a camera's raw file, known by its first 32 bytes or its name; None for others.

    A raw file is most often a TIFF with a small picture in front, which would be taken for the photograph.
    """
    raw = head.startswith(_RAW_STARTS) or head[8:11] == b"CR\x02" or head[4:11] == b"ftypcrx"
    return RAW_ADVICE if raw or Path(name).suffix.lower() in _RAW_SUFFIXES else None


@cache
def ready(name: str) -> bool:
    """Say whether a format can be read and written here; loads its plug-in if it has one."""
    known = FORMATS[name]
    if known.plugin is None:
        return True
    if name == "AVIF":
        return _avif()
    if find_spec(known.plugin) is None:
        return False
    try:
        module = import_module(known.plugin)
    except ImportError:  # there, but for another Pillow or system
        return False
    if known.register is not None:
        getattr(module, known.register)()
    return True


def _avif() -> bool:
    """Say whether Pillow was built with AVIF, or has the plug-in that older ones need."""
    from PIL import features

    if "avif" in features.modules and features.check("avif"):
        return True
    if find_spec("pillow_avif") is None:
        return False
    import_module("pillow_avif")
    return True


def missing(name: str) -> str:
    """Return what to install for a format."""
    return f"{name} needs a plug-in of Pillow: {EXTRA}"
