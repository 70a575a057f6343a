"""PGM and PPM with more than 8 bits a channel: Pillow reads color with 8, and writes none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing import BinaryIO

    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]

_HEAD: Final = re.compile(rb"(P[56])" + rb"(?:\s|#[^\n]*\n)+(\d{1,10})" * 3 + rb"\s")
_LONGEST_HEAD: Final = 4096
_BLOCK: Final = 1 << 18  # px read at once


class Header(NamedTuple):
    """What a PGM or PPM says in front."""

    channels: int
    width: int
    height: int
    most: int
    """The value that stands for white."""
    length: int
    """Bytes of the header."""


def header(file: BinaryIO) -> Header | None:
    """Return the header of a PGM or PPM in its binary form whose file stands at its start, and go back."""
    start = file.tell()
    found = _HEAD.match(file.read(_LONGEST_HEAD))
    file.seek(start)
    if found is None:
        return None
    width, height, most = (int(found[group]) for group in (2, 3, 4))
    return Header(1 if found[1] == b"P5" else 3, width, height, most, found.end())


def read(file: BinaryIO, watch: Watch | None = None) -> Array:
    """Read a PGM or PPM of more than 8 bits: uint16 (H, W) or (H, W, 3). Raises OSError, CancelledError."""
    head = header(file)
    if head is None or not 255 < head.most < 65536:
        raise OSError("it is no PGM or PPM of 16 bits")
    file.seek(head.length, 1)
    pixels = np.empty((head.height, head.width, head.channels), np.uint16)
    step = max(1, _BLOCK // head.width)
    for top in range(0, head.height, step):
        if watch is not None:
            watch.advance(top / head.height)
        rows = pixels[top : top + step]
        data = file.read(2 * rows.size)
        if len(data) < 2 * rows.size:
            raise OSError("it is truncated")
        values = np.minimum(np.frombuffer(data, ">u2"), head.most).astype(np.uint32).reshape(rows.shape)
        rows[:] = (values * 65535 + head.most // 2) // head.most
    return pixels[..., 0] if head.channels == 1 else pixels


class Writer:
    """Writes a PPM of 16 bits strip by strip."""

    def __init__(self, file: BinaryIO, size: tuple[int, int]) -> None:
        self._file = file
        file.write(b"P6\n%d %d\n65535\n" % size)

    @staticmethod
    def pack(rows: Array) -> bytes:
        """Return rows (rows, W, 3) uint16 as they stand in the file."""
        return rows.astype(">u2").tobytes()

    def put(self, packed: bytes) -> None:
        """Write packed rows below those before."""
        self._file.write(packed)

    def close(self) -> None:
        """Do nothing: nothing comes behind the rows."""
