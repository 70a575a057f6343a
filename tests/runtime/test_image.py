"""Reading photographs: every mode, orientation and profile; honest errors for what is none."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from tintype import image, memory
from tintype.errors import (
    CancelledError,
    PhotoError,
    PhotoNotFoundError,
    PhotoTooLargeError,
    PhotoUnreadableError,
)
from tintype.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[Any]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6" photoshop:City="Riga"/></x:xmpmeta>'


def _bytes(picture: Image.Image, format_name: str, **options: Any) -> io.BytesIO:
    stream = io.BytesIO()
    picture.save(stream, format_name, **options)
    stream.seek(0)
    return stream


def _png(header: bytes, rows: bytes = b"") -> io.BytesIO:
    """Return a PNG of any header, as Pillow would not write it."""
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


def _picture(mode: str, array: Array) -> Image.Image:
    """Return a colored array (H, W, 3) as an image of a mode."""
    if mode == "I;16":
        return Image.fromarray(array[..., 0].astype(np.uint16) * 257)
    if mode in ("1", "CMYK"):
        return Image.fromarray(array).convert(mode)
    if mode == "P":
        return Image.fromarray(array).quantize()
    if mode == "transparent P":
        picture = Image.fromarray(array).quantize()
        picture.info["transparency"] = 3
        return picture
    return Image.fromarray(array).convert("RGBA").convert(mode)


@pytest.mark.parametrize(
    ("mode", "format_name", "wanted"),
    [
        ("L", "PNG", "L"),
        ("L", "JPEG", "L"),
        ("L", "TIFF", "L"),
        ("L", "PPM", "L"),
        ("LA", "PNG", "RGBA"),
        ("P", "PNG", "RGB"),
        ("P", "BMP", "RGB"),
        ("transparent P", "PNG", "RGBA"),
        ("RGB", "JPEG", "RGB"),
        ("RGB", "PNG", "RGB"),
        ("RGB", "WEBP", "RGB"),
        ("RGBA", "PNG", "RGBA"),
        ("RGBA", "TIFF", "RGBA"),
        ("CMYK", "JPEG", "RGB"),
        ("CMYK", "TIFF", "RGB"),
        ("1", "PNG", "L"),
        ("1", "TIFF", "L"),
        ("I;16", "PNG", "I;16"),
        ("I;16", "TIFF", "I;16"),
    ],
)
def test_modes(mode: str, format_name: str, wanted: str, color_array: Array) -> None:
    """Each mode that files hold becomes one of four, with its format known and its rows as arrays."""
    photo = image.read(_bytes(_picture(mode, color_array), format_name))
    assert (photo.image.mode, photo.format, photo.size) == (wanted, format_name, (72, 48))
    rows = photo.rows(10, 30)
    assert rows.shape == ((20, 72) if wanted in ("L", "I;16") else (20, 72, 3))
    assert rows.dtype == (np.uint16 if wanted == "I;16" else np.uint8)
    inks = ["its inks have no color profile: its lightness is approximate"]
    assert photo.notes == (inks if mode == "CMYK" else [])


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "I;16"])
def test_pixels(mode: str, color_array: Array) -> None:
    """The pixels are those of the file."""
    picture = _picture(mode, color_array)
    rows = image.read(_bytes(picture, "PNG")).rows(0, 48)
    wanted = np.asarray(picture.convert("RGB") if mode in ("P", "RGBA") else picture)
    np.testing.assert_array_equal(rows, wanted)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_unknown_modes(mode: str, tmp_path: Path) -> None:
    """Modes whose white nobody knows are refused, in a file as in hand, with what to do."""
    picture = Image.new(mode, (4, 4))
    picture.save(tmp_path / "depth.tif")
    with pytest.raises(PhotoUnreadableError, match="convert it to 8 or 16 bits"):
        image.read(tmp_path / "depth.tif")
    with pytest.raises(PhotoUnreadableError, match="convert it to 8 or 16 bits"):
        image.wrap(picture)


def test_transparent_shade_of_16_bits() -> None:
    """A grey of 16 bits with one transparent shade keeps its bits, and gets alpha."""
    deep = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    photo = image.read(_bytes(Image.fromarray(deep), "PNG", transparency=1000))
    np.testing.assert_array_equal(photo.rows(0, 6), deep)
    np.testing.assert_array_equal(photo.alpha(0, 6), np.where(deep == 1000, 0, 65535))
    assert not photo.notes


def test_big_endian() -> None:
    """A TIFF of 16 bits in the other byte order is read as its values."""
    deep = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    picture = Image.frombytes("I;16B", (8, 6), deep.astype(">u2").tobytes())
    np.testing.assert_array_equal(image.wrap(picture).rows(0, 6), deep)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(format_name: str, orientation: int) -> None:
    """A photograph is turned upright, whatever way the camera was held, and what is kept says upright."""
    upright = np.zeros((16, 24), np.uint8)
    upright[:8, :8] = 255
    turn: dict[int, Callable[[Array], Array]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, 3),
    }
    exif = Image.Exif()
    exif[274], exif[271] = orientation, "Maker"
    stored = _bytes(Image.fromarray(np.ascontiguousarray(turn[orientation](upright))), format_name, exif=exif)
    photo = image.read(stored)
    assert photo.size == (24, 16)
    rows = photo.rows(0, 16)
    np.testing.assert_allclose(rows if rows.ndim == 2 else rows[..., 0], upright, atol=60)
    kept = Image.Exif()
    kept.load(photo.info["exif"])
    assert kept.get(274, 1) == 1
    assert kept[271] == "Maker"


@pytest.mark.parametrize(
    ("format_name", "keys"),
    [
        ("JPEG", {"exif", "xmp", "dpi", "quality"}),
        ("PNG", {"exif", "xmp", "dpi"}),
        ("TIFF", {"exif", "dpi", "compression"}),
    ],
)
def test_metadata_is_kept(format_name: str, keys: set[str]) -> None:
    """EXIF, XMP and resolution go along, and neither says any longer that the photograph lies on its side."""
    exif = Image.Exif()
    exif[274], exif[272] = 6, "Model"
    options: dict[str, Any] = {"exif": exif, "dpi": (300, 300)}
    if format_name == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    if format_name == "JPEG":
        options["xmp"] = XMP
    photo = image.read(_bytes(Image.new("L", (20, 10)), format_name, **options))
    assert set(photo.info) == keys
    assert photo.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
    assert b"Riga" in photo.info.get("xmp", b"Riga")
    assert b"Orientation" not in photo.info.get("xmp", b"")


def _profile(curve: float) -> ImageCms.ImageCmsProfile:
    """Return a profile of the primaries of sRGB with another transfer curve, made of Pillow's own."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    tags = [struct.unpack_from(">4sII", data, 132 + 12 * index) for index in range(count)]
    start = next(offset for name, offset, _ in tags if name == b"rTRC")
    data[start : start + 16] = struct.pack(">4sIHHi", b"para", 0, 0, 0, round(curve * 65536))
    for name, offset, size in tags:
        if name == b"desc":
            data[offset : offset + size] = bytes(data[offset : offset + size]).replace(
                "sRGB".encode("utf-16-be"), "oRGB".encode("utf-16-be")
            )
    return ImageCms.ImageCmsProfile(io.BytesIO(data))


@pytest.mark.parametrize(
    ("mode", "format_name"), [("RGB", "JPEG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG")]
)
def test_profile_is_converted(mode: str, format_name: str) -> None:
    """Pixels of another profile become sRGB: with a linear curve a middle value is much lighter."""
    profile = _profile(1.0)
    picture = _picture(mode, np.full((8, 8, 3), 64, np.uint8))
    photo = image.read(_bytes(picture, format_name, icc_profile=profile.tobytes()))
    assert photo.rows(0, 8).mean() == pytest.approx(137, abs=3)  # 64 / 255 linear, coded as sRGB
    assert not photo.notes
    assert "icc_profile" not in photo.image.info


def test_srgb_profile_changes_nothing(color_array: Array) -> None:
    """A photograph that says it is sRGB keeps its pixels exactly."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = image.read(_bytes(Image.fromarray(color_array), "PNG", icc_profile=profile))
    np.testing.assert_array_equal(photo.rows(0, 48), color_array)


@pytest.mark.parametrize(
    ("mode", "note"),
    [
        ("RGB", "could not be used"),
        ("L", "could not be used"),
        ("CMYK", "could not be used"),
        ("I;16", "left out"),
    ],
)
def test_damaged_profile(mode: str, note: str, color_array: Array) -> None:
    """A profile that cannot be used is left out, and the notes say so."""
    photo = image.read(_bytes(_picture(mode, color_array), "TIFF", icc_profile=b"nonsense" * 20))
    assert len(photo.notes) == 1
    assert note in photo.notes[0]
    assert "icc_profile" not in photo.image.info


def _odd_exif() -> bytes:
    """Return EXIF of a photograph on its side, with a value that can be read and not be written again."""
    exif = Image.Exif()
    exif[271], exif[274] = "Maker of cameras", 6
    text, fraction = struct.pack(">HHI", 271, 2, 17), struct.pack(">HHI", 271, 5, 1)  # tag, type, count
    return exif.tobytes().replace(text, fraction)


@pytest.mark.parametrize(
    ("exif", "format_name", "size", "kept"),
    [
        (b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01", "JPEG", (20, 10), True),
        (b"Exif\0\0nothing of the kind", "JPEG", (20, 10), True),
        (b"Exif\0\0nothing of the kind", "PNG", (20, 10), False),
        (_odd_exif(), "JPEG", (10, 20), False),
        (_odd_exif(), "PNG", (10, 20), False),
    ],
    ids=["short JPEG", "words JPEG", "words PNG", "odd JPEG", "odd PNG"],
)
def test_damaged_exif(exif: bytes, format_name: str, size: tuple[int, int], kept: bool) -> None:  # noqa: FBT001
    """Damage in the EXIF does not keep a photograph from being read upright; the notes say what is lost."""
    photo = image.read(_bytes(Image.new("L", (20, 10)), format_name, exif=exif))
    assert photo.size == size
    assert photo.notes == ([] if kept else ["its EXIF could not be read and was left out"])
    assert ("exif" in photo.info) == kept


def test_animation(color_array: Array) -> None:
    """Of an animation the first frame is taken, and the notes say so."""
    frames = [Image.fromarray(color_array), Image.fromarray(255 - color_array)]
    photo = image.read(_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert photo.notes == ["the first of 2 pages or frames was taken"]


def test_wrap_leaves_the_image_alone(color_array: Array) -> None:
    """An image in hand is copied: writing into the photograph does not change it."""
    mine = Image.fromarray(color_array)
    photo = image.wrap(mine)
    photo.put(photo.result(), np.zeros((48, 72, 3), np.uint8), 0)
    np.testing.assert_array_equal(np.asarray(mine), color_array)
    assert photo.format == ""


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_put(mode: str, color_array: Array) -> None:
    """Rows are written where they belong, of 16 bits the upper 8, and alpha stays."""
    photo = image.wrap(_picture(mode, color_array))
    alpha = photo.image.getchannel("A") if mode == "RGBA" else None
    result, rows = photo.result(), color_array[5:20]
    photo.put(result, rows.astype(np.uint16) * 257 if mode == "I;16" else rows, 30)
    np.testing.assert_array_equal(np.asarray(result)[30:45, :, :3], rows)
    assert alpha is None or result.getchannel("A").tobytes() == alpha.tobytes()


def _saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"these are words\n" * 9, "no image format known"),
        (b"\x89PNG\r\n\x1a\n", "no image format known|cannot be read"),
        (_bytes(Image.new("L", (99, 99)), "PNG").getvalue()[:60], "truncated|cannot be read"),
        (_bytes(Image.effect_noise((99, 99), 40), "JPEG").getvalue()[:900], "truncated"),
        (_bytes(Image.effect_noise((99, 99), 40), "TIFF").getvalue()[:500], "truncated|cannot be read"),
        (_bytes(Image.effect_noise((99, 99), 40), "GIF").getvalue()[:500], "truncated|cannot be read"),
    ],
    ids=["empty", "words", "signature", "png", "jpeg", "tiff", "gif"],
)
def test_damaged(content: bytes, reason: str, tmp_path: Path) -> None:
    """What is empty, cut off or no image is refused in one line that names it, as a file and as a stream."""
    path = _saved(tmp_path / "photo.png", content)
    with pytest.raises(PhotoUnreadableError, match=reason) as caught:
        image.read(path)
    assert str(caught.value).startswith(f"{path} cannot be read as a photograph: ")
    assert "\n" not in str(caught.value)
    with pytest.raises(PhotoUnreadableError, match=r"^the photograph cannot be read") as caught:
        image.read(io.BytesIO(content))
    assert "BytesIO" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("place", ["nowhere.jpg", "no/such/folder.jpg"])
def test_missing(tmp_path: Path, place: str) -> None:
    """A file that is not there is said to be missing."""
    with pytest.raises(PhotoNotFoundError, match="there is no photograph") as caught:
        image.read(tmp_path / place)
    assert isinstance(caught.value, FileNotFoundError)


def test_folder(tmp_path: Path) -> None:
    """A folder is no photograph."""
    with pytest.raises(PhotoUnreadableError, match="it is a folder"):
        image.read(tmp_path)


def test_no_permission(monkeypatch: pytest.MonkeyPatch, color_photo: Path) -> None:
    """A file that may not be read says so, also where its folder may not be looked into."""

    def refuse(path: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(PhotoUnreadableError, match=r"meadow\.png .*Permission denied$"):
        image.read(color_photo)


def test_megapixels(color_photo: Path) -> None:
    """A photograph over the limit on size is refused with the option that raises it."""
    with pytest.raises(PhotoTooLargeError, match="raise --max-megapixels") as caught:
        image.read(color_photo, max_megapixels=0.003)
    assert isinstance(caught.value, MemoryError)
    assert image.read(color_photo, max_megapixels=0.004).size == (72, 48)


def test_huge_dimensions() -> None:
    """A small file that claims a huge picture is refused before anything is decoded, at any limit."""
    bomb = _png(struct.pack(">IIBBBBB", 1 << 20, 1 << 20, 8, 2, 0, 0, 0))
    with pytest.raises(PhotoTooLargeError, match="megapixels"):
        image.read(bomb)
    with pytest.raises(PhotoTooLargeError, match="MB of memory"):
        image.read(bomb, max_megapixels=1e9)


def test_memory(monkeypatch: pytest.MonkeyPatch, color_photo: Path) -> None:
    """What would not fit into the memory at hand is refused; where nobody tells how much, it is tried."""
    monkeypatch.setattr(memory, "available", lambda: 1 << 20)
    with pytest.raises(PhotoTooLargeError, match="1 MB are free: close other programs"):
        image.read(color_photo)
    monkeypatch.setattr(memory, "available", lambda: None)
    assert image.read(color_photo).size == (72, 48)


def test_memory_runs_out(monkeypatch: pytest.MonkeyPatch, color_photo: Path) -> None:
    """Memory that runs out while decoding is one photograph's failure."""

    def exhaust(self: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", exhaust)
    with pytest.raises(PhotoTooLargeError, match="does not fit into the memory"):
        image.read(color_photo)


@pytest.mark.parametrize("limit", [None, 1000, 89478485])
def test_pillows_limit(monkeypatch: pytest.MonkeyPatch, limit: int | None, color_photo: Path) -> None:
    """Pillow's own limit, which is the process's, does not count here and is put back, also on errors."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    image.read(color_photo)
    assert limit == Image.MAX_IMAGE_PIXELS
    with pytest.raises(PhotoError):
        image.read(io.BytesIO(b"nonsense"))
    assert limit == Image.MAX_IMAGE_PIXELS


def test_available_memory() -> None:
    """This machine tells how much memory is left."""
    assert (memory.available() or 0) > 10 << 20


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "BMP"])
def test_watched(format_name: str, tmp_path: Path, color_array: Array) -> None:
    """A watched photograph is read as any other; of JPEG and PNG it is told how far it is, from 0 to 1."""
    path, told = tmp_path / "photo", list[float]()
    path.write_bytes(_bytes(_picture("RGB", color_array), format_name).getvalue())
    photo = image.read(path, watch=Watch(told.append))
    np.testing.assert_array_equal(np.asarray(photo.image), np.asarray(image.read(path).image))
    assert bool(told) == (format_name in ("JPEG", "PNG"))
    assert all(0 <= share <= 1 for share in told)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_cancelled(format_name: str, tmp_path: Path) -> None:
    """Reading that is cancelled in the middle of the file ends with CancelledError and closes the file."""
    path = tmp_path / "photo"
    noise = Image.effect_noise((600, 600), 90)
    path.write_bytes(_bytes(noise, format_name).getvalue())
    watch = Watch(lambda share: watch.cancel() if share > 0.3 else None)
    with pytest.raises(CancelledError):
        image.read(path, watch=watch)
    path.unlink()


@pytest.mark.parametrize("place", ["nowhere.jpg", "", "nonsense.jpg"])
def test_watched_errors(tmp_path: Path, place: str) -> None:
    """What cannot be read is refused in the same words when it is watched."""
    (tmp_path / "nonsense.jpg").write_bytes(b"\xff\xd8\xff nonsense")
    messages = []
    for watch in (None, Watch()):
        with pytest.raises(PhotoError) as caught:
            image.read(tmp_path / place, watch=watch)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_glance(orientation: int, mode: str, tmp_path: Path, color_array: Array) -> None:
    """A quick decode looks like the whole photograph, upright, and knows the size of it."""
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[274] = orientation
    _picture(mode, color_array).resize((640, 425)).save(path, exif=exif)
    seen = image.glance(path, 160)
    assert seen is not None
    photo, size = seen
    whole = image.read(path).image
    assert size == whole.size
    assert 160 <= max(photo.size) < 320
    assert photo.image.mode == mode
    smaller = np.asarray(whole.resize(photo.size, Image.Resampling.BOX)).astype(int)
    assert np.abs(smaller - np.asarray(photo.image)).mean() < 4


@pytest.mark.parametrize(
    ("format_name", "size"), [("PNG", (640, 480)), ("JPEG", (72, 48)), ("JPEG", (300, 1)), ("", (1, 1))]
)
def test_nothing_to_glance_at(format_name: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Other formats, small photographs and what is none are left to be read whole."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(_bytes(Image.new("L", size), format_name).getvalue() if format_name else b"nonsense")
    assert image.glance(path, 160) is None
    assert image.glance(tmp_path / "nowhere.jpg", 160) is None


@pytest.mark.parametrize("start", [b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\xc5\xd0\xd3\xc6" + bytes(28)])
def test_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    """PostScript, whatever it is called, is refused, and no other program is started for it."""
    from PIL import EpsImagePlugin

    def start_it(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", start_it)
    path = tmp_path / "scan.jpg"
    path.write_bytes(start + b"%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(PhotoUnreadableError, match="it is PostScript, a program, not a photograph"):
        image.read(path)


def test_no_pixels(tmp_path: Path) -> None:
    """A TIFF that says it has no width is refused."""
    path = tmp_path / "thin.tif"
    Image.new("I;16", (9, 5)).save(path)
    content = bytearray(path.read_bytes())
    at = content.index(b"\x00\x01\x04\x00\x01\x00\x00\x00\x09")
    content[at + 8] = 0
    path.write_bytes(content)
    with pytest.raises(PhotoUnreadableError):
        image.read(path)


def test_endless_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A TIFF of more pages than can be come by is refused with what to do."""
    monkeypatch.setattr(image, "_MOST_PAGES", 3)
    page = Image.new("L", (4, 4))
    for count in (3, 4):
        page.save(tmp_path / "pages.tif", save_all=True, append_images=[page] * (count - 1))
        if count == 3:
            assert image.read(tmp_path / "pages.tif").frames == (0, 1, 2)
    with pytest.raises(PhotoUnreadableError, match="it has more than 3 pages: split it first"):
        image.read(tmp_path / "pages.tif")
