"""How far predicted colors are from true ones. Photographs are uint8 sRGB (..., H, W, 3)."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


def psnr(first: Array, second: Array) -> float:
    """Return the peak signal-to-noise ratio of one photograph, dB, over all of its RGB values."""
    error = np.mean((first.astype(np.float32) - second.astype(np.float32)) ** 2, dtype=np.float64)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def colorfulness(rgb: Array) -> float:
    """Return the colorfulness of one photograph (H, W, 3) after Hasler and Suesstrunk, 2003."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def ab_rmse(first: Array, second: Array) -> float:
    """Return the root of the mean squared difference of all a and b values, CIE units."""
    return float(np.sqrt(np.mean((first - second) ** 2, dtype=np.float64)))
