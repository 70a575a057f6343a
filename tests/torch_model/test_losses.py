"""Losses: the right answer costs least, and says which way to go."""

from __future__ import annotations

import pytest
import torch

from torch_model import bins
from torch_model.losses import LOSSES, Loss


def colors(seed: int = 0) -> torch.Tensor:
    """Return seeded ab (2, 2, 8, 8) of equal 2x2 squares, within the gamut."""
    small = torch.rand((2, 2, 4, 4), generator=torch.Generator().manual_seed(seed)) * 80 - 40
    return small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def right_answer(loss: Loss, ab: torch.Tensor) -> torch.Tensor:
    """Return what a network should give for ab: itself or, for bins, the logarithms of its weights."""
    if loss != "bins":
        return ab.clone()
    numbers, weights = bins.encode(ab[..., ::2, ::2])
    return torch.zeros(2, 306, 4, 4).scatter_add(1, numbers, weights).clamp(min=1e-12).log()


@pytest.mark.parametrize("loss", LOSSES)
def test_right_answer_costs_least(loss: Loss) -> None:
    """What a network should give costs less than the answer to another photograph, or noise around it."""
    ab = colors()
    right = right_answer(loss, ab)
    noise = torch.randn(right.shape, generator=torch.Generator().manual_seed(1))
    least = LOSSES[loss](right, ab)
    for wrong in (right_answer(loss, colors(1)), right + noise, torch.zeros_like(right)):
        assert least < LOSSES[loss](wrong, ab)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient(loss: Loss) -> None:
    """A step against the gradient lowers the loss; no value is without one."""
    ab = colors()
    given = torch.randn(right_answer(loss, ab).shape, generator=torch.Generator().manual_seed(2))
    given.requires_grad_()
    before = LOSSES[loss](given, ab)
    before.backward()  # type: ignore[no-untyped-call]
    assert given.grad is not None
    assert torch.isfinite(given.grad).all()
    assert given.grad.any(dim=1).all()
    assert LOSSES[loss](given - given.grad, ab) < before


@pytest.mark.parametrize("loss", LOSSES)
def test_parts_have_the_mean_of_the_whole(loss: Loss) -> None:
    """The loss of a batch is the mean of those of its halves, so that it may be cut into parts."""
    ab = torch.cat([colors(), 0.2 * colors(1)])
    given = torch.randn(
        torch.cat([right_answer(loss, one) for one in ab.chunk(2)]).shape,
        generator=torch.Generator().manual_seed(3),
    )
    halves = [LOSSES[loss](*pair).item() for pair in zip(given.chunk(2), ab.chunk(2), strict=True)]
    assert LOSSES[loss](given, ab).item() == pytest.approx(sum(halves) / 2, rel=1e-5)


def test_mean_counts() -> None:
    """Of answers with one probability for the true bin, the one whose other bins are near it costs less."""
    ab = torch.zeros(1, 2, 2, 2)
    centers = torch.from_numpy(bins.centers())
    logits = {}
    for name, place in (("near", [10.0, 0.0]), ("far", [90.0, 0.0])):
        other = (centers == torch.tensor(place)).all(dim=1)
        grey = (centers == 0).all(dim=1)
        logits[name] = torch.where(grey | other, 0.0, -30.0).reshape(1, 306, 1, 1)
    near, far = (LOSSES["bins"](value, ab).item() for value in logits.values())
    assert near == pytest.approx(0.6931 + 20 * 25 / 2 / 128**2, abs=1e-3)
    assert far == pytest.approx(0.6931 + 20 * 45**2 / 2 / 128**2, abs=1e-3)


def test_vivid_colors_weigh_more() -> None:
    """Of equal errors the one at a vivid color costs more; of one color alone chroma costs what mse does."""
    ab = torch.zeros(1, 2, 1, 2)
    ab[0, 0, 0, 1] = 60.0  # chroma 60 beside grey
    off = torch.tensor([[[[8.0, 0.0]], [[0.0, 0.0]]]])
    at_grey, at_vivid = (LOSSES["chroma"](ab + error, ab).item() for error in (off, off.flip(3)))
    assert at_vivid == pytest.approx(4 * at_grey)
    even = torch.full((1, 2, 4, 4), 30.0)
    assert LOSSES["chroma"](even + 5, even).item() == pytest.approx(LOSSES["mse"](even + 5, even).item())


def test_bins_learn_the_mean_over_a_square() -> None:
    """Logits, at half the size, are judged by the mean color of each 2x2 square."""
    ab = torch.zeros(1, 2, 2, 2)
    ab[0, 0, 0] = 40.0  # of the four, two: their mean is 20
    even = right_answer("bins", torch.full((2, 2, 8, 8), 20.0) * torch.tensor([1.0, 0.0])[:, None, None])
    grey = right_answer("bins", torch.zeros(2, 2, 8, 8))
    assert LOSSES["bins"](even[:1, :, :1, :1], ab) < LOSSES["bins"](grey[:1, :, :1, :1], ab)
    assert LOSSES["bins"](even[:1, :, :1, :1], ab).item() == pytest.approx(0, abs=1e-4)
