"""The page of examples/web as tests use it: built anew, served on this machine, opened in Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from benchmarks import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL import Image
    from playwright.sync_api import Page

WEB: Final = Path(__file__).parents[1] / "examples" / "web"
LONGEST: Final = 60_000  # ms for one photograph, on a machine that does other things too


def missing() -> str:
    """Say what these tests lack here; nothing where they can run."""
    if find_spec("playwright") is None:
        return "playwright is not installed: pip install playwright"
    if not chromium.executable():
        return "Chromium is not installed: apt-get install chromium"
    if not shutil.which("node"):
        return "Node is not installed: apt-get install nodejs npm"
    if not (WEB / "node_modules" / "onnxruntime-web").is_dir():
        return "onnxruntime-web is not there: run `npm ci` in examples/web"
    return ""


def build(folder: Path) -> Path:
    """Build the page in a folder of its own."""
    node = shutil.which("node")
    assert node
    subprocess.run([node, str(WEB / "build.mjs"), str(folder)], check=True, capture_output=True)
    return folder


class _Handler(SimpleHTTPRequestHandler):
    """What `python -m http.server` does, with more headers, quietly; a browser may hang up at any time."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def __init__(self, *arguments: Any, more: Mapping[str, str], **options: Any) -> None:
        self.more = more
        super().__init__(*arguments, **options)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def end_headers(self) -> None:
        for name, value in self.more.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def served(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve a folder on a free port; yield its address."""
    handler = partial(_Handler, directory=str(folder), more=more or {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class Visit:
    """A page that is open, and all that it asked for and complained of."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.context.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.set_default_timeout(LONGEST)
        page.goto(address)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def forget(self) -> None:
        """Empty the line of status: what it says of one photograph must not pass for the next one's."""
        self.page.eval_on_selector("#status", "line => { line.textContent = ''; }")

    def choose(self, photo: Path) -> None:
        """Choose a file, without waiting."""
        self.forget()
        self.page.set_input_files("#file", photo)

    def colorize(self, photo: Path) -> None:
        """Choose a file and wait until it is in color."""
        self.choose(photo)
        self.colored(photo)

    def colored(self, photo: Path) -> None:
        """Wait until a photograph is in color."""
        self.page.locator("#status", has_text=f"{photo.name} is in color").wait_for(state="attached")

    def wait(self, state: str) -> None:
        """Wait for welcome, working or done."""
        self.page.wait_for_selector(f"body[data-state={state}]")

    def set_vividness(self, vividness: float) -> None:
        """Move the slider as a person does: its picture follows."""
        self.page.locator("#vividness").fill(str(vividness))

    def download(self, folder: Path, kind: str = "png") -> Path:
        """Save the result into a folder, under the name that the page gives it."""
        self.page.locator(f"[name=format][value='image/{kind}']").check(force=True)
        with self.page.expect_download(timeout=LONGEST) as waiting:
            self.page.click("#save")
        result = folder / waiting.value.suggested_filename
        waiting.value.save_as(result)
        return result

    def drop(self, photo: Path) -> None:
        """Drop a file onto the page."""
        self.forget()
        self.page.evaluate(
            """async ({ bytes, name }) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([Uint8Array.from(bytes)], name));
                for (const kind of ["dragenter", "dragover", "drop"]) {
                    document.body.dispatchEvent(
                        new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
                }
            }""",
            {"bytes": list(photo.read_bytes()), "name": photo.name},
        )

    def paste(self, photo: Path) -> None:
        """Paste a picture."""
        self.forget()
        self.page.evaluate(
            """({ bytes, name }) => {
                const clipboardData = new DataTransfer();
                clipboardData.items.add(new File([Uint8Array.from(bytes)], name));
                document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
            }""",
            {"bytes": list(photo.read_bytes()), "name": photo.name},
        )

    def divider(self) -> float:
        """Return where the divider is drawn, % of the width."""
        text: str = self.page.eval_on_selector("#stage", "stage => stage.style.getPropertyValue('--at')")
        return float(text.rstrip("%"))

    def check(self) -> None:
        """Hold that nobody but the server of the page was asked for anything, and that nothing complained."""
        own = (self.address, f"blob:{self.address}", "data:")
        assert [url for url in self.requests if not url.startswith(own)] == []
        assert self.complaints == []


def save_photo(image: Image.Image, path: Path, **options: Any) -> Path:
    """Save a photograph, and return where."""
    image.save(path, **options)
    return path


def descendants() -> Iterator[Path]:
    """Yield the folders in /proc of all processes that this one started, and those that they did."""
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end meanwhile
            parents[process.name] = (process / "stat").read_text().rpartition(")")[2].split()[1]
    for name in parents:
        above = name
        while above in parents and above != str(os.getpid()):
            above = parents[above]
        if above == str(os.getpid()) != name:
            yield Path("/proc", name)


def resident(kind: str = "VmHWM") -> int:
    """Return the most memory that a renderer of ours holds (VmRSS) or held (VmHWM), bytes."""
    most = 0
    for process in descendants():
        with suppress(OSError):
            words, status = (process / "cmdline").read_bytes(), (process / "status").read_text()
            if b"--type=renderer" in words and (line := status.partition(f"{kind}:")[2]):
                most = max(most, int(line.split()[0]) * 1024)
    return most


def worked() -> float:
    """Return the seconds of processor time that the browser has taken so far."""
    ticks = 0
    for process in descendants():
        with suppress(OSError):
            if b"chromium" in (process / "cmdline").read_bytes():
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
