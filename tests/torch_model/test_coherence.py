"""Places of one true color that are given several are told apart from those that are given one."""

from __future__ import annotations

import pytest
import torch

from torch_model.coherence import unevenness

SIDE = 48


def two_things(left: tuple[float, float], right: tuple[float, float]) -> torch.Tensor:
    """Return ab (1, 2, 48, 48) of one color on the left and another on the right."""
    ab = torch.empty(1, 2, SIDE, SIDE)
    ab[..., : SIDE // 2] = torch.tensor(left).reshape(2, 1, 1)
    ab[..., SIDE // 2 :] = torch.tensor(right).reshape(2, 1, 1)
    return ab


TRUE = two_things((40, 20), (-10, -40))


@pytest.mark.parametrize("given", [TRUE, 0.3 * TRUE, two_things((-20, 30), (0, 0)), TRUE.flip(1)])
def test_one_color_for_each_thing_costs_nothing(given: torch.Tensor) -> None:
    """Whatever two colors two things are given, strong or pale, right or wrong, it is all even."""
    assert unevenness(given, TRUE).item() < 1e-2


def test_a_thing_in_two_colors() -> None:
    """A thing that is given two colors costs more, the more the two differ beside what others do."""
    halves = [TRUE.clone() for _ in range(3)]
    for half, change in zip(halves, (5, 15, 45), strict=True):
        half[..., : SIDE // 2, : SIDE // 2] += change
    costs = [unevenness(half, TRUE).item() for half in halves]
    assert 0.02 < costs[0] < costs[1] < costs[2]
    assert unevenness(halves[2], halves[2]).item() < 1e-2


def test_scale_of_chroma_plays_no_part() -> None:
    """Paler pictures are not more even; but what is nearly grey is not held to have colors."""
    noise = 20 * torch.randn(2, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    true = TRUE.expand(2, -1, -1, -1)
    assert unevenness(noise, true).item() == pytest.approx(unevenness(noise / 2, true).item(), rel=1e-3)
    assert unevenness(noise / 1e4, true).item() < 0.1 * unevenness(noise, true).item()


def test_gradient_keeps_scale() -> None:
    """A step makes a picture of pale colors neither paler nor stronger in all."""
    noise = 5 * torch.randn(TRUE.shape, generator=torch.Generator().manual_seed(4))
    given = (0.3 * TRUE + noise).requires_grad_()
    (gradient,) = torch.autograd.grad(unevenness(given, TRUE), given)
    assert (gradient * given).sum().abs() < 0.02 * gradient.norm() * given.norm()


def test_gradient() -> None:
    """A step against the gradient makes colors more even, of grey pictures too; all of it is finite."""
    noise = torch.randn(TRUE.shape, generator=torch.Generator().manual_seed(2))
    for ab in (torch.zeros_like(TRUE), two_things((0, 30), (10, 0)), noise):
        given = ab.clone().requires_grad_()
        before = unevenness(given, TRUE)
        (gradient,) = torch.autograd.grad(before, given)
        assert torch.isfinite(gradient).all()
        assert unevenness(given - gradient, TRUE) <= before


@pytest.mark.parametrize(("scale", "apart"), [(0.5, True), (1.5, False)])
def test_things_are_not_driven_farther_apart_than_they_are(scale: float, *, apart: bool) -> None:
    """A step drives things of pale colors apart, but none that are farther apart than they truly are."""
    noise = 5 * torch.randn(TRUE.shape, generator=torch.Generator().manual_seed(3))
    given = (scale * TRUE + noise).requires_grad_()
    (gradient,) = torch.autograd.grad(unevenness(given, TRUE), given)
    means = [thing.mean(dim=(2, 3)) for thing in (given - gradient).chunk(2, dim=3)]
    before = [thing.mean(dim=(2, 3)) for thing in given.chunk(2, dim=3)]
    driven = (means[0] - means[1]).norm() - (before[0] - before[1]).norm()
    assert (driven > 1e-6) == apart


def test_parts_have_the_mean_of_the_whole() -> None:
    """What a batch costs is the mean of what its photographs do, so that processes may share it."""
    given = 10 * torch.randn(3, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    true = torch.cat([TRUE, 0.1 * TRUE, TRUE.flip(3)])
    each = [unevenness(*pair).item() for pair in zip(given.chunk(3), true.chunk(3), strict=True)]
    assert unevenness(given, true).item() == pytest.approx(sum(each) / 3, rel=1e-5)
