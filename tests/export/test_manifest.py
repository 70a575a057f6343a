"""models.json says what the bundled files are."""

from __future__ import annotations

import json
import re

import onnx
import pytest

from export.manifest import manifest
from tintype import models

pytestmark = pytest.mark.released


def test_manifest_is_true() -> None:
    """models.json equals what is read from the bundled files, and every model has its card."""
    stored = json.loads((models.FOLDER / "models.json").read_text())
    assert stored == manifest(models.FOLDER, models.default())
    assert stored["default"] in stored["models"]
    for name, entry in stored["models"].items():
        assert (models.FOLDER / entry["card"]).is_file(), name
        assert entry["stored"] == ("int8" if name.endswith("-int8") else "float16")
        assert entry["opset"] <= 18
        assert entry["ir"] <= 9


def test_released_files_speak_of_no_machine() -> None:
    """No released file names a place of the machine that made it."""
    for path in models.FOLDER.glob("*.onnx"):
        model = onnx.load(path)
        for item in model.metadata_props:
            assert not re.search(r'"(/|[A-Z]:)', item.value), (path, item.key)
        assert not any(node.metadata_props for node in model.graph.node)
