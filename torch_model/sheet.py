"""A sheet of 24 photographs of varied kind, always the same, for the eye."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from torch_model import cache
from torch_model.contenders import PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch_model.cache import Photos
    from torch_model.contenders import Contender

Array: TypeAlias = NDArray[Any]

SHOWN: Final = 24
REAL: Final = ("camera", "coins", "moon", "clock_motion", "grass", "brick")
"""Photographs of scikit-image that never had a color."""
COLUMNS: Final = 6
GAP: Final = 12  # px between rows


def pick(photos: Photos, count: int = SHOWN - len(REAL)) -> list[int]:
    """Choose photographs of every category, more of those that have more, by what they show alone.

    Seats are given out as in a parliament (by highest averages), to categories as large as the root of their
    number; in each, photographs go by the digest of their bytes.
    """
    waiting: dict[str, list[int]] = {}
    for number in sorted(range(len(photos.names)), key=photos.digests.__getitem__, reverse=True):
        waiting.setdefault(photos.categories[number], []).append(number)
    sizes, taken = {kind: sqrt(len(rows)) for kind, rows in waiting.items()}, Counter[str]()
    chosen: list[int] = []
    while len(chosen) < count and (left := [kind for kind in sorted(waiting) if waiting[kind]]):
        kind = max(left, key=lambda kind: sizes[kind] / (taken[kind] + 1))
        taken[kind] += 1
        chosen.append(waiting[kind].pop())
    return chosen


def real(side: int) -> list[Array]:
    """Return scikit-image's grey photographs, (side, side, 3) each."""
    import skimage

    root = Path(skimage.__file__).parent / "data"
    found = []
    for name in REAL:
        with Image.open(root / f"{name}.png") as image:
            found.append(np.asarray(cache.shrink(image.convert("L").convert("RGB"), side, "stretch")))
    return found


def draw(contenders: Sequence[Contender], photos: Photos) -> Image.Image:
    """Lay out photographs, a column each: from above grey, every contender, the original if there is one."""
    side = photos.pixels.shape[1]
    colored = list(photos.pixels[pick(photos)])
    shown = [(photo, photo) for photo in colored]
    shown += [(photo, np.full_like(photo, 255)) for photo in real(side)]
    bands = []
    for start in range(0, len(shown), COLUMNS):
        band = shown[start : start + COLUMNS]
        rows = [[contender.colorize(photo) for photo, _ in band] for contender in (PLAIN, *contenders)]
        rows.append([original for _, original in band])
        drawn = np.concatenate([np.concatenate(row, axis=1) for row in rows])
        missing = COLUMNS * side - drawn.shape[1]
        bands.append(np.pad(drawn, ((0, GAP), (0, missing), (0, 0)), constant_values=255))
    return Image.fromarray(np.concatenate(bands)[:-GAP])
