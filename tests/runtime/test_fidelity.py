"""Nothing of the photograph is lost: the rows of docs/fidelity.md, and its lightness over the whole gamut."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from PIL import Image

from conftest import TESTS
from runtime.deep_files import deep, described, grey_profile, opened, png_of, rgb_profile, tiff_of
from tintype import Adjustments, Colorizer, cli, formats, image, jxl, lab, merge, png, profiles
from tintype.encoding import QUALITY, Settings
from tintype.errors import OutputError, PhotoTooLargeError, PhotoUnreadableError
from tintype.merge import lightness_of

if TYPE_CHECKING:
    from pathlib import Path

Array = NDArray[Any]
GREYS = {
    dtype: lab.grey_to_lightness(np.arange(np.iinfo(dtype).max + 1, dtype=dtype)) for dtype in ("u1", "u2")
}
LOSSLESS = ["PNG", "TIFF", "WEBP", "BMP", "PPM", "JXL"]
EVERY = sorted(formats.FORMATS)
seeds = st.integers(0, 2**32 - 1)


def _steps(lightness: Array, dtype: str) -> Array:
    """Return L* on the scale of greys of 8 or 16 bits."""
    levels = GREYS[dtype]
    return np.interp(lightness, levels, np.arange(len(levels)))


def _colorized(
    colorizer: Colorizer, data: bytes, format_name: str | None = None, written: Settings | None = None
) -> tuple[bytes, tuple[str, ...]]:
    target = io.BytesIO()
    outcome = colorizer.colorize_file(
        io.BytesIO(data), target, format_name=format_name, settings=written or Settings()
    )
    return target.getvalue(), outcome.notes


def _saved(picture: Image.Image, format_name: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format_name, **options)
    return stream.getvalue()


# Lightness


@given(st.floats(0, 100, width=32), st.floats(-128, 128, width=32), st.floats(-128, 128, width=32))
@settings(max_examples=300)
def test_lightness_of_any_color(lightness: float, a: float, b: float) -> None:
    """Whatever ab is asked for, L* of the result is the photograph's within one step of 8 or 16 bits."""
    planes = [np.full((1, 1), value, np.float32) for value in (lightness, a, b)]
    for dtype in ("u1", "u2"):
        rgb = lab.lightness_ab_to_rgb(planes[0], planes[1], planes[2], np.dtype(dtype))
        found = _steps(lab.rgb_to_lightness(rgb), dtype).item()
        assert abs(found - _steps(planes[0], dtype).item()) <= 1


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_lightness_over_the_gamut(dtype: str) -> None:
    """A grid over all lightness and ab, most of it outside of sRGB, keeps its lightness."""
    values = np.meshgrid(np.linspace(0, 100, 121), np.linspace(-128, 128, 65), np.linspace(-128, 128, 65))
    lightness, a, b = (value.astype(np.float32).reshape(121, -1) for value in values)
    found = lab.rgb_to_lightness(lab.lightness_ab_to_rgb(lightness, a, b, np.dtype(dtype)))
    assert np.abs(_steps(found, dtype) - _steps(lightness, dtype)).max() <= 1


@given(seeds, st.integers(1, 60), st.integers(1, 60), st.floats(0, 2), st.sampled_from(["u1", "u2"]))
@settings(max_examples=40)
def test_lightness_of_any_size(  # noqa: PLR0917 - cases are many-sided
    colorizer: Colorizer, seed: int, height: int, width: int, strength: float, dtype: str
) -> None:
    """A photograph of any size and strength keeps its lightness, in color as in grey."""
    generator = np.random.default_rng(seed)
    shape = (height, width, 3) if seed % 2 else (height, width)
    photo = generator.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    result = colorizer.colorize(photo, Adjustments(strength=strength))
    difference = _steps(lightness_of(result), dtype) - _steps(lightness_of(photo), dtype)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("format_name", LOSSLESS)
def test_lightness_without_loss(colorizer: Colorizer, format_name: str, grey_array: Array) -> None:
    """In formats without loss the file's L* is the photograph's within one step of 8 bits."""
    if not formats.ready(format_name):
        pytest.skip(formats.missing(format_name))
    lossless = Settings(lossless=True)
    data, _ = _colorized(colorizer, _saved(Image.fromarray(grey_array), "PNG"), format_name, lossless)
    found = _steps(lightness_of(np.asarray(opened(data))), "u1")
    assert np.abs(found - grey_array).max() <= 1.01


@pytest.mark.parametrize("grain", [0, 4, 20])
@pytest.mark.parametrize("came", ["PNG", "JPEG 50", "JPEG 75", "JPEG 92"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lightness_in_jpeg(colorizer: Colorizer, grain: int, came: str, mode: str) -> None:
    """In JPEG at the default quality the mean difference of L* stays under 0.5, with any grain."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:240, 0:320]
    flat = np.stack([40 + x / 2, 200 - y / 2, 90 + (x + y) / 5], axis=-1)
    noisy = np.clip(flat + generator.normal(0, grain, (240, 320, 1)), 0, 255).astype(np.uint8)
    name, _, quality = came.partition(" ")
    source = _saved(
        Image.fromarray(noisy).convert(mode), name, **({"quality": int(quality)} if quality else {})
    )
    before = lightness_of(np.asarray(opened(source)))
    data, _ = _colorized(colorizer, source, "JPEG")
    assert np.abs(lightness_of(np.asarray(opened(data))) - before).mean() < 0.5


# Quality


def test_jpeg_as_it_was(colorizer: Colorizer) -> None:
    """A JPEG is quantized with its own steps again, colors at full size; else, or turned, with QUALITY."""
    picture = Image.effect_noise((64, 48), 60)
    source = _saved(picture, "JPEG", quality=60)
    result = opened(_colorized(colorizer, source)[0])
    assert result.quantization[0] == opened(source).quantization[0]  # type: ignore[attr-defined]
    assert {layer[1:3] for layer in result.layer} == {(1, 1)}  # type: ignore[attr-defined]
    exif = Image.Exif()
    exif[274] = 6
    for other in (_saved(picture, "JPEG", quality=60, exif=exif), _saved(picture, "PNG")):
        assert image.read(io.BytesIO(_colorized(colorizer, other, "JPEG")[0])).info["quality"] == QUALITY


@pytest.mark.parametrize("quality", [30, 80, 100])
def test_quality(colorizer: Colorizer, quality: int) -> None:
    """A quality that was asked for is taken."""
    source = _saved(Image.effect_noise((64, 48), 60), "JPEG", quality=60)
    data, _ = _colorized(colorizer, source, None, Settings(quality=quality))
    assert image.read(io.BytesIO(data)).info["quality"] == pytest.approx(quality, abs=1)


def test_webp_as_it_was(colorizer: Colorizer) -> None:
    """A WebP without loss stays without loss, and one with loss stays with it; either can be asked for."""
    picture = Image.effect_noise((64, 48), 60)
    for lossless in (True, False):
        source = _saved(picture, "WEBP", lossless=lossless)
        assert (b"VP8L" in _colorized(colorizer, source)[0]) == lossless
    assert b"VP8L" in _colorized(colorizer, source, None, Settings(lossless=True))[0]
    assert (
        b"VP8L"
        not in _colorized(colorizer, _saved(picture, "WEBP", lossless=True), None, Settings(quality=80))[0]
    )


def test_without_loss_where_there_is_none(colorizer: Colorizer) -> None:
    """Where a format always loses, being asked for none is refused with those that do not."""
    with pytest.raises(OutputError, match="JPEG has no form without loss: choose PNG, TIFF, WebP or JPEG XL"):
        _colorized(colorizer, _saved(Image.new("L", (8, 8)), "JPEG"), None, Settings(lossless=True))


# Profiles


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_profile_of_8_bits(mode: str, color_array: Array) -> None:
    """A profile of 8 bits is converted, grey by its curve; a grey photograph stays grey."""
    picture = Image.fromarray(color_array).convert(mode)
    profile = grey_profile(1.0) if mode in ("L", "LA") else rgb_profile(1.0)
    photo = image.read(io.BytesIO(_saved(picture, "PNG", icc_profile=profile)))
    values = np.asarray(picture)[..., :3] if mode in ("RGB", "RGBA") else np.asarray(picture.getchannel("L"))
    wanted = lab._transfer((values / 255).astype(np.float32)) * 255
    rows = photo.rows(0, 48)
    np.testing.assert_allclose(rows if rows.ndim == wanted.ndim else rows[..., 0], wanted, atol=2)
    assert photo.has_alpha == (mode in ("LA", "RGBA"))
    assert not photo.notes
    assert bool(photo.profile) == (mode in ("RGB", "RGBA"))


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("bits", [8, 16])
def test_keep_profile(colorizer: Colorizer, format_name: str, keep: bool, bits: int) -> None:  # noqa: FBT001
    """The result is tagged sRGB, or with --keep-profile the photograph's own: the same colors both times."""
    profile, pixels = rgb_profile(1.8), deep(48, 64, 3)
    if bits == 16:
        source = png_of(pixels, *png.chunks(profile, b"", None))
    else:
        source = _saved(Image.fromarray((pixels >> 8).astype(np.uint8)), "PNG", icc_profile=profile)
    data, _ = _colorized(
        colorizer, source, format_name, Settings(lossless=format_name == "WEBP", keep_profile=keep)
    )
    tagged = opened(data).info["icc_profile"] if bits == 8 or format_name != "TIFF" else None
    assert tagged is None or described(tagged) == ("oRGB built-in" if keep else "sRGB built-in")
    photo, plain = (
        image.read(io.BytesIO(found))
        for found in (data, _colorized(colorizer, source, "PNG", Settings(keep_profile=False))[0])
    )
    assert bool(photo.profile) == keep
    tolerance = (6 if format_name == "JPEG" else 2) if not (photo.deep and plain.deep) else 0.02
    scale = [257 if each.deep else 1 for each in (photo, plain)]
    rows = [each.rows(0, 48).astype(float) / by for each, by in zip((photo, plain), scale, strict=True)]
    assert np.abs(rows[0] - rows[1]).mean() < tolerance


def test_same_profile(colorizer: Colorizer) -> None:
    """With --keep-profile an sRGB photograph stays in sRGB."""
    source = _saved(Image.new("RGB", (8, 8), "red"), "PNG", icc_profile=profiles.srgb())
    data, _ = _colorized(colorizer, source, None, Settings(keep_profile=True))
    assert opened(data).info["icc_profile"] == profiles.srgb()


def test_lab() -> None:
    """A TIFF in CIE L*a*b* becomes RGB of the same lightness."""
    values = np.full((6, 7, 3), (128, 0, 0), np.uint8)
    photo = image.read(io.BytesIO(tiff_of(values, photometric="cielab")))
    assert photo.image.mode == "RGB"
    np.testing.assert_allclose(lightness_of(photo.rows(0, 6)), 128 / 255 * 100, atol=0.6)


# Formats


@pytest.mark.parametrize("format_name", EVERY)
def test_round_trip(colorizer: Colorizer, format_name: str, tmp_path: Path) -> None:
    """Every format is written, by its suffixes, and read again, in color."""
    if not formats.ready(format_name):
        pytest.skip(formats.missing(format_name))
    source = tmp_path / "photo.png"
    Image.effect_noise((72, 48), 40).save(source)
    for suffix in formats.FORMATS[format_name].suffixes:
        target = tmp_path / f"color{suffix}"
        outcome = colorizer.colorize_file(source, target)
        assert not outcome.notes
        photo = image.read(target)
        assert (photo.format, photo.size) == (format_name, (72, 48))
        assert np.ptp(photo.rows(0, 48).astype(int), axis=2).max() > 2


@pytest.mark.parametrize("format_name", [name for name in EVERY if formats.FORMATS[name].plugin])
def test_without_plugins(
    colorizer: Colorizer, format_name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a plug-in its formats are refused, in and out, with what to install; names fall back to PNG."""
    from tintype import output

    if not formats.ready(format_name):
        pytest.skip(formats.missing(format_name))
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, format_name)
    monkeypatch.setattr(formats, "ready", lambda name: name != format_name)
    monkeypatch.setattr("tintype.encoding.ready", lambda name: name != format_name)
    with pytest.raises(PhotoUnreadableError, match=r"a plug-in of Pillow: pip install 'tintype\[formats\]'"):
        image.read(stream)
    suffix = formats.FORMATS[format_name].suffixes[0]
    assert output.suffix_for(f"photo{suffix}") == ".png"
    Image.new("L", (16, 16)).save(tmp_path / "photo.png")
    with pytest.raises(OutputError, match="needs a plug-in"):
        colorizer.colorize_file(tmp_path / "photo.png", tmp_path / f"color{suffix}")


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("photo.nef", b"II*\0\x08\0\0\0"),
        ("PHOTO.CR3", b"anything"),
        ("photo.tif", b"II*\0\x10\0\0\0CR\x02\0"),
        ("photo", b"FUJIFILMCCD-RAW 0201"),
        ("photo", b"\0\0\0\x18ftypcrx \0\0\0\1"),
        ("photo.bin", b"IIU\0\x18\0\0\0"),
    ],
)
def test_raw(name: str, head: bytes, tmp_path: Path) -> None:
    """A camera's raw file is refused with advice, by its name as by its first bytes."""
    (tmp_path / name).write_bytes(head + bytes(100))
    with pytest.raises(PhotoUnreadableError, match=r"camera's raw file: develop it first, with darktable"):
        image.read(tmp_path / name)


@pytest.mark.parametrize("tags", [{50706: b"\1\4\0\0"}, {254: 1, 271: "NIKON", 330: 8}])
def test_raw_in_disguise(tags: dict[int, Any]) -> None:
    """A raw file that calls itself a TIFF, with a small picture in front, is refused as one."""
    with pytest.raises(PhotoUnreadableError, match="camera's raw file"):
        image.read(io.BytesIO(_saved(Image.new("RGB", (7, 6)), "TIFF", tiffinfo=tags)))


# Pages


def _pages() -> tuple[bytes, list[Array]]:
    """Return a TIFF of a color scan, a thumbnail, a grey page of 8 bits and a grey one of 16."""
    tifffile = pytest.importorskip("tifffile")

    stream = io.BytesIO()
    pages = [deep(40, 50, 3), (deep(30, 20, 1) >> 8).astype(np.uint8), deep(25, 35, 1, 3)]
    with tifffile.TiffWriter(stream) as writer:
        writer.write(pages[0], photometric="rgb", metadata=None, compression="zlib", rowsperstrip=7)
        writer.write(np.zeros((8, 8), np.uint8), subfiletype=1, metadata=None)
        writer.write(pages[1], metadata=None)
        writer.write(pages[2], metadata=None, extratags=[(274, 3, 1, 6, True)])
    return stream.getvalue(), pages


def test_every_page(colorizer: Colorizer, tmp_path: Path) -> None:
    """Each page of a TIFF becomes a page, at its own size and depth and upright; reduced ones are none."""
    tifffile = pytest.importorskip("tifffile")

    data, pages = _pages()
    (tmp_path / "scan.tif").write_bytes(data)
    told: list[float] = []
    from tintype.watch import Watch

    outcome = colorizer.colorize_file(
        tmp_path / "scan.tif", tmp_path / "color.tif", Adjustments(strength=0), watch=Watch(told.append)
    )
    assert not outcome.notes
    assert told == sorted(told)
    with tifffile.TiffFile(tmp_path / "color.tif") as stored:
        found = [page.asarray() for page in stored.pages]
    assert [page.shape for page in found] == [(40, 50, 3), (30, 20, 3), (35, 25, 3)]
    assert [page.dtype.name for page in found] == ["uint16", "uint8", "uint16"]
    assert np.abs(lightness_of(found[0]) - lightness_of(pages[0])).max() < 0.01
    np.testing.assert_array_equal(found[1][..., 0], pages[1])
    assert np.abs(found[2][..., 0].astype(int) - np.rot90(pages[2], -1)).max() <= 2
    one = image.read(tmp_path / "color.tif", frame=2)
    np.testing.assert_array_equal(one.pixels, found[2])


def test_one_page(colorizer: Colorizer, tmp_path: Path) -> None:
    """Another format takes the first page, and the note says so."""
    (tmp_path / "scan.tif").write_bytes(_pages()[0])
    outcome = colorizer.colorize_file(tmp_path / "scan.tif", tmp_path / "color.png")
    assert outcome.notes == ("the first of 3 pages was taken: `tintype` makes a TIFF of all",)


def test_bad_page(colorizer: Colorizer, tmp_path: Path) -> None:
    """A page that cannot be read fails the whole file: a result never lacks a page in silence."""
    tifffile = pytest.importorskip("tifffile")

    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(np.zeros((8, 8), np.uint8), metadata=None)
        writer.write(np.zeros((8, 8), np.float32), metadata=None)
    (tmp_path / "scan.tif").write_bytes(stream.getvalue())
    with pytest.raises(PhotoUnreadableError, match="convert it to 8 or 16 bits"):
        colorizer.colorize_file(tmp_path / "scan.tif", tmp_path / "color.tif")
    assert not (tmp_path / "color.tif").exists()


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "AVIF"])
def test_first_frame(colorizer: Colorizer, format_name: str) -> None:
    """Of an animation the first frame is colorized, and the notes say so."""
    frames = [Image.effect_noise((20, 16), 40).convert("L") for _ in range(3)]
    source = _saved(frames[0], format_name, save_all=True, append_images=frames[1:])
    _, notes = _colorized(colorizer, source)
    assert any("the first of 3 pages or frames was taken" in note for note in notes)


def test_heic_of_10_bits() -> None:
    """A HEIC of 10 bits is read with 8, and the notes say so."""
    pillow_heif = pytest.importorskip("pillow_heif")
    made = pillow_heif.from_bytes(mode="RGB;16", size=(40, 30), data=deep(30, 40, 3).tobytes())
    stream = io.BytesIO()
    made.save(stream, quality=-1)
    assert image.read(stream).notes == ["it has 10 bits a channel, of which 8 were read"]


# Strips


@pytest.mark.parametrize("format_name", ["TIFF", "PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16"])
def test_no_seams(
    colorizer: Colorizer, format_name: str, mode: str, color_array: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files made in strips of any height have the same pixels."""
    if mode == "I;16":
        picture = Image.fromarray(color_array[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(color_array).convert(mode)
    source = _saved(picture, "PNG")
    whole = image.read(io.BytesIO(_colorized(colorizer, source, format_name)[0]))
    for strip in (1, 100, 999):
        monkeypatch.setattr(merge, "STRIP", strip)
        parts = image.read(io.BytesIO(_colorized(colorizer, source, format_name)[0]))
        np.testing.assert_array_equal(parts.rows(0, 48), whole.rows(0, 48))


# The page


def test_table_of_formats() -> None:
    """The table of formats in docs/fidelity.md says what the code does."""
    lines = (TESTS.parent / "docs" / "fidelity.md").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line.startswith("| ") and line.split(" | ")[0][2:] in formats.FORMATS]
    assert found == [_line(name) for name in formats.FORMATS]


def _line(name: str) -> str:
    known = formats.FORMATS[name]
    plugins = {
        "PIL.AvifImagePlugin": "Pillow's own",
        "pillow_heif": "pillow-heif",
        "pillow_jxl": "pillow-jxl-plugin",
    }
    words = {"comment": "comment", "text": "yes"}
    cells = [
        name,
        " ".join(known.suffixes),
        str(known.depth),
        "yes" if known.alpha else "on white",
        "yes" if known.profile else "no",
        *("yes" if what in known.metadata else "no" for what in ("exif", "xmp", "iptc")),
        "yes" if "dpi" in known.metadata else "in EXIF" if "exif" in known.metadata else "no",
        next((said for what, said in words.items() if what in known.metadata), "no"),
    ]
    return f"| {' | '.join(cells)} | {plugins[known.plugin] + ' ' if known.plugin else ''}|"


def test_tests_of_the_page() -> None:
    """Every test that docs/fidelity.md names is there."""
    import re

    page = (TESTS.parent / "docs" / "fidelity.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (TESTS / "runtime").glob("test_*.py"))
    named = set(re.findall(r"`(?:test_\w+\.)?(test_\w+)`", page))
    assert len(named) > 40
    assert not {name for name in named if f"def {name}(" not in code}


# JPEG XL


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (256, 256), (300, 200), (160, 90), (1000, 7), (513, 4097), (40, 48)]
)
@pytest.mark.parametrize("container", [True, False])
def test_size_of_jpeg_xl(size: tuple[int, int], container: bool) -> None:  # noqa: FBT001
    """The size of a JPEG XL is known from its head, before anything is decoded."""
    pytest.importorskip("pillow_jxl")
    data = _saved(Image.new("L", size), "JXL", use_container=container, effort=1)
    assert jxl.size(io.BytesIO(data)) == size
    assert jxl.size(io.BytesIO(data[:14])) in (None, size) or container
    with pytest.raises(PhotoTooLargeError, match="megapixels"):
        image.read(io.BytesIO(data), max_megapixels=size[0] * size[1] / 1e6 / 2)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\0abcd"]
)
def test_no_size_of_jpeg_xl(data: bytes) -> None:
    """A JPEG XL that is cut off tells no size, or one, and is refused when it is read."""
    jxl.size(io.BytesIO(data))
    with pytest.raises(PhotoUnreadableError):
        image.read(io.BytesIO(data))


# The command line


def test_options(stub: Path, tmp_path: Path) -> None:
    """--quality, --keep-profile and --no-provenance arrive in the file, and the journal tells them apart."""
    photo, profile = tmp_path / "in" / "photo.jpg", rgb_profile(1.8)
    photo.parent.mkdir()
    Image.effect_noise((40, 30), 50).convert("RGB").save(photo, icc_profile=profile)
    start = [str(photo.parent), "-o", f"{tmp_path / 'out'}/", "--model", str(stub)]
    assert cli.main([*start, "--quality", "70", "--keep-profile", "--no-provenance"]) == 0
    result = tmp_path / "out" / "photo_color.jpg"
    stored = opened(result.read_bytes())
    assert image.read(result).info["quality"] == pytest.approx(70, abs=1)
    assert stored.info["icc_profile"] == profile
    assert 305 not in stored.getexif()
    assert cli.main(start) == 0  # other settings: made again
    stored = opened(result.read_bytes())
    assert described(stored.info["icc_profile"]) == "sRGB built-in"
    assert "Tintype" in stored.getexif()[305]


@pytest.mark.parametrize("quality", ["0", "101", "-3", "best", "9.5", ""])
def test_bad_quality(stub: Path, quality: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A quality that is none is refused before work starts."""
    photo = tmp_path / "photo.png"
    Image.new("L", (8, 8)).save(photo)
    assert cli.main([str(photo), "--model", str(stub), f"--quality={quality}"]) == 2
    assert "1 to 100, or lossless" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [photo]
