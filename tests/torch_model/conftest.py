"""Photographs to train on, made by the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from pictures import picture

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile("tintype", deadline=None)  # the machine may be busy with other things
settings.load_profile("tintype")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 24 photographs in two categories."""
    root = tmp_path_factory.mktemp("photos")
    for seed in range(24):
        place = root / ("people" if seed % 3 == 0 else "landscape")
        place.mkdir(exist_ok=True)
        picture(seed).save(place / f"{seed:02d}.png")
    return root
