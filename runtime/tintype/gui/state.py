"""What the window shows, as data, and how events change it. Nothing here knows of widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image


@dataclass(frozen=True)
class State:
    """Everything that decides what is on the screen."""

    source: Path | None = None
    size: tuple[int, int] = (0, 0)
    before: Image.Image | None = None
    """A preview of the photograph."""
    after: Image.Image | None = None
    """A preview of the colorized one."""
    busy: bool = False
    message: str = "Open a photograph to begin."
    failed: bool = False
    """Whether the message tells of an error."""

    @property
    def can_colorize(self) -> bool:
        """Whether there is a photograph to colorize, and nothing under way."""
        return self.source is not None and not self.busy

    @property
    def can_save(self) -> bool:
        """Whether there is a result to save, and nothing under way."""
        return self.after is not None and not self.busy


@dataclass(frozen=True)
class Started:
    """Work was begun."""

    message: str


@dataclass(frozen=True)
class Opened:
    """A photograph was read."""

    source: Path
    size: tuple[int, int]
    preview: Image.Image
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Colorized:
    """Its color was predicted."""

    preview: Image.Image
    seconds: float
    model: str
    provider: str
    working_size: int


@dataclass(frozen=True)
class Saved:
    """The full-size result was written."""

    target: Path
    seconds: float


@dataclass(frozen=True)
class Failed:
    """Work ended with an error, in one sentence."""

    reason: str


Event: TypeAlias = Started | Opened | Colorized | Saved | Failed


def reduce(state: State, event: Event) -> State:
    """Return the state after an event."""
    match event:
        case Started(message):
            return replace(state, busy=True, message=message, failed=False)
        case Opened(source, size, preview, notes):
            message = "; ".join((f"{source.name}, {size[0]} x {size[1]} px", *notes))
            return State(source, size, preview, message=message)
        case Colorized(preview, seconds, model, provider, working_size):
            message = f"Colorized in {seconds:.2f} s by {model} on {provider}, working size {working_size}."
            return replace(state, after=preview, busy=False, message=message, failed=False)
        case Saved(target, seconds):
            message = f"Saved {target} in {seconds:.2f} s."
            return replace(state, busy=False, message=message, failed=False)
        case Failed(reason):
            return replace(state, busy=False, message=reason, failed=True)
