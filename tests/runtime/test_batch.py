"""Many photographs: found, named, planned, and one that fails stops no other."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tintype import Adjustments, Colorizer, batch, models
from tintype.batch import Job, Naming, Record
from tintype.errors import OutputError, UsageError

RECORD = Record("a.png", "a_color.png", "done", width=3, height=2, seconds=0.5, psnr=31.25)


def _touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def _names(out: Path | None = None, template: str = batch.DEFAULT_NAME) -> Naming:
    return Naming(out, folder=True, template=template, model="stub")


def _run(jobs: list[Job], colorizer: Colorizer, **options: Any) -> list[Record]:
    settings = {"overwrite": False, "max_megapixels": 512.0} | options
    return list(batch.run(jobs, colorizer, Adjustments(), None, **settings))


def test_discover_folder(tmp_path: Path) -> None:
    """Of a folder the photographs are taken, sorted; other files and folders are not."""
    _touch(tmp_path, "b.JPG", "a.png", "c.tiff", "d.pgm", "e.gif", "notes.txt", "noise", "deep/f.png")
    (tmp_path / "folder.png").mkdir()
    names = [path.name for path in batch.discover([tmp_path])]
    assert names == ["a.png", "b.JPG", "c.tiff", "d.pgm", "e.gif"]


def test_discover_files(tmp_path: Path) -> None:
    """Files stay in the order they were given, whatever they are called, there or not, each once."""
    first, second = _touch(tmp_path, "z.dat", "a.png")
    missing = tmp_path / "missing.png"
    assert batch.discover([first, missing, second, first]) == [first, missing, second]
    assert batch.discover([second, tmp_path]) == [second]


def test_folder_without_photographs(tmp_path: Path) -> None:
    """A folder without photographs is an error that names it."""
    _touch(tmp_path, "notes.txt")
    with pytest.raises(UsageError, match=f"there are no photographs in the folder {tmp_path}"):
        batch.discover([tmp_path])


def test_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be read is an error that says why."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        batch.discover([tmp_path])


def test_place_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photograph that may not be looked at is left to fail on its own."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert batch.discover([tmp_path / "secret.png"]) == [tmp_path / "secret.png"]


@pytest.mark.parametrize(
    ("out", "inputs", "target"),
    [
        (None, ["in/a.jpg"], "in/a_color.jpg"),
        ("b.png", ["in/a.jpg"], "b.png"),
        ("new/b.png", ["in/a.jpg"], "new/b.png"),
        ("there", ["in/a.jpg"], "there/a_color.jpg"),
        ("new/", ["in/a.jpg"], "new/a_color.jpg"),
        ("new", ["in/a.jpg", "in/b.jpg"], "new/a_color.jpg"),
        ("new", ["in"], "new/a_color.jpg"),
        ("new.png", ["in"], "new.png/a_color.jpg"),
        (None, ["in/a.gif"], "in/a_color.png"),
    ],
)
def test_naming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str | None, inputs: list[str], target: str
) -> None:
    """--out is a file for one photograph and an image's name, and a folder, made if missing, otherwise."""
    monkeypatch.chdir(tmp_path)
    _touch(tmp_path, "in/a.jpg", "in/b.jpg", "there/other.txt")
    names = batch.naming([Path(name) for name in inputs], out, batch.DEFAULT_NAME, "stub")
    source = Path("in/a.jpg") if Path(inputs[0]).is_dir() else Path(inputs[0])
    assert names.target(source) == Path(target)
    assert Path(target).parent.is_dir()


def test_out_without_format(tmp_path: Path) -> None:
    """A name for one photograph without an image's suffix is refused, and nothing is made."""
    with pytest.raises(UsageError, match=r"result\.txt: end the name of a photograph with one of"):
        batch.naming([Path("a.jpg")], str(tmp_path / "new" / "result.txt"), batch.DEFAULT_NAME, "stub")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("template", "name"), [("{stem}.{model}.png", "a.stub.png"), ("x{ext}", "x.jpg")])
def test_template(template: str, name: str) -> None:
    """--name makes names of stem, suffix and model."""
    assert batch.naming([Path("a.jpg")], None, template, "stub").target(Path("in/a.jpg")) == Path("in", name)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{size}{ext}", "known are {stem}, {ext} and {model}"),
        ("{}{ext}", "known are"),
        ("{stem{ext}", "known are"),
        ("{stem.parent}{ext}", "known are"),
        ("{stem:d}{ext}", "known are"),
        ("{stem}", "end the name of a photograph with one of"),
        ("", "end the name of a photograph|a name alone"),
        ("{stem}.xcf", "end the name of a photograph with one of"),
        ("{model}/{stem}{ext}", "it is a name alone; --out takes the folder"),
        ("../{stem}{ext}", "it is a name alone"),
    ],
)
def test_bad_template(template: str, message: str) -> None:
    """A --name that cannot be a photograph's is refused before the work, with what to do."""
    with pytest.raises(UsageError, match=message):
        batch.naming([Path("a.jpg")], None, template, "stub")


def test_plan(tmp_path: Path) -> None:
    """Each photograph has its place, and its comparison beside it where one is wanted."""
    sources = [tmp_path / "a.jpg", tmp_path / "b.gif"]
    jobs = batch.plan(sources, _names(Path("out")))
    assert jobs == [Job(sources[0], Path("out/a_color.jpg")), Job(sources[1], Path("out/b_color.png"))]
    compared = batch.plan(sources, _names(Path("out")), compare=True)
    assert [job.comparison for job in compared] == [Path("out/a_compare.png"), Path("out/b_compare.png")]


@pytest.mark.parametrize(
    ("files", "out", "template", "compare", "message"),
    [
        (["a.jpg", "deep/a.jpg"], "out", "{stem}_color{ext}", False, "would both become .*a_color.jpg"),
        (["a.jpg", "b.jpg"], "out", "x{ext}", False, "would both become"),
        (["a.gif", "a.png"], None, "{stem}_color{ext}", False, "would both become"),
        (["a.jpg", "a.png"], None, "{stem}_color{ext}", True, "would both become .*a_compare.png"),
        (["a.jpg"], None, "{stem}{ext}", False, "is a photograph of this run"),
        (["a.jpg", "a_color.jpg"], None, "{stem}_color{ext}", False, "is a photograph of this run"),
        (["a.jpg", "a_compare.png"], None, "{stem}_color{ext}", True, "is a photograph of this run"),
    ],
)
def test_collisions(  # noqa: PLR0917 - cases are many-sided
    tmp_path: Path,
    files: list[str],
    out: str | None,
    template: str,
    compare: bool,  # noqa: FBT001
    message: str,
) -> None:
    """Two results of one name, or a result in a photograph's place, are refused before the work."""
    sources = _touch(tmp_path, *files)
    names = _names(None if out is None else tmp_path / out, template)
    with pytest.raises(UsageError, match=message):
        batch.plan(sources, names, compare=compare)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_collision_through_a_link(tmp_path: Path) -> None:
    """A result that a link leads to a photograph is refused too."""
    _touch(tmp_path, "in/a.png", "in/a_color.png")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    sources = [tmp_path / "link" / "a.png", tmp_path / "in" / "a_color.png"]
    with pytest.raises(UsageError, match="is a photograph of this run"):
        batch.plan(sources, _names())


def test_without_results(tmp_path: Path) -> None:
    """Results and comparisons of an earlier run are left out of a folder, unless named themselves."""
    sources = _touch(tmp_path, "a.png", "a_color.png", "a_compare.png", "b_color.png")
    kept = batch.without_results(sources, [tmp_path], _names())
    assert [path.name for path in kept] == ["a.png", "b_color.png"]
    assert batch.without_results(sources, [tmp_path, sources[1]], _names()) == [*sources[:2], sources[3]]
    assert batch.without_results(sources, [tmp_path], _names(tmp_path / "out")) == sources


def test_run(colorizer: Colorizer, color_photo: Path, grey_photo: Path, stub: Path, tmp_path: Path) -> None:
    """Each photograph gives a record of what became of it, in order, when it has become so."""
    jobs = batch.plan([color_photo, grey_photo], _names())
    work = batch.run(jobs, colorizer, Adjustments(), None, overwrite=False, max_megapixels=512)
    first = next(work)
    assert jobs[0].target.exists()
    assert not jobs[1].target.exists()
    second = next(work)
    assert (first.input, first.output) == (str(color_photo), str(jobs[0].target))
    assert (first.status, first.reason, first.width, first.height) == ("done", None, 72, 48)
    assert (first.model, first.working_size, first.provider) == ("stub", 64, "cpu")
    assert first.model_sha256 == models.sha256(stub)
    assert first.psnr is not None
    assert second.psnr is None
    assert first.seconds is not None


def test_skip_and_overwrite(colorizer: Colorizer, color_photo: Path, tmp_path: Path) -> None:
    """A result that is there is left alone and said to be, unless it shall be made again."""
    jobs = batch.plan([color_photo], _names())
    jobs[0].target.write_bytes(b"precious")
    (skipped,) = _run(jobs, colorizer)
    assert (skipped.status, skipped.output) == ("skipped", str(jobs[0].target))
    assert jobs[0].target.read_bytes() == b"precious"
    (done,) = _run(jobs, colorizer, overwrite=True)
    assert done.status == "done"
    assert jobs[0].target.read_bytes() != b"precious"


def test_failures_stop_no_other(colorizer: Colorizer, color_photo: Path, tmp_path: Path) -> None:
    """Photographs that are missing, damaged, folders or too large fail alone; the others are colorized."""
    (broken,) = _touch(tmp_path, "broken.png")
    (tmp_path / "folder.png").mkdir()
    large = tmp_path / "large.png"
    Image.new("L", (100, 100)).save(large)
    sources = [tmp_path / "missing.png", broken, tmp_path / "folder.png", large, color_photo]
    before = set(tmp_path.iterdir())
    records = _run(batch.plan(sources, _names()), colorizer, max_megapixels=0.005)
    assert [record.status for record in records] == ["failed"] * 4 + ["done"]
    reasons = ["there is no photograph", "it is empty", "it is a folder", "raise --max-megapixels"]
    for record, source, reason in zip(records, sources, reasons, strict=False):
        assert (record.input, record.output) == (str(source), None)
        assert record.reason is not None
        assert reason in record.reason
        assert str(source) in record.reason
    assert set(tmp_path.iterdir()) - before == {tmp_path / "meadow_color.png"}


def test_full_disk_stops_no_other(
    colorizer: Colorizer, color_photo: Path, grey_photo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A result that finds no space fails alone, and leaves nothing behind."""
    real = os.fsync
    refusals = iter([True, False])

    def refuse_first(descriptor: int) -> None:
        if next(refusals):
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_first)
    failed, done = _run(batch.plan([color_photo, grey_photo], _names()), colorizer)
    assert (failed.status, done.status) == ("failed", "done")
    assert failed.reason == f"{tmp_path / 'meadow_color.png'} cannot be written: No space left on device"
    assert {path.name for path in tmp_path.iterdir()} == {"meadow.png", "street.png", "street_color.png"}


def test_notes(colorizer: Colorizer, tmp_path: Path) -> None:
    """What a person should know of a photograph stands in its record."""
    frames = [Image.new("L", (9, 9), value) for value in (0, 255)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    (record,) = _run(batch.plan([tmp_path / "moving.gif"], _names()), colorizer)
    assert record.reason == "the first of 2 pages or frames was taken"


def test_json() -> None:
    """A record is one line, with all its names, null where there is nothing to say."""
    line = batch.to_json(RECORD)
    assert "\n" not in line
    found = json.loads(line)
    names = "input output status reason width height seconds model model_sha256 working_size provider psnr"
    assert list(found) == names.split()
    assert found["psnr"] == 31.25
    assert found["reason"] is None


@pytest.mark.parametrize("name", ["Zoë.png", "caf\udce9.png", 'quo"te.png', "line\nbreak.png"])
def test_json_of_any_name(name: str) -> None:
    """Any name that a file can have fits into a line of ASCII and comes back."""
    line = batch.to_json(Record(name, None, "failed"))
    assert line.isascii()
    assert json.loads(line)["input"] == name


def test_report(tmp_path: Path) -> None:
    """The report holds the records, whole or not at all."""
    path = tmp_path / "report.json"
    batch.write_report(path, [RECORD, Record("caf\udce9.png", None, "failed")], 1_000_000_000)
    report = json.loads(path.read_bytes())
    assert report["version"] == 1
    assert report["started"] == "2001-09-09T01:46:40+00:00"
    assert report["seconds"] > 0
    assert report["photos"][0] == json.loads(batch.to_json(RECORD))
    with pytest.raises(OutputError):
        batch.write_report(tmp_path / "nowhere" / "report.json", [], 0)
