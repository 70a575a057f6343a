"""Photographs with more than 8 bits a channel: into arrays of uint16, strip by strip.

PNG is read by `tintype.png`, TIFF by tifffile, which is optional: without it what Pillow cannot read at
its depth is refused, never reduced to 8 bits.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.profiles import DEEP_EXTRA, MissingLibraryError

if TYPE_CHECKING:
    from typing import BinaryIO

    from tintype.watch import Watch

Array: TypeAlias = NDArray[Any]

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _SEPARATED = 0, 1, 2, 5  # photometric interpretations
_UNSIGNED: Final = 1  # sample format
_ASSOCIATED: Final = 1  # an extra sample: alpha, into which colors are multiplied
_ALPHAS: Final = (1, 2)
_COLORS: Final = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _SEPARATED: 4}
_STRIP: Final = 1 << 20  # px at once
_SILENT: Final = 51  # a level of logging above all
_READ: Final = 1 << 23  # bytes of a TIFF read at once


class TiffPage:
    """A page of a TIFF whose pixels Pillow cannot give at their depth."""

    def __init__(self, file: BinaryIO, number: int) -> None:
        """Read what a page says of its pixels. Raises MissingLibraryError, ValueError; see `read`."""
        if find_spec("tifffile") is None:
            raise MissingLibraryError(
                f"TIFF with more than 8 bits a channel needs tifffile: {DEEP_EXTRA}, or make it a PNG first"
            )
        import tifffile

        tifffile.logger().setLevel(_SILENT)  # what is wrong is told in one line of ours

        file.seek(0)
        self._tiff = tifffile.TiffFile(file)
        self.pages = len(self._tiff.pages)
        page: Any = self._tiff.pages[number]
        self._page = page
        self.size: tuple[int, int] = (int(self._page.imagewidth), int(self._page.imagelength))
        self._file = file
        self._check()

    @property
    def cmyk(self) -> bool:
        """Whether `read` gives cyan, magenta, yellow and black."""
        return int(self._page.photometric) == _SEPARATED

    @property
    def bytes_per_pixel(self) -> int:
        """What a pixel takes in memory."""
        return 2 * int(self._page.samplesperpixel)

    def directory(self) -> Image.Exif:
        """Return what the page says of itself."""
        directory = Image.Exif()
        directory.endian, directory.bigtiff = self._tiff.byteorder, bool(self._tiff.is_bigtiff)
        directory.load_from_fp(self._file, int(self._page.offset))
        return directory

    def _check(self) -> None:
        page = self._page
        bits, kind = page.bitspersample, page.sampleformat
        if isinstance(bits, tuple) or not 8 <= bits <= 16 or int(kind) != _UNSIGNED:
            name = "floating point" if int(kind) == 3 else "signed or mixed"
            what = f"{bits} bits" if int(kind) == _UNSIGNED else f"{name} values"
            raise ValueError(f"its pixels have {what}: convert it to 8 or 16 bits a channel first")
        if page.imagedepth != 1 or int(page.photometric) not in _COLORS:
            raise ValueError("its pixels are neither grey, RGB nor CMYK: convert it to RGB first")
        if page.samplesperpixel < _COLORS[int(page.photometric)]:
            raise ValueError("it has too few channels for its kind of color")

    def read(self, watch: Watch | None = None) -> Array:
        """Return pixels as uint16: (H, W), (H, W, 2) with alpha, (H, W, 3), (H, W, 4) with alpha or CMYK.

        Raises MissingLibraryError, CancelledError, and whatever damage makes the decoders raise.
        """
        page = self._page
        width, height = self.size
        pixels = np.zeros((height, width, page.samplesperpixel), np.uint16)
        try:
            for part, place in self._parts():
                rows, columns, samples = place
                pixels[rows, columns, samples] = part
                if watch is not None:
                    watch.advance(rows.start / height)
        except ValueError as error:
            if "imagecodecs" in str(error):
                raise MissingLibraryError(f"its compression needs imagecodecs: {DEEP_EXTRA}") from None
            raise
        return self._arranged(pixels)

    def _parts(self) -> Any:
        """Yield parts of the pixels and where they go: rows, columns, samples."""
        page = self._page
        width, height = self.size
        channels = int(page.samplesperpixel)
        whole = slice(None)
        if self._plain():
            dtype = self._tiff.byteorder + ("u2" if page.bitspersample == 16 else "u1")
            file = self._tiff.filehandle
            file.seek(page.dataoffsets[0])
            for top in range(0, height, step := max(1, _STRIP // width)):
                count = min(step, height - top)
                data = file.read(count * width * channels * np.dtype(dtype).itemsize)
                part = np.frombuffer(data, dtype).reshape(count, width, channels)
                yield part, (slice(top, top + count), whole, whole)
            return
        for data, index, shape in page.segments(maxworkers=1, buffersize=_READ):
            if data is None:
                continue  # a strip that is not there is black
            sample, _, top, left, first = index
            rows, columns, samples = min(shape[1], height - top), min(shape[2], width - left), shape[3]
            first += sample
            place = slice(top, top + rows), slice(left, left + columns), slice(first, first + samples)
            yield data[0, :rows, :columns, :samples], place

    def _plain(self) -> bool:
        """Say whether all pixels stand in the file one after the other: they need not be read at once."""
        page = self._page
        return bool(page.is_contiguous) and int(page.planarconfig) == 1 and page.bitspersample in (8, 16)

    def _arranged(self, pixels: Array) -> Array:
        """Scale values to 16 bits, turn a negative, and leave alpha as the only further channel."""
        page = self._page
        bits, colors = int(page.bitspersample), _COLORS[int(page.photometric)]
        if bits < 16:
            for rows in _strips(pixels):
                rows[:] = (rows.astype(np.uint32) * 65535 + (1 << (bits - 1))) // ((1 << bits) - 1)
        if int(page.photometric) == _WHITE_IS_ZERO:
            np.subtract(65535, pixels[..., :1], out=pixels[..., :1])
        extra = [int(kind) for kind in page.extrasamples]
        alpha = extra and extra[0] in _ALPHAS and colors != 4
        if not alpha:
            kept = pixels[..., :colors]
            return kept[..., 0] if colors == 1 else kept
        if extra[0] == _ASSOCIATED:
            _divide_by_alpha(pixels, colors)
        return pixels[..., : colors + 1]


def _strips(pixels: Array) -> list[Array]:
    step = max(1, _STRIP // pixels.shape[1])
    return [pixels[top : top + step] for top in range(0, len(pixels), step)]


def _divide_by_alpha(pixels: Array, colors: int) -> None:
    for rows in _strips(pixels):
        alpha = rows[..., colors : colors + 1].astype(np.float32)
        straight = rows[..., :colors] * (np.float32(65535) / np.maximum(alpha, 1))
        rows[..., :colors] = np.minimum(np.rint(straight), 65535)


def cmyk_to_rgb(pixels: Array) -> Array:
    """Return RGB (H, W, 3) of CMYK (H, W, 4) without a profile, as Pillow has it with 8 bits."""
    rgb = np.empty((*pixels.shape[:2], 3), np.uint16)
    for rows, result in zip(_strips(pixels), _strips(rgb), strict=True):
        light = 65535 - rows.astype(np.uint64)
        result[:] = (light[..., :3] * light[..., 3:] + 32767) // 65535
    return rgb


def upright(pixels: Array, orientation: int) -> Array:
    """Return a view of pixels (H, W, ...), turned and mirrored as an EXIF orientation 1..8 says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
