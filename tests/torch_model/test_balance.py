"""What speaks against an answer besides its loss gets the asked share of the gradient at the output."""

from __future__ import annotations

import pytest
import torch

from torch_model.balance import Objection, balanced
from torch_model.distributed import World

PLAIN = torch.tensor([3.0, 0.0, 4.0, 0.0])


class Two(World):
    """A process whose neighbour has a loss of its own, and no objection."""

    def sums(self, values: torch.Tensor) -> torch.Tensor:
        """Return sums over both."""
        return values + torch.tensor([144.0] + [0.0] * (len(values) - 1))


def gradient(shares: list[float], scale: float = 1e4, world: World | None = None) -> torch.Tensor:
    """Return the gradient of a loss of 3 and 4, with an objection to each value between."""
    output = torch.ones(4, requires_grad=True)
    objections = [
        Objection(share, scale * output[place]) for share, place in zip(shares, (1, 3), strict=False)
    ]
    balanced((output * PLAIN).sum(), output, objections, world or World()).backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None
    return output.grad


@pytest.mark.parametrize("share", [0.1, 2.0])
@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_share(share: float, scale: float) -> None:
    """What an objection adds is the asked share of the loss's gradient, at any scale of its own."""
    torch.testing.assert_close(gradient([share], scale), torch.tensor([3.0, share * 5, 4.0, 0.0]))


def test_several() -> None:
    """Each of several gets its own share, of the loss's gradient and not of what others added."""
    torch.testing.assert_close(gradient([2.0, 0.5]), torch.tensor([3.0, 10.0, 4.0, 2.5]))


def test_none() -> None:
    """Without objections it is the loss's gradient; one that objects to nothing adds nothing."""
    torch.testing.assert_close(gradient([]), PLAIN)
    torch.testing.assert_close(gradient([1.0], 0.0), PLAIN)


def test_share_of_all_processes() -> None:
    """Shares are measured by the gradients of all processes."""
    torch.testing.assert_close(gradient([0.5], world=Two()), torch.tensor([3.0, 0.5 * 13, 4.0, 0.0]))
