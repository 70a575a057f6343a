"""`tintype cluster` as a process: a pool that loses a worker, buckets, and what can be wrong before work."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from PIL import Image

from cluster_tools import PATIENCE, needs_ray, needs_s3
from tintype import cli
from tintype.journal import NAME, Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tintype = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.cluster

COUNT: Final = 500
WORKERS: Final = ("--actors", "2", "--recursive")
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")


def _archive(folder: Path, count: int) -> Path:
    """Make small photographs, in folders of a hundred."""
    random = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number // 100}" / f"{number:03}.{('jpg', 'png', 'tif')[number % 3]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (24, 32, 3), np.uint8)).save(path)
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder but its journal."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _workers(parent: int) -> list[int]:
    """Return the pool's processes below a process."""
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            if b"ray::MapWorker" in (place / "cmdline").read_bytes() and parent in _ancestors(
                int(place.name)
            ):
                found.append(int(place.name))
    return found


def _ancestors(process: int) -> Iterator[int]:
    while process > 1:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        process = int(stat.rpartition(")")[2].split()[1])
        yield process


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tintype", "cluster", *map(str, arguments)]


def _records(lines: str) -> list[Any]:
    return [json.loads(line) for line in lines.splitlines()]


@linux
@needs_ray
@pytest.mark.slow
def test_a_worker_is_lost(tmp_path: Path, ray_folder: Path, tintype: Tintype, stub: Path) -> None:
    """Two workers, one killed in the middle: every result there, once, the local bytes; then all is done."""
    scans, out = _archive(tmp_path / "scans", COUNT), tmp_path / "out"
    command = _command(scans, "-o", out, *WORKERS, "--model", stub, "--json")
    environment, lines = os.environ | {"RAY_TMPDIR": str(ray_folder)}, list[str]()
    with (
        (tmp_path / "said").open("w+") as told,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if len(lines) == COUNT // 5:
                os.kill(_workers(process.pid)[0], signal.SIGKILL)
    said = (tmp_path / "said").read_text()
    assert process.returncode == 0, said
    records = _records("".join(lines))
    assert [record["status"] for record in records] == ["done"] * COUNT
    assert len({record["output"] for record in records}) == COUNT
    assert f"{COUNT} done, 0 skipped, 0 failed" in said
    assert not [line for line in said.splitlines() if "Ray" in line or "raylet" in line]

    local = tmp_path / "local"
    assert cli.main([str(scans), "-o", str(local), "-r", "--model", str(stub), "--threads", "1"]) == 0
    assert _files(out) == _files(local)
    assert set(os.listdir(out)) == {NAME, *os.listdir(scans)}  # noqa: PTH208
    claims = [json.loads(line) for line in (out / NAME).read_text().splitlines() if '"result"' in line]
    assert {claim["result"] for claim in claims} == set(_files(out))
    assert all(Journal(out).origin(out / name) for name in _files(out))

    again = tintype(scans, "-o", out, *WORKERS, "--report", tmp_path / "report.json")
    assert again.returncode == 0, again.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert [record["status"] for record in report["photos"]] == ["skipped"] * COUNT
    assert cli.main([str(scans), "-o", str(out), "-r", "--model", str(stub), "--threads", "1"]) == 0


@needs_ray
@needs_s3
@pytest.mark.slow
def test_buckets(tmp_path: Path, s3: Any, tintype: Tintype, stub: Path) -> None:
    """Out of a bucket and into it: the bytes of the local command."""
    scans, local = _archive(tmp_path / "scans", 20), tmp_path / "local"
    s3.put(f"{scans}/", "archive/scans/", recursive=True)
    done = tintype("s3://archive/scans", "-o", "s3://archive/color", *WORKERS)
    assert done.returncode == 0, done.stderr
    assert cli.main([str(scans), "-o", str(local), "-r", "--model", str(stub), "--threads", "1"]) == 0
    s3.get("archive/color/", f"{tmp_path}/down/", recursive=True)
    assert _files(tmp_path / "down") == _files(local)


@linux
@needs_ray
@pytest.mark.slow
def test_interrupted(tmp_path: Path, ray_folder: Path, stub: Path) -> None:
    """Ctrl-C ends all with 130 and one line; no process, segment or half-written file is left."""
    scans, out = _archive(tmp_path / "scans", COUNT), tmp_path / "out"
    command = _command(scans, "-o", out, *WORKERS, "--model", stub)
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"RAY_TMPDIR": str(ray_folder)}
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        workers = _workers(process.pid)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130, said
    assert said.splitlines()[-1].startswith("tintype: interrupted; what was finished is kept")
    assert "Traceback" not in said
    _wait(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert not [name for name in os.listdir(out) if name.startswith(".") and name != NAME]  # noqa: PTH208
    assert all(Journal(out).origin(out / name) for name in _files(out))


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


BAD: Final = {
    "no folder": (["nowhere", "-o", "{out}"], "there is no folder"),
    "no photographs' place": (
        ["{scans}", "-o", "{scans}"],
        "the photographs are there; choose another folder",
    ),
    "within results": (["{scans}/0", "-o", "{scans}"], "the photographs are there; choose another folder"),
    "no model": (["{scans}", "-o", "{out}", "--model", "none"], "there is no model none"),
    "no writing": (["{scans}", "-o", "{scans}/0/000.jpg/out"], "cannot be written"),
    "no provider": (["{scans}", "-o", "{out}", "--provider", "abacus"], "there is no provider abacus"),
    "no actors": (["{scans}", "-o", "{out}", "--actors", "0"], "--actors 0: at least 1 is needed"),
    "no threads": (["{scans}", "-o", "{out}", "--threads", "0"], "0 threads: at least 1 is needed"),
    "no name": (["{scans}", "-o", "{out}", "--name", "{{x}}"], "known are {stem}, {ext} and {model}"),
    "no protocol": (["odd://scans", "-o", "{out}"], "odd://scans: Protocol not known: odd"),
    "no answer": (["{scans}", "-o", "{out}", "--address", "127.0.0.1:{port}"], "it does not answer"),
    "no Ray there": (["{scans}", "-o", "{out}", "--address", "auto"], "Could not find any running Ray"),
    "no address": (["{scans}", "-o", "{out}", "--address", "abacus"], "Invalid address format: abacus"),
}


@needs_ray
@pytest.mark.slow
def test_what_can_be_wrong(tmp_path: Path, stub: Path) -> None:
    """Whatever keeps a run from starting is one line that says what, and exit code 2."""
    scans = _archive(tmp_path / "scans", 1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    names = {"{scans}": str(scans), "{out}": str(tmp_path / "out"), "{port}": port, "{{x}}": "{x}"}
    wrong = [_filled(["cluster", *words], names) for words, _ in BAD.values()]
    wrong = [words if "--model" in words else [*words, "--model", str(stub)] for words in wrong]
    code = (
        "import sys, json, io, contextlib\nfrom tintype.cli import main\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as said:\n        code = main(words)\n"
        "    print(json.dumps([code, said.getvalue()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(wrong)],
        capture_output=True, text=True, check=True, timeout=PATIENCE, cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
    )  # fmt: skip
    answers = _records(done.stdout)
    for (name, (_, expected)), (number, said) in zip(BAD.items(), answers, strict=True):
        assert (name, number, said.count("\n")) == (name, 2, 1), said
        assert expected in said, name


def _filled(words: list[str], names: dict[str, str]) -> list[str]:
    for name, value in names.items():
        words = [word.replace(name, value) for word in words]
    return words


@needs_s3
def test_what_can_be_wrong_elsewhere(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket or folder that is not there, and missing credentials, are one line each."""
    from tintype.cluster.remote import Remote
    from tintype.errors import UsageError
    from tintype.url import as_path

    def said(place: str) -> str:
        with pytest.raises(UsageError) as caught:
            Remote(place).check_folder(as_path(place))
        with pytest.raises(UsageError) as also:
            Remote(place).check_there(as_path(place))
        return f"{caught.value} {also.value}"

    assert "s3://nowhere: there is no such bucket" in said("s3://nowhere")
    with pytest.raises(UsageError, match="s3://archive/none: it is not there"):
        Remote("s3://archive").check_there(as_path("s3://archive/none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    assert "there are no credentials" in said("s3://archive")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    assert "the server does not answer" in said("s3://archive")


def test_no_ray(tmp_path: Path, stub: Path) -> None:
    """Without Ray one line says what to install."""
    scans = _archive(tmp_path / "scans", 1)
    code = "import sys; sys.modules['ray'] = None; from tintype.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "cluster", scans, "-o", tmp_path / "out", "--model", stub]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("tintype: tintype cluster needs Ray: pip install 'tintype[cluster]'")
    assert done.stderr.count("\n") == 1


def test_a_file_called_cluster(
    tmp_path: Path, stub: Path, color_photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photograph called cluster is meant by ./cluster."""
    color_photo.rename(tmp_path / "cluster")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["./cluster", "--model", str(stub)]) == 0
    assert (tmp_path / "cluster_color.png").exists()
