"""Several colorizations of one photograph to choose from: models at sizes around their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from tintype import models
from tintype.comparison import panel
from tintype.gui.state import Variant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tintype.gui.state import Result
    from tintype.photo import Photo

SIDE: Final = 160  # px, the longer side of a thumbnail
FACTORS: Final = (2 / 3, 1.0, 4 / 3, 5 / 3, 8 / 3)  # of the model's own working size
_LEAST, _MOST, _MULTIPLE = 64, 1024, 8


def sizes(own: int) -> list[int]:
    """Return working sizes around a model's own, from small to large, each once."""
    wanted = (round(own * factor / _MULTIPLE) * _MULTIPLE for factor in FACTORS)
    return sorted({min(max(size, _LEAST), _MOST) for size in wanted})


def labels(current: str) -> Iterator[str]:
    """Yield the model in use, then other bundled ones; int8 forms look like the models they are of."""
    yield current
    known = {models.find(current).resolve()}
    for name in models.bundled():
        if not name.endswith("-int8") and models.find(name).resolve() not in known:
            yield name


def thumbnail(photo: Photo | Image.Image) -> Image.Image:
    """Return a small RGB copy of a photograph."""
    return panel(photo, SIDE)


def variant(small: Image.Image, result: Result) -> Variant:
    """Return a result as one to choose: with a thumbnail that has its color."""
    merger = result.prediction.merger(*small.size)
    colored = Image.fromarray(merger(np.asarray(small), 0))
    return Variant(result.model.label, result.model.working_size, colored, result)
