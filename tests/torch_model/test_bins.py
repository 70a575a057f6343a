"""Bins of ab: where they are, how colors are written by them, how common they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from tintype.lab import rgb_to_lab
from torch_model import bins

CENTERS = torch.from_numpy(bins.centers())
LEVELS = st.integers(0, 255)
OUTSIDE = st.floats(-200, 200, width=32)


def plane(a: float, b: float) -> torch.Tensor:
    """Return one color as ab (1, 2, 1, 1)."""
    return torch.tensor([a, b], dtype=torch.float32).reshape(1, 2, 1, 1)


def test_bins_are_the_corners_of_the_gamut() -> None:
    """The 306 bins are the corners of the cells that sRGB's colors of every third level lie in, sorted."""
    levels = np.arange(0, 256, 3, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    cells = np.unique(np.floor(rgb_to_lab(colors)[..., 1:].reshape(-1, 2) / bins.SPACING), axis=0)
    corners = np.concatenate([cells + corner for corner in ((0, 0), (0, 1), (1, 0), (1, 1))])
    np.testing.assert_array_equal(bins.centers(), np.unique(corners, axis=0) * bins.SPACING)
    assert bins.centers().shape == (306, 2)


@given(LEVELS, LEVELS, LEVELS)
def test_expectation_of_weights_is_the_color(red: int, green: int, blue: int) -> None:
    """Every color of sRGB is the expectation of its bins by its weights, which sum to one."""
    _, a, b = rgb_to_lab(np.array([red, green, blue], np.uint8))
    numbers, weights = (values.flatten() for values in bins.encode(plane(a, b)))
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))
    assert (weights >= 0).all()
    expectation = weights @ CENTERS[numbers]
    torch.testing.assert_close(expectation, torch.tensor([a, b]), atol=0.02, rtol=0)


@given(OUTSIDE, OUTSIDE)
def test_corner_that_is_no_bin(a: float, b: float) -> None:
    """Outside of the gamut, as everywhere, a corner of a color's cell counts for the bin nearest to it."""
    low = (plane(a, b) / bins.SPACING).clamp(-13, 12.999).floor().flatten() * bins.SPACING
    corners = low + bins.SPACING * torch.cartesian_prod(torch.arange(2), torch.arange(2))
    numbers, weights = (values.flatten() for values in bins.encode(plane(a, b)))
    distances = (corners[:, None] - CENTERS).norm(dim=2)
    torch.testing.assert_close(distances[torch.arange(4), numbers], distances.min(dim=1).values)
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))


def test_bin_is_its_own() -> None:
    """A color that is a bin has its whole weight on it."""
    numbers, weights = bins.encode(CENTERS.T[None, :, :, None])
    chosen = numbers.gather(1, weights.argmax(dim=1, keepdim=True)).flatten()
    assert chosen.tolist() == list(range(306))
    torch.testing.assert_close(weights.amax(dim=1), torch.ones(1, 306, 1))


def test_prior() -> None:
    """The prior sums to one, and holds what the photographs do: here grey and, a quarter, a bin."""
    ab = torch.zeros(2, 2, 4, 4)
    ab[1, :, :2] = torch.tensor([50.0, 30.0])[:, None, None]
    prior = bins.prior(ab)
    where = {tuple(center): share for center, share in zip(CENTERS.tolist(), prior.tolist(), strict=True)}
    assert where[0.0, 0.0] == pytest.approx(0.75)
    assert where[50.0, 30.0] == pytest.approx(0.25)
    assert prior.sum().item() == pytest.approx(1)
