"""Look into an ONNX file before anything carries it out: what it calls, and what it reads besides itself.

The file is protocol buffers: https://protobuf.dev/programming-guides/encoding, with the numbers of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Only lengths and names are read, weights are passed
over, so that it takes milliseconds and no memory.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final, TypeAlias

from tintype.errors import ModelContractError, ModelUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Field: TypeAlias = "tuple[int, int, int]"
    """Number of the field; start and end of its content, or its value and -1."""

LARGEST: Final = 1 << 30  # bytes of a model
MOST_NODES: Final = 20_000
MOST_FIELDS: Final = 1_000_000
DEEPEST: Final = 16  # graphs within nodes of graphs
DOMAINS: Final = frozenset({"", "ai.onnx"})
ENDLESS: Final = frozenset({"Loop", "Scan"})
_PARTS: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 8: "opset", 14: "entry", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "value": {2: "type"},
    "type": {1: "tensor type"},
    "tensor type": {2: "shape"},
    "shape": {1: "dimension"},
}
_TEXTS: Final[dict[str, tuple[int, ...]]] = {
    "model": (2, 3, 4, 6),
    "opset": (1,),
    "entry": (1, 2),
    "graph": (2, 10),
    "node": (1, 2, 3, 4, 6, 7),
    "attribute": (1, 13, 21),
    "tensor": (8, 12),
    "value": (1, 3),
    "dimension": (2, 3),
}
"""Fields that hold names and words."""
_OPERATOR, _DOMAIN = 4, 7  # fields of a node
_EXTERNAL, _LOCATION, _KEY, _VALUE = 13, 14, 1, 2  # fields of a tensor, and of what it says of other files


def check(path: Path) -> None:
    """Refuse a model that is too large, keeps data in other files, or calls what is not plain ONNX.

    Raises ModelUnreadableError, ModelContractError.
    """
    try:
        size = path.stat().st_size
        _check(path, size)
    except OSError as error:
        raise ModelUnreadableError(path, error.strerror or error) from error


def _check(path: Path, size: int) -> None:
    if size > LARGEST:
        raise ModelContractError(path, f"it has {size >> 20} MB, and at most {LARGEST >> 20} are taken")
    if size == 0:
        raise ModelUnreadableError(path, "it is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _Look(path, content).into("model", 0, size, 0)


class _Look:
    """One look into a file."""

    def __init__(self, path: Path, content: mmap.mmap) -> None:
        self._path, self._content = path, content
        self._nodes = self._count = 0

    def into(self, kind: str, start: int, end: int, depth: int) -> None:
        """Check a message of a kind, which lies between two places, and all within it."""
        if depth > 4 * DEEPEST:
            raise ModelContractError(self._path, "its graphs are nested too deeply")
        if kind == "tensor":
            self._check_tensor(start, end)
        elif kind == "node":
            self._check_node(start, end)
        parts, texts = _PARTS.get(kind, {}), _TEXTS.get(kind, ())
        for number, begin, stop in self._fields(start, end):
            if stop >= 0 and number in texts:
                self._check_text(begin, stop)
            elif stop >= 0 and number in parts:
                self.into(parts[number], begin, stop, depth + 1)

    def _check_text(self, start: int, end: int) -> None:
        """Refuse what onnxruntime would hand on as a name, and Python could not read."""
        try:
            self._content[start:end].decode()
        except UnicodeDecodeError:
            raise ModelUnreadableError(self._path, "its names are not UTF-8: it is damaged") from None

    def _check_node(self, start: int, end: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise ModelContractError(self._path, f"it has more than {MOST_NODES} nodes")
        said = {
            number: self._text(begin, stop)
            for number, begin, stop in self._fields(start, end)
            if number in (_OPERATOR, _DOMAIN) and stop >= 0
        }
        operator, domain = said.get(_OPERATOR, ""), said.get(_DOMAIN, "")
        if domain not in DOMAINS:
            raise ModelContractError(
                self._path,
                f"it calls {domain}.{operator}, an operator of its own; only those of ONNX are taken",
            )
        if operator in ENDLESS:
            raise ModelContractError(self._path, f"it calls {operator}, which may never end")

    def _check_tensor(self, start: int, end: int) -> None:
        places, elsewhere = list[str](), False
        for number, begin, stop in self._fields(start, end):
            if number == _EXTERNAL and stop >= 0:
                said = {field: self._text(first, last) for field, first, last in self._fields(begin, stop)}
                places += [said[_VALUE]] if said.get(_KEY) == "location" and _VALUE in said else []
            elsewhere |= number == _EXTERNAL or (number == _LOCATION and begin != 0)
        if elsewhere:
            place = places[0] if places else "nowhere"
            raise ModelContractError(
                self._path, f"it keeps weights in another file, {place}; a model is one file, on its own"
            )

    def _text(self, start: int, end: int) -> str:
        """Return a name; of a value that is none, and of what is too long, a part."""
        return self._content[start : min(end, start + 200)].decode("utf-8", "replace") if end >= 0 else ""

    def _fields(self, start: int, end: int) -> Iterator[Field]:
        at = start
        while at < end:
            self._count += 1
            if self._count > MOST_FIELDS:
                raise ModelContractError(self._path, f"it has more than {MOST_FIELDS} parts")
            key, at = self._varint(at, end)
            number, form = key >> 3, key & 7
            if number == 0:
                raise ModelUnreadableError(self._path, "it is no ONNX file, or is damaged")
            if form == 0:
                value, at = self._varint(at, end)
                yield number, value, -1
                continue
            if form == 2:
                length, at = self._varint(at, end)
            elif form in (1, 5):
                length = 8 if form == 1 else 4
            else:
                raise ModelUnreadableError(self._path, "it is no ONNX file, or is damaged")
            if at + length > end:
                raise ModelUnreadableError(self._path, "it is no ONNX file, or is cut off")
            if form == 2:
                yield number, at, at + length
            at += length

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if at >= end:
                break
            byte = self._content[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
        raise ModelUnreadableError(self._path, "it is no ONNX file, or is cut off")
