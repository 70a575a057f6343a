"""How vivid a network that predicts a distribution is, and where it had better be pale."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
import torch.nn.functional as F

from tintype.progress import Progress
from torch_model import bins, metrics
from torch_model.color import rgb_to_lab
from torch_model.model import Distribution, build
from torch_model.validation import colorize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

UNIFORM: Final = 0.01  # share of the prior that is spread evenly, so that no bin is impossible
_PIXELS: Final = 1 << 16  # of a batch: 20 MB of logits, which fit into caches better than more


@dataclass(frozen=True)
class Cell:
    """One way to decode a distribution."""

    temperature: float
    """What the logits are divided by."""
    rebalance: float
    """How much of the log prior leaves them before."""
    gain: float = 1.0
    """What multiplies the mean."""
    perplexity: float = 0.0
    """At which it is grey; 0: never."""
    violet: float = 1.0
    """What violet keeps of its color."""


CHOICES: Final = tuple(item.name for item in fields(Cell))
_COLUMNS: Final = ("output", *CHOICES, "PSNR, dB", "ab RMSE", "colorfulness, of the originals'")


@dataclass(frozen=True)
class Scores:
    """What an output gets on photographs; `cell` is None where it has no part in it."""

    output: str
    cell: Cell | None
    psnr: float
    """Mean over photographs, dB, sRGB."""
    ab_rmse: float
    """Over all values, CIE units."""
    colorfulness: float
    """Ratio of means, predicted to true."""


@dataclass
class Tally:
    """What is gathered, photograph by photograph, of one output."""

    psnrs: list[float] = field(default_factory=list)
    squares: list[float] = field(default_factory=list)
    colors: list[float] = field(default_factory=list)

    def add(self, lightness: Tensor, predicted: Tensor, true: Tensor, originals: NDArray[np.uint8]) -> None:
        """Take predicted and true ab (N, 2, H, W) of photographs of a lightness (N, 1, H, W)."""
        colorized = colorize(lightness, predicted)
        self.psnrs += map(metrics.psnr, colorized, originals)
        self.squares += ((predicted - true) ** 2).mean(dim=(1, 2, 3)).tolist()
        self.colors += map(metrics.colorfulness, colorized)

    def scores(self, output: str, cell: Cell | None, colorfulness: float) -> Scores:
        """Return the scores, given the mean colorfulness of the originals."""
        psnr, square, color = (float(np.mean(values)) for values in (self.psnrs, self.squares, self.colors))
        return Scores(output, cell, psnr, math.sqrt(square), color / colorfulness)


def log_prior(pixels: NDArray[np.uint8]) -> Tensor:
    """Return the logarithm, less its mean, of how common each bin is in photographs (N, H, W, 3) uint8.

    (Q,) float32; of ab at half the size, as the loss sees it, mixed with an even share of UNIFORM.
    """
    sums = torch.zeros(len(bins.centers()), dtype=torch.float64)
    for _, ab, originals in in_lab("counting colors", pixels):
        sums += bins.prior(F.avg_pool2d(ab, 2)) * len(originals)
    prior = (1 - UNIFORM) * sums / len(pixels) + UNIFORM / len(sums)
    logarithm = prior.log()
    return (logarithm - logarithm.mean()).float()


def calibrated(network: Distribution, cell: Cell, log_prior: Tensor) -> Distribution:
    """Return a network that shares a network's weights, and decodes by a cell."""
    config = replace(
        network.config,
        temperature=cell.temperature,
        gain=cell.gain,
        perplexity=cell.perplexity,
        violet=cell.violet,
    )
    made = build(config).eval()
    assert isinstance(made, Distribution)
    shift = (cell.rebalance * log_prior).reshape(network.shift.shape)
    made.load_state_dict(network.state_dict() | {"shift": shift}, assign=True)
    return made


@torch.no_grad()
def score(networks: Mapping[Cell, Distribution], pixels: NDArray[np.uint8]) -> list[Scores]:
    """Score plain grey, the expectation and each cell, in this order, on photographs (N, H, W, 3) uint8.

    The networks share all weights but the decoding's: the first one runs for all.
    """
    first = next(iter(networks.values()))
    outputs = [("plain grey", None), ("ab_mean", None), *(("ab", cell) for cell in networks)]
    tallies = [Tally() for _ in outputs]
    theirs: list[float] = []
    for lightness, ab, originals in in_lab("scoring", pixels):
        logits = first(lightness)
        decoded = [network.decode(logits, lightness) for network in networks.values()]
        predictions = [torch.zeros_like(ab), decoded[0][1], *(vivid for vivid, _ in decoded)]
        for tally, predicted in zip(tallies, predictions, strict=True):
            tally.add(lightness, predicted, ab, originals)
        theirs += map(metrics.colorfulness, originals)
    colorfulness = float(np.mean(theirs))
    return [t.scores(*output, colorfulness) for t, output in zip(tallies, outputs, strict=True)]


def choose(rows: Sequence[Scores], colorfulness: float) -> Scores:
    """Choose the highest PSNR among cells at least so colorful, else the most colorful cell."""
    cells = [row for row in rows if row.cell]
    enough = [row for row in cells if row.colorfulness >= colorfulness]
    if enough:
        return max(enough, key=lambda row: row.psnr)
    return max(cells, key=lambda row: row.colorfulness)


def table(rows: Sequence[Scores]) -> str:
    """Return a Markdown table."""
    lines = [
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
    ]
    for r in rows:
        values = [f"{value:g}" for value in astuple(r.cell)] if r.cell else [""] * len(CHOICES)
        cell = " | ".join(values)
        lines.append(f"| {r.output} | {cell} | {r.psnr:.2f} | {r.ab_rmse:.2f} | {r.colorfulness:.2f} |")
    return "\n".join(lines)


def in_lab(label: str, pixels: NDArray[np.uint8]) -> Iterator[tuple[Tensor, Tensor, NDArray[np.uint8]]]:
    """Give l (B, 1, H, W), ab (B, 2, H, W) and the photographs themselves, in order, with progress."""
    with Progress(label, len(pixels)) as progress:
        size = max(1, _PIXELS // (pixels.shape[1] * pixels.shape[2]))
        for start in range(0, len(pixels), size):
            originals = pixels[start : start + size]
            lightness, ab = rgb_to_lab(torch.from_numpy(originals).permute(0, 3, 1, 2))
            yield lightness, ab, originals
            progress.advance(len(originals))
