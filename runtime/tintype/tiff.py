"""Write TIFF strip by strip, page after page, with 8 or 16 bits a channel.

Pillow compresses the whole image in one call, during which no other thread runs, and has no color of 16
bits. Directories stand behind their strips, so that nothing need be known before it is written.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from numpy.typing import NDArray
from PIL import TiffImagePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

Array: TypeAlias = NDArray[Any]

_LEVEL: Final = 6  # of zlib, as libtiff has it
_NONE, _DEFLATE, _GREY, _RGB, _HORIZONTAL, _INCH, _ALPHA = 1, 8, 1, 2, 2, 2, 2  # values of tags
_PLACES, _LENGTHS = 273, 279  # tags of the strips
_LONG, _UNDEFINED, _LONG_8 = 4, 7, 16  # types of values
_OPAQUE: Final = frozenset({33723, 34675, 700})  # tags whose values are bytes as they are
_LARGEST: Final = (1 << 32) - (1 << 24)  # bytes: offsets of a plain TIFF have 32 bits


class Writer:
    """Writes pages in turn: `pack` may be called by several threads, `put` takes strips in order."""

    def __init__(self, file: BinaryIO, expected: int = 0) -> None:
        """Take a file that can be sought in; `expected` bytes of pixels decide about 64-bit offsets."""
        self._file = file
        self._big = expected > _LARGEST
        self._offset = ("<Q", 8) if self._big else ("<I", 4)
        self._head = b"II\x2b\0\x08\0\0\0" if self._big else b"II*\0"
        self._link = file.tell() + len(self._head)  # where the place of the next directory goes
        self._base = file.tell()
        file.write(self._head + bytes(self._offset[1]))
        self._strips: list[tuple[int, int]] = []

    @staticmethod
    def pack(rows: Array, *, deflated: bool = True) -> bytes:
        """Return rows (rows, W, channels), uint8 or uint16, deflated as differences, or as they are."""
        if not deflated:
            return rows.astype(rows.dtype.newbyteorder("<"), copy=False).tobytes()
        differences = rows.copy()
        differences[:, 1:] -= rows[:, :-1]
        return zlib.compress(differences.astype(rows.dtype.newbyteorder("<"), copy=False).tobytes(), _LEVEL)

    def put(self, packed: bytes) -> None:
        """Write packed rows below those before. Raises OSError where the file becomes too large."""
        place = self._file.tell() - self._base
        if not self._big and place + len(packed) > _LARGEST:
            raise OSError("TIFF holds at most 4 GB: choose PNG")
        self._strips.append((place, len(packed)))
        self._file.write(packed + bytes(len(packed) % 2))  # places are even

    def end_page(
        self,
        size: tuple[int, int],
        channels: int,
        depth: int,
        rows: int,
        tags: Mapping[int, Any],
        *,
        deflated: bool = True,
    ) -> None:
        """Write what a page tells of its strips, which have `rows` rows each, and `tags` besides."""
        directory = self._directory(size, channels, depth, rows, tags, deflated=deflated)
        place = self._file.tell() - self._base
        data = bytearray(directory.tobytes(place))
        for tag, values in ((_PLACES, 0), (_LENGTHS, 1)):
            self._patch(data, place, tag, [strip[values] for strip in self._strips])
        self._file.write(bytes(data) + bytes(len(data) % 2))
        end = self._file.tell()
        self._file.seek(self._link)
        self._file.write(struct.pack(self._offset[0], place))
        self._file.seek(end)
        count = struct.unpack_from("<Q" if self._big else "<H", data)[0]
        self._link = self._base + place + (8 + 20 * count if self._big else 2 + 12 * count)
        self._strips = []

    def _directory(
        self,
        size: tuple[int, int],
        channels: int,
        depth: int,
        rows: int,
        tags: Mapping[int, Any],
        *,
        deflated: bool,
    ) -> TiffImagePlugin.ImageFileDirectory_v2:
        """Return what a page tells of its pixels, but for where they are."""
        given = dict(tags)
        if channels == 4:
            given[338] = _ALPHA
        given |= {256: size[0], 257: size[1], 258: (depth,) * channels, 277: channels, 278: rows}
        given |= {259: _DEFLATE if deflated else _NONE, 262: _GREY if channels == 1 else _RGB, 284: 1}
        if deflated:
            given[317] = _HORIZONTAL
        directory = TiffImagePlugin.ImageFileDirectory_v2(self._head.ljust(16 if self._big else 8, b"\0"))
        for tag in _OPAQUE & given.keys():
            directory.tagtype[tag] = _UNDEFINED
        for tag in (_PLACES, _LENGTHS):
            directory.tagtype[tag] = _LONG
            given[tag] = (0,) * (len(self._strips) * (2 if self._big else 1))
        for tag, value in given.items():
            directory[tag] = value
        return directory

    def _patch(self, data: bytearray, place: int, tag: int, values: list[int]) -> None:
        """Put places or lengths into a directory that has zeros for them: Pillow would add to them.

        Of 64 bits each, which Pillow does not write, it has two of 32 bits.
        """
        start, entry = (8, 20) if self._big else (2, 12)
        at = next(at for at in range(start, len(data), entry) if data[at : at + 2] == struct.pack("<H", tag))
        if self._big:
            struct.pack_into("<HQ", data, at + 2, _LONG_8, len(values))
        kind, width = self._offset
        at += entry - width
        if len(values) > 1:
            at = struct.unpack_from(kind, data, at)[0] - place
        struct.pack_into(f"<{len(values)}{kind[1]}", data, at, *values)


def resolution(dpi: tuple[float, float]) -> dict[int, Any]:
    """Return the tags of a resolution."""
    return {282: dpi[0], 283: dpi[1], 296: _INCH}
