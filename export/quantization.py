"""Forms of a model with less precision: float16 and int8, each float32 in and out.

They differ from the model in its body alone (`export.body`): scaling, Lab, resizing, sums over a photograph,
the first and the last convolution, tanh and softmax stay float32.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from export import body, figures, graph
from tintype.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onnx import ModelProto, NodeProto

HALF, INT8 = "fp16", "int8"  # stand behind the name of a model, to tell its forms apart
HALVED: Final = frozenset({"Conv", "Relu", "Clip", "Add", "Sub", "Mul", "Div", "Concat"})
QUANTIZED: Final = ("Conv", "Add", "Concat", "Relu", "Clip")
CLASSIFIER: Final = "classifier."
"""What names of a classifier's weights begin with. Its narrow layers lose much: with it, the network of
`unet` is 1.2 times faster, and its colors are 13 times as far from float32's."""
FOLDER: Final = Path(__file__).parent / "ranges"


@dataclass(frozen=True)
class Ranges:
    """How far the values in a network's body go on photographs: what int8 must be able to hold."""

    weights: str
    """Of which network: `body.weights_digest`."""
    method: str
    """minmax, entropy, or percentile with how many."""
    data: str
    photos: int
    values: dict[str, tuple[float, float]]
    """Lowest and highest, by the name of the value in the graph."""

    @classmethod
    def read(cls, name: str) -> Ranges:
        """Read those of a released model; raises UsageError where it was never calibrated."""
        path = FOLDER / f"{name}.json"
        if not path.is_file():
            raise UsageError(f"{name} was not calibrated: run {command(name)}")
        found = json.loads(path.read_text(encoding="utf-8"))
        values = {key: (float(low), float(high)) for key, (low, high) in found.pop("values").items()}
        return cls(**found, values=values)

    def write(self, name: str) -> Path:
        """Write those of a released model; return the file."""
        path = FOLDER / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path


def command(name: str) -> str:
    """Return what calibrates a model."""
    return f"python -m export.calibration {name} --data PHOTOS"


def half(model: ModelProto) -> ModelProto:
    """Return a copy of a model of form ab that computes its body in float16.

    Resizing and sums over a photograph within the body stay float32, too. Weights keep their names.
    """
    found = body.widen(model)
    chosen = [node for node in body.between(found) if node.op_type in HALVED]
    _halve_constants(found, chosen)
    _cast(found, chosen)
    return _named(graph.store_halved(found), model, HALF)


def int8(model: ModelProto, ranges: Ranges) -> ModelProto:
    """Return a copy of a model of form ab that computes its body in int8: static, as Q and DQ nodes.

    A classifier stays float32, too. Weights are signed, of seven bits (without VNNI eight could overflow),
    with a scale for each channel; values are unsigned, of eight bits. Raises UsageError where the ranges are
    of other weights.
    """
    if ranges.weights != body.weights_digest(model):
        name = next((item.value for item in model.metadata_props if item.key == "tintype.model"), "a model")
        raise UsageError(f"{name} has other weights than those that were calibrated: run {command(name)}")
    found = body.widen(model)
    nodes = quantized(found)
    floats = {tensor.name for tensor in found.graph.initializer}
    found = _quantize(found, [node.name for node in nodes], ranges.values)
    return _named(graph.store_halved(found, floats), model, INT8)


def quantized(model: ModelProto) -> list[NodeProto]:
    """Return the nodes that int8 computes in int8, of a model with weights stored as float32.

    What does not multiply is among them where it stands behind one that is, so that it costs nothing.
    """
    chosen: list[NodeProto] = []
    values = set[str]()
    for node in body.between(model):
        multiplies = node.op_type == "Conv" and not node.input[1].startswith(CLASSIFIER)
        if multiplies or (node.op_type in QUANTIZED and not values.isdisjoint(node.input)):
            chosen.append(node)
            values.update(node.output)
    return chosen


def _quantize(model: ModelProto, names: list[str], values: dict[str, tuple[float, float]]) -> ModelProto:
    from onnxruntime.quantization import CalibrationMethod, QDQQuantizer, QuantType, TensorData, TensorsData

    data = {
        name: TensorData(lowest=np.float32(low), highest=np.float32(high))
        for name, (low, high) in values.items()
    }
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, data),
        nodes_to_quantize=names,
        nodes_to_exclude=[],
        op_types_to_quantize=list(QUANTIZED),
        extra_options={},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    made: ModelProto = quantizer.model.model
    made.ir_version = graph.IR_VERSION
    del made.graph.value_info[:]
    return made


def _halve_constants(model: ModelProto, nodes: Sequence[NodeProto]) -> None:
    """Store the initializers of some nodes as float16; what other nodes use as well becomes two."""
    inside = {name for node in nodes for name in node.input}
    names = {node.name for node in nodes}
    outside = {name for node in model.graph.node if node.name not in names for name in node.input}
    for tensor in list(model.graph.initializer):
        if tensor.name not in inside or tensor.data_type != TensorProto.FLOAT:
            continue
        values, name = numpy_helper.to_array(tensor).astype(np.float16), tensor.name
        if name not in outside:
            tensor.CopyFrom(numpy_helper.from_array(values, name))
            continue
        model.graph.initializer.append(numpy_helper.from_array(values, f"{name}.float16"))
        for node in nodes:
            node.input[:] = [f"{name}.float16" if given == name else given for given in node.input]


def _cast(model: ModelProto, halved: Sequence[NodeProto]) -> None:
    """Put one Cast where a value goes into the halved nodes, and one where it leaves them."""
    names = {node.name for node in halved}
    made = {name: node.name in names for node in model.graph.node for name in node.output}
    made |= {item.name: False for item in model.graph.input}
    casts: dict[str, str] = {}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        inside = node.name in names
        for name in _foreign(node, made, inside=inside):
            if name not in casts:
                casts[name] = f"{name}.{'float16' if inside else 'float32'}"
                kind = TensorProto.FLOAT16 if inside else TensorProto.FLOAT
                nodes.append(
                    helper.make_node("Cast", [name], [casts[name]], name=f"{casts[name]}.cast", to=kind)
                )
            node.input[:] = [casts[name] if given == name else given for given in node.input]
        nodes.append(node)
    body.put(model.graph, nodes)


def _foreign(node: NodeProto, made: dict[str, bool], *, inside: bool) -> Iterator[str]:
    """Name the inputs of a node that were computed in the other precision."""
    return (name for name in list(node.input) if made.get(name, inside) != inside)


def _named(made: ModelProto, model: ModelProto, form: str) -> ModelProto:
    """Say in the metadata which form of which model it is, and how far it was measured to be from that.

    What was measured of the model itself is told apart: `float32` holds it, beside the form's own figures.
    """
    props = {item.key: item.value for item in model.metadata_props}
    if "tintype.model" in props:
        known = json.loads(props["tintype.metrics"])
        measured = figures.of(props["tintype.model"], form, body.weights_digest(model))
        props["tintype.metrics"] = json.dumps({"float32": measured | {"metrics": known}}, sort_keys=True)
        props["tintype.model"] += f"-{form}"
        graph.set_metadata(made, props, model.doc_string)
    return made
