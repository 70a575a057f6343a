"""All files of released models, `python -m export --release DIR`: from tracked files, always the same bytes.

DIR/NAME holds the forms of a model (`export.forms`) and its weights for PyTorch, DIR/huggingface/NAME the
same in the layout of Hugging Face, with its card, and DIR/models.json describes every file.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import onnx
from onnx import ModelProto

from export import body, cards, figures, forms, graph, manifest, quantization
from tintype import models, output, precision
from tintype.errors import UsageError
from torch_model import disk, weights
from torch_model.model import fold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HUB: Final = "huggingface"
WEIGHTS: Final = "model.safetensors"


def release(folder: Path, names: Sequence[str]) -> None:
    """Write all files of the models named, or of all that are bundled; print each.

    Raises UsageError before anything is written, OutputError.
    """
    bundled = [name for name in models.bundled() if not name.endswith(precision.SUFFIX)]
    if unknown := [name for name in names if name not in bundled]:
        raise UsageError(f"there is no released model {unknown[0]}: choose from {', '.join(bundled)}")
    chosen = {name: onnx.load(models.find(name)) for name in dict.fromkeys(names or bundled)}
    for name, model in chosen.items():
        _check_calibrated(name, model)
    described = {name: _release(folder, name, model) for name, model in chosen.items()}
    listed = {"default": models.default(), "models": described}
    disk.write(folder / "models.json", _text(json.dumps(listed, indent=1, ensure_ascii=False)))
    print(f"{folder / 'models.json'}: {', '.join(described)}")


def _check_calibrated(name: str, model: ModelProto) -> None:
    """Raise UsageError unless the ranges of int8 are those of these weights."""
    if quantization.Ranges.read(name).weights != body.weights_digest(model):
        raise UsageError(
            f"{name} has other weights than those that were calibrated: run {quantization.command(name)}"
        )


def _release(folder: Path, name: str, model: ModelProto) -> dict[str, Any]:
    """Write the files of one model; return what models.json says of it."""
    own, hub = folder / name, folder / HUB / name
    files = {}
    for form in forms.forms(forms.described(model), [item.name for item in model.graph.output]):
        path = own / f"{name}{form.suffix}.onnx"
        disk.write(path, models.find(name).read_bytes() if form.suffix == "-ab" else content(model, form))
        files[path.name] = _entry(path, form, body.weights_digest(model))
        if form.hub:
            _again(path, hub / "onnx" / f"{form.hub}.onnx")
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {form.purpose}", flush=True)
    path = own / f"{name}.safetensors"
    disk.write(path, tensors(models.find(name)))
    files[path.name] = {"bytes": path.stat().st_size, "sha256": models.sha256(path), "purpose": "PyTorch"}
    _again(path, hub / WEIGHTS)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, PyTorch", flush=True)
    about = models.bundled()[name]
    disk.write(hub / "README.md", _text(cards.card(name, about, files)))
    disk.write(hub / "LICENSE", _text(cards.license_of(about["license"])))
    kept = ("version", "contract", "working_size", "license", "data", "metrics")
    return {key: about[key] for key in kept} | {"files": files}


def content(model: ModelProto, form: forms.Form) -> bytes:
    """Return the file of a form of a released model, which ONNX's own checks found good."""
    made = forms.build(model, form)
    graph.check(made)
    found: bytes = made.SerializeToString(deterministic=True)
    return found


def tensors(path: Path) -> bytes:
    """Return the file for PyTorch of a released model."""
    return weights.to_bytes(fold(weights.load(path)), weights.training(path))


def _entry(path: Path, form: forms.Form, digest: str) -> dict[str, Any]:
    """Describe one file of a model whose weights have this digest."""
    found = manifest.entry(path)
    left_out = ("file", "license", "data", "metrics", "card", "version", "contract", "working_size")
    entry = {key: value for key, value in found.items() if key not in left_out}
    entry |= {
        "dtype": "float32",  # of input and output
        "precision": form.precision,
        "sizes": "any" if form.size is None else f"{form.size}x{form.size}",
        "purpose": form.purpose,
        "huggingface": f"onnx/{form.hub}.onnx" if form.hub else None,
    }
    if form.precision != "fp32":
        entry["to_float32"] = figures.of(path.stem.partition("-")[0], form.precision, digest) or None
    return entry


def _again(path: Path, place: Path) -> None:
    """Give a file another name, by a link where the disk has them."""
    output.make_folder(place.parent)
    partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
    try:
        partial.hardlink_to(path)
    except OSError:
        disk.write(place, path.read_bytes())
        return
    try:
        with disk.naming(place):
            partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def _text(text: str) -> bytes:
    return (text.rstrip("\n") + "\n").encode()
