"""All files of released models, `python -m export --release DIR`: from tracked files, always the same bytes.

DIR holds a folder for each model with its forms (`export.forms`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from export import forms, graph
from tintype import models, output
from tintype.errors import UsageError
from tintype.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def release(folder: Path, names: Sequence[str]) -> None:
    """Write all files of the models named, or of all bundled ones; print each."""
    bundled = models.bundled()
    if unknown := [name for name in names if name not in bundled]:
        raise UsageError(f"there is no released model {unknown[0]}: choose from {', '.join(bundled)}")
    for name in names or bundled:
        source = models.find(name)
        model = onnx.load(source)
        metadata = Metadata.from_props({item.key: item.value for item in model.metadata_props}, source)
        output.make_folder(folder / name)
        for form in forms.forms(metadata, [item.name for item in model.graph.output]):
            path = folder / name / f"{name}{form.suffix}.onnx"
            write(path, source.read_bytes() if form.suffix == "-ab" else _built(model, form))
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {form.purpose}", flush=True)


def _built(model: onnx.ModelProto, form: forms.Form) -> bytes:
    made = forms.build(model, form)
    graph.check(made)
    content: bytes = made.SerializeToString(deterministic=True)
    return content


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; raises OutputError."""
    with output.replacing(path) as file:
        file.write(content)
