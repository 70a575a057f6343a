"""The network and its optimizer compute what Keras computes: `keras_reference/make.py` asked it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from keras_reference import weights
from torch_model.model import AB_SCALE, Classic, NetworkConfig, count_parameters
from torch_model.optim import KerasRMSprop

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = Path(weights.__file__).parent
REFERENCE = dict(np.load(FOLDER / "reference.npz"))
SIZES = [name.removeprefix("input_") for name in REFERENCE if name.startswith("input_")]


@pytest.fixture(scope="module")
def classic() -> Classic:
    """The network with the weights that Keras had, L unscaled as there."""
    network = Classic(NetworkConfig(l_center=0, l_scale=1)).eval()
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    with torch.no_grad():
        for module, (kernel, bias) in zip(convolutions, weights.draw(), strict=True):
            assert module.bias is not None
            module.weight.copy_(torch.from_numpy(kernel).permute(3, 2, 0, 1))
            module.bias.copy_(torch.from_numpy(bias))
    return network


def moved_by(optimizer: type[torch.optim.Optimizer], **options: Any) -> NDArray[np.float32]:
    """Return the parameters behind each step that an optimizer takes along the recorded gradients."""
    parameters = torch.from_numpy(REFERENCE["rmsprop_start"].copy())
    steps = optimizer([parameters], **options)
    behind = []
    for gradient in REFERENCE["rmsprop_gradients"]:
        parameters.grad = torch.from_numpy(gradient)
        steps.step()
        behind.append(parameters.numpy().copy())
    return np.stack(behind)


@pytest.mark.parametrize("size", SIZES)
def test_network_agrees(classic: Classic, size: str) -> None:
    """The network's output differs from Keras's by at most 1e-5 in the units of tanh."""
    lightness = torch.from_numpy(REFERENCE[f"input_{size}"]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        ab = classic(lightness).permute(0, 2, 3, 1).numpy() / AB_SCALE
    assert ab.shape == REFERENCE[f"output_{size}"].shape
    assert np.abs(ab - REFERENCE[f"output_{size}"]).max() <= 1e-5


@pytest.mark.parametrize("size", SIZES)
def test_answers_are_worth_comparing(size: str) -> None:
    """Keras's outputs spread far wider than the tolerance, without reaching tanh's ends."""
    output = REFERENCE[f"output_{size}"]
    assert output.std() > 0.01
    assert np.abs(output).max() < 0.9


def test_size_of_network(classic: Classic) -> None:
    """The network has as many parameters as Keras counts."""
    assert count_parameters(classic) == REFERENCE["parameters"] == 3_892_194


def test_rmsprop_agrees() -> None:
    """KerasRMSprop follows Keras's RMSprop to the precision of float32, from large gradients to tiny ones."""
    gradients = np.abs(REFERENCE["rmsprop_gradients"])
    assert gradients[gradients > 0].min() < 1e-6
    assert gradients.max() > 1
    np.testing.assert_allclose(moved_by(KerasRMSprop), REFERENCE["rmsprop_parameters"], rtol=0, atol=5e-9)


def test_rmsprop_of_torch_differs() -> None:
    """PyTorch's own RMSprop, given Keras's numbers, goes elsewhere: its epsilon stands outside the root."""
    moved = moved_by(torch.optim.RMSprop, lr=1e-3, alpha=0.9, eps=1e-7)
    assert np.abs(moved - REFERENCE["rmsprop_parameters"]).max() > 1e-3


@pytest.mark.parametrize("source", ["make", "weights"])
def test_reference_is_current(source: str) -> None:
    """The stored answers were computed by the sources as they are."""
    assert REFERENCE[f"sha256_{source}"] == weights.digest(FOLDER / f"{source}.py")
