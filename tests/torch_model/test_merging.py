"""The runtime's merge in torch is the runtime's."""

from __future__ import annotations

import numpy as np
import torch

from tintype import merge
from torch_model.merging import merged


def test_merged_is_what_the_runtime_makes() -> None:
    """Color is merged with lightness as the runtime does it, at working size."""
    generator = torch.Generator().manual_seed(0)
    l = 100 * torch.rand((2, 1, 24, 40), generator=generator)  # noqa: E741 - the graph's own name
    ab = 40 * torch.randn((2, 2, 24, 40), generator=generator)
    made = merged(l, ab)
    for lightness, color, found in zip(l[:, 0].numpy(), ab.numpy(), made, strict=True):
        lines = merge.Lines(merge.fit(lightness, color), 40, 24)
        np.testing.assert_allclose(found, np.stack(lines.along(lightness, 0)), atol=1e-3)
