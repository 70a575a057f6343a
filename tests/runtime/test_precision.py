"""Which form of the default model is opened, by what the processor says and by what was measured."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tintype import Colorizer, cli, models, precision, session
from tintype.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Shelf = Callable[[dict[str, Any] | None], Path]

CHEAP: dict[str, Any] = {"float32": {"ciede2000_mean": 0.2, "speed": 1.5}}


@pytest.fixture
def shelf(tmp_path: Path, stub: Path, stub_mean: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Put stubs in place of the bundled models: one, and its int8 form (which has ab_mean) with metrics."""

    def fill(metrics: dict[str, Any] | None) -> Path:
        shared = {"bytes": 1, "license": "MIT", "metrics": {}}
        entries = {"one": shared | {"file": "one.onnx"}}
        if metrics is not None:
            entries["one-int8"] = shared | {"file": "one-int8.onnx", "metrics": metrics}
        (tmp_path / "models.json").write_text(json.dumps({"default": "one", "models": entries}))
        shutil.copy(stub, tmp_path / "one.onnx")
        shutil.copy(stub_mean, tmp_path / "one-int8.onnx")
        return tmp_path

    monkeypatch.setattr(models, "FOLDER", tmp_path)
    return fill


def processor(monkeypatch: pytest.MonkeyPatch, folder: Path, flags: str | None) -> None:
    """Have the processor report flags; None is a system that cannot be asked."""
    path = folder / "cpuinfo"
    if flags is not None:
        path.write_text(
            f"processor\t: 0\nmodel name\t: avx_vnni by name only\nflags\t\t: fpu {flags} sse\n\n"
        )
    monkeypatch.setattr(precision, "CPUINFO", path)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("avx512_vnni", True), ("avx2 avx_vnni", True), ("avx512f avx512_vnnix", False), (None, None)],
)
def test_vnni(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, flags: str | None, expected: bool | None
) -> None:
    """VNNI is what the flags of the processor say, word by word; unknown where there are none to read."""
    processor(monkeypatch, tmp_path, flags)
    assert precision.vnni() is expected


@pytest.mark.parametrize(
    ("flags", "metrics", "opened", "reason"),
    [
        ("avx512_vnni", CHEAP, "one-int8", "in int8: this processor has VNNI"),
        ("avx512_vnni", None, "one", "no int8 form of it is bundled (this processor has VNNI)"),
        ("avx2", CHEAP, "one", "this processor has no VNNI"),
        (None, CHEAP, "one", "does not say whether it has VNNI"),
        ("avx_vnni", {"float32": {"ciede2000_mean": 0.2, "speed": 0.99}}, "one", "not measured to be faster"),
        (
            "avx_vnni",
            {"float32": {"ciede2000_mean": 1.0, "speed": 2.0}},
            "one",
            "not within a CIEDE2000 of 1",
        ),
        ("avx_vnni", {"float32": {"speed": 2.0}}, "one", "not within a CIEDE2000 of 1"),
        ("avx_vnni", {}, "one", "not measured to be faster"),
    ],
)
def test_choice(
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    flags: str | None,
    metrics: dict[str, Any] | None,
    opened: str,
    reason: str,
) -> None:
    """Int8 is opened by itself with VNNI, faster, and close to float32; `tintype models` says so, and why."""
    processor(monkeypatch, shelf(metrics), flags)
    colorizer = Colorizer(threads=1)
    assert colorizer.session.path.name == f"{opened}.onnx"
    assert colorizer.session.has_mean == (opened == "one-int8")
    assert cli.main(["models"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith(f"without --model: {opened}, in ")
    assert reason in said[-1]
    assert [line.partition(":")[0] for line in said[:-1]] == [
        "one (default)",
        *["one-int8"] * (metrics is not None),
    ]


def test_by_name(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, stub_mean: Path) -> None:
    """A form that is named is the one that is opened, whatever the processor says."""
    folder = shelf(CHEAP)
    processor(monkeypatch, folder, "avx2")
    assert Colorizer("one-int8", threads=1).session.path == folder / "one-int8.onnx"
    processor(monkeypatch, folder, "avx_vnni")
    assert Colorizer("one", threads=1).session.path == folder / "one.onnx"
    assert Colorizer(stub_mean, threads=1).session.path == stub_mean


def test_not_on_a_gpu(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another provider comes before the CPU, float32 is opened; an unknown provider is refused."""
    processor(monkeypatch, shelf(CHEAP), "avx_vnni")
    assert precision.choose("default", "cpu") == "one-int8"
    with pytest.raises(ProviderError):
        precision.choose("default", "gpu")
    both = [session.PROVIDERS["cuda"], session.PROVIDERS["cpu"]]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: both)
    assert precision.choose("default", "auto") == "default"
    assert precision.choose("default", "cuda") == "default"
    assert precision.choose("default", "cpu") == "one-int8"
