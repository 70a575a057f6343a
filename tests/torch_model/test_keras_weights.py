"""Keras's files, in the layouts that Keras 2 and 3 write, become the weights of the network or are refused.

The files are written here, for a network's worth is too large to keep.
"""

from __future__ import annotations

import json
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from keras_reference import weights
from tintype.errors import ModelContractError, ModelUnreadableError, UsageError
from torch_model.keras_weights import load_keras
from torch_model.model import Classic, NetworkConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Layer = Sequence[NDArray[np.float32]]
    Config = dict[str, Any]

h5py = pytest.importorskip("h5py")

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1)
DOUBLED = (8, 9, 11)  # convolutions, counted from 0, with a doubling behind them
NAMES = ["conv2d", *(f"conv2d_{number}" for number in range(1, 12))]
CUSTOM = [f"layer_{letter}" for letter in "zyxwvutsrqpo"]  # against the alphabet


@pytest.fixture(scope="module")
def layers() -> list[Layer]:
    """The kernel and bias of each convolution, as Keras lays them out."""
    return list(weights.draw())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files, of 16 MB each, are not kept."""
    yield tmp_path
    for path in tmp_path.iterdir():
        path.unlink()


def config_of(names: Sequence[str] = NAMES) -> Config:
    """Return what Keras says of the network in a config, as far as it matters."""
    same = {"padding": "same", "dilation_rate": [1, 1]}
    parts: list[Config] = [{"class_name": "InputLayer", "config": {"name": "input_1"}}]
    for index, (name, filters, stride) in enumerate(zip(names, weights.CHANNELS[1:], STRIDES, strict=True)):
        activation = "tanh" if name == names[-1] else "relu"
        options = {"name": name, "filters": filters, "strides": [stride] * 2, "activation": activation}
        parts.append({"class_name": "Conv2D", "config": options | same})
        if index in DOUBLED:
            parts.append({"class_name": "UpSampling2D", "config": {"size": [2, 2]}})
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": parts}}


def write_named(group: Any, layers: Sequence[Layer], names: Sequence[str] = NAMES) -> None:
    """Write layers as Keras 2 does, and Keras 3 for its sake: by name, in an order kept by attributes."""
    group.attrs["layer_names"] = np.array([b"input_1", *(name.encode() for name in names), b"up_sampling2d"])
    for empty in ("input_1", "up_sampling2d", "top_level_model_weights"):
        group.create_group(empty).attrs["weight_names"] = np.array([], "S")
    for name, layer in zip(names, layers, strict=True):
        below = group.create_group(name)
        kinds = ("kernel:0", "bias:0", "moving_mean:0", "moving_variance:0")[: len(layer)]
        below.attrs["weight_names"] = np.array([f"{name}/{kind}".encode() for kind in kinds])
        for kind, array in zip(kinds, layer, strict=True):
            below[f"{name}/{kind}"] = array


def write_counted(file: Any, layers: Sequence[Layer], names: Sequence[str] = NAMES) -> None:
    """Write layers as Keras 3 does: by class and counter, beside what optimizer and metrics keep."""
    for name, layer in zip(names, layers, strict=True):
        for index, array in enumerate(layer):
            file[f"layers/{name}/vars/{index}"] = array
    file["layers/dropout/seed_generator/vars/0"] = np.zeros(2, np.uint32)
    file["metrics/mean/vars/0"] = np.float32(0)
    file["optimizer/vars/0"] = np.int64(95)
    file["optimizer/vars/1"] = np.zeros_like(layers[0][0])


def save_weights_2(path: Path, layers: Sequence[Layer], names: Sequence[str] = NAMES) -> None:
    """Write what `save_weights` of Keras 2 writes."""
    with h5py.File(path, "w") as file:
        write_named(file, layers, names)


def save_h5(
    path: Path, layers: Sequence[Layer], names: Sequence[str] = NAMES, config: Config | None = None
) -> None:
    """Write what `save` writes to .h5."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config or config_of(names))
        write_named(file.create_group("model_weights"), layers, names)
        optimizer = file.create_group("optimizer_weights")
        optimizer.attrs["weight_names"] = np.array([b"conv2d/kernel/rms:0"])
        optimizer["conv2d/kernel/rms:0"] = np.zeros_like(layers[0][0])


def save_weights_3(path: Path | BinaryIO, layers: Sequence[Layer], names: Sequence[str] = NAMES) -> None:
    """Write what `save_weights` of Keras 3 writes."""
    with h5py.File(path, "w") as file:
        write_counted(file, layers, names)


def save_keras(path: Path, layers: Sequence[Layer], config: Config | None = None) -> None:
    """Write what `save` writes to .keras."""
    buffer = BytesIO()
    save_weights_3(buffer, layers)
    with ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", json.dumps(config or config_of()))
        archive.writestr("model.weights.h5", buffer.getvalue())


def assert_loads(path: Path, layers: Sequence[Layer]) -> None:
    """Check that a file gives a network these layers, bit for bit, and unscaled L."""
    network = Classic(NetworkConfig())
    network.load_state_dict(load_keras(path))
    assert network.l_center.item() == 0
    assert network.l_scale.item() == 1
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    for module, (kernel, bias) in zip(convolutions, layers, strict=True):
        assert module.bias is not None
        assert torch.equal(module.weight.permute(2, 3, 1, 0), torch.from_numpy(kernel))
        assert torch.equal(module.bias, torch.from_numpy(bias))


def refusal(path: Path, error: type[Exception] = ModelContractError) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(error) as caught:
        load_keras(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("weights.h5", save_weights_2),
        ("model.h5", save_h5),
        ("model.weights.h5", save_weights_3),
        ("model.keras", save_keras),
        ("early.keras", save_h5),
    ],
)
def test_layouts(folder: Path, layers: list[Layer], name: str, save: Callable[..., None]) -> None:
    """Each of Keras's layouts gives the same weights; what optimizer and metrics left there is ignored."""
    save(folder / name, layers)
    assert_loads(folder / name, layers)


@pytest.mark.parametrize("save", [save_weights_2, save_h5])
def test_custom_names(folder: Path, layers: list[Layer], save: Callable[..., None]) -> None:
    """Layers may bear any names: the file says their order."""
    save(folder / "model.h5", layers, CUSTOM)
    assert_loads(folder / "model.h5", layers)


def test_nested_model(folder: Path, layers: list[Layer]) -> None:
    """A model made of models, several convolutions under one name, loads as if it were flat."""
    path = folder / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["zencoder", "decoder"]
        for name, chosen in (("zencoder", range(8)), ("decoder", range(8, 12))):
            group = file.create_group(name)
            kept = [(f"{NAMES[i]}/{kind}", j, i) for i in chosen for j, kind in enumerate(("kernel", "bias"))]
            group.attrs["weight_names"] = [text for text, _, _ in kept]
            for text, j, i in kept:
                group[text] = layers[i][j]
    assert_loads(path, layers)


def test_order_by_shapes(folder: Path, layers: list[Layer]) -> None:
    """Layers in an order that no network could have find their places by their shapes."""
    save_weights_3(folder / "model.weights.h5", layers, CUSTOM)
    assert_loads(folder / "model.weights.h5", layers)


def test_early_config(folder: Path, layers: list[Layer]) -> None:
    """The config of an early Keras, a bare list of layers, is understood."""
    config = config_of()
    config["config"] = config["config"]["layers"]
    save_h5(folder / "model.h5", layers, config=config)
    assert_loads(folder / "model.h5", layers)


def test_subclassed_model(folder: Path, layers: list[Layer]) -> None:
    """The config of a subclassed model, which lists no layers, does not stand in the way."""
    save_keras(folder / "model.keras", layers, {"class_name": "Colorizer", "config": {"trainable": True}})
    assert_loads(folder / "model.keras", layers)


def test_separate_activations(folder: Path, layers: list[Layer]) -> None:
    """Activations may be layers of their own, and dropout may stand between."""
    config = config_of()
    parts = config["config"]["layers"]
    parts[1]["config"]["activation"] = "linear"
    parts[2:2] = [
        {"class_name": "Activation", "config": {"activation": "relu"}},
        {"class_name": "Dropout", "config": {"rate": 0.1}},
    ]
    save_keras(folder / "model.keras", layers, config)
    assert_loads(folder / "model.keras", layers)


def test_other_widths(folder: Path) -> None:
    """A network of other channels is refused with the first shape found and the one expected."""
    small = [(np.zeros((3, 3, 1, 8), np.float32), np.zeros(8, np.float32))]
    save_weights_2(folder / "alpha.h5", small, NAMES[:1])
    text = refusal(folder / "alpha.h5")
    assert "number 1 of its 2 arrays is (3, 3, 1, 8)" in text
    assert "the 24 of the classic network have (3, 3, 1, 64)" in text


@pytest.mark.parametrize("save", [save_weights_2, save_weights_3])
def test_normalization(folder: Path, layers: list[Layer], save: Callable[..., None]) -> None:
    """A layer that the network does not have is refused, not passed over."""
    normalization = [np.ones(64, np.float32)] * 4
    names = [NAMES[0], "conv2d_0_normalization", *NAMES[1:]]
    save(folder / "model.weights.h5", [layers[0], normalization, *layers[1:]], names)
    assert "number 3 of its 28 arrays is (64,)" in refusal(folder / "model.weights.h5")


def test_missing_layer(folder: Path, layers: list[Layer]) -> None:
    """A network that ends too early is refused."""
    save_weights_3(folder / "model.weights.h5", layers[:-1], NAMES[:-1])
    assert "number 23 of its 22 arrays is missing" in refusal(folder / "model.weights.h5")


def test_same_layers_in_another_order(folder: Path, layers: list[Layer]) -> None:
    """The layers of classic in another order that makes sense are another network."""
    moved = [layers[0], *layers[2:10], layers[1], *layers[10:]]  # 64 to 64 comes late, not early
    save_weights_2(folder / "model.h5", moved)
    assert "number 3 of its 24 arrays is (3, 3, 64, 128)" in refusal(folder / "model.h5")


@pytest.mark.parametrize(
    ("part", "change", "found"),
    [
        (2, {"config": {"strides": [1, 1]}}, "Conv2D(64, (1, 1), 'same', (1, 1))"),
        (2, {"config": {"padding": "valid"}}, "Conv2D(64, (2, 2), 'valid', (1, 1))"),
        (7, {"config": {"dilation_rate": [2, 2]}}, "Conv2D(512, (1, 1), 'same', (2, 2))"),
        (3, {"config": {"activation": "elu"}}, "elu"),
        (10, {"config": {"interpolation": "bilinear"}}, "UpSampling2D((2, 2), 'bilinear')"),
        (10, {"class_name": "ZeroPadding2D"}, "ZeroPadding2D"),
    ],
)
def test_other_architecture(folder: Path, layers: list[Layer], part: int, change: Config, found: str) -> None:
    """Weights that would fit are refused where the config says that the network uses them otherwise."""
    config = config_of()
    changed = config["config"]["layers"][part]
    changed["class_name"] = change.get("class_name", changed["class_name"])
    changed["config"] |= change.get("config", {})
    save_keras(folder / "model.keras", layers, config)
    assert f"steps is {found}, where the 27 of the classic network have" in refusal(folder / "model.keras")


@pytest.mark.parametrize(("name", "save"), [("model.h5", save_h5), ("model.keras", save_keras)])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_truncated(
    folder: Path, layers: list[Layer], name: str, save: Callable[..., None], kept: float
) -> None:
    """A file that ends too early is said to be unreadable."""
    path = folder / name
    save(path, layers)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "cannot be read as Keras weights" in refusal(path, ModelUnreadableError)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_foreign_file(folder: Path, name: str) -> None:
    """A file of another kind is said to be unreadable."""
    (folder / name).write_text("no weights here")
    refusal(folder / name, ModelUnreadableError)


def test_foreign_hdf5(folder: Path) -> None:
    """HDF5 that Keras did not write is said to be unreadable."""
    with h5py.File(folder / "photos.h5", "w") as file:
        file["photos/0"] = np.zeros((8, 8, 3), np.uint8)
    assert "no layers of Keras" in refusal(folder / "photos.h5", ModelUnreadableError)


def test_foreign_zip(folder: Path) -> None:
    """A zip without the weights of a model is said to be unreadable."""
    with ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert "model.weights.h5" in refusal(folder / "model.keras", ModelUnreadableError)


def test_missing_file(folder: Path) -> None:
    """A file that is not there is said to be unreadable."""
    refusal(folder / "model.h5", ModelUnreadableError)


def test_missing_h5py(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without h5py, one line says what to install."""
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UsageError, match=r"pip install -e '\.\[keras\]'"):
        load_keras(folder / "model.h5")
