"""The examples for OpenCV and Node make the runtime's pictures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from PIL import Image

from benchmarks.engines import outside
from benchmarks.engines.pictures import FOLDER
from tintype import Colorizer, models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = [pytest.mark.engines, pytest.mark.slow, pytest.mark.released]

OPENCV: Final = outside.EXAMPLES / "opencv"
NODE: Final = outside.EXAMPLES / "node"
LIBRARY: Final = ("pkg-config", "--cflags", "--libs", "opencv4")


@pytest.fixture(params=["cat.jpg", "mountains.jpg"])
def photo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the path of a photograph as PNG, so that all decode it alike."""
    path = tmp_path / "photo.png"
    with Image.open(FOLDER / request.param) as image:
        image.convert("RGB").resize((333, 251)).save(path)
    return path


def _apart(model: str, photo: Path, result: Path) -> NDArray[np.int64]:
    ours = np.asarray(Colorizer(model, threads=1).colorize(photo), np.int64)
    with Image.open(result) as image:
        apart: NDArray[np.int64] = np.abs(np.asarray(image.convert("RGB"), np.int64) - ours)
    return apart


def _run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _nearly_equal(apart: NDArray[np.int64]) -> bool:
    """Say whether pictures differ by under a level at the mean, and by up to 4 all but everywhere.

    OpenCV cuts what lies outside of the gamut, which the runtime brings in.
    """
    return bool(apart.mean() < 1 and np.mean(apart <= 4) > 0.98)


@pytest.mark.skipif(not find_spec("cv2"), reason="OpenCV is not installed: pip install -e '.[engines]'")
def test_opencv_in_python(photo: Path, build: Callable[[str, str], tuple[Path, Any]]) -> None:
    """The example in Python makes nearly the runtime's picture, at full size."""
    model, result = build(models.default(), "ab-fixed")[0], photo.with_name("color.png")
    _run(sys.executable, OPENCV / "colorize.py", model, photo, result)
    assert _nearly_equal(_apart(models.default(), photo, result))


@pytest.mark.skipif(not find_spec("cv2"), reason="OpenCV is not installed: pip install -e '.[engines]'")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none-ab-8.onnx", "none.jpg", "color.png"], "not a photograph"),
        (["none-ab-8.onnx", "photo.png", "color.png"], "OpenCV"),
        (["none.onnx", "photo.png", "color.png"], "must end in -ab-NUMBER.onnx"),
        (["one"], "colorize.py MODEL PHOTO RESULT"),
    ],
)
def test_opencv_says_what_it_wants(photo: Path, words: Sequence[str], said: str) -> None:
    """The example in Python says in one line what it wants."""
    command = [sys.executable, str(OPENCV / "colorize.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=photo.parent)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert said in done.stderr.strip().splitlines()[-1]


@pytest.mark.skipif(not find_spec("cv2"), reason="OpenCV is not installed: pip install -e '.[engines]'")
def test_opencv_says_what_it_could_not_write(
    photo: Path, build: Callable[[str, str], tuple[Path, Any]]
) -> None:
    """The example in Python does not keep silent where its result finds no place."""
    nowhere = photo.parent / "nowhere" / "color.png"
    with pytest.raises(AssertionError, match="cannot be written"):
        _run(sys.executable, OPENCV / "colorize.py", build(models.default(), "ab-fixed")[0], photo, nowhere)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example in C++, compiled as it says."""
    if not shutil.which("g++") or not shutil.which("pkg-config"):
        pytest.skip("no compiler for C++ is here: apt-get install g++ pkg-config")
    found = subprocess.run(LIBRARY, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("OpenCV for C++ is not installed: apt-get install --no-install-recommends libopencv-dev")
    made = tmp_path_factory.mktemp("program") / "colorize"
    _run("g++", "-O2", "-Wall", "-Werror", OPENCV / "colorize.cpp", "-o", made, *found.stdout.split())
    return made


def test_opencv_in_cpp(program: Path, photo: Path, build: Callable[[str, str], tuple[Path, Any]]) -> None:
    """The example in C++ makes nearly the runtime's picture, with the models that OpenCV 4.6 takes."""
    result = photo.with_name("color.png")
    _run(program, build("classic", "ab-fixed")[0], photo, result)
    assert _nearly_equal(_apart("classic", photo, result))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none-ab-8.onnx", "photo.png", "color.png"], "OpenCV"),
        (["classic.onnx", "photo.png", "color.png"], "must end in -ab-NUMBER.onnx"),
        (["none-ab-8.onnx", "none.png", "color.png"], "not a photograph"),
    ],
)
def test_opencv_in_cpp_says_what_it_wants(
    program: Path, photo: Path, words: Sequence[str], said: str
) -> None:
    """The example in C++ ends with one line that says what is wrong."""
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, cwd=photo.parent)
    assert done.returncode == 1
    assert said in done.stderr.strip().splitlines()[-1]


@pytest.mark.skipif(
    not shutil.which("node") or not outside.NODE_PACKAGE.is_dir(),
    reason="Node, or onnxruntime-node, is not here: run npm ci in examples/node",
)
def test_node(photo: Path, build: Callable[[str, str], tuple[Path, Any]]) -> None:
    """The example for Node makes the runtime's picture."""
    result = photo.with_name("color.png")
    _run("node", NODE / "colorize.mjs", build(models.default(), "rgb")[0], photo, result)
    assert _apart(models.default(), photo, result).max() <= 2
    _run("node", NODE / "colorize.mjs", build(models.default(), "rgb")[0], photo, result.with_suffix(".jpg"))
    assert _apart(models.default(), photo, result.with_suffix(".jpg")).mean() < 2
    with pytest.raises(AssertionError, match="take a -rgb file"):
        _run("node", NODE / "colorize.mjs", build(models.default(), "ab")[0], photo, result)
