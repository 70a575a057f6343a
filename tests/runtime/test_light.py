"""The light side is light: what it imports, and that it needs nothing of the training side."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = (
    "torch",
    "torchvision",
    "skimage",
    "onnx",
    "scipy",
    "matplotlib",
    "h5py",
    "safetensors",
    "ray",
    "fsspec",
    "pyarrow",
)
BARE = ("numpy", "PIL", "onnxruntime", "tkinter", "hashlib", *HEAVY)
LOADED = "import sys; print(*(name for name in {names} if name in sys.modules))"
BLOCK = "import sys; sys.modules.update(dict.fromkeys({names})); "
EVERY_MODULE = """
import pkgutil, importlib, tintype
for module in pkgutil.walk_packages(tintype.__path__, "tintype."):
    if not module.name.startswith("tintype.gui") and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def _child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "work",
    [
        "import tintype; tintype.__version__",
        "from tintype import Adjustments, TintypeError; Adjustments(strength=0.5)",
        "from tintype.cli import build_parser; build_parser().format_help()",
    ],
)
def test_costs_nothing(work: str) -> None:
    """Importing the package, its adjustments and the help of its command line loads nothing large."""
    done = _child(f"{work}; {LOADED.format(names=BARE)}")
    assert done.stdout.split() == [], done.stderr
    assert done.returncode == 0


def test_runs_without_the_training_side(stub: Path, color_photo: Path, tmp_path: Path) -> None:
    """With the packages of the training side unimportable, every module loads and a photo is colorized."""
    code = (
        BLOCK.format(names=HEAVY) + f"exec({EVERY_MODULE!r}); from tintype.cli import main; sys.exit(main())"
    )
    done = _child(
        code, str(color_photo), "--model", str(stub), "--compare", "--report", str(tmp_path / "r.json")
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "meadow_color.png").exists()
    assert (tmp_path / "meadow_compare.png").exists()


def test_loads_nothing_of_the_training_side(stub: Path, color_photo: Path) -> None:
    """Where those packages are there, colorizing a photograph does not load them, nor Tk."""
    code = "from tintype.cli import main; main(); " + LOADED.format(names=(*HEAVY, "tkinter"))
    done = _child(code, str(color_photo), "--model", str(stub))
    assert done.stdout.split() == [], done.stderr


def test_module(stub: Path, color_photo: Path) -> None:
    """`python -m tintype` is the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "tintype", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("tintype ")


def test_public_names() -> None:
    """The package offers what it lists, and says so of a name it does not have."""
    import tintype

    assert {name: getattr(tintype, name) is not None for name in tintype.__all__}
    with pytest.raises(AttributeError, match="module 'tintype' has no attribute 'Sepia'"):
        tintype.Sepia  # noqa: B018
