"""What a file holds besides pixels goes along: EXIF, XMP, IPTC, resolution, words; and provenance."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from runtime.deep_files import IPTC, XMP, deep, opened, png_of, tiff_of
from tintype import Colorizer, __version__, image, keepsakes
from tintype.encoding import Settings
from tintype.provenance import SOURCE_TYPE, Origin, stamped

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = Origin("stub", "7")
NOTHING = Settings(provenance=False)
KEEP_EXIF = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF", "JXL"]
KEEP_XMP = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"]
KEEP_IPTC = ["JPEG", "PNG", "TIFF"]


def _exif() -> Image.Exif:
    """Return what a camera writes: a maker, folders with a date, a note of its own and a place."""
    exif = Image.Exif()
    exif[271], exif[305], exif[315] = "Maker", "Camera 1.0", "Author"
    exif[34665] = {36867: "2001:01:01 00:00:00", 33434: 0.01, 37500: b"note" * 20, 40962: 5, 40961: 65535}
    exif[34853] = {1: "N", 2: (56.0, 57.0, 0.0)}
    return exif


def _photo(format_name: str = "JPEG") -> bytes:
    """Return a photograph with all that its format holds."""
    picture, stream = Image.effect_noise((40, 30), 50), io.BytesIO()
    options: dict[str, Any] = {"exif": _exif().tobytes(), "dpi": (300, 300)}
    if format_name == "JPEG":
        options |= {"xmp": XMP, "extra": keepsakes.app13(IPTC), "comment": b"a comment"}
    if format_name == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        info.add_text("Title", "A title")
        info.add_text("Beschreibung", "Größe")
        options["pnginfo"] = info
    if format_name == "WEBP":
        options["xmp"] = XMP
    picture.save(stream, format_name, **options)
    return stream.getvalue()


def _colorized(colorizer: Colorizer, data: bytes, format_name: str, settings: Settings = NOTHING) -> Any:
    """Return a photograph's result as it is read again, and the notes of making it."""
    target = io.BytesIO()
    outcome = colorizer.colorize_file(io.BytesIO(data), target, format_name=format_name, settings=settings)
    return opened(target.getvalue()), outcome.notes


@pytest.mark.parametrize("format_name", KEEP_EXIF)
@pytest.mark.parametrize("came", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif(colorizer: Colorizer, came: str, format_name: str) -> None:
    """EXIF with its folders goes from any format into any that holds it, true of the result."""
    result, _ = _colorized(colorizer, _photo(came), format_name)
    exif = result.getexif()
    assert (exif[271], exif[305], exif[315]) == ("Maker", "Camera 1.0", "Author")
    folder = exif.get_ifd(34665)
    assert folder[36867] == "2001:01:01 00:00:00"
    assert float(folder[33434]) == pytest.approx(0.01)
    assert folder[37500] == b"note" * 20
    assert (folder[40962], folder[40961]) == (40, 1)
    assert [float(part) for part in exif.get_ifd(34853)[2]] == [56, 57, 0]


@pytest.mark.parametrize("format_name", KEEP_XMP)
@pytest.mark.parametrize("came", ["JPEG", "PNG", "WEBP"])
def test_xmp(colorizer: Colorizer, came: str, format_name: str) -> None:
    """XMP goes along, byte for byte."""
    result, notes = _colorized(colorizer, _photo(came), format_name)
    assert result.info["xmp"].rstrip(b"\0") == XMP
    assert not any("xmp" in note.lower() for note in notes)


@pytest.mark.parametrize("format_name", KEEP_IPTC)
@pytest.mark.parametrize("came", KEEP_IPTC)
def test_iptc(colorizer: Colorizer, came: str, format_name: str) -> None:
    """IPTC goes along, record for record, from JPEG, TIFF and PNG into any of them."""
    data = _photo()
    if came != "JPEG":
        target = io.BytesIO()
        colorizer.colorize_file(io.BytesIO(data), target, format_name=came)
        data = target.getvalue()
    target = io.BytesIO()
    outcome = colorizer.colorize_file(io.BytesIO(data), target, format_name=format_name)
    assert image.read(target).info["iptc"] == IPTC
    assert not outcome.notes


@pytest.mark.parametrize("records", [IPTC + bytes(-len(IPTC) % 4), "longs", "photoshop"])
def test_iptc_of_tiff(colorizer: Colorizer, records: Any) -> None:
    """A TIFF's IPTC is found as bytes, as 32-bit numbers and within Photoshop's resources."""
    padded = IPTC + bytes(-len(IPTC) % 4)
    if records == "photoshop":
        tag: Any = (34377, 7, None, keepsakes._wrapped(IPTC))
    elif records == "longs":
        numbers = np.frombuffer(padded, "<u4")
        tag = (33723, 4, len(numbers), tuple(int(number) for number in numbers))
    else:
        tag = (33723, 7, None, records)
    for pixels in (deep(6, 7, 3), (deep(6, 7, 3) >> 8).astype(np.uint8)):
        data = tiff_of(pixels, photometric="rgb", extratags=[tag])
        result, _ = _colorized(colorizer, data, "JPEG")
        assert keepsakes._iptc(result).rstrip(b"\0") == IPTC


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("came", ["JPEG", "PNG", "TIFF"])
def test_resolution(colorizer: Colorizer, came: str, format_name: str) -> None:
    """Resolution goes along; into EXIF where a format has no other place for it."""
    result, _ = _colorized(colorizer, _photo(came), format_name)
    assert result.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
    modern, _ = _colorized(colorizer, _photo(came), "WEBP")
    assert float(modern.getexif()[282]) == pytest.approx(300, rel=1e-3)
    assert modern.getexif()[296] == 2


def test_words(colorizer: Colorizer) -> None:
    """Words of a PNG, and a JPEG's comment, stay in a file of the same format."""
    result, _ = _colorized(colorizer, _photo("PNG"), "PNG")
    assert (result.info["Title"], result.info["Beschreibung"]) == ("A title", "Größe")
    result, _ = _colorized(colorizer, _photo(), "JPEG")
    assert result.info["comment"] == b"a comment"


@pytest.mark.parametrize("channels", [1, 3])
def test_of_16_bits(colorizer: Colorizer, channels: int) -> None:
    """All of it goes along with 16 bits as well, from PNG to TIFF and back, also from behind the pixels."""
    exif = _exif().tobytes()[6:]
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("Title", "A title")
    whole = png_of(deep(30, 40, channels), (b"pHYs", b"\0\0\x2e\x23\0\0\x2e\x23\1"), (b"eXIf", exif))
    behind = [_chunk(chunk[0], chunk[1]) for chunk in info.chunks]
    data = whole[:-12] + b"".join(behind) + whole[-12:]
    for format_name in ("PNG", "TIFF", "PNG"):
        target = io.BytesIO()
        outcome = colorizer.colorize_file(io.BytesIO(data), target, format_name=format_name, settings=NOTHING)
        photo = image.read(target)
        assert photo.deep
        assert not outcome.notes
        assert photo.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
        assert photo.info["xmp"] == XMP
        kept = keepsakes.loaded(photo.info["exif"])
        assert (kept[271], kept[34665][36867]) == ("Maker", "2001:01:01 00:00:00")
        data = target.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    import struct
    import zlib

    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("format_name", ["BMP", "PPM", "WEBP"])
def test_what_is_not_kept_is_said(colorizer: Colorizer, format_name: str) -> None:
    """What a format does not hold is said."""
    _, notes = _colorized(colorizer, _photo(), format_name)
    lost = [] if format_name == "WEBP" else ["EXIF", "XMP"]
    assert list(notes) == [f"{format_name} keeps no {what}" for what in [*lost, "IPTC"]]


def test_long_maker_note(colorizer: Colorizer) -> None:
    """EXIF that does not fit into a JPEG loses the maker's note first, which is said."""
    exif, stream = _exif(), io.BytesIO()
    exif[34665] = {36867: "2001:01:01 00:00:00", 37500: bytes(range(256)) * 300}
    Image.new("L", (8, 8)).save(stream, "PNG", exif=exif)
    result, notes = _colorized(colorizer, stream.getvalue(), "JPEG")
    assert notes == ("its maker's note was left out: its EXIF would have been too long",)
    assert result.getexif().get_ifd(34665)[36867] == "2001:01:01 00:00:00"


@pytest.mark.parametrize("quality", [1, 10, 25, 50, 75, 90, 95, 98, 100])
def test_quality(quality: int) -> None:
    """A JPEG's quality is found from its tables."""
    stream = io.BytesIO()
    Image.effect_noise((40, 30), 50).save(stream, "JPEG", quality=quality)
    assert image.read(stream).info["quality"] == pytest.approx(quality, abs=1)


# Provenance


@pytest.mark.parametrize("format_name", KEEP_XMP)
@pytest.mark.parametrize("own", [True, False])
def test_provenance(colorizer: Colorizer, format_name: str, own: bool) -> None:  # noqa: FBT001
    """By default metadata says where colors come from, beside what was there; only by default."""
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "PNG")
    data = _photo() if own else stream.getvalue()
    result, _ = _colorized(colorizer, data, format_name, Settings())
    xmp = result.info["xmp"]
    assert SOURCE_TYPE.encode() in xmp
    assert (b"Riga" in xmp) == own
    _parsed(xmp)
    software = f"Tintype {__version__} (model {colorizer.model} {colorizer.origin.version})"
    assert result.getexif()[305] == (f"Camera 1.0; {software}" if own else software)
    without, _ = _colorized(colorizer, data, format_name)
    assert b"algorithmic" not in without.info.get("xmp", b"").lower()
    assert "Tintype" not in without.getexif().get(305, "")


def test_jpeg_xl_says_it_in_exif(colorizer: Colorizer) -> None:
    """A JPEG XL, whose XMP its plug-in does not read, says it in its EXIF at least."""
    result, _ = _colorized(colorizer, _photo(), "JXL", Settings())
    assert "Tintype" in result.getexif()[305]


def _parsed(xmp: bytes) -> dict[str, str]:
    """Return the properties of a packet, as any reader of XML finds them."""
    from xml.etree import ElementTree as ET

    found = {}
    for element in ET.fromstring(xmp.rstrip(b"\0")).iter():  # noqa: S314 - made by this test
        assert element.text != ""
        found[element.tag.partition("}")[2]] = element.text or ""
        found |= {name.partition("}")[2]: value for name, value in element.attrib.items()}
    return found


@pytest.mark.parametrize(
    "own",
    [
        b"",
        XMP,
        XMP.replace(
            b"photoshop:City",
            b'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
            b'e:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/print" photoshop:City',
        ),
        XMP.replace(
            b' photoshop:City="Riga"/>',
            b' photoshop:City="Riga" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
            b"<e:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/print</e:DigitalSourceType>"
            b"<e:AISystemUsed>Another</e:AISystemUsed></rdf:Description>",
        ),
        XMP.replace(b"rdf:", b"r:").replace(b"xmlns:rdf", b"xmlns:r"),
        XMP.replace(b'about=""', b'about="uuid:1&amp;2"'),
        b'\xef\xbb\xbf<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        + XMP
        + b" " * 99
        + b'<?xpacket end="w"?>\0',
    ],
    ids=["none", "plain", "attribute", "element", "prefix", "about", "packet"],
)
def test_stamped(own: bytes) -> None:
    """The properties are there once, also the second time, in XML that can be parsed; all else stays."""
    packet = stamped(own, ORIGIN)
    assert packet is not None
    found = _parsed(packet)
    assert found["DigitalSourceType"] == SOURCE_TYPE
    assert (found["AISystemUsed"], found["AISystemVersionUsed"]) == ("Tintype, model stub", "7")
    assert ("City" in found) == bool(own)
    assert packet.count(b"DigitalSourceType>") == 2
    assert b"digitalsourcetype/print" not in packet
    assert (stamped(packet, ORIGIN) or b"").count(SOURCE_TYPE.encode()) == 1


@pytest.mark.parametrize("own", [b"no xml", b"\xff\xfe<", b"<a><b></a>"])
def test_no_xmp(own: bytes, colorizer: Colorizer) -> None:
    """What is no XMP is not added to: it is left out, which is said, and the packet is a new one."""
    assert stamped(own, ORIGIN) is None
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "JPEG", xmp=own)
    result, notes = _colorized(colorizer, stream.getvalue(), "JPEG", Settings())
    assert notes == ("its xmp was left out: it is not as XMP should be",)
    assert SOURCE_TYPE.encode() in result.info["xmp"]


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (None, "Tintype"),
        ("", "Tintype"),
        (b"bytes", "Tintype"),
        ("Scanner 9", "Scanner 9; Tintype"),
        (f"Scanner 9; {ORIGIN.software}", "Scanner 9; Tintype"),
        (ORIGIN.software, "Tintype"),
        ("x" * 999, "x" * 200 + "; Tintype"),
    ],
)
def test_software(there: Any, wanted: str) -> None:
    """Software names what was there and Tintype, once each."""
    assert ORIGIN.beside(there) == f"{wanted} {__version__} (model stub 7)"


def test_same_bytes(colorizer: Colorizer, tmp_path: Path) -> None:
    """Provenance holds no time: the same photograph gives the same file."""
    (tmp_path / "photo.jpg").write_bytes(_photo())
    for name in ("one.tif", "two.tif"):
        colorizer.colorize_file(tmp_path / "photo.jpg", tmp_path / name)
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()
