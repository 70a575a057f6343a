"""chaiNNer takes the rgb forms of all models, by what its source asks of ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx
import pytest

from benchmarks.engines import chainner
from tintype import models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.engines, pytest.mark.released]


@pytest.mark.parametrize("name", models.bundled())
def test_rgb_forms_are_taken(name: str, build: Callable[[str, str], tuple[Path, Any]]) -> None:
    """Both are models from picture to picture, and no photograph is padded for them."""
    assert chainner.multiple(onnx.load(build(name, "rgb")[0])) == 1
    assert chainner.multiple(onnx.load(build(name, "rgb-256")[0])) == 1


def test_two_outputs_are_refused() -> None:
    """The ab form of a model with a mean is no model from picture to picture."""
    with pytest.raises(chainner.RefusedError, match="1 inputs, 2 outputs"):
        chainner.multiple(onnx.load(models.find("unet")))
