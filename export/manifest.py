"""Write models.json of the bundled models: `python -m export.manifest --default classic`.

Everything in it is read from the files: size, digest, format, and what their metadata say.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import onnx

from tintype import models, precision
from tintype.errors import TintypeError
from tintype.metadata import FORMS, Metadata

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def entry(path: Path) -> dict[str, Any]:
    """Describe one model file."""
    model = onnx.load(path)
    props = {item.key: item.value for item in model.metadata_props}
    metadata = Metadata.from_props(props, path, FORMS)
    kinds = {onnx.TensorProto.DataType.Name(tensor.data_type).lower() for tensor in model.graph.initializer}
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": models.sha256(path),
        "contract": metadata.contract,
        "form": metadata.form,
        "version": metadata.version,
        "opset": model.opset_import[0].version,
        "ir": model.ir_version,
        "outputs": [output.name for output in model.graph.output],
        "stored": next((kind for kind in ("int8", "float16") if kind in kinds), "float32"),
        "working_size": metadata.working_size,
        "multiple": metadata.multiple,
        "license": metadata.license,
        "data": metadata.training.get("data"),
        "metrics": metadata.metrics,
        "card": f"{path.stem.removesuffix(precision.SUFFIX)}.md",
    }


def manifest(folder: Path, default: str) -> dict[str, Any]:
    """Describe every model file of a folder."""
    found = {path.stem: entry(path) for path in sorted(folder.glob("*.onnx"))}
    return {"default": default, "models": found}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export.manifest", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--default", default=None, help="name of the default model; else as it is")
    options = parser.parse_args(arguments)
    try:
        made = manifest(models.FOLDER, options.default or models.default())
    except TintypeError as error:
        print(f"manifest: {error}", file=sys.stderr)
        return 2
    path = models.FOLDER / "models.json"
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{path}: {', '.join(made['models'])}; default {made['default']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
