"""Optimizers and learning rates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.optim import AdamW, Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from torch_model.config import TrainConfig


class KerasRMSprop(Optimizer):
    """RMSprop as Keras does it: epsilon stands inside the square root.

    With epsilon 1e-7 that makes the smallest divisor 3e-4, where `torch.optim.RMSprop` has 1e-7:
    gradients of this task are small enough for it to matter. Defaults are Keras's.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-3, rho: float = 0.9, epsilon: float = 1e-7
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


def build_optimizer(config: TrainConfig, parameters: Iterable[Tensor]) -> Optimizer:
    """Build the optimizer that a config names."""
    if config.optimizer == "rmsprop":
        return KerasRMSprop(parameters, lr=config.lr)
    return AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay)


def learning_rate(config: TrainConfig, step: int, total: int) -> float:
    """Return the learning rate of a step: linear warm-up, then constant or a half cosine to zero."""
    rise = min(1.0, (step + 1) / config.warmup) if config.warmup else 1.0
    if config.schedule == "cosine":
        past = max(0, step - config.warmup) / max(1, total - config.warmup)
        rise *= 0.5 + 0.5 * math.cos(math.pi * min(1.0, past))
    return config.lr * rise
