"""Photographs decoded once: cropped, shrunk, and kept as one array that is mapped from disk.

A cache is a folder with `photos.npy` (N, side, side, 3) uint8 sRGB and `index.json`. Its name is a
digest of everything it depends on, so that a changed photograph or rule makes another cache.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import numpy as np
from PIL import Image

from tintype import image as images
from tintype.errors import PhotoError, UsageError
from tintype.lab import rgb_to_lab
from tintype.progress import Progress, say
from torch_model import disk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from torch_model.photos import Source

FORMAT = 1
_ABANDONED = 24 * 3600  # seconds after which a half-made cache is no longer being made
SMALLEST = 64  # px: a photograph with a shorter side than this is too small to learn from
GREYEST = 2.0  # CIE units: below this mean chroma a photograph teaches no color

LARGE = 4e9  # bytes: caches that hold more than this are worth a line
_ELSEWHERE: Final = "name another --cache, or delete what is there: it is made again when needed"

Crop = Literal["center", "stretch"]


@dataclass(frozen=True)
class Photos:
    """Decoded photographs and what is known of them; the tuples are as long as `pixels`."""

    pixels: NDArray[np.uint8]
    """(N, side, side, 3), sRGB."""
    names: tuple[str, ...]
    categories: tuple[str, ...]
    digests: tuple[str, ...]
    """SHA-256 of each file's bytes."""
    skipped: dict[str, str]
    """Names of photographs left out, with the reason."""

    def split(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the indices to train on and to validate with: sorted by content, the last 5 %.

        Raises UsageError for a single photograph.
        """
        if len(self.names) < 2:
            raise UsageError("one photograph cannot be split: name more, or others to validate with by --val")
        order = np.array(sorted(range(len(self.names)), key=self.digests.__getitem__), np.int64)
        held = max(1, round(len(order) / 20))
        return order[:-held], order[-held:]

    @property
    def digest(self) -> str:
        """A digest of what the photographs show, in their order."""
        return hashlib.sha256("".join(self.digests).encode()).hexdigest()[:16]

    def report(self) -> str:
        """Say how many photographs there are and which were left out, in a line or two."""
        text = f"{len(self.names)} photographs"
        if self.skipped:
            reasons = Counter(reason.split(":")[0] for reason in self.skipped.values())
            counts = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
            first = "; ".join(f"{name} ({why})" for name, why in list(self.skipped.items())[:5])
            text += f"; {len(self.skipped)} left out ({counts}): {first}"
        return text


@dataclass(frozen=True)
class Rule:
    """How photographs are decoded."""

    side: int
    crop: Crop
    greyest: float = GREYEST
    """Mean chroma, CIE units, below which a photograph is left out."""


def load(sources: list[Source], side: int, crop: Crop, root: Path, *, greyest: float = GREYEST) -> Photos:
    """Open the cache of these photographs at this size, making it first where it is missing or stale."""
    rule = Rule(side, crop, greyest)
    folder = root / _key(sources, rule)
    try:
        return _map(folder)
    except (OSError, EOFError, KeyError, ValueError):  # not there, or damaged
        _build(sources, rule, folder)
        return _map(folder)


def _map(folder: Path) -> Photos:
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    pixels = np.load(folder / "photos.npy", mmap_mode="c")
    names, categories, digests = (tuple(index[name]) for name in ("names", "categories", "digests"))
    if pixels.shape[:1] != (len(names),):
        raise ValueError(f"{folder} is damaged")
    return Photos(pixels, names, categories, digests, index["skipped"])


def _key(sources: Iterable[Source], rule: Rule) -> str:
    listing = [(s.name, s.category, s.size, s.time) for s in sources]
    text = json.dumps([FORMAT, rule.side, rule.crop, SMALLEST, rule.greyest, listing])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _build(sources: list[Source], rule: Rule, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob("*.partial"):
        if time.time() - left.stat().st_mtime > _ABANDONED:
            shutil.rmtree(left, ignore_errors=True)
    disk.need(folder.parent, len(sources) * 3 * rule.side**2, "decoded photographs", _ELSEWHERE)
    partial = Path(tempfile.mkdtemp(".partial", f"{folder.name}.", folder.parent))
    try:
        with disk.naming(folder):
            index = _decode_all(sources, rule, partial / "photos.npy")
            (partial / "index.json").write_text(json.dumps(index), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    held = sum(path.stat().st_size for path in folder.parent.glob("*/photos.npy"))
    if held > LARGE:
        say(f"{folder.parent} holds {held / 1e6:,.0f} MB of decoded photographs: any of it may be deleted")


def _decode_all(sources: list[Source], rule: Rule, path: Path) -> dict[str, Any]:
    rows: list[tuple[str, str, str]] = []
    skipped: dict[str, str] = {}
    with (
        path.open("wb") as file,
        ThreadPoolExecutor() as pool,
        Progress("decoding photographs", len(sources)) as progress,
    ):
        head = _write_header(file, (0, rule.side, rule.side, 3))
        for start in range(0, len(sources), 512):
            chunk = sources[start : start + 512]
            for source, result in zip(chunk, pool.map(lambda s: decode(s, rule), chunk), strict=True):
                if isinstance(result, str):
                    skipped[source.name] = result
                else:
                    pixels, digest = result
                    file.write(pixels.tobytes())
                    rows.append((source.name, source.category, digest))
                progress.advance()
        file.seek(0)
        end = _write_header(file, (len(rows), rule.side, rule.side, 3))
        assert end == head  # numpy leaves room for the first axis to grow
    if not rows:
        first = "; ".join(f"{name}: {why}" for name, why in list(skipped.items())[:3])
        raise UsageError(f"none of {len(sources)} photographs can be used ({first})")
    names, categories, digests = zip(*rows, strict=True)
    return {"names": names, "categories": categories, "digests": digests, "skipped": skipped}


def keep(values: NDArray[Any], path: Path) -> None:
    """Write an array as .npy, whole or not at all."""
    with disk.writing(path) as file:
        np.save(file, values)


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> int:
    """Write what stands before the bytes of an array in .npy; return its length."""
    np.lib.format.write_array_header_2_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.tell()


def decode(source: Source, rule: Rule) -> tuple[NDArray[np.uint8], str] | str:
    """Return the pixels (side, side, 3) and the digest of a photograph, or why it is left out.

    It is read as the runtime reads it: upright, in sRGB.
    """
    try:
        data = source.read()
        image = images.read(io.BytesIO(data), name=source.name).image.convert("RGB")
    except (PhotoError, OSError) as error:
        return f"unreadable: {error}"
    if min(image.size) < SMALLEST:
        return f"tiny: {image.width}x{image.height}"
    pixels = np.asarray(shrink(image, rule.side, rule.crop))
    if np.hypot(*np.moveaxis(rgb_to_lab(pixels)[..., 1:], -1, 0)).mean() < rule.greyest:
        return "grey"
    return pixels, hashlib.sha256(data).hexdigest()


def shrink(image: Image.Image, side: int, crop: Crop) -> Image.Image:
    """Bring a photograph to side x side, antialiased, from its central square or stretched."""
    square = min(image.size)
    left, top = (image.width - square) / 2, (image.height - square) / 2
    box = (left, top, left + square, top + square) if crop == "center" else None
    return image.resize((side, side), Image.Resampling.BICUBIC, box=box)
