"""How sure a mean over photographs is: seeded bootstrap intervals."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

DRAWS: Final = 1000
COVERED: Final = 95  # per cent
_SEED: Final = 0


def resamples(count: int, draws: int = DRAWS) -> Array:
    """Return the shares (draws, count) that photographs have in sets of as many, drawn with replacement.

    The same for the same count: so two models of equal photographs are drawn alike.
    """
    generator = np.random.default_rng([_SEED, count])
    shares = np.empty((draws, count), np.float32)
    for row in shares:
        row[:] = np.bincount(generator.integers(0, count, count), minlength=count)
    return shares / count


def interval(values: Array) -> tuple[float, float]:
    """Return between which two of the values (draws,) the middle 95 % of them lie."""
    rest = (100 - COVERED) / 2
    low, high = np.percentile(values, [rest, 100 - rest])
    return float(low), float(high)
