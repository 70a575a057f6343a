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
        self._constants: dict[tuple[str, tuple[int, ...], bytes], TensorProto] = {}

    def __call__(self, kind: str, *inputs: Value, name: str = "", **attributes: Any) -> str:
        """Record an operator; return the name of its one output: `name`, or one that is made up."""
        output = name or f"{self.prefix}{kind.lower()}_{len(self.nodes)}"
        taken = [item if isinstance(item, str) else self._constant(item) for item in inputs]
        self.nodes.append(helper.make_node(kind, taken, [output], name=output, **attributes))
        return output

    @property
    def constants(self) -> list[TensorProto]:
        """The constants, as initializers."""
        return list(self._constants.values())

    def _constant(self, value: float | NDArray[Any]) -> str:
        array = np.asarray(value, None if isinstance(value, np.ndarray) else np.float32)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"{self.prefix}constant_{len(self._constants)}"
            self._constants[key] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return self._constants[key].name
