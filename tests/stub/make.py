"""Write the stub models beside this file: two kilobytes that answer at once, for tests of the runtime.

    python tests/stub/make.py

They carry the contract of a released model, and their color depends on lightness alone:
a = L / 5 - 10, b = 20 - L / 4; the second one also gives ab_mean = ab / 2.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from onnx import TensorProto, helper

from tintype.metadata import INPUT, MEAN_OUTPUT, OUTPUT, Metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onnx import ModelProto, ValueInfoProto

HERE: Final = Path(__file__).parent
WORKING_SIZE: Final = 64
METADATA: Final = {
    name: Metadata(name, "1", WORKING_SIZE, "Tintype contributors", "MIT", {"data": "none"}, {"psnr": 1.5})
    for name in ("stub", "stub_mean")
}


def build(
    props: Mapping[str, str],
    *,
    mean: bool = False,
    input_name: str = INPUT,
    output_name: str = OUTPUT,
    channels: int = 2,
    size: int | None = None,
) -> ModelProto:
    """Build a stub; other names, channels or one fixed size make a model that is not one of ours."""
    side = ("height", "width") if size is None else (size, size)
    slopes = helper.make_tensor("slopes", TensorProto.FLOAT, [1, 2, 1, 1], [1 / 5, -1 / 4])
    offsets = helper.make_tensor("offsets", TensorProto.FLOAT, [1, 2, 1, 1], [-10.0, 20.0])
    half = helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5])
    nodes = [
        helper.make_node("Mul", [input_name, "slopes"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offsets"], [output_name]),
    ]
    outputs = [_value(output_name, channels, side)]
    if mean:
        nodes.append(helper.make_node("Mul", [output_name, "half"], [MEAN_OUTPUT]))
        outputs.append(_value(MEAN_OUTPUT, channels, side))
    graph = helper.make_graph(
        nodes, "stub", [_value(input_name, 1, side)], outputs, [slopes, offsets, *([half] if mean else [])]
    )
    model = helper.make_model(
        graph, producer_name="tintype", opset_imports=[helper.make_opsetid("", 13)], ir_version=9
    )
    helper.set_model_props(model, dict(props))
    return model


def _value(name: str, channels: int, side: tuple[str, str] | tuple[int, int]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, *side])


def files() -> dict[str, bytes]:
    """Return the name and content of each file that this script writes."""
    return {
        f"{name}.onnx": build(metadata.to_props(), mean=name == "stub_mean").SerializeToString(
            deterministic=True
        )
        for name, metadata in METADATA.items()
    }


if __name__ == "__main__":
    for name, content in files().items():
        (HERE / name).write_bytes(content)
        print(f"{name}: {len(content)} bytes")
