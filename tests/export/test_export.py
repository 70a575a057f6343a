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
from disks import full
from export import __main__ as command, graph, manifest, parity, storage
from pictures import picture
from tintype.metadata import Metadata
from tintype.session import open_session
from torch_model import weights
from torch_model.checkpoint import path_of
from torch_model.model import Distribution, NetworkConfig, UNet, Variant, Vivid, build, fold, initialize

if TYPE_CHECKING:
    from pathlib import Path

    from tintype.session import Float, Session
    from torch_model.model import Network

METADATA = Metadata("classic", "1", 64, author="nobody", license="MIT")
SMALL = ((1, 1, 16, 24),)  # shapes, where parity is not what is tested
OUTPUTS: dict[Variant, list[str]] = {
    "classic": ["ab"],
    "vivid": ["ab", "ab_mean"],
    "fusion": ["ab"],
    "unet": ["ab", "ab_mean"],
}
MEGABYTES: dict[Variant, int] = {"classic": 8, "vivid": 8, "fusion": 21, "unet": 15}


def network(variant: Variant = "classic") -> Network:
    """Return a network of seeded weights; vivid and unet are calibrated, unet also agrees and refines."""
    config = NetworkConfig(variant, dilation=2, temperature=0.3, gain=1.2)
    if variant in ("fusion", "unet"):
        config = replace(config, classifier="efficientnet_lite0", classifier_side=64)
    if variant == "unet":
        config = replace(config, perplexity=200, violet=0.25, agreement=8, refinement=4)  # some places fade
    torch.manual_seed(4)
    made = build(config)
    initialize(made, "he", 5)
    made.head.weight.data *= 0.25  # colors, and with them errors, as large as of trained weights
    generator = torch.Generator().manual_seed(6)
    for name, parameter in made.named_parameters():
        if name.endswith("bias"):  # equal initializers would be stored once
            parameter.data = 0.1 * torch.rand(parameter.shape, generator=generator)
    if isinstance(made, Distribution):
        made.shift = torch.rand(made.shift.shape, generator=generator)
    if isinstance(made, UNet) and made.refinement is not None:
        last = made.refinement.last.weight
        last.data = 0.1 * torch.rand(last.shape, generator=generator)
    return fold(made)


class FaultySession:
    """A session with a fault added to one output; None takes it away."""

    def __init__(self, session: Session, output: int) -> None:
        self.session, self.output = session, output
        self.fault: float | None = 0.0

    def run(self, lightness: Float) -> tuple[Float | None, ...]:
        """Run the network."""
        planes = list(self.session.run(lightness))
        plane = planes[self.output]
        assert plane is not None
        planes[self.output] = None if self.fault is None else plane + self.fault
        return tuple(planes)


@pytest.fixture(scope="module", params=OUTPUTS)
def exported(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[Path, Network]:
    """Return a model file with halved weights, and the network it was made from."""
    path, made = tmp_path_factory.mktemp("export") / "model.onnx", network(request.param)
    command.export(made, metadata_of(made), path, halved=True)
    return path, made


def metadata_of(made: Network) -> Metadata:
    """Return what a file of a network says of itself."""
    variant = made.config.variant
    return replace(METADATA, model=variant, training={"network": weights.describe(made.config)})


def test_signature(exported: tuple[Path, Network]) -> None:
    """The graph takes l and gives ab, vivid's ab_mean too, with named axes, at opset 18 and IR 9."""
    model = onnx.load(exported[0], load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    outputs = OUTPUTS[exported[1].config.variant]
    plane = {name: ["batch", 2, "height", "width"] for name in outputs}
    assert shapes == {"l": ["batch", 1, "height", "width"], **plane}
    assert [value.name for value in model.graph.output] == outputs
    assert ("Output ab_mean" in model.doc_string) == ("ab_mean" in outputs)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    assert model.ir_version == 9
    assert exported[0].stat().st_size < 1e6 * MEGABYTES[exported[1].config.variant]


def test_graph_is_clean(exported: tuple[Path, Network]) -> None:
    """Padding and normalisation are folded into the convolutions, and no trace of the machine is left."""
    path, made = exported
    model = onnx.load(path)
    kinds = [node.op_type for node in model.graph.node]
    variant = made.config.variant
    seen = variant in ("fusion", "unet")  # by a classifier, at a size of its own
    refined = len(made.OUTPUTS) if variant == "unet" else 0
    assert kinds.count("Conv") == {"fusion": 63, "unet": 59}.get(variant, 12) + 4 * refined
    assert kinds.count("ConvTranspose") == refined
    assert kinds.count("Resize") == {"fusion": 3, "unet": 5}.get(variant, 2) + len(made.OUTPUTS)
    softmaxes = 2 if isinstance(made, Distribution) else 0
    assert kinds.count("Softmax") == softmaxes + (variant == "unet")  # by which places agree
    assert not any(item.name.startswith("network.") for item in model.graph.initializer)
    assert not {"Identity", "BatchNormalization"} & set(kinds)
    assert kinds.count("Pad") == (variant == "unet")  # of photographs that cannot be halved five times
    assert not {"Shape", "Slice", "Concat"} & set(kinds) or seen
    assert not any(item.metadata_props for item in (*model.graph.node, *model.graph.initializer))


def test_metadata(exported: tuple[Path, Network]) -> None:
    """The session reads back the metadata that was written."""
    path, made = exported
    session = open_session(path, "cpu")
    assert session.metadata == metadata_of(made)
    assert session.outputs == OUTPUTS[made.config.variant]


@pytest.mark.parametrize("runtime", ["session", "reference"])
@pytest.mark.parametrize("shape", [(1, 1, 72, 200), (3, 1, 264, 8), (1, 1, 8, 8)])
def test_parity(exported: tuple[Path, Network], runtime: str, shape: tuple[int, ...]) -> None:
    """The runtime's session and ONNX's reference evaluator compute what torch computes."""
    path, made = exported
    lightness = np.random.default_rng(1).uniform(0, 100, shape).astype(np.float32)
    given = torch.from_numpy(lightness)
    with torch.no_grad():
        expected = [plane.numpy() for plane in made.decode(made(given), given)]
    if runtime == "session":
        found = [plane for plane in open_session(path, "cpu").run(lightness) if plane is not None]
    else:
        evaluator: Any = onnx.reference.ReferenceEvaluator(onnx.load(path))
        found = evaluator.run(None, {"l": lightness})
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=parity.TOLERANCE)


def test_released_file_gives_its_weights_back(exported: tuple[Path, Network]) -> None:
    """A model file's own initializers rebuild the network, bit for bit."""
    path, made = exported
    found = weights.load(path)
    assert found.config == made.config
    for name, value in made.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name


def test_uncalibrated_file_gives_its_weights_back(tmp_path: Path) -> None:
    """A shift of zero, and a temperature of one, are not lost in the graph."""
    made = Vivid(NetworkConfig("vivid", temperature=1.0))
    made.load_state_dict(network("vivid").state_dict())
    made.shift.zero_()
    model = graph.store_halved(graph.trace(made))
    graph.set_metadata(model, metadata_of(made).to_props(), "")
    onnx.save(model, tmp_path / "model.onnx")
    found = weights.load(tmp_path / "model.onnx")
    assert isinstance(found, Vivid)
    assert found.config == made.config
    assert not found.shift.any()


@pytest.mark.parametrize("output", [0, -1])
def test_parity_is_of_every_output(
    exported: tuple[Path, Network], output: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference in either output counts; what is no number, or is not there, is infinitely far."""
    monkeypatch.setattr(parity, "SHAPES", SMALL)
    path, made = exported
    session: Any = FaultySession(open_session(path, "cpu"), output % len(made.OUTPUTS))
    for fault, found in ((0.0, 0.0), (0.5, 0.5), (float("nan"), float("inf")), (None, float("inf"))):
        session.fault = fault
        assert parity.max_difference(made, session) == pytest.approx(found, abs=parity.TOLERANCE)


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


@pytest.mark.parametrize(("variant", "count"), [("classic", "3,892,194"), ("vivid", "3,980,050")])
def test_weights_for_other_programs(
    tmp_path: Path,
    variant: Variant,
    count: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Weights go out as .safetensors and come back the same, with what is known of their training."""
    monkeypatch.setattr(parity, "SHAPES", SMALL)
    made, known = network(variant), {"steps": 9, "recipe": {"size": 72}}
    first, second, third = (tmp_path / name for name in ("a.safetensors", "b.safetensors", "c.onnx"))
    weights.save(made, first, known)
    assert command.main([str(first), str(second)]) == 0
    assert f"{count} parameters" in capsys.readouterr().out
    for name, value in weights.load(second).state_dict().items():
        assert torch.equal(value, made.state_dict()[name])
    assert command.main([str(second), str(third), "--store", "fp32"]) == 0
    metadata = open_session(third, "cpu").metadata
    assert (metadata.model, metadata.working_size) == (variant, 72)
    assert metadata.training == {**known, "network": weights.describe(made.config)}
    assert weights.training(third) == known
    assert manifest.entry(third)["outputs"] == list(made.OUTPUTS)


@pytest.mark.parametrize("variant", OUTPUTS)
def test_cost_of_storage(variant: Variant) -> None:
    """Storing weights as float16 costs a color difference that is measured, and nobody sees."""
    measured = storage.loss(network(variant))
    assert 0 < measured["ciede2000_mean"] < measured["ciede2000_p99"] < 0.5


def test_small_training_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A working size that the runtime does not take is refused, naming the option that sets it."""
    weights.save(network(), tmp_path / "a.safetensors")
    assert (
        command.main([str(tmp_path / "a.safetensors"), str(tmp_path / "b.onnx"), "--working-size", "32"]) == 2
    )
    assert "--working-size" in capsys.readouterr().err


def test_model_file_on_a_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model file that does not fit is told in a line with its name, and nothing of it is left."""
    network = build(NetworkConfig())
    initialize(network, "he", 0)
    source, out = tmp_path / "weights.safetensors", tmp_path / "out" / "model.onnx"
    weights.save(network, source)
    with full(1_000_000):
        assert command.main([str(source), str(out)]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith("model.onnx cannot be written: File too large")
    assert not list(out.parent.iterdir())


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
