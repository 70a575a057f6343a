"""A page of all photographs, with numbers and marks: static, to be opened from disk in any browser.

A folder with `index.html`, `data.js` (what it shows) and `images/`. It appears whole or not at all, and takes
the place of an earlier report only.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from numpy.typing import NDArray
from PIL import Image

from tintype.errors import UsageError
from torch_model import bands
from torch_model.scores import DISTANCES

if TYPE_CHECKING:
    import numpy as np

    from torch_model.cache import Photos
    from torch_model.scores import Measured

Array: TypeAlias = NDArray[Any]

_PAGE: Final = Path(__file__).with_name("report.html")
_FILES: Final = frozenset({"index.html", "data.js", "images"})
_QUALITY: Final = 82


class Page:
    """A report that is being made."""

    def __init__(self, folder: Path, photos: Photos, described: dict[str, Any]) -> None:
        """Begin one; raises UsageError where the folder holds something else."""
        if folder.exists() and not (folder.is_dir() and {file.name for file in folder.iterdir()} <= _FILES):
            raise UsageError(f"{folder} holds something that is no report: name another folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder, self.photos, self.described = folder, photos, described
        self.partial = Path(tempfile.mkdtemp(".partial", f"{folder.name}.", folder.parent))
        self.models: list[dict[str, Any]] = []
        self._save(photos.pixels, "original")

    def add(self, measured: Measured, pictures: NDArray[np.uint8]) -> None:
        """Show what a contender made of the photographs, (N, H, W, 3)."""
        name = str(len(self.models))
        self._save(pictures, name)
        each = measured.each()
        self.models.append(
            {
                "images": name,
                "summary": measured.row(self.photos.categories),
                "metrics": [_described(metric) for metric in measured.metrics],
                "each": {key: [round(float(v), 4) for v in values] for key, values in each.items()},
                "bands": bands.bands(each).tolist(),
            }
        )

    def finish(self) -> Path:
        """Write the page and give it its name; return the file to open."""
        data = {
            "described": self.described,
            "rule": bands.RULE,
            "distances": [asdict(distance) for distance in DISTANCES],
            "names": self.photos.names,
            "categories": self.photos.categories,
            "models": self.models,
        }
        (self.partial / "data.js").write_text(f"const DATA = {json.dumps(data)};\n", encoding="utf-8")
        shutil.copyfile(_PAGE, self.partial / "index.html")
        self.partial.chmod(0o755)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.partial.rename(self.folder)
        return self.folder / "index.html"

    def discard(self) -> None:
        """Leave nothing behind of a report that was not finished."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def _save(self, pictures: NDArray[np.uint8], name: str) -> None:
        folder = self.partial / "images" / name
        folder.mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda item: _write(folder / f"{item[0]}.webp", item[1]), enumerate(pictures)))


def _write(path: Path, picture: Array) -> None:
    Image.fromarray(picture).save(path, quality=_QUALITY, method=2)


def _described(metric: Any) -> dict[str, Any]:
    return {"key": metric.key, "title": metric.title, "digits": metric.digits, "better": metric.better}
