"""The classic network: its size, its shapes, its scaling, its folding."""

from __future__ import annotations

import pytest
import torch

from torch_model.model import (
    AB_SCALE,
    CLASSIC_DECODER,
    CLASSIC_ENCODER,
    NetworkConfig,
    build,
    count_parameters,
    fold,
    initialize,
)


def lightness(*shape: int) -> torch.Tensor:
    """Return seeded L* of a shape."""
    return 100 * torch.rand(shape, generator=torch.Generator().manual_seed(1))


def test_parameters() -> None:
    """Classic has the original's 12 convolutions, 3 upsamplings and 3,892,194 parameters."""
    network = build(NetworkConfig())
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 12
    assert len(CLASSIC_ENCODER) + len(CLASSIC_DECODER) + 1 == 12 + 2  # the third doubling is behind the head
    assert count_parameters(network) == 3_892_194


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 1, 72, 200), (2, 1, 264, 8)])
def test_shapes(shape: tuple[int, ...]) -> None:
    """Any batch and any multiple of 8 gives ab of the same height and width, within tanh's range."""
    network = build(NetworkConfig())
    initialize(network, "he", 0)
    ab = network(lightness(*shape))
    assert ab.shape == (shape[0], 2, *shape[2:])
    assert ab.abs().max() <= AB_SCALE


def test_scaling() -> None:
    """Centered and raw networks of equal weights agree where their scaled inputs are equal."""
    raw, centered = build(NetworkConfig(l_center=0, l_scale=1)), build(NetworkConfig())
    initialize(raw, "glorot", 3)
    initialize(centered, "glorot", 3)
    l = lightness(1, 1, 16, 16)  # noqa: E741 - the graph's own name
    torch.testing.assert_close(raw((l - 50) / 50), centered(l))


def test_seed() -> None:
    """Equal seeds draw equal weights, other seeds others; biases start at zero."""
    first, same, other = (build(NetworkConfig()) for _ in range(3))
    for network, seed in ((first, 1), (same, 1), (other, 2)):
        initialize(network, "glorot", seed)
    assert torch.equal(first.head.weight, same.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)
    assert first.head.bias is not None
    assert not first.head.bias.any()


def test_folding() -> None:
    """A normalised network folds into the plain 12 convolutions and computes the same."""
    network = build(NetworkConfig(norm=True))
    initialize(network, "he", 0)
    for _ in range(3):
        network(lightness(4, 1, 32, 32))
    network.eval()
    folded = fold(network)
    assert count_parameters(folded) == 3_892_194
    l = lightness(2, 1, 40, 24)  # noqa: E741 - the graph's own name
    torch.testing.assert_close(folded(l), network(l), atol=2e-3, rtol=1e-4)


def test_bfloat16_keeps_lightness() -> None:
    """Under bfloat16 autocast a step of 0.1 in raw L* still reaches the network: its ends stay float32."""
    network = build(NetworkConfig(l_center=0, l_scale=1))
    initialize(network, "glorot", 0)
    l = torch.full((1, 1, 16, 16), 90.0)  # noqa: E741 - the graph's own name
    seen = []
    network.encoder[0].register_forward_hook(lambda _m, _i, output: seen.append(output))
    with torch.autocast("cpu", torch.bfloat16):
        network(l)
        assert network(l).dtype == torch.float32
        network(l + 0.1)
    assert seen[0].dtype == torch.float32
    assert not torch.equal(seen[0], seen[-1])
