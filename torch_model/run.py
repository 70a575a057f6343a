"""The state of a training run: what a checkpoint holds and brings back."""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import torch
from torch.optim.swa_utils import AveragedModel

from tintype import leftovers
from tintype.errors import UsageError
from torch_model import checkpoint, classifiers, disk, norms, weights
from torch_model.classifiers import RANDOM
from torch_model.critic import Critic
from torch_model.distributed import World
from torch_model.model import Fusion, Network, UNet, build, fold, initialize
from torch_model.optim import build_optimizer

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from torch_model.checkpoint import State
    from torch_model.classifiers import Classifier
    from torch_model.config import TrainConfig
    from torch_model.model import NetworkConfig


FORMAT = 1  # of config.json
_TRIM_THRESHOLD: Final = -1  # mallopt's parameters
_MMAP_MAX: Final = -4
TRAINED: Final = {"fusion": 0.75, "unet": 0.995}  # share of a classifier's values that fine-tuning trains


class DivergedError(ArithmeticError):
    """The loss or the weights are no longer finite."""


@dataclass
class Run:
    """A network in training and how far it is."""

    config: TrainConfig
    model: Network
    ema: AveragedModel | None
    optimizer: Optimizer
    critics: list[Critic] = field(default_factory=list)
    world: World = field(default_factory=World)
    """The processes that train it together: this one alone, unless torchrun started several."""
    step: int = 0
    seconds: float = 0.0
    """Spent in training, over all resumptions."""
    best: tuple[int, float] | None = None
    """The step of the lowest validation loss, and that loss."""

    @classmethod
    def start(
        cls, config: TrainConfig, device: torch.device, *, world: World | None = None, resumed: bool = False
    ) -> Run:
        """Build a run at its first step, from --init or from the seed; of a `world`, this process's.

        `resumed` runs bring their weights from a checkpoint and need no --init file any more, and no
        classifier's.
        """
        if config.refinement and config.init is None:
            raise UsageError("--refinement is taken over from --init: name a file that has one")
        begun = config
        if resumed:
            begun = replace(config, init=None, classifier_weights=RANDOM, critic_weights=RANDOM)
        model = _first_weights(begun).to(device)
        if config.channels_last:
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        ema = None
        if config.ema:
            ema = AveragedModel(model, multi_avg_fn=partial(_average, config.ema), use_buffers=True)
        world = world or World()
        if world.size > 1:
            norms.share(model, world)  # not the averaged one, which never trains
        critics = [one.to(device) for one in _critics(begun, world)]
        return cls(config, model, ema, build_optimizer(config, model), critics, world)

    @property
    def critic(self) -> Critic | None:
        """Whose turn it is at this step."""
        return self.critics[self.step % len(self.critics)] if self.critics else None

    @property
    def judged(self) -> Network:
        """The network that is validated and exported: the averaged one where there is one."""
        return self.model if self.ema is None else cast("Network", self.ema.module)

    def restore(self, state: State) -> None:
        """Go on from what a checkpoint holds."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.ema is not None:
            self.ema.module.load_state_dict(state["ema"])
            self.ema.n_averaged.fill_(state["averaged"])
        if self.critics:
            first = isinstance(state["critic"], dict)  # there was but one once
            states = (([state[name]] if first else state[name]) for name in ("critic", "critic_optimizer"))
            for critic, known, optimizer in zip(self.critics, *states, strict=True):
                critic.load_state_dict(known)
                critic.optimizer.load_state_dict(optimizer)
        self.step, self.seconds = state["step"], state["seconds"]
        self.best = tuple(state["best"]) if state["best"] else None

    def save(self, folder: Path) -> Path:
        """Write a checkpoint. Raises DivergedError rather than keep values that are not finite."""
        if not all(bool(torch.isfinite(p).all()) for p in self.model.parameters()):
            raise DivergedError(f"the weights are no longer finite at step {self.step}")
        state = {
            "config": self.config.to_dict(),
            "network": weights.describe(self.model.config),
            "model": self.model.state_dict(),
            "ema": self.ema.module.state_dict() if self.ema is not None else None,
            "averaged": int(self.ema.n_averaged) if self.ema is not None else 0,
            "optimizer": self.optimizer.state_dict(),
            "critic": [critic.state_dict() for critic in self.critics],
            "critic_optimizer": [critic.optimizer.state_dict() for critic in self.critics],
            "seconds": self.seconds,
            "best": list(self.best) if self.best else None,
        }
        return checkpoint.save(folder, self.step, state, self.best[0] if self.best else None)


@torch.no_grad()
def _average(decay: float, averages: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
    """Move averages towards the current weights; at first faster, so that they soon forget the first ones."""
    kept = min(decay, (1 + int(count)) / (10 + int(count)))
    for average, value in zip(averages, current, strict=True):
        if torch.is_floating_point(average):
            average.lerp_(value, 1 - kept)
        else:
            average.copy_(value)


def keep_memory() -> None:
    """Have glibc keep what a step frees for the next: it would else be taken and cleared anew."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_MMAP_MAX, 0)
            mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def pick_device(name: str) -> torch.device:
    """Return the device of a name; `auto` is CUDA, then Apple's MPS, then the CPU."""
    if name == "auto":
        present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
        name = next(name for name, here in present.items() if here)
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"--device {name} cannot be used: {reason}. Try --device cpu") from error


def open_folder(config: TrainConfig, photos: str) -> tuple[Path, State | None, list[str]]:
    """Make the folder of a run, or enter it again: also return its newest checkpoint, if any.

    `photos` is a digest of the photographs trained on and validated with. The lines tell of checkpoints
    that cannot be read. Raises UsageError if another run lives there, by its config.json or, where that is
    gone, by the checkpoint.
    """
    folder = config.folder
    path = folder / "config.json"
    known = path.is_file()
    differing = _differences(path, config, photos) if known else []
    state, complaints = (None, []) if differing else checkpoint.latest(folder / "checkpoints")
    if state is not None and not known:
        differing = _changed(state["config"], config)
    if differing:
        raise UsageError(f"{folder} holds another run ({'; '.join(differing)}): choose another --out")
    leftovers.sweep([folder, folder / "checkpoints"])
    disk.write_json(path, {"tintype_run": FORMAT, "photos": photos, **config.to_dict()})
    return folder, state, complaints


def _differences(path: Path, config: TrainConfig, photos: str) -> list[str]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        values = None
    if not isinstance(values, dict) or values.get("tintype_run") != FORMAT:
        return ["its config.json is not of this program"]
    differing = _changed(values, config)
    if not differing and values["photos"] != photos:
        differing = ["the photographs themselves have changed since"]
    return differing


def _changed(values: dict[str, Any], config: TrainConfig) -> list[str]:
    """Return what differs, in words, of a run as it was configured before, where it may not."""
    before = type(config).from_dict(values).fixed()
    return [
        f"{name}: {before[name]} there, {value} here"
        for name, value in config.fixed().items()
        if before[name] != value
    ]


def check_finite(loss: float, step: int) -> None:
    """Raise DivergedError on a loss that is no number."""
    if not math.isfinite(loss):
        raise DivergedError(f"the loss is {loss} at step {step}")


def _critics(config: TrainConfig, world: World) -> list[Critic]:
    if not config.critic_share:
        return []
    if len(config.critic) > 1 and config.critic_weights not in (None, RANDOM):
        raise UsageError("--critic-weights is a file of one classifier: name one --critic")
    return [Critic(config, name, world) for name in config.critic]


def _first_weights(config: TrainConfig) -> Network:
    network = build(config.network)
    if isinstance(network, Fusion | UNet):
        network.classifier = _classifier(config)
    if isinstance(network, UNet) and network.refinement is not None:
        network.refinement.requires_grad_(requires_grad=False)  # taught on true colors alone
    if config.init is None:
        initialize(network, config.initializer, config.seed)
        return network
    start = fold(weights.load(Path(config.init)))
    given, wanted = start.config, config.network
    if _scaling(given) != _scaling(wanted):
        raise UsageError(
            f"--init {config.init} is {given}, this run is {wanted}: "
            "set --center-lightness (or --no-center-lightness) alike"
        )
    state = start.state_dict()
    if given.variant != wanted.variant:
        if not {given.variant, wanted.variant} <= {"classic", "vivid"}:
            raise UsageError(
                f"--init {config.init} is {given.variant}, which shares no layer with {wanted.variant}"
            )
        initialize(network, config.initializer, config.seed)
        body = ("encoder", "decoder")  # is the same; the head starts anew
        state = {name: value for name, value in state.items() if name.startswith(body)}
        print(f"--init {config.init} is {given.variant}: {wanted.variant}'s head starts from the seed")
    elif _eyes(given) != _eyes(wanted):
        raise UsageError(
            f"--init {config.init} takes {' of '.join(_eyes(given))}, this run {' of '.join(_eyes(wanted))}: "
            "set --classifier and --embedding alike"
        )
    _check_parts(config.init, given, wanted)
    network.load_state_dict(state, strict=False)  # normalisation and agreement keep their first values
    return network


def _check_parts(init: str, given: NetworkConfig, wanted: NetworkConfig) -> None:
    """Refuse parts of unet that would be lost or were never learned; say what begins anew."""
    if given.agreement not in (0, wanted.agreement):
        raise UsageError(f"--init {init} was trained so: set --agreement {given.agreement}")
    if wanted.agreement and not given.agreement:
        print(f"--init {init} has no agreement: it begins as a mean over places that look alike")
    if wanted.refinement not in (0, given.refinement):
        there = f"a refinement of {given.refinement} channels" if given.refinement else "no refinement"
        raise UsageError(f"--init {init} has {there}: set --refinement {given.refinement}")
    if given.refinement and not wanted.refinement:
        again = (
            f"keep it by --refinement {given.refinement}, or teach it anew by python -m torch_model.refine"
        )
        print(f"--init {init}: its refinement is left out; {again}")


def _scaling(network: NetworkConfig) -> tuple[float, float]:
    return network.l_center, network.l_scale


def _eyes(network: NetworkConfig) -> tuple[str, str]:
    """Return what must be equal for a classifier to be taken over; its side may change."""
    return network.embedding, network.classifier


def _classifier(config: TrainConfig) -> Classifier:
    """Return the classifier of a run, frozen but for what is to be trained.

    What --init brings replaces its weights.
    """
    weights_file = RANDOM if config.init is not None else config.classifier_weights
    network = config.network
    made = classifiers.pretrained(
        network.classifier, network.embedding, network.classifier_side, weights_file
    )
    made.requires_grad_(requires_grad=False)
    if config.finetune_classifier:
        for parameter in made.tail(TRAINED[network.variant]):
            parameter.requires_grad_()
    return made
