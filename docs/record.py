"""Record the real window: docs/screenshots/*.webp and docs/demo.webp.

    python -m docs.record

On virtual screens (Xvfb), with scikit-image's sample photographs. Everything seen was done by events.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import tkinter as tk
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageGrab
from skimage import data

from tintype.gui.app import App
from tintype.gui.settings import VARIABLE, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE: Final = Path(__file__).parent
SIZE: Final = (1240, 800)
"""Of the window, at scale 1."""
MENU: Final = 44
"""Height of the menu bar, which comes on top."""
QUALITY: Final = 85
DEMO_WIDTH: Final = 880
SUIT: Final = (222, 92, 36)
STROKES: Final = (
    (SUIT, ((0.36, 0.60), (0.44, 0.62))),
    (SUIT, ((0.14, 0.72), (0.12, 0.80))),
    (SUIT, ((0.66, 0.58), (0.68, 0.64))),
    (None, ((0.05, 0.26), (0.10, 0.36))),
    (None, ((0.06, 0.42), (0.04, 0.54))),
    (None, ((0.03, 0.62), (0.03, 0.74))),
    (None, ((0.03, 0.90), (0.05, 0.96))),
)
"""The color of each and its points, shares of width and height; None keeps grey."""
PATIENCE: Final = 60.0
LOOKS: Final = (("light", 1.0), ("dark", 1.0), ("light", 2.0), ("dark", 2.0))


class Film:
    """A running window that is driven and photographed."""

    def __init__(self, theme: str, scale: float, folder: Path) -> None:
        self.root = tk.Tk(className="Tintype")
        self.folder, self.scale = folder, scale
        self.app = App(self.root, Settings(theme=theme, scale=scale))  # type: ignore[arg-type]
        height = round((SIZE[1] - MENU) * scale)
        self.root.minsize(1, 1)
        self.root.geometry(f"{round(SIZE[0] * scale)}x{height}+0+0")
        self.frames: list[tuple[Image.Image, int]] = []
        self.until(lambda: self.app.state.model is not None)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the window run until a condition holds, and all is drawn."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(self.app.state.message.text)
            self.root.update()
            time.sleep(0.002)
        settled = time.monotonic() + 0.4
        while time.monotonic() < settled:
            self.root.update()
            time.sleep(0.005)

    def open(self, path: Path) -> None:
        """Open a photograph."""
        self.app.open(path)
        self.until(lambda: self.app.state.document is not None and not self.app.state.busy)

    def colorize(self) -> None:
        """Colorize it."""
        self.app.run("colorize")
        self.until(lambda: self.app.state.can_save)

    def paint(self, color: tuple[int, int, int] | None, *points: tuple[float, float]) -> None:
        """Paint a stroke through shares of width and height."""
        assert self.app.state.document is not None
        width, height = self.app.state.document.picture.size
        self.app.pick(color)
        self.app.stroke(tuple((x * width, y * height) for x, y in points))
        strokes = self.app.state.edit.strokes
        self.until(lambda: self.app.state.spread is not None and self.app.state.spread[0] == strokes)

    def picture(self) -> Image.Image:
        """Return what is on the screen now."""
        self.until(lambda: True)
        box = (0, 0, round(SIZE[0] * self.scale), round(SIZE[1] * self.scale))
        return ImageGrab.grab(box, xdisplay=os.environ["DISPLAY"])

    def frame(self, milliseconds: int) -> None:
        """Add what is on the screen to the film."""
        picture = self.picture()
        size = (DEMO_WIDTH, round(DEMO_WIDTH * picture.height / picture.width))
        self.frames.append((picture.resize(size, Image.Resampling.LANCZOS), milliseconds))

    def close(self) -> None:
        """Close the window without a question."""
        self.app.view.dialogs.confirm_leave = lambda: True  # type: ignore[method-assign]
        self.app.quit()


def main() -> int:
    """Record all, each look in a process of its own, as Tk keeps its display; return the exit code."""
    if len(sys.argv) == 1:
        for theme, scale in LOOKS:
            with screen(scale):
                subprocess.run([sys.executable, "-m", "docs.record", theme, str(scale)], check=True)
        return 0
    theme, scale = sys.argv[1], float(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[VARIABLE] = str(folder / "settings")
        photos(folder)
        if (theme, scale) == ("dark", 1.0):
            demonstrate(Film(theme, scale, folder))
        shoot(Film(theme, scale, folder), f"{theme}{'-2x' if scale > 1 else ''}")
    return 0


def photos(folder: Path) -> None:
    """Write the photographs."""
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.jpg", quality=92)
    Image.fromarray(data.astronaut()).convert("L").save(folder / "grey.jpg", quality=92)


def shoot(film: Film, name: str) -> None:
    """Take pictures of the main states: empty, colorized, corrected, variants and folder."""

    def save(state: str) -> None:
        path = HERE / "screenshots" / f"{state}-{name}.webp"
        film.picture().save(path, quality=QUALITY, method=6)
        print(path.name, flush=True)

    save("empty")
    film.open(film.folder / "astronaut.jpg")
    film.colorize()
    save("colorized")
    film.open(film.folder / "grey.jpg")
    film.colorize()
    for color, points in STROKES:
        film.paint(color, *points)
    save("corrected")
    film.app.run("variants")
    film.until(lambda: len(film.app.state.variants) > 1 and not film.app.state.busy)
    film.app.run("side")
    film.app.view.panel.see(film.app.view.panel.sections["rate"])
    save("variants")
    film.app.run("reset")
    film.app.open_many([film.folder])
    film.until(lambda: bool(film.app.state.items) and not film.app.state.busy)
    film.app.run("split")
    save("folder")
    film.close()


def demonstrate(film: Film) -> None:
    """Record the way of one photograph as an animated WebP."""
    film.frame(1200)
    film.open(film.folder / "grey.jpg")
    film.frame(1000)
    film.colorize()
    film.app.view.viewer.divider = 0.02
    film.frame(700)
    for step in range(3, 20):
        film.app.view.viewer.divider = abs(10 - step) / 10 if step < 16 else 0.5
        film.frame(60)
    film.frame(700)
    for value in (1.1, 1.2, 1.3, 1.4):
        film.app.adjust("strength", value, "demo")
        film.frame(80)
    film.frame(700)
    film.app.pick(SUIT)
    film.frame(700)
    for color, points in STROKES:
        film.paint(color, *points)
        film.frame(700)
    film.frame(1500)
    film.app.run("move")
    film.app.run("split")
    film.app.view.viewer.divider = 0.25
    film.frame(2000)
    first, *rest = [picture for picture, _ in film.frames]
    durations = [duration for _, duration in film.frames]
    path = HERE / "demo.webp"
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, quality=60, method=6)
    print(f"{path.name}: {len(durations)} frames, {path.stat().st_size / 1e6:.2f} MB", flush=True)
    film.close()


@contextmanager
def screen(scale: float) -> Iterator[None]:
    """Use a virtual screen large enough for a window at a scale."""
    reading, writing = os.pipe()
    size = f"{round(SIZE[0] * scale)}x{round(SIZE[1] * scale)}x24"
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        os.environ["DISPLAY"] = f":{answer.readline().strip()}"
    try:
        yield
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
