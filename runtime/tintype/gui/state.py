"""What the window shows, as data, and how events change it. Nothing here knows of widgets.

The state is one frozen dataclass; `reduce` is the only way from one to the next. What a person does
and what the worker posts are events alike. Large things (the picture, the prediction) are held by
reference and never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tintype.adjustments import Adjustments

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from tintype.colorizer import Prediction
    from tintype.gui.picture import Picture
    from tintype.hints import Stroke
    from tintype.spread import Spread

Mode: TypeAlias = Literal["split", "side", "color", "before"]
"""Divider, side by side, the result alone, the photograph alone."""
Tool: TypeAlias = Literal["move", "paint"]
Color: TypeAlias = "tuple[int, int, int] | None"
"""sRGB; None keeps grey."""
ItemStatus: TypeAlias = Literal["waiting", "working", "done", "skipped", "failed"]

MOST_UNDO: Final = 200
SKIN: Final = (214, 162, 130)
BRUSH: Final = 0.012


@dataclass(frozen=True)
class Edit:
    """What a person changed: what undo and redo go through."""

    adjustments: Adjustments = field(default_factory=Adjustments)
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True)
class History:
    """An edit, those before it and those undone."""

    present: Edit = field(default_factory=Edit)
    past: tuple[Edit, ...] = ()
    future: tuple[Edit, ...] = ()
    group: str = ""
    """Changes in a row with the same group (a slider dragged) are one step of undo; "" never joins."""

    def change(self, edit: Edit, group: str = "") -> History:
        """Return the history with another present edit."""
        if edit == self.present:
            return self
        if group and group == self.group:
            return replace(self, present=edit, future=())
        return History(edit, (*self.past, self.present)[-MOST_UNDO:], (), group)

    def undo(self) -> History:
        """Go back one step."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> History:
        """Go forward again."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])


@dataclass(frozen=True)
class Document:
    """The photograph that is open."""

    name: str
    source: Path | None
    """None for one that was pasted."""
    picture: Picture
    """What is drawn: from a quick decode at first, then from the whole photograph."""
    complete: bool
    """Whether the whole photograph has been decoded."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelInfo:
    """The model in use, as it says itself, and what runs it."""

    name: str
    label: str
    """What choices call it: a bundled name or a path."""
    working_size: int
    provider: str
    vividness: bool
    """Whether it has an expectation beside its answer, so that vividness can be set."""
    version: str = ""


@dataclass(frozen=True)
class Result:
    """What the network said of the photograph."""

    prediction: Prediction
    model: ModelInfo
    seconds: float
    """Preparing and predicting, as measured."""


@dataclass(frozen=True)
class Variant:
    """One of several colorizations to choose from."""

    model: str
    """A bundled name or a path."""
    working_size: int
    thumbnail: Image.Image
    result: Result


@dataclass(frozen=True)
class Item:
    """A photograph of a folder that is being colorized."""

    source: Path
    status: ItemStatus = "waiting"
    target: Path | None = None
    reason: str = ""
    seconds: float = 0.0
    thumbnail: Image.Image | None = None


@dataclass(frozen=True)
class Task:
    """What the worker does now."""

    kind: Literal["open", "colorize", "save", "variants", "folder", "model"]
    label: str
    share: float | None = None
    """0..1; None where it cannot be known."""
    left: float | None = None
    """Seconds, estimated."""


@dataclass(frozen=True)
class Message:
    """The line at the bottom."""

    text: str
    failed: bool = False
    details: str = ""
    """What "Copy details" copies."""


@dataclass(frozen=True)
class State:
    """Everything that decides what is on the screen."""

    document: Document | None = None
    result: Result | None = None
    history: History = field(default_factory=History)
    spread: tuple[tuple[Stroke, ...], Spread] | None = None
    """How far the strokes' colors go, and of which strokes that is."""
    variants: tuple[Variant, ...] = ()
    mode: Mode = "split"
    tool: Tool = "move"
    brush: Color = SKIN
    """What strokes are painted with."""
    radius: float = BRUSH
    """Of the brush, a share of the photograph's longer side."""
    selected: int | None = None
    """The stroke that is chosen, to move or remove it."""
    items: tuple[Item, ...] = ()
    folder: Path | None = None
    """Where the results of `items` go."""
    model: ModelInfo | None = None
    task: Task | None = None
    message: Message = field(default_factory=lambda: Message(""))
    saved: Edit | None = None
    """The edit that was saved last."""
    target: Path | None = None
    """Where it was saved."""
    rating: str = ""

    @property
    def edit(self) -> Edit:
        """What is to be seen now."""
        return self.history.present

    @property
    def busy(self) -> bool:
        """Whether something is under way that others must wait for."""
        return self.task is not None

    @property
    def can_colorize(self) -> bool:
        """Whether there is a photograph, and nothing under way but its own decoding."""
        return self.document is not None and (self.task is None or self.task.kind == "open")

    @property
    def can_adjust(self) -> bool:
        """Whether there is color to change."""
        return self.result is not None and not (self.task and self.task.kind in {"open", "folder"})

    @property
    def can_save(self) -> bool:
        """Whether there is a result to save, and nothing under way."""
        return self.result is not None and self.document is not None and self.task is None

    @property
    def unsaved(self) -> bool:
        """Whether changes by hand would be lost."""
        return self.result is not None and self.edit != Edit() and self.edit != self.saved


# What a person does.


@dataclass(frozen=True)
class Edited:
    """Sliders or strokes were changed; `group` joins changes in a row into one step of undo."""

    edit: Edit
    group: str = ""
    selected: int | None = None


@dataclass(frozen=True)
class Undone:
    """Undo."""


@dataclass(frozen=True)
class Redone:
    """Redo."""


@dataclass(frozen=True)
class Chose:
    """Mode, tool, color, radius or stroke were chosen; None and "" leave what there was."""

    mode: Mode | None = None
    tool: Tool | None = None
    radius: float | None = None


@dataclass(frozen=True)
class ColorPicked:
    """The brush has another color."""

    color: Color


@dataclass(frozen=True)
class Selected:
    """A stroke was chosen, or none."""

    stroke: int | None


@dataclass(frozen=True)
class VariantChosen:
    """One of the variants becomes the result."""

    variant: Variant


@dataclass(frozen=True)
class Rated:
    """The result was judged."""

    rating: str
    text: str


@dataclass(frozen=True)
class Said:
    """Something to tell that changes nothing else."""

    text: str
    failed: bool = False
    details: str = ""


# What the worker posts.


@dataclass(frozen=True)
class Started:
    """Work was begun."""

    task: Task


@dataclass(frozen=True)
class Progressed:
    """Work goes on: share 0..1 of it is done."""

    share: float
    left: float | None = None


@dataclass(frozen=True)
class Opened:
    """A photograph can be seen: quickly decoded at first (the task goes on), then `complete`."""

    document: Document
    text: str


@dataclass(frozen=True)
class Colorized:
    """Its color was predicted."""

    result: Result
    text: str


@dataclass(frozen=True)
class SpreadMade:
    """Strokes were solved for."""

    strokes: tuple[Stroke, ...]
    spread: Spread


@dataclass(frozen=True)
class VariantMade:
    """One more colorization to choose from."""

    variant: Variant


@dataclass(frozen=True)
class ModelOpened:
    """Another model is in use."""

    model: ModelInfo


@dataclass(frozen=True)
class Queued:
    """A folder's photographs were found."""

    items: tuple[Item, ...]
    folder: Path


@dataclass(frozen=True)
class FolderHidden:
    """A folder's photographs are of interest no more."""


@dataclass(frozen=True)
class ItemChanged:
    """A photograph of the folder changed its state."""

    index: int
    item: Item


@dataclass(frozen=True)
class Saved:
    """A result was written."""

    target: Path
    text: str
    edit: Edit | None = None
    """What was saved, where it is the result itself."""


@dataclass(frozen=True)
class Finished:
    """Work ended that needs no more than a word, which may be empty."""

    text: str = ""


@dataclass(frozen=True)
class Cancelled:
    """Work was cancelled; nothing of it is left."""

    text: str


@dataclass(frozen=True)
class Failed:
    """Work ended with an error, in one sentence that says what to do."""

    reason: str
    details: str = ""


Event: TypeAlias = (
    Edited
    | Undone
    | Redone
    | Chose
    | ColorPicked
    | Selected
    | VariantChosen
    | Rated
    | Said
    | Started
    | Progressed
    | Opened
    | Colorized
    | SpreadMade
    | VariantMade
    | ModelOpened
    | Queued
    | FolderHidden
    | ItemChanged
    | Saved
    | Finished
    | Cancelled
    | Failed
)


def reduce(state: State, event: Event) -> State:  # noqa: C901, PLR0911, PLR0912 - one table of what each event does
    """Return the state after an event."""
    match event:
        case Edited(edit, group, selected):
            return replace(state, history=state.history.change(edit, group), selected=selected, rating="")
        case Undone():
            return replace(state, history=state.history.undo(), selected=None)
        case Redone():
            return replace(state, history=state.history.redo(), selected=None)
        case Chose(mode, tool, radius):
            return replace(
                state,
                mode=mode or state.mode,
                tool=tool or state.tool,
                radius=radius or state.radius,
                selected=None if tool == "move" else state.selected,
            )
        case ColorPicked(color):
            return _recolor(replace(state, brush=color))
        case Selected(stroke):
            brush = state.brush if stroke is None else state.edit.strokes[stroke].color
            return replace(state, selected=stroke, brush=brush)
        case VariantChosen(variant):
            return replace(state, result=variant.result, rating="", spread=None)
        case Rated(rating, text):
            return replace(state, rating=rating, message=Message(text))
        case Said(text, failed, details):
            return replace(state, message=Message(text, failed, details))
        case Started(task):
            return replace(state, task=task, message=Message(""), variants=_kept_variants(state, task))
        case Progressed(share, left):
            known = state.task
            return state if known is None else replace(state, task=replace(known, share=share, left=left))
        case Opened(document, text):
            return _opened(state, document, text)
        case Colorized(result, text):
            return _done(replace(state, result=result, model=result.model, rating="", spread=None), text)
        case SpreadMade(strokes, spread):
            return replace(state, spread=(strokes, spread))
        case VariantMade(variant):
            return replace(state, variants=(*state.variants, variant))
        case ModelOpened(model):
            return _done(replace(state, model=model), "") if state.task else replace(state, model=model)
        case Queued(items, folder):
            return replace(state, items=items, folder=folder)
        case FolderHidden():
            return replace(state, items=(), folder=None)
        case ItemChanged(index, item):
            return replace(state, items=(*state.items[:index], item, *state.items[index + 1 :]))
        case Saved(target, text, edit):
            kept = state if edit is None else replace(state, saved=edit, target=target)
            return _done(kept, text)
        case Finished(text):
            return _done(state, text)
        case Cancelled(text):
            return replace(state, task=None, message=Message(text))
        case Failed(reason, details):
            return replace(state, task=None, message=Message(reason, failed=True, details=details))


def _done(state: State, text: str) -> State:
    """Return the state when work has ended; a photograph that is still being decoded goes on."""
    decoding = state.document is not None and not state.document.complete
    task = state.task if decoding and state.task and state.task.kind == "open" else None
    return replace(state, task=task, message=Message(text) if text else state.message)


def _opened(state: State, document: Document, text: str) -> State:
    """Return the state with a photograph: another one drops what was made of the one before."""
    known = state.document
    if document.complete and known is not None and not known.complete:  # the whole of what is seen already
        return replace(state, document=document, task=None, message=Message(text))
    return State(
        document=document,
        mode=state.mode,
        brush=state.brush,
        radius=state.radius,
        items=state.items,
        folder=state.folder,
        model=state.model,
        task=None if document.complete else state.task,
        message=Message(text),
    )


def _recolor(state: State) -> State:
    """Return the state with the chosen stroke in the brush's color."""
    strokes, chosen = state.edit.strokes, state.selected
    if chosen is None or strokes[chosen].color == state.brush:
        return state
    changed = replace(strokes[chosen], color=state.brush)
    edit = replace(state.edit, strokes=(*strokes[:chosen], changed, *strokes[chosen + 1 :]))
    return replace(state, history=state.history.change(edit, f"color {chosen}"))


def _kept_variants(state: State, task: Task) -> tuple[Variant, ...]:
    return () if task.kind in {"variants", "open"} else state.variants
