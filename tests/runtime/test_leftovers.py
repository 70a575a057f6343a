"""What a killed process left half-written is removed, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tintype import leftovers, output
from tintype.interrupts import Interrupted

if TYPE_CHECKING:
    from pathlib import Path

DIES = """
import os, sys
from pathlib import Path
from tintype import output
with output.replacing(Path(sys.argv[1])) as file:
    file.write(bytes(1000))
    os.kill(os.getpid(), 9)
"""
posix = pytest.mark.skipif(os.name == "nt", reason="there are no such locks on Windows")


@posix
def test_killed(tmp_path: Path) -> None:
    """What a process that was killed left is removed; what is being written now is not, nor anything else."""
    subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "a.png")], check=False)
    assert len(list(tmp_path.glob(".tintype-*.partial"))) == 1
    (tmp_path / "other.partial").touch()
    with output.replacing(tmp_path / "b.png") as file:
        file.write(b"whole")
        assert leftovers.sweep([tmp_path]) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"b.png", "other.partial"}
    assert (tmp_path / "b.png").read_bytes() == b"whole"


@posix
def test_links(tmp_path: Path) -> None:
    """A link of such a name is left alone, with what it leads to; a folder that is not there is no matter."""
    (tmp_path / "photo.png").touch()
    (tmp_path / ".tintype-1.partial").symlink_to("photo.png")
    (tmp_path / ".tintype-2.partial").mkdir()
    assert leftovers.sweep([tmp_path, tmp_path / "nowhere"]) == 0
    assert len(list(tmp_path.iterdir())) == 3


@posix
def test_sweeping_while_writing(tmp_path: Path) -> None:
    """Files that are written while another thread sweeps all appear."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            leftovers.sweep([tmp_path])

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        for number in range(200):
            with output.replacing(tmp_path / f"{number}.png") as file:
                file.write(b"whole")
    finally:
        stop.set()
        thread.join()
    assert len(list(tmp_path.glob("*.png"))) == 200


def test_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no locks, files are written all the same."""
    monkeypatch.setattr(leftovers, "fcntl", None)
    with output.replacing(tmp_path / "a.png") as file:
        file.write(b"whole")
    (tmp_path / ".tintype-1.partial").touch()
    assert leftovers.sweep([tmp_path]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_interrupted_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between the making of a file and its lock leaves no file."""

    def flock(_descriptor: int, _how: int) -> None:
        raise Interrupted

    monkeypatch.setattr(leftovers, "fcntl", SimpleNamespace(flock=flock, LOCK_EX=2))
    with pytest.raises(Interrupted), output.replacing(tmp_path / "a.png"):
        pytest.fail("nothing was to be written")
    assert not list(tmp_path.iterdir())
