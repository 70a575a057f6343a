"""PNG with 16 bits a channel, strip by strip: Pillow has no color of 16 bits, and wants the whole image.

Pillow still undoes the filters, of each strip: once for the upper bytes and once for the lower.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 4: 2, 6: 4}  # of color types, those without a palette
_COLOR_TYPES: Final = {channels: kind for kind, channels in _CHANNELS.items()}
_EFFORT: Final = 4  # of zlib, 1..9
_SUB: Final = 1  # the filter written: differences to the pixel on the left
_BLOCK: Final = 1 << 20  # bytes read, or inflated, at once
_ADLER: Final = 65521  # the modulus of Adler-32


class Header(NamedTuple):
    """What IHDR says."""

    width: int
    height: int
    depth: int
    color_type: int
    interlaced: bool


def header(file: BinaryIO) -> Header | None:
    """Return the header of a PNG whose file stands at its start, and go back; None if it is none."""
    start = file.tell()
    head = file.read(33)
    file.seek(start)
    if len(head) < 33 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
        return None
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", head[16:29])
    return Header(width, height, depth, kind, bool(interlace))


def read(file: BinaryIO, watch: Watch | None = None) -> Array:
    """Read a PNG of 16 bits that is not interlaced: uint16 (H, W) or (H, W, channels), native order.

    The file stands at its start. Raises OSError where it is damaged, zlib.error, CancelledError.
    """
    head = header(file)
    if head is None or head.depth != 16 or head.interlaced or head.color_type not in _CHANNELS:
        raise OSError("it is no PNG of 16 bits")
    channels = _CHANNELS[head.color_type]
    length = 1 + 2 * channels * head.width
    pixels = np.empty((head.height, head.width, channels), np.uint16)
    step = max(1, _BLOCK // length)
    previous = bytes(length)
    stream = _Inflated(_data(file))
    for top in range(0, head.height, step):
        if watch is not None:
            watch.advance(top / head.height)
        rows = pixels[top : top + step]
        _unfilter(previous + stream.read(length * len(rows)), rows)
        previous = b"\0" + rows[-1].astype(">u2").tobytes()
    return pixels[..., 0] if channels == 1 else pixels


def without_pixels(file: BinaryIO) -> BinaryIO:
    """Return a PNG of a single pixel that says of itself all that a file says which stands at its start.

    What stands behind the pixels Pillow reads only after these.
    """
    head = header(file)
    assert head is not None
    file.seek(33, 1)
    chunks: list[bytes] = [
        SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, head.depth, head.color_type, 0, 0, 0)),
    ]
    pixel = _chunk(b"IDAT", zlib.compress(bytes(1 + 2 * _CHANNELS.get(head.color_type, 1))))
    while len(start := file.read(8)) == 8 and (name := start[4:]) != b"IEND":
        length = struct.unpack(">I", start[:4])[0] + 4
        if name != b"IDAT":
            chunks.append(start + file.read(length))
            continue
        file.seek(length, 1)
        chunks.append(pixel)
        pixel = b""
    return BytesIO(b"".join([*chunks, pixel, _chunk(b"IEND", b"")]))


def chunks(profile: bytes, exif: bytes, dpi: tuple[float, float] | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks for a color profile, EXIF as JPEG has it, and a resolution."""
    yield b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)
    if dpi is not None:
        yield b"pHYs", struct.pack(">IIB", *(round(inch / 0.0254) for inch in dpi), 1)
    if exif:
        yield b"eXIf", exif.removeprefix(b"Exif\0\0")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def read_interlaced(upper: Image.Image, lower: Image.Image) -> Array:
    """Read an interlaced PNG of 16 bits and several channels, opened twice and not yet loaded.

    uint16 (H, W, channels): Pillow takes the upper bytes of one and the lower bytes of the other.
    """
    tile = lower.tile[0]  # type: ignore[attr-defined]
    if tile.args.startswith("LA"):  # four bytes a pixel, which Pillow takes as they are
        lower._mode = "RGBA"  # noqa: SLF001
        lower.tile = [tile._replace(args="RGBA")]  # type: ignore[attr-defined]
        return np.asarray(lower).view(">u2").astype(np.uint16)
    lower.tile = [tile._replace(args=tile.args.replace("16B", "16L"))]  # type: ignore[attr-defined]
    values: Array = np.asarray(upper).astype(np.uint16) << np.uint16(8)
    values |= np.asarray(lower)
    return values


def _data(file: BinaryIO) -> Iterator[bytes]:
    """Yield what the IDAT chunks of a file hold, which stands at its start."""
    file.seek(len(SIGNATURE), 1)
    while len(start := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", start)
        if name == b"IEND":
            return
        if name != b"IDAT":
            file.seek(length + 4, 1)
            continue
        yield from _checked(file, length)


def _checked(file: BinaryIO, length: int) -> Iterator[bytes]:
    check = zlib.crc32(b"IDAT")
    while length:
        block = file.read(min(length, _BLOCK))
        if not block:
            return
        length -= len(block)
        check = zlib.crc32(block, check)
        yield block
    if file.read(4) != struct.pack(">I", check):
        raise OSError("it is damaged: a checksum does not fit")


class _Inflated:
    """Inflates blocks as far as is asked for, so that a small file never becomes a large memory."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._inflate = zlib.decompressobj()
        self._left = b""

    def read(self, count: int) -> bytes:
        parts = []
        while count:
            block = self._left or next(self._blocks, b"")
            if not block:
                raise OSError("it is truncated")
            part = self._inflate.decompress(block, count)
            self._left = self._inflate.unconsumed_tail
            if not part and self._inflate.eof:
                raise OSError("it is truncated")
            count -= len(part)
            parts.append(part)
        return b"".join(parts)


def _unfilter(filtered: bytes, rows: Array) -> None:
    """Undo the filters of rows (rows, W, channels), before which the row above them stands."""
    count, width, channels = rows.shape
    stored = zlib.compress(filtered, 0)
    size = (width, count + 1)
    if channels <= 2:  # two or four bytes a pixel, which Pillow takes as they are
        mode = "LA" if channels == 1 else "RGBA"
        plain = np.asarray(Image.frombytes(mode, size, stored, "zip", mode, 0))[1:]
        rows[:] = plain.reshape(count, -1).view(">u2").reshape(rows.shape)
        return
    mode = "RGB" if channels == 3 else "RGBA"
    upper = Image.frombytes(mode, size, stored, "zip", f"{mode};16B", 0)
    lower = Image.frombytes(mode, size, stored, "zip", f"{mode};16L", 0)
    np.left_shift(np.asarray(upper)[1:], np.uint16(8), out=rows, dtype=np.uint16)
    rows |= np.asarray(lower)[1:]


@dataclass(frozen=True)
class Packed:
    """Rows, filtered and deflated."""

    data: bytes
    check: int
    """Adler-32 of what was deflated."""
    length: int
    """Bytes of what was deflated."""


class Writer:
    """Writes a PNG strip by strip: `pack` may be called by several threads, `put` takes strips in order."""

    def __init__(
        self,
        file: BinaryIO,
        size: tuple[int, int],
        channels: int,
        depth: int,
        chunks: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        """Take a file, width and height, 1 to 4 channels, 8 or 16 bits, and chunks for before the pixels."""
        self._file = file
        self._check, self._started = 1, False
        file.write(SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, _COLOR_TYPES[channels], 0, 0, 0))
        for name, data in chunks:
            self._chunk(name, data)

    @staticmethod
    def pack(rows: Array) -> Packed:
        """Filter and deflate rows (rows, W, channels), uint8 or uint16."""
        pixel = (rows.shape[2] if rows.ndim == 3 else 1) * rows.itemsize
        plain = rows.astype(rows.dtype.newbyteorder(">"), order="C").reshape(len(rows), -1).view(np.uint8)
        filtered = np.empty((len(rows), plain.shape[1] + 1), np.uint8)
        filtered[:, 0] = _SUB
        filtered[:, 1 : pixel + 1] = plain[:, :pixel]
        np.subtract(plain[:, pixel:], plain[:, :-pixel], out=filtered[:, pixel + 1 :])
        deflate = zlib.compressobj(_EFFORT, zlib.DEFLATED, -zlib.MAX_WBITS)
        data = deflate.compress(filtered.data) + deflate.flush(zlib.Z_FULL_FLUSH)
        return Packed(data, zlib.adler32(filtered.data), filtered.size)

    def put(self, packed: Packed) -> None:
        """Write packed rows below those before."""
        start = b"" if self._started else b"\x78\x5e"  # a zlib stream begins
        self._started = True
        self._check = _combined(self._check, packed)
        self._chunk(b"IDAT", start + packed.data)

    def close(self) -> None:
        """Write the end; the file itself stays open."""
        self._chunk(b"IDAT", b"\x03\0" + struct.pack(">I", self._check))  # an empty last block
        self._chunk(b"IEND", b"")

    def _chunk(self, name: bytes, data: bytes) -> None:
        self._file.write(_chunk(name, data))


def _combined(first: int, packed: Packed) -> int:
    """Return the Adler-32 of what `first` is of, followed by packed rows."""
    length = packed.length % _ADLER
    low = ((first & 0xFFFF) + (packed.check & 0xFFFF) - 1) % _ADLER
    high = ((first >> 16) + (packed.check >> 16) + length * ((first & 0xFFFF) - 1)) % _ADLER
    return high << 16 | low
