"""Checkpoints: the whole state of a run in plain types, whole on disk or not there at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import torch

from torch_model import disk

FORMAT = 1
KEEP = 2  # the last ones, beside the best

if TYPE_CHECKING:
    from pathlib import Path

State = dict[str, Any]


class CheckpointError(ValueError):
    """A file that is no checkpoint of this project, or a damaged one."""


def path_of(folder: Path, step: int) -> Path:
    """Return where the checkpoint of a step is kept."""
    return folder / f"step-{step:07d}.pt"


def save(folder: Path, step: int, state: State, best_step: int | None) -> Path:
    """Write a checkpoint beside its place and rename it, then drop all but the last two and the best.

    Raises OutputError.
    """
    path = path_of(folder, step)
    with disk.writing(path) as file:
        try:
            torch.save({"format": FORMAT, "step": step, **state}, file)
        except RuntimeError as error:  # of torch's zip writer, which hides what the disk said
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
    _prune(folder, step, best_step)
    return path


def load(path: Path) -> State:
    """Read a checkpoint. Raises CheckpointError, saying what is wrong with the file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        # torch.load raises whatever its zip reader and unpickler do, in words about torch.load
        raise CheckpointError(f"{path} is damaged, or no checkpoint of train.py") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of format {FORMAT}")
    return state


def latest(folder: Path) -> tuple[State | None, list[str]]:
    """Return the newest checkpoint that can be read, if any, and a line for each that cannot.

    Those are renamed to end in .damaged.
    """
    complaints: list[str] = []
    for _, path in sorted(_listed(folder), reverse=True):
        try:
            return load(path), complaints
        except CheckpointError as error:
            path.replace(path.with_suffix(".damaged"))  # or it would count among the last two for ever
            complaints.append(f"{error}; falling back to the checkpoint before it")
    return None, complaints


def best(run: Path) -> Path:
    """Return the checkpoint of a run's folder that validated best, of those readable the newest one knows.

    Raises CheckpointError where there is none.
    """
    folder = run / "checkpoints"
    state, _ = latest(folder)
    if state is None:
        raise CheckpointError(f"{run} holds no checkpoint that can be read")
    judged = path_of(folder, state["best"][0]) if state["best"] else None
    return judged if judged is not None and judged.is_file() else path_of(folder, state["step"])


def _listed(folder: Path) -> list[tuple[int, Path]]:
    matches = ((re.fullmatch(r"step-(\d+)\.pt", path.name), path) for path in folder.glob("step-*.pt"))
    return [(int(match[1]), path) for match, path in matches if match]


def _prune(folder: Path, last: int, best_step: int | None) -> None:
    older = sorted((step, path) for step, path in _listed(folder) if step <= last)[:-KEEP]
    for step, path in older:
        if step != best_step:
            path.unlink()
