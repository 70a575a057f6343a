"""The command line: what it writes, what it says, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tintype import Colorizer, cli, journal, memory, models

TINTYPE = [sys.executable, "-m", "tintype"]
KEYS = (
    *("input", "output", "status", "reason", "width", "height", "seconds"),
    *("model", "model_sha256", "working_size", "provider", "psnr"),
)
PATIENCE = 120
"""Seconds that a process may take on a busy machine."""


class Run:
    """The command line in this process, with the stub model; what it said is kept."""

    def __init__(self, stub: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.stub, self.capsys = stub, capsys
        self.out = self.err = ""

    def __call__(self, *arguments: object) -> int:
        """Run with arguments; return the exit code."""
        given = [str(argument) for argument in arguments]
        if "--model" not in given:
            given += ["--model", str(self.stub)]
        try:
            code = cli.main(given)
        except SystemExit as stop:
            code = int(stop.code or 0)
        self.out, self.err = self.capsys.readouterr()
        assert "Traceback" not in self.err
        return code

    @property
    def records(self) -> list[dict[str, Any]]:
        """What --json said."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(stub: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return the command line, to be called with arguments."""
    return Run(stub, capsys)


@pytest.fixture
def folder(tmp_path: Path, color_photo: Path, grey_photo: Path) -> Path:
    """Return a folder that holds a colored and a grey photograph."""
    place = tmp_path / "scans"
    place.mkdir()
    for path in (color_photo, grey_photo):
        path.rename(place / path.name)
    return place


def _files(folder: Path) -> set[str]:
    """Return the files below a folder, but for the journal."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != journal.NAME}


def _pipe(*arguments: object, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [*TINTYPE, *map(str, arguments)]
    return subprocess.run(command, input=content, capture_output=True, check=False)


def test_one_photo(run: Run, color_photo: Path, tmp_path: Path) -> None:
    """A photograph's result appears beside it; one line on standard error tells what was done."""
    before = color_photo.read_bytes()
    assert run(color_photo) == 0
    assert _files(tmp_path) == {"meadow.png", "meadow_color.png"}
    assert color_photo.read_bytes() == before
    assert run.out == ""
    (line,) = run.err.splitlines()
    assert line.startswith(f"{color_photo} -> {tmp_path / 'meadow_color.png'}, 72x48, ")
    assert "stub on cpu, PSNR " in line


def test_folder(run: Run, folder: Path, tmp_path: Path) -> None:
    """A folder's photographs go into the folder named, which is made, with a line each and a summary."""
    assert run(folder, "-o", tmp_path / "new" / "color") == 0
    assert _files(tmp_path / "new") == {"color/meadow_color.png", "color/street_color.png"}
    first, second, last = run.err.splitlines()
    assert first.startswith("[1/2] ")
    assert second.startswith("[2/2] ")
    assert last.startswith("2 done, 0 skipped, 0 failed, ")


@pytest.mark.parametrize(
    ("out", "made", "format_name"),
    [
        ("color.jpg", "color.jpg", "JPEG"),
        ("deep/color.tif", "deep/color.tif", "TIFF"),
        ("there", "there/meadow_color.png", "PNG"),
        ("new/", "new/meadow_color.png", "PNG"),
    ],
)
def test_out(  # noqa: PLR0917 - cases are many-sided
    run: Run, color_photo: Path, tmp_path: Path, out: str, made: str, format_name: str
) -> None:
    """For one photograph --out is a file whose suffix gives the format, or a folder."""
    (tmp_path / "there").mkdir()
    assert run(color_photo, "-o", f"{tmp_path}/{out}") == 0
    with Image.open(tmp_path / made) as stored:
        assert stored.format == format_name
    assert _files(tmp_path) == {"meadow.png", made}


def test_name(run: Run, folder: Path) -> None:
    """--name makes the names in folders."""
    assert run(folder, "-o", folder / "out", "--name", "{model}-{stem}.jpg") == 0
    assert _files(folder / "out") == {"stub-meadow.jpg", "stub-street.jpg"}


def test_existing_results(run: Run, folder: Path, tmp_path: Path) -> None:
    """Results that exist are skipped and said to be, with exit code 0; --overwrite makes them again."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "meadow_color.png").write_bytes(b"precious")
    assert run(folder, "-o", out) == 0
    assert "[1/2] skipped" in run.err
    assert "--overwrite makes it again" in run.err
    assert "1 done, 1 skipped, 0 failed" in run.err
    assert (out / "meadow_color.png").read_bytes() == b"precious"
    assert run(folder, "-o", out, "--overwrite") == 0
    assert "2 done, 0 skipped" in run.err


def test_same_folder_twice(run: Run, folder: Path) -> None:
    """The same folder again, results and comparisons beside the photographs, colorizes no result."""
    assert run(folder, "--compare") == 0
    made = _files(folder)
    assert len(made) == 6
    assert run(folder, "--compare") == 0
    assert "left out 4 files" in run.err
    assert "0 done, 2 skipped, 0 failed" in run.err
    assert _files(folder) == made
    assert run(folder, "--compare", "--overwrite") == 0  # the journal knows which of them are results
    assert "2 done, 0 skipped, 0 failed" in run.err
    (folder / journal.NAME).unlink()
    assert run(folder, "--overwrite") == 2  # who knows now?
    assert "is a photograph of this run: choose another --out or --name" in run.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["meadow.png", "--name", "{stem}{ext}"],
        ["meadow.png", "-o", "meadow.png", "--overwrite"],
        ["meadow.png", "street.png", "--name", "x{ext}"],
        ["meadow.png", "street.png", "-o", "out", "--name", "x.png"],
    ],
)
def test_collisions(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Two results of one name, or a result over its photograph: exit code 2, one line, nothing touched."""
    monkeypatch.chdir(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run(*arguments) == 2
    assert run.err.startswith("tintype: ")
    assert len(run.err.splitlines()) == 1
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_json(run: Run, folder: Path, stub: Path) -> None:
    """--json puts one object a line on standard output; people's lines go to standard error."""
    missing = folder / "missing.png"
    (folder / "street_color.png").touch()
    assert run(folder / "meadow.png", folder / "street.png", missing, "--json") == 1
    done, skipped, failed = run.records
    assert [list(record) for record in run.records] == [list(KEYS)] * 3
    assert (done["status"], skipped["status"], failed["status"]) == ("done", "skipped", "failed")
    assert (done["width"], done["height"], done["model"], done["provider"]) == (72, 48, "stub", "cpu")
    assert done["output"] == str(folder / "meadow_color.png")
    assert done["working_size"] == 64
    assert done["model_sha256"] == models.sha256(stub)
    assert done["psnr"] > 5
    assert skipped["width"] is None
    assert failed["output"] is None
    assert failed["reason"] == f"there is no photograph {missing}"
    assert len(run.err.splitlines()) == 4


def test_report(run: Run, folder: Path, tmp_path: Path) -> None:
    """--report writes the same objects with version, start and seconds, also when some photograph failed."""
    report = tmp_path / "new" / "report.json"
    assert run(folder / "meadow.png", folder / "missing.png", "--json", "--report", report) == 1
    found = json.loads(report.read_bytes())
    assert list(found) == ["version", "started", "seconds", "photos"]
    assert found["photos"] == run.records


def test_report_that_cannot_be_written(run: Run, color_photo: Path, tmp_path: Path) -> None:
    """A report that cannot take its place is said in one line, with exit code 1; the results are there."""
    (tmp_path / "report" / "inside").mkdir(parents=True)
    assert run(color_photo, "--report", tmp_path / "report") == 1
    assert f"tintype: {tmp_path / 'report'} cannot be written" in run.err
    assert (tmp_path / "meadow_color.png").exists()


def test_compare(run: Run, folder: Path) -> None:
    """--compare also writes original, grey and colorized side by side."""
    assert run(folder / "meadow.png", "--compare", "-o", folder / "out" / "x.jpg") == 0
    assert _files(folder / "out") == {"x.jpg", "meadow_compare.png"}
    with Image.open(folder / "out" / "meadow_compare.png") as stored:
        assert stored.width > 3 * 72


def test_files_from(run: Run, folder: Path, tmp_path: Path) -> None:
    """--files-from lists photographs, one a line, beside those named; empty lines and a BOM do not count."""
    listing = tmp_path / "list.txt"
    listing.write_bytes(b"\xef\xbb\xbf" + f"{folder / 'street.png'}\r\n\r\n".encode())
    assert run(folder / "meadow.png", "--files-from", listing) == 0
    assert {"meadow_color.png", "street_color.png"} < _files(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_files_from_stdin(stub: Path, folder: Path) -> None:
    """--files-from - lists them on standard input, with any bytes that a name can have."""
    name = os.fsencode(folder) + b"/caf\xe9.png"
    (folder / "meadow.png").rename(os.fsdecode(name))
    done = _pipe("--files-from", "-", "--json", "--model", stub, content=name + b"\n")
    assert done.returncode == 0, done.stderr
    assert os.fsencode(json.loads(done.stdout)["input"]) == name


@pytest.mark.parametrize("content", [None, ""])
def test_empty_list(run: Run, tmp_path: Path, content: str | None) -> None:
    """A list that is missing or empty is exit code 2."""
    if content is not None:
        (tmp_path / "list.txt").write_text(content)
    assert run("--files-from", tmp_path / "list.txt") == 2
    assert ("name a photograph" if content == "" else "No such file") in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a photograph or a folder"),
        (["--nonsense"], "unrecognized arguments"),
        (["{photo}", "--over"], "unrecognized arguments"),
        (["{photo}", "--strength", "3"], "strength 3.0 is not between 0 and 2"),
        (["{photo}", "--strength", "nan"], "strength nan is not between"),
        (["{photo}", "--strength", "much"], "invalid float value"),
        (["{photo}", "--warmth", "-1.5"], "warmth -1.5 is not between -1 and 1"),
        (["{photo}", "--vividness", "0.5"], "predicts one color only; --strength works with all"),
        (
            ["{photo}", "--working-size", "100"],
            "a working size of 100 is not a multiple of 8 from 64 to 1024",
        ),
        (["{photo}", "--working-size", "0"], "a working size of 0 is not"),
        (["{photo}", "--threads", "0"], "at least 1 is needed"),
        (["{photo}", "--max-megapixels", "0"], "more than 0 is needed"),
        (["{photo}", "--max-megapixels", "nan"], "more than 0 is needed"),
        (["{photo}", "--provider", "gpu"], "there is no provider gpu: choose auto, cpu, "),
        (["{photo}", "--provider", "openvino"], "not in the onnxruntime installed here.*--provider auto"),
        (
            ["{photo}", "--model", "sepia"],
            "there is no model sepia: give the path of an .onnx file, or one of",
        ),
        (["{photo}", "--model", "{photo}"], "cannot be read as a"),
        (["{photo}", "--model", "{folder}"], "there is no model"),
        (["{photo}", "--name", "{nothing}"], "known are {stem}, {ext} and {model}"),
        (["{photo}", "-o", "{folder}/result.txt"], "end the name of a photograph with one of"),
        (["{photo}", "-o", "{photo}/inside/"], "cannot be written"),
        (["{photo}", "-o", "{photo}/inside.png"], "cannot be written"),
        (["{photo}", "--report", "{photo}/report.json"], "cannot be written"),
        (["{photo}", "--format", "png"], "--format goes with - alone"),
        (["{photo}", "-"], "goes with no other"),
        (["{empty}"], "there are no photographs in the folder"),
        (["-", "-o", "x.png"], "--out does not go with -"),
        (["-", "--json"], "--json does not go with -"),
        (["-", "--compare"], "--compare does not go with -"),
        (["-", "--report", "x"], "--report does not go with -"),
        (["-", "--files-from", "x"], "--files-from does not go with -"),
        (["-", "--watch"], "--watch does not go with -"),
        (["-", "--dry-run"], "--dry-run does not go with -"),
        (["{photo}", "--jobs", "0"], "--jobs 0: at least 1 is needed"),
        (["{photo}", "--watch"], "--watch takes folders"),
        (["{folder}", "--watch", "--dry-run"], "--watch does not go with --dry-run"),
        (["-", "--format", "xcf"], "invalid choice"),
        (["models", "extra"], "unrecognized arguments"),
    ],
)
def test_nothing_can_start(
    run: Run, color_photo: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """What makes no sense, or cannot work for any photograph, is exit code 2, and nothing is written."""
    (tmp_path / "empty").mkdir()
    places = {"photo": color_photo, "folder": tmp_path, "empty": tmp_path / "empty"}
    for name, place in places.items():
        arguments = [argument.replace(f"{{{name}}}", str(place)) for argument in arguments]
    if arguments[:1] == ["models"]:
        with pytest.raises(SystemExit, match="2"):
            cli.main(arguments)
        return
    assert run(*arguments) == 2
    assert any(_matches(message, line) for line in run.err.splitlines()), run.err
    assert "usage:" in run.err or len(run.err.splitlines()) == 1
    assert _files(tmp_path) == {"meadow.png"}


def _matches(message: str, line: str) -> bool:
    first, _, second = message.partition(".*")
    return first in line and second in line


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x08\x09"], ids=["empty", "words", "short"])
def test_bad_model(run: Run, color_photo: Path, tmp_path: Path, content: bytes) -> None:
    """A model file that is none is exit code 2 with one line that names it."""
    (tmp_path / "model.onnx").write_bytes(content)
    assert run(color_photo, "--model", tmp_path / "model.onnx") == 2
    (line,) = run.err.splitlines()
    assert line.startswith(f"tintype: {tmp_path / 'model.onnx'} ")
    assert not (tmp_path / "meadow_color.png").exists()


def test_output_folder_that_cannot_be_written(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output folder without permission is exit code 2, found out before any work."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    monkeypatch.setattr(Colorizer, "colorize_file", None)
    assert run(folder, "-o", tmp_path / "out") == 2
    assert run.err == f"tintype: {tmp_path / 'out'} cannot be written: Permission denied\n"


@pytest.mark.parametrize("failure", ["truncated", "empty", "words", "missing", "large", "disk", "memory"])
def test_failure(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    """One photograph that fails is exit code 1 with one line; the other is done, nothing else is left."""
    bad, good = tmp_path / "bad.png", folder / "street.png"
    content = (folder / "meadow.png").read_bytes()
    contents = {
        "truncated": content[:900],
        "empty": b"",
        "words": b"words",
        "disk": content,
        "memory": content,
    }
    if failure == "large":
        Image.new("L", (300, 300)).save(bad)
    elif failure != "missing":
        bad.write_bytes(contents[failure])
    if failure == "disk":
        _fail_first(monkeypatch, os, "fsync", OSError(28, "No space left on device"))
    elif failure == "memory":
        answers = iter([1 << 20])
        monkeypatch.setattr(memory, "available", lambda: next(answers, None))
    assert run(bad, good, "-o", tmp_path / "out", "--max-megapixels", "0.05") == 1
    first, second, summary = run.err.splitlines()
    assert first.startswith("[1/2] failed: ")
    assert str(tmp_path) in first
    assert "-> " in second
    assert summary.startswith("1 done, 0 skipped, 1 failed")
    assert _files(tmp_path / "out") == {"street_color.png"}
    if bad.exists() and failure != "large":
        assert bad.read_bytes() == contents[failure]


def _fail_first(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, error: Exception) -> None:
    real, errors = getattr(place, name), iter([error])

    def fail_first(*arguments: object) -> object:
        for once in errors:
            raise once
        return real(*arguments)

    monkeypatch.setattr(place, name, fail_first)


def test_interrupted(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle is exit code 130; what was finished is kept and nothing half-written is left."""
    real, calls = os.fsync, iter([False, False, True])  # a result, the journal, the next result

    def fsync(descriptor: int) -> None:
        if next(calls):
            raise KeyboardInterrupt
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert run(folder) == 130
    assert run.err.splitlines()[-1].startswith("tintype: interrupted")
    assert _files(folder) == {"meadow.png", "meadow_color.png", "street.png"}


def _start(folder: Path, program: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program as `python -m` does, and undo what shells do to background jobs: they ignore SIGINT."""
    hear = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    (folder / "program.py").write_text(hear + program)
    return subprocess.Popen(
        [sys.executable, "-m", "program", *map(str, arguments)],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )


signals = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
no_windows = pytest.mark.skipif(sys.platform == "win32", reason="a process on Windows gets no SIGINT alone")
HELD = """
import os, sys, time
from tintype.cli import main
os.fsync = lambda _: time.sleep(PATIENCE)  # the result is written, and has not taken its name
sys.exit(main())
""".replace("PATIENCE", str(PATIENCE))


@no_windows
@signals
def test_signal(
    stub: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, number: signal.Signals
) -> None:
    """A real SIGINT or SIGTERM ends the process with 130, one line, and no half-written file."""
    Image.effect_noise((600, 600), 60).save(tmp_path / "large.png", compress_level=1)
    program = tmp_path_factory.mktemp("program")
    with _start(program, HELD, tmp_path / "large.png", "--model", stub, "--threads", 1) as process:
        deadline = time.monotonic() + PATIENCE
        while not list(tmp_path.glob(".*.partial")):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == "tintype: interrupted; what was finished is kept, nothing half-written is left\n"
    assert _files(tmp_path) == {"large.png"}


PLACES = {
    "text that is executed": """exec("os.kill(os.getpid(), number); [_ for _ in range(9)]")""",
    "native code that makes another error of it": """
    try:
        os.kill(os.getpid(), number)
        [_ for _ in range(9)]
    except BaseException as error:
        raise ImportError("initialization failed") from error""",
    "a finalizer, where it is dropped": """
    class Last:
        def __del__(self):
            os.kill(os.getpid(), number)
            [_ for _ in range(9)]
    Last()""",
}
INTERRUPTED_AT = """
import os, sys
from tintype import cli
number = NUMBER
def run(_options):
    PLACE
    return 0
cli.run = run
code = cli.main()
os.kill(os.getpid(), number)  # again, when all is done
sys.exit(code)
"""


@no_windows
@signals
@pytest.mark.parametrize("place", PLACES)
def test_signal_at_a_bad_moment(tmp_path: Path, number: signal.Signals, place: str) -> None:
    """Wherever a signal arrives, the exit code is 130, and it is said in one line."""
    program = INTERRUPTED_AT.replace("PLACE", PLACES[place]).replace("NUMBER", str(int(number)))
    with _start(tmp_path, program, "photo.png") as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert err.count("tintype: interrupted") == 1
    assert err.endswith("nothing half-written is left\n")


@no_windows
@signals
def test_signal_when_all_is_done(tmp_path: Path, number: signal.Signals) -> None:
    """A signal while the interpreter ends changes nothing: what was to be done is done."""
    program = INTERRUPTED_AT.replace("PLACE", "").replace("NUMBER", str(int(number)))
    with _start(tmp_path, program, "photo.png") as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    ("came", "option", "wanted"),
    [
        ("PNG", [], "PNG"),
        ("JPEG", [], "JPEG"),
        ("GIF", [], "PNG"),
        ("PNG", ["--format", "jpeg"], "JPEG"),
        ("PNG", ["--format", "webp"], "WEBP"),
        ("JPEG", ["--format", "tiff"], "TIFF"),
    ],
)
def test_pipe(  # noqa: PLR0917 - cases are many-sided
    stub: Path,
    grey_array: Any,
    monkeypatch: pytest.MonkeyPatch,
    came: str,
    option: list[str],
    wanted: str,
) -> None:
    """`-` takes a photograph on standard input and gives its result, and nothing else, on standard output."""
    source, target = io.BytesIO(), io.BytesIO()
    Image.fromarray(grey_array).save(source, came)
    source.seek(0)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=source))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=target, isatty=lambda: False))
    assert cli.main(["-", "--model", str(stub), *option]) == 0
    with Image.open(target) as stored:
        assert (stored.format, stored.mode, stored.size) == (wanted, "RGB", (72, 48))


def test_pipe_of_processes(stub: Path, grey_photo: Path) -> None:
    """In a real pipe the result is the file that would be written, and nothing is said."""
    done = _pipe("-", "--model", stub, content=grey_photo.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    wanted = Colorizer(stub).colorize(grey_photo.read_bytes())
    assert done.stdout == wanted


@pytest.mark.parametrize(("content", "reason"), [(b"", b"it is empty"), (b"words", b"no image format")])
def test_bad_pipe(stub: Path, content: bytes, reason: bytes) -> None:
    """What is no photograph is exit code 1, one line on standard error, nothing on standard output."""
    done = _pipe("-", "--model", stub, content=content)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"tintype: the photograph cannot be read as a photograph: ")
    assert reason in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_notes_of_a_pipe(stub: Path, color_array: Any) -> None:
    """What a person should know is said on standard error."""
    source = io.BytesIO()
    Image.fromarray(color_array).convert("RGBA").save(source, "PNG")
    done = _pipe("-", "--model", stub, "--format", "jpeg", content=source.getvalue())
    assert done.stderr == b"tintype: JPEG keeps no transparency: put on white\n"
    assert done.stdout[:2] == b"\xff\xd8"


def test_terminal_as_stdout(
    stub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture is not poured into a terminal: exit code 2, with what to do."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert cli.main(["-", "--model", str(stub)]) == 2
    assert "would go to a terminal: write > color.png" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["-"], ["{photo}", "--json"]])
def test_full_stdout(stub: Path, color_photo: Path, arguments: list[str]) -> None:
    """Standard output that is full is exit code 1 and one line, and no traceback at the end either."""
    arguments = [argument.format(photo=color_photo) for argument in arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*TINTYPE, *arguments, "--model", str(stub)],
            input=color_photo.read_bytes(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"tintype: standard output: No space left on device\n"


def test_closed_stdout(stub: Path, color_photo: Path) -> None:
    """A reader that goes away is exit code 1 and one line, not a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [*TINTYPE, str(color_photo), "--json", "--model", str(stub)],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert b"Broken pipe" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("option", "value"), [("--strength", 0), ("--strength", 2), ("--warmth", 1), ("--warmth", "-0.5")]
)
def test_adjustments(run: Run, grey_photo: Path, tmp_path: Path, option: str, value: object) -> None:
    """Strength and warmth change the result."""
    assert run(grey_photo, "-o", tmp_path / "plain.png") == 0
    assert run(grey_photo, "-o", tmp_path / "other.png", option, value) == 0
    plain, other = (np.asarray(Image.open(tmp_path / name)) for name in ("plain.png", "other.png"))
    assert np.any(plain != other)
    if value == 0:
        assert np.ptp(other, axis=2).max() == 0


def test_vividness(run: Run, grey_photo: Path, stub_mean: Path) -> None:
    """Vividness is offered by a model with two outputs."""
    assert run(grey_photo, "--vividness", "0.2", "--model", stub_mean) == 0


def test_hints(run: Run, grey_photo: Path, tmp_path: Path) -> None:
    """A stroke of --hints colors the photograph it belongs to."""
    hints = tmp_path / "photo.tintype.json"
    stroke = {"points": [[10, 10]], "radius": 5, "color": "#ff0000"}
    hints.write_text(json.dumps({"tintype_hints": 1, "size": [72, 48], "strokes": [stroke]}))
    assert run(grey_photo, "-o", tmp_path / "plain.png", "--strength", 0) == 0
    assert run(grey_photo, "-o", tmp_path / "red.png", "--strength", 0, "--hints", hints) == 0
    plain, red = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("plain.png", "red.png"))
    assert np.ptp(plain[10, 10]) == 0
    assert red[10, 10, 0] > red[10, 10, 2] + 20


def test_bad_hints(run: Run, grey_photo: Path, folder: Path, tmp_path: Path) -> None:
    """Hints that are not there, are none, or are given for several photographs are exit code 2."""
    hints = tmp_path / "photo.tintype.json"
    assert run(grey_photo, "--hints", hints) == 2
    hints.write_text("{}")
    assert run(grey_photo, "--hints", hints) == 2
    hints.write_text('{"tintype_hints": 1, "size": [1, 1], "strokes": []}')
    assert run(folder, "--hints", hints) == 2
    assert "belongs to one photograph" in run.err


def test_working_size_and_threads(run: Run, grey_photo: Path) -> None:
    """The working size and threads asked for are taken, and the size is told."""
    assert run(grey_photo, "--working-size", 96, "--threads", 1, "--provider", "cpu", "--json") == 0
    assert run.records[0]["working_size"] == 96


def test_max_megapixels(run: Run, grey_photo: Path) -> None:
    """--max-megapixels refuses what is larger, and says how to allow it."""
    assert run(grey_photo, "--max-megapixels", "0.003") == 1
    assert "more than the 0.003 allowed: raise --max-megapixels" in run.err
    assert run(grey_photo, "--max-megapixels", "0.004") == 0


def test_models(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`tintype models` lists what is bundled with size, figures and licence, and says what is taken."""
    entries = {
        "one": {"bytes": 7_800_000, "license": "MIT", "metrics": {"psnr": 22.5, "more": {"detail": 1}}},
        "two": {"bytes": 100_000, "license": "CC0", "metrics": {}},
    }
    monkeypatch.setattr(models, "bundled", lambda: entries)
    monkeypatch.setattr(models, "default", lambda: "two")
    assert cli.main(["models"]) == 0
    lines = ["one: 7.8 MB, psnr 22.5, MIT", "two (default): 0.1 MB, CC0"]
    *told, taken = capsys.readouterr().out.splitlines()
    assert told == lines
    assert taken.startswith("without --model: two, in float32: no int8 form of it is bundled")


def test_a_file_called_models(run: Run, color_photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photograph called models is meant with ./ before it."""
    monkeypatch.chdir(color_photo.parent)
    color_photo.rename("models")
    assert run("./models") == 0
    assert Path("models_color.png").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["models", "--help"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help and version are exit code 0, on standard output; help has each option and an example."""
    with pytest.raises(SystemExit, match="0"):
        cli.main(arguments)
    out = capsys.readouterr().out
    if arguments == ["--help"]:
        options = (
            "out name overwrite compare files-from format json report model working-size provider threads"
        )
        for option in [*options.split(), "max-megapixels", "strength", "vividness", "warmth", "version"]:
            assert f"--{option} " in out or f"--{option}\n" in out
        assert "tintype photo.jpg" in out
    else:
        assert "tintype" in out


def test_installed_command() -> None:
    """The installed command is this one."""
    from importlib.metadata import entry_points

    (found,) = entry_points(group="console_scripts", name="tintype")
    assert found.load() is cli.main
