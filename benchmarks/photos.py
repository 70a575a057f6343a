"""Make the photographs that are colorized here: `python -m benchmarks.photos FOLDER`.

They come from scikit-image's sample photographs. The large ones are enlarged to 12 megapixels and
get grain, so that their JPEG is as hard to decode as a camera's; large... have 24.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from skimage import data

SMALL: Final = (256, 256)
LARGE: Final = (4000, 3000)
LARGER: Final = (6000, 4000)
QUALITY: Final = 92
GRAIN: Final = 4.0  # levels, standard deviation
_ORIENTATION: Final = 0x0112
_TURNED: Final = 6  # a camera held upright


def main() -> None:
    """Write small.jpg, color.jpg, grey.jpg, rotated.jpg, progressive.jpg, and three with 24 megapixels."""
    folder = Path(sys.argv[1])
    small = Image.fromarray(data.astronaut())
    small = small.resize(SMALL, Image.Resampling.LANCZOS)
    small.save(folder / "small.jpg", quality=QUALITY)
    photo = large()
    turned = Image.Exif()
    turned[_ORIENTATION] = _TURNED
    photo.save(folder / "color.jpg", quality=QUALITY)
    photo.save(folder / "rotated.jpg", quality=QUALITY, exif=turned)
    photo.save(folder / "progressive.jpg", quality=QUALITY, progressive=True)
    photo.convert("L").save(folder / "grey.jpg", quality=QUALITY)
    larger = photo.resize(LARGER, Image.Resampling.BICUBIC)
    larger.save(folder / "large.jpg", quality=QUALITY)
    larger.save(folder / "large_rotated.jpg", quality=QUALITY, exif=turned)
    larger.convert("L").save(folder / "large_grey.jpg", quality=QUALITY)


def large() -> Image.Image:
    """Return 12 megapixels, RGB: the same at every call."""
    photo = Image.fromarray(data.stereo_motorcycle()[0])
    enlarged = photo.resize(LARGE, Image.Resampling.LANCZOS)
    random = np.random.default_rng(0)
    grain = random.normal(0, GRAIN, (LARGE[1], LARGE[0], 1)).astype(np.float32)
    return Image.fromarray(np.clip(np.asarray(enlarged, np.float32) + grain, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
