"""What tests of archives share: plans, a real S3 server on this machine, the command line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from cluster_tools import PATIENCE
from tintype import __version__, batch, models
from tintype.adjustments import Adjustments
from tintype.cluster.plan import Plan
from tintype.naming import Naming
from tintype.url import as_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TINTYPE: Final = [sys.executable, "-m", "tintype"]
KEYS: Final = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def make_plan(stub: Path) -> Callable[..., Plan]:
    """Return what makes a plan with the stub model, taken as if it were bundled."""

    def make(folder: object, out: object, **changes: Any) -> Plan:
        places = as_path(str(folder)), as_path(str(out))
        settings = batch.Settings(
            Adjustments(), overwrite=changes.pop("overwrite", False), dry=changes.pop("dry", False)
        )
        values: dict[str, Any] = {
            "run": os.urandom(6).hex(),
            "folder": places[0],
            "out": places[1],
            "recursive": True,
            "compare": False,
            "names": Naming(places[1], folder=True, template="{stem}_color{ext}", model="stub"),
            "settings": settings,
            "version": __version__,
            "model": str(stub),
            "model_sha256": models.sha256(stub),
            "weights": None,
            "provider": "cpu",
            "threads": 1,
            "working_size": None,
        }
        return Plan(**values | changes)

    return make


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """Return the address of a real S3 server on this machine, of moto."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    with subprocess.Popen([sys.executable, "-c", serve], stdout=-3, stderr=-3) as server:
        for _ in range(PATIENCE * 10):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.kill()


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the filesystem of that server with a new bucket, `archive`; child processes know it."""
    import s3fs

    for name, value in (KEYS | {"AWS_ENDPOINT_URL": s3_address}).items():
        monkeypatch.setenv(name, value)
    files = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    if files.exists("archive"):
        files.rm("archive", recursive=True)
    files.mkdir("archive")
    return files


@pytest.fixture(scope="session")
def ray_folder() -> Iterator[Path]:
    """Return a folder for Ray with a short name: its sockets take no long ones."""
    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def tintype(ray_folder: Path, stub: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return `tintype cluster` as a process of its own, with the stub model."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [*TINTYPE, "cluster", *map(str, arguments), "--model", str(stub)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env=os.environ | {"RAY_TMPDIR": str(ray_folder)} | environment,
        )

    return run
