"""Batch normalisation over several processes is that of one, in values, gradients and what it remembers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from torch_model.distributed import World
from torch_model.norms import SharedNorm, share, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANNELS, SIDE = 3, 4


class Meeting:
    """Where threads that stand for processes sum what they have."""

    def __init__(self, size: int) -> None:
        self.barrier, self.brought = threading.Barrier(size, timeout=60), [torch.zeros(())] * size

    def sums(self, rank: int, values: Tensor) -> Tensor:
        """Return the sum of what all bring."""
        self.brought[rank] = values
        self.barrier.wait()
        total = torch.stack(list(self.brought)).sum(0)
        self.barrier.wait()
        return total


class Threads(World):
    """A world whose processes are threads."""

    meeting: Meeting

    def sums(self, values: Tensor) -> Tensor:
        """Return the sums of values over all threads."""
        return self.meeting.sums(self.rank, values)


def layer() -> nn.BatchNorm2d:
    """Return a layer whose values are not the first ones."""
    made = nn.BatchNorm2d(CHANNELS)
    with torch.no_grad():
        for tensor in (made.weight, made.bias, made.running_mean, made.running_var):
            assert tensor is not None
            tensor.copy_(torch.rand(CHANNELS, generator=torch.Generator().manual_seed(tensor.ndim)) + 0.5)
    return made


def trained(counts: Sequence[int], x: Tensor, pull: Tensor) -> list[tuple[Tensor, Tensor, nn.Module]]:
    """Return each process's output, its input's gradient and its layer, of its share of a batch.

    One of no photograph goes through the first one, with weight zero. The loss is the mean over photographs.
    """
    whole, meeting = sum(counts), Meeting(len(counts))
    starts = [sum(counts[:rank]) for rank in range(len(counts))]

    def train(rank: int) -> tuple[Tensor, Tensor, nn.Module]:
        world = Threads(rank, len(counts))
        object.__setattr__(world, "meeting", meeting)
        network = nn.Sequential(layer())
        share(network, world)
        own = slice(starts[rank], starts[rank] + counts[rank]) if counts[rank] else slice(0, 1)
        weight = len(counts) * counts[rank] / whole
        weigh(network, own.stop - own.start, weight)
        mine = x[own].clone().requires_grad_()
        out = network(mine)
        (weight * (out * pull[own]).mean()).backward()
        assert mine.grad is not None
        return out.detach(), mine.grad, network[0]

    with ThreadPoolExecutor(len(counts)) as pool:
        return list(pool.map(train, range(len(counts))))


@pytest.mark.parametrize("counts", [(5,), (3, 2), (1, 1, 1), (2, 0), (4, 3, 0)])
def test_one_batch(counts: tuple[int, ...]) -> None:
    """Uneven shares, and none at all, give the whole batch's values, gradients, means and variances."""
    seeded = torch.Generator().manual_seed(sum(counts))
    x, pull = (torch.randn(sum(counts), CHANNELS, SIDE, SIDE, generator=seeded) * 3 + 1 for _ in range(2))
    alone, whole = layer(), x.clone().requires_grad_()
    out = alone(whole)
    (out * pull).mean().backward()
    assert whole.grad is not None

    found = trained(counts, x, pull)
    with_photos = [one for one, count in zip(found, counts, strict=True) if count]
    torch.testing.assert_close(torch.cat([one[0] for one in with_photos]), out, rtol=1e-5, atol=1e-5)
    gradients = torch.cat([one[1] for one in with_photos]) / len(counts)
    torch.testing.assert_close(gradients, whole.grad, rtol=1e-4, atol=1e-7)
    assert all(not one[1].any() for one, count in zip(found, counts, strict=True) if not count)
    for name, parameter in alone.named_parameters():
        gradients = torch.stack(
            [grad for one in found if (grad := one[2].get_parameter(name).grad) is not None]
        )
        mean = gradients.mean(0)
        torch.testing.assert_close(mean, parameter.grad, rtol=1e-4, atol=1e-6)
    for _, _, made in found:
        torch.testing.assert_close(made.state_dict(), alone.state_dict(), rtol=1e-5, atol=1e-6)


def test_alone_in_evaluation() -> None:
    """What is validated with needs no other process, and is what the layer was."""
    alone = layer()
    x = torch.randn(2, CHANNELS, SIDE, SIDE)
    assert torch.equal(SharedNorm(alone, World(0, 2)).eval()(x), alone.eval()(x))


def test_precision() -> None:
    """Values leave in the precision they came in, and means are taken in float32."""
    network = nn.Sequential(layer())
    share(network, World())
    weigh(network, 2, 1.0)
    x = torch.randn(2, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).bfloat16()
    out = network(x)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), layer()(x.float()), rtol=1e-2, atol=1e-2)
