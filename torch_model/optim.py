"""Optimizers and learning rates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.optim import AdamW, Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor, nn

    from torch_model.config import TrainConfig


class KerasRMSprop(Optimizer):
    """RMSprop as Keras does it: epsilon stands inside the square root.

    With epsilon 1e-7 that makes the smallest divisor 3e-4, where `torch.optim.RMSprop` has 1e-7:
    gradients of this task are small enough for it to matter. Defaults are Keras's.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        rho: float = 0.9,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "rho": rho, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step; closures are not used here."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state: dict[str, Any] = self.state[parameter]
                if not state:
                    state["velocity"] = torch.zeros_like(parameter)
                velocity, gradient = state["velocity"], parameter.grad
                velocity.mul_(group["rho"]).addcmul_(gradient, gradient, value=1 - group["rho"])
                divisor = (velocity + group["epsilon"]).sqrt_()
                parameter.addcdiv_(gradient, divisor, value=-group["lr"])


def build_optimizer(config: TrainConfig, network: nn.Module) -> Optimizer:
    """Build the optimizer that a config names, of what a network has to learn.

    Its groups say by which `share` of the learning rate they go: a classifier's may be another.
    """
    shares: dict[float, list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            share = config.classifier_rate if name.startswith("classifier.") else 1.0
            shares.setdefault(share, []).append(parameter)
    groups = [{"params": parameters, "share": share} for share, parameters in shares.items()]
    if config.optimizer == "rmsprop":
        return KerasRMSprop(groups, lr=config.lr)
    return AdamW(groups, lr=config.lr, weight_decay=config.weight_decay)


def learning_rate(config: TrainConfig, step: int, total: int) -> float:
    """Return the learning rate of a step: linear warm-up, then constant or a half cosine to zero."""
    rise = min(1.0, (step + 1) / config.warmup) if config.warmup else 1.0
    if config.schedule == "cosine":
        past = max(0, step - config.warmup) / max(1, total - config.warmup)
        rise *= 0.5 + 0.5 * math.cos(math.pi * min(1.0, past))
    return config.lr * rise
