"""Find photographs: in folders, in tar files, in torchvision's datasets.

Everything found is a `Source`: a name, a category, and a way to its bytes. Nothing is decoded here.
"""

from __future__ import annotations

import csv
import fnmatch
import hashlib
import inspect
import io
import os
import tarfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"})
TORCHVISION = "torchvision:"
DEFAULT = ("photos",)
SAMPLES = "skimage:samples"
SAMPLE_NAMES = frozenset({"astronaut", "chelsea", "coffee", "motorcycle_left", "rocket"})


@dataclass(frozen=True)
class Source:
    """One photograph that can be read."""

    name: str
    category: str
    size: int
    """Bytes, as listed; with `time` it tells whether a cache is stale."""
    time: float
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Selection:
    """Which of the photographs found are wanted."""

    names: Path | None = None
    """A file of names (whole, or the last part), one a line."""
    limit: int | None = None
    """At most so many; which ones depends on their names alone."""
    categories: tuple[str, ...] = ()
    """Patterns of categories; none means all."""


def find(data: Sequence[str], selection: Selection, download: Path) -> list[Source]:
    """List the photographs in folders, tar files (or patterns of their names) and `torchvision:NAME`.

    `download` is where torchvision keeps what it fetches. Raises UsageError where nothing is found.
    """
    found = [source for place in data for source in _open(place, download)]
    chosen = _select(found, selection)
    if not chosen:
        described = f"none of the {len(found)} there is selected" if found else "nothing that looks like one"
        raise UsageError(
            f"no photographs in {', '.join(data)}: {described}. Name folders or .tar files of photographs"
        )
    return chosen


def _open(place: str, download: Path) -> Iterator[Source]:
    if place.startswith(TORCHVISION):
        return _torchvision(place.removeprefix(TORCHVISION), download)
    if place == SAMPLES:
        return _samples()
    path = Path(place)
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _tar(path)
    matches = sorted(path.parent.glob(path.name)) if set(place) & set("*?[") else []
    if not matches:
        raise UsageError(f"there is no {place}: name a folder or a .tar file of photographs")
    return (source for match in matches for source in _open(str(match), download))


def _folder(root: Path) -> Iterator[Source]:
    entered: set[str] = set()
    for folder, folders, files in os.walk(root, onerror=_say_unreadable, followlinks=True):
        folders[:] = [name for name in sorted(folders) if _is_new(Path(folder, name), entered)]
        for file in sorted(files):
            path = Path(folder, file)
            if path.suffix.lower() in SUFFIXES and path.is_file():
                name = path.relative_to(root)
                category = name.parts[0] if len(name.parts) > 1 else ""
                status = path.stat()
                yield Source(name.as_posix(), category, status.st_size, status.st_mtime, path.read_bytes)


def _is_new(folder: Path, entered: set[str]) -> bool:
    """Say whether a folder was not yet entered, by another link to it."""
    real = os.path.realpath(folder)
    known = real in entered
    entered.add(real)
    return not known


def _say_unreadable(error: OSError) -> None:
    print(f"left out the folder {error.filename}: {error.strerror}")


def _tar(path: Path) -> Iterator[Source]:
    try:
        with tarfile.open(path, "r:") as archive:
            members = [member for member in archive if member.isfile()]
    except tarfile.TarError as error:
        raise UsageError(f"{path} is not an uncompressed tar file: {error}") from error
    categories = _manifest(path.with_name("manifest.csv"))
    time = path.stat().st_mtime
    for member in members:
        if Path(member.name).suffix.lower() in SUFFIXES:
            category = categories.get(member.name, Path(member.name).parent.as_posix().strip("."))
            read = partial(_read_at, path, member.offset_data, member.size)
            yield Source(member.name, category, member.size, time, read)


def _read_at(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _manifest(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if not {"name", "category"} <= set(rows.fieldnames or ()):
            return {}  # of something else
        return {row["name"]: row["category"] for row in rows}


def _torchvision(name: str, root: Path) -> Iterator[Source]:
    """Open a dataset class of torchvision by its name, for training, downloading it where it can."""
    factory = getattr(import_torchvision().datasets, name, None)
    if not isinstance(factory, type):
        raise UsageError(f"torchvision has no dataset named {name}")
    wanted: dict[str, Any] = {"root": str(root), "download": True, "train": True, "split": "train"}
    accepted = inspect.signature(factory).parameters
    try:
        dataset = factory(**{key: value for key, value in wanted.items() if key in accepted})
    except Exception as error:  # what downloading and unpacking may raise has no common base
        raise UsageError(f"torchvision's dataset {name} could not be opened: {error}") from error
    for index in range(len(dataset)):
        yield Source(f"{name}/{index:07d}", "", len(dataset), 0.0, partial(_read_item, dataset, index))


def _read_item(dataset: Any, index: int) -> bytes:
    image = dataset[index][0]
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def import_torchvision() -> Any:
    """Import torchvision; raise UsageError in one line where it is missing or of another build."""
    try:
        import torchvision
    except ImportError as error:
        raise UsageError("torchvision is not installed: pip install -e '.[train]'") from error
    except RuntimeError as error:
        raise UsageError(
            "torch and torchvision come from different builds (one for CUDA, one for the CPU): "
            "install both from one index, see the README"
        ) from error
    return torchvision


def _select(sources: list[Source], selection: Selection) -> list[Source]:
    if selection.names is not None:
        listed = {line.strip() for line in selection.names.read_text(encoding="utf-8").splitlines()}
        sources = [s for s in sources if s.name in listed or Path(s.name).name in listed]
        found = {name for source in sources for name in (source.name, Path(source.name).name)}
        if missing := sorted(listed - found - {""}):
            print(f"{len(missing)} names of {selection.names} are not there: {', '.join(missing[:5])}")
    if selection.categories:
        sources = [s for s in sources if any(fnmatch.fnmatch(s.category, p) for p in selection.categories)]
    if selection.limit is not None and selection.limit < len(sources):
        sources = sorted(sources, key=lambda s: hashlib.sha256(s.name.encode()).digest())[: selection.limit]
    return sources


def default(data: tuple[str, ...]) -> tuple[str, ...]:
    """Return --data, or scikit-image's sample photographs where it is the default and not there."""
    if data != DEFAULT or next(_folder(Path(DEFAULT[0])), None) is not None:
        return data
    print("no photographs in a folder photos: taking scikit-image's samples, to show how it goes")
    return (SAMPLES,)


def _samples() -> Iterator[Source]:
    """List the color photographs that scikit-image carries in its package."""
    import skimage

    root = Path(skimage.__file__).parent / "data"
    return (source for source in _folder(root) if Path(source.name).stem in SAMPLE_NAMES)
