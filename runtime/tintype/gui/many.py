"""A folder of photographs, colorized one after the other: who is next, what became of each."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tintype import discover, image as images, naming
from tintype.comparison import panel
from tintype.errors import PhotoError
from tintype.gui.state import Item, ItemChanged, Queued
from tintype.gui.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tintype.adjustments import Adjustments
    from tintype.colorizer import Colorizer
    from tintype.gui.state import Event
    from tintype.watch import Watch

SIDE: Final = 128  # px, the longer side of a thumbnail
AHEAD: Final = 8  # thumbnails made before their turn
_AGAIN: Final = frozenset({"failed", "waiting"})


@dataclass
class Many:
    """Photographs and what became of them. Used by one thread."""

    jobs: list[naming.Job]
    adjustments: Adjustments
    overwrite: bool
    folder: Path
    items: list[Item] = field(default_factory=list)

    @classmethod
    def plan(
        cls,
        inputs: Sequence[Path],
        out: Path | None,
        model: str,
        adjustments: Adjustments,
        *,
        overwrite: bool,
    ) -> Many:
        """Find photographs and name their results as the command line does.

        Raises UsageError, OutputError.
        """
        place = None if out is None else f"{out}{os.sep}"
        names = naming.naming(inputs, place, naming.DEFAULT_NAME, model)
        sources = discover.find(inputs).sources
        if not overwrite:
            sources = naming.without_results(sources, inputs, names)
        jobs = naming.plan(sources, names)
        folder = out or (jobs[0].target.parent if jobs else inputs[0])
        items = [Item(job.source, target=job.target) for job in jobs]
        return cls(jobs, adjustments, overwrite, folder, items)

    def queued(self) -> Queued:
        """Return what tells of the photographs found."""
        return Queued(tuple(self.items), self.folder)

    def run(self, colorizer: Colorizer, post: Callable[[Event], None], watch: Watch) -> None:
        """Colorize what waits or failed; one that fails stops no other. Raises CancelledError.

        A photograph that is cancelled leaves nothing behind and waits again.
        """
        left = [index for index, item in enumerate(self.items) if item.status in _AGAIN]
        for index in left:
            self._set(index, post, status="waiting", reason="")
        for number, index in enumerate(left):
            for ahead in left[number : number + AHEAD]:
                self._look(ahead, post, watch)
            self._one(index, colorizer, post, watch.part(number / len(left), (number + 1) / len(left)))

    def counts(self) -> dict[str, int]:
        """Return how many are done, skipped, failed and waiting."""
        found = [item.status for item in self.items]
        return {name: found.count(name) for name in ("done", "skipped", "failed", "waiting")}

    def _one(self, index: int, colorizer: Colorizer, post: Callable[[Event], None], watch: Watch) -> None:
        job = self.jobs[index]
        if not self.overwrite and os.path.lexists(job.target):
            self._set(index, post, status="skipped", reason=t("work.exists", name=job.target.name))
            return
        self._set(index, post, status="working")
        try:
            outcome = colorizer.colorize_file(
                job.source, job.target, self.adjustments, thumbnail=SIDE, watch=watch
            )
        except PhotoError as error:
            self._set(index, post, status="failed", reason=str(error))
        except BaseException:
            self._set(index, post, status="waiting")
            raise
        else:
            self._set(
                index,
                post,
                status="done",
                reason="; ".join(outcome.notes),
                seconds=outcome.seconds,
                thumbnail=outcome.thumbnail,
            )

    def _look(self, index: int, post: Callable[[Event], None], watch: Watch) -> None:
        """Make the thumbnail of a photograph that has none, where that takes no time."""
        watch.check()
        item = self.items[index]
        if item.thumbnail is None and (seen := images.glance(item.source, SIDE)) is not None:
            self._set(index, post, thumbnail=panel(seen[0].image, SIDE))

    def _set(self, index: int, post: Callable[[Event], None], **changes: Any) -> None:
        self.items[index] = replace(self.items[index], **changes)
        post(ItemChanged(index, self.items[index]))
