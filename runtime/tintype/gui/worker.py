"""The one thread that reads, colorizes and writes. It never touches a widget: it posts events."""

from __future__ import annotations

import queue
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Final

from tintype.errors import CancelledError, TintypeError
from tintype.gui import state as states
from tintype.gui.desk import Desk
from tintype.gui.jobs import Job, Jobs
from tintype.gui.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL import Image

    from tintype.adjustments import Adjustments
    from tintype.gui.layers import Kind
    from tintype.gui.state import Edit, Event, Result
    from tintype.hints import Stroke
    from tintype.watch import Watch

_OF_A_PHOTO: Final = frozenset({"open", "colorize", "variants", "choose", "spread"})  # of no use to another
_TASKS: Final = frozenset({"open", "colorize", "variants", "save", "folder", "model"})
_EVERY: Final = 0.1  # s between two words on progress
_FORESEEABLE: Final = 0.03  # share of the work from which on the time left is told


class Worker:
    """Does jobs one after the other and puts what came of them on `events`.

    Methods may be called from any thread and return at once, `close` aside. Every task begins with
    Started and ends with its own event, Cancelled or Failed.
    """

    def __init__(self, model: str = "default") -> None:
        """Take the model to begin with, a bundled name or a path; it is opened when first needed."""
        self.events: queue.Queue[Event] = queue.Queue()
        self._jobs = Jobs(self._failed)
        self._desk = Desk(model, self.events.put, partial(self._jobs.waits, "colorize"))

    def warm(self) -> None:
        """Open the model as soon as there is nothing else to do: ModelOpened."""
        self._jobs.put(Job("warm", self._desk.warm, replaces=True, patient=True))

    def use_model(self, model: str) -> None:
        """Use another model, a name or a path: Started, ModelOpened; after Failed the one before stays."""
        self._put("model", partial(self._desk.use_model, model))

    def open(self, source: Path) -> None:
        """Read a photograph: Started, Opened with a quick decode (of JPEGs), Opened with the whole.

        What was under way for the photograph before is cancelled.
        """
        self._jobs.cancel(_OF_A_PHOTO)
        self._put("open", partial(self._desk.open, source))

    def open_image(self, image: Image.Image, name: str) -> None:
        """Take an image that comes from no file, of any mode: Started, Opened."""
        self._jobs.cancel(_OF_A_PHOTO)
        self._put("open", partial(self._desk.open_image, image, name))

    def colorize(self, working_size: int | None = None) -> None:
        """Predict the color of the photograph: Started, Colorized; `working_size` None for the model's own.

        While a photograph is still being decoded, Colorized comes first from the quick decode, and
        again from the whole.
        """
        self._desk.working_size = working_size
        self._put("colorize", self._desk.colorize, replaces=True)

    def choose(self, result: Result) -> None:
        """Take another result, of a variant, as what is saved, copied and painted on; no event."""
        self._jobs.put(Job("choose", partial(self._desk.choose, result), replaces=True))

    def spread(self, strokes: tuple[Stroke, ...]) -> None:
        """Solve for how far strokes reach: SpreadMade; of those that wait, only the newest."""
        self._jobs.put(Job("spread", partial(self._desk.spread, strokes), replaces=True))

    def save(self, target: Path, edit: Edit) -> None:
        """Write the result at full size, in the suffix's format, never over the original: Started, Saved."""
        self._put("save", partial(self._desk.save, target, edit))

    def save_layer(self, target: Path, kind: Kind, edit: Edit) -> None:
        """Write the color alone, as `tintype.gui.layers` says: Started, Saved."""
        self._put("save", partial(self._desk.save_layer, target, kind, edit))

    def save_comparison(self, target: Path, edit: Edit) -> None:
        """Write original, grey and result side by side, as PNG: Started, Saved."""
        self._put("save", partial(self._desk.save_comparison, target, edit))

    def copy(self, edit: Edit) -> None:
        """Put the result into the clipboard, at full size: Started, Finished."""
        self._put("save", partial(self._desk.copy, edit))

    def variants(self) -> None:
        """Colorize by other models and working sizes: Started, VariantMade one by one, Finished."""
        self._put("variants", self._desk.variants, replaces=True)

    def folder(
        self,
        sources: Sequence[Path],
        out: Path | None = None,
        adjustments: Adjustments | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Colorize photographs and folders of them into `out`, or each beside its photograph.

        Started, Queued, ItemChanged, Finished with a summary. Names, what is skipped and what is refused
        are those of the command line.
        """
        self._put("folder", partial(self._desk.folder, sources, out, adjustments, overwrite))

    def retry(self) -> None:
        """Colorize those of the folder that failed or still wait: Started, ItemChanged, Finished."""
        self._put("folder", self._desk.retry)

    def cancel(self) -> None:
        """Cancel the task under way, and drop those that wait: Cancelled within half a second."""
        self._jobs.cancel(_TASKS)

    def ensure(self) -> bool:
        """Say whether the thread is alive; if it is not, start it again. To be called now and then."""
        return self._jobs.ensure()

    def close(self) -> None:
        """End the thread: a photograph being saved is finished first, all else is cancelled."""
        self._jobs.close({"save"})

    def _put(self, kind: str, work: Callable[[Watch], None], *, replaces: bool = False) -> None:
        self._jobs.put(Job(kind, work, Progress(self.events.put), replaces=replaces))

    def _failed(self, job: Job, error: Exception) -> None:
        """Post what became of a job that raised."""
        if isinstance(error, CancelledError):
            if job.kind in _TASKS:
                self.events.put(states.Cancelled(t("work.cancelled")))
            return
        self.events.put(states.Failed(_reason(error), "".join(traceback.format_exception(error))))


class Progress:
    """Posts how far work is, at most ten times a second, with the time left as it looks by then."""

    def __init__(self, post: Callable[[Event], None]) -> None:
        """Take what the events go to; the clock starts with the first share."""
        self._post = post
        self._start = self._shown = 0.0

    def __call__(self, share: float) -> None:
        """Take the share that is done, 0..1."""
        now = time.monotonic()
        self._start = self._start or now
        if now - self._shown >= _EVERY:
            self._shown = now
            left = (now - self._start) / share * (1 - share) if share > _FORESEEABLE else None
            self._post(states.Progressed(share, left))


def _reason(error: Exception) -> str:
    """Say in one sentence what went wrong."""
    if isinstance(error, (TintypeError, OSError)):
        return str(error)
    if isinstance(error, MemoryError):
        return t("work.memory")
    return t("work.unexpected", error=f"{type(error).__name__}: {error}")
