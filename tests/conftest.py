"""What all tests share: stub models, small photographs, and torchvision beside any torch."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from PIL import Image

import torchvision_shim
from tintype import Colorizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

TESTS: Final = Path(__file__).parent
STUBS: Final = {name: TESTS / "stub" / f"{name}.onnx" for name in ("stub", "stub_mean")}


def pytest_configure(config: pytest.Config) -> None:
    """Install the torchvision shim here and, by the environment, in every process that a test starts."""
    if find_spec("torch"):
        torchvision_shim.install()
        paths = [str(TESTS / "child_site"), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the torchvision shim acted."""
    terminalreporter.write_line(f"torchvision shim: {torchvision_shim.state()}")


@pytest.fixture(scope="session")
def stub() -> Path:
    """Return the path of a stub model with one output."""
    return STUBS["stub"]


@pytest.fixture(scope="session")
def stub_mean() -> Path:
    """Return the path of a stub model that also gives the expectation."""
    return STUBS["stub_mean"]


@pytest.fixture(scope="session")
def colorizer(stub: Path) -> Colorizer:
    """Return a colorizer with the stub model."""
    return Colorizer(stub, threads=1)


def scene(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return a colored picture (height, width, 3): smooth gradients, a disk, stripes, a little grain."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    y, x = y / max(1, height - 1), x / max(1, width - 1)
    planes = [200 * x + 30, 150 * y + 60, 180 - 120 * x * y]
    disk = (x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.06
    stripes = (np.floor(x * 12) % 2 == 0) & (y > 0.75)
    picture = np.stack(planes, axis=-1)
    picture[disk] = picture[disk] * 0.5 + (90, 10, 20)
    picture[stripes] *= 0.7
    picture += np.random.default_rng(seed).normal(0, 3, picture.shape)
    rounded: NDArray[np.uint8] = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return rounded


@pytest.fixture(scope="session")
def color_array() -> NDArray[np.uint8]:
    """Return a colored picture, (48, 72, 3) uint8."""
    array = scene(48, 72)
    array.setflags(write=False)
    return array


@pytest.fixture(scope="session")
def grey_array(color_array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey picture, (48, 72) uint8."""
    array = np.asarray(Image.fromarray(color_array).convert("L"))
    array.setflags(write=False)
    return array


@pytest.fixture
def color_photo(tmp_path: Path, color_array: NDArray[Any]) -> Path:
    """Return the path of a colored PNG, 72 x 48."""
    return _saved(color_array, tmp_path / "meadow.png")


@pytest.fixture
def grey_photo(tmp_path: Path, grey_array: NDArray[Any]) -> Path:
    """Return the path of a grey PNG, 72 x 48."""
    return _saved(grey_array, tmp_path / "street.png")


def _saved(array: NDArray[Any], path: Path) -> Path:
    Image.fromarray(array).save(path)
    return path
