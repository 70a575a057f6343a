"""Pictures made by the tests."""

from __future__ import annotations

import numpy as np
from PIL import Image


def picture(seed: int, side: int = 80) -> Image.Image:
    """Return a seeded picture of soft colored areas."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 256, (5, 5, 3), np.uint8)
    return Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)
