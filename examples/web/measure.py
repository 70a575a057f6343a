"""Measure the page in a headless Chromium on this machine: time, memory, sizes.

    python examples/web/measure.py [REPEATS]

Grey photographs of 2 and 24 megapixels (enlarged from docs/photographs, JPEG) are colorized and saved, each
in a browser of its own after the network is there; the median of the repeats is told, and of memory the
most. Needs what the tests need: `npm ci`, Chromium, playwright.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from PIL import Image

ROOT: Final = Path(__file__).parents[2]
SIZES: Final = {"2 MP": (1732, 1155), "24 MP": (6000, 4000)}
REPEATS: Final = 3
sys.path += [str(ROOT), str(ROOT / "tests")]

import web_page  # noqa: E402 - tests are no package
from benchmarks import chromium  # noqa: E402 - found from here alone


def photographs(folder: Path) -> dict[str, Path]:
    """Make the photographs."""
    with Image.open(ROOT / "docs" / "photographs" / "mountains.jpg") as small:
        grey = small.convert("L")
    return {
        name: web_page.save_photo(grey.resize(size), folder / f"{size[0]}.jpg", quality=92)
        for name, size in SIZES.items()
    }


def once(address: str, photo: Path, kind: str, folder: Path) -> list[float]:
    """Return seconds until color and until saved, each by clock and of work; MB before, at most."""
    with chromium.browsing() as browser:
        visit = web_page.Visit(browser.new_page(), address)
        visit.page.get_by_text("works offline now").wait_for()
        before = web_page.resident("VmRSS")
        marks = [(time.perf_counter(), web_page.worked())]
        visit.colorize(photo)
        marks.append((time.perf_counter(), web_page.worked()))
        visit.download(folder, kind)
        marks.append((time.perf_counter(), web_page.worked()))
        steps = [after - start for pair in pairwise(marks) for start, after in zip(*pair, strict=True)]
        return [*steps, before / 1e6, web_page.resident() / 1e6]


def main(arguments: list[str]) -> int:
    """Print one line for each photograph and format."""
    repeats = int(arguments[0]) if arguments else REPEATS
    if lacking := web_page.missing():
        print(lacking, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = web_page.build(folder / "dist")
        sizes = {file.name: file.stat().st_size / 1e6 for file in sorted((built / "vendor").iterdir())}
        print(*(f"{file} {size:.2f} MB" for file, size in sizes.items() if size > 0.01), sep=", ")
        with web_page.served(built) as address:
            for photo, path in photographs(folder).items():
                for kind in ("jpeg", "png"):
                    tell(f"{photo}, {kind}", [once(address, path, kind, folder) for _ in range(repeats)])
    return 0


def tell(what: str, runs: list[list[float]]) -> None:
    """Print the median of runs, and of memory the most."""
    color, color_work, save, save_work = (
        statistics.median(part) for part in list(zip(*runs, strict=True))[:4]
    )
    before, most = (max(part) for part in list(zip(*runs, strict=True))[4:])
    times = f"in color {color:.2f} s ({color_work:.2f} s of work), saved {save:.2f} s ({save_work:.2f} s)"
    print(f"{what}: {times}; renderer {before:.0f} MB before, {most:.0f} MB at most", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
