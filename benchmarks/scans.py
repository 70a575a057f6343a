"""Make the large scans that are colorized here: `python -m benchmarks.scans FOLDER KIND...`.

100 megapixels with 16 bits a channel: color.png, color.tif (deflated), plain.tif, grey.png, grey.tif; 400
with 8 bits: huge.jpg and huge_grey.jpg. Soft areas with grain, made strip by strip.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from tintype import png, tiff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIDE: Final = 10_000
HUGE: Final = 20_000
ROWS: Final = 50
GRAIN: Final = 0.01  # of the whole range, standard deviation
_AREAS: Final = 40  # along a side


def main() -> None:
    """Write the kinds that are asked for."""
    folder = Path(sys.argv[1])
    for kind in sys.argv[2:]:
        _huge(folder / kind) if kind.startswith("huge") else _scan(folder / kind)


def strips(side: int, channels: int) -> Iterator[NDArray[Any]]:
    """Yield rows (ROWS, side, channels) of a square picture, uint16: the same at every call."""
    random = np.random.default_rng(0)
    areas = random.uniform(0.15, 0.85, (_AREAS + 1, _AREAS + 1, channels)).astype(np.float32)
    x = np.arange(side, dtype=np.float32) * (_AREAS / side)
    left, across = x.astype(int), (x % 1)[None, :, None]
    for top in range(0, side, ROWS):
        y = (top + np.arange(ROWS, dtype=np.float32)) * (_AREAS / side)
        above, down = y.astype(int), (y % 1)[:, None, None]
        rows = areas[above] * (1 - down) + areas[above + 1] * down
        picture = rows[:, left] * (1 - across) + rows[:, left + 1] * across
        picture += random.normal(0, GRAIN, (ROWS, side, 1)).astype(np.float32)
        yield (np.clip(picture, 0, 1) * 65535).astype(np.uint16)


def _scan(path: Path) -> None:
    """Write 100 megapixels with 16 bits."""
    size, channels = (SIDE, SIDE), 1 if path.stem == "grey" else 3
    with path.open("wb") as file:
        if path.suffix == ".png":
            image = png.Writer(file, size, channels, 16)
            for rows in strips(SIDE, channels):
                image.put(image.pack(rows))
            image.close()
            return
        writer, deflated = tiff.Writer(file), path.stem != "plain"
        for rows in strips(SIDE, channels):
            writer.put(writer.pack(rows, deflated=deflated))
        writer.end_page(size, channels, 16, ROWS, {}, deflated=deflated)


def _huge(path: Path) -> None:
    """Write 400 megapixels with 8 bits."""
    channels = 1 if path.stem.endswith("grey") else 3
    image = Image.new("L" if channels == 1 else "RGB", (HUGE, HUGE))
    for number, rows in enumerate(strips(HUGE, channels)):
        eight = (rows >> 8).astype(np.uint8)
        image.paste(Image.fromarray(eight[..., 0] if channels == 1 else eight), (0, number * ROWS))
    image.save(path, quality=92)


if __name__ == "__main__":
    main()
