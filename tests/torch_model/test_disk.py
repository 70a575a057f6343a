"""A disk that is full, or will be, is told in one line and leaves nothing half-written."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image

from disks import full
from tintype.errors import OutputError, UsageError
from torch_model import cache, checkpoint, disk, journal, photos
from torch_model.photos import Selection

if TYPE_CHECKING:
    from pathlib import Path


def test_json_is_whole_and_its_folders_are_made(tmp_path: Path) -> None:
    """Values are written into folders that were not there, and nothing lies beside them."""
    path = tmp_path / "a" / "b" / "values.json"
    disk.write_json(path, {"psnr": 23.5})
    assert path.read_text() == '{\n "psnr": 23.5\n}\n'
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "kind"), [("sheet.jpg", "JPEG"), ("sheet.png", "PNG"), ("sheet.webp", "WEBP")]
)
def test_pictures_are_what_their_name_says(tmp_path: Path, name: str, kind: str) -> None:
    """A picture's format is what its name ends in."""
    disk.draw(Image.new("RGB", (8, 8), "red"), tmp_path / name)
    with Image.open(tmp_path / name) as picture:
        assert picture.format == kind


def test_picture_of_no_format(tmp_path: Path) -> None:
    """A name that stands for no format is refused, and says which ones there are."""
    with pytest.raises(UsageError, match=r"sheet\.txt: end the name .* \.png"):
        disk.draw(Image.new("RGB", (8, 8)), tmp_path / "sheet.txt")
    assert not list(tmp_path.iterdir())


def test_checkpoint_on_a_full_disk(tmp_path: Path) -> None:
    """A checkpoint that does not fit is told with the system's reason; the one before it stays."""
    checkpoint.save(tmp_path, 1, {"best": None}, None)
    with (
        full(100_000),
        pytest.raises(OutputError, match=r"step-0000002\.pt cannot be written: File too large"),
    ):
        checkpoint.save(tmp_path, 2, {"best": None, "weights": torch.zeros(100_000)}, None)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000001.pt"]


def test_row_on_a_full_disk(tmp_path: Path) -> None:
    """A row of the log that does not fit is told with the log's name."""
    log = journal.Journal(tmp_path, 0, tensorboard=False)
    row = journal.Row(step=1, epoch=0.1, seconds=1.0, lr=0.1, loss=0.5, images_per_second=10.0)
    with full(10), pytest.raises(OutputError, match=r"log\.csv cannot be written: File too large"):
        log.add(row)


def test_room_is_asked_for_before_photographs_are_decoded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photographs that will not fit decoded are refused before the first is read, with what can be done."""
    monkeypatch.setattr(cache, "decode", None)
    sources = photos.find([str(folder)], Selection(), tmp_path)
    with pytest.raises(
        UsageError, match=r"decoded photographs take up to [\d,]+ MB, and [\d,]+ MB are free for .*--cache"
    ):
        cache.load(sources, 10_000_000, "center", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_disk_that_fills_while_photographs_are_decoded(folder: Path, tmp_path: Path) -> None:
    """A disk that fills on the way is told with the cache's name, and no half-made cache is left."""
    sources = photos.find([str(folder)], Selection(), tmp_path)
    with full(10_000), pytest.raises(OutputError, match="cannot be written: File too large"):
        cache.load(sources, 64, "center", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_large_caches_are_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once decoded photographs take much room, how much is said, and that they may be deleted."""
    monkeypatch.setattr(cache, "LARGE", 1_000_000)
    sources = photos.find([str(folder)], Selection(), tmp_path)
    for side in (64, 128):
        assert "may be deleted" not in capsys.readouterr().err
        cache.load(sources, side, "center", tmp_path)
    assert f"{tmp_path} holds 1 MB of decoded photographs: any of it may" in capsys.readouterr().err


def test_header_has_room_for_every_count(tmp_path: Path) -> None:
    """As many bytes stand before no photograph as before billions: their count can be written last."""
    lengths = {cache._write_header(io.BytesIO(), (count, 192, 192, 3)) for count in (0, 1, 18_586, 10**10)}
    assert len(lengths) == 1
