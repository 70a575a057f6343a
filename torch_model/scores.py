"""What is said of a model: metrics, each a function of means over photographs, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from torch_model import intervals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array: TypeAlias = NDArray[Any]
Columns: TypeAlias = dict[str, Array]
"""Named values, of each photograph (N,) or means over photographs, of any shape."""


@dataclass(frozen=True)
class Metric:
    """One number of the table, of a photograph or of many."""

    key: str
    title: str
    digits: int
    better: int
    """1 if more is better, -1 if less is, 0 if what is best lies between."""
    of: Callable[[Columns], Array]
    """From means over photographs; from one photograph's values it makes that photograph's metric."""
    needs: str = "psnr"
    """A column without which it is left out."""
    shown: bool = True
    """In tables in Markdown, too."""


METRICS: Final = (
    Metric("psnr", "PSNR, dB", 2, 1, lambda m: m["psnr"]),
    Metric("gain", "over grey, dB", 2, 1, lambda m: m["psnr"] - m["grey_psnr"]),
    Metric("ssim", "SSIM", 3, 1, lambda m: m["ssim"]),
    Metric("ciede2000", "CIEDE2000", 2, -1, lambda m: m["ciede2000"]),
    Metric("ab_rmse", "ab RMSE", 2, -1, lambda m: np.sqrt(m["squared"])),
    Metric("auc", "AuC, %", 2, 1, lambda m: 100 * m["near"]),
    Metric("auc_rebalanced", "AuC rebalanced, %", 2, 1, lambda m: 100 * m["rare_near"] / m["rarity"]),
    Metric("colorfulness", "colorfulness", 1, 0, lambda m: m["colorfulness"]),
    Metric(
        "colorfulness_original",
        "originals' colorfulness",
        1,
        0,
        lambda m: m["colorfulness_original"],
        shown=False,
    ),
    Metric("ratio", "of the originals'", 2, 0, lambda m: m["colorfulness"] / m["colorfulness_original"]),
    Metric(
        "difference", "minus the originals'", 1, 0, lambda m: m["colorfulness"] - m["colorfulness_original"]
    ),
    Metric("unevenness", "unevenness, %", 1, -1, lambda m: 100 * m["unevenness"], "unevenness"),
    Metric("cf", "CF of magnitudes", 2, 0, lambda m: m["cf"], shown=False),
    Metric("delta_cf", "ΔCF of magnitudes", 2, -1, lambda m: np.abs(m["cf"] - m["cf_original"]), shown=False),
    Metric("lpips", "LPIPS", 3, -1, lambda m: m["lpips"], "lpips"),
)


@dataclass(frozen=True)
class Distance:
    """One distance of all pictures from the originals, as sets; less is better."""

    key: str
    """Of `frechet.compare`; what is there under the key and `_spread` too is told as its spread."""
    title: str
    scale: int = 1
    """What it is multiplied by where it is shown."""


DISTANCES: Final = (
    Distance("frechet", "Frechet distance"),
    Distance("frechet_excess", "Frechet excess"),
    Distance("kid", "KID x 1000", 1000),
)


@dataclass(frozen=True)
class Measured:
    """What was measured of one contender's pictures."""

    model: str
    working_size: int
    """px; 0 for what has none."""
    vividness: float | None
    """Of models with two operating points."""
    digest: str
    """Of the model's file; empty for what has none."""
    columns: Columns
    """Of each photograph, (N,)."""
    sets: dict[str, float]
    """Distances of all pictures, as a set, from the originals: what `frechet.compare` gives, or none."""

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that were measured."""
        return [metric for metric in METRICS if metric.needs in self.columns]

    def each(self) -> dict[str, Array]:
        """Return every metric of each photograph, (N,)."""
        return {metric.key: metric.of(self.columns) for metric in self.metrics}

    def row(self, categories: Sequence[str]) -> dict[str, Any]:
        """Return plain types: means with intervals, over all photographs and over those of each category.

        `categories` (N,) has one for each photograph.
        """
        head = {
            "model": self.model,
            "digest": self.digest,
            "working_size": self.working_size,
            "vividness": self.vividness,
        }
        kinds = np.array(categories)
        parts = {
            kind: _summary(self.metrics, self.columns, kinds == kind) for kind in sorted(set(categories))
        }
        whole = _summary(self.metrics, self.columns, np.full(len(kinds), fill_value=True))
        return {**head, **whole, **self.sets, "categories": parts}


def difference(first: Measured, second: Measured) -> dict[str, Any]:
    """Return by how much each metric of one is above the other's, of the same photographs, with intervals.

    Photographs are drawn alike for both, so that what makes them hard for either does not count.
    """
    shares = intervals.resamples(len(first.columns["psnr"]))
    whole = np.full(shares.shape[1], 1 / shares.shape[1])
    found: dict[str, Any] = {"model": first.model, "intervals": {}}
    for metric in first.metrics:
        means, drawn = (
            [
                metric.of({name: weights @ values for name, values in one.columns.items()})
                for one in (first, second)
            ]
            for weights in (whole, shares)
        )
        found[metric.key] = float(means[0] - means[1])
        found["intervals"][metric.key] = intervals.interval(drawn[0] - drawn[1])
    return found


def _summary(metrics: Sequence[Metric], columns: Columns, chosen: Array) -> dict[str, Any]:
    shares = intervals.resamples(int(chosen.sum()))
    means = {name: values[chosen].mean() for name, values in columns.items()}
    drawn = {name: shares @ values[chosen] for name, values in columns.items()}
    return {
        "photos": int(chosen.sum()),
        **{metric.key: float(metric.of(means)) for metric in metrics},
        "intervals": {metric.key: intervals.interval(metric.of(drawn)) for metric in metrics},
    }
