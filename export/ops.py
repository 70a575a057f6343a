"""Nodes of an ONNX graph, written one after another as one would write a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import NodeProto, TensorProto

Value: TypeAlias = "str | float | NDArray[Any]"
"""What a node takes: the name of another's output, or a constant. Numbers are float32."""


class Ops:
    """A tape of nodes and the constants that they take."""

    def __init__(self, prefix: str) -> None:
        """All that is recorded bears names that begin with `prefix`, but for those that are given."""
        self.prefix = prefix
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._numbers: dict[float, str] = {}

    def __call__(self, kind: str, *inputs: Value, name: str = "", **attributes: Any) -> str:
        """Record an operator; return the name of its one output: `name`, or one that is made up."""
        output = name or f"{self.prefix}{kind.lower()}_{len(self.nodes)}"
        taken = [self._named(item) for item in inputs]
        self.nodes.append(helper.make_node(kind, taken, [output], name=output, **attributes))
        return output

    def _named(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, np.ndarray):
            return self._constant(value)
        if value not in self._numbers:
            self._numbers[value] = self._constant(np.array(value, np.float32))
        return self._numbers[value]

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array.copy(order="C"), name))
        return name
