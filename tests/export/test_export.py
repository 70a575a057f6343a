"""Export: the graph's signature, its metadata, parity, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import torch

import train
from export import __main__ as command, graph, parity, storage
from pictures import picture
from tintype.metadata import Metadata
from tintype.session import open_session
from torch_model import weights
from torch_model.checkpoint import path_of
from torch_model.model import NetworkConfig, build, fold, initialize

if TYPE_CHECKING:
    from pathlib import Path

    from torch_model.model import Classic

METADATA = Metadata("classic", "1", 64, author="nobody", license="MIT")


def network(*, norm: bool = False) -> Classic:
    """Return a network of seeded weights."""
    made = build(NetworkConfig(norm=norm))
    initialize(made, "he", 5)
    generator = torch.Generator().manual_seed(6)
    for name, parameter in made.named_parameters():
        if name.endswith("bias"):  # equal initializers would be stored once
            parameter.data = 0.1 * torch.rand(parameter.shape, generator=generator)
    return fold(made)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Classic]:
    """Return a model file with halved weights, and the network it was made from."""
    path, made = tmp_path_factory.mktemp("export") / "classic.onnx", network()
    command.export(made, METADATA, path, halved=True)
    return path, made


def test_signature(exported: tuple[Path, Classic]) -> None:
    """The graph takes l and gives ab, with named axes, at opset 18 and IR 9, in one file."""
    model = onnx.load(exported[0], load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"l": ["batch", 1, "height", "width"], "ab": ["batch", 2, "height", "width"]}
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    assert model.ir_version == 9
    assert exported[0].stat().st_size < 8e6


def test_graph_is_clean(exported: tuple[Path, Classic]) -> None:
    """Padding is folded into the convolutions and no trace of the exporting machine is left."""
    model = onnx.load(exported[0])
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Conv") == 12
    assert kinds.count("Resize") == 3
    assert not {"Pad", "Shape", "Slice", "Concat", "Identity"} & set(kinds)
    assert not any(item.metadata_props for item in (*model.graph.node, *model.graph.initializer))


def test_metadata(exported: tuple[Path, Classic]) -> None:
    """The session reads back the metadata that was written."""
    assert open_session(exported[0], "cpu").metadata == METADATA


@pytest.mark.parametrize("runtime", ["session", "reference"])
@pytest.mark.parametrize("shape", [(1, 1, 72, 200), (3, 1, 264, 8), (1, 1, 8, 8)])
def test_parity(exported: tuple[Path, Classic], runtime: str, shape: tuple[int, ...]) -> None:
    """The runtime's session and ONNX's reference evaluator compute what torch computes."""
    path, made = exported
    lightness = np.random.default_rng(1).uniform(0, 100, shape).astype(np.float32)
    with torch.no_grad():
        expected = made(torch.from_numpy(lightness)).numpy()
    if runtime == "session":
        found = open_session(path, "cpu").run(lightness)[0]
    else:
        evaluator: Any = onnx.reference.ReferenceEvaluator(onnx.load(path))
        found = evaluator.run(None, {"l": lightness})[0]
    np.testing.assert_allclose(found, expected, atol=parity.TOLERANCE)


def test_released_file_gives_its_weights_back(exported: tuple[Path, Classic]) -> None:
    """A model file's own initializers rebuild the network, bit for bit."""
    path, made = exported
    metadata = replace(METADATA, training={"network": weights.describe(made.config)})
    model = onnx.load(path)
    graph.set_metadata(model, metadata.to_props(), "")
    again = path.with_name("again.onnx")
    onnx.save(model, again)
    found = weights.load(again).state_dict()
    for name, value in made.state_dict().items():
        assert torch.equal(found[name], value), name


def test_disagreeing_file_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that does not compute what torch computes is refused, with exit code 1, and not left."""
    source = tmp_path / "w.safetensors"
    weights.save(network(), source)
    monkeypatch.setattr(parity, "TOLERANCE", 0.0)
    assert command.main([str(source), str(tmp_path / "out.onnx"), "--working-size", "64"]) == 1
    assert "differs from torch" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_from_checkpoint_to_model_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Train, export, re-export: names, recipe and metrics travel; places of this machine do not."""
    (tmp_path / "in").mkdir()
    for seed in range(4):
        picture(seed).save(tmp_path / "in" / f"{seed}.png")
    places = [
        "--data",
        str(tmp_path / "in"),
        "--cache",
        str(tmp_path / "cache"),
        "--out",
        str(tmp_path / "run"),
    ]
    small = ["--size", "64", "--steps", "1", "--norm", "--ema", "0.9", "--no-tensorboard", "--device", "cpu"]
    small += ["--center-lightness", "--lr", "1e-5"]
    assert train.main([*places, *small]) == 0

    first, second = tmp_path / "a.onnx", tmp_path / "b.onnx"
    metrics = tmp_path / "metrics.json"
    metrics.write_text('{"psnr": 23.5}')
    checkpoint = path_of(tmp_path / "run" / "checkpoints", 1)
    said = ["--license", "CC-BY-4.0", "--author", "us", "--version", "2"]
    assert checkpoint.is_file()
    assert command.main([str(tmp_path / "run"), str(first), *said, "--metrics", str(metrics)]) == 0
    assert "3,892,194 parameters" in capsys.readouterr().out
    assert command.main([str(first), str(second), "--working-size", "96"]) == 0
    metadata = open_session(second, "cpu").metadata
    assert (metadata.model, metadata.version, metadata.working_size) == ("classic", "2", 96)
    assert (metadata.license, metadata.metrics, metadata.training["steps"]) == (
        "CC-BY-4.0",
        {"psnr": 23.5},
        1,
    )
    assert str(tmp_path).encode() not in second.read_bytes()


def test_weights_for_other_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights go out as .safetensors and come back the same."""
    made = network()
    weights.save(made, tmp_path / "a.safetensors")
    assert command.main([str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors")]) == 0
    assert "3,892,194 parameters" in capsys.readouterr().out
    for name, value in weights.load(tmp_path / "b.safetensors").state_dict().items():
        assert torch.equal(value, made.state_dict()[name])


def test_cost_of_storage() -> None:
    """Storing weights as float16 costs a color difference that is measured, and nobody sees."""
    measured = storage.loss(network())
    assert 0 < measured["ciede2000_mean"] < measured["ciede2000_p99"] < 0.5


def test_small_training_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A working size that the runtime does not take is refused, naming the option that sets it."""
    weights.save(network(), tmp_path / "a.safetensors")
    assert (
        command.main([str(tmp_path / "a.safetensors"), str(tmp_path / "b.onnx"), "--working-size", "32"]) == 2
    )
    assert "--working-size" in capsys.readouterr().err


def test_folder_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without checkpoints is refused in one line."""
    assert command.main([str(tmp_path), str(tmp_path / "out.onnx")]) == 2
    assert "holds no checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.pt", None, "there is no model"),
        ("broken.pt", b"nothing", "is damaged, or no checkpoint"),
        ("broken.onnx", b"nothing", "cannot be read"),
        ("broken.safetensors", b"nothing", "no safetensors file"),
    ],
)
def test_refused(
    tmp_path: Path, name: str, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights that are missing or damaged are refused in one line with exit code 2."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert command.main([str(tmp_path / name), str(tmp_path / "out.onnx")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.onnx").exists()


def test_foreign_safetensors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights of another network are refused with what does not fit."""
    from safetensors.torch import save_file

    unsaid, wrong = tmp_path / "unsaid.safetensors", tmp_path / "wrong.safetensors"
    save_file({"a": torch.zeros(3)}, unsaid)
    save_file({"a": torch.zeros(3)}, wrong, {"network": json.dumps(weights.describe(NetworkConfig()))})
    for path, words in ((unsaid, "does not say which network"), (wrong, "weights are not those of classic")):
        assert command.main([str(path), str(tmp_path / "out.onnx")]) == 2
        assert words in capsys.readouterr().err
