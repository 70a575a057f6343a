"""Surfaces are made of a small window of a photograph, and of nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from torch_model.textures import _scattered, surfaces

SIDE = 128
A_QUARTER_IN_THE_MIDDLE = [0.0, 0.4, 0.5, 0.5]
"""A window from 48 to 80 px, as it is drawn."""


def places() -> Tensor:
    """Return a photograph (1, 3, 128, 128) whose red is the column and whose green is the row, px."""
    along = torch.arange(float(SIDE)).expand(SIDE, -1)
    return torch.stack([along, along.T, torch.zeros_like(along)])[None]


def shown(size: float, key: float, side: int = SIDE) -> Tensor:
    """Return the surface (3, side, side) of that window, by numbers for its patches."""
    return surfaces(places(), torch.tensor([[*A_QUARTER_IN_THE_MIDDLE, size, key]]), side)[0]


@pytest.mark.parametrize("size", [0.0, 0.5, 0.99])
def test_patches(size: float) -> None:
    """Patches show all of their window and nothing beyond; each comes from another place."""
    made = torch.stack([shown(size, key / 16) for key in range(16)])
    assert 47 <= made[:, :2].min() < 56
    assert 72 < made[:, :2].max() <= 80
    assert made[:, 0].std(dim=1).mean() > 1  # of columns, where the window itself has none
    slopes = made[:, 0, :, 1:] - made[:, 0, :, :-1]
    assert (slopes - 1).abs().lt(0.2).float().mean() > 0.15  # as it is
    assert (slopes + 1).abs().lt(0.2).float().mean() > 0.15  # mirrored


def test_numbers_decide() -> None:
    """The same numbers lay the same patches, others other ones."""
    assert torch.equal(shown(0.5, 0.3), shown(0.5, 0.3))
    assert (shown(0.5, 0.3) - shown(0.5, 0.4))[:2].abs().mean() > 3


def test_size() -> None:
    """A surface is of the side that is asked for, with patches as large of it."""
    large, small = shown(0.5, 0.3)[:2], shown(0.5, 0.3, SIDE // 2)[:2]
    assert small.shape == (2, SIDE // 2, SIDE // 2)
    assert (torch.nn.functional.avg_pool2d(large, 2) - small).abs().median() < 0.6


def test_scattered() -> None:
    """Numbers for neighbors fill [0, 1) evenly and tell nothing of each other."""
    rows, columns = torch.arange(100)[:, None], torch.arange(100)[None]
    found = torch.stack([_scattered(torch.tensor(12345), rows, columns, which) for which in range(3)])
    assert 0 <= found.min() <= found.max() < 1
    assert torch.histc(found, 10).sub(3000).abs().max() < 300
    flat = torch.stack([*found.flatten(1), found[0].T.flatten(), found[0].roll(1, 0).flatten()])
    assert (torch.corrcoef(flat) - torch.eye(5)).abs().max() < 0.05
