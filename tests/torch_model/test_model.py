"""The networks: their size, their shapes, their scaling, their folding; how vivid decodes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional

from torch_model.model import (
    AB_SCALE,
    UP,
    Agreement,
    Classic,
    Fusion,
    NetworkConfig,
    Refinement,
    UNet,
    Variant,
    Vivid,
    build,
    fold,
    initialize,
)

PARAMETERS: dict[Variant, int] = {"classic": 3_892_194, "vivid": 3_980_050, "fusion": 6_541_202}
SHOWN = torch.zeros(2, 1, 6, 8)  # lightness of which `logits` are


def lightness(*shape: int) -> torch.Tensor:
    """Return seeded L* of a shape."""
    return 100 * torch.rand(shape, generator=torch.Generator().manual_seed(1))


def config_of(variant: Variant, **options: Any) -> NetworkConfig:
    """Return a network's config, with a light classifier; fusion's sees 32 px, gives the 1000-vector."""
    plain = NetworkConfig(variant, **options)
    if variant == "unet":
        return replace(plain, classifier="efficientnet_lite0")
    if variant != "fusion":
        return plain
    return replace(plain, classifier="efficientnet_lite0", embedding="logits", classifier_side=32)


def fusion() -> Fusion:
    """Return a fusion network of seeded weights."""
    torch.manual_seed(0)
    network = Fusion(config_of("fusion"))
    initialize(network, "he", 0)
    return network


def unet(refinement: int = 0, agreement: int = 0) -> UNet:
    """Return a U-Net of seeded weights."""
    torch.manual_seed(0)
    network = UNet(config_of("unet", refinement=refinement, agreement=agreement))
    initialize(network, "he", 0)
    return network


def vivid(temperature: float = 0.4, **decoding: float) -> Vivid:
    """Return a vivid network of seeded weights."""
    network = Vivid(NetworkConfig("vivid", temperature=temperature, **decoding))  # type: ignore[arg-type]
    initialize(network, "he", 0)
    return network


def logits(seed: int = 0) -> torch.Tensor:
    """Return seeded logits (2, Q, 3, 4)."""
    return 3 * torch.randn((2, Vivid.HEAD, 3, 4), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("variant", PARAMETERS)
def test_parameters(variant: Variant) -> None:
    """Each has the original's convolutions, 3 upsamplings and parameters, beside a classifier's."""
    network = build(config_of(variant))
    assert isinstance(network, Classic)
    own = {name: m for name, m in network.named_modules() if not name.startswith("classifier")}
    convolutions = [m for m in own.values() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == (14 if variant == "fusion" else 12)
    assert network.DECODER.count(UP) == 2  # the third doubling is behind the head
    parameters = {p for m in own.values() for p in m.parameters(recurse=False)}
    assert sum(p.numel() for p in parameters) == PARAMETERS[variant]


@pytest.mark.parametrize(("dilation", "field"), [(1, 93), (2, 125), (4, 189)])
def test_receptive_field(dilation: int, field: int) -> None:
    """Eight px of ab depend on lightness in a window of 93 px; with dilation in a wider one."""
    network = build(NetworkConfig(dilation=dilation))
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 1e-3)  # no path is switched off
    l = torch.full((1, 1, 8, 256), 100.0, requires_grad=True)  # noqa: E741 - the graph's own name
    network(l)[0, 0, 4, 128:136].sum().backward()
    assert l.grad is not None
    seen = l.grad[0, 0].abs().sum(dim=0).nonzero()
    assert int(seen.max() - seen.min()) + 1 == field


@pytest.mark.parametrize("variant", ["classic", "fusion"])
@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 1, 72, 200), (2, 1, 264, 8)])
def test_shapes(variant: Variant, shape: tuple[int, ...]) -> None:
    """Any batch and any multiple of 8 gives ab of the same height and width, within tanh's range."""
    network = build(config_of(variant))
    initialize(network, "he", 0)
    ab = network(lightness(*shape))
    assert ab.shape == (shape[0], 2, *shape[2:])
    assert ab.abs().max() <= AB_SCALE


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 1, 72, 200)])
def test_shapes_of_vivid(shape: tuple[int, ...]) -> None:
    """Vivid gives logits at half the size, and decodes them to ab and ab_mean at the size of l."""
    network = vivid()
    raw = network(lightness(*shape))
    assert raw.shape == (shape[0], Vivid.HEAD, shape[2] // 2, shape[3] // 2)
    assert len(network.OUTPUTS) == 2
    assert [plane.shape for plane in network.decode(raw, SHOWN)] == 2 * [(shape[0], 2, *shape[2:])]


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 1, 72, 200), (2, 1, 64, 64)])
@pytest.mark.parametrize(("refinement", "agreement"), [(0, 0), (4, 0), (0, 12)])
def test_shapes_of_unet(shape: tuple[int, ...], refinement: int, agreement: int) -> None:
    """The U-Net gives logits at a quarter of the next multiple of 32, and ab and ab_mean at the size of l."""
    network = unet(refinement, agreement)
    raw = network(lightness(*shape))
    assert raw.shape == (shape[0], UNet.HEAD, *(-(-side // 32) * 8 for side in shape[2:]))
    assert [plane.shape for plane in network.decode(raw, lightness(*shape))] == 2 * [
        (shape[0], 2, *shape[2:])
    ]


def test_unet_hears_of_the_whole() -> None:
    """What a corner shows reaches the other one: by the embedding, even where no convolution reaches."""
    network = unet()
    l = lightness(1, 1, 64, 64)  # noqa: E741 - the graph's own name
    other = l.clone()
    other[..., :8, :8] = 100 - other[..., :8, :8]
    with torch.no_grad():
        network.embedded.weight.zero_()
        alone = (network(l) - network(other)).abs()[..., -1, -1].max()
        initialize(network, "he", 0)
        told = (network(l) - network(other)).abs()[..., -1, -1].max()
    assert told > alone


def test_places_that_look_alike_agree() -> None:
    """Features of two things, under noise, come to each thing's own mean, wherever its places are."""
    agreement = Agreement(16, 8)
    torch.manual_seed(0)
    things = 4 * torch.randn(2, 16)
    which = (torch.arange(24)[:, None] // 3 + torch.arange(24) // 6) % 2  # scattered
    clear = things[which].permute(2, 0, 1)[None]
    noisy = clear + torch.randn(clear.shape)
    with torch.no_grad():
        agreed = agreement(noisy)
        assert torch.allclose(agreement(clear), clear, atol=0.05)
        assert (agreed - clear).square().mean() < 0.15 * (noisy - clear).square().mean()
        begun = unet(agreement=8).agreement  # a seed draws other weights alone
        assert begun is not None
        assert torch.equal(begun.view.weight[..., 0, 0], torch.eye(128))
        agreement.share.zero_()
        assert torch.equal(agreement(noisy), noisy)


def test_refinement_begins_as_nothing() -> None:
    """Before it is taught, a refinement leaves both outputs as they are."""
    shown, refined = lightness(2, 1, 24, 40), unet(4)
    raw = refined(shown)
    unrefined = unet()
    unrefined.load_state_dict(refined.state_dict(), strict=False)
    for one, other in zip(refined.decode(raw, shown), unrefined.decode(raw, shown), strict=True):
        assert torch.equal(one, other)


def test_refinement_sees_what_is_near() -> None:
    """What a refinement adds depends on lightness and color around a place, and on nothing far from it."""
    torch.manual_seed(0)
    refinement = Refinement(4)
    torch.nn.init.normal_(refinement.last.weight)
    l, ab = lightness(1, 1, 64, 64), 20 * torch.randn(1, 2, 64, 64)  # noqa: E741 - the graph's own name
    with torch.no_grad():
        before = refinement(l, ab)
        for changed in (l, ab):
            changed[..., :8, :8] += 10
            after = refinement(l, ab)
            differs = (after - before).abs().amax(dim=1)[0] > 0
            assert differs[:8, :8].any()
            assert differs[8:12, 8:12].any()
            assert not differs[32:].any()
            assert not differs[:, 32:].any()
            before = after


def test_classic_decodes_to_ab() -> None:
    """What classic gives is ab itself."""
    network = build(NetworkConfig())
    raw = network(lightness(1, 1, 8, 8))
    assert network.decode(raw, SHOWN) == (raw,)
    assert len(network.OUTPUTS) == 1


def test_mean_is_the_expectation() -> None:
    """ab_mean is the sum of the bins' centers by their probabilities; at temperature 1 so is ab."""
    ab, mean = vivid(temperature=1).decode(logits(), SHOWN)
    shares = logits().softmax(dim=1)
    expected = torch.einsum("nqhw,qc->nchw", shares, vivid().centers)
    torch.testing.assert_close(mean[..., ::2, ::2], expected)
    torch.testing.assert_close(ab, mean)


def test_gain_multiplies_ab_alone() -> None:
    """With a gain ab is so many times the annealed mean; ab_mean keeps its place."""
    (plain, mean), (more, same) = (vivid(gain=gain).decode(logits(), SHOWN) for gain in (1.0, 1.5))
    torch.testing.assert_close(more, 1.5 * plain)
    assert torch.equal(mean, same)


def spread_over(*bins: int) -> torch.Tensor:
    """Return logits (1, Q, 1, W) of places, each with so many bins of one likelihood."""
    raw = torch.full((1, Vivid.HEAD, 1, len(bins)), -60.0)
    for place, count in enumerate(bins):
        raw[:, :count, :, place] = 5.0
    return raw


def test_what_is_unknown_is_grey() -> None:
    """Where as many colors are likely as the perplexity says ab and ab_mean are 0; to two thirds whole."""
    plain, fading = vivid(temperature=1), vivid(temperature=1, perplexity=36)
    for bins, share in ((1, 1), (24, 1), (30, math.log(36 / 30) / math.log(1.5)), (36, 0), (Vivid.HEAD, 0)):
        raw = spread_over(bins)
        for whole, faded in zip(plain.decode(raw, SHOWN), fading.decode(raw, SHOWN), strict=True):
            assert whole.abs().max() > 1
            torch.testing.assert_close(faded, share * whole, atol=1e-3, rtol=1e-4)
        assert torch.equal(fading.show(raw, SHOWN), fading.decode(raw, SHOWN)[0])


def test_the_unknown_in_what_is_known_keeps_color() -> None:
    """A place of any color in a photograph that is known keeps its own; else it fades sooner."""
    plain, fading = vivid(temperature=1), vivid(temperature=1, perplexity=36)
    for odd, usual, share in ((200, 1, 1), (1, 200, 1), (200, 100, 0), (30, 60, 0)):
        raw = spread_over(odd, *[usual] * 99)
        whole, faded = (network.show(raw, SHOWN)[..., :2] for network in (plain, fading))
        torch.testing.assert_close(faded, share * whole, atol=1e-3, rtol=1e-4)


def test_a_perplexity_hardly_reached_changes_nothing() -> None:
    """Of photographs that are known color is what it is without; doubt of another one has no part in it."""
    raw = torch.cat([spread_over(3, 4), spread_over(300, 300)])
    whole, faded = (vivid(perplexity=p).show(raw, SHOWN) for p in (0, 36))
    torch.testing.assert_close(faded[0], whole[0])
    assert whole[1].abs().max() > 1
    assert (faded[1] == 0).all()


@pytest.mark.parametrize(
    ("color", "kept"),
    [
        *(((50, -50), 0.25), ((60, -40), 0.25), ((10, -10), 0.25)),  # violet, of any strength
        *(((0, -50), 1), ((80, 0), 1), ((0, 50), 1), ((-40, 40), 1), ((-50, 0), 1)),  # blue, red, ...
        *(((60, -10), None), ((10, -40), None)),  # between
    ],
)
def test_violet_is_paler(color: tuple[float, float], kept: float | None) -> None:
    """Violet keeps its share of ab, whatever its chroma; other colors and ab_mean are as without."""
    likely = (vivid().centers == torch.tensor(color, dtype=torch.float32)).all(dim=1).float()
    raw = (100 * likely)[None, :, None, None].expand(1, -1, 3, 4)
    plain, paler = (vivid(violet=share, gain=1.2).decode(raw, SHOWN) for share in (1, 0.25))
    torch.testing.assert_close(plain[0][0, :, 0, 0], 1.2 * torch.tensor(color, dtype=torch.float32))
    share = (paler[0] / plain[0]).nan_to_num(nan=1, posinf=1, neginf=1)
    if kept is None:
        assert 0.3 < share.min() < share.max() + 1e-4 < 0.95
    else:
        torch.testing.assert_close(paler[0], kept * plain[0])
    assert torch.equal(paler[1], plain[1])
    assert torch.equal(vivid(violet=0.25, gain=1.2).show(raw, SHOWN), paler[0])


def test_what_is_red_or_blue_is_not_violet() -> None:
    """Of a thing that is as likely red as blue, little of the violet between them is shown."""
    centers = vivid().centers
    red, blue = ((centers == torch.tensor(color)).all(dim=1) for color in ((60.0, 0.0), (20.0, -60.0)))
    assert (red | blue).sum() == 2
    raw = 100.0 * (red | blue)[None, :, None, None].expand(1, -1, 3, 4)
    plain, paler = (vivid(violet=share).show(raw, SHOWN).norm(dim=1).max() for share in (1, 0.25))
    assert plain > 45
    assert paler < 15


def test_grey_stays_grey() -> None:
    """Where there is no color there is no hue: what is grey stays so, and has gradients."""
    raw = torch.zeros(1, Vivid.HEAD, 3, 4, requires_grad=True)
    with torch.no_grad():
        raw[:, (vivid().centers == 0).all(dim=1)] = 100
    shown = vivid(violet=0.25).show(raw, SHOWN)
    shown.sum().backward()  # type: ignore[no-untyped-call]
    assert shown.abs().max() < 1e-3
    assert raw.grad is not None
    assert raw.grad.isfinite().all()


def test_cold_is_the_mode() -> None:
    """Towards temperature 0 ab becomes the likeliest bin's center."""
    ab, _ = vivid(temperature=1e-4).decode(logits(), SHOWN)
    likeliest = vivid().centers[logits().argmax(dim=1)].permute(0, 3, 1, 2)
    torch.testing.assert_close(ab[..., ::2, ::2], likeliest)


def test_shift_raises_rare_bins() -> None:
    """What is subtracted from common bins moves ab to the others; ab_mean keeps its place."""
    network = vivid(temperature=1)
    grey = (network.centers == 0).all(dim=1)
    raw = torch.where(grey, 2.0, -9.0)
    raw[-1] = 1.0  # a bin of strong color, less likely than grey
    raw = raw.reshape(1, -1, 1, 1)
    before, mean = network.decode(raw, SHOWN)
    network.shift[:, grey] = 3.0
    after, same = network.decode(raw, SHOWN)
    assert after.norm() > before.norm() + 10
    assert torch.equal(mean, same)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_mean_knows_no_calibration(temperature: float) -> None:
    """ab_mean depends neither on the temperature nor on the shift; ab on both."""
    network = vivid(temperature)
    network.shift.copy_(logits(1)[:1, :, :1, :1])
    ab, mean = network.decode(logits(), SHOWN)
    other_ab, other_mean = vivid().decode(logits(), SHOWN)
    assert torch.equal(mean, other_mean)
    assert not torch.allclose(ab, other_ab)


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


def test_fusion_is_the_originals() -> None:
    """Its two halves compute the 1x1 convolution over channels and the embedding repeated over the grid."""
    network = fusion()
    l = lightness(2, 1, 24, 16)  # noqa: E741 - the graph's own name
    with torch.no_grad():
        encoded, embedding = network.encode(l), network.classifier(l)
        repeated = embedding[:, :, None, None].expand(-1, -1, *encoded.shape[2:])
        weight = torch.cat([network.mix.weight, network.embedded.weight[..., None, None]], dim=1)
        mixed = functional.conv2d(torch.cat([encoded, repeated], dim=1), weight, network.mix.bias).relu()
        torch.testing.assert_close(network(l), network.paint(network.decoder(mixed)), atol=1e-3, rtol=1e-4)


def test_known_embedding_spares_the_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a known embedding the classifier does not run, the color is the same; another changes it."""
    network = fusion()
    l = lightness(2, 1, 16, 16)  # noqa: E741 - the graph's own name
    with torch.no_grad():
        expected, embedding = network(l), network.classifier(l)
        monkeypatch.setattr(network.classifier, "forward", None)
        assert torch.equal(network(l, embedding), expected)
        assert not torch.allclose(network(l, embedding.flip(0)), expected, atol=1e-3)


def test_initialization_leaves_the_classifier() -> None:
    """Drawing first weights changes no pre-trained one."""
    network = fusion()
    before = network.classifier.digest()
    initialize(network, "glorot", 7)
    assert network.classifier.digest() == before


@pytest.mark.parametrize("variant", PARAMETERS)
def test_folding(variant: Variant) -> None:
    """A normalised network folds into plain convolutions and computes the same."""
    network = build(config_of(variant, norm=True, dilation=2, temperature=0.3))
    initialize(network, "he", 0)
    for _ in range(3):
        network(lightness(4, 1, 32, 32))
    network.eval()
    folded = fold(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    assert folded.config == config_of(variant, dilation=2, temperature=0.3)
    l = lightness(2, 1, 40, 24)  # noqa: E741 - the graph's own name
    torch.testing.assert_close(folded(l), network(l), atol=2e-3, rtol=1e-4)


@pytest.mark.parametrize("variant", PARAMETERS)
def test_bfloat16_keeps_lightness(variant: Variant) -> None:
    """Under bfloat16 autocast a step of 0.1 in raw L* still reaches the network: its ends stay float32."""
    network = build(config_of(variant, l_center=0, l_scale=1))
    assert isinstance(network, Classic)
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
