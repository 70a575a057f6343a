"""The color alone: what an editor reads from it gives the result's color back."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from PIL import Image

from tintype.errors import CancelledError, UsageError
from tintype.gui import layers
from tintype.lab import lightness_ab_to_rgb, lightness_to_rgb, rgb_to_lab, rgb_to_lightness
from tintype.merge import lightness_of
from tintype.photo import Photo
from tintype.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from tintype import Colorizer
    from tintype.merge import Merger

Array = NDArray[Any]


def _ingredients(colorizer: Colorizer, picture: Image.Image) -> tuple[Photo, Merger]:
    photo = Photo(picture, "")
    return photo, colorizer.predict(colorizer.prepare(picture)[0]).merger(*photo.size)


def _deep(content: bytes) -> Array:
    """Read a PNG of 16 bits a channel, of which Pillow would drop 8; rows are filtered by Sub."""
    place, data, size = 8, b"", (0, 0)
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind, body = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert struct.unpack(">I", content[place + 8 + length : place + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
            assert tuple(body[8:]) == (16, 2, 0, 0, 0)
        data += body if kind == b"IDAT" else b""
        place += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(size[1], -1)
    assert (rows[:, 0] == 1).all()
    bytes_of = np.cumsum(rows[:, 1:].reshape(size[1], size[0], 6), axis=1, dtype=np.uint8)
    return np.ascontiguousarray(bytes_of).view(">u2").reshape(size[1], size[0], 3).astype(float)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_color(colorizer: Colorizer, color_array: Array, mode: str, tmp_path: Path) -> None:
    """The layer's a and b, at the photograph's lightness, are the result; its alpha is the photograph's."""
    if mode == "I;16":
        picture = Image.fromarray(color_array[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(color_array).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    photo, merger = _ingredients(colorizer, picture)
    target = tmp_path / "layer.png"
    layers.write(target, "color", photo, merger, workers=2, watch=Watch())
    with Image.open(target) as layer:
        assert (layer.mode, layer.size) == ("RGBA", picture.size)
        pixels = np.asarray(layer)
    alpha = np.asarray(picture.getchannel("A")) if mode == "RGBA" else 255
    np.testing.assert_array_equal(pixels[..., 3], np.broadcast_to(alpha, pixels.shape[:2]))
    rows = photo.rows(0, picture.height)
    lightness = lightness_of(rows)
    lab = rgb_to_lab(np.ascontiguousarray(pixels[..., :3]))
    laid = lightness_ab_to_rgb(lightness, lab[..., 1], lab[..., 2], np.uint8).astype(int)
    result = lightness_ab_to_rgb(lightness, *merger.ab(lightness, 0), np.uint8).astype(int)
    assert np.abs(laid - result).max() <= 4


@given(st.floats(0, 100, width=32), st.floats(-100, 100, width=32), st.floats(-100, 100, width=32))
def test_color_has_no_detail(lightness: float, a: float, b: float) -> None:
    """A color that fits is at one lightness whatever the photograph's; one that does not is at that one."""

    class Flat:
        def ab(self, rows: Array, _top: int) -> tuple[Array, Array]:
            return np.full_like(rows, a), np.full_like(rows, b)

    grey = lightness_to_rgb(np.full((1, 1), lightness, np.float32), np.uint8)
    layer = layers.color(Flat(), grey, 0)  # type: ignore[arg-type]
    found = float(rgb_to_lightness(layer)[0, 0])
    assert min(abs(found - layers.LIGHTNESS), abs(found - float(rgb_to_lightness(grey)[0, 0]))) < 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_ab(colorizer: Colorizer, color_array: Array, mode: str, tmp_path: Path) -> None:
    """By the formula that the module gives, a and b come back within a hundredth."""
    photo, merger = _ingredients(colorizer, Image.fromarray(color_array).convert(mode))
    target = tmp_path / "ab.PNG"
    layers.write(target, "ab", photo, merger, workers=1, watch=Watch())
    pixels = _deep(target.read_bytes())
    assert (pixels[..., 0] == layers.MIDDLE).all()
    wanted = merger.ab(lightness_of(photo.rows(0, photo.size[1])), 0)
    for channel, plane in enumerate(wanted, 1):
        np.testing.assert_allclose(pixels[..., channel] / 257 - 128, plane, atol=0.01)
    with Image.open(io.BytesIO(target.read_bytes())) as opened:
        opened.load()


@pytest.mark.parametrize("kind", ["color", "ab"])
def test_strips(
    colorizer: Colorizer, color_array: Array, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many rows are written at once changes nothing."""
    photo, merger = _ingredients(colorizer, Image.fromarray(color_array))
    whole, parts = tmp_path / "whole.png", tmp_path / "parts.png"
    layers.write(whole, kind, photo, merger, workers=1, watch=Watch())
    monkeypatch.setattr("tintype.merge.STRIP", 500)
    layers.write(parts, kind, photo, merger, workers=2, watch=Watch())
    with Image.open(whole) as one, Image.open(parts) as other:
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("kind", ["color", "ab"])
def test_cancelled(
    colorizer: Colorizer, color_array: Array, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A layer that is cancelled leaves nothing; how far it is only grows."""
    monkeypatch.setattr("tintype.merge.STRIP", 500)
    told: list[float] = []

    def report(share: float) -> None:
        told.append(share)
        if share > 0.5:
            watch.cancel()

    watch = Watch(report)
    photo, merger = _ingredients(colorizer, Image.fromarray(color_array))
    with pytest.raises(CancelledError):
        layers.write(tmp_path / "layer.png", kind, photo, merger, workers=1, watch=watch)
    assert not list(tmp_path.iterdir())
    assert told == sorted(told)
    assert 0 <= told[0] < 0.5 < told[-1] < 0.7


def test_png_alone(colorizer: Colorizer, color_array: Array, tmp_path: Path) -> None:
    """Another format is refused before anything is written."""
    photo, merger = _ingredients(colorizer, Image.fromarray(color_array))
    with pytest.raises(UsageError, match=r"end its name with \.png"):
        layers.write(tmp_path / "layer.jpg", "color", photo, merger, workers=1, watch=Watch())
    assert not list(tmp_path.iterdir())
