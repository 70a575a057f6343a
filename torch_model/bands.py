"""Good, Fair or Bad by a rule: what numbers say of a picture where nobody has looked yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOOD: Final = 9.0  # CIEDE2000, mean of a photograph: at most
BAD: Final = 14.0  # above
NEAR: Final = 0.5  # share of the original's colorfulness by which ours may differ
PALE: Final = 0.8  # missing
GARISH: Final = 1.0  # in excess
DULL: Final = 20.0  # colorfulness of an original that counts as at least as much

RULE: Final = (
    f"Good: mean CIEDE2000 of at most {GOOD:g}, and colorfulness that differs from the original's by at "
    f"most {NEAR:.0%} of it. Bad: mean CIEDE2000 above {BAD:g}, or colorfulness {PALE:.0%} of the original's "
    f"too low or {GARISH:.0%} of it too high. Fair: all between. An original less colorful than {DULL:g} "
    f"counts as {DULL:g}."
)


def bands(each: dict[str, NDArray[Any]]) -> NDArray[np.str_]:
    """Return good, fair or bad (N,) by the metrics of each photograph (`Measured.each`)."""
    error = each["ciede2000"]
    original = each["colorfulness"] - each["difference"]
    share = each["difference"] / np.maximum(original, DULL)
    good = (error <= GOOD) & (np.abs(share) <= NEAR)
    bad = (error > BAD) | (share < -PALE) | (share > GARISH)
    return np.where(bad, "bad", np.where(good, "good", "fair"))
