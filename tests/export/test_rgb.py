"""The rgb form gives the runtime's pictures, of any size, in plain operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import helper, version_converter
from PIL import Image

from conftest import STUBS, scene
from export import fixed, graph, rgb
from export.agreement import colorized, opened
from export.ops import Ops
from export.resample import axes, shrunk
from tintype import Adjustments, Colorizer, lab
from tintype.photo import Photo

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray

SIDE = 64
SIZES = ((1, 1), (7, 13), (1, 300), (300, 1), (64, 64), (65, 130), (130, 65), (500, 333), (333, 900))
SIMPLE = {
    "Abs",
    "Add",
    "AveragePool",
    "Clip",
    "Conv",
    "Div",
    "Exp",
    "Expand",
    "Floor",
    "Log",
    "MatMul",
    "Mul",
}
SIMPLE |= {"ReduceMin", "Reshape", "Sub", "Transpose"}


def composed(output: str = "ab", size: int | None = None) -> onnx.ModelProto:
    """Return the rgb form of a stub that gives the expectation, too."""
    stub = version_converter.convert_version(onnx.load(STUBS["stub_mean"]), graph.OPSET)
    made = rgb.compose(stub, output, SIDE, size)
    return made if size is None else fixed.fixed(made, size)


def around(kind: str, formula: Any, channels: int) -> onnxruntime.InferenceSession:
    """Return a session of a formula alone, of an input x (N, channels, P) or (N, channels, H, W)."""
    op = Ops("")
    op("Identity", formula(op), name="y")
    shape: list[str | int | None] = ["n", channels, "p"] if kind == "flat" else ["n", channels, "h", "w"]
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    answer = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    formulas = helper.make_graph(op.nodes, "formula", [value], [answer], op.constants)
    return opened(helper.make_model(formulas, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    """Return the rgb form of a stub, open."""
    return opened(composed())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grey", [True, False])
def test_pictures_are_the_runtime_s(
    session: onnxruntime.InferenceSession, size: tuple[int, int], *, grey: bool
) -> None:
    """A photograph of any size, grey or in color, comes out as the runtime has it, to two levels."""
    photo = scene(*size)
    if grey:
        photo = np.repeat(photo[..., :1], 3, axis=2)
    colorizer = Colorizer(STUBS["stub_mean"], threads=1, working_size=SIDE)
    difference = np.abs(colorizer.colorize(photo).astype(int) - colorized(session, photo))
    assert difference.max() <= 2
    assert difference.mean() < 0.1


def test_calm_colors() -> None:
    """What is made of the expectation has vividness 0."""
    photo = scene(90, 70)
    colorizer = Colorizer(STUBS["stub_mean"], threads=1, working_size=SIDE)
    expected = colorizer.colorize(photo, Adjustments(vividness=0.0)).astype(int)
    assert np.abs(expected - colorized(opened(composed("ab_mean")), photo)).max() <= 2
    assert np.abs(expected - colorizer.colorize(photo)).max() > 5


def test_batch(session: onnxruntime.InferenceSession) -> None:
    """Each photograph of a batch comes out as if it were alone."""
    batch = np.stack([np.moveaxis(scene(50, 40, seed), -1, 0) for seed in range(3)]).astype(np.float32) / 255
    (together,) = session.run(None, {"rgb": batch})
    alone = [session.run(None, {"rgb": photo[None]})[0][0] for photo in batch]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_values_beyond_the_ends(session: onnxruntime.InferenceSession) -> None:
    """What is darker than black or brighter than white is taken as these, and all that comes out is color."""
    photo = np.linspace(-0.5, 1.5, 3 * 40 * 40, dtype=np.float32).reshape(1, 3, 40, 40)
    (color,) = session.run(None, {"rgb": photo})
    assert color.min() >= 0
    assert color.max() <= 1
    np.testing.assert_array_equal(color, session.run(None, {"rgb": photo.clip(0, 1)})[0])


def test_ink_and_paper(session: onnxruntime.InferenceSession) -> None:
    """What is black or white stays so, whatever color lies about it."""
    photo = scene(80, 80)
    photo[20:40, 20:40], photo[50:70, 50:70] = 0, 255
    color = colorized(session, photo)
    assert color[20:40, 20:40].max() <= 3
    assert color[50:70, 50:70].min() == 255
    assert np.ptp(color, axis=-1).max() > 5


@pytest.mark.parametrize(
    "size", [(130, 40), (200, 100), (100, 200), (30, 90), (1000, 700), (700, 1000), (1, 1)]
)
def test_small_copies_are_pillow_s(size: tuple[int, int]) -> None:
    """A photograph is stretched as the runtime does it: averaged, bicubic, rounded, the better way round."""
    photo = scene(*size)

    def formula(op: Ops) -> str:
        return shrunk(op, "x", *axes(op, "x", SIDE, None), SIDE)

    (found,) = around("planes", formula, 3).run(
        None, {"x": np.moveaxis(photo, -1, 0)[None].astype(np.float32) / 255}
    )
    levels = np.rint(np.moveaxis(found[0], 0, -1) * 255)
    difference = np.abs(Photo(Image.fromarray(photo), "").stretched((SIDE, SIDE)) - levels)
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= difference.size / 1000


def test_curves_are_the_runtime_s() -> None:
    """Luminance, its cube root and sRGB of linear light are those of tintype.lab, below their knees too."""
    values = np.linspace(0, 1, 3000, dtype=np.float32).reshape(1, 3, -1)
    (light,) = around("flat", lambda op: rgb.cube_root(op, rgb.linear_light(op, "x")), 3).run(
        None, {"x": values}
    )
    expected = lab.rgb_to_lightness(np.moveaxis(values, 1, -1))
    np.testing.assert_allclose(116 * light[:, 0] - 16, expected, atol=2e-4)


@pytest.mark.parametrize("spread", [30, 60, 150])
def test_gamut(spread: float) -> None:
    """Colors outside of the gamut, far outside too, keep lightness and hue and all the chroma that fits."""
    generator = np.random.default_rng(2)
    lightness = generator.uniform(1, 99, 4_000).astype(np.float32)
    a, b = generator.uniform(-spread, spread, (2, 4_000)).astype(np.float32)
    f = (lightness + 16) / 116
    light = np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)

    def formula(op: Ops) -> str:
        light, f, chroma = (op("Slice", "x", np.array([i]), np.array([j]), np.array([1])) for i, j in PLANES)
        return rgb.encoded(op, rgb.fitting(op, light, f, chroma))

    given = np.stack([light, f, a / 500, -b / 200])[None].astype(np.float32)
    (found,) = around("flat", formula, 4).run(None, {"x": given})
    levels = np.rint(found[0].T * 255).astype(int)
    expected = nearest_in_gamut(lightness, a, b)
    assert np.abs(levels - expected).max() <= 1


PLANES = ((0, 1), (1, 2), (2, 4))


def nearest_in_gamut(lightness: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return levels (n, 3) with the largest of 4096 shares of chroma below which all fit."""
    shares = np.linspace(0, 1, 4097)
    best = np.zeros(len(lightness))
    inside = np.ones(len(lightness), bool)
    for share in shares:
        linear = linear_rgb(lightness, share * a, share * b)
        inside &= ((linear > -8e-5) & (linear < 1 + 8e-5)).all(axis=0)
        best = np.where(inside, share, best)
    whole = linear_rgb(lightness, a, b)
    best = np.where(((whole > -8e-5) & (whole < 1 + 8e-5)).all(axis=0), 1, best)
    linear = np.clip(linear_rgb(lightness, best * a, best * b), 0, 1)
    coded = np.where(
        linear > 0.0031308, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * linear
    )
    levels: NDArray[Any] = np.rint(coded.T * 255).astype(int)
    return levels


def linear_rgb(lightness: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return linear R, G and B (3, n) of Lab."""
    f = (lightness.astype(float) + 16) / 116
    xyz = np.stack([f + a / 500, f, f - b / 200])
    relative = np.where(xyz > 0.2068966, xyz**3, (xyz - 16 / 116) / 7.787)
    result: NDArray[Any] = np.linalg.inv(lab.RGB_TO_XYZ) @ (relative * lab.WHITE[:, None])
    return result


def test_fixed_size_has_nothing_left_to_compute() -> None:
    """A form of one size gives the same picture from simple operators, whose sizes are all known."""
    model = composed(size=128)
    onnx.checker.check_model(model, full_check=True)
    assert {node.op_type for node in model.graph.node} <= SIMPLE
    assert [axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim] == [1, 3, 128, 128]
    photo = scene(128, 128)
    difference = colorized(opened(model), photo).astype(int) - colorized(opened(composed()), photo)
    assert np.abs(difference).max() <= 1


def test_fixed_size_that_is_too_large() -> None:
    """A size that would have to be averaged first is refused."""
    with pytest.raises(ValueError, match="too large for a working size of 64"):
        composed(size=6 * SIDE)


def test_engines_that_want_equal_shapes() -> None:
    """With one size nothing is spread over channels but constants, and none is the left factor twice."""
    model = composed(size=128)
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        item.name: [axis.dim_value for axis in item.type.tensor_type.shape.dim]
        for item in (*inferred.input, *inferred.value_info, *inferred.output)
    }
    lefts = [node.input[0] for node in model.graph.node if node.op_type == "MatMul"]
    constants = {tensor.name for tensor in model.graph.initializer}
    assert len(set(lefts) & constants) == len([name for name in lefts if name in constants])
    for node in model.graph.node:
        if node.op_type in ("Add", "Sub", "Mul", "Div"):
            assert len({tuple(shapes[name]) for name in node.input if name in shapes}) == 1, node.name


def test_weights_keep_their_names() -> None:
    """The network's initializers are all in the rgb form, under their names."""
    names = {tensor.name for tensor in composed().graph.initializer}
    assert {"slopes", "offsets"} <= names
    assert "half" not in names  # of the output that is not asked for
