"""The GPU twin of `tintype.lab`: batches of photographs to L and ab, in torch.

The constants are the runtime's; a test holds the two together.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from tintype import lab


def rgb_to_lab(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Convert sRGB (N, 3, H, W) to l (N, 1, H, W) in [0, 100] and ab (N, 2, H, W) in CIE units.

    uint8 0..255 goes through a table of 256 entries; float32 0..1 through the formula.
    """
    relative = torch.einsum("xc,nchw->xnhw", _matrix(rgb.device), srgb_to_linear(rgb))  # (3, N, H, W)
    fx, fy, fz = _forward(relative)
    return (116 * fy - 16)[:, None], torch.stack([500 * (fx - fy), 200 * (fy - fz)], dim=1)


def srgb_to_linear(rgb: Tensor) -> Tensor:
    """Undo the sRGB transfer function: uint8 0..255 or float32 0..1 (...) to linear float32 in [0, 1]."""
    return _table(rgb.device)[rgb.int()] if rgb.dtype == torch.uint8 else _decode(rgb)


def linear_to_lightness(light: Tensor) -> Tensor:
    """Return L* (...) in [0, 100] of luminances (...) in [0, 1]."""
    return 116 * _forward(light) - 16


def lightness_to_grey(l: Tensor) -> Tensor:  # noqa: E741 - the graph's own name for lightness
    """Return the grey of L* (...) in [0, 100], coded as in sRGB, 0..1."""
    f = (l + 16) / 116
    return _encode(_backward(f).clamp(0, 1))


def lab_to_rgb(l: Tensor, ab: Tensor) -> Tensor:  # noqa: E741
    """Convert l (N, 1, H, W) and ab (N, 2, H, W), CIE units, to sRGB (N, 3, H, W), 0..1, clipped.

    For critics, whose gradient goes through it; the runtime compresses chroma instead of clipping.
    """
    fy = (l[:, 0] + 16) / 116
    f = torch.stack([fy + ab[:, 0] / 500, fy, fy - ab[:, 1] / 200])  # (3, N, H, W)
    linear = torch.einsum("cx,xnhw->nchw", torch.linalg.inv(_matrix(l.device)), _backward(f))
    return _encode(linear.clamp(0, 1))


def _forward(t: Tensor) -> Tensor:
    return torch.where(t > 0.008856, t ** (1 / 3), 7.787 * t + 16 / 116)


def _backward(f: Tensor) -> Tensor:
    return torch.where(f > 0.20689655, f**3, (f - 16 / 116) / 7.787)


def _decode(rgb: Tensor) -> Tensor:
    rgb = rgb.clamp(0, 1)
    return torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def _encode(linear: Tensor) -> Tensor:
    curve = 1.055 * linear.clamp(min=1e-6) ** (1 / 2.4) - 0.055  # whose slope at zero would be infinite
    return torch.where(linear > 0.0031308, curve, 12.92 * linear)


@cache
def _matrix(device: torch.device) -> Tensor:
    return torch.tensor(lab.RGB_TO_XYZ / lab.WHITE[:, None], dtype=torch.float32, device=device)


@cache
def _table(device: torch.device) -> Tensor:
    return torch.from_numpy(lab.srgb_to_linear(np.arange(256, dtype=np.uint8))).to(device)
