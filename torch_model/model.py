"""The networks: from the lightness of a photograph to its color.

Written once, for every size: float32 NCHW, L* in [0, 100] in, a* and b* in CIE units out. Scaling
to network units happens inside, by buffers, so that it travels with the weights and into the graph.

The table of channels is data; the state dict's names are the checkpoint format and, as initializer
names, the format of released models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tintype.metadata import MEAN_OUTPUT, OUTPUT
from torch_model.bins import centers
from torch_model.classifiers import Classifier, Embedding
from torch_model.color import lightness_to_grey

if TYPE_CHECKING:
    from collections.abc import Callable

UP: Final = "up"
MULTIPLE: Final = 8  # three halvings, three doublings
AB_SCALE: Final = 128.0  # tanh's -1..1 to CIE units

# (output channels, stride) of the encoder's convolutions; channels or UP in the decoder's order
Encoding: TypeAlias = tuple[tuple[int, int], ...]
Decoding: TypeAlias = tuple[int | str, ...]
CLASSIC_ENCODER: Final[Encoding] = (
    (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (256, 1)
)  # fmt: skip
CLASSIC_DECODER: Final[Decoding] = (128, UP, 64, UP, 32)
FUSION_ENCODER: Final[Encoding] = (
    (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1)
)  # fmt: skip
FUSION_DECODER: Final[Decoding] = (128, UP, 64, UP, 32, 16)

# channels of the U-Net's joins, from the deepest features, a 32nd of the size, up to a quarter of it
UNET_CHANNELS: Final = (256, 256, 192, 128)
UNET_MULTIPLE: Final = 32
UNET_GRID: Final = 4  # px of lightness between two colors of its head
LIKENESS: Final = 20.0  # what multiplies the cosine by which two places are alike
FADE: Final = math.log(3 / 2)  # nats of entropy over which color fades: from two thirds of a perplexity to it
VIOLET: Final = math.radians(315)  # the hue between blue's and red's
AROUND_VIOLET: Final = math.radians(42)  # to either side, beyond which nothing is violet
REFINED_SCALE: Final = 30.0  # CIE units that a refinement counts as 1
_UNLIKELY: Final = 1e-6  # adds nothing to an entropy, and is no zero in float16

Variant = Literal["classic", "vivid", "fusion", "unet"]


@dataclass(frozen=True)
class NetworkConfig:
    """What must be known to build a network before its weights are loaded."""

    variant: Variant = "classic"
    l_center: float = 50.0
    """Subtracted from L*; 0 for the faithful original and for imported Keras weights."""
    l_scale: float = 50.0
    """Then divides it; 1 for the faithful original and for imported Keras weights."""
    dilation: int = 1
    """Of all but `unet`: of the encoder's convolutions behind its last halving, which then see further."""
    norm: bool = False
    """Batch normalisation behind each convolution but the last, while training only: `fold` removes it."""
    temperature: float = 0.4
    """Of `vivid` and `unet`: below 1 the distribution is sharpened before its mean is taken as ab."""
    gain: float = 1.0
    """Of `vivid` and `unet`: what then multiplies that mean, of which chroma is less than colors have."""
    perplexity: float = 0.0
    """Of `vivid` and `unet`: of how many colors as likely as each other, as a mean, ab is 0; 0: of any."""
    violet: float = 1.0
    """Of `vivid` and `unet`: the share of its color that violet keeps in ab, not in ab_mean."""
    agreement: int = 0
    """Of `unet`: side of the grid of places whose features each place takes a mean of; 0: none."""
    refinement: int = 0
    """Of `unet`: channels of the convolutions that bring its color onto the edges of lightness; 0: none."""
    classifier: str = ""
    """Of `fusion` and `unet`: a name of the table in `classifiers`."""
    embedding: Embedding = "pooled"
    """Of `fusion`: what it takes of the classifier."""
    classifier_side: int = 0
    """Of `fusion`: what the classifier sees, px."""


class Conv(nn.Module):
    """3x3 convolution with Keras's "same" padding, optional normalisation, ReLU.

    With stride 2 Keras pads even sizes on the right and at the bottom only.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, *, dilation: int = 1, norm: bool = False
    ) -> None:
        super().__init__()
        padding = dilation if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding, dilation)
        self.norm: nn.Module = nn.BatchNorm2d(outputs) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H / stride, W / stride) of (N, inputs, H, W)."""
        if self.conv.stride[0] == 2:
            x = F.pad(x, (0, 1, 0, 1))
        return F.relu(self.norm(self.conv(x)))


def encoder(layers: Encoding, *, dilation: int, norm: bool) -> nn.Sequential:
    """Convolutions from L down to an eighth of its size, where they may be dilated."""
    blocks: list[nn.Module] = []
    inputs, halved = 1, 1
    for outputs, stride in layers:
        spread = dilation if halved == MULTIPLE else 1
        blocks.append(Conv(inputs, outputs, stride, dilation=spread, norm=norm))
        inputs, halved = outputs, halved * stride
    return nn.Sequential(*blocks)


def decoder(inputs: int, layers: Decoding, *, norm: bool) -> nn.Sequential:
    """Convolutions and doublings, nearest neighbour, up to half of the size."""
    blocks: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, int):
            blocks.append(Conv(inputs, layer, norm=norm))
            inputs = layer
        else:
            blocks.append(nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*blocks)


class Network(nn.Module):
    """What all networks have in common: features of lightness, and a head that paints them."""

    OUTPUTS: ClassVar[tuple[str, ...]] = (OUTPUT,)  # of the graph, as `decode` gives them
    l_center: Tensor
    l_scale: Tensor
    head: nn.Conv2d

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("l_center", torch.tensor(config.l_center))
        self.register_buffer("l_scale", torch.tensor(config.l_scale))

    def forward(self, l: Tensor, *known: Tensor) -> Tensor:  # noqa: E741 - the graph's own name for lightness
        """Return ab (N, 2, H, W), CIE units, of l (N, 1, H, W) in [0, 100]; H and W multiples of 8.

        `known` is what a network would else find out by itself: of `fusion`, the embedding (N, features).
        """
        return self.paint(self.features(l, *known))

    def features(self, l: Tensor, *known: Tensor) -> Tensor:  # noqa: E741
        """Return what the head sees."""
        raise NotImplementedError

    def paint(self, features: Tensor) -> Tensor:
        """Return ab (N, 2, H, W) of what the head sees."""
        x = torch.tanh(_float32(self.head, features))  # (N, 2, H/2, W/2)
        return AB_SCALE * F.interpolate(x, scale_factor=2.0, mode="nearest")

    def decode(self, x: Tensor, _l: Tensor) -> tuple[Tensor, ...]:
        """Return the graph's outputs of what `forward` gave of lightness: here ab alone."""
        return (x,)

    def show(self, x: Tensor, l: Tensor) -> Tensor:  # noqa: E741
        """Return the first of these outputs, ab, alone."""
        return self.decode(x, l)[0]


class Classic(Network):
    """12 convolutions, 3 upsamplings, 3,892,194 parameters; 7.60 GMAC at 256x256."""

    ENCODER: ClassVar[Encoding] = CLASSIC_ENCODER
    DECODER: ClassVar[Decoding] = CLASSIC_DECODER
    HEAD: ClassVar = 2  # channels of the last convolution: a and b

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.encoder = encoder(self.ENCODER, dilation=config.dilation, norm=config.norm)
        self.decoder = decoder(self.ENCODER[-1][0], self.DECODER, norm=config.norm)
        self.head = nn.Conv2d(int(self.DECODER[-1]), self.HEAD, 3, padding=1)

    def features(self, l: Tensor, *_known: Tensor) -> Tensor:  # noqa: E741
        """Return what the head sees, (N, 32, H/2, W/2)."""
        return self.decoder(self.encode(l))  # type: ignore[no-any-return]

    def encode(self, l: Tensor) -> Tensor:  # noqa: E741
        """Return what the encoder makes of lightness, (N, 256, H/8, W/8)."""
        x = (l - self.l_center) / self.l_scale  # (N, 1, H, W)
        x = _float32(self.encoder[0], x)  # (N, 64, H, W); of fusion (N, 64, H/2, W/2)
        for block in list(self.encoder)[1:]:
            x = block(x)
        return x


class Distribution(Network):
    """A network whose head gives logits of the ab bins.

    Trained to tell how likely each color is. `shift`, `temperature`, `gain`, `perplexity` and `violet` are
    set after training: rare colors are raised, as `shift` is subtracted from the logits, the distribution is
    sharpened, and its mean multiplied. Where nothing is known the mean of all colors is a warm brown, which
    rebalanced and sharpened is red: there color fades. The mean of what is blue or red is violet, which few
    things are: there it is paler.
    """

    HEAD: ClassVar = len(centers())
    OUTPUTS: ClassVar = (OUTPUT, MEAN_OUTPUT)
    shift: Tensor
    centers: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.register_buffer("shift", torch.zeros(1, self.HEAD, 1, 1))
        self.register_buffer("centers", torch.tensor(centers()), persistent=False)  # (Q, 2)

    def paint(self, features: Tensor) -> Tensor:
        """Return logits (N, Q, h, w) of what the head sees."""
        return _float32(self.head, features)

    def decode(self, x: Tensor, l: Tensor) -> tuple[Tensor, ...]:  # noqa: E741
        """Return ab, the annealed mean, and ab_mean, the expectation: both (N, 2, H, W), CIE units."""
        likely = self._sharpened(x)
        known = self._known(likely)  # before the expectation, whose distribution then takes this one's memory
        vivid = _faded(self._vivid(likely), known)
        return self.enlarge(vivid, l), self.enlarge(_faded(self._mean(_shares(x.float())), known), l)

    def show(self, x: Tensor, l: Tensor) -> Tensor:  # noqa: E741
        """Return ab, the annealed mean, alone."""
        likely = self._sharpened(x)
        return self.enlarge(_faded(self._vivid(likely), self._known(likely)), l)

    def enlarge(self, ab: Tensor, _l: Tensor) -> Tensor:
        """Bring ab (N, 2, h, w) from the head's size to that of lightness (N, 1, H, W)."""
        return F.interpolate(ab, scale_factor=2.0, mode="nearest")

    def _sharpened(self, logits: Tensor) -> Tensor:
        return _shares((logits.float() - self.shift) * (1 / self.config.temperature))

    def _vivid(self, likely: Tensor) -> Tensor:
        mean = self._mean(likely)
        if self.config.violet != 1:
            mean = mean * (1 - (1 - self.config.violet) * _violet(mean))
        return mean if self.config.gain == 1 else self.config.gain * mean

    def _mean(self, shares: Tensor) -> Tensor:
        mean = _float32(lambda each: each @ self.centers, shares)  # (N, h, w, 2)
        return mean.permute(0, 3, 1, 2)

    def _known(self, likely: Tensor) -> Tensor | None:
        """Return the share of its color that a place keeps, (N, 1, h, w): the less the wider (N, h, w, Q) is.

        A place's entropy and the mean of all places' count half and half: in a street a dress of any color
        keeps one, a surface as unknown as all around it does not. None without a perplexity.
        """
        if not self.config.perplexity:
            return None
        entropy = -(likely * likely.clamp(min=_UNLIKELY).log()).sum(dim=-1)  # (N, h, w)
        doubt = (entropy + entropy.mean(dim=(1, 2), keepdim=True)) / 2
        return ((math.log(self.config.perplexity) - doubt) / FADE).clamp(0, 1)[:, None]


class Vivid(Distribution, Classic):
    """Classic's body with a wider head: logits of the ab bins; 3,980,050 parameters, 9.05 GMAC at 256x256."""


class Fusion(Classic):
    """Encoder and decoder with a classifier's embedding between them: what is in the photograph, everywhere.

    With a 1000-vector 6,541,202 parameters beside the classifier; 9.52 GMAC at 256x256. The 1x1 convolution
    over the encoder's 256 channels and the embedding, repeated over the grid, is written as what it is: one
    over the channels (`mix`), plus one vector a photograph (`embedded`), at any size.
    """

    ENCODER: ClassVar = FUSION_ENCODER
    DECODER: ClassVar = FUSION_DECODER

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        channels = self.ENCODER[-1][0]
        self.classifier = Classifier(config.classifier, config.embedding, config.classifier_side)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.embedded = nn.Linear(self.classifier.features, channels, bias=False)

    def features(self, l: Tensor, *known: Tensor) -> Tensor:  # noqa: E741
        """Return what the head sees, (N, 16, H/2, W/2).

        A known embedding (N, features) spares the classifier.
        """
        (embedding,) = known or (self.classifier(l),)
        told = self.embedded(embedding)[..., None, None]  # (N, 256, 1, 1)
        x = F.relu(self.mix(self.encode(l)) + told)  # (N, 256, H/8, W/8)
        return self.decoder(x)  # type: ignore[no-any-return]


class Join(nn.Module):
    """What is known at half of the size, doubled, beside what a classifier sees at this one."""

    def __init__(self, deep: int, seen: int, outputs: int) -> None:
        super().__init__()
        self.first = Conv(deep + seen, outputs)
        self.second = Conv(outputs, outputs)

    def forward(self, deep: Tensor, seen: Tensor) -> Tensor:
        """Return (N, outputs, h, w) of (N, deep, h/2, w/2) and (N, seen, h, w)."""
        doubled = F.interpolate(deep, scale_factor=2.0, mode="nearest")
        return self.second(self.first(torch.cat([doubled, seen], dim=1)))  # type: ignore[no-any-return]


class Agreement(nn.Module):
    """Places that look alike agree on their color: each takes the mean of others' features, by likeness.

    Convolutions decide about each place from what is near it, and so about the two ends of one cup as if
    they were two. Here a place's features become, by a share of each channel, the mean of those of a grid
    over the whole picture (non-local means; Wang et al., 2018), weighted by the softmax of how alike the two
    are. As the head is linear, that is the mean of logits: what most of a thing is taken for, all of it
    becomes.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.view = nn.Conv2d(channels, channels, 1, bias=False)  # by what places are alike
        self.share = nn.Parameter(torch.ones(1, channels, 1, 1))
        nn.init.dirac_(self.view.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, h, w) of the same."""
        seen = self.view(x - x.mean(dim=(2, 3), keepdim=True))
        grid = (self.side, self.side)
        others, theirs = (F.interpolate(y, grid, mode="bilinear", align_corners=False) for y in (x, seen))
        alike = _unit(seen).flatten(2).transpose(1, 2) @ _unit(theirs).flatten(2)  # (N, h w, K), cosines
        weights = F.softmax(LIKENESS * alike, dim=-1)
        mean = (weights @ others.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)
        return x + self.share * (mean - x)


class Refinement(nn.Module):
    """Color of a coarse grid, brought onto the edges of lightness by what both show nearby.

    At half of the size, reached by a strided convolution and left by a transposed one; what comes out is
    added. It is taught on true colors (`torch_model.refine`): where colors end, not which ones are likely. As
    what counts there is what the runtime leaves of it in merging, color at edges is a little too strong.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 4, stride=2, padding=1)
        self.inner = nn.Sequential(*(Conv(channels, channels) for _ in range(3)))
        self.last = nn.ConvTranspose2d(channels, 2, 4, stride=2, padding=1)
        for parameter in self.last.parameters():  # until it is taught, color stays as it is
            nn.init.zeros_(parameter)

    def forward(self, l: Tensor, ab: Tensor) -> Tensor:  # noqa: E741
        """Return ab (N, 2, H, W), CIE units, of l (N, 1, H, W) in [0, 100] and coarse ab; H and W even."""
        shown = torch.cat([(l - 50) / 50, ab / REFINED_SCALE], dim=1)  # (N, 3, H, W)
        x = self.inner(F.relu(_float32(self.first, shown)))  # (N, channels, H/2, W/2)
        return ab + REFINED_SCALE * _float32(self.last, x)


class UNet(Distribution):
    """A classifier's features at four depths, joined from the deepest up; the head stands at a quarter.

    "What" and "where" are found once: the classifier's embedding is told to the deepest features (as `Fusion`
    does), and what it sees on its way there is handed across (Ronneberger et al., 2015). Sizes that cannot be
    halved five times are padded by their edge, and ab is cut to them. With a `refinement` color is finer
    than the head's grid.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.classifier = Classifier(config.classifier, "pooled", config.classifier_side)
        seen = self.classifier.channels
        deepest, *others = UNET_CHANNELS
        self.mix = nn.Conv2d(seen[-1], deepest, 1)
        self.embedded = nn.Linear(self.classifier.features, deepest, bias=False)
        self.deepest = Conv(deepest, deepest)
        depths = zip((deepest, *others), reversed(seen[:-1]), others, strict=False)
        self.joins = nn.ModuleList(Join(deep, channels, outputs) for deep, channels, outputs in depths)
        self.agreement = Agreement(UNET_CHANNELS[-1], config.agreement) if config.agreement else None
        self.head = nn.Conv2d(UNET_CHANNELS[-1], self.HEAD, 1)
        self.refinement = Refinement(config.refinement) if config.refinement else None

    def features(self, l: Tensor, *_known: Tensor) -> Tensor:  # noqa: E741
        """Return what the head sees, (N, 128, h/4, w/4): h and w are the next multiples of 32."""
        padding = (0, -l.shape[-1] % UNET_MULTIPLE, 0, -l.shape[-2] % UNET_MULTIPLE)
        padded = F.pad(l, padding, mode="replicate")
        seen, embedding = self.classifier.look(lightness_to_grey(padded))
        told = self.embedded(embedding)[..., None, None]  # (N, 256, 1, 1)
        x: Tensor = self.deepest(F.relu(self.mix(seen[-1]) + told))  # (N, 256, h/32, w/32)
        for join, beside in zip(self.joins, reversed(seen[:-1]), strict=True):
            x = join(x, beside)
        return x if self.agreement is None else self.agreement(x)

    def enlarge(self, ab: Tensor, l: Tensor) -> Tensor:  # noqa: E741
        """Bring ab (N, 2, h/4, w/4) to the size of lightness (N, 1, H, W), and onto its edges."""
        spread = self.spread(ab, l)
        return spread if self.refinement is None else self.refinement(l, spread)

    @staticmethod
    def spread(ab: Tensor, l: Tensor) -> Tensor:  # noqa: E741
        """Bring ab (N, 2, h/4, w/4) to the size of lightness (N, 1, H, W), smoothly."""
        height, width = l.shape[-2:]
        padded = F.interpolate(ab, scale_factor=float(UNET_GRID), mode="bilinear", align_corners=False)
        return padded[..., :height, :width]


_NETWORKS: Final[dict[Variant, type[Network]]] = {
    "classic": Classic,
    "vivid": Vivid,
    "fusion": Fusion,
    "unet": UNet,
}


def build(config: NetworkConfig) -> Network:
    """Build the network that a config describes, with uninitialised (torch's default) weights."""
    return _NETWORKS[config.variant](config)


def initialize(model: nn.Module, scheme: Literal["glorot", "he"], seed: int) -> None:
    """Draw every convolution's weights from a seed; biases start at zero.

    `glorot` (uniform) is what the originals used, by Keras's default; `he` keeps the variance
    through ReLUs. The last layer, a tanh's or a softmax's, is Glorot in both. A classifier and an agreement
    keep their weights.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and not name.startswith(("classifier.", "agreement.")):
            fan_in, fan_out = _fans(model, name, module)
            he = scheme == "he" and name != "head"
            bound = math.sqrt(6 / fan_in if he else 6 / (fan_in + fan_out))
            with torch.no_grad():
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()


def _fans(model: nn.Module, name: str, module: nn.Conv2d | nn.Linear) -> tuple[int, int]:
    """Return how many values a value of a layer's output depends on, and the other way round."""
    if isinstance(model, Fusion | UNet) and name in ("mix", "embedded"):  # two halves of one 1x1 convolution
        return model.mix.in_channels + model.embedded.in_features, model.mix.out_channels
    outputs, inputs, *kernel = module.weight.shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def fold(model: Network) -> Network:
    """Return an equal network in evaluation mode whose normalisation is folded into its convolutions."""
    folded = build(replace(model.config, norm=False)).eval()
    state = {name: value.float() for name, value in model.state_dict().items()}
    if model.config.norm:
        for name, module in model.eval().named_modules():
            if isinstance(module, Conv):
                assert isinstance(module.norm, nn.BatchNorm2d)
                fused = fuse_conv_bn_eval(module.conv, module.norm).state_dict()
                state |= {f"{name}.conv.{key}": value for key, value in fused.items()}
        state = {name: value for name, value in state.items() if ".norm." not in name}
    folded.load_state_dict(state)
    return folded


def count_parameters(model: nn.Module) -> int:
    """Count trainable values."""
    return sum(parameter.numel() for parameter in model.parameters())


def _shares(logits: Tensor) -> Tensor:
    """Return probabilities (N, h, w, Q) of logits (N, Q, h, w): bins last save onnxruntime time."""
    return F.softmax(logits.permute(0, 2, 3, 1), dim=-1)


def _faded(ab: Tensor, known: Tensor | None) -> Tensor:
    """Return ab (N, 2, h, w) times the share (N, 1, h, w) that is kept of it; None: all."""
    return ab if known is None else known * ab


def _violet(ab: Tensor) -> Tensor:
    """Return how violet ab (N, 2, h, w) is, (N, 1, h, w) from 0 to 1, by its hue alone."""
    hue = _unit(ab)
    near = hue[:, :1] * math.cos(VIOLET) + hue[:, 1:] * math.sin(VIOLET)  # cosine of how far they are apart
    far = math.cos(AROUND_VIOLET)
    return ((near - far) * (2 / (1 - far))).clamp(0, 1)


def _unit(x: Tensor) -> Tensor:
    """Return vectors (N, C, h, w) at length 1, but for those that are hardly there.

    F.normalize divides by an expanded norm, which takes more nodes of a graph of any size.
    """
    return x * torch.rsqrt(x.square().sum(dim=1, keepdim=True) + 1e-6)


def _float32(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Run a layer in float32 under autocast too: in bfloat16 raw L* has steps of 0.5."""
    if not torch.is_autocast_enabled(x.device.type):
        return layer(x)
    with torch.autocast(x.device.type, enabled=False):
        return layer(x.float())
