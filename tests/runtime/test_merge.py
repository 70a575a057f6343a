"""Merging ab into the full lightness: strips change nothing, any size works, edges are kept."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from tintype import merge, tinting
from tintype.errors import ModelUnreadableError
from tintype.lab import f_to_rgb, grey_to_f, grey_to_lightness, rgb_to_f, rgb_to_lab

if TYPE_CHECKING:
    from pathlib import Path

Array = NDArray[Any]
SIZES = [(1, 1), (5000, 1), (1, 5000), (13, 7), (2, 300), (64, 64), (200, 90)]  # height, width

seeds = st.integers(0, 2**32 - 1)


def _grey(seed: int, height: int, width: int, dtype: Any = np.uint8) -> Array:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, (height, width), dtype, endpoint=True)


def _planes(seed: int, side: int = 32) -> Array:
    generator = np.random.default_rng(seed)
    lightness = generator.uniform(0, 100, (side, side)).astype(np.float32)
    return merge.fit(lightness, generator.normal(0, 30, (2, side, side)).astype(np.float32))


def _flat(a: float, b: float, side: int = 16) -> Array:
    return np.broadcast_to(np.array([a, b], np.float32)[:, None, None], (2, side, side))


@given(
    seeds,
    st.integers(1, 70),
    st.integers(1, 70),
    st.lists(st.integers(1, 70), min_size=1),
    st.sampled_from([np.uint8, np.uint16]),
    st.randoms(),
)
@settings(max_examples=60)
def test_strips_change_no_pixel(  # noqa: PLR0917 - cases are many-sided
    seed: int, height: int, width: int, steps: list[int], dtype: Any, shuffler: Any
) -> None:
    """Strips of any heights, in any order, give the pixels of the picture merged whole."""
    photo = _grey(seed, height, width, dtype)
    merger = merge.Merger(_planes(seed), width, height)
    whole = merger(photo, 0)
    tops = [0]
    while tops[-1] < height:
        tops.append(tops[-1] + steps[len(tops) % len(steps)])
    spans = list(itertools.pairwise(tops))
    shuffler.shuffle(spans)
    for top, bottom in spans:
        np.testing.assert_array_equal(merger(photo[top:bottom], top), whole[top:bottom])


@given(seeds, st.integers(1, 400), st.integers(1, 400), st.booleans(), st.sampled_from([4, 32]))
@settings(max_examples=40)
def test_tinted_is_numpy(seed: int, height: int, width: int, colored: bool, side: int) -> None:  # noqa: FBT001
    """What onnxruntime computes of 8 bits is what numpy does, bit for bit, of photographs small and large."""
    rows = _grey(seed, height, 3 * width).reshape(height, width, 3) if colored else _grey(seed, height, width)
    planes = _planes(seed, side)
    merger = merge.Merger(planes, width, height)
    fy = rgb_to_f(rows) if colored else grey_to_f(rows)
    assert merger.planes.shape[1:] == (min(side, height), min(side, width))
    lines = merge.Lines(merge.of_f(merger.planes), width, height)
    fx, fz = lines.along(fy, 0)
    np.testing.assert_array_equal(merger(rows, 0), f_to_rgb(fx, fy, fz, np.uint8))


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("workers", [1, 3])
def test_any_size(monkeypatch: pytest.MonkeyPatch, height: int, width: int, workers: int) -> None:
    """`strips` yields each row once, from top to bottom, and the pixels of the picture merged whole."""
    monkeypatch.setattr(merge, "STRIP", 256)
    photo = _grey(3, height, width)
    merger = merge.Merger(_planes(3, 64), width, height)
    result, next_top = np.empty((height, width, 3), np.uint8), 0
    for top, before, after in merge.strips(lambda top, bottom: photo[top:bottom], merger, workers):
        assert top == next_top
        np.testing.assert_array_equal(before, photo[top : top + len(before)])
        result[top : top + len(after)] = after
        next_top = top + len(after)
    assert next_top == height
    np.testing.assert_array_equal(result, merger(photo, 0))


def test_without_its_graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the graph of merging is missing or damaged, one line says what to do."""
    merger = merge.Merger(_planes(1), 5, 5)
    for content in (None, b"", b"no graph"):
        path = tmp_path / f"{content!r}.onnx"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr(tinting, "GRAPH", path)
        tinting._opened.cache_clear()
        with pytest.raises(ModelUnreadableError, match="install that anew"):
            merger(_grey(1, 5, 5), 0)
    monkeypatch.undo()
    assert merger(_grey(1, 5, 5), 0).shape == (5, 5, 3)


def test_failing_rows() -> None:
    """An error while rows are read comes out of `strips`, and leaves no thread behind that waits."""

    def broken(top: int, bottom: int) -> Array:
        raise OSError("no more rows")

    with pytest.raises(OSError, match="no more rows"):
        list(merge.strips(broken, merge.Merger(_planes(1), 5, 5), 2))


@given(st.floats(-60, 60, width=32), st.floats(-60, 60, width=32), seeds)
@settings(max_examples=30)
def test_flat_stays_flat(a: float, b: float, seed: int) -> None:
    """One color everywhere stays one color, whatever the lightness does."""
    lightness = np.random.default_rng(seed).uniform(0, 100, (16, 16)).astype(np.float32)
    merger = merge.Merger(merge.fit(lightness, _flat(a, b)), 50, 30)
    full = np.random.default_rng(seed + 1).uniform(0, 100, (30, 50)).astype(np.float32)
    found_a, found_b = merger.ab(full, 0)
    np.testing.assert_allclose(found_a, a, atol=0.01)
    np.testing.assert_allclose(found_b, b, atol=0.01)


def test_flat_lightness() -> None:
    """Where lightness says nothing, ab is smoothed and its mean is kept."""
    ab = np.random.default_rng(0).normal(0, 30, (2, 40, 40)).astype(np.float32)
    flat = np.full((40, 40), 50, np.float32)
    found = np.stack(merge.Merger(merge.fit(flat, ab), 40, 40).ab(flat, 0))
    assert found.std() < ab.std() / 2
    np.testing.assert_allclose(found.mean(axis=(1, 2)), ab.mean(axis=(1, 2)), atol=1.5)


def test_edges_are_kept() -> None:
    """Color that follows lightness at working size follows it in the photograph, where bilinear ab bleeds."""
    full = np.full((256, 256), 20, np.float32)
    full[:, 132:] = 80
    small = full[4::8, 4::8].copy()
    ab = np.stack([np.where(small > 50, 40, -40), np.zeros_like(small)]).astype(np.float32)
    wanted = np.where(full > 50, 40, -40)
    guided, _ = merge.Merger(merge.fit(small, ab), 256, 256).ab(full, 0)
    bilinear, _ = merge.Merger(merge.bilinear(ab), 256, 256).ab(full, 0)
    assert np.abs(guided - wanted).max() < 20
    assert np.abs(bilinear - wanted).max() > 35


def test_color_survives(color_array: Array) -> None:
    """A photograph's own ab, once through the working size, gives the photograph back at over 30 dB."""
    values = rgb_to_lab(color_array)
    small = values[::2, ::2]
    planes = merge.fit(np.ascontiguousarray(small[..., 0]), np.moveaxis(small[..., 1:], -1, 0).copy())
    height, width = color_array.shape[:2]
    result = merge.Merger(planes, width, height)(color_array, 0).astype(float)
    assert 10 * np.log10(255**2 / np.mean((result - color_array) ** 2)) > 30


def test_bilinear_is_identity_at_working_size() -> None:
    """Without regard to edges, and at the working size itself, ab comes out as it went in."""
    ab = np.random.default_rng(0).normal(0, 30, (2, 24, 40)).astype(np.float32)
    lightness = grey_to_lightness(_grey(0, 24, 40))
    found = merge.Merger(merge.bilinear(ab), 40, 24).ab(lightness, 0)
    np.testing.assert_array_equal(np.stack(found), ab)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_dtype_is_kept(dtype: Any) -> None:
    """Rows come back in the dtype they were given in, grey or in color."""
    merger = merge.Merger(_planes(0), 20, 10)
    grey = _grey(0, 10, 20, dtype)
    for rows in (grey, grey[..., None].repeat(3, axis=2)):
        assert merger(rows, 0).dtype == dtype
        assert merger(rows, 0).shape == (10, 20, 3)
