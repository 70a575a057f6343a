"""What chaiNNer, a program of nodes for pictures, asks of an ONNX file, as its source says (2026).

Of `backend/src/nodes/impl/onnx`: one input and one output (`is_image_to_image`), tensors of four
dimensions (`to_onnx_tensor_shape`), channels second or last and at most four (`parse_onnx_shape`), and shapes
that ONNX infers, strictly, where the input is a square of 16, 64, 256 or 512 px: the first such size is what
photographs are padded to a multiple of, by reflection; where there is none they are not padded
(`_detect_size_req`). Floats are RGB from 0 to 1.

spandrel, its library for PyTorch, opens no ONNX: ".pth", ".pt", ".ckpt" and ".safetensors" of the networks
that it knows (README, "Supported File Types").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import onnx
from onnx.tools.update_model_dims import update_inputs_outputs_dims

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

PROBES: Final = (16, 64, 256, 512)
_CHANNELS: Final = 4


class RefusedError(ValueError):
    """A file that chaiNNer does not take as a model from picture to picture."""


def multiple(model: ModelProto) -> int:
    """Return what photographs are padded to a multiple of, 1 for no padding; raises RefusedError."""
    if len(model.graph.input) != 1 or len(model.graph.output) != 1:
        raise RefusedError(f"{len(model.graph.input)} inputs, {len(model.graph.output)} outputs")
    _, channels, height, width = _shape(model.graph.input[0])
    if not isinstance(channels, int) or channels > _CHANNELS:
        raise RefusedError(f"{channels} channels")
    if isinstance(height, int) and isinstance(width, int):
        _probed(model, channels, height, width)
        return 1
    for size in PROBES:
        if all(isinstance(length, int) for length in _probed(model, channels, size, size)):
            return size
    return 1


def _probed(model: ModelProto, channels: int, height: int, width: int) -> list[int | str]:
    """Return the shape that ONNX infers for the output."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    taken, given = probe.graph.input[0], probe.graph.output[0]
    update_inputs_outputs_dims(probe, {taken.name: [1, channels, height, width]}, {given.name: _shape(given)})
    inferred = onnx.shape_inference.infer_shapes(probe, strict_mode=True)
    return _shape(inferred.graph.output[0])


def _shape(value: ValueInfoProto) -> list[int | str]:
    axes = value.type.tensor_type.shape.dim
    if len(axes) != 4:
        raise RefusedError(f"{value.name} has {len(axes)} dimensions")
    return [axis.dim_param if axis.HasField("dim_param") else axis.dim_value for axis in axes]
