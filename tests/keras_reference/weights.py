"""Seeded weights for the classic network, drawn with numpy alone.

Keras, in `make.py`, and the tests, which have no Keras, draw the same arrays from it.
"""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CHANNELS: Final = (1, 64, 64, 128, 128, 256, 256, 512, 256, 128, 64, 32, 2)
"""Of L, then behind each of the 12 convolutions: written out here, so as not to follow the network's code."""

SEED: Final = 1976
SIDE: Final = 3
BIAS: Final = 0.05  # not zero, as an untrained network's would be: a lost or swapped bias has to show

Layer = tuple["NDArray[np.float32]", "NDArray[np.float32]"]


def draw(seed: int = SEED) -> list[Layer]:
    """Return (kernel, bias) of each convolution in network order, float32.

    Kernels have Keras's layout, (3, 3, inputs, outputs), and its Glorot-uniform bounds; biases,
    (outputs,), lie within 0.05. Each layer has a generator of its own, so none depends on another.
    """
    return [_layer((seed, index), *channels) for index, channels in enumerate(pairwise(CHANNELS))]


def digest(path: Path) -> str:
    """Return the SHA-256 of a source file, in hex, whatever line ends it was checked out with."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def _layer(seed: tuple[int, int], inputs: int, outputs: int) -> Layer:
    random = np.random.default_rng(seed)
    bound = math.sqrt(6 / (SIDE * SIDE * (inputs + outputs)))
    kernel = random.uniform(-bound, bound, (SIDE, SIDE, inputs, outputs))
    bias = random.uniform(-BIAS, BIAS, outputs)
    return kernel.astype(np.float32), bias.astype(np.float32)
