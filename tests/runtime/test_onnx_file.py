"""Foreign model files: what they may not do is refused before anything is carried out."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import mutations
from tintype import models, onnx_file
from tintype.errors import ModelContractError, ModelUnreadableError
from tintype.session import open_session

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def maker() -> SimpleNamespace:
    """Return the script that makes the stubs."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "stub" / "make.py")))


@pytest.fixture
def model(maker: SimpleNamespace) -> Any:
    """Return a good model, to be spoiled."""
    return maker.build(maker.METADATA["stub"].to_props())


def _saved(model: Any, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def _external(tensor: Any, place: str) -> None:
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "0"), ("length", "8")):
        tensor.external_data.add(key=key, value=value)


def test_good_models(model: Any, tmp_path: Path, stub_mean: Path) -> None:
    """Good models pass: the stubs, and all that are bundled."""
    for path in (_saved(model, tmp_path), stub_mean, *map(models.find, models.bundled())):
        onnx_file.check(path)


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "../secret.bin", "weights.bin", "https://example.org/w", ""]
)
def test_data_elsewhere(model: Any, tmp_path: Path, place: str) -> None:
    """Weights in another file are refused, wherever that is, also where it is there."""
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    _external(model.graph.initializer[0], place)
    with pytest.raises(ModelContractError, match=r"keeps weights in another file, .*a model is one file"):
        open_session(_saved(model, tmp_path))


@pytest.mark.parametrize("way", ["attribute", "sparse", "branch", "function", "training"])
def test_data_elsewhere_is_found_anywhere(model: Any, tmp_path: Path, way: str) -> None:
    """Weights in another file are found in constants, branches, functions and wherever else they can be."""
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [2], [1.0, 2.0])
    _external(tensor, "../secret.bin")
    node = onnx.helper.make_node("Constant", [], ["c"], value=tensor)
    if way == "attribute":
        model.graph.node.append(node)
    elif way == "sparse":
        indices = onnx.helper.make_tensor("i", onnx.TensorProto.INT64, [2], [0, 1])
        model.graph.sparse_initializer.append(onnx.helper.make_sparse_tensor(tensor, indices, [4]))
    elif way == "branch":
        branch = onnx.helper.make_graph([node], "branch", [], [])
        model.graph.node.append(onnx.helper.make_node("If", ["l"], ["x"], then_branch=branch))
    elif way == "function":
        opset = [onnx.helper.make_opsetid("", 13)]
        model.functions.append(onnx.helper.make_function("ours", "f", [], ["c"], [node], opset))
    else:
        model.training_info.add().initialization.node.append(node)
    with pytest.raises(ModelContractError, match=r"another file, \.\./secret\.bin"):
        onnx_file.check(_saved(model, tmp_path))


@pytest.mark.parametrize("domain", ["evil", "com.microsoft", "ai.onnx.ml"])
def test_operators_of_its_own(model: Any, tmp_path: Path, domain: str) -> None:
    """Operators that are not ONNX's are refused by name, in branches too."""
    node = onnx.helper.make_node("Steal", ["l"], ["x"], domain=domain)
    branch = onnx.helper.make_graph([node], "branch", [], [])
    model.graph.node.append(onnx.helper.make_node("If", ["l"], ["x"], then_branch=branch))
    with pytest.raises(ModelContractError, match=rf"it calls {domain}\.Steal, an operator of its own"):
        open_session(_saved(model, tmp_path))


@pytest.mark.parametrize("name", ["Loop", "Scan"])
def test_loops(model: Any, tmp_path: Path, name: str) -> None:
    """Operators that may never end are refused."""
    model.graph.node.append(onnx.helper.make_node(name, ["l"], ["x"]))
    with pytest.raises(ModelContractError, match=f"it calls {name}, which may never end"):
        open_session(_saved(model, tmp_path))


def test_size(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are too large, or of too many nodes or parts, are refused."""
    path = _saved(model, tmp_path)
    for name, limit in (("LARGEST", 100), ("MOST_NODES", 1), ("MOST_FIELDS", 20)):
        with monkeypatch.context() as patch:
            patch.setattr(onnx_file, name, limit)
            with pytest.raises(ModelContractError, match=r"at most|more than"):
                open_session(path)
    with path.open("ab") as file:
        os.truncate(file.fileno(), onnx_file.LARGEST + 1)  # nothing of it is on disk
    with pytest.raises(ModelContractError, match=r"it has 1024 MB, and at most 1024 are taken"):
        open_session(path)


@pytest.mark.parametrize("name", [b"slopes", b"scaled", b"height", b"batch", b"stub", b"tintype.contract"])
def test_names(model: Any, tmp_path: Path, name: bytes) -> None:
    """Names that are not UTF-8, wherever they are, are refused."""
    path = _saved(model, tmp_path)
    path.write_bytes(path.read_bytes().replace(name, b"\xff" * len(name)))
    with pytest.raises(ModelUnreadableError, match="its names are not UTF-8"):
        open_session(path)


def test_depth(model: Any, tmp_path: Path) -> None:
    """Graphs within graphs without end are refused."""
    node = onnx.helper.make_node("Relu", ["l"], ["x"])
    for _ in range(30):
        branch = onnx.helper.make_graph([node], "branch", [], [])
        node = onnx.helper.make_node("If", ["l"], ["x"], then_branch=branch)
    model.graph.node.append(node)
    with pytest.raises(ModelContractError, match="nested too deeply"):
        open_session(_saved(model, tmp_path))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 30, b"\x3a\x05ab", b"\x3a\xff\xff\xff\xff\x0f", b"\x0b\x0c", b"\x00\x00", b"words"],
)
def test_damage(tmp_path: Path, content: bytes) -> None:
    """What is no ONNX file is said to be none, in one line."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelUnreadableError, match=r"model\.onnx") as caught:
        onnx_file.check(path)
    assert "\n" not in str(caught.value)


def test_no_permission(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that may not be read is told."""
    path = _saved(model, tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelUnreadableError, match="Permission denied"):
        onnx_file.check(path)


def test_every_cut(model: Any, tmp_path: Path) -> None:
    """Cut off at any byte, a model is refused or what is left of it is none of ours."""
    content = _saved(model, tmp_path).read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        with pytest.raises((ModelUnreadableError, ModelContractError)):
            open_session(path)


def test_broken_at_random(tmp_path: Path, stub: Path, stub_mean: Path) -> None:
    """Models that are broken at random, always the same ones, are refused in one line, or run."""
    files = {path.name: path.read_bytes() for path in (stub, stub_mean)}
    path, lightness = tmp_path / "model.onnx", np.full((1, 1, 64, 64), 50, np.float32)
    ran, said = 0, list[str]()
    for number in range(300):
        path.write_bytes(mutations.mutant(number, sorted(files), files)[1])
        try:
            ran += len(open_session(path, "cpu", 1).run(lightness)) > 0
        except (ModelContractError, ModelUnreadableError) as error:
            said.append(str(error))
    assert not [line for line in said if "\n" in line]
    assert ran > 10
