"""Where the photograph lies on the screen: zoom, place and divider as values, changed by pure functions.

Screen pixels count from the top left corner of a pane. The photograph's corner is always at a whole
screen pixel, so that at 100 % its pixels are the screen's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ZOOM: Final = 32.0
MOST_FIT: Final = 2.0  # small photographs are enlarged no further to fill the window
_STOPS: Final = (0.25, 0.5, 1.0, 2.0)  # zooming by steps does not jump over these
_SMALL_STEP: Final = 1.6
_SAME: Final = 1e-6


@dataclass(frozen=True)
class View:
    """What part of a photograph a pane shows, and how large."""

    photo: tuple[int, int]
    """Width and height, px."""
    room: tuple[int, int]
    """Of the pane, screen px."""
    zoom: float = 1.0
    """Screen px per px of the photograph."""
    x: int = 0
    y: int = 0
    """Of the photograph's top left corner, screen px; negative where it is beyond the pane."""
    fitted: bool = True
    """Whether it follows the size of the pane."""
    divider: float = 0.5
    """Share of the visible width that is left of the divider, 0..1."""

    @property
    def fit_zoom(self) -> float:
        """The zoom at which the whole photograph is seen."""
        across, down = (room / side for room, side in zip(self.room, self.photo, strict=True))
        return min(across, down, MOST_FIT)

    @property
    def visible(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of what is seen of the photograph, screen px."""
        width, height = self.drawn
        right, bottom = min(self.room[0], self.x + width), min(self.room[1], self.y + height)
        return max(0, self.x), max(0, self.y), right, bottom

    @property
    def divider_x(self) -> int:
        """Where the divider is, screen px."""
        left, _, right, _ = self.visible
        return left + round(self.divider * (right - left))

    def box(self, area: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        """Return the part of the photograph, px, that lies under an area of the screen."""
        (left, top), (right, bottom) = self.to_photo(area[0], area[1]), self.to_photo(area[2], area[3])
        return left, top, min(right, self.photo[0]), min(bottom, self.photo[1])

    def to_photo(self, x: float, y: float) -> tuple[float, float]:
        """Return the place in the photograph, px, under a place on the screen."""
        width, height = self.drawn
        return (x - self.x) * self.photo[0] / width, (y - self.y) * self.photo[1] / height

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on the screen of a place in the photograph, px."""
        width, height = self.drawn
        return self.x + x * width / self.photo[0], self.y + y * height / self.photo[1]

    @property
    def drawn(self) -> tuple[int, int]:
        """Return the size of the whole photograph at this zoom, whole screen px."""
        width, height = (max(1, round(side * self.zoom)) for side in self.photo)
        return width, height


def fit(view: View) -> View:
    """Show the whole photograph, in the middle."""
    return _placed(replace(view, zoom=view.fit_zoom, fitted=True), 0, 0)


def resized(view: View, room: tuple[int, int]) -> View:
    """Give the pane another size: what was in its middle stays there."""
    if room == view.room:
        return view
    middle = view.to_photo(view.room[0] / 2, view.room[1] / 2)
    view = replace(view, room=room)
    return fit(view) if view.fitted else _centered(view, middle)


def zoomed(view: View, zoom: float, at: tuple[float, float] | None = None) -> View:
    """Zoom; the place of the photograph under `at` (the middle of the pane by default) stays there."""
    x, y = at or (view.room[0] / 2, view.room[1] / 2)
    px, py = view.to_photo(x, y)
    least = min(view.fit_zoom, 1.0)
    new = replace(view, zoom=min(max(zoom, least), MOST_ZOOM))
    new = replace(new, fitted=math.isclose(new.zoom, view.fit_zoom, rel_tol=_SAME))
    if new.fitted:
        return fit(new)
    sx, sy = replace(new, x=0, y=0).to_screen(px, py)
    return _placed(new, x - sx, y - sy)


def stepped(view: View, factor: float, at: tuple[float, float] | None = None) -> View:
    """Zoom by a factor; a small step stops at what fits, at 100 % and the like on the way."""
    zoom = view.zoom * factor
    low, high = sorted((view.zoom, zoom))
    stops = (*_STOPS, view.fit_zoom) if high < _SMALL_STEP * low else ()
    between = [stop for stop in stops if low * (1 + _SAME) < stop < high * (1 - _SAME)]
    if between:
        zoom = min(between, key=lambda stop: abs(math.log(stop / view.zoom)))
    return zoomed(view, zoom, at)


def panned(view: View, dx: float, dy: float) -> View:
    """Move the photograph by screen pixels, as far as there is something to see."""
    return _placed(view, view.x + dx, view.y + dy)


def shifted(view: View, dx: float, dy: float) -> View:
    """Move the photograph by screen pixels wherever that leads: to show something of it elsewhere."""
    return replace(view, x=view.x + round(dx), y=view.y + round(dy))


def divided(view: View, x: float) -> View:
    """Put the divider under a place on the screen."""
    left, _, right, _ = view.visible
    return replace(view, divider=min(max((x - left) / max(1, right - left), 0.0), 1.0))


def _centered(view: View, middle: tuple[float, float]) -> View:
    view = replace(view, zoom=max(view.zoom, min(view.fit_zoom, 1.0)))
    x, y = replace(view, x=0, y=0).to_screen(*middle)
    return _placed(view, view.room[0] / 2 - x, view.room[1] / 2 - y)


def _placed(view: View, x: float, y: float) -> View:
    """Put the photograph's corner there, or as near as leaves no empty margin that need not be."""
    places = []
    for place, drawn, room in zip((x, y), view.drawn, view.room, strict=True):
        places.append((room - drawn) // 2 if drawn <= room else min(max(round(place), room - drawn), 0))
    return replace(view, x=places[0], y=places[1])


def clipped(
    points: Sequence[tuple[float, float]], area: tuple[float, float, float, float]
) -> list[list[tuple[float, float]]]:
    """Return the pieces of a line through points that lie in an area (after Liang and Barsky)."""
    pieces: list[list[tuple[float, float]]] = []
    for start, end in zip(points, points[1:] or points, strict=False):
        first, last = 0.0, 1.0
        for axis in (0, 1):
            step = end[axis] - start[axis]
            low, high = area[axis] - start[axis], area[axis + 2] - start[axis]
            if step:
                first, last = (
                    max(first, min(low / step, high / step)),
                    min(last, max(low / step, high / step)),
                )
            elif low > 0 or high < 0:
                last = -1.0
        if first > last:
            continue
        piece = [_between(start, end, first), _between(start, end, last)]
        if pieces and pieces[-1][-1] == piece[0]:
            pieces[-1].append(piece[1])
        else:
            pieces.append(piece)
    return pieces


def _between(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    if share in {0.0, 1.0}:
        return end if share else start
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
