"""Embeddings are computed once, in the order of the photographs, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from torch_model import cache, embeddings, photos
from torch_model.classifiers import RANDOM, Classifier, pretrained
from torch_model.color import rgb_to_lab

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """Return a classifier of random weights that looks at 32 px."""
    torch.manual_seed(0)
    return pretrained("efficientnet_lite0", "pooled", 32, RANDOM)


def test_kept(folder: Path, tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what the classifier makes of each photograph at its size, and are not computed twice."""
    sources = photos.find([str(folder)], photos.Selection(), tmp_path)
    decoded = cache.load(sources, 16, "center", tmp_path)
    found = embeddings.load(sources, decoded, classifier, "center", tmp_path)
    assert found.shape == (24, 1280)
    seen = cache.load(sources, 32, "center", tmp_path)
    assert seen.names == decoded.names
    lightness = rgb_to_lab(torch.from_numpy(seen.pixels[5:6]).permute(0, 3, 1, 2))[0]
    with torch.no_grad():
        expected = classifier(lightness)[0].numpy()
    assert np.corrcoef(found[5], expected)[0, 1] > 0.999  # computed in bfloat16
    assert np.corrcoef(found[4], expected)[0, 1] < 0.99
    monkeypatch.setattr(embeddings, "embed", None)
    assert np.array_equal(embeddings.load(sources, decoded, classifier, "center", tmp_path), found)


def test_in_color(folder: Path, tmp_path: Path, classifier: Classifier) -> None:
    """A classifier makes something else of a photograph in color than of its grey."""
    sources = photos.find([str(folder)], photos.Selection(limit=2), tmp_path)
    pixels = cache.load(sources, 32, "center", tmp_path).pixels
    rows = np.arange(2)
    grey, color = (embeddings.embed(classifier, pixels, rows, color=color) for color in (False, True))
    assert not np.allclose(grey, color, atol=1e-3)
