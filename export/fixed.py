"""Graphs of one fixed size, for engines that know no other: what computes sizes is folded into constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper
from onnxscript import optimizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import GraphProto, NodeProto

_ALL: Final = 1 << 40  # values that may be folded
_FEW: Final = 63  # values: sizes and such, no weights, which keep their names
_BROADCAST: Final = frozenset({"Add", "Sub", "Mul", "Div"})


def fixed(model: ModelProto, side: int) -> ModelProto:
    """Return a model that takes one photograph of `side` x `side` px, of the simplest operators.

    Weights are plain float32.
    """
    made = _folded(_sized(model, side, batch=1), _ALL)
    _spell_out(made)
    return made


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


def _spell_out(model: ModelProto) -> None:
    """Write what some engines refuse in words that they know.

    OpenCV takes no two new axes at once, and no matrix as the left factor of two products; OpenCV 5 spreads
    nothing over channels.
    """
    graph = model.graph
    inferred = onnx.shape_inference.infer_shapes(model).graph
    values = (*inferred.input, *inferred.value_info, *inferred.output)
    shapes = {item.name: [axis.dim_value for axis in item.type.tensor_type.shape.dim] for item in values}
    nodes = [part for node in graph.node for part in _spelled(node, graph, shapes)]
    del graph.node[:]
    graph.node.extend(nodes)
    taken = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in taken]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _spelled(node: NodeProto, graph: GraphProto, shapes: dict[str, list[int]]) -> Iterator[NodeProto]:
    meant = shapes.get(node.output[0], [])
    if node.op_type == "Unsqueeze":
        yield _shaped("Reshape", node.input[0], node.output[0], meant, graph)
        return
    if node.op_type == "MatMul" and node.input[0] not in shapes:  # a constant
        (matrix,) = (tensor for tensor in graph.initializer if tensor.name == node.input[0])
        node.input[0] = f"{node.output[0]}.matrix"
        graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(matrix), node.input[0]))
    if node.op_type in _BROADCAST:
        for place, name in enumerate(list(node.input)):
            if shapes.get(name, meant) != meant:
                node.input[place] = f"{node.output[0]}.{place}"
                yield _shaped("Expand", name, node.input[place], meant, graph)
    yield node


def _shaped(kind: str, name: str, output: str, shape: list[int], graph: GraphProto) -> NodeProto:
    graph.initializer.append(numpy_helper.from_array(np.array(shape), f"{output}.shape"))
    return helper.make_node(kind, [name, f"{output}.shape"], [output], name=output)
