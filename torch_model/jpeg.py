"""What JPEG loses of a grey photograph, on any device: the cosine transform of 8x8 blocks, rounded.

Nothing is encoded: the codes that would be written are lossless.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

_LUMINANCE: Final = """
    16 11 10 16  24  40  51  61   12 12 14 19  26  58  60  55   14 13 16 24  40  57  69  56
    14 17 22 29  51  87  80  62   18 22 37 56  68 109 103  77   24 35 55 64  81 104 113  92
    49 64 78 87 103 121 120 101   72 92 95 98 112 100 103  99"""
"""The table of the standard (ITU T.81, annex K.1), for quality 50, row by row."""


def degrade(grey: Tensor, quality: Tensor) -> Tensor:
    """Return grey (B, 1, H, W), 0..255, as JPEG of a quality (B,) in [1, 100] gives it back."""
    height, width = grey.shape[-2:]
    padded = F.pad(grey, (0, -width % 8, 0, -height % 8), mode="replicate").round() - 128
    transform, table = _cosines(grey.device), _luminance(grey.device)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).floor()
    steps = (
        ((table * scale[:, None, None] + 50) / 100).floor().clamp(1, 255)[:, None, None, None]
    )  # a table each
    blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)  # (B, 1, H / 8, W / 8, 8, 8)
    coefficients = (transform @ blocks @ transform.T / steps).round() * steps
    blocks = transform.T @ coefficients @ transform
    restored = blocks.movedim(-2, 3).reshape(padded.shape)[..., :height, :width]
    return (restored + 128).round().clamp(0, 255)


@cache
def _luminance(device: torch.device) -> Tensor:
    return torch.tensor([float(step) for step in _LUMINANCE.split()], device=device).view(8, 8)


@cache
def _cosines(device: torch.device) -> Tensor:
    """Return the orthonormal discrete cosine transform (8, 8): frequencies down, places across."""
    k = torch.arange(8, device=device)
    basis = torch.cos((2 * k[None, :] + 1) * k[:, None] * (torch.pi / 16)) / 2
    basis[0] /= 2**0.5
    return basis
