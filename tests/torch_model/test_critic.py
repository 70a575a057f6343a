"""A critic learns to tell colorized photographs from real ones, and says so at the network's output."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tintype.errors import UsageError
from torch_model.config import TrainConfig
from torch_model.critic import Critic, Seen
from torch_model.run import Run

L = 20 + 60 * torch.rand((4, 1, 64, 64), generator=torch.Generator().manual_seed(1))
TRUE = 40 * torch.randn((4, 2, 1, 1), generator=torch.Generator().manual_seed(2)).expand(-1, -1, 64, 64)
GREY = torch.zeros(4, 2, 64, 64)


def critic(**options: Any) -> Critic:
    """Return a critic with a classifier of random weights."""
    given: dict[str, Any] = {"size": 64, "critic_weights": "random", "critic_share": 0.5, **options}
    config = TrainConfig(**given)
    return Critic(config, config.critic[0])


def look(judge: Critic, ab: torch.Tensor) -> Seen:
    """Return what is seen of four photographs with some color, beside the originals."""
    return judge.see(L, ab, TRUE)


def test_it_learns() -> None:
    """After some steps grey photographs are blamed more than at first, and more than real ones."""
    judge = critic(perceptual=0.0)
    grey, true = look(judge, GREY), look(judge, TRUE)
    for _ in range(100):
        judge.learn(grey)
    assert judge.blame(grey) > judge.blame(true) + 0.5


def test_eyes_stay() -> None:
    """Learning changes the critic's own convolutions, never the classifier behind them."""
    judge = critic()
    eyes, own = judge.eyes.digest(), [p.clone() for p in judge.judges.parameters()]
    judge.learn(look(judge, GREY))
    assert judge.eyes.digest() == eyes
    assert not all(map(torch.equal, judge.judges.parameters(), own))


def test_true_color_is_not_blamed() -> None:
    """The perceptual distance of the originals' own color is nothing, of another color something."""
    judge = critic(adversarial=0.0)
    assert judge.blame(look(judge, TRUE)).item() == pytest.approx(0, abs=1e-6)
    assert judge.blame(look(judge, GREY)).item() > 1e-5


def test_seed() -> None:
    """Equal seeds make equal critics."""
    first, same, other = (
        critic(seed=seed)._scores(look(critic(), GREY).made)[0].mean().item() for seed in (1, 1, 2)
    )
    assert first == same != other


def several(*names: str, weights: str = "random") -> Run:
    """Return a run with critics that look through these classifiers."""
    config = TrainConfig(size=64, critic_share=0.5, critic_weights=weights, critic=names)
    return Run.start(config, torch.device("cpu"))


def test_several_look_in_turn() -> None:
    """Of several classifiers each step's looks, by its own features, and its judges alone learn by it."""
    run = several("efficientnet_lite0", "efficientnet_lite2")
    shapes, critics = [], []
    for step in range(3):
        run.step = step
        assert run.critic is not None
        critics.append(run.critic)
        shapes.append([tuple(one.shape) for one in look(run.critic, GREY).made])
    assert shapes[0] == shapes[2] != shapes[1]
    first, second = run.critics
    assert critics == [first, second, first]
    before = [[p.clone() for p in one.judges.parameters()] for one in run.critics]
    second.learn(look(second, GREY))
    assert all(map(torch.equal, first.judges.parameters(), before[0]))
    assert not all(map(torch.equal, second.judges.parameters(), before[1]))
    assert torch.isfinite(second.blame(look(second, GREY)))


def test_weights_of_several() -> None:
    """A file of weights is one classifier's: with several it is refused in words."""
    with pytest.raises(UsageError, match="--critic-weights is a file of one classifier: name one --critic"):
        several("efficientnet_lite0", "efficientnet_lite1", weights="some.pth")


def test_classifier_that_shows_nothing() -> None:
    """A classifier whose features cannot be had is refused, with those that can."""
    with pytest.raises(
        UsageError, match="mobilenet_v2 shows nothing on the way: choose one of efficientnet_lite0"
    ):
        critic(critic=("mobilenet_v2",))
