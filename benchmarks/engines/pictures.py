"""Photographs as a form of a model takes them, its answer as a picture, and the runtime's beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.colorizer import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tintype import Colorizer

Array: TypeAlias = NDArray[Any]
Float: TypeAlias = NDArray[np.float32]

FOLDER: Final = Path(__file__).parents[2] / "docs" / "photographs"
CHOSEN: Final = {"cat.jpg": (317, 241), "mountains.jpg": (96, 160), "dahlia.jpg": (67, 203)}
"""Names, and widths and heights, px: odd ones among them."""


@dataclass(frozen=True)
class Difference:
    """How far two pictures are apart, in levels of 255."""

    largest: int
    mean: float


class Pictures:
    """Photographs through one form of a model."""

    def __init__(self, colorizer: Colorizer, form: str, size: int | None) -> None:
        """Take the runtime with the same model; `form` is ab or rgb; `size` is of a form of one size, px."""
        sizes = [(size, size) if form == "rgb" and size else wanted for wanted in CHOSEN.values()]
        self.photos = [_opened(name, wanted) for name, wanted in zip(CHOSEN, sizes, strict=True)]
        self._colorizer, self._form = colorizer, form
        self._lightness = [colorizer.prepare(Image.fromarray(photo))[0] for photo in self.photos]

    @property
    def inputs(self) -> list[Float]:
        """What the form takes, (1, C, H, W) for each photograph."""
        if self._form == "ab":
            return [np.ascontiguousarray(plane[None, None]) for plane in self._lightness]
        planes = (photo.transpose(2, 0, 1)[None] / np.float32(255) for photo in self.photos)
        return [np.ascontiguousarray(plane, np.float32) for plane in planes]

    def differences(self, answers: Sequence[Float]) -> list[Difference]:
        """Compare the form's answers, as pictures, with the runtime's."""
        return [
            difference(self._picture(number, answer), self._colorizer.colorize(self.photos[number]))
            for number, answer in enumerate(answers)
        ]

    def _picture(self, number: int, answer: Float) -> Array:
        if self._form == "rgb":
            levels: Array = np.rint(answer[0].transpose(1, 2, 0) * 255).astype(np.uint8)
            return levels
        photo = self.photos[number]
        height, width = photo.shape[:2]
        return Prediction(self._lightness[number], answer[0], None).merger(width, height)(photo, 0)


def difference(one: Array, other: Array) -> Difference:
    """Compare two pictures (H, W, 3), uint8."""
    apart = np.abs(one.astype(np.int16) - other)
    return Difference(int(apart.max()), float(apart.mean()))


def _opened(name: str, size: tuple[int, int]) -> Array:
    with Image.open(FOLDER / name) as image:
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))
