"""Train a colorizer.

The original's recipe on the photographs in photos/, and one that learns more from more of them:

    python train.py --epochs 5000
    python train.py --data photos train-*.tar --size 64 --batch 32 --steps 20000 --optimizer adamw \
        --schedule cosine --ema 0.999 --precision bf16 --center-lightness

The same command goes on where it stopped, whatever stopped it. `--help` lists every option.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import torch

    from tintype import interrupts
    from tintype.errors import OutputError, TintypeError
    from tintype.progress import duration
    from torch_model import (
        cache,
        config as configs,
        distributed,
        embeddings,
        journal,
        norms,
        photos,
        shards,
        textures,
    )
    from torch_model.balance import Objection, balanced
    from torch_model.batches import Batches, Chosen, Share
    from torch_model.checkpoint import CheckpointError
    from torch_model.coherence import unevenness
    from torch_model.losses import LOSSES
    from torch_model.merging import merged
    from torch_model.model import Fusion
    from torch_model.optim import learning_rate
    from torch_model.run import (
        DivergedError,
        Run,
        check_finite,
        keep_memory,
        open_folder,
        pick_device,
    )
    from torch_model.shards import Shards
    from torch_model.stream import Stream
    from torch_model.validation import Validation
except ModuleNotFoundError as missing:
    sys.exit(f"train.py needs {missing.name}: in this folder, run pip install -e '.[train]'")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from torch_model.batches import Batch, Part
    from torch_model.classifiers import Classifier
    from torch_model.config import TrainConfig
    from torch_model.critic import Seen
    from torch_model.distributed import World
    from torch_model.losses import LossFunction

ADVICE = (
    "its checkpoints are from before that. Go on from them with another --out, --init THE_OLD_FOLDER "
    "and a lower --lr or --clip 1"
)
AGAIN = "the same command goes on from the last checkpoint"
TIMED_PHOTOS = 8  # photographs of the steps that are timed before the start, for the first ETA


@dataclass(frozen=True)
class Loaded:
    """Photographs, decoded, and where they came from."""

    config: TrainConfig
    sources: list[photos.Source]
    decoded: cache.Photos

    @classmethod
    def of(cls, config: TrainConfig, data: Sequence[str], selection: photos.Selection, side: int) -> Loaded:
        """Find photographs and open their cache, at a side in px."""
        root = Path(config.cache)
        sources = photos.find(data, selection, root)
        return cls(config, sources, cache.load(sources, side, config.crop, root))

    def every(self, classifier: Classifier | None) -> Chosen:
        """Choose all of them, with what a classifier makes of them where one is given."""
        if classifier is None:
            return Chosen.every(self.decoded.pixels)
        root = Path(self.config.cache)
        known = embeddings.load(self.sources, self.decoded, classifier, self.config.crop, root)
        return Chosen.every(self.decoded.pixels, known)

    @property
    def digest(self) -> str:
        """A digest of what the photographs show."""
        return self.decoded.digest


class Stop:
    """Why training should end before its last step, if at all: a signal, or the time allowed.

    Of several processes all end at the same step, whichever of them heard the signal.
    """

    def __init__(self, deadline: float, world: World) -> None:
        """Take over Ctrl-C and SIGTERM until `release`; `deadline` is by time.monotonic."""
        self.deadline, self.world = deadline, world
        self.signal = self._heard = 0
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._on_signal) for number in numbers}

    def release(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: Any) -> None:
        self._heard = number
        if not distributed.hands_signals_on():
            signal.signal(signal.SIGINT, self._before[signal.SIGINT])  # a second Ctrl-C ends at once

    def __bool__(self) -> bool:
        """Say whether it is time to stop; all processes ask at the same step."""
        late = self.world.first and time.monotonic() > self.deadline
        self.signal, ended = self.world.largest(self._heard, late)
        return bool(self.signal or ended)

    @property
    def code(self) -> int:
        """The exit code: 128 and the signal's number, as shells have it; 0 for --max-hours."""
        return 128 + self.signal if self.signal else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="train.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    configs.add_options(parser)
    if arguments is None:
        interrupts.listen()
    try:
        with distributed.said_once():
            options = parser.parse_args(arguments)
        return train(configs.from_options(options))
    except DivergedError as error:
        return _fail(f"{error}: {ADVICE}", 1, told=distributed.silent())
    except torch.OutOfMemoryError:
        return _fail("these batches do not fit into the device's memory: try a smaller --batch or --size", 1)
    except (TintypeError, CheckpointError, ValueError, OSError) as error:
        begun = isinstance(error, OutputError)
        return _fail(f"{error}; {AGAIN}", 1) if begun else _fail(str(error), 2)
    except KeyboardInterrupt:
        return _fail(f"interrupted; {AGAIN}", 130, told=distributed.silent())
    except RuntimeError as error:
        if not distributed.lost(error):
            raise
        told = isinstance(error, distributed.PeerError)
        return distributed.give_up(_fail(f"another process of this job is gone; {AGAIN}", 1, told=told))


def _fail(reason: str, code: int, *, told: bool = False) -> int:
    """Say why this process fails, unless that is `told` by another one; return the exit code."""
    alike = distributed.silent() and not distributed.met()  # so far all have done the same
    if not (told or alike):
        print(f"train.py{distributed.name()}: {reason}", file=sys.stderr)
    return code


def train(config: TrainConfig) -> int:
    """Train as configured, going on from the folder's last checkpoint; return the exit code."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    keep_memory()
    deadline = math.inf if config.max_hours is None else time.monotonic() + 3600 * config.max_hours
    distributed.check(config)
    device = pick_device(distributed.own_device(config.device))
    world = distributed.join(device)  # of this process alone, unless torchrun started several
    config = replace(config, data=photos.default(config.data))
    found, others = world.in_turn(partial(load_photos, config))
    digest = " ".join(loaded.digest for loaded in (found, others) if loaded is not None)
    world.alike(digest, "photographs")
    folder, run = enter(config, digest, device, world)

    classifier = run.model.classifier if isinstance(run.model, Fusion) and config.cached_embeddings else None
    training, held = world.in_turn(partial(choose, found, others, classifier))
    batches = feed(training, config, device, world)
    validation = Validation(held, config.size, config.precision, device)
    wrapped = world.wrap(run.model, device)
    network = torch.compile(wrapped) if config.compile else wrapped
    total = config.steps or config.epochs * batches.per_epoch
    announce(run, batches, len(held.rows), folder, total)

    log = journal.Journal(folder, run.step, tensorboard=config.tensorboard) if world.first else None
    stop = Stop(deadline, world)
    losses: list[Tensor] = []
    begun, logged, saved = time.monotonic() - run.seconds, time.monotonic(), time.monotonic()
    kept = run.step
    while run.step < total and not stop:
        losses.append(step_once(run, network, batches, total))
        run.seconds = time.monotonic() - begun

        validate = run.step % config.eval_every == 0 or run.step == total
        if run.step % config.log_every == 0 or validate:
            loss = world.mean(torch.stack(losses).mean()).item()
            row = summarize(run, loss, batches, total, (time.monotonic() - logged) / len(losses))
            if log is not None:
                log.add(judge(run, validation, folder, row) if validate else row)
            losses, logged = [], time.monotonic()

        due = time.monotonic() - saved > 60 * config.checkpoint_minutes
        if world.first and (due or validate or run.step % config.checkpoint_every == 0):
            run.save(folder / "checkpoints")
            kept, saved = run.step, time.monotonic()
    if world.first and kept != run.step:
        check_finite(torch.stack(losses).sum().item() if losses else 0.0, run.step)
        run.save(folder / "checkpoints")
    if log is not None:
        log.close()
    batches.close()
    stop.release()
    world.leave()
    done = "finished" if run.step >= total else "stopped: the same command goes on"
    print(f"{done}, at step {run.step} of {total}, after {duration(run.seconds)}; {folder}")
    return 0 if run.step >= total else stop.code


def enter(config: TrainConfig, digest: str, device: torch.device, world: World) -> tuple[Path, Run]:
    """Return the folder of a run on photographs of this digest, and the run as it was left there."""
    folder, state, complaints = world.told(partial(open_folder, config, digest))
    for complaint in complaints:
        print(complaint, flush=True)
    run = Run.start(config, device, world=world, resumed=state is not None)
    if state is not None:
        run.restore(state)
    return folder, run


def load_photos(config: TrainConfig) -> tuple[Loaded | Shards, Loaded | None]:
    """Return the photographs to train on, and those to validate with where they are others."""
    others = Loaded.of(config, config.val, photos.Selection(), config.size) if config.val else None
    if config.stream:
        listed = shards.find(config.data, config.seed, config.window, Path(config.cache))
        print(listed.report())
        return listed, others
    names = Path(config.list) if config.list else None
    selection = photos.Selection(names, config.limit, config.categories)
    found = Loaded.of(config, config.data, selection, config.held_side)
    print(found.decoded.report())
    return found, others


def choose(
    found: Loaded | Shards, others: Loaded | None, classifier: Classifier | None
) -> tuple[Chosen | Shards, Chosen]:
    """Return what to train on and what to validate with; the last 5 % of `found` if there are no others."""
    if isinstance(found, Shards):
        assert others is not None, "the config asks for them"
        return found, others.every(None)
    every = found.every(classifier)
    if others is not None:
        return every, others.every(classifier)
    chosen, held = found.decoded.split()
    return replace(every, rows=chosen), replace(every, rows=held)


def feed(
    training: Chosen | Shards, config: TrainConfig, device: torch.device, world: World
) -> Batches | Stream:
    """Return batches of what to train on: this process's share of them."""
    share = Share(world.rank, world.size, config.accumulate)
    if isinstance(training, Shards):
        return Stream(training, config, device, share, world)
    return Batches(training, config.batch, config.augmentation, config.seed, device, share=share)


def announce(run: Run, batches: Batches | Stream, held: int, folder: Path, total: int) -> None:
    """Print what will be done and about how long it takes, from steps on a copy of the network."""
    config = run.config
    print(
        f"{config.model} in {folder}: {batches.count} photographs to train on, {held} to validate with; "
        f"{total} steps of {batches.largest}, {batches.per_epoch} an epoch, {config.size}x{config.size}, "
        f"{config.precision} on {batches.device}"
    )
    trial = Run.start(config, batches.device, resumed=True)
    few = batches.few(TIMED_PHOTOS)
    float(step_once(trial, trial.model, few, total))
    start = time.monotonic()
    float(step_once(trial, trial.model, few, total))
    photo = (time.monotonic() - start) / few.count
    left = photo * batches.count / batches.per_epoch * (total - run.step) / batches.share.size
    print(
        f"from step {run.step}: about {duration(left)} left, by one step of {few.count} photographs",
        flush=True,
    )


def step_once(run: Run, network: Callable[..., Tensor], batches: Batches | Stream, total: int) -> Tensor:
    """Take one optimizer step; return its loss, still on the device: that of this process's share."""
    config = run.config
    for group in run.optimizer.param_groups:
        group["lr"] = group["share"] * learning_rate(config, run.step, total)
    run.optimizer.zero_grad()
    losses = [learn(run, network, part) for part in batches.parts(run.step)]
    if config.clip:
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), config.clip)
    run.optimizer.step()
    if run.ema is not None:
        run.ema.update_parameters(run.model)
    run.step += 1
    return torch.stack(losses).sum()


def learn(run: Run, network: Callable[..., Tensor], part: Part) -> Tensor:
    """Add a part's gradient to the step's; return its loss by its weight, still on the device."""
    config, (inputs, ab, _) = run.config, part.batch
    norms.weigh(run.model, len(ab), part.weight)
    with distributed.unsummed(network, last=part.last):
        with torch.autocast(ab.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            predicted = network(*inputs)
        loss = part.weight * weighed(config, predicted.float(), part.batch)
        objections, seen = object_to(run, predicted, part)
        objective = balanced(loss, predicted, objections, run.world) if objections else loss
        if run.critic is not None and seen is not None:
            run.critic.learn(seen, part.weight)
        objective.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def object_to(run: Run, predicted: Tensor, part: Part) -> tuple[list[Objection], Seen | None]:
    """Return what else than its loss speaks against an answer, and what a critic has seen of it."""
    config, (inputs, ab, whole) = run.config, part.batch
    objections: list[Objection] = []
    seen = None
    if run.critic is not None or config.coherence:
        made = shown(run, predicted, inputs[0])
    if config.coherence:
        objections.append(Objection(config.coherence, part.weight * unevenness(made, ab)))
    if run.critic is not None:
        if config.textures:
            made = torch.where(whole[:, None, None, None], made, ab)  # of surfaces it says nothing
        seen = run.critic.see(inputs[0], made, ab)
        objections.append(Objection(config.critic_share, part.weight * run.critic.blame(seen)))
    return objections, seen


def shown(run: Run, predicted: Tensor, lightness: Tensor) -> Tensor:
    """Return ab (N, 2, H, W) of an answer; where it has been refined, as the runtime leaves it."""
    config = run.config
    with torch.autocast(lightness.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        ab = run.model.show(predicted, lightness).float()
    return merged(lightness, ab) if config.refinement else ab


def weighed(config: TrainConfig, predicted: Tensor, batch: Batch) -> Tensor:
    """Return the loss of what a network gives, to which surfaces add more than photographs do."""
    loss = taught(config)(predicted, batch.ab)
    if not config.textures or batch.whole.all():
        return loss
    alone = ~batch.whole
    more = (textures.WEIGHT - 1) * alone.float().mean()
    return loss + more * taught(config)(predicted[alone], batch.ab[alone])


def taught(config: TrainConfig) -> LossFunction:
    """Return the loss of a run, between what a network gives and true ab."""
    return lambda predicted, ab: LOSSES[config.loss](predicted, config.target_chroma * ab)


def summarize(run: Run, loss: float, batches: Batches | Stream, total: int, pace: float) -> journal.Row:
    """Print and return a row of progress, at seconds a step. Raises DivergedError on a loss not finite."""
    check_finite(loss, run.step)
    each = batches.count / batches.per_epoch  # the mean batch: the last of an epoch may be short
    rate, left = each / pace, (total - run.step) * pace
    epoch = run.step / batches.per_epoch
    print(
        f"step {run.step}/{total}, epoch {epoch:.2f}: loss {loss:.5f}, {rate:.1f} images/s, "
        f"{duration(left)} left",
        flush=True,
    )
    lr = learning_rate(run.config, run.step - 1, total)
    return journal.Row(run.step, epoch, run.seconds, lr, loss, rate)


def judge(run: Run, validation: Validation, folder: Path, row: journal.Row) -> journal.Row:
    """Validate, draw the sheet, remember the best step; return the row completed."""
    scores, ab = validation.measure(run.judged, taught(run.config))
    validation.save_sheet(ab, folder / "sheets" / f"step-{run.step:07d}.png")
    if run.best is None or scores.loss < run.best[1]:
        run.best = (run.step, scores.loss)
    print(
        f"  validation: loss {scores.loss:.5f}, PSNR {scores.psnr:.2f} dB, ab RMSE {scores.ab_rmse:.2f}, "
        f"colorfulness {scores.colorfulness:.2f} of the originals'; best at step {run.best[0]}",
        flush=True,
    )
    return replace(
        row,
        val_loss=scores.loss,
        val_psnr=scores.psnr,
        val_ab_rmse=scores.ab_rmse,
        val_colorfulness=scores.colorfulness,
        val_accuracy=scores.accuracy,
    )


if __name__ == "__main__":
    sys.exit(main())
