"""Make screenshot.webp: a sample photograph in the page, half grey, half in color.

    python examples/web/screenshot.py [SAMPLE]

Needs what the tests need: `npm ci`, Chromium, playwright.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

HERE: Final = Path(__file__).parent
SIZE: Final = (1120, 640)
SWEPT: Final = 1500  # ms until the divider rests
sys.path += [str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

import web_page  # noqa: E402 - tests are no package
from benchmarks import chromium  # noqa: E402 - found from here alone


def main(arguments: list[str]) -> int:
    """Write the file; 2 where something is missing."""
    sample = arguments[0] if arguments else "dahlia.jpg"
    if lacking := web_page.missing():
        print(lacking, file=sys.stderr)
        return 2
    width, height = SIZE
    with (
        tempfile.TemporaryDirectory() as folder,
        web_page.served(web_page.build(Path(folder) / "dist")) as address,
        chromium.browsing() as browser,
    ):
        visit = web_page.Visit(browser.new_page(viewport={"width": width, "height": height}), address)
        visit.page.click(f"img[src$='{sample}']")
        visit.wait("done")
        visit.page.wait_for_timeout(SWEPT)
        shot = Image.open(io.BytesIO(visit.page.screenshot()))
    shot.save(HERE / "screenshot.webp", quality=82, method=6)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
