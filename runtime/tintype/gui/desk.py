"""What the worker works at: the model, the photograph and its color; each job is a method.

For one thread alone, and it waits for nobody: without a worker around it, every method does its work
and posts its events before it returns.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tintype import comparison, image as images, output
from tintype.adjustments import Adjustments
from tintype.errors import CancelledError, UsageError
from tintype.gui import clipboard, state as states
from tintype.gui.state import Edit, Event, ModelInfo, Result
from tintype.gui.texts import t
from tintype.progress import duration
from tintype.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL import Image

    from tintype.colorizer import Colorizer
    from tintype.gui.layers import Kind
    from tintype.gui.many import Many
    from tintype.hints import Stroke
    from tintype.merge import Merger
    from tintype.photo import Photo
    from tintype.spread import Spread

GLANCE: Final = 1600  # px, the longer side of what is shown until the whole photograph is decoded
_JUDGED: Final = 96  # px a side at which it is decided whether a photograph is in color


class Desk:
    """Holds an open model, one photograph, and what the network said of it."""

    def __init__(self, model: str, post: Callable[[Event], None], hurried: Callable[[], bool]) -> None:
        """Take a model's name or path, what events go to, and what says whether color is waited for."""
        self.working_size: int | None = None
        self._post, self._hurried = post, hurried
        self._label = model
        self._colorizer: Colorizer | None = None
        self._source: Path | None = None
        self._name, self._size = "", (0, 0)
        self._photo: Photo | None = None
        self._glance: Photo | None = None
        self._result: Result | None = None
        self._rough = False  # whether the result is that of the quick decode
        self._spread: tuple[Photo, tuple[Stroke, ...], Spread] | None = None
        self._many: Many | None = None

    # The model.

    def warm(self, watch: Watch) -> None:
        """Open the model and let it run once, and prepare decoding and drawing: first times are slow."""
        import numpy as np
        from PIL import Image

        from tintype.gui import screen

        Image.preinit()
        screen.warm()
        colorizer = self._ready()
        side = colorizer.working_size
        colorizer.predict(np.zeros((side, side), np.float32), watch)
        self._post(states.ModelOpened(info(colorizer, self._label)))

    def use_model(self, model: str, _watch: Watch) -> None:
        """Open another model and use it from now on."""
        self._start("model", t("work.model", model=model))
        self._colorizer, self._label, self.working_size = _opened(model), model, None
        self._post(states.ModelOpened(info(self._colorizer, model)))

    def _ready(self) -> Colorizer:
        if self._colorizer is None:
            self._colorizer = _opened(self._label)
        return self._colorizer

    # The photograph.

    def open(self, source: Path, watch: Watch) -> None:
        """Read a photograph, quickly first where that can be."""
        self._forget(source.name, source)
        self._start("open", t("work.opening", name=source.name))
        seen = images.glance(source, GLANCE)
        if seen is not None:
            self._glance, size = seen
            self._show(self._glance, size, complete=False)
        self._whole(watch)

    def open_image(self, image: Image.Image, name: str, _watch: Watch) -> None:
        """Take an image that comes from no file."""
        self._forget(name, None)
        self._start("open", t("work.opening", name=name))
        self._photo = images.wrap(image)
        self._show(self._photo, self._photo.size, complete=True)

    def _forget(self, name: str, source: Path | None) -> None:
        self._name, self._source = name, source
        self._photo = self._glance = self._result = self._spread = None

    def _whole(self, watch: Watch) -> Photo:
        """Return the photograph at full size; read and show it if that was not done, or was cancelled."""
        if self._photo is None:
            if self._source is None:
                raise UsageError(t("work.nothing"))
            self._photo = images.read(self._source, watch=Watch(partial(self._reading, watch)))
            self._photo.note_one_page()
            self._glance = None
            self._show(self._photo, self._photo.size, complete=True)
        return self._photo

    def _reading(self, watch: Watch, share: float) -> None:
        """Hear how far reading is; if color is waited for, predict it from the quick decode in between."""
        watch.advance(share)
        if self._glance is not None and self._result is None and self._hurried():
            self._predict(self._glance, watch, rough=True)

    def _show(self, photo: Photo, size: tuple[int, int], *, complete: bool) -> None:
        from tintype.colorizer import prepare
        from tintype.gui.picture import Picture

        self._size = size
        picture = Picture(photo.image, size, colored=prepare(photo, _JUDGED)[1])
        if complete:  # of the quick decode the first drawing makes what it needs: it is to be seen at once
            picture.prepare()
        notes = tuple(photo.notes)
        document = states.Document(self._name, self._source, picture, complete, notes)
        text = t("work.opened", name=self._name, width=size[0], height=size[1])
        self._post(states.Opened(document, "; ".join([text, *notes])))

    # Its color.

    def colorize(self, watch: Watch) -> None:
        """Predict the photograph's color."""
        self._start("colorize", t("work.colorizing"))
        self._predict(self._whole(watch), watch)

    def choose(self, result: Result, _watch: Watch) -> None:
        """Take another result."""
        self._result, self._rough = result, False

    def spread(self, strokes: tuple[Stroke, ...], _watch: Watch) -> None:
        """Solve for how far strokes reach."""
        if self._photo is not None or self._glance is not None:
            self._post(states.SpreadMade(strokes, self._solved(strokes)))

    def _solved(self, strokes: tuple[Stroke, ...]) -> Spread:
        """Return how far strokes reach, as the command line has it; what was solved last is kept."""
        from tintype.hints import Hints
        from tintype.spread import detail

        photo = self._photo or self._glance
        assert photo is not None
        if self._spread is None or self._spread[0] is not photo or self._spread[1] != strokes:
            self._spread = photo, strokes, Hints(*self._size, strokes).spread(detail(photo))
        return self._spread[2]

    def variants(self, watch: Watch) -> None:
        """Colorize by other models, and at other working sizes."""
        from tintype.gui import variants

        self._start("variants", t("work.variants"))
        photo = self._whole(watch)
        small = variants.thumbnail(photo)
        labels, made = list(variants.labels(self._label)), 0
        for number, label in enumerate(labels):
            colorizer = self._ready() if label == self._label else _opened(label)
            for size in (sizes := variants.sizes(colorizer.working_size)):
                watch.advance((number + made % len(sizes) / len(sizes)) / len(labels))
                result = predict(colorizer, info(colorizer, label, size), photo, watch)
                self._post(states.VariantMade(variants.variant(small, result)))
                made += 1
        self._post(states.Finished(t("work.variants_made", count=made)))

    def _predict(self, photo: Photo, watch: Watch, *, rough: bool = False) -> None:
        colorizer = self._ready()
        self._result = predict(colorizer, info(colorizer, self._label, self.working_size), photo, watch)
        self._rough = rough
        self._post(states.Colorized(self._result, t("work.colorized", seconds=self._result.seconds)))

    # What is written.

    def save(self, target: Path, edit: Edit, watch: Watch) -> None:
        """Write the result at full size."""
        from tintype.develop import develop
        from tintype.encoding import Settings
        from tintype.provenance import Origin

        self._start_saving(target)
        photo, merger = self._ingredients(edit, watch)
        assert self._result is not None
        with images.fitting(self._name), output.replacing(target, watch) as file:
            develop(
                photo,
                merger,
                file,
                output.format_of(target),
                self._ready().threads,
                settings=Settings(origin=Origin(self._result.model.name, self._result.model.version)),
                keep=True,
                watch=watch,
            )
        self._saved(target, photo.notes, edit)

    def save_layer(self, target: Path, kind: Kind, edit: Edit, watch: Watch) -> None:
        """Write the color alone."""
        from tintype.gui import layers

        self._start_saving(target)
        photo, merger = self._ingredients(edit, watch)
        layers.write(target, kind, photo, merger, workers=self._ready().threads, watch=watch)
        self._saved(target, photo.notes)

    def save_comparison(self, target: Path, edit: Edit, watch: Watch) -> None:
        """Write original, grey and result side by side."""
        self._start_saving(target)
        photo, merger = self._ingredients(edit, watch)
        panels = comparison.before(photo)
        image, psnr = self._rendered(photo, merger, watch, compared=True)
        with output.replacing(target) as file:
            comparison.compose([*panels, comparison.panel(image)], psnr).save(file, "PNG")
        self._saved(target, photo.notes)

    def copy(self, edit: Edit, watch: Watch) -> None:
        """Put the result into the clipboard, at full size."""
        self._start("save", t("work.copying"))
        photo, merger = self._ingredients(edit, watch)
        problem = clipboard.copy(self._rendered(photo, merger, watch)[0])
        self._post(states.Failed(problem) if problem else states.Finished(t("copied")))

    def _ingredients(self, edit: Edit, watch: Watch) -> tuple[Photo, Merger]:
        """Return the photograph at full size and what colors it, both as the command line has them."""
        photo = self._whole(watch)
        if self._result is None or self._rough:
            self._predict(photo, watch)
        assert self._result is not None
        spread = self._solved(edit.strokes) if edit.strokes else None
        merger = self._result.prediction.merger(*photo.size, edit.adjustments, spread)
        return replace(photo, notes=[], info=dict(photo.info)), merger

    def _rendered(
        self, photo: Photo, merger: Merger, watch: Watch, *, compared: bool = False
    ) -> tuple[Image.Image, float | None]:
        """Return the result at full size and, to be compared, its PSNR where the photograph is in color."""
        from tintype.colorizer import prepare
        from tintype.develop import render

        colored = compared and prepare(photo, _JUDGED)[1]
        with images.fitting(self._name):
            return render(photo, merger, self._ready().threads, colored=colored, keep=True, watch=watch)

    def _start_saving(self, target: Path) -> None:
        self._start("save", t("work.saving", name=target.name))
        output.keep_original(self._source, target)
        output.format_of(target)

    def _saved(self, target: Path, notes: list[str], edit: Edit | None = None) -> None:
        self._post(states.Saved(target, "; ".join([t("work.saved", target=target), *notes]), edit))

    # Many photographs.

    def folder(
        self,
        sources: Sequence[Path],
        out: Path | None,
        adjustments: Adjustments | None,
        overwrite: bool,  # noqa: FBT001 - the worker's own method has it by name
        watch: Watch,
    ) -> None:
        """Colorize many photographs."""
        from tintype.gui.many import Many

        self._start("folder", t("work.folder"))
        found = Many.plan(
            sources, out, self._ready().model, adjustments or Adjustments(), overwrite=overwrite
        )
        self._many = found
        self._post(found.queued())
        self._run(found, watch)

    def retry(self, watch: Watch) -> None:
        """Colorize those again that failed, and those that still wait."""
        self._start("folder", t("work.folder"))
        if self._many is None:
            raise UsageError(t("work.nothing"))
        self._run(self._many, watch)

    def _run(self, many: Many, watch: Watch) -> None:
        start = time.monotonic()
        try:
            many.run(self._ready(), self._post, watch)
        except CancelledError:
            self._post(states.Cancelled(t("work.folder_stopped", **many.counts())))
        else:
            seconds = duration(time.monotonic() - start)
            self._post(states.Finished(t("work.folder_done", time=seconds, **many.counts())))

    def _start(self, kind: Any, label: str) -> None:
        self._post(states.Started(states.Task(kind, label)))


def info(colorizer: Colorizer, label: str, working_size: int | None = None) -> ModelInfo:
    """Describe an open model; `label` is what choices call it."""
    size = working_size or colorizer.working_size
    version = colorizer.session.metadata.version
    return ModelInfo(colorizer.model, label, size, colorizer.provider, colorizer.session.has_mean, version)


def predict(colorizer: Colorizer, model: ModelInfo, photo: Photo, watch: Watch) -> Result:
    """Predict a photograph's color at the working size that `model` names."""
    start = time.perf_counter()
    lightness, _ = colorizer.prepare(photo, model.working_size)
    prediction = colorizer.predict(lightness, watch)
    return Result(prediction, model, time.perf_counter() - start)


def _opened(model: str) -> Colorizer:
    from tintype.colorizer import Colorizer

    return Colorizer(model)
