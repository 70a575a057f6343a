"""Surfaces are made of a small window of a photograph, and of nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from torch_model.textures import _scattered, surfaces

SIDE = 128
QUARTER_IN_THE_MIDDLE = [0.0, 0.4, 0.5, 0.5]
"""A window from 48 to 80 px, as it is drawn."""


def places() -> Tensor:
    """Return a photograph (1, 3, 128, 128) whose red is the column and whose green is the row, px."""
    along = torch.arange(float(SIDE)).expand(SIDE, -1)
    return torch.stack([along, along.T, torch.zeros_like(along)])[None]


def shown(*patches: float, enlarged: float = 0.0, contrast: float = 1.0) -> Tensor:
    """Return the surface (3, 128, 128) of that window, by numbers for patches."""
    grid = torch.nn.functional.affine_grid(torch.eye(2, 3)[None], [1, 3, SIDE, SIDE], align_corners=False)
    windows = torch.tensor([[*QUARTER_IN_THE_MIDDLE, enlarged]])
    return surfaces(places(), grid, windows, torch.tensor([[*patches, contrast]]))[0]


@pytest.mark.parametrize("enlarged", [0.0, 1.0])
def test_window(enlarged: float) -> None:
    """A window is mirrored at its edges over and over, or as large as the photograph."""
    there = torch.arange(48.0, 80)
    rows = {0.0: torch.cat([there, there.flip(0)]).repeat(3)[16:144], 1.0: torch.arange(128) / 4 + 47.625}
    made = shown(0.9, 0.5, 0.5, enlarged=enlarged)
    torch.testing.assert_close(made[0, 64], rows[enlarged], atol=1e-3, rtol=0)
    torch.testing.assert_close(made[1, :, 64], rows[enlarged], atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [0.0, 0.5, 0.99])
def test_patches(size: float) -> None:
    """Patches show all of their window and nothing beyond; each comes from another place."""
    made = torch.stack([shown(0.0, size, key / 16) for key in range(16)])
    assert 47 <= made[:, :2].min() < 56
    assert 72 < made[:, :2].max() <= 80
    assert made[:, 0].std(dim=1).mean() > 1  # of columns, where the window itself has none
    slopes = made[:, 0, :, 1:] - made[:, 0, :, :-1]
    assert (slopes - 1).abs().lt(0.2).float().mean() > 0.15  # as it is
    assert (slopes + 1).abs().lt(0.2).float().mean() > 0.15  # mirrored


def test_numbers_decide() -> None:
    """The same numbers lay the same patches, others other ones."""
    assert torch.equal(shown(0.0, 0.5, 0.3), shown(0.0, 0.5, 0.3))
    assert (shown(0.0, 0.5, 0.3) - shown(0.0, 0.5, 0.4))[:2].abs().mean() > 3


def test_contrast() -> None:
    """The lowest number leaves a tenth of the contrast, and the mean as it was."""
    plain, faint = (shown(0.0, 0.5, 0.3, contrast=number)[:2] for number in (1.0, 0.0))
    mean = plain.mean(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(faint - mean, (plain - mean) / 10, atol=1e-3, rtol=0)


def test_scattered() -> None:
    """Numbers for neighbors fill [0, 1) evenly and tell nothing of each other."""
    rows, columns = torch.arange(100)[:, None], torch.arange(100)[None]
    found = torch.stack([_scattered(torch.tensor(12345), rows, columns, which) for which in range(3)])
    assert 0 <= found.min() <= found.max() < 1
    assert torch.histc(found, 10).sub(3000).abs().max() < 300
    flat = torch.stack([*found.flatten(1), found[0].T.flatten(), found[0].roll(1, 0).flatten()])
    assert (torch.corrcoef(flat) - torch.eye(5)).abs().max() < 0.05
