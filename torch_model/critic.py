"""A critic: tells colorized photographs from real ones by what a classifier sees in them.

The last phase of training, after Projected GANs (Sauer et al., 2021): small convolutions on the features of a
classifier that was trained on photographs in color and stays as it is. They learn to tell colorized
from real; the network learns to be taken for real, and to give features near the original's (a perceptual
loss, Johnson et al., 2016). The network itself stays the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from torch_model.classifiers import pretrained
from torch_model.color import lab_to_rgb
from torch_model.distributed import World

if TYPE_CHECKING:
    from torch_model.config import TrainConfig

RATE: Final = 4e-4  # Adam's, of the critic's convolutions
_WIDTH: Final = 64  # channels
_SLOPE: Final = 0.2
_PRECISION: Final = torch.bfloat16


class Seen(NamedTuple):
    """What a classifier sees on its way, at four depths, each (N, channels, h, w)."""

    made: list[Tensor]
    """Of colorized photographs."""
    real: list[Tensor]
    """Of the originals."""


class Critic(nn.Module):
    """Patches' scores at four depths of a classifier: above zero real, below colorized."""

    def __init__(self, config: TrainConfig, classifier: str, world: World | None = None) -> None:
        """Build a critic of seeded convolutions; raises UsageError if its classifier is not to be had.

        In each process of a `world` it is the same, and learns over all of a batch.
        """
        super().__init__()
        self.world = world or World()
        self.perceptual, self.adversarial = config.perceptual, config.adversarial
        self.eyes = pretrained(classifier, "pooled", config.size, config.critic_weights)
        self.eyes.requires_grad_(requires_grad=False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.judges = nn.ModuleList(_judge(channels) for channels in self.eyes.channels)
        self.optimizer = torch.optim.Adam(self.judges.parameters(), RATE, betas=(0.0, 0.99))

    def see(self, lightness: Tensor, ab: Tensor, true: Tensor) -> Seen:
        """Look at lightness (N, 1, H, W) with ab (N, 2, H, W) and with the originals' own, CIE units."""
        with torch.autocast(lightness.device.type, _PRECISION):
            made = self.eyes.look(lab_to_rgb(lightness, ab))[0]
            with torch.no_grad():
                return Seen(made, self.eyes.look(lab_to_rgb(lightness, true))[0])

    def blame(self, seen: Seen) -> Tensor:
        """Return what speaks against the colorized photographs."""
        blamed = torch.zeros((), device=seen.made[0].device)
        if self.adversarial:
            blamed = blamed - self.adversarial * _mean(self._scores(seen.made))
        if self.perceptual:
            distances = [F.mse_loss(one.float(), other.float()) for one, other in zip(*seen, strict=True)]
            blamed = blamed + self.perceptual * torch.stack(distances).sum()
        return blamed

    def learn(self, seen: Seen, weight: float = 1.0) -> None:
        """Take one step towards telling made from real: the hinge loss of a part of a batch, by weight."""
        if not self.adversarial:
            return
        made, real = (self._scores([one.detach() for one in side]) for side in seen)
        loss = _mean([F.relu(1 + score) for score in made]) + _mean([F.relu(1 - score) for score in real])
        self.optimizer.zero_grad()
        (weight * loss).backward()  # type: ignore[no-untyped-call]
        for parameter in self.judges.parameters():
            assert parameter.grad is not None
            parameter.grad = self.world.mean(parameter.grad)
        self.optimizer.step()

    def _scores(self, seen: list[Tensor]) -> list[Tensor]:
        with torch.autocast(seen[0].device.type, _PRECISION):
            return [judge(one).float() for judge, one in zip(self.judges, seen, strict=True)]


def _judge(channels: int) -> nn.Sequential:
    layers = (
        nn.Conv2d(channels, _WIDTH, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(_WIDTH, 1, 1),
    )
    return nn.Sequential(*(spectral_norm(one) if isinstance(one, nn.Conv2d) else one for one in layers))


def _mean(scores: list[Tensor]) -> Tensor:
    return torch.stack([score.mean() for score in scores]).mean()
