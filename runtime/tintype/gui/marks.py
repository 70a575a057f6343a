"""What lies over the photograph, as small antialiased pictures: grip, dots, captions, the brush."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tintype.gui.state import Color

_FINER: Final = 4  # drawn so many times larger, then reduced
_SHADE: Final = (0, 0, 0)
_WHITE: Final = (255, 255, 255)
_DARK: Final = (38, 40, 46)
_GREY: Final = (128, 128, 128)


def grip(side: int) -> Image.Image:
    """Return what the divider is held by: a white disk with two arrowheads and a soft shadow."""

    def paint(draw: ImageDraw.ImageDraw, unit: float) -> None:
        draw.ellipse(_around(16, 16, 11.5, unit), fill=(*_WHITE, 255))
        for sign in (-1, 1):
            points = [(16 + sign * x * 1.0, y) for x, y in ((3.2, 12), (7, 16), (3.2, 20))]
            places = [(x * unit, y * unit) for x, y in points]
            draw.line(places, fill=(*_DARK, 255), width=round(1.9 * unit), joint="curve")
            for x, y in places:
                draw.ellipse(_around(x / unit, y / unit, 0.95, unit), fill=(*_DARK, 255))

    def shadow(draw: ImageDraw.ImageDraw, unit: float) -> None:
        draw.ellipse(_around(16, 16.8, 12, unit), fill=(*_SHADE, 150))

    below = _finely((side, side), 32, shadow).filter(ImageFilter.GaussianBlur(side / 24))
    return Image.alpha_composite(below, _finely((side, side), 32, paint))


def dot(side: int, color: Color, ring: str) -> Image.Image:
    """Return the handle of a stroke, in its color; `ring` (#rrggbb or "") goes around a chosen one."""

    def paint(draw: ImageDraw.ImageDraw, unit: float) -> None:
        if ring:
            draw.ellipse(_around(12, 12, 11.5, unit), fill=ring)
        draw.ellipse(_around(12, 12, 8.6, unit), fill=(*_SHADE, 130))
        draw.ellipse(_around(12, 12, 7.6, unit), fill=(*_WHITE, 255))
        draw.ellipse(_around(12, 12, 5.4, unit), fill=(*(color or _GREY), 255))
        if color is None:  # what keeps grey has a bar, since grey is a color too
            draw.rectangle([9 * unit, 11.2 * unit, 15 * unit, 12.8 * unit], fill=(*_WHITE, 255))

    return _finely((side, side), 24, paint)


def pill(width: int, height: int) -> Image.Image:
    """Return the ground of a caption."""
    big = Image.new("RGBA", (width * _FINER, height * _FINER))
    box = [0, 0, big.width - 1, big.height - 1]
    ImageDraw.Draw(big).rounded_rectangle(box, big.height // 2, fill=(16, 17, 20, 165))
    return big.resize((width, height), Image.Resampling.BOX)


def brush(radius: float, thick: float, color: Color) -> Image.Image:
    """Return the circle that the brush covers: white within a dark line, its color in the middle."""
    side = round(2 * (radius + 2 * thick)) + 3
    middle = side / 2

    def paint(draw: ImageDraw.ImageDraw, unit: float) -> None:
        for reach, line, width in (
            (radius + 1.5 * thick, (*_SHADE, 140), 3 * thick),
            (radius + 0.5 * thick, (*_WHITE, 255), thick),
        ):
            box = _around(middle, middle, reach, unit)
            draw.ellipse(box, outline=line, width=max(1, round(width * unit)))
        if radius > 4 * thick:
            draw.ellipse(_around(middle, middle, 2 * thick, unit), fill=(*_WHITE, 255))
            draw.ellipse(_around(middle, middle, 1.3 * thick, unit), fill=(*(color or _GREY), 255))

    return _finely((side, side), side, paint)


def _finely(
    size: tuple[int, int], grid: float, paint: Callable[[ImageDraw.ImageDraw, float], None]
) -> Image.Image:
    """Draw on a grid of so many units across, larger, and reduce."""
    big = Image.new("RGBA", (size[0] * _FINER, size[1] * _FINER))
    paint(ImageDraw.Draw(big), big.width / grid)
    return big.resize(size, Image.Resampling.BOX)


def _around(x: float, y: float, radius: float, unit: float) -> list[float]:
    return [(x - radius) * unit, (y - radius) * unit, (x + radius) * unit, (y + radius) * unit]
