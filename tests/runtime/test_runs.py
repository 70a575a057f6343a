"""Many files on the command line: trees, going on, several at a time, watching, hazards of real disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tintype import cli, naming, progress
from tintype.journal import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

TINTYPE = [sys.executable, "-m", "tintype"]
PATIENCE = 120
"""Seconds that a process may take on a busy machine."""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
no_windows = pytest.mark.skipif(sys.platform == "win32", reason="a process on Windows gets no SIGINT alone")


class Run:
    """The command line in this process, with the stub model; what it said is kept."""

    def __init__(self, stub: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.stub, self.capsys = stub, capsys
        self.out = self.err = ""

    def __call__(self, *arguments: object) -> int:
        """Run with arguments; return the exit code."""
        code = cli.main([*map(str, arguments), "--model", str(self.stub)])
        self.out, self.err = self.capsys.readouterr()
        return code

    @property
    def lines(self) -> list[str]:
        """What was said to people."""
        return self.err.splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        """What --json said."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(stub: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return the command line, to be called with arguments."""
    return Run(stub, capsys)


def _photos(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 16), 10 + 7 * number).save(path)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a folder with four photographs in a tree."""
    _photos(tmp_path / "scans", "a.jpg", "1950/b.png", "1950/summer/c.tif", "1960/b.png")
    return tmp_path / "scans"


def _files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != NAME}


TREE = {"a_color.jpg", "1950/b_color.png", "1950/summer/c_color.tif", "1960/b_color.png"}


@pytest.mark.parametrize("jobs", [1, 3])
def test_tree(run: Run, scans: Path, tmp_path: Path, jobs: int) -> None:
    """--recursive keeps the tree; the same command again does nothing; one photograph changed is one done."""
    out = tmp_path / "color"
    assert run(scans, "-o", out, "--recursive", "--jobs", jobs) == 0
    assert _files(out) == TREE
    assert run.lines[-1].startswith("4 done, 0 skipped, 0 failed, ")
    assert run(scans, "-o", out, "--recursive", "--jobs", jobs) == 0
    assert run.lines[-1].startswith("0 done, 4 skipped, 0 failed, ")
    Image.new("L", (20, 16), 99).save(scans / "1960" / "b.png")
    _photos(scans, "1970/new.png")
    assert run(scans, "-o", out, "--recursive", "--jobs", jobs) == 0
    assert run.lines[-1].startswith("2 done, 3 skipped, 0 failed, ")


def test_originals_are_untouched(run: Run, scans: Path, tmp_path: Path) -> None:
    """Whatever is asked for, originals stay as they are, to the byte and the second."""

    def state() -> dict[Path, tuple[bytes, int, int]]:
        return {
            path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
            for path in scans.rglob("*.*")
            if path.is_file() and "_color" not in path.name
        }

    (scans / "1950" / "b.png").chmod(0o444)
    before, out = state(), tmp_path / "color"
    for options in (
        [],
        ["--overwrite"],
        ["--jobs", "3", "--overwrite"],
        ["--strength", "0.5"],
        ["--compare"],
    ):
        assert run(scans, "-o", out, "--recursive", *options) == 0
        assert state() == before
    assert run(scans, "--recursive", "--name", "{stem}{ext}", "--overwrite") == 2
    assert run(scans, "-o", scans, "--recursive", "--name", "{stem}{ext}", "--overwrite") == 2
    assert run(scans / "a.jpg", "-o", scans / "a.jpg", "--overwrite") == 2
    assert state() == before


def test_beside(run: Run, scans: Path) -> None:
    """Without --out results appear beside each photograph, and are not colorized the next time."""
    assert run(scans, "--recursive") == 0
    assert _files(scans) > TREE
    made = _files(scans)
    (scans / "1950" / "b.png").rename(scans / "1950" / "moved.png")
    assert run(scans, "--recursive") == 0
    assert _files(scans) - made == {"1950/moved.png", "1950/moved_color.png"}
    assert run.lines[-1].startswith("1 done, 3 skipped, 0 failed, ")


def test_out_within(run: Run, scans: Path) -> None:
    """An output folder within the photographs' is not taken for photographs."""
    for _ in range(2):
        assert run(scans, "-o", scans / "color", "--recursive") == 0
    assert _files(scans / "color") == TREE
    assert run.lines[-1].startswith("0 done, 4 skipped, 0 failed, ")


def test_two_trees(run: Run, scans: Path, tmp_path: Path) -> None:
    """Two photographs of one place in two trees are refused before any work."""
    _photos(tmp_path / "more", "1950/b.png")
    assert run(scans, tmp_path / "more", "-o", tmp_path / "color", "--recursive") == 2
    assert "would both become" in run.lines[0]
    assert not _files(tmp_path / "color")


def test_pattern(run: Run, scans: Path, tmp_path: Path) -> None:
    """A pattern in quotes is understood, and keeps the tree below its fixed part."""
    assert run(scans / "**" / "*.png", "-o", tmp_path / "color") == 0
    assert _files(tmp_path / "color") == {"1950/b_color.png", "1960/b_color.png"}


def test_list_with_zero_bytes(run: Run, scans: Path, tmp_path: Path) -> None:
    """A list as `find -print0` gives it is understood, with line ends in names."""
    _photos(scans, "two\nlines.png")
    names = [scans / "a.jpg", scans / "two\nlines.png"]
    (tmp_path / "list").write_bytes(b"".join(os.fsencode(name) + b"\0" for name in names))
    assert run("--files-from", tmp_path / "list", "-o", tmp_path / "color", "--json") == 0
    assert [record["input"] for record in run.records] == list(map(str, names))
    assert len(run.lines) == 3


def test_dry_run(run: Run, scans: Path, tmp_path: Path) -> None:
    """--dry-run says what would be done, with exit code 0, and writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run(scans, "-o", tmp_path / "color", "--recursive", "--dry-run", "--json") == 0
    assert [record["status"] for record in run.records] == ["skipped"] * 4
    assert {record["reason"] for record in run.records} == {"dry run: it would be colorized"}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_unreadable_folder(run: Run, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder within that cannot be read is a failure with exit code 1; all others are done."""
    real = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path) == scans / "1950":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = tmp_path / "report.json"
    assert run(scans, "-o", tmp_path / "color", "--recursive", "--report", report) == 1
    assert _files(tmp_path / "color") == {"a_color.jpg", "1960/b_color.png"}
    assert run.lines[0] == f"[1/3] failed: {scans / '1950'} cannot be read: Permission denied"
    assert run.lines[-1].startswith("2 done, 0 skipped, 1 failed, ")
    photos = json.loads(report.read_bytes())["photos"]
    assert [photo["status"] for photo in photos] == ["failed", "done", "done"]
    assert photos[0]["input"] == str(scans / "1950")


@on_linux
def test_any_names(run: Run, tmp_path: Path) -> None:
    """Names in any script, with any bytes and signs, are done, told and remembered."""
    names = [
        "Žluťoučký.png",
        "写真/写真.png",
        "صورة.jpg",
        "🖼.png",
        "two\nlines.png",
        "caf\udce9.png",
        "{x}.png",
        "-a.png",
    ]
    _photos(tmp_path / "in", *names)
    assert run(tmp_path / "in", "-o", tmp_path / "out", "-r", "--json") == 0
    assert {record["input"] for record in run.records} == {str(tmp_path / "in" / name) for name in names}
    assert len(_files(tmp_path / "out")) == len(names)
    assert len(run.lines) == len(names) + 1
    assert run(tmp_path / "in", "-o", tmp_path / "out", "-r") == 0
    assert run.lines[-1].startswith(f"0 done, {len(names)} skipped")


def test_names_that_act_on_a_terminal(run: Run, tmp_path: Path) -> None:
    """Signs in names that would act on a terminal are spelled out."""
    assert run(tmp_path / "a\x1b]0;title\x07\x9b2J.png") == 1
    assert "\x1b" not in run.err
    assert r"a\x1b]0;title\x07\x9b2J.png" in run.err


def test_long_name(run: Run, tmp_path: Path) -> None:
    """A photograph whose result's name is too long fails alone."""
    _photos(tmp_path / "in", "x" * 251 + ".png", "a.png")
    assert run(tmp_path / "in", "-o", tmp_path / "out") == 1
    assert "File name too long" in run.err
    assert _files(tmp_path / "out") == {"a_color.png"}


def test_capitals(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that differ in capitals are two where these count, and exit code 2 where they do not."""
    _photos(tmp_path / "x", "a.jpg")
    _photos(tmp_path / "y", "A.JPG")
    places = (tmp_path / "x" / "a.jpg", tmp_path / "y" / "A.JPG", "-o", tmp_path / "out")
    monkeypatch.setattr(naming, "is_case_blind", lambda _: True)
    assert run(*places) == 2
    assert "would both become" in run.err
    monkeypatch.setattr(naming, "is_case_blind", lambda _: False)
    assert run(*places) == 0


def test_time_left(run: Run, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the count stands how long the rest will take, from those that were worked at."""
    now = iter(range(0, 10**6, 30))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))  # type: ignore[attr-defined]
    assert run(scans, "-o", tmp_path / "color", "--recursive") == 0
    assert run.lines[0].startswith("[1/4, 1 min 30 s left] ")
    assert run.lines[3].startswith("[4/4] ")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 600 kB; only who may mount has one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("a disk cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk(run: Run, tmp_path: Path, small_disk: Path) -> None:
    """A disk that is full in the middle: exit code 1, whole results only; with space, it goes on."""
    for number in range(9):
        path = tmp_path / "in" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((200, 200), 90).save(path)
    assert run(tmp_path / "in", "-o", small_disk / "out", "--name", "{stem}.ppm") == 1
    assert "No space left on device" in run.err
    assert "the disk is full, so it was not tried" in run.err
    whole = [path for path in (small_disk / "out").iterdir() if path.name != NAME]
    assert 1 <= len(whole) < 9
    for path in whole:
        Image.open(path).load()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert run(tmp_path / "in", "-o", small_disk / "out", "--name", "{stem}.ppm") == 0
    assert run.lines[-1].startswith(f"{9 - len(whole)} done, {len(whole)} skipped, 0 failed")


def _start(*arguments: object) -> subprocess.Popen[str]:
    """Start the command line, which hears SIGINT also where this process does not."""
    hear = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program = hear + "from tintype import cli; sys.exit(cli.main())"
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@no_windows
def test_watch(stub: Path, scans: Path, tmp_path: Path) -> None:
    """--watch does what is there and what arrives, written slowly or moved in, until a signal: 130."""
    out, model = tmp_path / "color", ("--model", stub, "--threads", 1)
    arguments = (scans, "-o", out, "-r", "--watch", "--json", "--report", tmp_path / "report.json")
    Image.new("L", (20, 16), 200).save(tmp_path / "late.png")
    content = (tmp_path / "late.png").read_bytes()
    with _start(*arguments, *model) as process:
        _wait_for(out / "1960" / "b_color.png", process)
        with (scans / "slow.png").open("wb", buffering=0) as file:
            for start in range(0, len(content), 1 + len(content) // 6):
                file.write(content[start : start + 1 + len(content) // 6])
                time.sleep(0.4)
        (tmp_path / "late.png").rename(scans / "1960" / "late.png")
        _wait_for(out / "slow_color.png", process)
        _wait_for(out / "1960" / "late_color.png", process)
        process.send_signal(signal.SIGINT)
        said, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert _files(out) == TREE | {"slow_color.png", "1960/late_color.png"}
    assert [json.loads(line)["status"] for line in said.splitlines()] == ["done"] * 6
    assert len(json.loads((tmp_path / "report.json").read_bytes())["photos"]) == 6
    assert err.splitlines()[0] == f"watching {scans}: Ctrl-C ends it"
    assert "6 done, 0 skipped, 0 failed" in err


@no_windows
@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_and_again(run: Run, stub: Path, tmp_path: Path, jobs: int) -> None:
    """Ctrl-C in the middle: 130, whole results only, a summary; the same command does the rest, once."""
    for number in range(30):
        path = tmp_path / "in" / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((500, 500), 90).save(path, compress_level=1)
    out = tmp_path / "out"
    arguments = (tmp_path / "in", "-o", out, "--jobs", jobs, "--threads", 1)
    with _start(*arguments, "--model", stub) as process:
        _wait_for(out / "00_color.png", process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert err.splitlines()[-1].startswith("tintype: interrupted")
    assert " done, 0 skipped, 0 failed" in err.splitlines()[-2]
    assert not list(out.glob(".*.partial"))
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.png")}
    assert 1 <= len(before) < 30
    assert run(*arguments) == 0
    assert run.lines[-1].startswith(f"{30 - len(before)} done, {len(before)} skipped, 0 failed")
    assert {path: path.stat().st_mtime_ns for path in before} == before


@no_windows
@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_and_again(run: Run, stub: Path, tmp_path: Path, jobs: int) -> None:
    """Killed again and again: whole results only, each made once; the last run leaves nothing behind."""
    for number in range(12):
        path = tmp_path / "in" / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((400, 400), 90).save(path, compress_level=1)
    out, known = tmp_path / "out", dict[Path, int]()
    arguments = (tmp_path / "in", "-o", out, "--jobs", jobs, "--threads", 1)
    for count in (1, 4, 7):
        with _start(*arguments, "--model", stub) as process:
            _wait_for(out / f"{count:02}_color.png", process)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        now = {path: path.stat().st_mtime_ns for path in out.glob("*.png")}
        assert now.items() >= known.items()
        known = now
        for path in known:
            Image.open(path).load()
    assert run(*arguments) == 0
    assert run.lines[-1].startswith(f"{12 - len(known)} done, {len(known)} skipped, 0 failed")
    assert len(list(out.glob("*.png"))) == 12
    assert not list(out.glob(".*.partial"))
