"""Time what the window draws at 24 megapixels: zoom, pan, a step of a slider, the divider.

    python -m benchmarks.viewer

Each from the change until the canvas of 1200 x 800 px has been drawn, in a real window (without a
display: under xvfb-run): alone, finely at once, and moving, one after the other, where a slow machine
draws coarsely at first. Beside it the straightforward way: after a change of color all 24 megapixels
are merged, then reduced; after a change of place a colorized photograph that is kept whole is cut and
resized.
"""

from __future__ import annotations

import statistics
import sys
import time
import tkinter as tk
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from PIL import Image, ImageTk
from skimage import data

from benchmarks import measure
from tintype.adjustments import Adjustments
from tintype.colorizer import Prediction
from tintype.gui import theme
from tintype.gui.picture import Picture
from tintype.gui.viewer import Scene, Viewer
from tintype.lab import rgb_to_lab

if TYPE_CHECKING:
    from collections.abc import Callable

    from tintype.gui.state import Mode
    from tintype.merge import Merger

PHOTO: Final = (6000, 4000)
CANVAS: Final = (1200, 800)
SIDE: Final = 256  # px, working size
GRAIN: Final = 4.0  # levels, standard deviation
PROMPT: Final = 50.0  # ms
WHOLE_RUNS: Final = 2  # of the straightforward way, which takes seconds
_REST: Final = 0.2  # s between two actions: what comes faster may be drawn coarsely at first
_NOTHING: Final = {"grey": "", "original": "", "color": ""}


class Case(NamedTuple):
    """Something that a person does."""

    mode: Mode
    zoom: float
    """0 for what fits."""
    act: Callable[[Window, int], None]
    recolors: bool = False


class Window:
    """A window with a photograph, and the straightforward way to draw it."""

    def __init__(self, image: Image.Image, *, colored: bool) -> None:
        self.root = tk.Tk()
        self.root.geometry(f"{CANVAS[0]}x{CANVAS[1]}+0+0")
        start = time.perf_counter()
        self.picture = Picture(image, colored=colored)
        self.picture.prepare()
        self.preparing = time.perf_counter() - start
        self.prediction, self.array = predicted(), np.asarray(image)
        self.viewer = Viewer(
            self.root,
            theme=theme.DARK,
            scale=1.0,
            captions=_NOTHING,
            on_stroke=lambda _points: None,
            on_select=lambda _number: None,
            on_move_stroke=lambda _number, _dx, _dy: None,
            on_pick=lambda _color: None,
            on_view=lambda: None,
        )
        self.viewer.pack(fill="both", expand=True)
        self.mode: Mode = "color"
        self.slide(0)
        self.root.update()
        self.whole = Image.fromarray(self.merger(0)(self.array, 0))

    def merger(self, number: int) -> Merger:
        """Return what gives the photograph color, at one of several strengths."""
        return self.prediction.merger(*PHOTO, Adjustments(strength=0.8 + 0.05 * (number % 10)))

    def slide(self, number: int) -> None:
        """Show another strength, as a slider does."""
        self.viewer.show(Scene(self.picture, self.merger(number), self.mode))

    def begin(self, case: Case) -> None:
        """Show the photograph as a case has it."""
        self.mode = case.mode
        self.slide(0)
        self.root.update()
        self.viewer.fit()
        if case.zoom:
            self.viewer.zoom_by(case.zoom / self.viewer.zoom)
        self.root.update()

    def drawn(self, case: Case, number: int, rest: float) -> float:
        """Return the milliseconds until what was done after a rest (s) is on the screen."""
        time.sleep(rest)
        start = time.perf_counter()
        case.act(self, number)
        self.root.update_idletasks()
        return (time.perf_counter() - start) * 1000

    def straightforward(self, case: Case, number: int) -> float:
        """Return the milliseconds of the same by way of a whole colorized photograph."""
        start = time.perf_counter()
        if case.recolors:
            self.whole = Image.fromarray(self.merger(number)(self.array, 0))
        view = self.viewer.view
        size = view.visible[2] - view.visible[0], view.visible[3] - view.visible[1]
        shown = self.whole.resize(size, Image.Resampling.BICUBIC, box=view.box(view.visible))
        ImageTk.PhotoImage(shown, master=self.root)
        return (time.perf_counter() - start) * 1000


def _slide(window: Window, number: int) -> None:
    window.slide(number)


def _pan(window: Window, number: int) -> None:
    window.viewer.pan(-37 if number % 2 else 37, 23 if number % 2 else -23)


def _zoom(window: Window, number: int) -> None:
    window.viewer.zoom_by(1.1 if number % 2 else 1 / 1.1, (700, 300))


def _divide(window: Window, number: int) -> None:
    window.viewer.divider += 0.02 if number % 2 else -0.02


CASES: Final = {
    "slider, whole photograph": Case("color", 0, _slide, recolors=True),
    "slider, whole photograph, divided": Case("split", 0, _slide, recolors=True),
    "slider, 100 %": Case("color", 1, _slide, recolors=True),
    "slider, 400 %": Case("color", 4, _slide, recolors=True),
    "zoom around 30 %": Case("color", 0.3, _zoom),
    "zoom around 75 %": Case("color", 0.75, _zoom),
    "zoom around 150 %": Case("color", 1.5, _zoom),
    "zoom around 30 %, divided": Case("split", 0.3, _zoom),
    "zoom around 30 %, side by side": Case("side", 0.3, _zoom),
    "pan, 40 %": Case("color", 0.4, _pan),
    "pan, 100 %": Case("color", 1, _pan),
    "pan, 100 %, divided": Case("split", 1, _pan),
    "pan, 800 %": Case("color", 8, _pan),
    "divider": Case("split", 0, _divide),
}


def main() -> int:
    """Measure on a grey and on a colored photograph; return the exit code."""
    options = measure.parser(__doc__, 15).parse_args()
    print(measure.machine("numpy", "pillow"))
    color = photo()
    for colored, image in ((False, color.convert("L")), (True, color)):
        window = Window(image, colored=colored)
        print(f"A {'colored' if colored else 'grey'} photograph of {PHOTO[0]} x {PHOTO[1]} px; ", end="")
        print(f"its reduced levels take {window.preparing * 1000:.0f} ms, in the background:\n")
        report(window, options.runs)
        window.root.destroy()
    return 0


def photo() -> Image.Image:
    """Return 24 megapixels, RGB: the same at every call."""
    enlarged = Image.fromarray(data.stereo_motorcycle()[0]).resize(PHOTO, Image.Resampling.BICUBIC)
    grain = np.random.default_rng(0).normal(0, GRAIN, (PHOTO[1], PHOTO[0], 1)).astype(np.float32)
    return Image.fromarray(np.clip(np.asarray(enlarged, np.float32) + grain, 0, 255).astype(np.uint8))


def predicted() -> Prediction:
    """Return the photograph's own colors at working size, in place of a network's."""
    small = Image.fromarray(data.stereo_motorcycle()[0]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    lab = np.moveaxis(rgb_to_lab(np.asarray(small)), -1, 0)
    return Prediction(np.ascontiguousarray(lab[0]), np.ascontiguousarray(lab[1:]), None)


def report(window: Window, runs: int) -> None:
    """Measure all cases and print the table."""
    rows, medians, quick, best = [], [], [], []
    for name, case in CASES.items():
        window.begin(case)
        taken, moving = (
            [window.drawn(case, number, rest) for number in range(1, runs + 1)] for rest in (_REST, 0.0)
        )
        whole = [window.straightforward(case, number) for number in range(WHOLE_RUNS)]
        ratio = statistics.median(whole) / statistics.median(taken)
        spreads = [measure.spread(values, 0) for values in (taken, moving, whole)]
        rows.append([name, *spreads, f"{ratio:.1f}"])
        medians.append(statistics.median(taken))
        quick.append(statistics.median(moving))
        best.append(min(taken))
        print(name, rows[-1][1], file=sys.stderr, flush=True)
    print(measure.table(["ms, min / median / max", "alone", "moving", "straightforward", "ratio"], rows))
    for kind, values in (("median", medians), ("minimum", best), ("median while moving", quick)):
        reached = measure.verdict(max(values) <= PROMPT)
        print(f"\nThe largest {kind} within {PROMPT:.0f} ms: {max(values):.1f}, {reached}.")
    print()


if __name__ == "__main__":
    sys.exit(main())
