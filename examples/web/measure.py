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
from pathlib import Path
from typing import Final

from PIL import Image

ROOT: Final = Path(__file__).parents[2]
SIZES: Final = {"2 MP": (1732, 1155), "24 MP": (6000, 4000)}
REPEATS: Final = 3
sys.path.append(str(ROOT / "tests"))

import web_page  # noqa: E402 - tests are no package


def photographs(folder: Path) -> dict[str, Path]:
    """Make the photographs."""
    with Image.open(ROOT / "docs" / "photographs" / "mountains.jpg") as small:
        grey = small.convert("L")
    return {
        name: web_page.save_photo(grey.resize(size), folder / f"{size[0]}.jpg", quality=92)
        for name, size in SIZES.items()
    }


def once(address: str, photo: Path, kind: str, folder: Path) -> tuple[float, float, float, float, float]:
    """Return s until the network is there, color seen, all saved; bytes of memory before and at most."""
    with web_page.browsing() as browser:
        start = time.perf_counter()
        visit = web_page.Visit(browser.new_page(), address)
        visit.page.locator("#model", has_text="Model:").wait_for()
        ready = time.perf_counter()
        before = web_page.resident("VmRSS")
        visit.colorize(photo)
        colored = time.perf_counter()
        visit.download(folder, kind)
        saved = time.perf_counter()
        return ready - start, colored - ready, saved - colored, before, web_page.resident()


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
                    runs = [once(address, path, kind, folder) for _ in range(repeats)]
                    ready, colored, saved = (
                        statistics.median(run[part] for run in runs) for part in range(3)
                    )
                    before, most = (max(run[part] for run in runs) / 1e6 for part in (3, 4))
                    print(
                        f"{photo} {kind}: network {ready:.1f} s, color {colored:.2f} s, saved {saved:.2f} s; "
                        f"renderer {before:.0f} MB before, {most:.0f} MB at most"
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
