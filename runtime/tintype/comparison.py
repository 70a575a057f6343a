"""The comparison picture: original, grey and colorized, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from tintype.lab import lightness_to_rgb
from tintype.merge import lightness_of
from tintype.photo import in_hand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tintype.photo import Photo

SIDE: Final = 1024  # px: a panel's longer side, at most
GAP: Final = 8
_GAP: Final = 2.0  # photographs are first averaged down to twice the panel
_PAPER, _INK = (255, 255, 255), (64, 64, 64)
_TITLES: Final = ("original", "grey", "colorized")


def panel(photo: Photo | Image.Image, side: int = SIDE) -> Image.Image:
    """Return a small RGB copy of a photograph, its longer side at most `side` px."""
    width, height = photo.size
    scale = min(1.0, side / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if isinstance(photo, Image.Image) and photo.mode != "I;16":
        image = photo
    elif (known := in_hand(photo)).deep:
        return Image.fromarray(np.rint(known.stretched(size, _GAP) * 255).astype(np.uint8)).convert("RGB")
    else:
        image = known.image
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=_GAP).convert("RGB")


def before(photo: Photo) -> list[Image.Image]:
    """Return the panels of the original and of its grey (its L*)."""
    original = panel(photo)
    lightness = lightness_of(np.asarray(original))
    return [original, Image.fromarray(lightness_to_rgb(lightness, np.uint8))]


def compose(panels: Sequence[Image.Image], psnr: float | None) -> Image.Image:
    """Lay three panels side by side with their titles; the PSNR stands under the last, if known."""
    from PIL import ImageDraw

    width, height = panels[0].size
    size = max(10, min(width, height) // 24)
    picture = Image.new("RGB", (3 * width + 4 * GAP, height + 3 * GAP + size), _PAPER)
    draw = ImageDraw.Draw(picture)
    titles = [*_TITLES[:-1], _TITLES[-1] + ("" if psnr is None else f", PSNR {psnr:.2f} dB")]
    for index, (image, title) in enumerate(zip(panels, titles, strict=True)):
        left = GAP + index * (width + GAP)
        picture.paste(image, (left, GAP))
        draw.text((left, height + 2 * GAP), title, _INK, font_size=size)
    return picture
