"""What speaks against a network's answer besides its loss, each in a share that is measured at its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from torch_model.distributed import World


class Objection(NamedTuple):
    """What else speaks against an answer, and how much it counts."""

    share: float
    """Of the loss's gradient at the network's output: what this one's is brought to."""
    value: Tensor
    """A scalar of any scale, less where the answer is better."""


def balanced(loss: Tensor, output: Tensor, objections: Sequence[Objection], world: World) -> Tensor:
    """Return a scalar whose gradient at the output is that of the loss and shares of it of objections.

    So no weight has to be found anew for each network. Of a process's part of a batch all have been
    multiplied by the part's weight; shares are measured over all processes of the `world`.
    """
    plain, *others = (
        torch.autograd.grad(one, output, retain_graph=True)[0]
        for one in (loss, *(o.value for o in objections))
    )
    norms = world.sums(torch.stack([one.square().sum() for one in (plain, *others)])).sqrt()
    gradient = plain
    for objection, other, norm in zip(objections, others, norms[1:], strict=True):
        gradient = gradient + objection.share * norms[0] / norm.clamp(min=1e-12) * other
    objective: Tensor = (output * gradient).sum()
    return objective
