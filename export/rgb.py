"""The `rgb` form: around a network of L* and ab, all that goes before and after it, in plain ONNX operators.

One input, `rgb` (N, 3, H, W), sRGB 0..1 of any size; one output, `color`, of the same shape. The formulas
are those of `tintype.lab`, `tintype.photo` and `tintype.merge`, so that the pictures are the runtime's:

* A curve with a knee is the sum of a line below and a power above, each held where the other begins: no
  choice by element, which some engines lack, and nothing that can become no number.
* Resizing is a product with matrices of weights (`resample`).
* Chroma that lies outside of the gamut is brought in along a line of constant lightness and hue, by Newton's
  method on the cubics that linear R, G and B are there. Where such a line leaves the gamut and comes back,
  in yellow of L* 94 to 97.5, chroma ends where it first leaves; the runtime's may end further out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from export import graph
from export.ops import Ops
from export.resample import axes, enlarged, shrunk
from tintype import lab, merge
from tintype.metadata import INPUT

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

RGB: Final = "rgb"
COLOR: Final = "color"

_TO_Y: Final = lab.RGB_TO_XYZ[1:2]
_FROM_RELATIVE: Final = np.linalg.inv(lab.RGB_TO_XYZ) * lab.WHITE[None, :]  # XYZ, of white, to linear RGB
_EPSILON: Final = 0.008856  # relative luminance at the knee of L*
_KNEE: Final = _EPSILON ** (1 / 3)
_LINE: Final = 7.787
_DARK: Final = 0.04045  # sRGB at the knee of its curve
_DARK_LINEAR: Final = 0.0031308
_FAR: Final = 1e6  # a bound that nothing reaches: some engines want both
_HALF: Final = 0.5 + 0.25 / (12.92 * 255)  # of the gamut, linear, with a quarter of a step of 8 bits
_TINY: Final = 1e-12
_FIRST_SHARE: Final = 0.6  # of chroma, where Newton's method begins
_ROUNDS: Final = 4
_INK: Final = 1e-6  # luminance: nearer to black, or to white, chroma fits whole or not at all
_PAPER: Final = 1e-5
_FLAT: Final = np.array([0, 0, -1])
_TO_SPAN: Final = _FROM_RELATIVE / _HALF  # to linear RGB where the gamut goes from -1 to 1, but for an offset
_XZ: Final = _TO_SPAN[:, [0, 2]]

Matrix: TypeAlias = NDArray[np.float64]
Float: TypeAlias = NDArray[np.float32]


def compose(model: ModelProto, output: str, side: int, size: int | None = None) -> ModelProto:
    """Return the `rgb` form of a network in the `ab` form; weights and their names stay.

    `output` of the network, ab or ab_mean, is what colors; photographs are stretched to `side` x `side` px.
    With a `size` it takes one photograph of `size` x `size` px, else any number of any size.

    Raises ValueError for a network of older operators.
    """
    if model.opset_import[0].version < graph.OPSET:
        raise ValueError(f"the network has opset {model.opset_import[0].version}: {graph.OPSET} is needed")
    op = Ops("photo.")
    height, width = axes(op, RGB, side, size)
    small = cube_root(op, linear_light(op, _flat(op, shrunk(op, RGB, height, width, side))))
    lightness = op("Sub", op("Mul", small, 116.0), 16.0)
    op("Reshape", lightness, np.array([0, 1, side, side]), name=INPUT)
    before, op.nodes = op.nodes, []
    op.prefix = "color."
    slope, offset = (
        _flat(op, enlarged(op, planes, height, width, side)) for planes in fit(op, INPUT, output)
    )
    light = linear_light(op, _flat(op, RGB))
    f = cube_root(op, light)
    chroma = op("Add", op("Mul", slope, f), offset)
    op("Reshape", encoded(op, fitting(op, light, f, chroma)), op("Shape", RGB), name=COLOR)
    network = _needed(model, output)
    taken = {name for node in network for name in node.input}
    whole = helper.make_graph(
        [*before, *network, *op.nodes],
        model.graph.name,
        [_picture(RGB, size)],
        [_picture(COLOR, size)],
        [*(tensor for tensor in model.graph.initializer if tensor.name in taken), *op.constants],
    )
    return helper.make_model(whole, opset_imports=model.opset_import, ir_version=model.ir_version)


def linear_light(op: Ops, rgb: str) -> str:
    """Return luminance (N, 1, P) in [0, 1] of the pixels of sRGB (N, 3, P)."""
    dark, bright = op("Clip", rgb, 0.0, _DARK), op("Clip", rgb, _DARK, 1.0)
    power = op("Exp", op("Mul", op("Log", op("Add", bright, 0.055)), 2.4))
    at_knee = _TO_Y.sum() * ((_DARK + 0.055) / 1.055) ** 2.4
    line = op("Sub", op("MatMul", _float32(_TO_Y / 12.92), dark), float(at_knee))
    return op("Add", op("MatMul", _float32(_TO_Y / 1.055**2.4), power), line)


def cube_root(op: Ops, light: str) -> str:
    """Return f(Y) of luminance, the cube root with a line below its knee; L* is 116 f(Y) - 16."""
    root = op("Exp", op("Mul", op("Log", op("Clip", light, _EPSILON, _FAR)), 1 / 3))
    line = op("Mul", op("Sub", op("Clip", light, 0.0, _EPSILON), _EPSILON), _LINE)
    return op("Add", root, line)


def fit(op: Ops, l: str, ab: str) -> tuple[str, str]:  # noqa: E741 - the graph's own name for lightness
    """Return slopes and offsets (N, 2, h, w) of what f(X) and f(Z) have more than f(Y), as lines of f(Y).

    The guided filter of `tintype.merge`.
    """
    mean_l, mean_ab = _mean(op, l), _mean(op, ab)
    variance = op("Sub", _mean(op, op("Mul", l, l)), op("Mul", mean_l, mean_l))
    covariance = op("Sub", _mean(op, op("Mul", ab, l)), op("Mul", mean_ab, mean_l))
    steady = op("Add", op("Clip", variance, 0.0, _FAR), merge.SMOOTHNESS)
    slope = op("Div", covariance, steady)
    offset = _mean(op, op("Sub", mean_ab, op("Mul", slope, mean_l)))
    slope = _mean(op, slope)
    units = np.array([1 / 500, -1 / 200], np.float32).reshape(1, 2, 1, 1)  # a to f(X), b to f(Z)
    at_zero = op("Sub", offset, op("Mul", slope, 16.0))  # L* = 116 f(Y) - 16
    return op("Mul", slope, 116 * units), op("Mul", at_zero, units)


def fitting(op: Ops, light: str, f: str, chroma: str) -> str:
    """Return linear RGB (N, 3, P) with as much of the chroma as the gamut holds, which goes from -1 to 1.

    Chroma (N, 2, P) is what f(X) and f(Z) have more than f(Y). A Newton step goes to where the first of the
    three channels meets its bound.
    """
    apart = 0.5 / _HALF + _KNEE / _LINE * _XZ.sum(axis=1, keepdims=True)
    grey = op("Sub", op("MatMul", _float32(_TO_SPAN[:, 1:2]), light), _float32(apart))
    share: str | float = _FIRST_SHARE
    for _ in range(_ROUNDS):
        colors, squares = _mixed(op, grey, f, op("Mul", chroma, share))
        slopes = op("MatMul", _float32(3 * _XZ), op("Mul", squares, chroma))
        room = op("Sub", op("Abs", slopes), op("Mul", colors, slopes))  # to the bound ahead, times steepness
        steps = op("Div", room, op("Clip", op("Mul", slopes, slopes), _TINY, _FAR))
        step = op("ReduceMin", steps, np.array([1]), keepdims=1)
        share = op("Clip", op("Add", step, share), 0.0, 1.0)
    fits = op("Clip", op("Mul", op("Sub", share, 0.999), 1e3), 0.0, 1.0)
    colored = op("Mul", _ramp(op, light, 0.0, _INK), _ramp(op, light, 1.0, -_PAPER))
    share = op("Clip", op("Add", op("Mul", share, colored), fits), 0.0, 1.0)
    return _mixed(op, grey, f, op("Mul", chroma, share))[0]


def encoded(op: Ops, colors: str) -> str:
    """Return sRGB 0..1 (N, 3, P) of linear RGB in the gamut from -1 to 1."""
    linear = op("Add", op("Mul", colors, _HALF), 0.5)
    dark, bright = op("Clip", linear, 0.0, _DARK_LINEAR), op("Clip", linear, _DARK_LINEAR, 1.0)
    power = op("Mul", op("Exp", op("Mul", op("Log", bright), 1 / 2.4)), 1.055)
    at_knee = 1.055 * _DARK_LINEAR ** (1 / 2.4)
    curve = op("Sub", op("Add", op("Mul", dark, 12.92), power), at_knee)
    return op("Clip", curve, 0.0, 1.0)


def _mixed(op: Ops, grey: str, f: str, chroma: str) -> tuple[str, str]:
    """Return linear RGB, and the squares of f(X) and f(Z), of the differences of these to f(Y)."""
    both = op("Add", chroma, f)
    bright = op("Clip", both, _KNEE, _FAR)
    squares = op("Mul", bright, bright)
    line = op("Mul", op("Clip", both, -_FAR, _KNEE), 1 / _LINE)
    relative = op("Add", op("Mul", squares, bright), line)  # X and Z, of white, and what the knee adds
    return op("Add", op("MatMul", _float32(_XZ), relative), grey), squares


def _ramp(op: Ops, light: str, end: float, width: float) -> str:
    """Return 0 where light is within a width of an end, black or white, and 1 from twice the width on."""
    return op("Clip", op("Mul", op("Sub", light, end + width), 1 / width), 0.0, 1.0)


def _mean(op: Ops, planes: str) -> str:
    window = 2 * merge.RADIUS + 1
    return op("AveragePool", planes, kernel_shape=[window] * 2, pads=[merge.RADIUS] * 4)


def _flat(op: Ops, planes: str) -> str:
    """Return planes (N, C, H, W) as (N, C, P): a matrix product then mixes channels."""
    return op("Reshape", planes, _FLAT)


def _float32(values: Matrix) -> Float:
    return values.astype(np.float32)


def _picture(name: str, size: int | None) -> ValueInfoProto:
    shape: list[str | int | None] = ["batch", 3, "height", "width"] if size is None else [1, 3, size, size]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _needed(model: ModelProto, output: str) -> list[NodeProto]:
    """Return the nodes that an output needs, in their order."""
    wanted, nodes = {output}, []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            nodes.append(node)
    return nodes[::-1]
