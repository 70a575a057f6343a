"""What storing weights as float16 costs in color, on photographs that scikit-image carries."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import skimage.color
import skimage.data
import torch
from PIL import Image

from export import graph
from tintype.lab import lightness_ab_to_rgb, rgb_to_lab, rgb_to_lightness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from torch_model.model import Network

SIDE: Final = 128
_PHOTOS: Final = ("astronaut", "chelsea", "coffee", "rocket")


def loss(network: Network) -> dict[str, Any]:
    """Return mean and 99th percentile of CIEDE2000 between float32 and float16-stored weights.

    Over all pixels of the photographs, colorized at SIDE x SIDE, without rounding to 8 bits.
    """
    rounded = graph.round_weights(copy.deepcopy(network))
    differences = np.concatenate([_difference(network, rounded, name) for name in _PHOTOS])
    return {
        "type": "float16",
        "ciede2000_mean": float(f"{differences.mean():.2g}"),
        "ciede2000_p99": float(f"{np.percentile(differences, 99):.2g}"),
    }


def describe(training: dict[str, Any]) -> str:
    """Return the loss in words; empty where nothing was measured."""
    if "storage" not in training:
        return ""
    measured = training["storage"]
    return (
        f"; stored as {measured['type']}, CIEDE2000 to float32 {measured['ciede2000_mean']} in the mean, "
        f"{measured['ciede2000_p99']} at the 99th percentile"
    )


@torch.no_grad()
def _difference(first: Network, second: Network, name: str) -> NDArray[np.float64]:
    photo = Image.fromarray(getattr(skimage.data, name)()).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    lightness = rgb_to_lightness(np.asarray(photo))
    batch = torch.from_numpy(lightness)[None, None]
    colors = []
    for network in (first, second):
        a, b = network.decode(network(batch), batch)[0][0].numpy()
        colors.append(rgb_to_lab(lightness_ab_to_rgb(lightness, a, b)))
    difference: NDArray[np.float64] = skimage.color.deltaE_ciede2000(*colors).ravel()
    return difference
