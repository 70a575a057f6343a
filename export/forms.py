"""The forms that a model is released in, and the graph of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from export import fixed, graph, quantization, rgb
from tintype.metadata import MEAN_OUTPUT, OUTPUT, Metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from onnx import ModelProto

Precision = Literal["fp32", "fp16", "int8"]
_ANY_SIZE: Final = 1  # the multiple of sizes of the rgb form
DESCRIPTION: Final = (
    "Colorizes photographs. Input rgb: float32 (N, 3, H, W), sRGB, 0..1, of any size; a colored photograph "
    "is made grey first. Output color: the same shape, sRGB, 0..1, with the photograph's own lightness."
)
DESCRIPTION_FIXED: Final = (
    "Colorizes photographs. Input rgb: float32 (1, 3, {side}, {side}), sRGB, 0..1; a colored photograph is "
    "made grey first. Output color: the same shape, sRGB, 0..1, with the photograph's own lightness."
)
ONE_SIZE: Final = " This file is of one size: N is 1, H and W are {side}."
IMAGE: Final = {  # keys that ONNX gives to models of pictures
    "Image.BitmapPixelFormat": "Rgb8",
    "Image.ColorSpaceGamma": "SRGB",
    "Image.NominalPixelRange": "Normalized_0_1",
}


@dataclass(frozen=True)
class Form:
    """One of the files that a model is released in."""

    suffix: str
    """What stands behind the model's name in the file's."""
    form: Literal["ab", "rgb"]
    purpose: str
    """What it is for, in a few words."""
    precision: Precision = "fp32"
    """What its body computes in; in and out are float32."""
    size: int | None = None
    """Side of the one square that it takes, px; None for any size."""
    output: str = OUTPUT
    """Of the network: what colors, in the rgb form."""
    hub: str = ""
    """Its file in the layout of Hugging Face; empty where it is left out."""


def forms(metadata: Metadata, outputs: list[str]) -> list[Form]:
    """Return the forms of a model with these outputs."""
    side = metadata.working_size
    found = [
        Form("-ab", "ab", "full control: L* in, color out; vividness, hints, any resolution", hub="ab"),
        Form("-ab-fp16", "ab", "GPUs and phones that compute in float16", "fp16", hub="ab_fp16"),
        Form("-ab-int8", "ab", "CPUs with VNNI", "int8", hub="ab_quantized"),
        Form(f"-ab-{side}", "ab", "engines that want one size; plain float32", size=side),
        Form("-rgb", "rgb", "a picture in, a picture out, of any size", hub="model"),
        Form("-rgb-fp16", "rgb", "GPUs and phones that compute in float16", "fp16", hub="model_fp16"),
        Form("-rgb-int8", "rgb", "CPUs with VNNI", "int8", hub="model_quantized"),
        Form("-rgb-256", "rgb", "engines that want one size; plain float32", size=256),
        Form("-rgb-512", "rgb", "engines that want one size; plain float32", size=512),
    ]
    if MEAN_OUTPUT in outputs:
        found.append(Form("-calm-rgb", "rgb", "as -rgb, in calm colors", output=MEAN_OUTPUT, hub="calm"))
    return found


def build(model: ModelProto, form: Form) -> ModelProto:
    """Return a form of a released model; it says in its metadata which one it is."""
    network = _PRECISIONS[form.precision](model)
    metadata = described(network)
    if form.form == "ab":
        made = network if form.size is None else fixed.fixed(network, form.size)
        one_size = "" if form.size is None else ONE_SIZE.format(side=form.size)
        graph.set_metadata(made, metadata.to_props(), model.doc_string + one_size)
        return made
    side = metadata.working_size
    made = rgb.compose(fixed.at(network, side), form.output, side, form.size)
    made = made if form.size is None else fixed.fixed(made, form.size)
    props = replace(metadata, form=form.form, multiple=_ANY_SIZE).to_props()
    vividness = {"tintype.vividness": "1" if form.output == OUTPUT else "0"}
    description = DESCRIPTION if form.size is None else DESCRIPTION_FIXED.format(side=form.size)
    graph.set_metadata(made, props | vividness | IMAGE, description)
    return made


def described(model: ModelProto) -> Metadata:
    """Return what a model of form ab says of itself."""
    return Metadata.from_props({item.key: item.value for item in model.metadata_props}, model.graph.name)


def _int8(model: ModelProto) -> ModelProto:
    return quantization.int8(model, quantization.Ranges.read(described(model).model))


_PRECISIONS: Final[dict[Precision, Callable[[ModelProto], ModelProto]]] = {
    "fp32": lambda model: model,
    "fp16": quantization.half,
    "int8": _int8,
}
