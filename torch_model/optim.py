"""Optimizers and learning rates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.optim import AdamW, Optimizer

from tintype.errors import UsageError
from tintype.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor, nn

    from torch_model.config import TrainConfig

WARMUP: Final = 100  # steps of `teach`


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


def teach(
    network: nn.Module, loss: Callable[[int], Tensor], steps: int, rate: float, *, clip: float = math.inf
) -> None:
    """Train all of a small network in one go, with progress: `loss` is asked at each step.

    AdamW, a linear warm-up, a half cosine to zero. `clip` is the largest norm of the gradient. Raises
    UsageError where the loss is no number.
    """
    parameters = list(network.parameters())
    optimizer = AdamW(parameters, rate)
    with Progress("teaching", steps) as progress:
        for step in range(steps):
            warm = min(1.0, (step + 1) / WARMUP)
            for group in optimizer.param_groups:
                group["lr"] = rate * warm * 0.5 * (1 + math.cos(math.pi * step / steps))
            optimizer.zero_grad()
            found = loss(step)
            found.backward()  # type: ignore[no-untyped-call]
            if not math.isfinite(found.item()):
                raise UsageError(f"the loss is {found.item()} at step {step}: try a lower --lr")
            if clip < math.inf:
                torch.nn.utils.clip_grad_norm_(parameters, clip)
            optimizer.step()
            progress.advance()
