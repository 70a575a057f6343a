"""Spread the color of one stroke over made photographs, and measure how far it goes.

    python -m benchmarks.strokes

A click in a flat region whose edge is straight, slanting or round, or that has a twin of the same
lightness elsewhere; of several contrasts, with and without noise. Beside Tintype: a guided filter of a
large radius over the stroke's mask, and the same equations solved directly (SciPy, if it is there).
What counts is the ab of the full-size photograph, behind the merge, as a share of the ab that was asked
for; the network's own color is none here.

covered   of the pixels of the region, how many have at least half of the color
inside    the mean share in the region
beyond    the mean share outside of it; of twins, in the other one

Pixels nearer to the edge than MARGIN are left out. Each row is the worst of the shapes. Times are of
the CPU, from lightness to shares (the median); memory is the most that numpy held meanwhile.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
import tracemalloc
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import measure
from tintype import merge, spread as spreading
from tintype.hints import Hints, Stroke
from tintype.lab import lightness_to_rgb
from tintype.multigrid import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tintype.spread import Spread

Float: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]
Way: TypeAlias = "Callable[[Hints, Float], Spread]"

SIZES: Final = ((600, 400), (3000, 2000))
SHAPES: Final = ("straight", "slanting", "round", "twins")
CONTRASTS: Final = (8, 15, 30, 60)  # L*
NOISE: Final = (0, 1, 2)  # L*, standard deviation
MARGIN: Final = 1 / 96  # of the width: one pixel of the smallest working size
COVERED, BEYOND = 0.9, 0.05
RED: Final = (200, 40, 40)
_CLICK: Final = 0.01  # radius, of the width
_GUIDED: Final = (160, 4.0)  # px and L* squared: the best of 24 to 160 px and 0.5 to 30 L* squared
_GRIDS: Final = (96 * 96, 192 * 128, 288 * 192, 384 * 256, 512 * 341)  # px
_EYES: Final = (0.01, 0.02)  # diameter, of the width
_NOTHING: Final = np.zeros((4, 96, 96), np.float32)  # what the network says


@dataclass(frozen=True)
class Case:
    """A made photograph."""

    photo: Image.Image
    """Mode L."""
    inside: Mask
    """(H, W), the region of the click."""
    outside: Mask
    """(H, W), where its color does not belong."""
    apart: Mask
    """(H, W), not too near to the edge."""
    hints: Hints


@dataclass(frozen=True)
class Reach:
    """How far the color went."""

    covered: float
    inside: float
    beyond: float


def main() -> int:
    """Measure everything; return the exit code."""
    options = measure.parser(__doc__, 3).parse_args()
    found = ways()
    print(measure.machine("tintype", "numpy", "pillow", *(["scipy"] if find_spec("scipy") else [])))
    for size in SIZES:
        print(f"{size[0]}x{size[1]}, shares on {spreading.AREA} px:\n\n{region_table(found, size)}\n")
    print(f"An eye in {SIZES[1][0]}x{SIZES[1][1]}, one click:\n\n{eye_table(options.runs)}\n")
    print(f"Several colors, steps {STEPS}:\n\n{colors_table(found, options.runs)}")
    return 0


def ways() -> dict[str, Way]:
    """Return the ways of spreading, by name."""
    found: dict[str, Way] = {"tintype": Hints.spread, "guided filter": solved_by(guided)}
    if find_spec("scipy"):
        found["direct"] = solved_by(direct)
    return found


def solved_by(solver: Callable[..., Float]) -> Way:
    """Return a way that finds shares otherwise; all else stays Tintype's."""

    def way(hints: Hints, lightness: Float) -> Spread:
        with mock.patch.object(spreading, "solve", partial(solver, lightness)):
            return hints.spread(lightness)

    return way


def guided(lightness: Float, _across: Float, _down: Float, labels: Any, count: int, _leak: float) -> Float:
    """Spread by a guided filter of each mask, which is scaled to be 1 on the stroke."""
    radius, smoothness = _GUIDED
    masks = (labels == np.arange(count)[:, None, None]).astype(np.float32)
    slopes, offsets = np.split(merge.fit(lightness, masks, radius, smoothness), 2)
    filtered = np.maximum(slopes * lightness + offsets, 0)
    filtered /= (filtered * masks).sum(axis=(1, 2), keepdims=True) / masks.sum(axis=(1, 2), keepdims=True)
    found: Float = filtered / np.maximum(1, filtered.sum(axis=0))
    return found


def direct(_lightness: Float, across: Float, down: Float, labels: Any, count: int, leak: float) -> Float:
    """Solve the same equations by sparse elimination, in float64."""
    sparse, linalg = (import_module(name) for name in ("scipy.sparse", "scipy.sparse.linalg"))
    place = np.arange(labels.size).reshape(labels.shape)
    first = np.concatenate([place[:, :-1].ravel(), place[:-1].ravel()])
    second = np.concatenate([place[:, 1:].ravel(), place[1:].ravel()])
    weights = np.concatenate([across.ravel(), down.ravel()]).astype(np.float64)
    half = sparse.coo_matrix((weights, (first, second)), (labels.size, labels.size)).tocsr()
    links = half + half.T
    matrix = sparse.diags(np.asarray(links.sum(axis=1)).ravel() * (1 + leak / 4)) - links
    free, fixed = np.flatnonzero(labels.ravel() < 0), np.flatnonzero(labels.ravel() >= 0)
    found: NDArray[Any] = (labels.ravel() == np.arange(count)[:, None]).astype(np.float64)
    rows = matrix.tocsr()[free]
    inner = rows[:, free].tocsc()
    solver = linalg.splu(inner, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    found[:, free] = solver.solve(-rows[:, fixed] @ found[:, fixed].T).T
    solution: Float = found.reshape(count, *labels.shape).astype(np.float32)
    return solution


def region_table(found: dict[str, Way], size: tuple[int, int]) -> str:
    """Describe how far colors go in photographs of one size."""
    rows = []
    for contrast in CONTRASTS:
        for noise in NOISE:
            cases = [case(shape, contrast, noise, size) for shape in SHAPES]
            for name, way in found.items():
                rows.append([f"{contrast} L*, noise {noise}", name, *_row(cases, way)])
    return measure.table(["edge", "way", "covered", "inside", "beyond", "CPU, s", "MB", ""], rows)


def _row(cases: list[Case], way: Way) -> Iterator[str]:
    taken = [timed(way, each) for each in cases]
    reached = [reach(each, spread) for each, (spread, _) in zip(cases, taken, strict=True)]
    covered, beyond = min(r.covered for r in reached), max(r.beyond for r in reached)
    yield from (f"{covered:.3f}", f"{min(r.inside for r in reached):.3f}", f"{beyond:.3f}")
    yield f"{statistics.median(seconds for _, seconds in taken):.3f}"
    yield f"{held(way, cases[0]) / measure.MB:.0f}"
    yield measure.verdict(covered >= COVERED and beyond <= BEYOND)


def eye_table(runs: int) -> str:
    """Describe what a click on an eye does on finer and finer grids: pixels up to the edge count."""
    rows = []
    for area in _GRIDS:
        with mock.patch.object(spreading, "AREA", area):
            row, seconds = [], []
            for diameter in _EYES:
                eye = case("eye", 30, 1, SIZES[1], diameter)
                for _ in range(runs):
                    spread, taken = timed(Hints.spread, eye)
                    seconds.append(taken)
                part = shares(eye, spread)
                spilled = float(np.abs(part[eye.outside]).sum()) / eye.inside.sum()
                row += [f"{(part[eye.inside] >= 0.5).mean():.2f}", f"{spilled:.2f}"]
            height, width = spread.lightness.shape
            rows.append([f"{width}x{height}", *row, measure.spread(seconds, 3)])
    eyes = [word for each in _EYES for word in (f"{each:.0%} of the width: covered", "spilled")]
    return measure.table(["grid", *eyes, "CPU, s, min / median / max"], rows)


def colors_table(found: dict[str, Way], runs: int) -> str:
    """Describe the time of several colors on one photograph, and what a step of a slider takes then."""
    photo, rows = case("round", 30, 2, SIZES[0]), []
    for count in (1, 2, 4, 8):
        strokes = tuple(_stroke(0.1 * (number + 1), 0.5, number) for number in range(count))
        several = replace(photo, hints=Hints(*SIZES[0], strokes))
        for name, way in found.items():
            seconds, again = [], []
            for _ in range(runs):
                spread, taken = timed(way, several)
                start = time.process_time()
                spread.planes(_NOTHING)
                seconds.append(taken)
                again.append(1000 * (time.process_time() - start))
            rows.append([f"{count}", name, measure.spread(seconds, 3), measure.spread(again, 1)])
    return measure.table(["colors", "way", "CPU, s, min / median / max", "then a slider step, ms"], rows)


def timed(way: Way, case: Case) -> tuple[Spread, float]:
    """Spread: return the spread and the seconds of CPU time."""
    lightness = spreading.detail(case.photo)
    start = time.process_time()
    spread = way(case.hints, lightness)
    return spread, time.process_time() - start


def held(way: Way, case: Case) -> int:
    """Return the most bytes that are held while spreading."""
    lightness = spreading.detail(case.photo)
    tracemalloc.start()
    way(case.hints, lightness)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def reach(case: Case, spread: Spread) -> Reach:
    """Measure how far the color went."""
    part = shares(case, spread)
    inside, outside = part[case.inside & case.apart], part[case.outside & case.apart]
    return Reach(float((inside >= 0.5).mean()), float(inside.mean()), float(outside.mean()))


def shares(case: Case, spread: Spread) -> Float:
    """Return the share of the color wanted in the ab of the whole photograph, behind the merge."""
    merger = merge.Merger(spread.planes(_NOTHING), *case.photo.size)
    wanted = spread.colors[0] / np.sum(spread.colors[0] ** 2)
    part = np.empty(case.inside.shape, np.float32)
    step = merge.step(case.photo.width)
    for top in range(0, case.photo.height, step):
        rows = np.asarray(case.photo.crop((0, top, case.photo.width, min(top + step, case.photo.height))))
        a, b = merger.ab(merge.lightness_of(rows), top)
        part[top : top + step] = a * wanted[0] + b * wanted[1]
    return part


def case(
    shape: str, contrast: float, noise: float, size: tuple[int, int], diameter: float = _EYES[0]
) -> Case:
    """Make a photograph, 8 bits deep; `diameter` is that of an eye, in parts of the width."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    distance = {
        "straight": lambda: 0.47 * width - x,
        "slanting": lambda: (
            (0.97 - 1.3 * x / width - 0.7 * y / height) / math.hypot(1.3 / width, 0.7 / height)
        ),
        "round": lambda: 0.33 * height - np.hypot(x - 0.45 * width, y - 0.5 * height),
        "twins": lambda: 0.2 * width - np.hypot(x - 0.25 * width, y - 0.5 * height),
        "eye": lambda: diameter / 2 * width - np.hypot(x - 0.6013 * width, y - 0.4007 * height),
    }[shape]()
    inside = distance > 0
    outside, lit = (inside[:, ::-1], inside | inside[:, ::-1]) if shape == "twins" else (~inside, inside)
    lightness = 50 + contrast * np.where(lit, 0.5, -0.5)
    lightness += noise * np.random.default_rng(0).standard_normal(lightness.shape)
    grey = lightness_to_rgb(lightness.astype(np.float32), np.uint8)[..., 0]
    place = {"round": (0.4, 0.45), "eye": (0.6013, 0.4007)}.get(shape, (0.2, 0.5))
    stroke = _stroke(*place, 0, size, _CLICK if shape != "eye" else 0)
    apart = np.abs(distance) > MARGIN * width
    return Case(Image.fromarray(grey), inside, outside, apart, Hints(*size, (stroke,)))


def _stroke(
    x: float, y: float, number: int, size: tuple[int, int] = SIZES[0], radius: float = _CLICK
) -> Stroke:
    """Return a click at a place, in parts of the sides; `number` changes the color."""
    color = (RED[0] - 20 * number, RED[1] + 20 * number, RED[2])
    return Stroke(((x * size[0], y * size[1]),), radius * size[0], color)


if __name__ == "__main__":
    sys.exit(main())
