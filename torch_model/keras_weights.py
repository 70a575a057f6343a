"""Weights of the classic network as Keras saved them: `.h5` and `.keras`, of Keras 2 and Keras 3.

    .h5, save() and Keras 2's save_weights()   attributes layer_names and weight_names, at the root or
                                               below model_weights, tell the order; save() adds a config
    .weights.h5, save_weights() of Keras 3     layers/conv2d_10/vars/0: a layer's class and a counter
    .keras, save()                             a zip of the latter, and of config.json

Whatever the layout, it comes down to arrays in network order, each kernel before its bias. These and
the config are held against the network before any array is read.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

import torch
from torch import Tensor, nn

from tintype.errors import ModelContractError, ModelUnreadableError, TintypeError, UsageError
from torch_model.model import Classic, NetworkConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import h5py  # type: ignore[import-untyped]

Config = dict[str, Any]

UPSAMPLING: Final = "UpSampling2D"
PASSIVE: Final = frozenset({"InputLayer", "Dropout", "SpatialDropout2D"})  # of no effect once trained
TRAINING_STATE: Final = frozenset({"optimizer", "metrics"})


class KerasUnreadableError(ModelUnreadableError):
    """The file is damaged, or holds no Keras weights."""

    def __init__(self, path: str | Path, reason: object) -> None:
        super(ModelUnreadableError, self).__init__(f"{path} cannot be read as Keras weights: {reason}")


def load_keras(path: Path) -> dict[str, Tensor]:
    """Return the state dict of a Classic with the weights of a Keras file, float32, on the CPU.

    Keras's network takes L as it is: l_center is 0 and l_scale 1. Kernels turn from HWIO to OIHW;
    what an optimizer left in the file is passed over. Raises UsageError where h5py is missing,
    KerasUnreadableError for a damaged or foreign file, ModelContractError for another network.
    """
    with torch.device("meta"):
        network = Classic(NetworkConfig())
    try:
        with _open(path) as (file, config):
            arrays = _arrays(file, network)
            complaint = _complaint(network, config, arrays)
            if complaint:
                raise ModelContractError(path, complaint)
            weights = dict(_convert(network, arrays))
    except TintypeError:
        raise
    except Exception as error:
        # h5py, zipfile and json raise whatever their readers trip over; the first line says enough
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise KerasUnreadableError(path, reason) from error
    return weights | {"l_center": torch.tensor(0.0), "l_scale": torch.tensor(1.0)}


@contextmanager
def _open(path: Path) -> Iterator[tuple[h5py.File, Config | None]]:
    """Give the weights and, where the file has one, the config."""
    try:
        import h5py
    except ImportError as error:
        raise UsageError("h5py is not installed: pip install 'tintype[keras]'") from error
    # until 2.12, Keras wrote HDF5 under this name too
    if path.suffix == ".keras" and not h5py.is_hdf5(path):
        with ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            weights = BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights, "r") as file:
            yield file, config
    else:
        with h5py.File(path, "r") as file:
            yield file, json.loads(file.attrs.get("model_config", "null"))


def _arrays(file: h5py.File, network: Classic) -> list[h5py.Dataset]:
    """List a file's weights, unread, in network order, kernel before bias."""
    group = file.get("model_weights", file)
    if "layer_names" in group.attrs:
        layers = [group[name] for name in _texts(group.attrs["layer_names"])]
        arrays = [layer[name] for layer in layers for name in _texts(layer.attrs["weight_names"])]
    else:
        found: dict[str, h5py.Dataset] = {}
        file.visititems(lambda name, item: found.update({name: item} if _is_weight(name, item) else {}))
        arrays = [found[name] for name in sorted(found, key=_numbered)]
    if not arrays:
        raise ValueError("there are no layers of Keras in it")
    return _chain(arrays, network)


def _texts(names: Iterable[bytes | str]) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _is_weight(name: str, item: h5py.Dataset | h5py.Group) -> bool:
    """Tell a weight from groups, from what only training needs, and from the state of random layers."""
    top, *below = name.split("/")
    if top in TRAINING_STATE or "vars" not in below[-2:-1] or not hasattr(item, "dtype"):
        return False
    return item.ndim > 0 and item.dtype.kind not in "iu"


def _numbered(name: str) -> list[str | int]:
    """Return a key that sorts conv2d, conv2d_1, conv2d_2, conv2d_10 in this order."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _chain(arrays: list[h5py.Dataset], network: Classic) -> list[h5py.Dataset]:
    """Reorder the right layers where the file has them in an order that no network could have.

    Layers of several classes, or of a subclassed model, need not come in the order of their use. As
    no two layers of classic have one shape, shapes tell which is which. An order in which each layer
    takes what the one before it gives is left as it is: another network, though of the same layers.
    """
    pairs = [arrays[start : start + 2] for start in range(0, len(arrays), 2)]
    shapes = [tuple(array.shape for array in pair) for pair in pairs]
    wanted = [_shapes(convolution) for convolution in _convolutions(network).values()]
    if sorted(shapes) != sorted(wanted):
        return arrays
    if all(before[0][-1] == after[0][-2] for before, after in pairwise(shapes)):
        return arrays
    indexed = dict(zip(shapes, pairs, strict=True))
    return [array for shape in wanted for array in indexed[shape]]


def _complaint(network: Classic, config: Config | None, arrays: Sequence[h5py.Dataset]) -> str | None:
    """Say what tells a file's network from the classic one, if anything does."""
    if config is not None and _layers(config) is not None:
        steps = _difference("steps", list(_steps(config)), list(_classic_steps(network)))
        if steps:
            return steps
    wanted = [str(shape) for module in _convolutions(network).values() for shape in _shapes(module)]
    return _difference("arrays", [str(array.shape) for array in arrays], wanted)


def _difference(what: str, found: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Say where two lists part first, if they do."""
    for number, (one, other) in enumerate(zip_longest(found, wanted, fillvalue="nothing"), 1):
        if one != other:
            return (
                f"number {number} of its {len(found)} {what} is {one}, "
                f"where the {len(wanted)} of the classic network have {other}"
            )
    return None


def _layers(config: Config) -> list[Config] | None:
    """Return the layers of a model's config, a bare list in early Keras; None for anything else."""
    inner: list[Config] | Config = config["config"]
    return inner if isinstance(inner, list) else inner.get("layers")


def _steps(config: Config) -> Iterator[str]:
    """Spell out what a model or layer computes, as far as a config tells."""
    layers = _layers(config)
    if layers is not None:
        for layer in layers:
            yield from _steps(layer)
        return
    kind, options = config["class_name"], config["config"]
    if kind == "Conv2D":
        dilation = options.get("dilation_rate", (1, 1))
        yield _convolution(options["filters"], options["strides"], options["padding"], dilation)
    if kind in {"Conv2D", "Activation"}:
        if options["activation"] != "linear":
            yield str(options["activation"])
    elif kind == UPSAMPLING:
        plain = tuple(options["size"]) == (2, 2) and options.get("interpolation", "nearest") == "nearest"
        yield UPSAMPLING if plain else f"{UPSAMPLING} by {options['size']}, {options.get('interpolation')}"
    elif kind not in PASSIVE:
        yield str(kind)


def _classic_steps(network: Classic) -> Iterator[str]:
    """Spell out what the classic network computes."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            yield _convolution(module.out_channels, module.stride, "same", module.dilation)
            yield "tanh" if module is network.head else "relu"
        elif isinstance(module, nn.Upsample):
            yield UPSAMPLING
    yield UPSAMPLING


def _convolution(filters: int, strides: Iterable[int], padding: str, dilation: Iterable[int]) -> str:
    text = f"Conv2D {filters}, strides {tuple(strides)}"
    ...
