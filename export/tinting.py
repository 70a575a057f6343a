"""The arithmetic of merging at 8 bits, as a graph: `python -m export.tinting` writes it into the runtime.

What `tintype.merge` and `tintype.lab` do in numpy, operator by operator in the same order, so that the
numbers are the same. It holds no weights and belongs to no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from export import graph
from export.ops import Ops
from tintype import lab, tinting

if TYPE_CHECKING:
    from onnx import ModelProto

_CODES: Final = float(lab.CODES)


def build() -> ModelProto:
    """Return the graph; what goes in and out is said in `tintype.tinting`."""
    op = Ops("tint.")
    lines = [_split(op, name) for name in ("first", "more")]
    slope_x, slope_z, offset_x, offset_z = (
        op("Add", op("Mul", more, "part"), first) for first, more in zip(*lines, strict=True)
    )
    fx = op("Add", op("Mul", slope_x, "fy"), offset_x, name="fx")
    fz = op("Add", op("Mul", slope_z, "fy"), offset_z, name="fz")
    relative = [_backward(op, f) for f in (fx, "fy", fz)]
    planes = [_mixed(op, row, relative) for row in lab.TO_CODES]
    too_much = op("GreaterOrEqual", op("Max", *planes), _CODES + 1)
    too_little = op("LessOrEqual", op("Min", *planes), -1.0)
    op("Or", too_much, too_little, name="beyond")
    for name, plane in zip(("red", "green", "blue"), planes, strict=True):
        op("Cast", op("Clip", plane, -1.0, _CODES + 1), name=name, to=TensorProto.INT32)
    whole = helper.make_graph(
        op.nodes,
        "tinting",
        [
            helper.make_tensor_value_info("fy", TensorProto.FLOAT, ["rows", "width"]),
            helper.make_tensor_value_info("part", TensorProto.FLOAT, ["rows", 1]),
            *(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, "lines", "width"])
                for name in ("first", "more")
            ),
        ],
        [
            helper.make_tensor_value_info(name, kind, [1, "rows", "width"])
            for name, kind in zip(tinting.OUTPUTS, _KINDS, strict=True)
        ],
        op.constants,
    )
    return helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", graph.OPSET)], ir_version=graph.IR_VERSION
    )


_KINDS: Final = (*[TensorProto.INT32] * 3, TensorProto.BOOL, *[TensorProto.FLOAT] * 2)


def _split(op: Ops, name: str) -> list[str]:
    """Return the four planes (1, lines, width) of a stack."""
    return [op("Slice", name, np.array([n]), np.array([n + 1]), np.array([0])) for n in range(4)]


def _backward(op: Ops, f: str) -> str:
    bright = op("Max", f, float(lab.KNEE))
    cube = op("Mul", op("Mul", bright, bright), bright)
    return op("Add", cube, op("Mul", op("Sub", f, bright), float(lab.LINE)))


def _mixed(op: Ops, row: lab.Float, relative: list[str]) -> str:
    red, green, blue = (op("Mul", one, float(weight)) for one, weight in zip(relative, row, strict=True))
    return op("Add", op("Add", red, green), blue)


def main() -> None:
    """Write the graph where the runtime looks for it."""
    onnx.save(build(), tinting.GRAPH)


if __name__ == "__main__":
    main()
