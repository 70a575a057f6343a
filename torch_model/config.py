"""What a training run is: one frozen dataclass, from which the command-line options are made.

The defaults are the original project's recipe.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import typing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from torch_model.batches import Augmentation
from torch_model.cache import Crop
from torch_model.classifiers import Embedding, side_of
from torch_model.losses import Loss
from torch_model.model import MULTIPLE, NetworkConfig, Variant
from torch_model.photos import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

BOUNDS: Final = {
    **dict.fromkeys(("batch", "accumulate", "epochs", "steps", "limit", "threads", "window"), (1, math.inf)),
    "classifier_side": (32, 1024),
    **dict.fromkeys(("log_every", "eval_every", "checkpoint_every"), (1, math.inf)),
    **dict.fromkeys(("warmup", "clip", "weight_decay", "max_hours", "workers"), (0, math.inf)),
    "dilation": (1, 16),
    "agreement": (0, 256),
    "refinement": (0, 1024),
    "seed": (0, 2**63 - 1),
    "lr": (1e-12, 1e3),
    "ema": (0, 0.999999),
    "zoom": (0, 0.9),
    **dict.fromkeys(("aged", "textures", "texture_chroma"), (0, 1)),
    "resized_crop": (0.1, 1),
    **dict.fromkeys(("classifier_rate", "critic_share", "adversarial", "perceptual", "coherence"), (0, 1e3)),
    "temperature": (0.01, 10),
    "gain": (0.1, 10),
    "target_chroma": (0.1, 10),
    "rotation": (0, 180),
    "checkpoint_minutes": (0.01, math.inf),
}


def option(default: Any, description: str, *, may_change: bool = False) -> Any:
    """Declare a field with its help text; `may_change` if a resumed run may have another value."""
    return field(default=default, metadata={"help": description, "may_change": may_change})


def check_bounds(values: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Raise ValueError, in an option's words, if an attribute is neither None nor within its bounds."""
    for name, (low, high) in bounds.items():
        value = getattr(values, name)
        if value is not None and not low <= value <= high:
            wanted = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise ValueError(f"--{name.replace('_', '-')} {value}: wanted is {wanted}")


@dataclass(frozen=True)
class TrainConfig:
    """One training run. Paths are kept as they were given."""

    model: Variant = option("classic", "network to train")
    data: tuple[str, ...] = option(DEFAULT, "folders, .tar files or patterns of them, torchvision:NAME")
    val: tuple[str, ...] = option((), "photographs to validate with; else the last 5 %% of --data by content")
    list: str | None = option(None, "file of names, one a line: use only these photographs")
    limit: int | None = option(None, "use at most so many photographs")
    categories: tuple[str, ...] = option((), "use only these categories (patterns)")
    out: str | None = option(None, "folder of the run (default: runs/MODEL-xxxxxx)", may_change=True)
    cache: str = option(".cache/photos", "where decoded photographs are kept", may_change=True)
    stream: bool = option(
        default=False,
        description="read --data, tar files, as training goes on, instead of decoding all beforehand",
    )
    window: int = option(8192, "of --stream: photographs held back, all together, to be shuffled")
    workers: int = option(1, "of --stream: processes that decode for each that trains", may_change=True)
    init: str | None = option(
        None, "start from a released .onnx, .safetensors, a checkpoint or Keras weights"
    )

    classifier: str = option(
        "efficientnet_lite0", "of fusion and unet: a name of the table in torch_model/classifiers.py"
    )
    classifier_weights: str | None = option(
        None, "file of the classifier's weights, or random; else its pre-trained ones"
    )
    classifier_side: int | None = option(
        None, "of fusion: what the classifier sees, px; else what it was trained on"
    )
    embedding: Embedding = option(
        "pooled", "of the classifier: what its last layer sees, gives, or gives as probabilities"
    )
    finetune_classifier: bool = option(
        default=False,
        description="train the classifier too, but for its first layers; else it stays as it is",
    )
    classifier_rate: float = option(1.0, "of --finetune-classifier: share of the learning rate")
    cached_embeddings: bool = option(
        default=False, description="embed the photographs once, as they are without augmentation"
    )

    size: int = option(256, "side of the training photographs, px, a multiple of 8")
    crop: Crop = option(
        "center", "how a photograph becomes a square: its center, or the whole of it stretched"
    )
    batch: int = option(100, "photographs a step, of all processes together")
    accumulate: int = option(1, "parts of a process's share of a batch, to save memory", may_change=True)
    epochs: int = option(5000, "times that every photograph is seen", may_change=True)
    steps: int | None = option(None, "train so many steps instead of --epochs", may_change=True)
    max_hours: float | None = option(None, "stop with a checkpoint after so long", may_change=True)
    seed: int = option(0, "of weights, order and augmentation")

    rotation: float = option(20.0, "augmentation: degrees to either side")
    zoom: float = option(0.2, "augmentation: share of width and height to either side")
    flip: bool = option(default=True, description="augmentation: mirror every second photograph")
    resized_crop: float = option(
        1.0,
        "augmentation: smallest share of width and height that is cut out and shown; 1: whole photographs",
    )
    aged: float = option(0.0, "augmentation: share of photographs shown as old ones: faded, soft, grainy")
    textures: float = option(
        0.0, "augmentation: share of photographs of which patches are shown alone, to get pale colors"
    )
    texture_chroma: float = option(0.3, "of --textures: share of their chroma that is taught")

    loss: Loss = option("mse", "between predicted and true ab / 128; bins goes with --model vivid and unet")
    target_chroma: float = option(
        1.0,
        "share of the true chroma that is taught, above 1 against muted color; a critic sees the true one",
    )
    temperature: float = option(0.4, "of vivid and unet: sharpens what is validated, and shown to a critic")
    gain: float = option(1.0, "of vivid and unet: multiplies ab that is validated, and shown to a critic")
    critic_share: float = option(
        0.0, "of the loss's gradient that a critic adds: a classifier that sees colors; 0: none"
    )
    adversarial: float = option(1.0, "of the critic: weight of what it learns of colorized photographs")
    perceptual: float = option(1.0, "of the critic: weight of how far its features are from the original's")
    critic: tuple[str, ...] = option(
        ("efficientnet_lite0",), "the critic's classifier, an EfficientNet-Lite; of several one a step"
    )
    critic_weights: str | None = option(None, "file of its weights, or random; else its pre-trained ones")
    coherence: float = option(
        0.0,
        "of the loss's gradient: share that is added against places of one true color that are given "
        "different ones; 0: none",
    )
    optimizer: Literal["rmsprop", "adamw"] = option("rmsprop", "rmsprop is Keras's: eps inside the root")
    lr: float = option(1e-3, "learning rate, at its highest")
    weight_decay: float = option(0.0, "of adamw")
    schedule: Literal["constant", "cosine"] = option("constant", "of the learning rate, over all steps")
    warmup: int = option(0, "steps of linear rise of the learning rate")
    clip: float = option(0.0, "largest norm of the gradient; 0: any")
    ema: float = option(0.0, "decay of the averaged weights, which are validated and exported; 0: none")
    initializer: Literal["glorot", "he"] = option("glorot", "distribution of the first weights")
    dilation: int = option(1, "of the encoder's deepest convolutions, not of unet: how far they see")
    agreement: int = option(
        0, "of unet: side of the grid of places with which each place agrees on its color; 0: none"
    )
    refinement: int = option(
        0,
        "of unet: channels of --init's refinement, which stays as it is; a critic then sees the color that "
        "the runtime leaves. 0: none",
    )
    norm: bool = option(default=False, description="batch normalisation, folded away at export")
    center_lightness: bool = option(
        default=False, description="scale L* to -1..1 inside the network; the original takes 0..100 as it is"
    )

    precision: Literal["fp32", "bf16"] = option("fp32", "bf16: autocast, on CUDA and CPU")
    channels_last: bool = option(default=True, description="memory layout that convolutions like")
    compile: bool = option(default=False, description="torch.compile the network")
    device: str = option("auto", "auto, cpu, cuda, cuda:1, mps", may_change=True)
    threads: int | None = option(None, "threads of torch on the CPU", may_change=True)

    log_every: int = option(50, "steps between two lines of progress", may_change=True)
    eval_every: int = option(1000, "steps between two validations", may_change=True)
    checkpoint_every: int = option(1000, "steps between two checkpoints", may_change=True)
    checkpoint_minutes: float = option(10.0, "minutes between two checkpoints, at most", may_change=True)
    tensorboard: bool = option(
        default=True, description="write tb/ where tensorboard is installed", may_change=True
    )

    def __post_init__(self) -> None:
        """Refuse values that cannot work, in words."""
        if self.size < MULTIPLE or self.size % MULTIPLE:
            raise ValueError(f"--size {self.size} is not a multiple of {MULTIPLE}")
        if (self.model in ("vivid", "unet")) != (self.loss == "bins"):
            raise ValueError(
                f"--loss {self.loss} does not go with --model {self.model}: vivid and unet take bins"
            )
        if self.model == "unet" and self.dilation != 1:
            raise ValueError("--dilation does not go with --model unet: its classifier sees all as it is")
        if self.model != "unet" and self.agreement:
            raise ValueError(f"--agreement does not go with --model {self.model}: unet has one")
        if self.model != "unet" and self.refinement:
            raise ValueError(f"--refinement does not go with --model {self.model}: unet has one")
        if self.cached_embeddings and (self.model != "fusion" or self.finetune_classifier):
            raise ValueError("--cached-embeddings goes with --model fusion and an unchanging classifier")
        if self.stream:
            self._check_stream()
        check_bounds(self, BOUNDS)

    def _check_stream(self) -> None:
        if not self.val:
            raise ValueError("--stream needs --val: which photographs are held back is not known beforehand")
        chosen = {"--list": self.list, "--limit": self.limit, "--categories": self.categories}
        given = [name for name, value in chosen.items() if value]
        if self.cached_embeddings:
            given.append("--cached-embeddings")
        if given:
            raise ValueError(f"--stream takes shards as they are: leave out {', '.join(given)}")

    @property
    def augmentation(self) -> Augmentation:
        """What is done to photographs at random."""
        return Augmentation(
            self.rotation,
            self.zoom,
            self.flip,
            self.resized_crop,
            self.size,
            self.aged,
            self.textures,
            self.texture_chroma,
        )

    @property
    def held_side(self) -> int:
        """Side at which photographs to train on are kept, px."""
        return self.augmentation.held_side

    @property
    def network(self) -> NetworkConfig:
        """The network to build."""
        center, scale = (50.0, 50.0) if self.center_lightness else (0.0, 1.0)
        plain = NetworkConfig(
            self.model,
            center,
            scale,
            dilation=self.dilation,
            norm=self.norm,
            temperature=self.temperature,
            gain=self.gain,
        )
        if self.model == "unet":
            return replace(
                plain, classifier=self.classifier, agreement=self.agreement, refinement=self.refinement
            )
        if self.model != "fusion":
            return plain
        side = self.classifier_side or side_of(self.classifier)
        return replace(plain, classifier=self.classifier, embedding=self.embedding, classifier_side=side)

    @property
    def folder(self) -> Path:
        """Where the run lives: --out, or a name that the same options always give."""
        if self.out is not None:
            return Path(self.out)
        digest = hashlib.sha256(json.dumps(self.fixed(), sort_keys=True).encode()).hexdigest()
        return Path("runs", f"{self.model}-{digest[:6]}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, as JSON and checkpoints keep them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in dataclasses.asdict(self).items()}

    def fixed(self) -> dict[str, Any]:
        """Return what a resumed run may not change."""
        free = {f.name for f in dataclasses.fields(self) if f.metadata["may_change"]}
        return {name: value for name, value in self.to_dict().items() if name not in free}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Undo `to_dict`; unknown names are left out, missing ones take their defaults."""
        known = {f.name for f in dataclasses.fields(cls)}
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known
        }
        if isinstance(plain.get("critic"), str):  # there was but one once
            plain["critic"] = (plain["critic"],)
        return cls(**plain)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Make an option of every field: `--name VALUE`, `--flag` and `--no-flag`, `--name A B ...`."""
    hints = typing.get_type_hints(TrainConfig)
    for item in dataclasses.fields(TrainConfig):
        hint, default = hints[item.name], item.default
        names = [f"--{item.name.replace('_', '-')}"]
        text = item.metadata["help"]
        if hint is bool:
            parser.add_argument(*names, action=argparse.BooleanOptionalAction, default=default, help=text)
            continue
        if default not in (None, ()):
            text += f" (default: {' '.join(default) if isinstance(default, tuple) else default})"
        keywords: dict[str, Any] = {"default": default, "help": text, "type": _scalar(hint)}
        if typing.get_origin(hint) is tuple:
            keywords |= {"nargs": "+", "metavar": item.name.upper()}
        elif typing.get_origin(hint) is Literal:
            keywords |= {"choices": typing.get_args(hint), "type": str}
        else:
            keywords["metavar"] = keywords["type"].__name__.upper()
        parser.add_argument(*names, **keywords)


def _scalar(hint: Any) -> type:
    """Return the type of one value of `X`, `X | None` or `tuple[X, ...]`."""
    for inner in typing.get_args(hint):
        if inner in (int, float, str):
            return typing.cast("type", inner)
    return hint if isinstance(hint, type) else str


def from_options(options: argparse.Namespace) -> TrainConfig:
    """Read a config from parsed options; raises ValueError on values that cannot work."""
    values = vars(options)
    return TrainConfig.from_dict({f.name: values[f.name] for f in dataclasses.fields(TrainConfig)})
