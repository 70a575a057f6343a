"""16 bits a channel: every bit comes in, whatever the file, and goes out again."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from runtime.deep_files import deep, grey_profile, png_of, rgb_profile, tiff_of
from tintype import Adjustments, Colorizer, deep as deeps, image, lab, merge, png, pnm, scan
from tintype.errors import CancelledError, PhotoTooLargeError, PhotoUnreadableError
from tintype.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from tintype.photo import Photo

Array = NDArray[Any]
GREY = Adjustments(strength=0)
TIFFS: dict[str, tuple[int, dict[str, Any]]] = {
    "plain": (3, {"photometric": "rgb"}),
    "big-endian": (3, {"photometric": "rgb", "byteorder": ">"}),
    "BigTIFF": (3, {"photometric": "rgb", "bigtiff": True}),
    "LZW": (3, {"photometric": "rgb", "compression": "lzw", "predictor": True, "rowsperstrip": 5}),
    "deflate": (3, {"photometric": "rgb", "compression": "zlib", "rowsperstrip": 5}),
    "tiles": (3, {"photometric": "rgb", "tile": (16, 32)}),
    "alpha": (4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "grey": (1, {"photometric": "minisblack"}),
    "grey, big-endian": (1, {"photometric": "minisblack", "byteorder": ">", "compression": "zlib"}),
    "grey with alpha": (2, {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
    "another channel": (4, {"photometric": "rgb", "extrasamples": ["unspecified"]}),
}


def _rows(photo: Photo) -> Array:
    return photo.rows(0, photo.size[1])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (41, 30), (300, 2), (2, 300)])
def test_png(channels: int, size: tuple[int, int]) -> None:
    """A PNG of 16 bits, with any channels, is read as it is."""
    pixels = deep(*size, channels)
    photo = image.read(io.BytesIO(png_of(pixels)))
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert (photo.format, photo.deep, photo.has_alpha) == ("PNG", True, channels in (2, 4))
    assert not photo.notes


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_filters(kind: int, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of PNG's filters is undone, also where it looks back over strips."""
    width, height, pixel = 9, 40, 2 * channels
    plain = np.random.default_rng(kind).integers(0, 256, (height, width * pixel), np.uint8)
    filtered = _filtered(plain, pixel, kind)
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    stream = io.BytesIO()
    stream.write(png.SIGNATURE)
    for name, data in ((b"IHDR", head), (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")):
        stream.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))
    for block in (1, 1 << 20):
        stream.seek(0)
        monkeypatch.setattr(png, "_BLOCK", block)
        read = png.read(stream)
        np.testing.assert_array_equal(read.astype(">u2").view(np.uint8).reshape(height, -1), plain)


def _filtered(plain: Array, pixel: int, kind: int) -> bytes:
    """Return rows filtered as the PNG specification says."""
    left = np.pad(plain, ((0, 0), (pixel, 0)))[:, :-pixel].astype(int)
    above = np.pad(plain, ((1, 0), (0, 0)))[:-1].astype(int)
    corner = np.pad(left, ((1, 0), (0, 0)))[:-1]
    guess = left + above - corner
    distances = np.stack([np.abs(guess - part) for part in (left, above, corner)])
    paeth = np.choose(distances.argmin(axis=0), [left, above, corner])
    taken = [0 * left, left, above, (left + above) // 2, paeth][kind]
    rows = ((plain.astype(int) - taken) % 256).astype(np.uint8)
    return np.pad(rows, ((0, 0), (1, 0)), constant_values=kind).tobytes()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_interlaced_png(channels: int) -> None:
    """An interlaced PNG of 16 bits keeps its bits too."""
    pixels = deep(11, 13, channels)
    photo = image.read(io.BytesIO(_interlaced(pixels)))
    np.testing.assert_array_equal(photo.pixels, pixels)


def _interlaced(pixels: Array) -> bytes:
    """Return a PNG in Adam7's seven passes."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    passes = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    data = b""
    for top, left, down, across in passes:
        for row in pixels[top::down, left::across]:
            data += b"\0" + row.astype(">u2").tobytes() if len(row) else b""
    head = struct.pack(
        ">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 1
    )
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts]
    return png.SIGNATURE + b"".join(packed)


def test_transparent_color_of_a_png() -> None:
    """A color that a PNG of 16 bits calls transparent becomes alpha."""
    pixels = deep(9, 8, 3)
    pixels[2, 3] = (1, 2, 3)
    photo = image.read(io.BytesIO(png_of(pixels, (b"tRNS", struct.pack(">3H", 1, 2, 3)))))
    alpha = photo.alpha(0, 9)
    assert alpha is not None
    assert (alpha == 0).sum() == 1
    assert alpha[2, 3] == 0
    np.testing.assert_array_equal(_rows(photo), pixels)


@pytest.mark.parametrize("cut", [60, 300, -60])
def test_truncated_png(cut: int) -> None:
    """A PNG of 16 bits that is cut off, or damaged, is refused in one line."""
    whole = png_of(deep(41, 30, 3))
    with pytest.raises(PhotoUnreadableError, match=r"truncated|cannot be read"):
        image.read(io.BytesIO(whole[:cut]))
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 255
    with pytest.raises(PhotoUnreadableError, match=r"cannot be read as a photograph: [^\n]+$"):
        image.read(io.BytesIO(bytes(damaged)))


def test_png_that_inflates_without_end() -> None:
    """Of a stream that holds more than the header says, no more is inflated."""
    head = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(50_000_000))), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts]
    pixels = png.read(io.BytesIO(png.SIGNATURE + b"".join(packed)))
    assert pixels.shape == (4, 4, 3)


@pytest.mark.parametrize("kind", TIFFS)
def test_tiff(kind: str) -> None:
    """A TIFF of 16 bits is read as it is: any byte order, compression, strips or tiles."""
    channels, options = TIFFS[kind]
    pixels = deep(41, 50, channels)
    photo = image.read(io.BytesIO(tiff_of(pixels, **options)))
    wanted = pixels[..., :3] if kind == "another channel" else pixels
    np.testing.assert_array_equal(photo.pixels, wanted)
    assert (photo.format, photo.notes) == ("TIFF", [])


def test_separate_planes() -> None:
    """A TIFF whose channels stand one after the other is read like any."""
    pixels = deep(20, 30, 3)
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    photo = image.read(io.BytesIO(tiff_of(planes, photometric="rgb", planarconfig="separate")))
    np.testing.assert_array_equal(photo.pixels, pixels)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_white_is_zero(compression: str | None) -> None:
    """A TIFF in which zero is white is turned into one in which it is black."""
    pixels = deep(9, 8, 1)
    photo = image.read(io.BytesIO(tiff_of(pixels, photometric="miniswhite", compression=compression)))
    np.testing.assert_array_equal(_rows(photo), 65535 - pixels)


def test_associated_alpha() -> None:
    """Colors into which alpha was multiplied are divided by it."""
    pixels = deep(9, 8, 4)
    pixels[..., 3] = 30000
    stored = pixels.copy()
    stored[..., :3] = np.rint(pixels[..., :3] * (30000 / 65535))
    photo = image.read(io.BytesIO(tiff_of(stored, photometric="rgb", extrasamples=["assocalpha"])))
    np.testing.assert_allclose(_rows(photo), pixels[..., :3], atol=3)


@pytest.mark.parametrize("kind", ["float32", "int16", "uint32"])
def test_other_numbers(kind: str) -> None:
    """Pixels whose white nobody knows are refused with what to do, NaN among them."""
    pixels = np.zeros((6, 7, 3), kind)
    if kind == "float32":
        pixels[0, 0] = np.nan
    with pytest.raises(PhotoUnreadableError, match="convert it to 8 or 16 bits"):
        image.read(io.BytesIO(tiff_of(pixels, photometric="rgb")))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_upright(orientation: int, format_name: str) -> None:
    """A scan on its side is turned as Pillow turns photographs, and says so no longer."""
    pixels = deep(5, 8, 3)
    exif = Image.Exif()
    exif[274], exif[271] = orientation, "Maker"
    if format_name == "PNG":
        data = png_of(pixels, (b"eXIf", exif.tobytes()[6:]))
    else:
        data = tiff_of(pixels, photometric="rgb", extratags=[(274, 3, 1, orientation), (271, 2, 0, "Maker")])
    photo = image.read(io.BytesIO(data))
    small = Image.fromarray((pixels >> 8).astype(np.uint8))
    small.getexif()[274] = orientation
    from PIL import ImageOps

    wanted = np.asarray(ImageOps.exif_transpose(small))
    np.testing.assert_array_equal(_rows(photo) >> 8, wanted)
    kept = Image.Exif()
    kept.load(photo.info["exif"])
    assert (kept.get(274, 1), kept[271]) == (1, "Maker")


@pytest.mark.parametrize("most", [256, 1023, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_pnm(most: int, channels: int) -> None:
    """PGM and PPM of more than 8 bits are scaled to 16, comments and all."""
    values = np.random.default_rng(0).integers(0, most, (6, 7, channels), endpoint=True).astype(">u2")
    head = b"P%d\n# a comment\n7 6\n%d\n" % (5 if channels == 1 else 6, most)
    photo = image.read(io.BytesIO(head + values.tobytes()))
    wanted = np.rint(values.astype(float) * 65535 / most).astype(np.uint16)
    np.testing.assert_allclose(_rows(photo).reshape(wanted.shape), wanted, atol=1)
    with pytest.raises(PhotoUnreadableError, match="truncated"):
        image.read(io.BytesIO(head + values.tobytes()[:-2]))
    assert pnm.header(io.BytesIO(b"P6 7 6")) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_profile(channels: int) -> None:
    """A profile is converted at 16 bits: values come out that 8 bits could not tell apart."""
    pytest.importorskip("imagecodecs")
    profile = grey_profile(1.0) if channels == 1 else rgb_profile(1.0)
    ramp = np.linspace(3000, 60000, 64 * 64).astype(np.uint16).reshape(64, 64)
    pixels = ramp if channels == 1 else np.repeat(ramp[..., None], 3, axis=2)
    for data in (
        png_of(pixels, *png.chunks(profile, b"", None)),
        tiff_of(pixels, photometric="minisblack" if channels == 1 else "rgb", iccprofile=profile),
    ):
        photo = image.read(io.BytesIO(data))
        wanted = np.asarray(lab._transfer((pixels / 65535).astype(np.float32))) * 65535
        np.testing.assert_allclose(_rows(photo), wanted, atol=12)
        assert len(np.unique(_rows(photo))) > 4000
        assert (photo.profile == profile) == (channels == 3)
        assert not photo.notes


def test_inks() -> None:
    """Cyan, magenta, yellow and black of 16 bits become RGB; without a profile a note says so."""
    pixels = deep(6, 7, 4)
    photo = image.read(io.BytesIO(tiff_of(pixels, photometric="separated")))
    light = 65535.0 - pixels
    np.testing.assert_allclose(_rows(photo), light[..., :3] * light[..., 3:] / 65535, atol=1)
    assert photo.notes == [scan.NO_PROFILE]


@pytest.mark.parametrize("profile", [b"nonsense" * 20, grey_profile(2.2)])
def test_profile_that_does_not_fit(profile: bytes) -> None:
    """A profile that is damaged, or of another kind of color, is left out, which a note says."""
    pixels = deep(6, 7, 3)
    photo = image.read(io.BytesIO(png_of(pixels, *png.chunks(profile, b"", None))))
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert len(photo.notes) == 1
    assert "could not be used and was left out" in photo.notes[0]


@pytest.mark.parametrize(
    ("library", "advice"),
    [("imagecodecs", r"tintype\[deep\]"), ("tifffile", "tifffile.*or make it a PNG first")],
)
def test_without_libraries(monkeypatch: pytest.MonkeyPatch, library: str, advice: str) -> None:
    """Without the optional libraries 16 bits are refused with advice, never reduced to 8."""
    from importlib import util

    pixels, profile = deep(4, 4, 3), png.chunks(rgb_profile(1.0), b"", None)
    scan = library == "tifffile"
    data = tiff_of(pixels, photometric="rgb") if scan else png_of(pixels, *profile)
    there = util.find_spec
    monkeypatch.setitem(sys.modules, library, None)
    for module in ("tintype.deep", "tintype.profiles"):
        monkeypatch.setattr(f"{module}.find_spec", lambda name: None if name == library else there(name))
    with pytest.raises(PhotoUnreadableError, match=advice):
        image.read(io.BytesIO(data))


def test_grey_without_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grey of 16 bits needs no optional library."""
    monkeypatch.setattr("tintype.deep.find_spec", lambda _: None)
    pixels = deep(9, 8, 1)
    np.testing.assert_array_equal(image.read(io.BytesIO(tiff_of(pixels))).pixels, pixels)


def test_size_is_checked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan over the limit on size is refused before its pixels are read."""
    monkeypatch.setattr(png, "read", lambda *_: pytest.fail("read"))
    monkeypatch.setattr(deeps.TiffPage, "read", lambda *_: pytest.fail("read"))
    for data in (png_of(deep(40, 40, 3)), tiff_of(deep(40, 40, 3), photometric="rgb")):
        with pytest.raises(PhotoTooLargeError, match="megapixels"):
            image.read(io.BytesIO(data), max_megapixels=0.001)


@pytest.mark.parametrize("kind", ["png", "tif", "ppm"])
def test_cancelled(kind: str, tmp_path: Path) -> None:
    """Reading 16 bits tells a watch how far it is, and can be cancelled."""
    pixels = deep(3600, 300, 3)
    data = {
        "png": lambda: png_of(pixels),
        "tif": lambda: tiff_of(pixels, photometric="rgb", compression="zlib"),
        "ppm": lambda: b"P6 300 3600 65535\n" + pixels.astype(">u2").tobytes(),
    }[kind]()
    path = tmp_path / f"scan.{kind}"
    path.write_bytes(data)
    told: list[float] = []
    image.read(path, watch=Watch(told.append))
    assert told == sorted(told)
    assert len(told) > 1
    watch = Watch(lambda share: watch.cancel() if share > 0.1 else None)
    with pytest.raises(CancelledError):
        image.read(path, watch=watch)


@pytest.mark.parametrize("kind", ["png", "tif", "ppm"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_bit_comes_out(colorizer: Colorizer, kind: str, channels: int, tmp_path: Path) -> None:
    """Without color, a scan of 16 bits comes out as it went in: 16 bits, within two steps, alpha exactly."""
    pixels = deep(41, 50, channels)
    grey = pixels if channels == 1 else pixels[..., 0]
    if channels >= 3:
        pixels[..., :3] = grey[..., None]
    elif channels == 2:
        pixels[..., 1] = deep(41, 50, 1, 5)
    source, target = tmp_path / "scan.png", tmp_path / f"color.{kind}"
    source.write_bytes(png_of(pixels))
    outcome = colorizer.colorize_file(source, target, GREY)
    photo = image.read(target)
    assert photo.deep
    alpha = photo.alpha(0, 41)
    if channels in (2, 4) and kind != "ppm":
        np.testing.assert_array_equal(alpha, pixels[..., -1])
    else:
        assert alpha is None
    if kind == "ppm" and channels in (2, 4):
        assert outcome.notes == ("PPM keeps no transparency: put on white",)
    else:
        assert np.abs(_rows(photo).astype(int) - grey[..., None]).max() <= 2
        assert not outcome.notes


@pytest.mark.parametrize("strip", [1, 333, 10**9])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_strips_change_nothing(
    colorizer: Colorizer, strip: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pixels of a scan do not depend on the height of strips."""
    source = tmp_path / "scan.png"
    source.write_bytes(png_of(deep(60, 50, 4)))
    colorizer.colorize_file(source, tmp_path / f"whole.{kind}")
    monkeypatch.setattr(merge, "STRIP", strip)
    colorizer.colorize_file(source, tmp_path / f"parts.{kind}")
    whole, parts = (image.read(tmp_path / f"{name}.{kind}") for name in ("whole", "parts"))
    np.testing.assert_array_equal(whole.pixels, parts.pixels)


def test_to_8_bits(colorizer: Colorizer, tmp_path: Path) -> None:
    """Where a format has 8 bits, the note says what is lost, and the result is the rounded one."""
    source = tmp_path / "scan.png"
    source.write_bytes(png_of(deep(41, 50, 3)))
    outcome = colorizer.colorize_file(source, tmp_path / "color.bmp")
    assert outcome.notes == ("BMP holds 8 bits of its 16",)
    colorizer.colorize_file(source, tmp_path / "color.png")
    whole = image.read(tmp_path / "color.png")
    with Image.open(tmp_path / "color.bmp") as small:
        np.testing.assert_allclose(np.asarray(small), _rows(whole) / 257, atol=0.51)


def test_compare_and_thumbnail(colorizer: Colorizer, tmp_path: Path) -> None:
    """A scan has a comparison and a small copy like any photograph, and a PSNR of its own scale."""
    source = tmp_path / "scan.png"
    pixels = np.repeat(np.repeat(deep(60, 50, 3), 3, axis=0), 3, axis=1)
    pixels[..., 2] //= 4
    source.write_bytes(png_of(pixels))
    outcome = colorizer.colorize_file(
        source, tmp_path / "color.tif", compare=tmp_path / "compare.png", thumbnail=40
    )
    assert outcome.thumbnail is not None
    assert outcome.thumbnail.size == (33, 40)
    result = _rows(image.read(tmp_path / "color.tif"))
    error = (result.astype(float) - pixels) / 257
    assert outcome.psnr == pytest.approx(10 * np.log10(255**2 / np.mean(error**2)), abs=1e-3)
    with Image.open(tmp_path / "compare.png") as picture:
        assert picture.width == 3 * 150 + 4 * 8
