"""One file through all of Tintype: open, colorize with a stub of a network, save; and what came of it."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
STUB: Final = ROOT / "tests" / "stub" / "stub.onnx"
MEGAPIXELS: Final = 4.0  # what --max-megapixels says: larger ones are refused
BOUND: Final = 400 << 20  # bytes: the whole process at its peak, with photographs of that size
GROWTH: Final = 300 << 20  # bytes that a process may grow by
PATIENCE: Final = 20.0  # s that one file may take
_SUFFIXES: Final = (".png", ".jpg", ".tif", ".webp", ".bmp", ".ppm")
_CHECKED: Final = 8  # every so many results are read again


class Finding(Exception):  # noqa: N818 - what is found is no error of this program
    """Something that must not be: another error than one of ours, a torn result, too much time or memory."""


class Road:
    """Takes one file after the other. The folder holds one photograph and its result."""

    def __init__(self, folder: Path) -> None:
        """Open the stub."""
        from tintype import Adjustments, Colorizer

        self._folder = folder
        self._colorizer = Colorizer(STUB, provider="cpu", threads=1)
        self._adjustments = Adjustments()
        session: Any = self._colorizer.session
        self._run, session.run = session.run, self._network
        self.reached = 0
        """Files that came to the network."""
        self.counts: Counter[str] = Counter()
        """By what became of them."""
        self.slowest = 0.0, 0
        """Seconds, and the number of that file."""
        self.bound = max(BOUND, peak_memory() + GROWTH)
        """Bytes: among other tests, the process was larger already."""

    def _network(self, *arguments: Any) -> Any:
        self.reached += 1
        return self._run(*arguments)

    def take(self, name: str, content: bytes, number: int = 0) -> str:
        """Colorize a file's content; return `done` or the name of our error. Raises Finding."""
        from tintype.errors import PhotoError

        source = self._folder / f"in{Path(name).suffix}"
        target = self._folder / f"out{_SUFFIXES[number % len(_SUFFIXES)]}"
        source.write_bytes(content)
        before, start = self.reached, time.perf_counter()
        try:
            outcome = self._one(source, target, number)
            self._check(target, (outcome.width, outcome.height), number)
            said = "done"
        except PhotoError as error:
            said = type(error).__name__
            self._check_refusal(str(error))
        except Finding:
            raise
        except Exception as error:
            raise Finding(f"{type(error).__name__}: {error}") from error
        finally:
            source.unlink()
            target.unlink(missing_ok=True)
        if self.reached > before:  # of several pages each comes there
            self.reached = before + 1
        self._count(said, time.perf_counter() - start, number)
        return said

    def _one(self, source: Path, target: Path, number: int) -> Any:
        from tintype.encoding import Settings

        settings = Settings(
            keep_profile=number % 3 == 0, provenance=number % 5 != 0, lossless=number % 7 == 0
        )
        return self._colorizer.colorize_file(
            source, target, self._adjustments, max_megapixels=MEGAPIXELS, settings=settings
        )

    def _check(self, target: Path, size: tuple[int, int], number: int) -> None:
        from PIL import Image

        if not target.exists():
            raise Finding("no result, and no error")
        if number % _CHECKED == 0:
            with Image.open(target) as stored:
                stored.load()
                if stored.size != size:
                    raise Finding(f"a result of {stored.size}, said was {size}")

    def _check_refusal(self, message: str) -> None:
        if "\n" in message or not message:
            raise Finding(f"a message that is not one line: {message!r}")
        left = [path.name for path in self._folder.iterdir() if not path.name.startswith("in.")]
        if left:
            raise Finding(f"refused, and left behind: {left}")

    def _count(self, said: str, seconds: float, number: int) -> None:
        self.counts[said] += 1
        self.slowest = max(self.slowest, (seconds, number))
        if seconds > PATIENCE:
            raise Finding(f"{seconds:.1f} s")
        if (peak := peak_memory()) > self.bound:
            raise Finding(f"{peak >> 20} MB")


def peak_memory() -> int:
    """Return the largest resident set of this process so far, bytes."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def open_files() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208
