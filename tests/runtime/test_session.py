"""Opening models: what is none of ours is refused in one line; providers, threads and sizes."""

from __future__ import annotations

import os
import runpy
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tintype import models, session
from tintype.errors import (
    CancelledError,
    ModelContractError,
    ModelNotFoundError,
    ModelUnreadableError,
    ProviderError,
)
from tintype.session import open_session, physical_cores
from tintype.watch import Watch


@pytest.fixture(scope="module")
def maker() -> SimpleNamespace:
    """Return the script that makes the stubs."""
    pytest.importorskip("onnx")
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "stub" / "make.py")))


@pytest.fixture
def props(maker: SimpleNamespace) -> dict[str, str]:
    """Return the metadata of a stub."""
    found: dict[str, str] = maker.METADATA["stub"].to_props()
    return found


def _saved(model: Any, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def test_stubs_are_those_of_their_script(maker: SimpleNamespace, stub: Path) -> None:
    """The stub models are, byte for byte, what the script beside them makes, and a kilobyte each at most."""
    made = maker.files()
    assert {path.name: path.read_bytes() for path in stub.parent.glob("*.onnx")} == made
    assert all(len(content) < 1024 for content in made.values())


def test_open(stub: Path) -> None:
    """A model opens with its metadata, on the processor where there is nothing else."""
    opened = open_session(stub)
    assert opened.metadata.model == "stub"
    assert opened.path == stub
    assert opened.provider in session.PROVIDERS
    assert not opened.has_mean


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (3, 1, 8, 16), (1, 1, 264, 8)])
def test_run(stub: Path, stub_mean: Path, shape: tuple[int, ...]) -> None:
    """The network takes any batch and any size in multiples of 8, and gives what the graph says."""
    lightness = np.linspace(0, 100, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    ab, nothing = open_session(stub, "cpu").run(lightness)
    wanted = np.concatenate([lightness / 5 - 10, 20 - lightness / 4], axis=1)
    np.testing.assert_allclose(ab, wanted, atol=1e-4)
    assert nothing is None
    opened = open_session(stub_mean, "cpu")
    assert opened.has_mean
    found, mean = opened.run(lightness)
    np.testing.assert_array_equal(found, ab)
    assert mean is not None
    np.testing.assert_allclose(mean, ab / 2, atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (1, 64, 64), (1, 2, 64, 64), (1, 1, 60, 64), (1, 1, 64, 4)])
def test_wrong_shapes(stub: Path, shape: tuple[int, ...]) -> None:
    """Lightness of another shape is refused with the shape wanted."""
    with pytest.raises(ValueError, match=r"wanted is .N, 1, H, W., H and W multiples of 8"):
        open_session(stub).run(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    "content",
    [b"", b"not a model at all\n" * 40, b"\x08\x09", bytes(2000)],
    ids=["empty", "words", "short", "zeros"],
)
def test_not_onnx(tmp_path: Path, content: bytes) -> None:
    """A file that is no ONNX model is said to be none, in one line that names it."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises((ModelUnreadableError, ModelContractError), match=r"model\.onnx") as caught:
        open_session(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_truncated(tmp_path: Path, stub: Path, part: float) -> None:
    """A model that was cut off is refused, wherever the cut is."""
    path, content = tmp_path / "model.onnx", stub.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises((ModelUnreadableError, ModelContractError), match=r"model\.onnx") as caught:
        open_session(path)
    assert "\n" not in str(caught.value)
    assert "ONNXRuntimeError" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.onnx", "."])
def test_missing(tmp_path: Path, name: str) -> None:
    """A file that is not there, or a folder, is said to be missing, with what there is instead."""
    with pytest.raises(ModelNotFoundError, match=r"or one of \w"):
        open_session(tmp_path / name)


def test_foreign(tmp_path: Path, maker: SimpleNamespace) -> None:
    """A good ONNX model without the contract is told how to get it."""
    path = _saved(maker.build({"author": "somebody else"}), tmp_path / "foreign.onnx")
    with pytest.raises(
        ModelContractError, match=r"carries no tintype\.contract; make one with python -m export"
    ):
        open_session(path)


def test_future(tmp_path: Path, maker: SimpleNamespace, props: dict[str, str]) -> None:
    """A model of a later contract says what was found and what is understood."""
    path = _saved(maker.build(props | {"tintype.contract": "2"}), tmp_path / "future.onnx")
    with pytest.raises(ModelContractError, match="contract 2, understood here is 1: update Tintype"):
        open_session(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_name": "lightness"}, r"its inputs are \['lightness'\], wanted is l$"),
        ({"output_name": "color"}, r"its outputs are \['color'\], wanted is ab$"),
    ],
)
def test_wrong_signature(
    tmp_path: Path, maker: SimpleNamespace, props: dict[str, str], changes: dict[str, Any], message: str
) -> None:
    """A model with our contract and other inputs or outputs is refused with both names."""
    path = _saved(maker.build(props, **changes), tmp_path / "other.onnx")
    with pytest.raises(ModelContractError, match=message):
        open_session(path)


def test_fixed_size(tmp_path: Path, maker: SimpleNamespace, props: dict[str, str]) -> None:
    """A model that takes one size only is refused, in one line, when it is given another."""
    opened = open_session(_saved(maker.build(props, size=128), tmp_path / "fixed.onnx"))
    assert opened.run(np.zeros((1, 1, 128, 128), np.float32))[0].shape == (1, 2, 128, 128)
    with pytest.raises(ModelContractError, match=r"fixed\.onnx .*Got invalid dimensions") as caught:
        opened.run(np.zeros((1, 1, 64, 64), np.float32))
    assert "\n" not in str(caught.value)


def test_memory_runs_out(stub: Path) -> None:
    """An allocation that fails inside of the network is a MemoryError."""

    def exhaust(*_: Any) -> None:
        raise RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory")

    opened = open_session(stub)
    opened._session = SimpleNamespace(run=exhaust)
    with pytest.raises(MemoryError, match=r"^Failed to allocate memory"):
        opened.run(np.zeros((1, 1, 64, 64), np.float32))


def test_unknown_provider(stub: Path) -> None:
    """A word that is no provider is refused with those that are."""
    with pytest.raises(
        ProviderError, match="no provider gpu: choose auto, cpu, cuda, directml, coreml, openvino"
    ):
        open_session(stub, "gpu")


def _installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    full = [session.PROVIDERS[name] for name in names]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: full)


@pytest.mark.parametrize("name", ["cuda", "directml", "coreml", "openvino"])
def test_provider_not_there(stub: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider asked for by name that this onnxruntime lacks is refused with what it has and what to do."""
    _installed(monkeypatch, "cpu")
    with pytest.raises(ProviderError, match=f"provider {name} is not .* has cpu: install .* --provider auto"):
        open_session(stub, name)


class _Opened:
    """Stands for onnxruntime's session: opens on some providers, fails or falls back on others."""

    opens: tuple[str, ...] = ()
    falls_back = False
    options: Any = None

    def __init__(self, path: str, options: Any, providers: list[str]) -> None:
        self.real = self.plain(path, options, providers=["CPUExecutionProvider"])
        self.providers = providers
        type(self).options = options
        if providers[0] not in self.opens:
            if not self.falls_back:
                raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : no device\nin detail")
            self.providers = providers[1:]

    plain = onnxruntime.InferenceSession

    def get_providers(self) -> list[str]:
        return self.providers

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.mark.parametrize(
    ("installed", "opens", "falls_back", "wanted"),
    [
        (["cuda", "cpu"], ["cuda", "cpu"], False, "cuda"),
        (["cuda", "cpu"], ["cpu"], False, "cpu"),
        (["cuda", "cpu"], ["cpu"], True, "cpu"),
        (["directml", "cpu"], ["directml", "cpu"], False, "directml"),
        (["coreml", "openvino", "cpu"], ["coreml", "openvino", "cpu"], False, "cpu"),
    ],
)
def test_auto(  # noqa: PLR0917 - cases are many-sided
    stub: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: list[str],
    opens: list[str],
    falls_back: bool,  # noqa: FBT001
    wanted: str,
) -> None:
    """`auto` takes the first provider that really opens and says which; those slower here only by name."""
    _installed(monkeypatch, *installed)
    monkeypatch.setattr(onnxruntime, "InferenceSession", _Opened)
    monkeypatch.setattr(_Opened, "opens", tuple(session.PROVIDERS[name] for name in opens))
    monkeypatch.setattr(_Opened, "falls_back", falls_back)
    assert open_session(stub).provider == wanted


@pytest.mark.parametrize(("falls_back", "reason"), [(False, "no device"), (True, "fell back to another")])
def test_named_provider_does_not_open(
    stub: Path,
    monkeypatch: pytest.MonkeyPatch,
    falls_back: bool,  # noqa: FBT001
    reason: str,
) -> None:
    """A provider asked for by name that does not open is an error in one line, never another provider."""
    _installed(monkeypatch, "cuda", "cpu")
    monkeypatch.setattr(onnxruntime, "InferenceSession", _Opened)
    monkeypatch.setattr(_Opened, "opens", ("CPUExecutionProvider",))
    monkeypatch.setattr(_Opened, "falls_back", falls_back)
    with pytest.raises(
        ProviderError, match=f"provider cuda did not open: .*{reason}.*--provider auto or cpu$"
    ):
        open_session(stub, "cuda")


@pytest.mark.parametrize(("threads", "wanted"), [(3, 3), (None, physical_cores())])
def test_threads(stub: Path, monkeypatch: pytest.MonkeyPatch, threads: int | None, wanted: int) -> None:
    """The network gets the threads asked for, or one for each physical core; waiting threads sleep."""
    _installed(monkeypatch, "cpu")
    monkeypatch.setattr(onnxruntime, "InferenceSession", _Opened)
    monkeypatch.setattr(_Opened, "opens", ("CPUExecutionProvider",))
    open_session(stub, threads=threads)
    assert _Opened.options.intra_op_num_threads == wanted
    assert _Opened.options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert not _Opened.options.enable_cpu_mem_arena


@pytest.mark.parametrize(
    ("siblings", "allowed", "wanted"),
    [
        ({0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, {0, 1, 2, 3}, 2),
        ({0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"}, {0, 1}, 1),
        ({}, {0, 1, 2}, 3),
        ({}, set(), 1),
    ],
)
def test_physical_cores(
    monkeypatch: pytest.MonkeyPatch, siblings: dict[int, str], allowed: set[int], wanted: int
) -> None:
    """Two threads of one core count once, cores not allowed do not count, and one is always left."""

    def number(path: Path) -> int:
        return int(path.parts[-3].removeprefix("cpu"))

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: allowed, raising=False)
    monkeypatch.setattr(Path, "is_file", lambda path: number(path) in siblings)
    monkeypatch.setattr(Path, "read_text", lambda path: siblings[number(path)])
    assert physical_cores() == wanted


class _Slow:
    """Stands for onnxruntime's session: works until it is terminated."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def run(self, _outputs: Any, _feed: Any, options: Any) -> None:
        self.begun.set()
        while not options.terminate:
            time.sleep(0.001)
        self.ended.set()
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : Exiting due to terminate flag being set to true.")


def test_cancel(stub: Path) -> None:
    """Cancelling inside of the network raises CancelledError and has onnxruntime end; the session goes on."""
    opened, slow, watch = open_session(stub), _Slow(), Watch()
    real, opened._session = opened._session, slow

    def cancel() -> None:
        slow.begun.wait(20)
        watch.cancel()

    threading.Thread(target=cancel).start()
    lightness = np.full((1, 1, 64, 64), 50, np.float32)
    with pytest.raises(CancelledError):
        opened.run(lightness, watch)
    assert slow.ended.wait(20)
    opened._session = real
    with pytest.raises(CancelledError):
        opened.run(lightness, watch)
    np.testing.assert_array_equal(opened.run(lightness, Watch())[0], opened.run(lightness)[0])


def test_watched_errors_are_the_same(tmp_path: Path, maker: SimpleNamespace, props: dict[str, str]) -> None:
    """What the network refuses, it refuses in the same words when it is watched."""
    opened = open_session(_saved(maker.build(props, size=128), tmp_path / "fixed.onnx"))
    with pytest.raises(ModelContractError, match=r"fixed\.onnx .*Got invalid dimensions"):
        opened.run(np.zeros((1, 1, 64, 64), np.float32), Watch())


@pytest.mark.released
@pytest.mark.slow
def test_cancel_for_real() -> None:
    """The released model, cancelled in the middle at a large working size, is left within half a second."""
    opened = open_session(models.find("default"), "cpu", threads=1)
    size = opened.metadata.working_size
    small = np.full((1, 1, size, size), 50, np.float32)
    before, took = opened.run(small)[0], list[float]()

    def cancel(watch: Watch) -> None:
        took.append(-time.monotonic())
        watch.cancel()

    for _ in range(3):  # the machine may be busy with other things
        watch = Watch()
        threading.Timer(0.2, cancel, [watch]).start()
        with pytest.raises(CancelledError):
            opened.run(np.full((1, 1, 1024, 1024), 50, np.float32), watch)
        took[-1] += time.monotonic()
    assert min(took) < 0.5
    np.testing.assert_array_equal(opened.run(small)[0], before)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda graph: graph.input[0].type.tensor_type.shape.dim.pop(), "its l is .* with 3 axes"),
        (
            lambda graph: setattr(graph.input[0].type.tensor_type.shape.dim[1], "dim_param", "c"),
            "and c channels",
        ),
        (lambda graph: graph.input.append(graph.output[0]), r"its inputs are \['l', 'ab'\]|cannot be read"),
    ],
)
def test_other_shapes(
    tmp_path: Path, maker: SimpleNamespace, props: dict[str, str], spoil: Any, message: str
) -> None:
    """A model with the right names and other axes, channels or inputs is refused."""
    model = maker.build(props)
    spoil(model.graph)
    with pytest.raises((ModelContractError, ModelUnreadableError), match=message):
        open_session(_saved(model, tmp_path / "other.onnx"))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((1, 2, 32, 64), np.float32), r"its ab is of shape \(1, 2, 32, 64\)"),
        (np.full((1, 2, 64, 64), np.nan, np.float32), "values that are no numbers"),
        (np.full((1, 2, 64, 64), np.inf, np.float32), "values that are no numbers"),
    ],
)
def test_wrong_answers(stub: Path, answer: Any, message: str) -> None:
    """A network that does not give what its signature says is refused."""
    opened = open_session(stub)
    opened._session = SimpleNamespace(run=lambda *_: [answer])
    with pytest.raises(ModelContractError, match=message):
        opened.run(np.zeros((1, 1, 64, 64), np.float32))
