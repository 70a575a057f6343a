"""Graphs of one fixed size, for engines that know no other: what computes sizes is folded into constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from onnx import ModelProto, numpy_helper
from onnxscript import optimizer

if TYPE_CHECKING:
    from onnx import GraphProto

_ALL: Final = 1 << 40  # values that may be folded
_FEW: Final = 63  # values: sizes and such, no weights, which keep their names


def fixed(model: ModelProto, side: int) -> ModelProto:
    """Return a model that takes one photograph of `side` x `side` px, with weights of plain float32."""
    return _folded(_sized(model, side, batch=1), _ALL)


def at(model: ModelProto, side: int) -> ModelProto:
    """Return a model that takes any number of photographs of `side` x `side` px; weights stay as stored."""
    return _folded(_sized(model, side), _FEW)


def _sized(model: ModelProto, side: int, batch: int | None = None) -> ModelProto:
    """Return a copy whose inputs and outputs say how large they are."""
    sized = ModelProto()
    sized.CopyFrom(model)
    for value in (*sized.graph.input, *sized.graph.output):
        count, _, height, width = value.type.tensor_type.shape.dim
        height.dim_value = width.dim_value = side
        if batch is not None:
            count.dim_value = batch
    return sized


def _folded(model: ModelProto, limit: int) -> ModelProto:
    """Return a model whose constant parts are constants, where what they take has up to `limit` values."""
    made: ModelProto = optimizer.optimize(model, input_size_limit=limit, output_size_limit=_ALL)
    del made.graph.value_info[:]
    for item in (made, made.graph, *made.graph.node, *made.graph.initializer):
        del item.metadata_props[:]
    _drop_padding(made.graph)
    return made


def _drop_padding(graph: GraphProto) -> None:
    """Take out padding by nothing."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "Pad" and node.input[1] in constants]:
        if not np.any(numpy_helper.to_array(constants[node.input[1]])):
            for other in graph.node:
                other.input[:] = [node.input[0] if name == node.output[0] else name for name in other.input]
            graph.node.remove(node)
