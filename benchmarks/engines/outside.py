"""Run forms in engines, each in a process of its own: one that ends its process, or hangs, ends no other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks import chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Float: TypeAlias = NDArray[np.float32]

HERE: Final = Path(__file__).parent
EXAMPLES: Final = HERE.parents[1] / "examples"
NODE_PACKAGE: Final = EXAMPLES / "node" / "node_modules" / "onnxruntime-node"
WEB_PACKAGE: Final = EXAMPLES / "web" / "node_modules" / "onnxruntime-web"
LONGEST: Final = 240  # s, of one form on three photographs


@dataclass(frozen=True)
class Answers:
    """What an engine made of photographs."""

    values: list[Float]
    seconds: list[float]
    """The best of the rounds, of each."""


class EngineError(RuntimeError):
    """An engine that does not take a form; says why in its own words."""


@dataclass(frozen=True)
class Engine:
    """What runs ONNX files."""

    title: str
    missing: Callable[[], str]
    """What to install; empty where it is here."""
    version: Callable[[], str]
    run: Callable[[Path, Sequence[Float], int], Answers]
    """Run a file on inputs, so many rounds after a first one, for time; raises EngineError."""


def packaged(title: str, opener: str, distribution: str) -> Engine:
    """Return an engine that is a Python package of this environment."""

    def missing() -> str:
        try:
            version(distribution)
        except PackageNotFoundError:
            return f"{distribution} is not installed: pip install -e '.[engines]'"
        return ""

    run = partial(_python, sys.executable, opener)
    return Engine(title, missing, lambda: version(distribution), run)


def old_onnxruntime(python: Path | None) -> Engine:
    """Return the onnxruntime of another environment, whose interpreter is given."""
    asked = [str(python), "-c", "import onnxruntime; print(onnxruntime.__version__)"]
    return Engine(
        "onnxruntime, oldest supported",
        lambda: "" if python and python.is_file() else "no environment with an old onnxruntime was named",
        lambda: subprocess.check_output(asked, text=True).strip(),
        partial(_python, str(python), "bare"),
    )


def node() -> Engine:
    """Return onnxruntime-node."""
    return Engine(
        "onnxruntime-node",
        lambda: _lacking(NODE_PACKAGE) or ("" if shutil.which("node") else "Node is not installed"),
        lambda: _npm_version(NODE_PACKAGE),
        _in_node,
    )


def browser() -> Engine:
    """Return onnxruntime-web, compiled to WebAssembly, in headless Chromium."""
    return Engine(
        "onnxruntime-web, Chromium",
        lambda: _lacking(WEB_PACKAGE) or _no_chromium(),
        lambda: _npm_version(WEB_PACKAGE),
        _in_chromium,
    )


def engines(old_python: Path | None = None) -> dict[str, Engine]:
    """Return all engines by a short name; the first is what the others' time is compared with."""
    return {
        "onnxruntime": packaged("onnxruntime", "onnxruntime", "onnxruntime"),
        "onnxruntime-old": old_onnxruntime(old_python),
        "reference": packaged("onnx, reference evaluator", "reference", "onnx"),
        "opencv": packaged("OpenCV", "opencv", "opencv-python-headless"),
        "openvino": packaged("OpenVINO", "openvino", "openvino"),
        "node": node(),
        "browser": browser(),
        "mnn": packaged("MNN", "MNN", "MNN"),
        "tract": packaged("tract", "tract", "tract"),
    }


def _python(python: str, opener: str, model: Path, inputs: Sequence[Float], rounds: int) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        taken, given = Path(folder) / "inputs.npz", Path(folder) / "answers.npz"
        named: dict[str, Any] = {f"photo_{number}": values for number, values in enumerate(inputs)}
        np.savez(taken, **named)
        _finished([python, HERE / "child.py", opener, model, taken, given, rounds])
        found = np.load(given)
        values = [found[f"photo_{number}"] for number in range(len(inputs))]
        return Answers(values, [float(second) for second in found["seconds"]])


def _in_node(model: Path, inputs: Sequence[Float], rounds: int) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        files = _written(Path(folder), inputs)
        arrays = Path(folder) / "arrays.json"
        said = [{"dims": x.shape, "data": str(file)} for x, file in zip(inputs, files, strict=True)]
        arrays.write_text(json.dumps(said), encoding="utf-8")
        output = _finished(["node", HERE / "child.mjs", NODE_PACKAGE, model, rounds, arrays])
        values = [np.fromfile(file, np.float32) for file in files]
    seconds = json.loads(output.splitlines()[-1])
    return Answers([_shaped(a, x) for a, x in zip(values, inputs, strict=True)], seconds)


def _in_chromium(model: Path, inputs: Sequence[Float], rounds: int) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / "page.html", folder)
        shutil.copy(model, Path(folder) / "model.onnx")
        shutil.copytree(WEB_PACKAGE / "dist", Path(folder) / "ort", ignore=_not_wasm)
        _written(Path(folder), inputs)
        found = _visited(Path(folder), [list(x.shape) for x in inputs], rounds)
    values = [np.array(item["values"], np.float32) for item in found]
    shaped = [_shaped(a, x) for a, x in zip(values, inputs, strict=True)]
    return Answers(shaped, [item["seconds"] for item in found])


def _visited(folder: Path, shapes: list[list[int]], rounds: int) -> list[dict[str, Any]]:
    """Serve a folder, open its page in Chromium and let it run; raises EngineError."""
    from playwright.sync_api import Error

    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, chromium.browsing() as browser:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            page = browser.new_page()
            page.set_default_timeout(LONGEST * 1000)
            page.goto(f"http://127.0.0.1:{server.server_port}/page.html")
            page.wait_for_function("() => Boolean(window.run)")
            found: list[dict[str, Any]] = page.evaluate("([s, r]) => window.run(s, r)", [shapes, rounds])
        except Error as error:
            raise EngineError(error.message) from error
        finally:
            server.shutdown()
    return found


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        pass


def _finished(command: Sequence[object]) -> str:
    """Run a command to its end and return what it prints; raises EngineError with its last words."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise EngineError(f"not done after {LONGEST} s") from None
    if done.returncode < 0:
        raise EngineError(f"its process ends by signal {-done.returncode}")
    if done.returncode:
        raise EngineError(_last_words(done.stderr))
    return done.stdout


def _last_words(said: str) -> str:
    """Return the message of an exception from what an interpreter printed."""
    lines = [line.strip() for line in said.strip().splitlines()]
    named = [n for n, line in enumerate(lines) if "Error: " in line or "error: " in line.lower()]
    kept = lines[named[-1] :] if named else lines[-1:]
    return " ".join(kept)[:600]


def _written(folder: Path, inputs: Sequence[Float]) -> list[Path]:
    files = [folder / f"{number}.bin" for number in range(len(inputs))]
    for file, values in zip(files, inputs, strict=True):
        values.tofile(file)
    return files


def _shaped(answer: Float, values: Float) -> Float:
    """Give a flat answer the shape that its input says."""
    count, _, height, width = values.shape
    return answer.reshape(count, -1, height, width)


def _not_wasm(_folder: str, files: list[str]) -> list[str]:
    kept = {"ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"}
    return [file for file in files if file not in kept]


def _no_chromium() -> str:
    try:
        version("playwright")
    except PackageNotFoundError:
        return "playwright is not installed: pip install -e '.[engines]'"
    return "" if chromium.executable() else "Chromium is not installed: apt-get install chromium"


def _lacking(package: Path) -> str:
    return "" if package.is_dir() else f"{package.name} is not there: run npm ci in {package.parents[1]}"


def _npm_version(package: Path) -> str:
    found: str = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    return found
