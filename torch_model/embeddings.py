"""What a classifier makes of photographs, computed once and kept beside them.

Of the photographs as they are: without augmentation, at the size that the classifier sees, in grey or, for a
classifier that teaches, in color.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from tintype.progress import Progress
from torch_model import cache
from torch_model.color import rgb_to_lab

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from torch_model.cache import Crop, Photos
    from torch_model.classifiers import Classifier
    from torch_model.photos import Source

_BATCH = 32


def load(
    sources: list[Source],
    photos: Photos,
    classifier: Classifier,
    crop: Crop,
    root: Path,
    *,
    color: bool = False,
) -> NDArray[np.float16]:
    """Open the embeddings (N, F) of N photographs, in their order; compute what is missing.

    `sources` is where the photographs came from; they are decoded again, at the classifier's size.
    `color` as in `embed`.
    """
    seen_as = "color" if color else "grey"
    path = root / f"embeddings-{photos.digest}-{crop}-{seen_as}-{classifier.digest()}.npy"
    if not path.is_file():
        seen = cache.load(sources, classifier.side, crop, root, greyest=0.0)
        numbers = {digest: number for number, digest in enumerate(seen.digests)}
        rows = np.array([numbers[digest] for digest in photos.digests])
        cache.keep(embed(classifier, seen.pixels, rows, color=color), path)
    embeddings: NDArray[np.float16] = np.load(path, mmap_mode="c")
    return embeddings


@torch.no_grad()
def embed(
    classifier: Classifier, pixels: NDArray[np.uint8], rows: NDArray[np.int64], *, color: bool = False
) -> NDArray[np.float16]:
    """Return what a classifier makes of photographs (M, S, S, 3), of these rows (N,): (N, F).

    Of their grey or, with `color`, of themselves.
    """
    device = next(classifier.parameters()).device
    training = classifier.training
    classifier.eval()
    made = np.empty((len(rows), classifier.features), np.float16)
    with Progress(f"embedding photographs by {classifier.name}", len(rows)) as progress:
        for start in range(0, len(rows), _BATCH):
            chosen = pixels[rows[start : start + _BATCH]]
            rgb = torch.from_numpy(chosen).to(device).permute(0, 3, 1, 2)
            with torch.autocast(device.type, torch.bfloat16):
                found = classifier.embed(rgb.float() / 255) if color else classifier(rgb_to_lab(rgb)[0])
            made[start : start + _BATCH] = found.float().cpu().numpy()
            progress.advance(len(chosen))
    classifier.train(training)
    return made
