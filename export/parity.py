"""Parity: what the runtime computes from a file against what torch computes from the weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tintype.session import Session
    from torch_model.model import Network

TOLERANCE: Final = 1e-3  # CIE units of ab
SHAPES: Final = tuple(
    (batch, 1, height, width) for height, width in ((256, 256), (72, 200), (264, 8)) for batch in (1, 3)
)
_SEED: Final = 20


def max_difference(network: Network, session: Session) -> float:
    """Return the largest difference of ab, and of ab_mean where there is one, over all shapes, CIE units.

    The file runs through the runtime's session. What is no number, and a lacking output, are infinite.
    """
    return max(_difference(network, session, lightness) for lightness in inputs())


def inputs() -> list[NDArray[np.float32]]:
    """Return seeded lightness: smooth as photographs are, with noise, over the whole of 0..100."""
    generator = np.random.default_rng(_SEED)
    return [_lightness(generator, shape) for shape in SHAPES]


def _lightness(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    batch, _, height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / 32
    phase = generator.uniform(0, 6, (batch, 1, 1, 1)).astype(np.float32)
    smooth = 50 + 40 * np.sin(x + phase) * np.cos(y - phase)
    noise = generator.normal(0, 8, shape)
    lightness: NDArray[np.float32] = np.clip(smooth + noise, 0, 100).astype(np.float32)
    return lightness


@torch.no_grad()
def _difference(network: Network, session: Session, lightness: NDArray[np.float32]) -> float:
    given = torch.from_numpy(lightness)
    expected = [plane.numpy() for plane in network.decode(network(given), given)]
    found = [plane for plane in session.run(lightness) if plane is not None]
    if [plane.shape for plane in found] != [plane.shape for plane in expected]:
        return math.inf
    difference = float(np.abs(np.stack(found) - np.stack(expected)).max())
    return difference if math.isfinite(difference) else math.inf
