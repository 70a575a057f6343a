"""The bundled models: how a name or a path becomes a file."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tintype import models
from tintype.errors import ModelNotFoundError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put two models, of which one file is missing, in place of the bundled ones."""
    entries = {name: {"file": f"{name}.onnx"} for name in ("one", "two")}
    (tmp_path / "models.json").write_text(json.dumps({"default": "two", "models": entries}))
    (tmp_path / "two.onnx").write_bytes(b"two")
    monkeypatch.setattr(models, "FOLDER", tmp_path)
    return tmp_path


def test_names(shelf: Path) -> None:
    """A bundled name is its file, and `default` is the one that models.json says."""
    assert models.default() == "two"
    assert list(models.bundled()) == ["one", "two"]
    assert models.find("two") == models.find("default") == shelf / "two.onnx"


def test_paths(shelf: Path, stub: Path) -> None:
    """A path is that file, as a string or as a Path."""
    assert models.find(str(stub)) == models.find(stub) == stub


def test_path_beside_name(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is called like a bundled model is meant only with a folder before it."""
    place = tmp_path / "here"
    place.mkdir()
    (place / "two").write_bytes(b"mine")
    monkeypatch.chdir(place)
    assert models.find("two") == shelf / "two.onnx"
    assert models.find("./two").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["three", "three.onnx", "no/such/model.onnx", "."])
def test_unknown(shelf: Path, name: str) -> None:
    """What is neither is refused with what there is."""
    with pytest.raises(
        ModelNotFoundError, match=r"give the path of an \.onnx file, or one of one, two$"
    ) as caught:
        models.find(name)
    assert isinstance(caught.value, FileNotFoundError)


def test_sha256(tmp_path: Path) -> None:
    """The digest is that of the whole file, of any size."""
    path = tmp_path / "large"
    content = bytes(range(256)) * 8192 + b"rest"
    path.write_bytes(content)
    assert models.sha256(path) == hashlib.sha256(content).hexdigest()


def test_manifest() -> None:
    """The real models.json names a default that it lists, and files that end with .onnx."""
    assert models.default() in models.bundled()
    assert all(str(entry["file"]).endswith(".onnx") for entry in models.bundled().values())
