"""Engines with a Python package: each opens a model file, and gives back what runs it, on one thread."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Float: TypeAlias = NDArray[np.float32]
Run: TypeAlias = "Callable[[Float], Float]"
Names: TypeAlias = "tuple[str, str]"

FORMS: Final = {"l": "ab", "rgb": "color"}
"""Inputs, and the outputs that color."""


def names(path: Path) -> Names:
    """Return the names of the input and of the output that colors."""
    import onnx

    taken = onnx.load(path).graph.input[0].name
    return taken, FORMS[taken]


def onnxruntime(path: Path) -> Run:
    """Open with onnxruntime, as it comes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    taken, given = names(path)
    return lambda values: np.asarray(session.run([given], {taken: values})[0])


def reference(path: Path) -> Run:
    """Open with ONNX's own evaluator, in numpy."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(path))
    taken, given = names(path)

    def run(values: Float) -> Float:
        answers: list[Float] = evaluator.run([given], {taken: values})  # type: ignore[assignment]
        return answers[0]

    return run


def opencv(path: Path) -> Run:
    """Open with OpenCV's dnn module."""
    import cv2

    cv2.setNumThreads(1)
    network = cv2.dnn.readNetFromONNX(str(path))
    taken, given = names(path)

    def run(values: Float) -> Float:
        network.setInput(values, taken)
        return np.asarray(network.forward(given), np.float32)

    return run


def openvino(path: Path) -> Run:
    """Open with OpenVINO, which computes in bfloat16 unless it is told not to."""
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    given = names(path)[1]
    return lambda values: np.array(compiled(values)[given])


def tract(path: Path) -> Run:
    """Open with tract, which is written in Rust."""
    import tract

    model = tract.onnx().load(str(path)).into_model().into_runnable()
    return lambda values: np.asarray(model.run([values])[0].to_numpy())


def mnn(path: Path) -> Run:
    """Convert to MNN's own format, by the extension alone (its command reports to its makers); open that.

    It leaves a file where it works, so that is a folder of its own.
    """
    import _tools
    from MNN import expr, nn

    taken, given = names(path)
    path = path.resolve()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        made = Path(folder) / "model.mnn"
        command = ["mnnconvert", "-f", "ONNX", "--modelFile", path, "--MNNModel", made, "--bizCode", "MNN"]
        _tools.mnnconvert([str(word) for word in command])
        if not made.is_file():
            raise RuntimeError("its converter ends without a result")
        module = nn.load_module_from_file(str(made), [taken], [given])

    def run(values: Float) -> Float:
        placed = expr.const(values, list(values.shape), expr.NCHW)
        found = expr.convert(module.forward([placed])[0], expr.NCHW)
        return np.array(found.read()).reshape(_shape(values))

    return run


def _shape(values: Float) -> tuple[int, ...]:
    count, channels, height, width = values.shape
    return count, 2 if channels == 1 else channels, height, width


OPENERS: Final[dict[str, Callable[[Path], Run]]] = {
    "onnxruntime": onnxruntime,
    "reference": reference,
    "opencv": opencv,
    "openvino": openvino,
    "tract": tract,
    "MNN": mnn,
}
