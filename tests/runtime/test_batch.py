"""Many photographs: one that fails stops no other, what is done is done once, nothing is lost."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tintype import Adjustments, Colorizer, batch, memory, models, naming, workbench
from tintype.batch import Settings
from tintype.discover import Source
from tintype.errors import PhotoTooLargeError
from tintype.journal import NAME, Journal
from tintype.naming import Job, Naming

if TYPE_CHECKING:
    from pathlib import Path

    from tintype.records import Record

SETTINGS = Settings(Adjustments())


def _names(out: Path | None = None) -> Naming:
    return Naming(out, folder=True, template=naming.DEFAULT_NAME, model="stub")


def _plan(*sources: Path, out: Path | None = None, compare: bool = False) -> list[Job]:
    return naming.plan(map(Source, sources), _names(out), compare=compare)


def _run(
    jobs: list[Job], colorizer: Colorizer, journal: Journal | None = None, **options: Any
) -> list[Record]:
    return list(batch.run(jobs, colorizer, replace(SETTINGS, **options), journal))


def _status(records: list[Record]) -> list[str]:
    return [record.status for record in records]


def test_run(colorizer: Colorizer, color_photo: Path, grey_photo: Path, stub: Path, tmp_path: Path) -> None:
    """Each photograph gives a record of what became of it, in order, when it has become so."""
    jobs = _plan(color_photo, grey_photo)
    work = batch.run(jobs, colorizer, SETTINGS)
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
    jobs = _plan(color_photo)
    jobs[0].target.write_bytes(b"precious")
    (skipped,) = _run(jobs, colorizer)
    assert (skipped.status, skipped.output) == ("skipped", str(jobs[0].target))
    assert jobs[0].target.read_bytes() == b"precious"
    (done,) = _run(jobs, colorizer, overwrite=True)
    assert done.status == "done"
    assert jobs[0].target.read_bytes() != b"precious"


def test_failures_stop_no_other(colorizer: Colorizer, color_photo: Path, tmp_path: Path) -> None:
    """Photographs that are missing, damaged, folders or too large fail alone; the others are colorized."""
    broken = tmp_path / "broken.png"
    broken.touch()
    (tmp_path / "folder.png").mkdir()
    large = tmp_path / "large.png"
    Image.new("L", (100, 100)).save(large)
    sources = [tmp_path / "missing.png", broken, tmp_path / "folder.png", large, color_photo]
    before = set(tmp_path.iterdir())
    records = _run(_plan(*sources), colorizer, max_megapixels=0.005)
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
    failed, done = _run(_plan(color_photo, grey_photo), colorizer)
    assert (failed.status, done.status) == ("failed", "done")
    assert failed.reason == f"{tmp_path / 'meadow_color.png'} cannot be written: No space left on device"
    assert {path.name for path in tmp_path.iterdir()} == {"meadow.png", "street.png", "street_color.png"}


def test_notes(colorizer: Colorizer, tmp_path: Path) -> None:
    """What a person should know of a photograph stands in its record."""
    frames = [Image.new("L", (9, 9), value) for value in (0, 255)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    (record,) = _run(_plan(tmp_path / "moving.gif"), colorizer)
    assert record.reason == "the first of 2 pages or frames was taken"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return an output folder."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_done_is_done_once(colorizer: Colorizer, color_photo: Path, grey_photo: Path, out: Path) -> None:
    """With a journal, what is done is skipped, also when the photograph was copied or touched since."""
    jobs = _plan(color_photo, grey_photo, out=out)
    assert _status(_run(jobs, colorizer, Journal(out))) == ["done", "done"]
    before = [job.target.stat() for job in jobs]
    os.utime(color_photo, (1, 1))
    again = _run(jobs, colorizer, Journal(out))
    assert _status(again) == ["skipped", "skipped"]
    assert again[0].reason == "done before, from the same photograph, with this model and these settings"
    assert [job.target.stat() for job in jobs] == before


def test_another_photograph(colorizer: Colorizer, color_photo: Path, grey_photo: Path, out: Path) -> None:
    """A photograph whose content is another one is done again, even with the same size and time."""
    jobs = _plan(color_photo, grey_photo, out=out)
    _run(jobs, colorizer, Journal(out))
    times, content = color_photo.stat(), bytearray(color_photo.read_bytes())
    Image.open(grey_photo).point(lambda v: 255 - v).save(grey_photo)
    content[-1] ^= 1  # behind what is decoded
    color_photo.write_bytes(content)
    os.utime(color_photo, ns=(times.st_atime_ns, times.st_mtime_ns))
    records = _run(jobs, colorizer, Journal(out))
    assert [record.reason for record in records] == ["made again: the photograph has changed"] * 2
    assert _status(_run(jobs, colorizer, Journal(out))) == ["skipped", "skipped"]


@pytest.mark.parametrize("changed", ["settings", "working size", "model"])
def test_another_way(  # noqa: PLR0917 - cases are many-sided
    colorizer: Colorizer, stub: Path, stub_mean: Path, color_photo: Path, out: Path, changed: str
) -> None:
    """With another model, size or setting, what was made is made again; and again with those before."""
    jobs = _plan(color_photo, out=out)
    _run(jobs, colorizer, Journal(out))
    first = jobs[0].target.read_bytes()
    other = {
        "settings": colorizer,
        "working size": Colorizer(stub, threads=1, working_size=96),
        "model": Colorizer(stub_mean, threads=1),
    }[changed]
    adjustments = Adjustments(strength=0.5) if changed == "settings" else Adjustments()
    (record,) = _run(jobs, other, Journal(out), adjustments=adjustments)
    reason = "the model is another one" if changed == "model" else "the settings are others"
    assert (record.status, record.reason) == ("done", f"made again: {reason}")
    assert _status(_run(jobs, other, Journal(out), adjustments=adjustments)) == ["skipped"]
    assert _status(_run(jobs, colorizer, Journal(out))) == ["done"]
    assert jobs[0].target.read_bytes() == first


def test_hands_off(colorizer: Colorizer, color_photo: Path, out: Path) -> None:
    """A result that a person changed is theirs, also when the settings are others; --overwrite takes it."""
    jobs = _plan(color_photo, out=out)
    _run(jobs, colorizer, Journal(out))
    jobs[0].target.write_bytes(b"retouched")
    (record,) = _run(jobs, colorizer, Journal(out), adjustments=Adjustments(strength=0.5))
    assert (record.status, record.reason) == (
        "skipped",
        f"{jobs[0].target} exists; --overwrite makes it again",
    )
    assert jobs[0].target.read_bytes() == b"retouched"
    assert _status(_run(jobs, colorizer, Journal(out), overwrite=True)) == ["done"]


def test_another_folder(colorizer: Colorizer, color_photo: Path, grey_photo: Path, out: Path) -> None:
    """A result of another photograph, which is still there, is its own; of one that was renamed it is not."""
    _run(_plan(color_photo, out=out), colorizer, Journal(out))
    other = out.parent / "more" / color_photo.name
    other.parent.mkdir()
    other.write_bytes(grey_photo.read_bytes())
    jobs = _plan(other, out=out)
    (record,) = _run(jobs, colorizer, Journal(out))
    assert record.status == "skipped"
    assert record.reason == (
        f"{jobs[0].target} is the result of {color_photo.resolve()}; --overwrite makes it again from this one"
    )
    color_photo.rename(out.parent / "renamed.png")
    assert _status(_run(jobs, colorizer, Journal(out))) == ["done"]
    assert _status(_run(jobs, colorizer, Journal(out))) == ["skipped"]


def test_missing_result(colorizer: Colorizer, color_photo: Path, out: Path) -> None:
    """A result that was removed, or a comparison, is made again."""
    jobs = _plan(color_photo, out=out, compare=True)
    _run(jobs, colorizer, Journal(out))
    assert jobs[0].comparison is not None
    jobs[0].comparison.unlink()
    (record,) = _run(jobs, colorizer, Journal(out))
    assert (record.status, record.reason) == ("done", "made again: its comparison is missing")
    jobs[0].target.unlink()
    jobs[0].comparison.unlink()
    assert _status(_run(jobs, colorizer, Journal(out))) == ["done"]
    assert _status(_run(jobs, colorizer, Journal(out))) == ["skipped"]


def test_overwrite_goes_on(colorizer: Colorizer, color_photo: Path, grey_photo: Path, out: Path) -> None:
    """--overwrite makes all again; interrupted, the same command goes on; then it makes all again."""
    jobs = _plan(color_photo, grey_photo, out=out)
    _run(jobs, colorizer, Journal(out))
    work = batch.run(jobs, colorizer, replace(SETTINGS, overwrite=True), Journal(out))
    assert next(work).status == "done"
    work.close()  # type: ignore[attr-defined] # as Ctrl-C does
    first, second = _run(jobs, colorizer, Journal(out), overwrite=True)
    assert (first.status, first.reason) == ("skipped", "made again before the run was interrupted")
    assert second.status == "done"
    assert _status(_run(jobs, colorizer, Journal(out), overwrite=True)) == ["done", "done"]


def test_overwrite_with_others(colorizer: Colorizer, color_photo: Path, grey_photo: Path, out: Path) -> None:
    """An --overwrite with other settings does not go on with one that was interrupted."""
    jobs = _plan(color_photo, grey_photo, out=out)
    work = batch.run(jobs, colorizer, replace(SETTINGS, overwrite=True), Journal(out))
    next(work)
    work.close()  # type: ignore[attr-defined]
    settings = {"overwrite": True, "adjustments": Adjustments(strength=0.5)}
    assert _status(_run(jobs, colorizer, Journal(out), **settings)) == ["done", "done"]


def test_dry_run(colorizer: Colorizer, color_photo: Path, grey_photo: Path, tmp_path: Path) -> None:
    """A dry run tells what would be done and why, and writes nothing at all."""
    jobs = _plan(color_photo, grey_photo, out=tmp_path / "new")
    before = sorted(tmp_path.rglob("*"))
    records = _run(jobs, colorizer, Journal(tmp_path / "new", write=False), dry=True)
    assert [record.reason for record in records] == ["dry run: it would be colorized"] * 2
    assert sorted(tmp_path.rglob("*")) == before
    _run(jobs[:1], colorizer, Journal(tmp_path / "new"))
    settings = {"dry": True, "adjustments": Adjustments(strength=0.5)}
    first, _ = _run(jobs, colorizer, Journal(tmp_path / "new", write=False), **settings)
    assert first.reason == "dry run: it would be colorized; made again: the settings are others"
    assert (
        _run(jobs, colorizer, None, dry=True)[0].reason
        == f"{jobs[0].target} exists; --overwrite makes it again"
    )


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"more"),
        lambda path: os.utime(path, (5, 5)),
        lambda path: path.unlink(),
        _replaced,
    ],
    ids=["longer", "touched", "gone", "another file"],
)
def test_changing_while_read(  # noqa: PLR0917 - cases are many-sided
    colorizer: Colorizer,
    color_photo: Path,
    grey_photo: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Any,
) -> None:
    """A photograph that changes while it is colorized fails with what to do; then it is done."""
    real, content, once = os.fsync, color_photo.read_bytes(), iter([True])

    def fsync(descriptor: int) -> None:
        if next(once, False):
            change(color_photo)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    jobs = _plan(color_photo, grey_photo, out=out)
    failed, done = _run(jobs, colorizer, Journal(out))
    assert (failed.status, done.status) == ("failed", "done")
    assert failed.reason is not None
    assert "changed while it was read: when it is at rest, give the same command again" in failed.reason
    assert {path.name for path in out.iterdir()} == {"street_color.png", NAME}
    color_photo.write_bytes(content)
    assert _status(_run(jobs, colorizer, Journal(out))) == ["done", "skipped"]


def test_a_file_that_appears(
    colorizer: Colorizer, color_photo: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that appears in a result's place while it is made is left alone."""
    jobs, real = _plan(color_photo, out=out), os.fsync

    def fsync(descriptor: int) -> None:
        jobs[0].target.write_bytes(b"precious")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    (record,) = _run(jobs, colorizer, Journal(out))
    assert record.status == "failed"
    assert record.reason is not None
    assert "appeared meanwhile, and was left alone" in record.reason
    assert jobs[0].target.read_bytes() == b"precious"


def test_read_only(colorizer: Colorizer, color_photo: Path, out: Path) -> None:
    """A photograph that is read-only is colorized; a result that is, is not replaced."""
    color_photo.chmod(0o444)
    jobs = _plan(color_photo, out=out)
    assert _status(_run(jobs, colorizer, Journal(out))) == ["done"]
    assert jobs[0].target.stat().st_mode & 0o200
    jobs[0].target.chmod(0o444)
    before = jobs[0].target.read_bytes()
    (record,) = _run(jobs, colorizer, Journal(out), overwrite=True)
    assert record.status == "failed"
    assert record.reason is not None
    assert "it is read-only: make it writable" in record.reason
    assert jobs[0].target.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_pipe(colorizer: Colorizer, tmp_path: Path) -> None:
    """A pipe, which would be waited for without end, fails at once."""
    os.mkfifo(tmp_path / "a.png")
    (record,) = _run(_plan(tmp_path / "a.png"), colorizer)
    assert record.reason == f"{tmp_path / 'a.png'} cannot be read as a photograph: it is no regular file"


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_result_that_is_a_link(colorizer: Colorizer, color_photo: Path, grey_photo: Path, out: Path) -> None:
    """A link in a result's place is replaced; what it leads to, an original perhaps, is not."""
    jobs = _plan(color_photo, out=out)
    jobs[0].target.symlink_to(grey_photo)
    before = grey_photo.read_bytes()
    assert _status(_run(jobs, colorizer, Journal(out))) == ["skipped"]
    assert _status(_run(jobs, colorizer, Journal(out), overwrite=True)) == ["done"]
    assert grey_photo.read_bytes() == before
    assert not jobs[0].target.is_symlink()


def _fill(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make the disk full; return how often something was to be written."""
    tries = []

    def refuse(_: int) -> None:
        tries.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    return tries


def test_full_disk_ends_it(
    colorizer: Colorizer, color_photo: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing finds space any more the rest is not tried; with space, the same command goes on."""
    sources = []
    for number in range(6):
        sources.append(tmp_path / f"{number}.png")
        sources[-1].write_bytes(color_photo.read_bytes())
    jobs = _plan(*sources, out=out)
    with monkeypatch.context() as patch:
        tries = _fill(patch)
        records = _run(jobs, colorizer, Journal(out))
    assert _status(records) == ["failed"] * 6
    assert len(tries) == workbench.FULL
    assert records[-1].reason == f"{jobs[-1].target} cannot be written: the disk is full, so it was not tried"
    assert not list(out.iterdir())
    assert _status(_run(jobs, colorizer, Journal(out))) == ["done"] * 6


def test_no_space_for_the_journal(
    colorizer: Colorizer, color_photo: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the journal finds no space, or may not be written, results are made all the same."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "_append", refuse)
    jobs = _plan(color_photo, out=out)
    assert _status(_run(jobs, colorizer, Journal(out), overwrite=True)) == ["done"]
    assert _status(_run(jobs, colorizer, Journal(out))) == ["skipped"]


class _Counting:
    """A colorizer that says how many photographs are at work at once, and waits for so many."""

    def __init__(self, real: Colorizer, wanted: int) -> None:
        self.real, self.wanted, self.now, self.most = real, wanted, 0, 0
        self.changed = threading.Condition()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def colorize_file(self, *arguments: Any, **options: Any) -> Any:
        with self.changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.wanted, 20)
        time.sleep(0.02)  # for one more that should not come
        try:
            return self.real.colorize_file(*arguments, **options)
        finally:
            with self.changed:
                self.now -= 1


@pytest.mark.parametrize(("megabytes", "most"), [(None, 3), (1000, 3), (1, 1)])
def test_jobs(  # noqa: PLR0917 - cases are many-sided
    colorizer: Colorizer,
    color_photo: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    megabytes: int | None,
    most: int,
) -> None:
    """Several photographs are at work at once, as many as fit into memory; all are done, each once."""
    monkeypatch.setattr(memory, "available", lambda: megabytes and megabytes << 20)
    large = Image.open(color_photo).resize((300, 300))
    sources = [out.parent / f"{number}.png" for number in range(9)]
    for source in sources:
        large.save(source)
    if megabytes == 1:  # so little that each is alone; that one does not fit at all is told elsewhere
        monkeypatch.setattr("tintype.image._check_size", lambda *_: None)
    counting: Any = _Counting(colorizer, most)
    records = _run(_plan(*sources, out=out), counting, Journal(out), workers=3)
    assert Counter(_status(records)) == {"done": 9}
    assert counting.most == most
    assert {record.input for record in records} == set(map(str, sources))


def test_jobs_are_left(colorizer: Colorizer, color_photo: Path, out: Path) -> None:
    """Left in the middle, those at work are dropped or finished, nothing half-written is left; it goes on."""
    sources = [out.parent / f"{number}.png" for number in range(9)]
    for source in sources:
        Image.open(color_photo).resize((300, 300)).save(source)
    jobs = _plan(*sources, out=out)
    work = batch.run(jobs, colorizer, replace(SETTINGS, workers=3), Journal(out))
    next(work)
    work.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if "photo" in thread.name]
    assert not list(out.glob("*.partial"))
    whole = len(list(out.glob("*.png")))
    assert 1 <= whole < 9
    assert Counter(_status(_run(jobs, colorizer, Journal(out), workers=3))) == {
        "done": 9 - whole,
        "skipped": whole,
    }


class _Tight:
    """A colorizer that finds no memory while several are at work."""

    def __init__(self, real: Colorizer) -> None:
        self.real, self.alone = real, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def colorize_file(self, source: Path, *arguments: Any, **options: Any) -> Any:
        if options["watch"] is not None and source.name != "0.png":
            raise PhotoTooLargeError("it needs more memory than there is")
        self.alone += options["watch"] is None
        return self.real.colorize_file(source, *arguments, **options)


def test_put_off(colorizer: Colorizer, color_photo: Path, out: Path) -> None:
    """A photograph for which memory has no place beside others is done on its own, when those are done."""
    sources = [out.parent / f"{number}.png" for number in range(5)]
    for source in sources:
        source.write_bytes(color_photo.read_bytes())
    tight: Any = _Tight(colorizer)
    records = _run(_plan(*sources, out=out), tight, Journal(out), workers=3)
    assert _status(records) == ["done"] * 5
    assert tight.alone == 4
    assert records[0].input == str(sources[0])


def test_too_large_for_all(colorizer: Colorizer, color_photo: Path, out: Path) -> None:
    """A photograph that is larger than allowed fails at once, also beside others."""
    (record,) = _run(_plan(color_photo, out=out), colorizer, workers=2, max_megapixels=0.001)
    assert record.reason is not None
    assert "raise --max-megapixels" in record.reason
