"""Weights of the classic network as Keras saved them: `.h5` and `.keras`, of Keras 2 and Keras 3.

    .h5, save() and Keras 2's save_weights()   attributes layer_names and weight_names, at the root or
                                               below model_weights, tell the order; save() adds a config
    .weights.h5, save_weights() of Keras 3     layers/conv2d_10/vars/0: a layer's class and a counter
    .keras, save()                             a zip of the latter, and of config.json

All come down to arrays, kernels and biases in turn. Their shapes, and the config, are checked first.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from io import BytesIO
from itertools import chain, pairwise, zip_longest
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

import torch
from torch import Tensor, nn

from tintype.errors import ModelContractError, ModelUnreadableError, UsageError
from torch_model.model import Classic, NetworkConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import h5py

Config = dict[str, Any]

PASSIVE: Final = frozenset({"InputLayer", "Dropout", "SpatialDropout2D"})  # of no effect once trained


class KerasUnreadableError(ModelUnreadableError):
    """The file is damaged, or holds no Keras weights."""

    def __init__(self, path: str | Path, reason: object) -> None:
        super(ModelUnreadableError, self).__init__(f"{path} cannot be read as Keras weights: {reason}")


def load_keras(path: Path) -> dict[str, Tensor]:
    """Return the state dict of a Classic with the weights of a Keras file, float32, on the CPU.

    Keras's network takes L as it is: l_center is 0 and l_scale 1. Kernels turn from HWIO to OIHW;
    what an optimizer left in the file is passed over. Raises UsageError where h5py is missing,
    KerasUnreadableError for a damaged or foreign file, and ModelContractError for another network,
    as far as the file tells: without a config it says nothing of strides and activations.
    """
    with torch.device("meta"):
        network = Classic(NetworkConfig())
    try:
        with _open(path) as (file, config):
            arrays = _chain(_arrays(file), network)
            complaint = _complaint(network, config, arrays)
            weights = {} if complaint else _read(network, arrays)
    except UsageError:
        raise
    except Exception as error:
        # h5py, zipfile and json raise whatever their readers trip over; the first line says enough
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise KerasUnreadableError(path, reason) from error
    if complaint:
        raise ModelContractError(path, complaint)
    return weights | {"l_center": torch.tensor(0.0), "l_scale": torch.tensor(1.0)}


@contextmanager
def _open(path: Path) -> Iterator[tuple[h5py.File, Config | None]]:
    """Give the weights and, where the file has one, the config."""
    try:
        import h5py
    except ImportError as error:
        raise UsageError("h5py is not installed: pip install -e '.[keras]'") from error
    source: Path | BytesIO = path
    config = None
    # until 2.12, Keras wrote HDF5 under this name too
    if path.suffix == ".keras" and not h5py.is_hdf5(path):
        with ZipFile(path) as archive:
            source = BytesIO(archive.read("model.weights.h5"))
            config = json.loads(archive.read("config.json"))
    with h5py.File(source, "r") as file:
        yield file, config or json.loads(file.attrs.get("model_config", "null"))


def _arrays(file: h5py.File) -> list[h5py.Dataset]:
    """List a file's weights, unread, in the order that it gives them, kernel before bias."""
    group = file.get("model_weights", file)
    if "layer_names" in group.attrs:
        layers = [group[name] for name in _texts(group.attrs["layer_names"])]
        arrays = [layer[name] for layer in layers for name in _texts(layer.attrs["weight_names"])]
    else:
        names: list[str] = []
        file.visit(names.append)
        arrays = [file[name] for name in sorted(names, key=_numbered) if _is_weight(name, file[name])]
    if not arrays:
        raise ValueError("it holds no layers of Keras")
    return arrays


def _texts(names: Iterable[bytes | str]) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _numbered(name: str) -> list[str | int]:
    """Return a key that sorts conv2d, conv2d_1, conv2d_2, conv2d_10 in this order."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _is_weight(name: str, item: h5py.Dataset) -> bool:
    """Tell weights from groups, from what only training needs, and from the state of random layers."""
    top, *below = name.split("/")
    if top in {"optimizer", "metrics"} or below[-2:-1] != ["vars"]:
        return False
    return item.ndim > 0 and item.dtype.kind not in "iu"


def _chain(arrays: list[h5py.Dataset], network: Classic) -> list[h5py.Dataset]:
    """Reorder the right layers where the file has them in an order that no network could have.

    Layers of several classes, or of a subclassed model, need not come in the order of their use; as
    no two of classic's have one shape, shapes tell which is which. But where each layer takes what the
    one before it gives, the order is left as it is: if not classic's, it is another network's.
    """
    pairs = [arrays[start : start + 2] for start in range(0, len(arrays), 2)]
    shapes = [tuple(array.shape for array in pair) for pair in pairs]
    wanted = list(_shapes(network).values())
    foreign = sorted(shapes) != sorted(wanted)
    if foreign or all(before[0][-1] == after[0][-2] for before, after in pairwise(shapes)):
        return arrays
    return [array for shape in wanted for array in pairs[shapes.index(shape)]]


def _complaint(network: Classic, config: Config | None, arrays: Sequence[h5py.Dataset]) -> str | None:
    """Say what tells a file's network from the classic one, if anything does."""
    steps = list(_steps(config)) if config else []
    if len(steps) > 1:  # the config of a subclassed model says nothing but its name
        complaint = _difference("steps", steps, list(_classic_steps(network)))
        if complaint:
            return complaint
    wanted = [str(shape) for shape in chain.from_iterable(_shapes(network).values())]
    return _difference("arrays", [str(array.shape) for array in arrays], wanted)


def _difference(what: str, found: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Say where two lists part first, if they do."""
    for number, (one, other) in enumerate(zip_longest(found, wanted, fillvalue="missing"), 1):
        if one != other:
            classic = f"the {len(wanted)} of the classic network have {other}"
            return f"number {number} of its {len(found)} {what} is {one}, where {classic}"
    return None


def _steps(config: Config) -> Iterator[str]:
    """Spell out what a model or layer computes, as far as its config tells."""
    kind, options = config["class_name"], config["config"]
    layers = options if isinstance(options, list) else options.get("layers")  # a bare list in early Keras
    if layers is not None:
        yield from chain.from_iterable(map(_steps, layers))
    elif kind == "Conv2D":
        dilation = tuple(options["dilation_rate"])
        yield f"Conv2D{(options['filters'], tuple(options['strides']), options['padding'], dilation)}"
    elif kind == "UpSampling2D":
        yield f"UpSampling2D{(tuple(options['size']), options.get('interpolation', 'nearest'))}"
    elif kind != "Activation" and kind not in PASSIVE:
        yield str(kind)
    if kind in {"Conv2D", "Activation"} and options["activation"] != "linear":
        yield str(options["activation"])


def _classic_steps(network: Classic) -> Iterator[str]:
    """Spell out the classic network in the same way."""
    for module in (*network.modules(), nn.Upsample()):  # the last doubling is no module of its own
        if isinstance(module, nn.Conv2d):
            yield f"Conv2D{(module.out_channels, module.stride, 'same', module.dilation)}"
            yield "tanh" if module is network.head else "relu"
        elif isinstance(module, nn.Upsample):
            yield "UpSampling2D((2, 2), 'nearest')"


def _shapes(network: Classic) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Return, by each convolution's name, Keras's shapes of its kernel and its bias."""
    return {
        name: ((*part.kernel_size, part.in_channels, part.out_channels), (part.out_channels,))
        for name, part in network.named_modules()
        if isinstance(part, nn.Conv2d)
    }


def _read(network: Classic, arrays: Sequence[h5py.Dataset]) -> dict[str, Tensor]:
    """Read the arrays, by now known to fit, under the names and in the layout of a state dict."""
    tensors = [torch.from_numpy(array[()].astype("float32")) for array in arrays]
    weights: dict[str, Tensor] = {}
    for name, kernel, bias in zip(_shapes(network), tensors[::2], tensors[1::2], strict=True):
        weights[f"{name}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()
        weights[f"{name}.bias"] = bias
    return weights
