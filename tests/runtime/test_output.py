"""Writing results: whole or not at all, never over anything by accident, with what the file held besides."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tintype import output, profiles
from tintype.encoding import encode
from tintype.errors import CancelledError, OutputError, PhotoChangedError, PhotoError, UsageError
from tintype.photo import Photo
from tintype.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[Any]

FULL_DISK = """
import resource, sys
from pathlib import Path
from tintype import output
from tintype.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    with output.replacing(Path(sys.argv[1])) as file:
        file.write(bytes(100_000))
except OutputError as error:
    print(error)
"""


def test_whole(tmp_path: Path) -> None:
    """What is written appears under its name when all is there, and not before."""
    path = tmp_path / "color.png"
    with output.replacing(path) as file:
        file.write(b"one")
        assert not path.exists()
        file.write(b"two")
    assert path.read_bytes() == b"onetwo"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("broken"), MemoryError(), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("earlier", [None, b"an earlier result"])
def test_error_in_the_middle(tmp_path: Path, error: BaseException, earlier: bytes | None) -> None:
    """An error in the middle leaves nothing behind, and an earlier result as it was."""
    path = tmp_path / "color.png"
    if earlier is not None:
        path.write_bytes(earlier)
    with pytest.raises(type(error)), output.replacing(path) as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if earlier is None else [earlier])


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("moment", ["open", "write", "fsync", "replace"])
def test_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, moment: str) -> None:
    """A full disk or a missing permission, at any moment, is one OutputError, and leaves nothing behind."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    if moment in ("open", "replace"):
        monkeypatch.setattr(Path, moment, refuse)
    elif moment == "fsync":
        monkeypatch.setattr(os, "fsync", refuse)
    path = tmp_path / "color.png"
    with pytest.raises(OutputError) as caught, output.replacing(path) as file:  # noqa: PT012
        file.write(b"half")
        if moment == "write":
            refuse()
    assert str(caught.value) == f"{path} cannot be written: {os.strerror(code)}"
    assert isinstance(caught.value, PhotoError)
    assert isinstance(caught.value, OSError)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_full_disk(tmp_path: Path) -> None:
    """When the system stops a file from growing, the error says so, and nothing is left."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "color.png")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{tmp_path / 'color.png'} cannot be written: File too large"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["nowhere/color.png", "file/color.png", "folder"])
def test_impossible_places(tmp_path: Path, place: str) -> None:
    """A folder that is missing or a file, and a folder in the result's place, are OutputErrors."""
    (tmp_path / "file").write_text("a file")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="cannot be written"), output.replacing(tmp_path / place) as file:
        file.write(b"content")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("place", "made"), [("new/deep", True), ("", True), ("file/deep", False)])
def test_check_folder(tmp_path: Path, place: str, made: bool) -> None:  # noqa: FBT001
    """A folder for results is made if missing, and nothing stays in it; else it is refused."""
    (tmp_path / "file").write_text("a file")
    folder = tmp_path / place
    if made:
        output.check_folder(folder)
        assert [p.name for p in folder.iterdir()] == ([] if place else ["file"])
    else:
        with pytest.raises(OutputError, match="cannot be written"):
            output.check_folder(folder)


def test_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is there but takes no files is found out before the work."""

    def refuse(**_: Any) -> BinaryIO:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        output.check_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.jpg", ".jpg"),
        ("a.JPEG", ".JPEG"),
        ("a.b.tif", ".tif"),
        ("a.gif", ".png"),
        ("a.pgm", ".png"),
        ("a", ".png"),
        (".jpg", ".png"),
        ("a.nef", ".png"),
    ],
)
def test_suffix(name: str, suffix: str) -> None:
    """A result keeps its photograph's suffix where color can be written so, and else becomes a PNG."""
    assert output.suffix_for(name) == suffix


@pytest.mark.parametrize("name", ["a.gif", "a", "a.txt", "a.png.zip"])
def test_unknown_format(name: str) -> None:
    """A name that stands for no format is refused with the ones that do."""
    with pytest.raises(UsageError, match=r"end the name of a photograph with one of \.jpg, .*folder with /"):
        output.format_of(Path(name))


def _photo(**info: Any) -> Photo:
    return Photo(Image.new("L", (8, 8)), "JPEG", info)


@pytest.mark.parametrize("format_name", sorted(set(output.FORMATS.values())))
def test_formats(format_name: str, color_array: Array) -> None:
    """Every format gives the picture back; those that can hold a profile say that it is sRGB."""
    photo = _photo()
    stream = io.BytesIO(output.encoded(Image.fromarray(color_array), photo, format_name))
    with Image.open(stream) as stored:
        assert stored.format == format_name
        np.testing.assert_allclose(np.asarray(stored), color_array, atol=40)
        assert ("icc_profile" in stored.info) == (format_name not in ("BMP", "PPM"))
    assert not photo.notes


@pytest.mark.parametrize("format_name", sorted(set(output.FORMATS.values())))
def test_alpha(format_name: str) -> None:
    """Transparency is kept where the format can, and else put on white, which the notes say."""
    picture, photo = Image.new("RGBA", (8, 8), (200, 30, 30, 0)), _photo()
    with Image.open(io.BytesIO(output.encoded(picture, photo, format_name))) as stored:
        if format_name not in ("JPEG", "BMP", "PPM"):
            assert stored.getchannel("A").getextrema() == (0, 0)
            assert not photo.notes
        else:
            assert np.asarray(stored).min() > 250
            assert photo.notes == [f"{format_name} keeps no transparency: put on white"]


def _exif() -> bytes:
    """Return what a camera writes: a maker, and a folder with a date in it."""
    exif = Image.Exif()
    exif[271], exif[34665] = "Maker", {36867: "2001:01:01 00:00:00"}
    return exif.tobytes()


@pytest.mark.parametrize("compression", [None, "raw", "tiff_lzw"])
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_metadata(format_name: str, compression: str | None) -> None:
    """EXIF and resolution of a camera's file go into every format that holds them."""
    photo = _photo(exif=_exif(), dpi=(300, 300), compression=compression)
    with Image.open(io.BytesIO(output.encoded(Image.new("RGB", (8, 8)), photo, format_name))) as stored:
        assert stored.getexif()[271] == "Maker"
        if format_name != "TIFF":
            assert stored.getexif().get_ifd(34665)[36867] == "2001:01:01 00:00:00"
        if format_name != "WEBP":
            assert stored.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
    assert not photo.notes


@pytest.mark.parametrize(
    ("info", "format_name"),
    [
        ({"dpi": (float("nan"), 1)}, "PNG"),
        ({"dpi": (float("inf"), 1)}, "JPEG"),
        ({"exif": b"Exif\0\0" + bytes(70_000)}, "JPEG"),
        ({"exif": b"Exif\0\0nothing of the kind"}, "TIFF"),
        ({"xmp": bytes(70_000)}, "JPEG"),
    ],
)
def test_metadata_that_does_not_fit(info: dict[str, Any], format_name: str) -> None:
    """Metadata that a format cannot hold is left out, which the notes say; the picture is written."""
    photo = _photo(**info)
    with Image.open(io.BytesIO(output.encoded(Image.new("RGB", (8, 8)), photo, format_name))) as stored:
        stored.load()
    assert [note.split(" was left out")[0] for note in photo.notes] == [f"its {next(iter(info))}"]


@pytest.mark.parametrize(("format_name", "size"), [("WEBP", (16384, 1)), ("JPEG", (1, 65501))])
def test_longest_side(format_name: str, size: tuple[int, int], tmp_path: Path) -> None:
    """A picture longer than a format allows is refused with formats that take it; nothing is left."""
    with pytest.raises(OutputError, match=f"{format_name} holds at most .*choose PNG or TIFF"):
        output.encoded(Image.new("RGB", size), _photo(), format_name)
    with pytest.raises(OutputError, match="choose PNG"), output.replacing(tmp_path / "long.webp") as file:
        encode(Image.new("RGB", size), _photo(), file, format_name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("came", "format_name"),
    [("JPEG", "JPEG"), ("MPO", "JPEG"), ("TIFF", "TIFF"), ("GIF", "PNG"), ("", "PNG")],
)
def test_format_of_bytes(came: str, format_name: str) -> None:
    """Bytes come back in the format they came in, or as PNG where that cannot be written."""
    photo = Photo(Image.new("L", (8, 8)), came)
    with Image.open(io.BytesIO(output.encoded(Image.new("RGB", (8, 8)), photo))) as stored:
        assert stored.format == format_name


def test_same_bytes(color_array: Array) -> None:
    """The same picture gives the same bytes, at any time of day."""
    picture = Image.fromarray(color_array)
    profiles.srgb.cache_clear()
    first = output.encoded(picture, _photo())
    profiles.srgb.cache_clear()
    assert output.encoded(picture, _photo()) == first


@pytest.mark.parametrize("format_name", sorted(set(output.FORMATS.values())))
def test_watched(format_name: str, tmp_path: Path, color_array: Array) -> None:
    """A result that is watched is the same file, and the watch hears of it, never of more than all."""
    suffix = next(suffix for suffix, name in output.FORMATS.items() if name == format_name)
    picture, told = Image.fromarray(color_array), list[float]()
    plain, watched = tmp_path / f"plain{suffix}", tmp_path / f"watched{suffix}"
    output.write(picture, _photo(), plain)
    output.write(picture, _photo(), watched, watch=Watch(told.append))
    assert plain.read_bytes() == watched.read_bytes()
    assert told
    assert all(0 <= share <= 1 for share in told)


@pytest.mark.parametrize("format_name", sorted(set(output.FORMATS.values())))
def test_cancelled(format_name: str, tmp_path: Path) -> None:
    """Encoding that is cancelled leaves nothing behind, and an earlier result as it was."""
    target = tmp_path / "color"
    target.write_bytes(b"an earlier result")
    watch = Watch(lambda _share: watch.cancel())
    with pytest.raises(CancelledError):
        output.write(Image.effect_noise((600, 600), 90).convert("RGB"), _photo(), target, format_name, watch)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"an earlier result"]


def test_original_is_kept(tmp_path: Path) -> None:
    """A place that is the photograph itself, also through a link, is refused; any other is not."""
    photo, other, link = tmp_path / "photo.png", tmp_path / "other.png", tmp_path / "link.png"
    photo.touch()
    other.touch()
    link.symlink_to(photo)
    for place in (photo, link, tmp_path / "." / "photo.png"):
        with pytest.raises(OutputError, match="it is the original; choose another name"):
            output.keep_original(photo, other, None, place)
    output.keep_original(photo, other, tmp_path / "new.png", None)
    output.keep_original(None, photo)
    output.keep_original(tmp_path / "gone.png", photo)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (700, 900)])
def test_tiff(mode: str, size: tuple[int, int], color_array: Array) -> None:
    """A TIFF, of one strip or several, gives every pixel back, and comes deflated unless it came plain."""
    picture = Image.fromarray(color_array).resize(size).convert(mode)
    for came, wanted in (("tiff_lzw", "tiff_adobe_deflate"), ("raw", "raw")):
        stored = output.encoded(picture, _photo(compression=came), "TIFF")
        with Image.open(io.BytesIO(stored)) as opened:
            assert (opened.mode, opened.info["compression"]) == (mode, wanted)
            np.testing.assert_array_equal(np.asarray(opened), np.asarray(picture))


def test_others_work_while_a_tiff_is_written() -> None:
    """While a TIFF is compressed, other threads get their turn: a window would stand still otherwise."""
    picture = Image.effect_noise((1500, 1500), 90).convert("RGB")
    # the longest wait of the others, as a share of the writing; of three, the machine may be busy
    assert min(_waited(lambda: output.encoded(picture, _photo(), "TIFF")) for _ in range(3)) < 0.5


def _waited(work: Callable[[], object]) -> float:
    ended, longest = threading.Event(), 0.0

    def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not ended.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    ended.set()
    thread.join()
    return longest / took


def test_seal(tmp_path: Path) -> None:
    """Before a whole result takes its name it can be looked at, and kept from it."""
    seen: list[os.stat_result] = []
    path = tmp_path / "a.bin"
    with output.replacing(path, seal=seen.append) as file:
        file.write(b"whole")
    assert (seen[0].st_size, seen[0].st_mtime_ns) == (5, path.stat().st_mtime_ns)

    def refuse(_: os.stat_result) -> None:
        raise PhotoChangedError(path)

    with pytest.raises(PhotoChangedError), output.replacing(path, seal=refuse) as file:
        file.write(b"other")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]
