"""Small copies of photographs with 16 bits: averaged strip by strip, then resized, in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

Array: TypeAlias = NDArray[Any]
Float: TypeAlias = NDArray[np.float32]
Size: TypeAlias = "tuple[int, int]"

_STRIP: Final = 1 << 20  # px averaged at once


def reduced(rows: Callable[[int, int], Array], whole: Size, size: Size, gap: float) -> Float:
    """Return a photograph at another size, antialiased: (h, w) or (h, w, 3) float32 in 0..1.

    `rows(top, bottom)` gives uint16 rows (rows, W) or (rows, W, 3) of the `whole` (W, H); as in Pillow, whole
    pixels are averaged first, down to `gap` times the size, and the rest is bicubic.
    """
    across, down = (max(1, int(side / small / gap)) for side, small in zip(whole, size, strict=True))
    averaged = _averaged(rows, whole, across, down)
    box = (0.0, 0.0, whole[0] / across, whole[1] / down)
    planes = [averaged] if averaged.ndim == 2 else np.moveaxis(averaged, -1, 0)
    small = [_resized(np.ascontiguousarray(plane), size, box) for plane in planes]
    stacked = small[0] if averaged.ndim == 2 else np.stack(small, axis=-1)
    return np.clip(stacked, 0, 65535) / np.float32(65535)


def _averaged(rows: Callable[[int, int], Array], whole: Size, across: int, down: int) -> Float:
    """Average blocks of `across` x `down` px, smaller at the right and lower border."""
    width, height = whole
    step = down * max(1, _STRIP // (width * down))
    return np.concatenate(
        [_blocks(rows(top, min(top + step, height)), across, down) for top in range(0, height, step)]
    )


def _blocks(strip: Array, across: int, down: int) -> Float:
    if across == down == 1:
        return strip.astype(np.float32)
    sums: Any = strip.astype(np.float32)
    for axis, factor in ((0, down), (1, across)):
        length = sums.shape[axis]
        starts = np.arange(0, length, factor)
        counts = np.diff(np.append(starts, length)).astype(np.float32)
        shape = [-1 if dimension == axis else 1 for dimension in range(sums.ndim)]
        sums = np.add.reduceat(sums, starts, axis=axis) / counts.reshape(shape)
    means: Float = sums
    return means


def _resized(plane: Float, size: Size, box: tuple[float, float, float, float]) -> Float:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC, box=box))
