"""The models that come with the package: models.json beside this file lists them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tintype.errors import ModelNotFoundError, ModelUnreadableError

FOLDER = Path(__file__).parent


def bundled() -> dict[str, dict[str, Any]]:
    """Return what models.json says of each bundled model, by name."""
    models: dict[str, dict[str, Any]] = _manifest()["models"]
    return models


def default() -> str:
    """Return the name of the model used where none is named."""
    name: str = _manifest()["default"]
    return name


def find(model: str | Path) -> Path:
    """Return the file of a bundled name, of `default`, or of a path; raises ModelNotFoundError."""
    path = Path(model)
    if path.suffix == ".onnx" and path.is_file():
        return path
    models = bundled()
    name = default() if model == "default" else str(model)
    if name in models:
        return FOLDER / str(models[name]["file"])
    if not path.is_file():
        raise ModelNotFoundError(model, sorted(models))
    return path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        digest = hashlib.new("sha256")
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _manifest() -> dict[str, Any]:
    path = FOLDER / "models.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnreadableError(path, f"{error}; install Tintype again") from error
    return manifest
