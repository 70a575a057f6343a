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
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import torch

    from tintype import interrupts
    from tintype.errors import TintypeError
    from tintype.progress import duration
    from torch_model import cache, checkpoint, config as configs, embeddings, journal, photos
    from torch_model.batches import Batches, Chosen
    from torch_model.checkpoint import CheckpointError
    from torch_model.losses import LOSSES
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
    from torch_model.validation import Validation
except ModuleNotFoundError as missing:
    sys.exit(f"train.py needs {missing.name}: in this folder, run pip install -e '.[train]'")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from torch_model.classifiers import Classifier
    from torch_model.config import TrainConfig

ADVICE = (
    "its checkpoints are from before that. Go on from them with another --out, --init THE_OLD_FOLDER "
    "and a lower --lr or --clip 1"
)
TIMED_PHOTOS = 8  # photographs of the steps that are timed before the start, for the first ETA


@dataclass(frozen=True)
class Loaded:
    """Photographs, decoded, and where they came from."""

    config: TrainConfig
    sources: list[photos.Source]
    decoded: cache.Photos

    @classmethod
    def of(cls, config: TrainConfig, data: Sequence[str], selection: photos.Selection) -> Loaded:
        """Find photographs and open their cache."""
        root = Path(config.cache)
        sources = photos.find(data, selection, root)
        return cls(config, sources, cache.load(sources, config.size, config.crop, root))

    def every(self, classifier: Classifier | None) -> Chosen:
        """Choose all of them, with what a classifier makes of them where one is given."""
        if classifier is None:
            return Chosen.every(self.decoded.pixels)
        root = Path(self.config.cache)
        known = embeddings.load(self.sources, self.decoded, classifier, self.config.crop, root)
        return Chosen.every(self.decoded.pixels, known)


class Stop:
    """Why training should end before its last step, if at all: a signal, or the time allowed."""

    def __init__(self, deadline: float) -> None:
        """Take over Ctrl-C and SIGTERM until `release`; `deadline` is by time.monotonic."""
        self.deadline, self.signal = deadline, 0
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._on_signal) for number in numbers}

    def release(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: Any) -> None:
        self.signal = number
        signal.signal(signal.SIGINT, self._before[signal.SIGINT])  # a second Ctrl-C ends at once

    def __bool__(self) -> bool:
        """Say whether it is time to stop."""
        return bool(self.signal) or time.monotonic() > self.deadline

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
        return train(configs.from_options(parser.parse_args(arguments)))
    except DivergedError as error:
        return _fail(f"{error}: {ADVICE}", 1)
    except torch.OutOfMemoryError:
        return _fail("these batches do not fit into the device's memory: try a smaller --batch or --size", 1)
    except (TintypeError, CheckpointError, ValueError, OSError) as error:
        return _fail(str(error), 2)
    except KeyboardInterrupt:
        return _fail("interrupted; the same command goes on from the last checkpoint", 130)


def _fail(reason: str, code: int) -> int:
    print(f"train.py: {reason}", file=sys.stderr)
    return code


def train(config: TrainConfig) -> int:
    """Train as configured, going on from the folder's last checkpoint; return the exit code."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    keep_memory()
    deadline = math.inf if config.max_hours is None else time.monotonic() + 3600 * config.max_hours
    device = pick_device(config.device)
    config = replace(config, data=photos.default(config.data))
    found, others = load_photos(config)
    digests = [loaded.decoded.digest for loaded in (found, others) if loaded is not None]
    folder = open_folder(config, " ".join(digests))
    state, complaints = checkpoint.latest(folder / "checkpoints")
    for complaint in complaints:
        print(complaint, flush=True)
    run = Run.start(config, device, resumed=state is not None)
    if state is not None:
        run.restore(state)

    classifier = run.model.classifier if isinstance(run.model, Fusion) and config.cached_embeddings else None
    training, held = choose(found, others, classifier)
    batches = Batches(training, config.batch, config.augmentation, config.seed, device)
    validation = Validation(held, config.precision, device)
    network = torch.compile(run.model) if config.compile else run.model
    total = config.steps or config.epochs * batches.per_epoch
    announce(run, batches, len(held.rows), folder, total)

    log = journal.Journal(folder, run.step, tensorboard=config.tensorboard)
    stop = Stop(deadline)
    losses: list[Tensor] = []
    begun, logged, saved = time.monotonic() - run.seconds, time.monotonic(), time.monotonic()
    kept = run.step
    while run.step < total and not stop:
        losses.append(step_once(run, network, batches, total))
        run.seconds = time.monotonic() - begun

        validate = run.step % config.eval_every == 0 or run.step == total
        if run.step % config.log_every == 0 or validate:
            row = summarize(run, losses, batches, total, time.monotonic() - logged)
            log.add(judge(run, validation, folder, row) if validate else row)
            if validate:
                journal.plot(log.path, folder / "loss.png")
            losses, logged = [], time.monotonic()

        due = time.monotonic() - saved > 60 * config.checkpoint_minutes
        if due or validate or run.step % config.checkpoint_every == 0:
            run.save(folder / "checkpoints")
            kept, saved = run.step, time.monotonic()
    stop.release()
    if kept != run.step:
        check_finite(torch.stack(losses).sum().item() if losses else 0.0, run.step)
        run.save(folder / "checkpoints")
    log.close()
    journal.plot(log.path, folder / "loss.png")
    done = "finished" if run.step >= total else "stopped: the same command goes on"
    print(f"{done}, at step {run.step} of {total}, after {duration(run.seconds)}; {folder}")
    return 0 if run.step >= total else stop.code


def load_photos(config: TrainConfig) -> tuple[Loaded, Loaded | None]:
    """Return the photographs to train on, and those to validate with where they are others."""
    names = Path(config.list) if config.list else None
    found = Loaded.of(config, config.data, photos.Selection(names, config.limit, config.categories))
    print(found.decoded.report())
    return found, Loaded.of(config, config.val, photos.Selection()) if config.val else None


def choose(found: Loaded, others: Loaded | None, classifier: Classifier | None) -> tuple[Chosen, Chosen]:
    """Return what to train on and what to validate with; the last 5 % of `found` if there are no others."""
    every = found.every(classifier)
    if others is not None:
        return every, others.every(classifier)
    chosen, held = found.decoded.split()
    return replace(every, rows=chosen), replace(every, rows=held)


def announce(run: Run, batches: Batches, held: int, folder: Path, total: int) -> None:
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
    left = photo * batches.count / batches.per_epoch * (total - run.step)
    print(
        f"from step {run.step}: about {duration(left)} left, by one step of {few.count} photographs",
        flush=True,
    )


def step_once(run: Run, network: Callable[..., Tensor], batches: Batches, total: int) -> Tensor:
    """Take one optimizer step; return its loss, still on the device."""
    config = run.config
    inputs, ab = batches(run.step)
    for group in run.optimizer.param_groups:
        group["lr"] = group["share"] * learning_rate(config, run.step, total)
    with torch.autocast(batches.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        predicted = network(*inputs)
    loss = LOSSES[config.loss](predicted.float(), ab)
    objective = loss
    if run.critic is not None:
        seen = run.critic.see(inputs[0], run.model.decode(predicted, inputs[0])[0], ab)
        objective = run.critic.balance(loss, predicted, seen)
        run.critic.learn(seen)
    run.optimizer.zero_grad()
    objective.backward()  # type: ignore[no-untyped-call]
    if config.clip:
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), config.clip)
    run.optimizer.step()
    if run.ema is not None:
        run.ema.update_parameters(run.model)
    run.step += 1
    return loss.detach()


def summarize(run: Run, losses: list[Tensor], batches: Batches, total: int, elapsed: float) -> journal.Row:
    """Print and return a row of progress. Raises DivergedError on a loss that is not finite."""
    loss = torch.stack(losses).mean().item()
    check_finite(loss, run.step)
    each = batches.count / batches.per_epoch  # the mean batch: the last of an epoch may be short
    rate, left = len(losses) * each / elapsed, (total - run.step) * elapsed / len(losses)
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
    scores, ab = validation.measure(run.judged, LOSSES[run.config.loss])
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
