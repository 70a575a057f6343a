"""How far predicted colors are from true ones. Photographs are uint8 sRGB (..., H, W, 3)."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

FARTHEST = 150.0
"""Distance of colors, CIE units, to which the curve of accuracy goes (Zhang et al., 2016)."""


def psnr(first: Array, second: Array) -> float:
    """Return the peak signal-to-noise ratio of one photograph, dB, over all of its RGB values."""
    error = np.mean((first.astype(np.float32) - second.astype(np.float32)) ** 2, dtype=np.float64)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def ssim(first: Array, second: Array) -> float:
    """Return the structural similarity of one photograph (H, W, 3), at least 7x7, over RGB.

    scikit-image's, with its default: the mean over channels, of uniform windows of 7x7.
    """
    from skimage.metrics import structural_similarity

    return float(structural_similarity(first, second, channel_axis=-1))


def ciede2000(first: Array, second: Array) -> float:
    """Return the mean CIEDE2000 color difference of lab (..., 3) and lab (..., 3)."""
    from skimage.color import deltaE_ciede2000

    return float(np.mean(deltaE_ciede2000(first, second)))


def colorfulness(rgb: Array, *, magnitudes: bool = False) -> float:
    """Return the colorfulness of one photograph (H, W, 3) after Hasler and Suesstrunk, 2003.

    With `magnitudes`, of |red - green| and |yellow - blue|: so has it the code of ColorFormer and of DDColor,
    and with it their tables. Opposite colors then make a photograph less colorful than they should.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    if magnitudes:
        rg, yb = np.abs(rg), np.abs(yb)
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def ab_rmse(first: Array, second: Array) -> float:
    """Return the root of the mean squared difference of all a and b values, CIE units."""
    return float(np.sqrt(np.mean((first - second) ** 2, dtype=np.float64)))


def accuracy(first: Array, second: Array) -> Array:
    """Return of each pixel (...) the area under its curve of accuracy, in [0, 1], of ab (..., 2) and ab.

    The curve is 0 below the distance of the two colors and 1 from there to FARTHEST. So the mean over
    pixels is the area under the share of pixels within a distance, which Zhang et al. (2016) report.
    """
    distances = np.hypot(*np.moveaxis(first - second, -1, 0))
    area: Array = 1 - np.minimum(distances, FARTHEST) / FARTHEST
    return area
