"""Lab on the device agrees with Lab of the runtime."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tintype.lab import rgb_to_lab as reference
from torch_model.color import lab_to_rgb, rgb_to_lab


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_twin(dtype: type[np.generic]) -> None:
    """Photographs of either dtype become the same L and ab as in numpy, to 1e-3 CIE units."""
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3, indexing="ij"), axis=-1).astype(np.uint8)
    photos = grid.reshape(1, 18, -1, 3)
    rgb = photos if dtype is np.uint8 else (photos / 255).astype(np.float32)
    l, ab = rgb_to_lab(torch.from_numpy(rgb).permute(0, 3, 1, 2))  # noqa: E741 - the graph's own name
    found = torch.cat([l, ab], dim=1).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(found, reference(photos), atol=1e-3)


def test_there_and_back() -> None:
    """Lab of a photograph becomes its sRGB again; its gradient is finite, in black and outside too."""
    rgb = torch.rand((1, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    rgb[..., 0] = 0
    lightness, ab = rgb_to_lab(rgb)
    torch.testing.assert_close(lab_to_rgb(lightness, ab), rgb, atol=1e-4, rtol=0)
    far = (3 * ab).requires_grad_()
    lab_to_rgb(lightness, far).sum().backward()  # type: ignore[no-untyped-call]
    assert far.grad is not None
    assert torch.isfinite(far.grad).all()
