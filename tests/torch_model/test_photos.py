"""Photographs are found, chosen, decoded once, and left out by name where they are no good."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.errors import UsageError
from torch_model import cache, photos
from torch_model.photos import Selection, Source, find

ALL = Selection()


def names(sources: list[Source]) -> set[str]:
    """Return the names of sources."""
    return {source.name for source in sources}


@pytest.fixture(scope="session")
def tar(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same photographs in two tar files, with a manifest of categories."""
    root = tmp_path_factory.mktemp("tars")
    files = sorted(folder.rglob("*.png"))
    for number, part in enumerate((files[:10], files[10:])):
        with tarfile.open(root / f"train-{number:02d}.tar", "w") as archive:
            for file in part:
                archive.add(file, file.name)
    lines = ["name,category", *(f"{file.name},{file.parent.name}" for file in files)]
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


def test_folders_are_searched_through(folder: Path, tmp_path: Path) -> None:
    """A folder gives its photographs and those of its subfolders, which are categories."""
    found = find([str(folder)], ALL, tmp_path)
    assert len(found) == 24
    assert {source.category for source in found} == {"people", "landscape"}


def test_tar_files_equal_folders(folder: Path, tar: Path, tmp_path: Path) -> None:
    """Tar files by pattern give the same bytes, and categories from the manifest beside them."""
    found = find([f"{tar}/train-*.tar"], ALL, tmp_path)
    assert len(found) == 24
    for source in found:
        assert source.read() == (folder / source.category / source.name).read_bytes()


@pytest.mark.parametrize(
    ("selection", "count"),
    [(Selection(limit=5), 5), (Selection(categories=("peo*",)), 8), (Selection(limit=100), 24)],
)
def test_selection(folder: Path, tmp_path: Path, selection: Selection, count: int) -> None:
    """Limits and categories choose among what was found, the same ones each time."""
    chosen = names(find([str(folder)], selection, tmp_path))
    assert len(chosen) == count
    assert chosen == names(find([str(folder)], selection, tmp_path))


def test_list(folder: Path, tmp_path: Path) -> None:
    """A list chooses by whole names or by their last part."""
    listing = tmp_path / "list.txt"
    listing.write_text("00.png\nlandscape/01.png\n\n")
    assert names(find([str(folder)], Selection(listing), tmp_path)) == {"people/00.png", "landscape/01.png"}


@pytest.mark.parametrize("place", ["nowhere", "empty", "broken.tar", "torchvision:NoSuchSet"])
@pytest.mark.usefixtures("torchvision")
def test_nothing_found(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, empty, no tar file or no dataset is refused in one line that says what to do."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("broken.tar").write_bytes(b"no tar file")
    with pytest.raises(UsageError) as error:
        find([place], ALL, tmp_path)
    assert "\n" not in str(error.value)


@pytest.fixture
def torchvision() -> object:
    """Import torchvision, or skip where it is not installed."""
    return pytest.importorskip("torchvision")


@pytest.mark.usefixtures("torchvision")
def test_torchvision_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dataset of torchvision is opened by its name and gives photographs like any folder."""
    from torchvision import datasets

    monkeypatch.setattr(datasets.FakeData.__init__, "__defaults__", (7, (3, 96, 96), 10, None, None, 0))
    found = find(["torchvision:FakeData"], ALL, tmp_path)
    assert len(found) == 7
    with Image.open(io.BytesIO(found[3].read())) as image:
        assert image.size == (96, 96)


def test_torchvision_of_another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torchvision that does not match torch is told in one line, not a traceback."""
    import builtins

    real = builtins.__import__

    def broken(name: str, *arguments: object) -> object:
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
        return real(name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(UsageError, match="different builds"):
        photos.import_torchvision()


def test_cache_is_mapped_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run maps what the first decoded, and decodes nothing."""
    sources = find([str(folder)], ALL, tmp_path)
    first = cache.load(sources, 32, "center", tmp_path)
    monkeypatch.setattr(cache, "decode", None)
    second = cache.load(sources, 32, "center", tmp_path)
    assert isinstance(second.pixels, np.memmap)
    assert second.pixels.shape == (24, 32, 32, 3)
    np.testing.assert_array_equal(first.pixels, second.pixels)


def test_cache_is_stale_after_a_change(tmp_path: Path) -> None:
    """A changed photograph, another size or another crop rule makes another cache."""
    place = tmp_path / "in"
    place.mkdir()
    file = place / "a.png"
    Image.fromarray(np.full((70, 90, 3), (200, 30, 30), np.uint8)).save(file)

    def load(side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return cache.load(find([str(place)], ALL, tmp_path), side, "center", tmp_path).pixels

    red = load(64).copy()
    assert load(32).shape[1] == 32
    Image.fromarray(np.full((70, 90, 3), (30, 200, 30), np.uint8)).save(file)
    os.utime(file, (1, 1))
    assert not np.array_equal(red, load(64))


def test_crop_rules() -> None:
    """The middle square is kept by center, the whole photograph by stretch."""
    image = Image.new("RGB", (200, 100), "red")
    image.paste("lime", (50, 0, 150, 100))
    center, stretched = (np.asarray(cache.shrink(image, 20, crop)) for crop in ("center", "stretch"))
    assert (center[:, 2:-2] == (0, 255, 0)).all()  # the filter reaches over the border by a pixel or two
    assert (stretched[:, 0] == (255, 0, 0)).all()


def test_bad_photographs_are_left_out(tmp_path: Path) -> None:
    """Unreadable, tiny and grey photographs are counted and named, and stop nothing."""
    place = tmp_path / "in"
    place.mkdir()
    rows = np.random.default_rng(0).integers(0, 256, (70, 70, 3), np.uint8)
    Image.fromarray(rows).save(place / "good.png")
    Image.fromarray(rows[:20]).save(place / "tiny.png")
    Image.fromarray(rows).convert("L").save(place / "grey.png")
    (place / "bad.jpg").write_bytes((place / "good.png").read_bytes()[:300])
    found = cache.load(find([str(place)], ALL, tmp_path), 64, "center", tmp_path)
    assert found.names == ("good.png",)
    assert set(found.skipped) == {"tiny.png", "grey.png", "bad.jpg"}
    for name in found.skipped:
        assert name in found.report()


def test_only_bad_photographs(tmp_path: Path) -> None:
    """Where none can be used, that is said, and no half-made cache is left."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.jpg").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"none of 1 photographs can be used.*bad\.jpg"):
        cache.load(find([str(tmp_path / "in")], ALL, tmp_path), 64, "center", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_split_of_a_hundred() -> None:
    """100 photographs give 95 and 5, by content: the same whatever their names and order."""
    digests = tuple(f"{value:064x}" for value in np.random.default_rng(0).permutation(100))
    pixels = np.zeros((100, 1, 1, 3), np.uint8)
    blank = ("",) * 100
    training, held = cache.Photos(pixels, blank, blank, digests, {}).split()
    assert (len(training), len(held)) == (95, 5)
    backwards = cache.Photos(pixels, blank, blank, digests[::-1], {}).split()[1]
    assert [digests[i] for i in held] == [digests[::-1][i] for i in backwards]


def test_default_without_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a folder photos, scikit-image's sample photographs are taken, and that is said."""
    pytest.importorskip("skimage")
    monkeypatch.chdir(tmp_path)
    places = photos.default(photos.DEFAULT)
    assert "scikit-image" in capsys.readouterr().out
    assert len(find(places, ALL, tmp_path)) == len(photos.SAMPLE_NAMES)
    assert photos.default(("elsewhere",)) == ("elsewhere",)
