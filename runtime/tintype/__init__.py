"""Tintype colorizes grey-scale photographs.

    from tintype import Colorizer
    Colorizer().colorize("photo.jpg").save("color.jpg")

Importing this package costs nothing: what it offers is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tintype.adjustments import Adjustments as Adjustments
    from tintype.colorizer import Colorizer as Colorizer
    from tintype.errors import TintypeError as TintypeError

__version__ = "0.1.0"
__all__ = ["Adjustments", "Colorizer", "TintypeError", "__version__"]

_HOMES = {
    "Adjustments": "tintype.adjustments",
    "Colorizer": "tintype.colorizer",
    "TintypeError": "tintype.errors",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
