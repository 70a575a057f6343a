"""Trace a network into an ONNX graph: readable names, one file, weights stored as float16."""

from __future__ import annotations

import warnings
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from tintype.metadata import INPUT

if TYPE_CHECKING:
    from collections.abc import Container

    from onnx import GraphProto, ModelProto, ValueInfoProto
    from torch import Tensor

    from torch_model.model import Network

OPSET: Final = 18
IR_VERSION: Final = 9  # what onnxruntime 1.17 and most engines of its age read
AXES: Final = ("batch", None, "height", "width")
_EXAMPLE: Final = (2, 1, 64, 96)
_SMALLEST_HALVED: Final = 64  # values: smaller initializers stay float32, there is nothing to gain


def round_weights(network: Network) -> Network:
    """Round the weights that will be stored as float16, in place, so that both sides compute the same."""
    for tensor in chain(network.parameters(), network.buffers()):
        if tensor.numel() >= _SMALLEST_HALVED:
            tensor.data = tensor.data.half().float()
    return network


class _Decoded(nn.Module):
    """A network whose raw output is decoded, as the graph's is."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, l: Tensor) -> tuple[Tensor, ...]:  # noqa: E741 - the graph's own name for lightness
        """Return ab and, of some networks, ab_mean, (N, 2, H, W), of l (N, 1, H, W)."""
        return self.network.decode(self.network(l), l)


def trace(network: Network) -> ModelProto:
    """Export a network in evaluation mode: input l, output ab, any batch, sizes multiples of 8.

    A network that predicts a distribution has the output ab_mean too.
    """
    dynamic = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Decoded(network).eval(),
            (50 * torch.ones(_EXAMPLE),),
            dynamo=True,
            opset_version=OPSET,
            external_data=False,
            input_names=[INPUT],
            output_names=list(network.OUTPUTS),
            dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic},),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    model.ir_version = IR_VERSION
    del model.graph.value_info[:]  # shapes of what lies between, full of the tracer's own symbols
    for value in (*model.graph.input, *model.graph.output):
        _name_axes(value)
    graph = model.graph
    for tensor in graph.initializer:
        name = tensor.name.removeprefix("network.")
        _rename_uses(graph, tensor.name, name)
        tensor.name = name
    for item in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del item.metadata_props[:]  # the tracer's stack frames, with the paths of this machine
    return model


def store_halved(model: ModelProto, names: Container[str] | None = None) -> ModelProto:
    """Store large float32 initializers, all or those named, as float16 with a Cast behind each; names stay.

    onnxruntime casts once, when it opens the file: half the size on disk, the speed of float32.
    """
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < _SMALLEST_HALVED:
            continue
        if names is not None and tensor.name not in names:
            continue
        name, wide = tensor.name, f"{tensor.name}.float32"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name))
        _rename_uses(graph, name, wide)
        casts.append(helper.make_node("Cast", [name], [wide], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def set_metadata(model: ModelProto, props: dict[str, str], description: str) -> None:
    """Write the contract and a description into the file."""
    helper.set_model_props(model, props)
    model.producer_name = "tintype"
    model.producer_version = props["tintype.version"]
    model.graph.name = props["tintype.model"]
    model.doc_string = description


def check(model: ModelProto) -> None:
    """Run ONNX's own checks, with strict shape inference."""
    onnx.checker.check_model(model, full_check=True)


def _name_axes(value: ValueInfoProto) -> None:
    for dimension, name in zip(value.type.tensor_type.shape.dim, AXES, strict=True):
        if name is not None:
            dimension.dim_param = name


def _rename_uses(graph: GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new
