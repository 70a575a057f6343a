"""Settings of the property tests; what needs an extra that is not installed is skipped."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tintype.errors import TintypeError

if TYPE_CHECKING:
    from collections.abc import Generator

settings.register_profile("tintype", deadline=None)  # the machine may be busy with other things
settings.load_profile("tintype")

EXTRAS = {"deep": ("tifffile", "imagecodecs"), "formats": ("pillow_heif", "pillow_jxl")}
"""Libraries of the extras that errors advise."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    """Skip what needs an extra that is not installed: the light side is tested without any, too."""
    try:
        return (yield)
    except TintypeError as error:
        advised = [
            name for extra, names in EXTRAS.items() if f"tintype[{extra}]" in str(error) for name in names
        ]
        if advised and not all(map(find_spec, advised)):
            pytest.skip(str(error))
        raise
