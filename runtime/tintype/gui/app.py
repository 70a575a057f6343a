"""The application: what a person asks for goes to the worker, what the worker posts to the view."""

from __future__ import annotations

import argparse
import queue
import signal
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tintype.gui import state as states
from tintype.gui.commands import COMMANDS, MAC
from tintype.gui.scene import Mixer, hints_of
from tintype.gui.state import Edit, State, reduce
from tintype.gui.texts import t

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from tintype.adjustments import Adjustments
    from tintype.gui.settings import Settings
    from tintype.gui.state import Color, Event, Item, Mode, Result, Variant
    from tintype.gui.worker import Worker
    from tintype.hints import Stroke

POLL: Final = 15  # ms between two looks at what the worker has posted
NO_TK = (
    "tintype-gui: this Python has no Tk: install python3-tk (Debian, Ubuntu), python3-tkinter (Fedora) "
    "or python-tk (Homebrew); the command line, tintype, works without it"
)
SAMPLE: Final = Path(__file__).with_name("sample.jpg")


class App:
    """Runs the window: holds the state, and is the only one to change it."""

    def __init__(self, root: tk.Tk, settings: Settings, model: str | None = None) -> None:
        from tintype.gui.view import View
        from tintype.gui.worker import Worker

        self.root, self.settings, self.state = root, settings, State(mode=settings.mode)
        self.worker: Worker = Worker(model or _known(settings.model))
        self.mixer = Mixer()
        self._asked: tuple[Result, tuple[Stroke, ...]] | None = None
        self._closed = False
        self.interrupted = False
        self.view = View(root, self)
        self.view.pack(fill="both", expand=True)
        self._render()
        self._poll()
        root.protocol("WM_DELETE_WINDOW", self.quit)
        if MAC:  # what the Finder opens with the program
            root.createcommand("::tk::mac::OpenDocument", lambda *names: self.open_many([*map(Path, names)]))
        root.after_idle(self.worker.warm)

    # Commands: each name of the table is a method.

    def run(self, name: str) -> None:
        """Carry out a command of the table, if it makes sense now."""
        if COMMANDS[name].enabled(self.state):
            action: Callable[[], None] = getattr(self, name)
            action()

    def open(self, source: Path | None = None) -> None:
        """Open a photograph, asking which if none is given."""
        source = source or self.view.dialogs.ask_open(self._folder())
        if source is not None and self._may_leave():
            self.settings = self.settings.with_recent(source)
            self.worker.open(source)

    def open_many(self, paths: Sequence[Path]) -> None:
        """Open what was dropped or named: one photograph, or several and folders as a queue."""
        if len(paths) == 1 and not paths[0].is_dir():
            self.open(paths[0])
        elif paths and not self.state.busy:
            self.worker.folder(paths, None, self.state.edit.adjustments)

    def open_folder(self) -> None:
        """Colorize a folder."""
        folder = self.view.dialogs.ask_folder(self._folder())
        if folder is not None:
            self.open_many([folder])

    def sample(self) -> None:
        """Open the photograph that comes with the program."""
        if self._may_leave():
            self.worker.open(SAMPLE)

    def paste(self) -> None:
        """Open what the clipboard holds: an image, or names of files."""
        from tintype.gui import clipboard

        found = clipboard.paste(self.root)
        if isinstance(found, str):
            self.dispatch(states.Said(found, failed=True))
        elif isinstance(found, list):
            self.open_many(found)
        elif self._may_leave():
            self.worker.open_image(found, t("pasted"))

    def colorize(self) -> None:
        """Colorize the photograph shown."""
        self.worker.colorize()

    def cancel(self) -> None:
        """Cancel what is under way; else put the brush away."""
        if self.state.busy:
            self.worker.cancel()
        elif self.state.selected is not None:
            self.dispatch(states.Selected(None))
        else:
            self.move()

    def save(self) -> None:
        """Save where it was saved before, or ask."""
        document = self.state.document
        if document is not None and self.state.target is not None:
            self.worker.save(self.state.target, self.state.edit)
        else:
            self.save_as()

    def save_as(self) -> None:
        """Save the result, asking where."""
        target = self._ask_save("{stem}_color{ext}")
        if target is not None:
            self.worker.save(target, self.state.edit)

    def save_layer(self) -> None:
        """Save the color layer alone, to lay over the grey photograph."""
        target = self._ask_save("{stem}_layer.png")
        if target is not None:
            self.worker.save_layer(target, "color", self.state.edit)

    def save_ab(self) -> None:
        """Save a and b with 16 bits."""
        target = self._ask_save("{stem}_ab.png")
        if target is not None:
            self.worker.save_layer(target, "ab", self.state.edit)

    def save_comparison(self) -> None:
        """Save the picture of before and after."""
        target = self._ask_save("{stem}_compare.png")
        if target is not None:
            self.worker.save_comparison(target, self.state.edit)

    def copy(self) -> None:
        """Copy the result to the clipboard."""
        self.worker.copy(self.state.edit)

    def open_strokes(self) -> None:
        """Take strokes from a file."""
        from tintype import hints
        from tintype.errors import UsageError

        source = self.view.dialogs.ask_strokes(self._folder())
        if source is None or self.state.document is None:
            return
        try:
            strokes = hints.read(source).scaled(*self.state.document.picture.size).strokes
        except UsageError as error:
            self.dispatch(states.Said(str(error), failed=True))
        else:
            self._edit(strokes=strokes)

    def save_strokes(self) -> None:
        """Save the strokes as the file that the command line takes."""
        from tintype import output
        from tintype.errors import OutputError

        hints, target = hints_of(self.state), self._ask_save("{stem}{ext}.tintype.json", own_suffix=True)
        if hints is None or target is None:
            return
        try:
            with output.replacing(target) as file:
                file.write(hints.to_json().encode())
        except OutputError as error:
            self.dispatch(states.Said(str(error), failed=True))
        else:
            self.dispatch(states.Said(t("strokes.saved", target=target)))

    def quit(self) -> None:
        """Close the window and end the worker."""
        if self._closed or not self._may_leave():
            return
        self._close()

    def interrupt(self) -> None:
        """Close the window soon, without a question, and leave off whatever is under way."""
        self.interrupted = True  # and no more: this may be called in the middle of anything

    def _close(self) -> None:
        self._closed = True
        self.root.after_cancel(self._timer)
        self.settings = self.view.remember(self.settings)
        self.settings.save()
        self.root.withdraw()
        self.worker.close()
        self.root.destroy()

    def undo(self) -> None:
        """Undo the last change."""
        self.dispatch(states.Undone())

    def redo(self) -> None:
        """Redo what was undone."""
        self.dispatch(states.Redone())

    def reset(self) -> None:
        """Go back to what the network said."""
        self.dispatch(states.Edited(Edit()))

    def remove_stroke(self) -> None:
        """Remove the chosen stroke."""
        chosen = self.state.selected
        if chosen is not None:
            strokes = self.state.edit.strokes
            self._edit(strokes=strokes[:chosen] + strokes[chosen + 1 :])

    def split(self) -> None:
        """Show before and after with a divider."""
        self._mode("split")

    def side(self) -> None:
        """Show before and after side by side."""
        self._mode("side")

    def color(self) -> None:
        """Show the result."""
        self._mode("color")

    def before(self) -> None:
        """Show the photograph as it was."""
        self._mode("before")

    def zoom_in(self) -> None:
        """Zoom in."""
        self.view.viewer.zoom_by(1.25)

    def zoom_out(self) -> None:
        """Zoom out."""
        self.view.viewer.zoom_by(0.8)

    def fit(self) -> None:
        """Show the whole photograph."""
        self.view.viewer.fit()

    def actual(self) -> None:
        """Show pixel for pixel."""
        self.view.viewer.actual()

    def paint(self) -> None:
        """Take up the brush, and see the result wherever one paints."""
        hidden = self.state.mode in {"split", "before"}
        self.dispatch(states.Chose(mode="color" if hidden else None, tool="paint"))

    def move(self) -> None:
        """Put the brush away."""
        self.dispatch(states.Chose(tool="move"))

    def variants(self) -> None:
        """Make several colorizations to choose from."""
        self.worker.variants()

    def good(self) -> None:
        """Rate the result Good."""
        self._rate("good")

    def fair(self) -> None:
        """Rate the result Fair."""
        self._rate("fair")

    def bad(self) -> None:
        """Rate the result Bad."""
        self._rate("bad")

    def ratings(self) -> None:
        """Show how each model was rated."""
        from tintype.gui import ratings

        self.view.dialogs.show_ratings(ratings.summary(), ratings.path())

    def models(self) -> None:
        """Choose a model and see what it is."""
        self.view.dialogs.show_models(self.state.model, self.use_model)

    def preferences(self) -> None:
        """Choose theme and size of the interface."""
        self.view.dialogs.show_preferences(lambda: self.settings, self.use_settings)

    def use_settings(self, settings: Settings) -> None:
        """Take over settings and show them at once."""
        self.settings = settings
        self.settings.save()
        self.view.restyle(settings)
        self._render()

    def shortcuts(self) -> None:
        """List all keys."""
        self.view.dialogs.show_shortcuts()

    def about(self) -> None:
        """Say what this is."""
        self.view.dialogs.show_about(self.state.model)

    # What widgets tell.

    def adjust(self, name: str, value: float, group: str) -> None:
        """Take a slider's value; values of one `group` are one step of undo."""
        adjustments: Adjustments = replace(self.state.edit.adjustments, **{name: value})
        edit = replace(self.state.edit, adjustments=adjustments)
        self.dispatch(states.Edited(edit, f"{name} {group}", self.state.selected))

    def stroke(self, points: tuple[tuple[float, float], ...]) -> None:
        """Take a stroke that was painted."""
        from tintype.hints import Stroke

        document = self.state.document
        if document is not None and self.state.can_adjust:
            radius = self.state.radius * max(document.picture.size)
            strokes = (*self.state.edit.strokes, Stroke(points, radius, self.state.brush))
            self._edit(strokes=strokes)

    def move_stroke(self, index: int, dx: float, dy: float) -> None:
        """Move a stroke by pixels of the photograph."""
        strokes = self.state.edit.strokes
        points = tuple((x + dx, y + dy) for x, y in strokes[index].points)
        moved = replace(strokes[index], points=points)
        self._edit(strokes=(*strokes[:index], moved, *strokes[index + 1 :]), selected=index)

    def select(self, index: int | None) -> None:
        """Choose a stroke, or none."""
        self.dispatch(states.Selected(index))

    def pick(self, color: Color) -> None:
        """Choose what the brush paints with."""
        self.dispatch(states.ColorPicked(color))
        if self.state.selected is None and self.state.can_adjust:
            self.paint()

    def brush_size(self, radius: float) -> None:
        """Choose the brush's radius, a share of the photograph's longer side."""
        self.dispatch(states.Chose(radius=radius))

    def choose_variant(self, variant: Variant) -> None:
        """Take one of the variants as the result."""
        self.worker.choose(variant.result)
        self.dispatch(states.VariantChosen(variant))

    def use_model(self, model: str) -> None:
        """Use another model; the photograph is colorized again by it."""
        self.worker.use_model(model)
        if self.state.result is not None:
            self.worker.colorize()

    def retry(self) -> None:
        """Try the photographs of the folder that failed again."""
        self.worker.retry()

    def hide_folder(self) -> None:
        """Put the folder's photographs away; their results stay where they are."""
        self.dispatch(states.FolderHidden())

    def explain(self, item: Item) -> None:
        """Say in full why a photograph of the folder failed."""
        if item.status == "failed" and not self.state.busy:
            self.dispatch(states.Said(item.reason, failed=True, details=str(item.source)))

    def show_output(self) -> None:
        """Open the folder of the results in the file manager."""
        from tintype.gui import desktop

        if self.state.folder is not None:
            problem = desktop.open_folder(self.state.folder)
            if problem:
                self.dispatch(states.Said(problem, failed=True))

    # The way of every change.

    def dispatch(self, event: Event) -> None:
        """Change the state by an event and show it."""
        self.state = reduce(self.state, event)
        if isinstance(event, states.ModelOpened):
            self.settings = replace(self.settings, model=event.model.label)
        self._solve_strokes()
        self._render()

    def failed(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Say that something of the window went wrong, unless a dialog was closed together with it."""
        if self._closed:
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        self.dispatch(states.Said(t("work.unexpected", error=f"{kind.__name__}: {error}"), True, details))

    def _render(self) -> None:
        self.view.render(self.state, self.mixer.merger(self.state))

    def _solve_strokes(self) -> None:
        """Have the spread of strokes solved that is not known yet."""
        state, strokes = self.state, self.state.edit.strokes
        if state.result is None or not strokes:
            self._asked = None
            return
        asked = (state.result, strokes)
        known = state.spread is not None and state.spread[0] == strokes
        if not known and (self._asked is None or self._asked[0] is not asked[0] or self._asked[1] != strokes):
            self._asked = asked
            self.worker.spread(strokes)

    def _poll(self) -> None:
        if self.interrupted:
            self.worker.cancel()
            self._close()
            return
        if not self.worker.ensure():
            self.dispatch(states.Said(t("worker.restarted"), failed=True))
        try:
            while True:
                self.dispatch(self.worker.events.get_nowait())
        except queue.Empty:
            pass
        finally:  # an event that cannot be shown is no reason to hear of no other
            self._timer = self.root.after(POLL, self._poll)

    def _edit(self, *, strokes: tuple[Stroke, ...], selected: int | None = None) -> None:
        self.dispatch(states.Edited(replace(self.state.edit, strokes=strokes), "", selected))

    def _mode(self, mode: Mode) -> None:
        self.dispatch(states.Chose(mode=mode))
        self.settings = replace(self.settings, mode=mode)

    def _may_leave(self) -> bool:
        """Ask before strokes and sliders are lost; say whether to go on."""
        return not self.state.unsaved or self.view.dialogs.confirm_leave()

    def _folder(self) -> Path | None:
        """Return where dialogs begin."""
        document = self.state.document
        if document is not None and document.source is not None and document.source != SAMPLE:
            return document.source.parent
        return self.settings.recent[0].parent if self.settings.recent else None

    def _ask_save(self, template: str, *, own_suffix: bool = False) -> Path | None:
        """Ask where to save; the proposed name comes from the photograph's."""
        from tintype import output

        document = self.state.document
        if document is None:
            return None
        name = Path(document.source.name if document.source is not None else f"{document.name}.png")
        suffix = name.suffix if own_suffix else output.suffix_for(name.name)
        return self.view.dialogs.ask_save(self._folder(), template.format(stem=name.stem, ext=suffix))

    def _rate(self, rating: str) -> None:
        from tintype.gui import ratings

        document, result = self.state.document, self.state.result
        if document is None or result is None:
            return
        model = result.model
        try:
            ratings.add(
                document.name,
                model.name,
                model.working_size,
                self.state.edit.adjustments,
                rating,
                source=document.source,
            )
        except OSError as error:
            self.dispatch(states.Said(t("rating.failed", reason=error.strerror or error), failed=True))
        else:
            self.dispatch(states.Rated(rating, t("rating.kept", rating=t(f"do.{rating}"))))


def _known(model: str) -> str:
    """Return the model used last, or the default where it is gone."""
    from tintype import models
    from tintype.errors import ModelError

    try:
        models.find(model)
    except ModelError:
        return "default"
    return model


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window; return the exit code: 2 without Tk or a display."""
    parser = argparse.ArgumentParser(prog="tintype-gui", description="Colorize photographs in a window.")
    parser.add_argument("photos", nargs="*", type=Path, help="photographs or folders to open")
    parser.add_argument("--model", help="a bundled name or an .onnx file; else the one used last")
    options = parser.parse_args(arguments)
    try:
        import tkinter as tk
    except ImportError:
        print(NO_TK, file=sys.stderr)
        return 2
    from tintype.gui import desktop
    from tintype.gui.settings import Settings

    desktop.before_tk()
    try:
        root = tk.Tk(className="Tintype")
    except tk.TclError as error:
        print(
            f"tintype-gui: no window can be opened: {error}; try the command line, tintype", file=sys.stderr
        )
        return 2
    app = App(root, Settings.load(), options.model)
    root.report_callback_exception = app.failed
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: app.interrupt())
    if options.photos:
        app.open_many(options.photos)
    root.mainloop()
    return 130 if app.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
