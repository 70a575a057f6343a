"""Forms with less precision: what is computed in which type, how close they are, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from PIL import Image

from export import body, calibration, differences, figures, graph, manifest, quantization
from pictures import picture
from tintype import Colorizer, cli, models, precision
from tintype.errors import UsageError
from tintype.metadata import Metadata
from tintype.session import open_session

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

    from tintype.session import Float

METADATA = Metadata("tiny", "1", 64, author="nobody", license="MIT", metrics={"psnr": 20})
PHOTO = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
BODY = ("second", "third")
"""Convolutions of the tiny network that int8 computes in int8."""


def tiny() -> ModelProto:
    """Return a network with a first, two inner and a last convolution, a classifier, and what is between."""
    generator = np.random.default_rng(3)
    shapes = {"first": (8, 1), "classifier.trunk": (8, 8), "second": (8, 8), "third": (8, 16), "head": (2, 8)}
    weights = {
        f"{name}.weight": 0.2 * generator.standard_normal((*shape, 3, 3)) for name, shape in shapes.items()
    }
    constants = {"center": 50.0, "scale": 50.0, "range": 60.0, "low": 0.0, "high": 6.0}
    arrays = weights | constants
    node = helper.make_node

    def conv(name: str, given: str, output: str) -> NodeProto:
        return node("Conv", [given, f"{name}.weight"], [output], name=name, pads=[1, 1, 1, 1])

    nodes = [
        node("Sub", ["l", "center"], ["centered"], name="sub"),
        node("Div", ["centered", "scale"], ["scaled"], name="div"),
        conv("first", "scaled", "x0"),
        node("Relu", ["x0"], ["x1"], name="relu0"),
        conv("classifier.trunk", "x1", "seen0"),
        node("Clip", ["seen0", "low", "high"], ["seen"], name="clip"),
        node("ReduceMean", ["seen", "axes"], ["told"], name="mean"),
        conv("second", "x1", "x2"),
        node("Add", ["x2", "told"], ["x3"], name="add"),
        node("Relu", ["x3"], ["x4"], name="relu1"),
        node("Resize", ["x4", "", "factors"], ["x5"], name="resize", mode="nearest"),
        node("Resize", ["seen", "", "factors"], ["seen2"], name="resize2", mode="nearest"),
        node("Concat", ["x5", "seen2"], ["x6"], name="concat", axis=1),
        conv("third", "x6", "x7"),
        node("Relu", ["x7"], ["x8"], name="relu2"),
        conv("head", "x8", "x9"),
        node("Tanh", ["x9"], ["x10"], name="tanh"),
        node("Resize", ["x10", "", "halves"], ["x11"], name="resize3", mode="nearest"),
        node("Mul", ["x11", "range"], ["ab"], name="mul"),
    ]
    tensors = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in arrays.items()]
    tensors += [
        numpy_helper.from_array(np.array([2, 3]), "axes"),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "factors"),
        numpy_helper.from_array(np.array([1, 1, 0.5, 0.5], np.float32), "halves"),
    ]
    sides = ["batch", None, "height", "width"]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, sides) for name in ("l", "ab")]
    for end, channels in zip(ends, (1, 2), strict=True):
        end.type.tensor_type.shape.dim[1].dim_value = channels
    made = helper.make_model(
        helper.make_graph(nodes, "tiny", ends[:1], ends[1:], tensors),
        opset_imports=[helper.make_opsetid("", graph.OPSET)],
        ir_version=graph.IR_VERSION,
    )
    graph.set_metadata(made, METADATA.to_props(), "tiny")
    return graph.store_halved(made)


@pytest.fixture(scope="module")
def model() -> ModelProto:
    """Return the tiny network, its weights stored as float16."""
    return tiny()


@pytest.fixture(scope="module")
def lightness() -> list[Float]:
    """Return L* of four made photographs."""
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 10
    return [(50 + 45 * np.sin(x + phase) * np.cos(y)).astype(np.float32)[None, None] for phase in range(4)]


@pytest.fixture(scope="module")
def ranges(model: ModelProto, lightness: list[Float]) -> quantization.Ranges:
    """Return how far values go in the tiny network."""
    values = calibration.collect(model, "minmax", lightness)
    return quantization.Ranges(body.weights_digest(model), "minmax", "made", len(lightness), values)


@pytest.fixture
def shelf(model: ModelProto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the tiny network in place of the released ones, with ranges and figures beside; and photographs."""
    onnx.save(model, tmp_path / "tiny.onnx")
    (tmp_path / "models.json").write_text(
        json.dumps({"default": "tiny", "models": {"tiny": {"file": "tiny.onnx"}}})
    )
    (tmp_path / "photos").mkdir()
    for seed in range(5):
        picture(seed).save(tmp_path / "photos" / f"{seed}.jpg")
    monkeypatch.setattr(models, "FOLDER", tmp_path)
    monkeypatch.setattr(quantization, "FOLDER", tmp_path / "ranges")
    return tmp_path


def run(model: ModelProto, path: Path, given: Float) -> Float:
    """Return what the runtime computes of a model."""
    graph.check(model)
    onnx.save(model, path)
    return open_session(path, "cpu").run(given)[0]


def types(model: ModelProto) -> dict[str, int]:
    """Return the type of each value."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    return {
        value.name: value.type.tensor_type.elem_type
        for value in (*inferred.value_info, *inferred.input, *inferred.output)
    }


def taking(model: ModelProto, name: str) -> NodeProto:
    """Return a node of a model."""
    found: NodeProto = next(node for node in model.graph.node if node.name == name)
    return found


def test_weights(model: ModelProto) -> None:
    """However weights are stored, they are the same, and other weights are others."""
    wide = body.widen(model)
    kinds = {tensor.data_type for tensor in wide.graph.initializer}
    assert TensorProto.FLOAT16 not in kinds
    assert not any(node.op_type == "Cast" for node in wide.graph.node)
    assert len(wide.graph.node) == len(model.graph.node) - 5
    assert body.weights_digest(wide) == body.weights_digest(model)
    wide.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(numpy_helper.to_array(wide.graph.initializer[0]) * 2, "first.weight")
    )
    assert body.weights_digest(wide) != body.weights_digest(model)


def test_half(model: ModelProto, lightness: list[Float], tmp_path: Path) -> None:
    """The body alone is computed in float16; resizing and sums within it, and both ends, in float32."""
    half = quantization.half(model)
    found = types(half)
    for name, output in (("second", "x2"), ("third", "x7"), ("classifier.trunk", "seen0"), ("relu0", "x1")):
        assert found[output] == TensorProto.FLOAT16, name
    for output in ("l", "scaled", "x0", "told", "x5", "seen2", "x9", "x10", "ab"):
        assert found[output] == TensorProto.FLOAT, output
    casts = [node for node in half.graph.node if node.op_type == "Cast"]
    assert len({cast.input[0] for cast in casts}) == len(casts)
    assert {item.name for item in half.graph.initializer} >= {item.name for item in model.graph.initializer}
    assert half.ByteSize() < model.ByteSize() + 2000

    expected = run(model, tmp_path / "a.onnx", lightness[0])
    found_ab = run(half, tmp_path / "b.onnx", lightness[0])
    assert 0 < np.abs(found_ab - expected).max() < 0.1
    evaluator: Any = ReferenceEvaluator(half)  # which does compute in float16
    small = lightness[0][..., :24, :24]
    np.testing.assert_allclose(
        evaluator.run(None, {"l": small})[0], run(model, tmp_path / "a.onnx", small), atol=0.2
    )


def test_what_refines_color_is_no_body(model: ModelProto) -> None:
    """Convolutions behind the end of the body, which refine color, leave it as it is."""
    refined = onnx.ModelProto()
    refined.CopyFrom(model)
    node = helper.make_node
    weights = np.zeros((2, 2, 3, 3), np.float32)
    refined.graph.initializer.append(numpy_helper.from_array(weights, "refine.weight"))
    refined.graph.node.extend(
        [
            node("Conv", ["ab", "refine.weight"], ["y0"], name="refine0", pads=[1, 1, 1, 1]),
            node("Relu", ["y0"], ["y1"], name="refine_relu"),
            node("Conv", ["y1", "refine.weight"], ["refined"], name="refine1", pads=[1, 1, 1, 1]),
        ]
    )
    refined.graph.output[0].name = "refined"
    names = [node.name for node in body.between(body.widen(model))]
    assert "third" in names
    assert [node.name for node in body.between(body.widen(refined))] == names


def test_an_inner_softmax_ends_no_body(model: ModelProto) -> None:
    """A softmax with convolutions and another end behind it, by which places agree, is part of the body."""
    agreeing = onnx.ModelProto()
    agreeing.CopyFrom(model)
    (inner,) = (node for node in agreeing.graph.node if node.name == "relu2")
    inner.op_type = "Softmax"
    names = [node.name for node in body.between(body.widen(model))]
    assert names[-1] == "relu2"
    assert [node.name for node in body.between(body.widen(agreeing))] == names


def test_sizes_stay_whole(model: ModelProto, lightness: list[Float], tmp_path: Path) -> None:
    """What reckons sizes within the body is no part of it, and stays in whole numbers."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    place, resize = next((i, one) for i, one in enumerate(sized.graph.node) if one.name == "resize")
    node = helper.make_node
    before = [
        node("Shape", ["x4"], ["front"], name="front", end=2),
        node("Shape", ["x4"], ["back"], name="back", start=2),
        node("Mul", ["back", "two"], ["doubled"], name="double"),
        node("Concat", ["front", "doubled"], ["sizes"], name="sizes", axis=0),
        node("Resize", ["x4", "", "", "sizes"], ["x5"], name="resize", mode="nearest"),
    ]
    nodes = list(sized.graph.node)
    sized.graph.initializer.append(numpy_helper.from_array(np.array([2]), "two"))
    body.put(sized.graph, [*nodes[:place], *before, *nodes[place + 1 :]])
    assert resize not in sized.graph.node
    names = {one.name for one in body.between(body.widen(sized))}
    assert names == {one.name for one in body.between(body.widen(model))}
    found, expected = (
        run(quantization.half(one), tmp_path / "a.onnx", lightness[0]) for one in (sized, model)
    )
    np.testing.assert_array_equal(found, expected)


def test_int8(model: ModelProto, ranges: quantization.Ranges, lightness: list[Float], tmp_path: Path) -> None:
    """Inner convolutions have weights of seven bits by channel; both ends and the classifier stay float32."""
    made = quantization.int8(model, ranges)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    for name in BODY:
        weights = tensors[f"{name}.weight_quantized"]
        assert weights.dtype == np.int8
        assert np.abs(weights.astype(int)).max() == 64
        assert tensors[f"{name}.weight_scale"].shape == (len(weights),)
        assert taking(made, name).input[1] == f"{name}.weight_DequantizeLinear_Output"
    for name in ("first", "head", "classifier.trunk"):
        assert f"{name}.weight_quantized" not in tensors
        assert tensors[f"{name}.weight"].dtype == np.float16
    after = [node for node in made.graph.node if node.op_type == "QuantizeLinear"]
    assert {node.input[0] for node in after} == {"x1", "told", "x2", "x4", "x6", "x8"}
    assert all(tensors[node.input[2]].dtype == np.uint8 for node in after)
    assert made.ir_version == graph.IR_VERSION
    assert [(item.domain, item.version) for item in made.opset_import] == [("", graph.OPSET)]

    expected = run(model, tmp_path / "a.onnx", lightness[1])
    assert 0 < np.abs(run(made, tmp_path / "b.onnx", lightness[1]) - expected).mean() < 0.5


def test_in_the_runtime(
    model: ModelProto, ranges: quantization.Ranges, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both forms colorize by the command line, and say which they are; the network's figures are its own."""
    picture(1).save(tmp_path / "photo.png")
    for form, made in (("fp16", quantization.half(model)), ("int8", quantization.int8(model, ranges))):
        onnx.save(made, tmp_path / "model.onnx")
        out = str(tmp_path / f"{form}.png")
        assert (
            cli.main([str(tmp_path / "photo.png"), "-o", out, "--model", str(tmp_path / "model.onnx")]) == 0
        )
        assert f"tiny-{form} on cpu" in capsys.readouterr().err
        metadata = open_session(tmp_path / "model.onnx", "cpu").metadata
        assert metadata.model == f"tiny-{form}"
        assert metadata.metrics == {"float32": {"metrics": {"psnr": 20}}}
        assert (metadata.working_size, metadata.license) == (64, "MIT")


def test_bundled(
    shelf: Path, model: ModelProto, ranges: quantization.Ranges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An int8 form beside the released models is told by models.json, and opened by itself with VNNI."""
    known = {"ciede2000_mean": 0.2, "speed": 1.4}
    monkeypatch.setattr(figures, "of", lambda *_: known)
    onnx.save(quantization.int8(model, ranges), shelf / "tiny-int8.onnx")
    entries = manifest.manifest(shelf, "tiny")
    (shelf / "models.json").write_text(json.dumps(entries))
    entry = entries["models"]["tiny-int8"]
    assert (entry["stored"], entry["card"]) == ("int8", "tiny.md")
    assert entry["metrics"] == {"float32": {**known, "metrics": {"psnr": 20}}}
    for has, opened in ((True, "tiny-int8"), (False, "tiny")):
        monkeypatch.setattr(precision, "vnni", lambda has=has: has)
        assert Colorizer(provider="cpu", threads=1).model == opened


def test_stale_ranges(model: ModelProto, ranges: quantization.Ranges) -> None:
    """Ranges of other weights, or none, are refused with the command that makes them."""
    other = tiny()
    other.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(numpy_helper.to_array(other.graph.initializer[0]) * 2, "first.weight")
    )
    with pytest.raises(
        UsageError, match=r"tiny has other weights .* python -m export.calibration tiny --data"
    ):
        quantization.int8(other, ranges)
    with pytest.raises(UsageError, match=r"tiny was not calibrated: run python -m export.calibration tiny"):
        quantization.Ranges.read("tiny")


def test_ranges(model: ModelProto, lightness: list[Float], ranges: quantization.Ranges) -> None:
    """A range goes from the lowest to the highest value on all photographs."""
    wide = body.widen(model)
    wide.graph.output.append(helper.make_tensor_value_info("x7", TensorProto.FLOAT, None))
    evaluator: Any = ReferenceEvaluator(wide)
    values = [evaluator.run(["x7"], {"l": planes})[0] for planes in lightness]
    low, high = ranges.values["x7"]
    assert (low, high) == pytest.approx((min(map(np.min, values)), max(map(np.max, values))), abs=1e-3)
    assert not {"l", "scaled", "x0", "x9", "ab"} & set(ranges.values)


def test_calibration(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command tries every method, writes the ranges of the best, and they make an int8 form."""
    data = ["--data", str(shelf / "photos")]
    assert calibration.main(["tiny", *data, "--limit", "3", "--judge", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    distances = {
        line.partition(", ")[2].partition(":")[0]: float(line.split()[-3])
        for line in said
        if "CIEDE2000" in line
    }
    assert set(distances) == set(calibration.METHODS)
    stored = quantization.Ranges.read("tiny")
    assert distances[stored.method] == min(distances.values())
    assert (stored.photos, stored.data) == (3, "photos")
    quantization.int8(onnx.load(shelf / "tiny.onnx"), stored)

    assert calibration.main(["tiny", *data]) == 2
    assert "there are 5 photographs, and 136 are needed" in capsys.readouterr().err


def test_differences(shelf: Path, ranges: quantization.Ranges, capsys: pytest.CaptureFixture[str]) -> None:
    """Each form's distance and speed are measured, written, told, and known for these weights alone."""
    ranges.write("tiny")
    file = shelf / "figures.json"
    assert differences.main(["--data", str(shelf / "photos"), "--timed", "2", "--json", str(file)]) == 0
    table = capsys.readouterr().out
    known = figures.read(file)
    assert (known["tiny"]["photos"], known["tiny"]["timed"], known["tiny"]["data"]) == (5, 2, "photos")
    forms = known["tiny"]["forms"]
    assert forms["float32"]["ciede2000_mean"] == forms["float32"]["ciede2000_p99"] == 0
    assert forms["float32"]["speed"]["1"] == {"network": 1.0, "photograph": 1.0}
    assert 0 < forms["fp16"]["ciede2000_mean"] < forms["int8"]["ciede2000_mean"] < 1
    assert forms["int8"]["ciede2000_mean"] < forms["int8"]["ciede2000_p99"]
    assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == [
        f"| tiny, {form}" for form in ("float32", "fp16", "int8")
    ]


def test_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several numbers of threads the least speed is told; of other weights, nothing."""
    speed = {"1": {"network": 1.8, "photograph": 1.2}, "2": {"network": 1.5, "photograph": 1.3}}
    form = {"ciede2000_mean": 0.1, "ciede2000_p99": 0.5, "speed": speed}
    known = {"tiny": {"weights": "w", "photos": 9, "data": "d", "forms": {"int8": form}}}
    figures.write(known, tmp_path / "f.json")
    monkeypatch.setattr(figures, "read", lambda: json.loads((tmp_path / "f.json").read_text()))
    found = figures.of("tiny", "int8", "w")
    assert (found["speed"], found["network_speed"], found["photos"]) == (1.2, 1.5, 9)
    assert (
        figures.of("tiny", "int8", "v")
        == figures.of("tiny", "fp16", "w")
        == figures.of("big", "int8", "w")
        == {}
    )


@pytest.mark.released
def test_released_ranges() -> None:
    """The ranges that are kept are those of the released weights."""
    for name in models.bundled():
        assert quantization.Ranges.read(name).weights == body.weights_digest(onnx.load(models.find(name))), (
            name
        )


@pytest.mark.released
@pytest.mark.parametrize("name", ["classic", "unet"])
def test_released(name: str) -> None:
    """Forms of released models are close to them on a photograph, and int8 is smaller."""
    path = models.find(name)
    model = onnx.load(path)
    int8 = quantization.int8(model, quantization.Ranges.read(name))
    lightness = calibration.lightness_of(Image.open(PHOTO), open_session(path, "cpu").metadata.working_size)
    assert int8.ByteSize() < path.stat().st_size
    assert 0 < calibration.distance(model, quantization.half(model), [lightness]) < 0.1
    assert 0 < calibration.distance(model, int8, [lightness]) < 0.5
