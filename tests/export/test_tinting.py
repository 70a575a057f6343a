"""The graph of merging that the runtime carries is the one that its script writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from export import tinting as script
from tintype import tinting

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file in the runtime is what `python -m export.tinting` makes of the runtime's own constants."""
    tracked, place = onnx.load(tinting.GRAPH), tmp_path / "tinting.onnx"
    onnx.checker.check_model(tracked, full_check=True)
    monkeypatch.setattr(tinting, "GRAPH", place)
    script.main()
    assert onnx.load(place) == tracked
