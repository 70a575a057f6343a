"""The body of a graph: what lies between its first and its last convolution, where nearly all time goes.

Before it stands what must stay exact (scaling of lightness, Lab, resizing), behind it the last tanh or
softmax, the way back to CIE units and, of some networks, convolutions that refine color. Forms of less
precision differ from the released one in the body alone.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_CONVOLUTION: Final = frozenset({"Conv"})
_ENDS: Final = frozenset({"Tanh", "Softmax"})


def widen(model: ModelProto) -> ModelProto:
    """Return a copy that holds its weights as float32 instead of as float16 with a Cast behind each."""
    wide = ModelProto()
    wide.CopyFrom(model)
    graph = wide.graph
    stored = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    names = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Cast" and node.input[0] in stored
    }
    nodes = [node for node in graph.node if node.output[0] not in names]
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
    for name in set(names.values()):
        values = numpy_helper.to_array(stored[name]).astype(np.float32)
        stored[name].CopyFrom(numpy_helper.from_array(values, name))
    put(graph, nodes)
    return wide


def put(graph: GraphProto, nodes: list[NodeProto]) -> None:
    """Replace the nodes of a graph."""
    del graph.node[:]
    graph.node.extend(nodes)


def between(model: ModelProto) -> list[NodeProto]:
    """Return the nodes that have a convolution before them and one behind them, in order.

    Of several first convolutions (`fusion` looks with two networks) none is among them. What refines color
    behind the last tanh or softmax does not count; a softmax by which places agree stands before that. Nor do
    nodes that reckon sizes, in whole numbers.
    """
    nodes = list(model.graph.node)
    inner = _reached(nodes[::-1], _ENDS, forwards=False)
    outer = [node for node in nodes if node.op_type not in _ENDS or node.name not in inner]
    color = _reached(outer, _ENDS, forwards=True)
    nodes = [node for node in nodes if node.name not in color]
    behind = _reached(nodes, _CONVOLUTION, forwards=True)
    before = _reached(nodes[::-1], _CONVOLUTION, forwards=False)
    inside = (behind & before) - _sizes(model.graph)
    return [node for node in model.graph.node if node.name in inside]


def _sizes(graph: GraphProto) -> set[str]:
    """Return the names of nodes that reckon with nothing but sizes and whole numbers."""
    whole = {tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.INT64}
    found = set[str]()
    for node in graph.node:
        given = set(node.input) - {""}
        if node.op_type == "Shape" or (given and given <= whole):
            whole.update(node.output)
            found.add(node.name)
    return found


def _reached(nodes: list[NodeProto], kinds: frozenset[str], *, forwards: bool) -> set[str]:
    """Return the names of nodes that depend on one of some kinds or, backwards, that one depends on."""
    values, found = set[str](), set[str]()
    for node in nodes:
        taken, given = (node.input, node.output) if forwards else (node.output, node.input)
        reached = not values.isdisjoint(taken)
        if reached:
            found.add(node.name)
        if reached or node.op_type in kinds:
            values.update(given)
    values.discard("")
    return found


def weights_digest(model: ModelProto) -> str:
    """Return the SHA-256 of names and values of all weights, however they are stored."""
    digest = hashlib.sha256()
    for tensor in sorted(model.graph.initializer, key=lambda tensor: tensor.name):
        values = numpy_helper.to_array(tensor)
        if values.dtype in (np.float16, np.float32):
            digest.update(tensor.name.encode() + values.astype(np.float32).tobytes())
    return digest.hexdigest()
