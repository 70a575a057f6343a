"""Other people's engines make the runtime's pictures of the released files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from benchmarks.engines.outside import EngineError, engines
from benchmarks.engines.pictures import Pictures
from tintype import Colorizer, models

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

pytestmark = [pytest.mark.engines, pytest.mark.slow, pytest.mark.released]

MOST: Final = 2  # levels of 255
OLD_PYTHON: Final = os.environ.get("TINTYPE_OLD_PYTHON")  # has the oldest onnxruntime that is supported
ENGINES: Final = engines(Path(OLD_PYTHON) if OLD_PYTHON else None)
DYNAMIC, FIXED = ("ab", "rgb"), ("ab-fixed", "rgb-256")
TAKEN: Final = {
    "onnxruntime": FIXED,  # the others are in all tests of the runtime, and of the rgb form
    "onnxruntime-old": DYNAMIC,
    "reference": DYNAMIC,
    "opencv": FIXED,
    "openvino": DYNAMIC,
    "node": DYNAMIC,
    "browser": DYNAMIC,
}
REFUSED: Final = {"opencv": DYNAMIC}


def _ready(name: str) -> None:
    if reason := ENGINES[name].missing():
        pytest.skip(reason)


def _cases(table: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(name, form) for name, taken in table.items() for form in taken]


@pytest.fixture(scope="module")
def runtime() -> Colorizer:
    """Return the runtime with the default model."""
    return Colorizer(threads=1)


@pytest.mark.parametrize(("name", "wanted"), _cases(TAKEN))
def test_pictures_are_the_runtimes(
    name: str, wanted: str, runtime: Colorizer, build: Callable[[str, str], tuple[Path, Any]]
) -> None:
    """An engine that takes a form makes of it the runtime's pictures."""
    _ready(name)
    path, form = build(models.default(), wanted)
    pictures = Pictures(runtime, form.form, form.size)
    answers = ENGINES[name].run(path, pictures.inputs, 0)
    assert max(found.largest for found in pictures.differences(answers.values)) <= MOST


def test_openvino_in_bfloat16(runtime: Colorizer, build: Callable[[str, str], tuple[Path, Any]]) -> None:
    """In bfloat16, as OpenVINO computes where the processor can, roundings are lost, no pixels' numbers."""
    _ready("openvino")
    import openvino

    path, form = build(models.default(), "rgb")
    pictures = Pictures(runtime, form.form, form.size)
    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    answers = [np.array(compiled(values)["color"]) for values in pictures.inputs]
    assert max(found.mean for found in pictures.differences(answers)) < 6


@pytest.mark.parametrize(("name", "wanted"), _cases(REFUSED))
def test_what_does_not_run_is_known(
    name: str, wanted: str, runtime: Colorizer, build: Callable[[str, str], tuple[Path, Any]]
) -> None:
    """Where docs/onnx.md says that an engine does not take a form, it says so itself."""
    _ready(name)
    path, form = build(models.default(), wanted)
    with pytest.raises(EngineError):
        ENGINES[name].run(path, Pictures(runtime, form.form, form.size).inputs, 0)
