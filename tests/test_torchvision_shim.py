"""The shim: torchvision can be imported, here and in child processes, and nothing else changes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import torchvision_shim

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("torch", reason="the shim is there for torch's sake")

TELL = "import sys, torchvision; print(sys.modules['torchvision_shim'].state())"
FAKE_TORCH = """
from types import SimpleNamespace
class Library:
    def __init__(self, name, kind): print(name, kind)
    def define(self, schema): print(schema.partition("(")[0])
library = SimpleNamespace(Library=Library)
"""
FAKE_TORCHVISION = "import sys\nif 'torch' not in sys.modules:\n    raise {error}\nprint('imported')\n"


def _child(code: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    search = [str(path), os.environ["PYTHONPATH"]] if path else [os.environ["PYTHONPATH"]]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(search)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )


def test_import() -> None:
    """Datasets and transforms of torchvision can be used, whichever build torch is of."""
    torchvision = pytest.importorskip("torchvision", exc_type=ModuleNotFoundError)
    assert torchvision.datasets.CIFAR10
    assert torchvision.transforms.Resize(8)
    assert torchvision_shim.state() in ("acted", "not needed")


def test_child() -> None:
    """A child process of a test imports torchvision as the test itself does."""
    pytest.importorskip("torchvision", exc_type=ModuleNotFoundError)
    assert _child(TELL).stdout.strip() == torchvision_shim.state()


def test_costs_nothing() -> None:
    """A child process that does not import torchvision imports no torch either."""
    assert _child("import sys; print('torch' in sys.modules)").stdout.strip() == "False"


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (f"RuntimeError('{torchvision_shim.MESSAGE}')", "torchvision DEF\nnms\nqnms\nimported\nacted\n"),
        ("RuntimeError('no such device')", ""),
        ("ImportError('damaged')", ""),
    ],
)
def test_acts_on_one_error_only(tmp_path: Path, error: str, printed: str) -> None:
    """The operators are declared for the one error they mend; any other comes through."""
    (tmp_path / "torch.py").write_text(FAKE_TORCH)
    (tmp_path / "torchvision.py").write_text(FAKE_TORCHVISION.format(error=error))
    done = _child(TELL, tmp_path)
    assert done.stdout == printed
    assert (done.returncode == 0) == bool(printed)


def test_not_needed(tmp_path: Path) -> None:
    """Where torchvision imports by itself, nothing is declared."""
    (tmp_path / "torchvision.py").write_text("")
    assert _child(TELL, tmp_path).stdout == "not needed\n"
