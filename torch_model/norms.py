"""Batch normalisation where several processes each have a share of the batch.

torch's own SyncBatchNorm runs on CUDA alone, and counts every photograph: also the one that a process goes
through when none is left for it in a short last batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch_model.distributed import World

_PIXELS: Final = (0, 2, 3)  # of (N, C, H, W): what is averaged


class SharedNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d over the photographs of all processes: one process's values, gradients and tensors."""

    def __init__(self, alone: nn.BatchNorm2d, world: World) -> None:
        """Take over a layer's tensors, for one of the processes of a world."""
        super().__init__(alone.num_features, alone.eps, alone.momentum)
        self.weight, self.bias = alone.weight, alone.bias
        self.running_mean, self.running_var = alone.running_mean, alone.running_var
        self.num_batches_tracked = alone.num_batches_tracked
        self.world = world
        self.share = 1.0
        """Of the batch that this process's photographs are, times the processes."""
        self.photos = 0
        """Those of the batch, in all processes."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W) of (N, C, H, W), in the precision of x; means are taken in float32."""
        if not self.training:
            return super().forward(x)
        values = x.float()
        mean = self._mean(values)
        values = values - mean
        variance = self._mean(values.square())
        count = self.photos * values[0, 0].numel()
        self._remember(mean.detach().flatten(), variance.detach().flatten() * count / max(count - 1, 1))
        shape = (1, -1, 1, 1)
        scale = self.weight.view(shape) * (variance + self.eps).rsqrt()
        return (values * scale + self.bias.view(shape)).to(x.dtype)

    def _mean(self, values: Tensor) -> Tensor:
        """Return means (1, C, 1, 1) over the batch: those of the processes, by their weights."""
        own = self.share * values.mean(_PIXELS, keepdim=True)
        mean: Tensor = _Mean.apply(own, self.world)  # type: ignore[no-untyped-call]
        return mean

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1


class _Mean(torch.autograd.Function):
    """The mean over processes, through which all of them learn from what any makes of it."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, world: World) -> Tensor:
        ctx.world = world
        return world.mean(values.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.world.mean(gradients[0].clone()), None


def share(network: nn.Module, world: World) -> None:
    """Have a network's normalisation go over the photographs of all processes of a world."""
    for module in list(network.modules()):
        for name, layer in module.named_children():
            if isinstance(layer, nn.BatchNorm2d):
                setattr(module, name, SharedNorm(layer, world))


def weigh(network: nn.Module, count: int, weight: float) -> None:
    """Say how many photographs this process has of the next batch, and what they count for, each as much."""
    layers = [layer for layer in network.modules() if isinstance(layer, SharedNorm)]
    if layers:
        photos = layers[0].world.total(count if weight else 0)
        for layer in layers:
            layer.share, layer.photos = weight, photos
