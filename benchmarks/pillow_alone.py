"""Decode a photograph and encode it again, with Pillow alone: what time is compared with.

python -m benchmarks.pillow_alone PHOTO RESULT
"""

from __future__ import annotations

import sys

from PIL import Image, ImageOps

QUALITY = 92


def main() -> None:
    """Read, turn upright, write with all pixels of color."""
    source, target = sys.argv[1:]
    image = ImageOps.exif_transpose(Image.open(source))
    image.convert("RGB").save(target, quality=QUALITY, subsampling="4:4:4")


if __name__ == "__main__":
    main()
