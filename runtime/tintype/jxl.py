"""The size of a JPEG XL, from its head: its plug-in decodes all of it before it tells (ISO/IEC 18181-1)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

_CODESTREAM: Final = b"\xff\x0a"
_CONTAINER: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_LENGTHS: Final = (9, 13, 18, 30)  # bits of a side that is no multiple of 8
_RATIOS: Final = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def size(file: BinaryIO) -> tuple[int, int] | None:
    """Return width and height, px, as stored; None where the file, read from its start, does not tell."""
    file.seek(0)
    start = file.read(12)
    if start.startswith(_CODESTREAM):
        file.seek(2)
        return _size(_Bits(file.read(16)))
    return _size_in_container(file) if start == _CONTAINER else None


def _size_in_container(file: BinaryIO) -> tuple[int, int] | None:
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        taken = 8
        if length == 1:
            length, taken = int.from_bytes(file.read(8), "big"), 16
        if name in (b"jxlc", b"jxlp"):
            start = file.read(22)[4 if name == b"jxlp" else 0 :]
            return _size(_Bits(start[2:])) if start.startswith(_CODESTREAM) else None
        if length < taken:  # the last box, or none
            return None
        file.seek(length - taken, 1)
    return None


class _Bits:
    """Bits of a head, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        taken = self._left & ((1 << count) - 1)
        self._left >>= count
        return taken


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    height = _side(bits, small)
    ratio = _RATIOS.get(bits.take(3))
    return (height * ratio[0] // ratio[1] if ratio else _side(bits, small)), height


def _side(bits: _Bits, small: int) -> int:
    return 8 * (1 + bits.take(5)) if small else 1 + bits.take(_LENGTHS[bits.take(2)])
