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
        Form(f"-ab-{side}", "ab", "engines that want one size; plain float32", size=side),
        Form("-rgb", "rgb", "a picture in, a picture out, of any size", hub="model"),
        Form("-rgb-fp16", "rgb", "GPUs and phones that compute in float16", "fp16", hub="model_fp16"),
        Form("-rgb-256", "rgb", "engines that want one size; plain float32", size=256),
        Form("-rgb-512", "rgb", "engines that want one size; plain float32", size=512),
    ]
    if MEAN_OUTPUT in outputs:
        found.append(Form("-calm-rgb", "rgb", "as -rgb, in calm colors", output=MEAN_OUTPUT, hub="calm"))
    found += [
        Form("-ab-int8", "ab", "CPUs with VNNI", "int8", hub="ab_quantized"),
        Form("-rgb-int8", "rgb", "CPUs with VNNI", "int8", hub="model_quantized"),
    ]
    return found


def build(model: ModelProto, form: Form) -> ModelProto:
    """Return a form of a released model; it says in its metadata which one it is."""
    props = {item.key: item.value for item in model.metadata_props}
    metadata = Metadata.from_props(props, props.get("tintype.model", "a model"))
    made = _PRECISIONS[form.precision](model, metadata.model)
    if form.form == "ab":
        return made if form.size is None else _described(fixed.fixed(made, form.size), metadata, form, model)
    side = metadata.working_size
    made = rgb.compose(fixed.at(made, side), form.output, side, form.size)
    if form.size is not None:
        made = fixed.fixed(made, form.size)
    return _described(made, metadata, form, model)


def _described(made: ModelProto, metadata: Metadata, form: Form, model: ModelProto) -> ModelProto:
    suffix = "" if form.precision == "fp32" else f"-{form.precision}"
    props = replace(metadata, model=metadata.model + suffix, form=form.form).to_props()
    description = model.doc_string
    if form.form == "rgb":
        described = DESCRIPTION if form.size is None else DESCRIPTION_FIXED.format(side=form.size)
        description = described
        props |= IMAGE | {
            "tintype.multiple": str(_ANY_SIZE),
            "tintype.vividness": "1" if form.output == OUTPUT else "0",
        }
    graph.set_metadata(made, props, description)
    return made


def _half(model: ModelProto, _name: str) -> ModelProto:
    return quantization.half(model)


def _int8(model: ModelProto, name: str) -> ModelProto:
    return quantization.int8(model, quantization.Ranges.read(name))


_PRECISIONS: Final[dict[Precision, Callable[[ModelProto, str], ModelProto]]] = {
    "fp32": lambda model, _name: model,
    "fp16": _half,
    "int8": _int8,
}
