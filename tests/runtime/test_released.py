"""The bundled models from end to end: they give color, keep lightness, and are the files their list says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tintype import Colorizer, models
from tintype.lab import grey_to_lightness, rgb_to_lab, rgb_to_lightness

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.released
Array = NDArray[Any]


@pytest.fixture(scope="module", params=models.bundled())
def released(request: pytest.FixtureRequest) -> Colorizer:
    """Return a colorizer with a bundled model."""
    return Colorizer(request.param, threads=1)


@pytest.fixture(scope="module")
def cat() -> Array:
    """Return a grey photograph, (H, W) uint8."""
    data = pytest.importorskip("skimage.data")
    return np.asarray(Image.fromarray(data.chelsea()).convert("L"))


@pytest.mark.parametrize("name", models.bundled())
def test_listed(name: str) -> None:
    """Each bundled file has the size and digest that models.json tells, and its contract the same name."""
    entry, path = models.bundled()[name], models.find(name)
    assert path.stat().st_size == entry.get("bytes", path.stat().st_size)
    assert models.sha256(path) == entry.get("sha256", models.sha256(path))
    assert Colorizer(name, threads=1).model == name


def test_gives_color(released: Colorizer, cat: Array) -> None:
    """A grey photograph comes back in color, as light as it was."""
    result = released.colorize(cat)
    lab = rgb_to_lab(result)
    assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 1
    greys = grey_to_lightness(np.arange(256, dtype=np.uint8))
    found = np.interp(rgb_to_lightness(result), greys, np.arange(256))
    assert np.abs(found - cat).max() <= 1.01


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (7, 13), (300, 2)])
def test_sizes(released: Colorizer, size: tuple[int, int]) -> None:
    """Any size is colorized."""
    photo = Image.effect_noise(size, 40)
    assert released.colorize(photo).size == size


def test_predicts(released: Colorizer) -> None:
    """The network alone takes multiples of 8, and gives finite ab in the range of colors."""
    ab = released.predict_ab(np.linspace(0, 100, 72 * 200, dtype=np.float32).reshape(72, 200))
    assert ab.shape == (2, 72, 200)
    assert np.isfinite(ab).all()
    assert np.abs(ab).max() < 130


def test_command(cat: Array, tmp_path: Path) -> None:
    """The command line colorizes with it where no model is named."""
    from tintype.cli import main

    Image.fromarray(cat).save(tmp_path / "cat.png")
    assert main([str(tmp_path / "cat.png"), "--threads", "1"]) == 0
    with Image.open(tmp_path / "cat_color.png") as stored:
        assert stored.mode == "RGB"
