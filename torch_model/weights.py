"""Weights to start from, wherever they are: released models, checkpoints, safetensors, Keras."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from tintype.errors import ModelContractError, ModelNotFoundError, ModelUnreadableError, UsageError
from tintype.metadata import FORMS, Metadata
from torch_model import checkpoint, disk
from torch_model.classifiers import misfit
from torch_model.model import Network, NetworkConfig, build

if TYPE_CHECKING:
    from pathlib import Path

    from onnx import ModelProto
    from torch import Tensor

KERAS_SUFFIXES = frozenset({".h5", ".hdf5", ".keras"})
_KNOWN = ("network", "training")  # what a .safetensors file says, each as JSON
_PLACES = frozenset(
    {"data", "val", "list", "out", "cache", "init", "classifier_weights", "critic_weights", "device"}
)  # of one machine only


def load(path: Path) -> Network:
    """Build the network that a file describes and load its weights, float32, on the CPU.

    `.onnx` (released by this project), `.safetensors`, `.pt` (a checkpoint: its averaged weights
    where it has them), the folder of a run (its best checkpoint), `.h5` and `.keras`. Raises a
    ModelError, CheckpointError or UsageError saying what is wrong.
    """
    if path.is_dir():
        path = checkpoint.best(path)
    if not path.is_file():
        raise ModelNotFoundError(path, ["a checkpoint (.pt)", ".safetensors", ".h5", ".keras"])
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return _from_onnx(path)
    if suffix == ".safetensors":
        return _from_safetensors(path)
    if suffix in KERAS_SUFFIXES:
        from torch_model.keras_weights import load_keras

        return _assemble(NetworkConfig(l_center=0.0, l_scale=1.0), load_keras(path), path)
    state = checkpoint.load(path)
    return _assemble(_config(state["network"], path), state["ema"] or state["model"], path)


def describe(config: NetworkConfig) -> dict[str, Any]:
    """Return a network's config as plain types, as checkpoints and model files keep it."""
    return asdict(config)


def check_name(path: Path) -> None:
    """Raise UsageError if a file of weights that is to be written would not be known by its name."""
    if path.suffix != ".safetensors":
        raise UsageError(f"{path} does not end in .safetensors")


def save(network: Network, path: Path, training: dict[str, Any] | None = None) -> None:
    """Write weights as .safetensors, with what is needed to build their network and how they were trained.

    Raises OutputError.
    """
    disk.write(path, to_bytes(network, training or {}))


def to_bytes(network: Network, training: dict[str, Any]) -> bytes:
    """Return what `save` writes, with what is known in one order: safetensors itself has it in any."""
    from safetensors.torch import save as serialize

    known = {"network": describe(network.config), "training": training}
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    content = serialize(state)
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8:start])
    said = {name: json.dumps(value, sort_keys=True) for name, value in known.items()}
    header = json.dumps({"__metadata__": said, **tensors}).encode()
    header += b" " * (-len(header) % 8)  # tensors begin at multiples of 8 bytes
    return len(header).to_bytes(8, "little") + header + content[start:]


def training(path: Path) -> dict[str, Any]:
    """Return what a file that `load` takes says of its training: recipe, steps, seconds; {} if nothing."""
    if path.is_dir():
        path = checkpoint.best(path)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return {name: value for name, value in _open_onnx(path)[1].training.items() if name != "network"}
    if suffix == ".safetensors":
        return _read_safetensors(path)[1].get("training") or {}
    if suffix in KERAS_SUFFIXES:
        return {}
    state = checkpoint.load(path)
    recipe = {name: value for name, value in state["config"].items() if name not in _PLACES}
    return {"steps": state["step"], "recipe": recipe, "seconds": round(state["seconds"])}


def _config(values: Any, path: Path) -> NetworkConfig:
    try:
        return NetworkConfig(**values)
    except TypeError as error:
        raise ModelContractError(path, "it does not say which network its weights are of") from error


def _assemble(config: NetworkConfig, state: dict[str, Tensor], path: Path) -> Network:
    network = build(config)
    scaling = {"l_center": torch.tensor(config.l_center), "l_scale": torch.tensor(config.l_scale)}
    try:
        network.load_state_dict(scaling | state)
    except RuntimeError as error:
        raise ModelContractError(
            path, f"its weights are not those of {config.variant}: {misfit(error)}"
        ) from error
    return network


def _open_onnx(path: Path) -> tuple[ModelProto, Metadata]:
    try:
        import onnx
    except ImportError as error:
        raise UsageError("onnx is not installed: pip install -e '.[export]'") from error
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's errors share no base but this one
        raise ModelUnreadableError(path, error) from error
    props = {item.key: item.value for item in model.metadata_props}
    return model, Metadata.from_props(props, path, FORMS)


def _from_onnx(path: Path) -> Network:
    """Recover the weights of a released model: its initializers bear the names of the state dict."""
    model, metadata = _open_onnx(path)
    from onnx import numpy_helper

    state = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).copy()).float()
        for item in model.graph.initializer
    }
    config = _config(metadata.training.get("network"), path)
    expected = build(config).state_dict()
    return _assemble(config, {name: state[name] for name in expected if name in state}, path)


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a file, float32, and what else it says, by name."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise UsageError("safetensors is not installed: pip install -e '.[train]'") from error
    try:
        with safe_open(path, "pt") as file:
            known = {
                name: json.loads(text) for name, text in (file.metadata() or {}).items() if name in _KNOWN
            }
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, ValueError) as error:
        raise ModelContractError(path, f"it is no safetensors file of this project: {error}") from error
    return state, known


def _from_safetensors(path: Path) -> Network:
    state, known = _read_safetensors(path)
    return _assemble(_config(known.get("network"), path), state, path)
