"""The forms of released models as files, built once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
import pytest

from export import forms
from tintype import models
from tintype.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Path, forms.Form]]:
    """Return what builds a form of a model: `ab`, `rgb`, `rgb-256`, or `ab-fixed` for that of one size."""
    folder = tmp_path_factory.mktemp("forms")

    def built(name: str, wanted: str) -> tuple[Path, forms.Form]:
        source = models.find(name)
        model = onnx.load(source)
        metadata = Metadata.from_props({item.key: item.value for item in model.metadata_props}, source)
        suffix = f"-ab-{metadata.working_size}" if wanted == "ab-fixed" else f"-{wanted}"
        known = forms.forms(metadata, [item.name for item in model.graph.output])
        form = next(form for form in known if form.suffix == suffix)
        path = folder / f"{name}{suffix}.onnx"
        if not path.exists():
            onnx.save(forms.build(model, form), path)
        return path, form

    return built
