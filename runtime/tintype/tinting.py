"""The arithmetic of merging at 8 bits, in onnxruntime: one call a block of rows, while other threads run.

It is what `tintype.merge` and `tintype.lab` do in numpy, in the same order, so that the numbers are the same
(the tests compare them bit for bit). In numpy it is forty passes, each too short for a second thread to gain
by it: Python's lock is given and taken between them.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tintype.errors import ModelUnreadableError
from tintype.session import SILENT

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Float: TypeAlias = NDArray[np.float32]

GRAPH: Final = Path(__file__).with_name("tinting.onnx")
OUTPUTS: Final = ("red", "green", "blue", "beyond", "fx", "fz")
_OPENING: Final = threading.Lock()


class Tinted(NamedTuple):
    """Rows in color, (rows, W) each."""

    red: NDArray[np.int32]
    """Linear, as a place in the table that encodes 8-bit sRGB."""
    green: NDArray[np.int32]
    blue: NDArray[np.int32]
    beyond: NDArray[np.bool_]
    """Which pixels miss the gamut."""
    fx: Float
    """f(X)."""
    fz: Float
    """f(Z)."""


def tinted(fy: Float, part: Float, first: Float, more: Float) -> Tinted:
    """Give rows of f(Y), (rows, W), the color of lines of it.

    Slopes of f(X) and f(Z), then offsets, are `first` + `part` * `more`: of shapes (4, 1, W), (rows, 1) and
    (4, 1, W), or with a line for each row, (4, rows, W). Raises ModelUnreadableError where the graph is
    not there.
    """
    values = _session().run(OUTPUTS, {"fy": fy, "part": part, "first": first, "more": more})
    return Tinted(*(value[0] for value in values))


def _session() -> InferenceSession:
    with _OPENING:  # once, though several threads ask at the same time
        return _opened()


@cache
def _opened() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # strips go to threads of our own
    options.enable_mem_pattern = False  # of each number of rows: 10 MB more, and nothing is won
    options.log_severity_level = SILENT
    try:
        return onnxruntime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base but this one
        raise ModelUnreadableError(GRAPH, "it belongs to Tintype: install that anew") from error
