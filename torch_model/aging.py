"""Photographs as time has left them: grey, faded, soft, grainy. Pure functions on batches, on any device.

What happens to a photograph depends on its row of random numbers alone, not on its batch, and up to
rounding not on the device: so training can age what it shows a network, with the colors of the photograph
as it was for truth, and evaluation can age other photographs in the same way.

The order is that of a photograph's life: film, darkroom, a soft lens, grain, years in the album, a scan.
Tones are L* / 100. What film saw changes for every photograph, each other thing for every second one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tintype.lab import RGB_TO_XYZ
from torch_model import jpeg
from torch_model.color import lightness_to_grey, linear_to_lightness, srgb_to_linear

if TYPE_CHECKING:
    from collections.abc import Sequence

DRAWS: Final = 17
"""Random numbers that a photograph takes."""

_FILM: Final = slice(0, 3)  # columns of the random numbers
_RESPONSE, _GAMMA, _CONTRAST, _BLACK, _WHITE, _BLUR, _GRAIN, _COARSE = range(3, 11)
_VIGNETTE, _CENTER_X, _CENTER_Y, _JPEG, _QUALITY, _SEED = range(11, 17)

_STEEPEST: Final = 0.5  # of the logarithm of gamma, to either side: 0.61 to 1.65
_FLATTEST: Final = 0.4  # of contrast's logarithm: 0.67 to 1.49
_LIFTED: Final = 0.3  # what black rises and white falls by, at most
_SOFTEST: Final = 1.5 / 256  # standard deviation of the blur, of the shorter side
_GRAINIEST: Final = 0.08  # standard deviation of the grain, in the middle tones
_DARKEST: Final = 0.6  # what the farthest corner loses
_QUALITIES: Final = (20, 90)


def draw(seed: int, count: int) -> Tensor:
    """Draw the random numbers (count, DRAWS) float32 in [0, 1) of as many photographs."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 0]))
    return torch.from_numpy(generator.random((count, DRAWS), np.float32))


def draw_for(seed: int, digests: Sequence[str]) -> Tensor:
    """Draw the random numbers (N, DRAWS) of photographs by what they are, hexadecimal digests (N,).

    So a photograph ages alike, whichever others it is among.
    """
    keys = [[seed, int(digest[:16], 16)] for digest in digests]
    rows = [np.random.Generator(np.random.Philox(key=key)).random(DRAWS, np.float32) for key in keys]
    return torch.from_numpy(np.stack(rows))


def age(photos: Tensor, random: Tensor, strength: float | Tensor = 1.0) -> Tensor:
    """Return L* (B, 1, H, W) in [0, 100] of photographs (B, 3, H, W), sRGB uint8 or float32 0..1, aged.

    `random` (B, DRAWS) in [0, 1). `strength` in [0, 1] scales every change; of 0 it gives L* as it is. It
    may be (B,), one for each photograph.
    """
    strong = torch.as_tensor(strength, dtype=torch.float32, device=photos.device).expand(len(photos))
    tone = _developed(photos, random, strong)
    tone = _blurred(tone, _some(random[:, _BLUR]) * strong * _SOFTEST)
    tone = _grained(tone, random, strong)
    tone = _faded(tone, random, strong)
    return _scanned(tone, random, strong).clamp(0, 1) * 100


def _some(uniform: Tensor) -> Tensor:
    """Return 0 for the lower half of [0, 1), and from 0 to 1 for the upper."""
    return (2 * uniform - 1).clamp(min=0)


def _spread(uniform: Tensor, most: float) -> Tensor:
    """Return 1 for half of the numbers, else a factor whose logarithm goes to `most` to either side."""
    return (_some((2 * uniform - 1).abs()) * (uniform - 0.5).sign() * most).exp()


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _developed(photos: Tensor, random: Tensor, strong: Tensor) -> Tensor:
    """Return tones (B, 1, H, W) of the light that film sees, at its own weights of red, green and blue.

    Film of 1880 was blind to red and green, of 1910 to red.
    """
    true = torch.tensor(RGB_TO_XYZ[1] / RGB_TO_XYZ[1].sum(), dtype=torch.float32, device=photos.device)
    drawn = (
        -(1 - random[:, _FILM]).clamp(min=1e-7).log()
    )  # exponential: uniform on the simplex, when normalized
    drawn = drawn / drawn.sum(dim=1, keepdim=True)
    far = (random[:, _RESPONSE] * strong)[:, None]
    light = torch.einsum("bc,bchw->bhw", true + far * (drawn - true), srgb_to_linear(photos))[:, None]
    tone = linear_to_lightness(light * _vignette(photos, random, strong)).clamp(1e-4, 100) / 100
    gamma, contrast = _spread(random[:, _GAMMA], _STEEPEST), _spread(random[:, _CONTRAST], _FLATTEST)
    tone = tone ** _each(gamma**strong)
    return ((tone - 0.5) * _each(contrast**strong) + 0.5).clamp(0, 1)


def _vignette(photos: Tensor, random: Tensor, strong: Tensor) -> Tensor:
    """Return the share of light (B, 1, H, W) that is left: all in the middle, which is somewhere near it."""
    height, width = photos.shape[-2:]
    down = torch.linspace(-1, 1, height, device=photos.device)[None, None, :, None]
    right = torch.linspace(-1, 1, width, device=photos.device)[None, None, None, :]
    x, y = (_each(0.4 * (random[:, column] - 0.5)) for column in (_CENTER_X, _CENTER_Y))
    far = ((right - x) ** 2 + (down - y) ** 2) / 2
    return 1 - _each(_some(random[:, _VIGNETTE]) * strong * _DARKEST) * far.clamp(max=1)


def _blurred(tone: Tensor, sigma: Tensor) -> Tensor:
    """Blur tones (B, 1, H, W), each by its own sigma (B,), a share of the shorter side."""
    count, _, height, width = tone.shape
    reach = int(3 * _SOFTEST * min(height, width)) + 1
    steps = torch.arange(-reach, reach + 1, device=tone.device)
    spread = (sigma * min(height, width)).clamp(min=1e-3)
    kernels = (-0.5 * (steps / spread[:, None]) ** 2).exp()
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    rows = F.pad(tone.movedim(1, 0), (reach, reach, reach, reach), mode="replicate")  # (1, B, H, W): B groups
    rows = F.conv2d(rows, kernels[:, None, None, :], groups=count)
    return F.conv2d(rows, kernels[:, None, :, None], groups=count).movedim(0, 1)


def _grained(tone: Tensor, random: Tensor, strong: Tensor) -> Tensor:
    """Add grain, the most in middle tones, of one pixel or of three."""
    fine = _noise(tone, (random[:, _SEED] * 2**24).long())
    coarse = 3 * F.avg_pool2d(fine, 3, stride=1, padding=1)
    share = _each(random[:, _COARSE])
    amount = _each(_some(random[:, _GRAIN]) * strong * _GRAINIEST)
    return tone + amount * (fine + share * (coarse - fine)) * (4 * tone * (1 - tone)).clamp(min=0.1)


def _noise(like: Tensor, seeds: Tensor) -> Tensor:
    """Return noise of mean 0 and deviation 1, nearly normal, a hash of seed and place on any device."""
    places = torch.arange(like[0].numel(), device=like.device).view(1, *like.shape[1:])
    mask = 2**32 - 1
    bits = (places + _each(seeds.to(like.device)) * 0x9E3779B1) & mask
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):  # MurmurHash3's last steps
        bits = ((bits ^ (bits >> shift)) * factor) & mask
    parts = torch.stack([(bits >> shift) & 255 for shift in (0, 8, 16, 24)])
    return (parts.sum(dim=0) - 510) / math.sqrt(21845)  # mean and variance of four bytes


def _faded(tone: Tensor, random: Tensor, strong: Tensor) -> Tensor:
    """Lift black and lower white."""
    black, white = (_each(_some(random[:, column]) * strong * _LIFTED) for column in (_BLACK, _WHITE))
    return black + (1 - white - black) * tone


def _scanned(tone: Tensor, random: Tensor, strong: Tensor) -> Tensor:
    """Compress as JPEG does, at a quality each, and give back what it makes of tones."""
    low, high = _QUALITIES
    quality = 100 - strong * (100 - low - (high - low) * random[:, _QUALITY])
    grey = jpeg.degrade(lightness_to_grey(100 * tone.clamp(0, 1)) * 255, quality) / 255
    changed = _each((random[:, _JPEG] >= 0.5) & (strong > 0))
    return torch.where(changed, linear_to_lightness(srgb_to_linear(grey)) / 100, tone)
