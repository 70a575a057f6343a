"""Teach a classifier to see in grey: `python -m torch_model.distill OUT --data PHOTOS --val PHOTOS`.

Classifiers are trained on photographs in color, and know less of grey and small ones. Here one learns
from itself: what it says of a colored photograph, at the size it was made for, is what it should say of
the same photograph made grey, at the size that it will see. No labels are needed. OUT is a .safetensors
file, which `train.py --classifier-weights` takes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
import torch.nn.functional as F

from tintype.errors import TintypeError
from torch_model import cache, classifiers, disk, embeddings, optim, photos, weights
from torch_model.batches import Augmentation, Batches, Chosen
from torch_model.run import pick_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from torch_model.cache import Photos
    from torch_model.classifiers import Classifier

_BATCH: Final = 32
_FLIP: Final = Augmentation(rotation=0, zoom=0)


@dataclass(frozen=True)
class Agreement:
    """How far what is said of grey photographs agrees with what was said of them in color."""

    photos: int
    top1: float
    """Share of photographs whose likeliest class is the same."""
    top5: float
    """Share of photographs whose likeliest class in color is among the five likeliest in grey."""
    cosine: float
    """Of the pooled features, mean over photographs."""


def agreement(top: torch.nn.Module, grey: Tensor, color: Tensor) -> Agreement:
    """Compare pooled features (N, F) of grey photographs with those of the same in color."""
    found, wanted = top(grey), top(color).argmax(dim=1, keepdim=True)
    return Agreement(
        len(grey),
        (found.argmax(dim=1, keepdim=True) == wanted).float().mean().item(),
        (found.topk(5, dim=1).indices == wanted).any(dim=1).float().mean().item(),
        F.cosine_similarity(grey, color).mean().item(),
    )


def loss(top: torch.nn.Module, grey: Tensor, color: Tensor) -> Tensor:
    """Return the distance of pooled features (N, F): by their classes' probabilities, and by themselves."""
    said, meant = top(grey).log_softmax(dim=1), top(color).log_softmax(dim=1)
    apart = F.kl_div(said, meant, reduction="batchmean", log_target=True)
    return apart + F.mse_loss(grey, color) / color.var()


def teach(student: Classifier, top: torch.nn.Module, batches: Batches, steps: int, rate: float) -> None:
    """Train all of a student's layers, so that `top` reads of it what the batches' embeddings say."""
    student.requires_grad_()

    def distance(step: int) -> Tensor:
        (lightness, color), *_ = batches(step)
        with torch.autocast(lightness.device.type, torch.bfloat16):
            grey = student(lightness)
        return loss(top, grey.float(), color)

    optim.teach(student, distance, steps, rate, clip=1.0)
    student.requires_grad_(requires_grad=False)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m torch_model.distill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("out", type=Path, help="the .safetensors file to write")
    add("--classifier", default="efficientnet_lite0", help="a name of the table (%(default)s)")
    add("--classifier-weights", help="file of its weights, or random; else its pre-trained ones")
    add("--classifier-side", type=int, metavar="PX", help="what it will see; else what it was trained on")
    add("--data", nargs="+", required=True, help="photographs to learn from: folders, .tar files or patterns")
    add("--val", nargs="+", required=True, help="photographs to measure with, likewise")
    add("--limit", type=int, help="learn from at most so many photographs")
    add("--epochs", type=float, default=1.0, help="times that every photograph is seen (%(default)s)")
    add("--lr", type=float, default=2e-4, help="learning rate, at its highest (%(default)s)")
    add("--seed", type=int, default=0, help="of order and mirroring (%(default)s)")
    add("--threads", type=int, help="threads of torch on the CPU")
    add("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    add("--crop", choices=["center", "stretch"], default="center", help="as in training (%(default)s)")
    add("--cache", type=Path, default=Path(".cache/photos"), help="where decoded photographs are kept")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        distill(options)
    except (TintypeError, ValueError, OSError) as error:
        print(f"distill: {error}", file=sys.stderr)
        return 2
    return 0


def distill(options: argparse.Namespace) -> None:
    """Teach, measure before and after, write the file."""
    weights.check_name(options.out)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = pick_device(options.device)
    name, file = options.classifier, options.classifier_weights
    own = classifiers.side_of(name)
    teacher = classifiers.pretrained(name, "pooled", own, file).to(device)
    student = classifiers.pretrained(name, "pooled", options.classifier_side or own, file).to(device)
    top = classifiers.pretrained(name, "logits", own, file).top.to(device).requires_grad_(requires_grad=False)
    student.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    learned, shown = _photos(options, options.data, options.limit, student, teacher)
    held, judged = _photos(options, options.val, None, student, teacher)
    wanted = torch.from_numpy(judged).float()
    batches = Batches(Chosen.every(learned.pixels, shown), _BATCH, _FLIP, options.seed, device)
    steps = max(1, round(options.epochs * batches.per_epoch))
    start = time.monotonic()
    measured = {"before": _measure(student, top, held, wanted)}
    teach(student, top, batches, steps, options.lr)
    measured["after"] = _measure(student, top, held, wanted)
    for moment, found in measured.items():
        print(
            f"{moment}: {found.top1:.1%} of {found.photos} photographs, in grey at {student.side} px, are "
            f"called what they are in color at {own} px, {found.top5:.1%} among five; "
            f"cosine of features {found.cosine:.3f}"
        )
    said = {
        "classifier": name,
        "side": student.side,
        "photos": len(learned.names),
        "steps": steps,
        "seed": options.seed,
        "seconds": round(time.monotonic() - start),
        **{moment: asdict(found) for moment, found in measured.items()},
    }
    _save(student, top, options.out, said)


def _photos(
    options: argparse.Namespace,
    data: Sequence[str],
    limit: int | None,
    student: Classifier,
    teacher: Classifier,
) -> tuple[Photos, NDArray[np.float16]]:
    """Return photographs as the student sees them, and what the teacher makes of them in color, (N, F)."""
    sources = photos.find(data, photos.Selection(limit=limit), options.cache)
    seen = cache.load(sources, student.side, options.crop, options.cache)
    return seen, embeddings.load(sources, seen, teacher, options.crop, options.cache, color=True)


def _measure(student: Classifier, top: torch.nn.Module, held: Photos, wanted: Tensor) -> Agreement:
    found = torch.from_numpy(embeddings.embed(student, held.pixels, np.arange(len(held.names)))).float()
    device = next(student.parameters()).device
    return agreement(top, found.to(device), wanted.to(device))


def _save(student: Classifier, top: torch.nn.Module, path: Path, said: dict[str, object]) -> None:
    from safetensors.torch import save

    state = student.state_dict() | {f"top.{key}": value for key, value in top.state_dict().items()}
    state = {key: value.contiguous() for key, value in state.items()}
    disk.write(path, save(state, {"distilled": json.dumps(said)}))
    print(f"{path}: {json.dumps(said)}")


if __name__ == "__main__":
    sys.exit(main())
