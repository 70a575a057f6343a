"""Resizing inside a graph, by products with matrices of weights that are made from the photograph's size.

Exact, antialiased, and of operators that every engine has; where the size is fixed they fold to constants.
The rules, and where values are rounded to 8 bits, are Pillow's, so that a network sees what the runtime shows
it: some networks answer to half a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from onnx import TensorProto

if TYPE_CHECKING:
    from export.ops import Ops, Value

_REDUCING_GAP: Final = 3  # as in `tintype.photo`
_TURN: Final = [0, 1, 3, 2]  # columns to rows


@dataclass(frozen=True)
class Axis:
    """An axis of the photograph; all lengths are int64 (1)."""

    number: int
    """2 or 3, of (N, C, H, W)."""
    length: Value
    """px."""
    block: Value
    """How many pixels are averaged before the rest of the way to the working size."""
    count: Value
    """Of blocks; the last one may be smaller."""


def axes(op: Ops, rgb: str, side: int, size: int | None) -> tuple[Axis, Axis]:
    """Return the axes of a photograph (N, C, H, W), height and width.

    `side` is what it will be stretched to, `size` what both axes are known to have; None for any size.
    """
    if size is None:
        return _axis(op, rgb, 2, side), _axis(op, rgb, 3, side)
    if size >= 2 * _REDUCING_GAP * side:
        raise ValueError(f"a fixed size of {size} px is too large for a working size of {side} px")
    length, one = np.array([size]), np.array([1])
    return Axis(2, length, one, length), Axis(3, length, one, length)


def shrunk(op: Ops, rgb: str, height: Axis, width: Axis, side: int) -> str:
    """Return a photograph (N, C, H, W) of 0..1 stretched to `side` x `side` px, in steps of 1 / 255.

    It is averaged in blocks down to three times the size, then bicubic.
    """
    levels = _averaged(op, rgb, height, width)
    across, down = (_bicubic(op, axis, side) for axis in (width, height))
    turned = op("Transpose", levels, perm=_TURN)
    small = _along(op, op("Transpose", _along(op, levels, across), perm=_TURN), down)
    if isinstance(height.count, str):  # of squares the width is always first
        other = _along(op, op("Transpose", _along(op, turned, down), perm=_TURN), across)
        other = op("Transpose", other, perm=_TURN)
        first = _height_first(op, height, width, side)
        small = op("Add", small, op("Mul", op("Sub", other, small), first))
    return op("Mul", op("Transpose", small, perm=_TURN), 1 / 255)


def enlarged(op: Ops, planes: str, height: Axis, width: Axis, side: int) -> str:
    """Return planes (N, C, side, side) at the photograph's size: bilinear, antialiased where they shrink."""
    for axis in (height, width):
        planes = op("Transpose", planes, perm=_TURN)
        planes = op("MatMul", planes, _bilinear(op, axis, side))
    return planes


def _axis(op: Ops, rgb: str, number: int, side: int) -> Axis:
    length = op("Shape", rgb, start=number, end=number + 1)
    block = op("Max", op("Div", length, np.array([_REDUCING_GAP * side])), np.array([1]))
    count = op("Div", op("Sub", op("Add", length, block), np.array([1])), block)
    return Axis(number, length, block, count)


def _averaged(op: Ops, rgb: str, height: Axis, width: Axis) -> str:
    """Return levels 0..255 of a photograph whose blocks of pixels are one pixel each, rounded as Pillow does.

    It multiplies sums by 2^24 / count, cut to whole numbers.
    """
    if not isinstance(width.block, str):
        return op("Floor", op("Add", op("Mul", rgb, 255.0), 0.5))
    sums = op("Mul", _summed(op, _summed(op, rgb, width), height), 255.0)
    rows = op("Reshape", _sizes(op, height), np.array([-1, 1]))
    pixels = _float(op, op("Mul", rows, _sizes(op, width)))  # of each block, (h, w)
    half = op("Floor", op("Mul", pixels, 0.5))
    shares = op("Mul", op("Floor", op("Div", 2.0**24, pixels)), 2.0**-24)
    return op("Floor", op("Mul", op("Add", op("Floor", op("Add", sums, 0.5)), half), shares))


def _summed(op: Ops, planes: str, axis: Axis) -> str:
    """Return the sums of blocks of pixels along an axis."""
    lacking = op("Sub", op("Mul", axis.block, axis.count), axis.length)
    nothing, others = np.zeros(axis.number + 4, np.int64), np.zeros(3 - axis.number, np.int64)
    padded = op("Pad", planes, op("Concat", nothing, lacking, others, axis=0))
    kept, rest = np.zeros(axis.number, np.int64), np.full(3 - axis.number, -1)
    blocks = op("Reshape", padded, op("Concat", kept, axis.count, axis.block, rest, axis=0))
    return op("ReduceSum", blocks, np.array([axis.number + 1]), keepdims=0)


def _along(op: Ops, levels: str, weights: str) -> str:
    """Return levels whose last axis was multiplied by weights, whole numbers in 0..255."""
    return op("Floor", op("Add", op("Clip", op("MatMul", levels, weights), 0.0, 255.0), 0.5))


def _height_first(op: Ops, height: Axis, width: Axis, side: int) -> str:
    """Return 1.0 where Pillow (13) resizes the height first, which changes what is rounded; else 0.0."""
    rows, columns = _float(op, height.count), _float(op, width.count)
    tall = op("Clip", op("Sub", op("Add", rows, float(side)), op("Mul", columns, 2.0)), 0.0, 1.0)
    return op("Mul", tall, op("Clip", op("Sub", rows, float(side)), 0.0, 1.0))


def _sizes(op: Ops, axis: Axis) -> str:
    """Return how many pixels each block has, int64."""
    begun = op("Mul", _numbers(op, axis.count), axis.block)
    return op("Min", op("Sub", axis.length, begun), axis.block)


def _bicubic(op: Ops, axis: Axis, side: int) -> str:
    """Return weights (blocks, side) that bring the blocks of an axis to `side` pixels."""
    places = op("Reshape", _numbers(op, axis.count), np.array([-1, 1]))
    x = _distances(op, places, op("Mul", axis.block, np.array([side])), np.arange(side), axis.length)
    near, far = op("Clip", x, 0.0, 1.0), op("Clip", x, 1.0, 2.0)
    hill = op("Mul", op("Mul", near, near), op("Sub", op("Mul", near, 1.5), 2.5))
    tail = op("Sub", op("Mul", op("Sub", 2.5, op("Mul", far, 0.5)), far), 4.0)
    return _normalized(op, op("Add", op("Add", hill, op("Mul", tail, far)), 3.0))


def _bilinear(op: Ops, axis: Axis, side: int) -> str:
    """Return weights (side, length) that bring `side` pixels to the length of an axis."""
    places, there = np.arange(side).reshape(-1, 1), _numbers(op, axis.length)
    x = _distances(op, places, axis.length, there, np.array([side]))
    return _normalized(op, op("Clip", op("Sub", 1.0, x), 0.0, 1.0))


def _distances(op: Ops, old: Value, wide: Value, new: Value, narrow: Value) -> str:
    """Return how far pixels `old` (h, 1) are from pixels `new` (w), (h, w).

    A pixel of the one kind is to one of the other as `wide` to `narrow`; the distance is in pixels of the
    larger kind, so that a kernel over it is antialiased. All is whole numbers until the end: engines that
    compute in bfloat16, where 257 does not exist, would lay pixels on one another.
    """
    centers = (op("Mul", _odd(op, old), wide), op("Mul", _odd(op, new), narrow))
    apart = _float(op, op("Abs", op("Sub", *centers)))
    return op("Div", apart, _float(op, op("Mul", op("Max", wide, narrow), np.array([2]))))


def _odd(op: Ops, numbers: Value) -> str:
    """Return twice the centers of pixels, int64."""
    return op("Add", op("Mul", numbers, np.array([2])), np.array([1]))


def _normalized(op: Ops, weights: str) -> str:
    """Return weights whose columns have the sum 1."""
    return op("Div", weights, op("ReduceSum", weights, np.array([0]), keepdims=1))


def _numbers(op: Ops, count: Value) -> str:
    """Return 0, 1, 2, ... of a count (1), int64."""
    return op("Range", np.array(0), op("Squeeze", count), np.array(1))


def _float(op: Ops, value: Value) -> str:
    return op("Cast", value, to=TensorProto.FLOAT)
