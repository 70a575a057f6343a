"""The colorizer: gives back what it was given, in color, with its lightness and everything else kept."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from PIL import Image

from tintype import Adjustments, Colorizer, develop, image, merge, output
from tintype.errors import (
    CancelledError,
    ModelNotFoundError,
    OutputError,
    PhotoError,
    PhotoNotFoundError,
    PhotoTooLargeError,
    PhotoUnreadableError,
    UsageError,
)
from tintype.lab import grey_to_lightness, rgb_to_lab
from tintype.merge import lightness_of
from tintype.photo import Photo
from tintype.watch import Watch

Array = NDArray[Any]
GREYS = grey_to_lightness(np.arange(256, dtype=np.uint8))
GREY = Adjustments(strength=0)


def _steps(lightness: Array) -> Array:
    """Return L* on the scale of 8-bit greys."""
    return np.interp(lightness, GREYS, np.arange(256))


def _check(result: Array, photo: Array) -> None:
    """Assert that a result is in color, and as light as its photograph within one 8-bit step."""
    difference = _steps(lightness_of(result)) - _steps(lightness_of(photo))
    assert np.abs(difference).max() <= 1.01
    assert result.shape == (*photo.shape[:2], 3)
    if photo.size > 3:
        assert np.hypot(*np.moveaxis(rgb_to_lab(result)[..., 1:], -1, 0)).mean() > 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_arrays(colorizer: Colorizer, color_array: Array, dtype: Any, channels: int) -> None:
    """An array comes back as an array of the same size and dtype, and is itself left alone."""
    photo = color_array.astype(dtype) * (257 if dtype == np.uint16 else 1)
    photo = photo if channels == 3 else photo[..., 1]
    before = photo.copy()
    result = colorizer.colorize(photo)
    assert isinstance(result, np.ndarray)
    assert result.dtype == dtype
    _check(result, photo)
    np.testing.assert_array_equal(photo, before)


def test_16_bits_are_used(colorizer: Colorizer) -> None:
    """Of 16-bit arrays all bits of lightness are kept, not the upper 8."""
    photo = np.linspace(20_000, 24_000, 64 * 64).astype(np.uint16).reshape(64, 64)
    result = colorizer.colorize(photo, GREY)
    assert np.abs(result.astype(int) - photo[..., None]).max() <= 4
    assert len(np.unique(result)) > 3000


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((8, 8), np.float32),
        np.zeros((8, 8), bool),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros(8, np.uint8),
        np.zeros((2, 8, 8, 3), np.uint8),
        np.zeros((0, 8), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_other_arrays(colorizer: Colorizer, photo: Array) -> None:
    """An array of another shape or dtype is refused with what is wanted."""
    with pytest.raises(UsageError, match=r"wanted is uint8 or uint16, .H, W. or .H, W, 3."):
        colorizer.colorize(photo)


def test_strided_arrays(colorizer: Colorizer, color_array: Array) -> None:
    """A view into an array, mirrored and thinned, is colorized as its copy is."""
    view = color_array[::2, ::-1]
    np.testing.assert_array_equal(colorizer.colorize(view), colorizer.colorize(view.copy()))


@pytest.mark.parametrize("kind", [str, Path])
def test_paths(colorizer: Colorizer, color_photo: Path, kind: Any) -> None:
    """A path comes back as an image, and its file stays as it was."""
    before = color_photo.read_bytes()
    result = colorizer.colorize(kind(color_photo))
    assert isinstance(result, Image.Image)
    _check(np.asarray(result), np.asarray(Image.open(io.BytesIO(before))))
    assert color_photo.read_bytes() == before


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [("L", "RGB"), ("1", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("LA", "RGBA"), ("I;16", "RGB")],
)
def test_images(colorizer: Colorizer, color_array: Array, mode: str, wanted: str) -> None:
    """An image comes back as an image in color, and is itself left alone."""
    if mode == "I;16":
        mine = Image.fromarray(color_array[..., 0].astype(np.uint16) * 257)
    else:
        mine = Image.fromarray(color_array).convert("RGBA").convert(mode)
    before = mine.tobytes()
    result = colorizer.colorize(mine)
    assert (result.mode, result.size) == (wanted, mine.size)
    assert mine.tobytes() == before


@pytest.mark.parametrize(("format_name", "wanted"), [("PNG", "PNG"), ("JPEG", "JPEG"), ("GIF", "PNG")])
def test_bytes(colorizer: Colorizer, grey_array: Array, format_name: str, wanted: str) -> None:
    """Bytes come back as bytes, in their own format where that can be written."""
    stream = io.BytesIO()
    Image.fromarray(grey_array).save(stream, format_name)
    result = colorizer.colorize(stream.getvalue())
    assert isinstance(result, bytes)
    with Image.open(io.BytesIO(result)) as stored:
        assert (stored.format, stored.mode, stored.size) == (wanted, "RGB", (72, 48))


def test_all_roads_agree(colorizer: Colorizer, grey_array: Array, grey_photo: Path, tmp_path: Path) -> None:
    """Array, image, path, bytes and file give the same pixels."""
    result = colorizer.colorize(grey_array)
    colorizer.colorize_file(grey_photo, tmp_path / "file.png")
    others: list[Any] = [
        colorizer.colorize(Image.fromarray(grey_array)),
        colorizer.colorize(grey_photo),
        Image.open(io.BytesIO(colorizer.colorize(grey_photo.read_bytes()))),
        Image.open(tmp_path / "file.png"),
    ]
    for other in others:
        np.testing.assert_array_equal(np.asarray(other), result)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (5000, 1), (1, 5000), (13, 7), (2, 300), (64, 64), (63, 65), (700, 300)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_sizes(colorizer: Colorizer, height: int, width: int, channels: int) -> None:
    """Any size is colorized, and keeps its lightness."""
    shape = (height, width) if channels == 1 else (height, width, 3)
    photo = np.random.default_rng(height).integers(60, 180, shape, np.uint8)
    _check(colorizer.colorize(photo), photo)
    np.testing.assert_array_equal(
        np.asarray(colorizer.colorize(Image.fromarray(photo))), colorizer.colorize(photo)
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(0, 2))
@settings(max_examples=25)
def test_lightness_is_kept(colorizer: Colorizer, seed: int, height: int, width: int, strength: float) -> None:
    """At any strength the result is as light as the photograph, pixel by pixel."""
    photo = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    result = colorizer.colorize(photo, Adjustments(strength=strength))
    assert np.abs(_steps(lightness_of(result)) - photo).max() <= 1.01


def test_strips(colorizer: Colorizer, color_array: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    """The height of strips changes no pixel."""
    whole = colorizer.colorize(color_array)
    for size in (1, 100, 777):
        monkeypatch.setattr(merge, "STRIP", size)
        np.testing.assert_array_equal(colorizer.colorize(color_array), whole)


def test_color_is_not_looked_at(colorizer: Colorizer, color_array: Array) -> None:
    """A colored photograph is made grey first: colorized again it hardly changes."""
    once = colorizer.colorize(color_array)
    twice = colorizer.colorize(once)
    assert np.abs(once.astype(int) - twice).max() <= 4


def test_strength_0_is_grey(colorizer: Colorizer, grey_array: Array) -> None:
    """With no strength a grey photograph comes back as it is, in three channels."""
    np.testing.assert_array_equal(colorizer.colorize(grey_array, GREY), grey_array[..., None].repeat(3, 2))


def test_vividness(stub_mean: Path, grey_array: Array) -> None:
    """Vividness acts on a model with two outputs."""
    colorizer = Colorizer(stub_mean, threads=1)
    plain = colorizer.colorize(grey_array)
    half = colorizer.colorize(grey_array, Adjustments(strength=0.5))
    np.testing.assert_array_equal(colorizer.colorize(grey_array, Adjustments(vividness=0)), half)
    assert np.any(half != plain)


def test_alpha(colorizer: Colorizer, color_array: Array, tmp_path: Path) -> None:
    """Transparency comes through as it was."""
    alpha = np.linspace(0, 255, 48 * 72).astype(np.uint8).reshape(48, 72, 1)
    picture = Image.fromarray(np.concatenate([color_array, alpha], axis=2))
    np.testing.assert_array_equal(np.asarray(colorizer.colorize(picture))[..., 3:], alpha)
    picture.save(tmp_path / "alpha.png")
    colorizer.colorize_file(tmp_path / "alpha.png", tmp_path / "color.png")
    with Image.open(tmp_path / "color.png") as stored:
        np.testing.assert_array_equal(np.asarray(stored)[..., 3:], alpha)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF"])
def test_orientation(colorizer: Colorizer, grey_array: Array, format_name: str) -> None:
    """A photograph on its side comes back upright, and no longer says that it lies."""
    exif, stream = Image.Exif(), io.BytesIO()
    exif[274] = 6
    Image.fromarray(grey_array).save(stream, format_name, exif=exif)
    with Image.open(io.BytesIO(colorizer.colorize(stream.getvalue()))) as stored:
        assert stored.getexif().get(274, 1) == 1
        assert stored.size == (48, 72)


def test_saving_the_result(colorizer: Colorizer, color_photo: Path, tmp_path: Path) -> None:
    """An image that came back can be saved, and claims no profile that it no longer has."""
    Image.open(color_photo).convert("CMYK").save(tmp_path / "print.tif", icc_profile=b"nonsense" * 20)
    result = colorizer.colorize(tmp_path / "print.tif")
    result.save(tmp_path / "saved.png")
    with Image.open(tmp_path / "saved.png") as stored:
        assert "icc_profile" not in stored.info


def test_file(colorizer: Colorizer, color_photo: Path, tmp_path: Path) -> None:
    """A file becomes a file in the format of its name; the outcome tells size, time and PSNR."""
    before = color_photo.read_bytes()
    target = tmp_path / "color.jpg"
    outcome = colorizer.colorize_file(color_photo, target)
    assert (outcome.width, outcome.height, outcome.notes) == (72, 48, ())
    assert outcome.seconds > 0
    with Image.open(target) as stored:
        assert (stored.format, stored.size) == ("JPEG", (72, 48))
    assert color_photo.read_bytes() == before


def test_psnr(colorizer: Colorizer, color_photo: Path, grey_photo: Path, color_array: Array) -> None:
    """The PSNR is against the photograph's own colors, and there is none for a grey one."""
    target = io.BytesIO()
    outcome = colorizer.colorize_file(color_photo, target)
    error = np.asarray(Image.open(target), float) - color_array
    assert outcome.psnr == pytest.approx(10 * np.log10(255**2 / np.mean(error**2)), abs=1e-6)
    assert colorizer.colorize_file(grey_photo, io.BytesIO()).psnr is None


def test_grey_in_three_channels(colorizer: Colorizer, grey_photo: Path, tmp_path: Path) -> None:
    """A grey photograph that is stored in color counts as grey."""
    Image.open(grey_photo).convert("RGB").save(tmp_path / "three.png")
    assert colorizer.colorize_file(tmp_path / "three.png", io.BytesIO()).psnr is None


@pytest.mark.parametrize(("format_name", "wanted"), [(None, "PNG"), ("JPEG", "JPEG"), ("TIFF", "TIFF")])
def test_streams(colorizer: Colorizer, grey_photo: Path, format_name: str | None, wanted: str) -> None:
    """A stream becomes a stream, in the format asked for or that of the input."""
    target = io.BytesIO()
    colorizer.colorize_file(io.BytesIO(grey_photo.read_bytes()), target, format_name=format_name)
    with Image.open(target) as stored:
        assert stored.format == wanted


@pytest.mark.parametrize("size", [(72, 48), (1, 1), (1, 3000), (3000, 2)])
def test_compare(colorizer: Colorizer, tmp_path: Path, color_array: Array, size: tuple[int, int]) -> None:
    """The comparison shows original, grey and colorized side by side, each at most 1024 px long."""
    source, compare = tmp_path / "photo.png", tmp_path / "compare.png"
    Image.fromarray(color_array).resize(size).save(source)
    colorizer.colorize_file(source, tmp_path / "color.png", compare=compare)
    with Image.open(compare) as stored:
        assert stored.width > 3 * min(size[0], 1024)
        picture = np.asarray(stored).astype(int)
    if size == (72, 48):
        assert stored.size == (3 * 72 + 4 * 8, 48 + 3 * 8 + 10)
        np.testing.assert_array_equal(picture[8:56, 8:80], color_array)
        grey = picture[8:56, 88:160]
        assert np.ptp(grey, axis=2).max() <= 1


@pytest.mark.parametrize("shape", [(64, 72), (1, 1, 8, 16), (3, 1, 264, 8)])
def test_predict_ab(colorizer: Colorizer, shape: tuple[int, ...]) -> None:
    """The network alone: a plane to two planes, a batch to a batch, float32, in CIE units."""
    lightness = np.linspace(0, 100, int(np.prod(shape))).reshape(shape).astype(np.float32)
    ab = colorizer.predict_ab(lightness)
    assert ab.dtype == np.float32
    assert ab.shape == ((2, *shape) if len(shape) == 2 else (shape[0], 2, *shape[2:]))
    a = ab[0] if len(shape) == 2 else ab[:, :1]
    np.testing.assert_allclose(a, lightness / 5 - 10, atol=1e-4)


def test_predict_ab_takes_views(colorizer: Colorizer) -> None:
    """A view of float64 is taken as its values."""
    lightness = np.arange(64 * 64, dtype=np.float64).reshape(64, 64).T[:, ::-1] / 41
    np.testing.assert_allclose(colorizer.predict_ab(lightness)[0], lightness / 5 - 10, atol=1e-3)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(60, 64), (1, 2, 64, 64), (2, 64, 64), (1, 1, 64, 63), (64,)])
def test_predict_ab_refuses(colorizer: Colorizer, shape: tuple[int, ...]) -> None:
    """Other shapes are refused with what is wanted."""
    with pytest.raises(ValueError, match="H and W multiples of 8"):
        colorizer.predict_ab(np.zeros(shape, np.float32))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_prepare(colorizer: Colorizer, color_array: Array, mode: str) -> None:
    """A photograph of any mode becomes L* of the working size, and says whether it is in color."""
    if mode == "I;16":
        photo = Image.fromarray(color_array[..., 0].astype(np.uint16) * 257)
    else:
        photo = Image.fromarray(color_array).convert(mode)
    lightness, colored = colorizer.prepare(photo)
    assert lightness.shape == (64, 64)
    assert lightness.dtype == np.float32
    assert 0 <= lightness.min() < lightness.max() <= 100
    assert colored == (mode in ("RGB", "RGBA"))


@pytest.mark.parametrize(("given_size", "wanted"), [(None, 64), (128, 128), (1024, 1024)])
def test_working_size(stub: Path, grey_array: Array, given_size: int | None, wanted: int) -> None:
    """The working size is the model's own unless another is asked for; the answer keeps the photo's size."""
    colorizer = Colorizer(stub, threads=1, working_size=given_size)
    assert colorizer.working_size == wanted
    assert colorizer.prepare(Image.fromarray(grey_array))[0].shape == (wanted, wanted)
    assert colorizer.colorize(grey_array).shape == (48, 72, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"working_size": 0}, "^a working size of 0 is not a multiple of 8 from 64 to 1024$"),
        ({"working_size": 100}, "^a working size of 100 is not"),
        ({"working_size": 2048}, "^a working size of 2048 is not"),
        ({"threads": 0}, "0 threads: at least 1 is needed"),
        ({"threads": -2}, "-2 threads"),
    ],
)
def test_bad_options(stub: Path, options: dict[str, Any], message: str) -> None:
    """Options out of bounds are refused with their bounds."""
    with pytest.raises(UsageError, match=message):
        Colorizer(stub, **options)


def test_names(colorizer: Colorizer) -> None:
    """Model and provider can be asked for."""
    assert (colorizer.model, colorizer.provider) == ("stub", "cpu")


def test_unknown_model() -> None:
    """A model that is not there is refused."""
    with pytest.raises(ModelNotFoundError, match="there is no model sepia"):
        Colorizer("sepia")


@pytest.mark.parametrize("photo", ["nowhere.png", b"nonsense", b""])
def test_bad_photos(colorizer: Colorizer, photo: str | bytes) -> None:
    """What is no photograph is a PhotoError, from the Python side too."""
    with pytest.raises((PhotoNotFoundError, PhotoUnreadableError)):
        colorizer.colorize(photo)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "bmp", "ppm"])
def test_nothing_left_on_failure(
    colorizer: Colorizer, color_photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """When the disk is full in the middle of encoding, any format leaves nothing but the photograph."""
    before = color_photo.read_bytes()

    class Full(output._Sink):
        def __init__(self, file: Any) -> None:
            super().__init__(file)
            self.write = self.refuse

        def refuse(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(output, "_Sink", Full)
    with pytest.raises(OutputError, match=rf"color\.{suffix} cannot be written: No space left on device"):
        colorizer.colorize_file(color_photo, tmp_path / f"color.{suffix}")
    assert list(tmp_path.iterdir()) == [color_photo]
    assert color_photo.read_bytes() == before


def test_memory_runs_out(
    colorizer: Colorizer, color_photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that runs out in the middle is that photograph's failure, and names it."""

    def exhaust(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(merge.Merger, "__call__", exhaust)
    with pytest.raises(PhotoTooLargeError, match=r"meadow\.png does not fit into the memory") as caught:
        colorizer.colorize_file(color_photo, tmp_path / "color.png")
    assert isinstance(caught.value, PhotoError)
    assert list(tmp_path.iterdir()) == [color_photo]


def test_max_megapixels(colorizer: Colorizer, color_photo: Path) -> None:
    """The limit on size is handed on."""
    with pytest.raises(PhotoTooLargeError):
        colorizer.colorize_file(color_photo, io.BytesIO(), max_megapixels=0.001)
    assert image.MAX_MEGAPIXELS == 512


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_watched_file(colorizer: Colorizer, color_photo: Path, tmp_path: Path, suffix: str) -> None:
    """A file that is watched becomes the same; what the watch hears only grows, and comes near to 1."""
    told: list[float] = []
    plain, watched = tmp_path / f"plain{suffix}", tmp_path / f"watched{suffix}"
    colorizer.colorize_file(color_photo, plain)
    colorizer.colorize_file(color_photo, watched, watch=Watch(told.append))
    assert plain.read_bytes() == watched.read_bytes()
    assert told == sorted(told)
    assert 0 <= told[0] < 0.2
    assert 0.75 <= told[-1] <= 1


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.3, 0.5, 0.76])
def test_cancelled_file(colorizer: Colorizer, tmp_path: Path, moment: float) -> None:
    """A file that is cancelled, while it is read, colorized or written, leaves nothing behind."""
    photo = tmp_path / "photo.png"
    Image.effect_noise((600, 600), 90).save(photo)
    watch = Watch(lambda share: watch.cancel() if share >= moment else None)
    with pytest.raises(CancelledError):
        colorizer.colorize_file(photo, tmp_path / "color.png", watch=watch)
    assert list(tmp_path.iterdir()) == [photo]


def test_rendered_by_several_threads(colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads lose no strip of an image that Pillow copies as it is first written to, such as a HEIC."""
    monkeypatch.setattr(merge, "STRIP", 4096)
    pixels = np.random.default_rng(0).integers(0, 255, (700, 300, 4), np.uint8)
    merger, _ = colorizer._merger(Photo(Image.fromarray(pixels), ""), Adjustments(), None)
    alone, *others = (
        np.asarray(develop.render(Photo(Image.fromarray(pixels), ""), merger, workers)[0])
        for workers in (1, 3, 3, 3)
    )
    assert (alone[..., :3] != pixels[..., :3]).any(axis=(1, 2)).all()
    for other in others:
        np.testing.assert_array_equal(other, alone)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_rendered_beside(colorizer: Colorizer, color_array: Array, mode: str) -> None:
    """A photograph that is to be kept stays as it is, and its result is the same."""
    if mode == "I;16":
        picture = Image.fromarray(color_array[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(color_array).convert(mode)
    photo = Photo(picture, "")
    before = picture.tobytes()
    merger = colorizer.predict(colorizer.prepare(picture)[0]).merger(*photo.size)
    kept, _ = develop.render(photo, merger, 2, keep=True)
    assert picture.tobytes() == before
    taken, _ = develop.render(photo, merger, 1)
    np.testing.assert_array_equal(np.asarray(kept), np.asarray(taken))


@pytest.mark.parametrize("side", [0, 20, 1000])
def test_thumbnail(colorizer: Colorizer, color_photo: Path, tmp_path: Path, side: int) -> None:
    """A small copy of the result comes along if it is wanted."""
    small = colorizer.colorize_file(color_photo, tmp_path / "color.png", thumbnail=side).thumbnail
    if not side:
        assert small is None
    else:
        assert small is not None
        assert max(small.size) == min(side, 72)
