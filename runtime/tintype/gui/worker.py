"""The one thread that reads, colorizes and writes. It never touches a widget: it posts events."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image

from tintype import image as images
from tintype.comparison import panel
from tintype.errors import TintypeError
from tintype.gui.state import Colorized, Event, Failed, Opened, Saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tintype.colorizer import Colorizer

Job: TypeAlias = "Callable[[], Event]"


class Worker:
    """Does jobs one after the other and puts what came of them on `events`."""

    def __init__(self, model: str = "default") -> None:
        self.events: queue.Queue[Event] = queue.Queue()
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._model = model
        self._colorizer: Colorizer | None = None
        self._photo: images.Photo | None = None
        self._source: Path | None = None
        self._thread = threading.Thread(target=self._work, name="tintype worker", daemon=True)
        self._thread.start()

    def open(self, source: Path) -> None:
        """Read a photograph; Opened or Failed follows. May be called from any thread."""
        self._jobs.put(lambda: self._open(source))

    def colorize(self) -> None:
        """Colorize the photograph read last; Colorized or Failed follows."""
        self._jobs.put(self._colorize)

    def save(self, target: Path) -> None:
        """Write the photograph read last, colorized, at its full size; Saved or Failed follows."""
        self._jobs.put(lambda: self._save(target))

    def close(self) -> None:
        """End the thread behind the jobs that wait."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self.events.put(job())
            except (TintypeError, OSError) as error:
                self.events.put(Failed(str(error)))
            except Exception as error:  # noqa: BLE001 - a worker that dies would leave a dead window
                self.events.put(Failed(f"something unexpected went wrong: {type(error).__name__}: {error}"))

    def _open(self, source: Path) -> Event:
        self._photo, self._source = images.read(source), source
        return Opened(source, self._photo.size, panel(self._photo.image), tuple(self._photo.notes))

    def _colorize(self) -> Event:
        start = time.perf_counter()
        assert self._photo is not None
        colorizer = self._ready()
        prediction = colorizer.predict(colorizer.prepare(self._photo.image)[0])
        before = panel(self._photo.image)
        after = Image.fromarray(prediction.merger(*before.size)(np.asarray(before), 0))
        seconds = time.perf_counter() - start
        return Colorized(after, seconds, colorizer.model, colorizer.provider, colorizer.working_size)

    def _save(self, target: Path) -> Event:
        assert self._source is not None
        outcome = self._ready().colorize_file(self._source, target)
        return Saved(target, outcome.seconds)

    def _ready(self) -> Colorizer:
        if self._colorizer is None:
            from tintype.colorizer import Colorizer

            self._colorizer = Colorizer(self._model)
        return self._colorizer
