"""What a run over an archive is, as it travels to every worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tintype.batch import Settings
    from tintype.naming import Naming


@dataclass(frozen=True)
class Plan:
    """One run."""

    run: str
    """A name of its own."""
    folder: Path
    """The archive: a folder of this machine's kind of paths, or a Url."""
    out: Path
    recursive: bool
    compare: bool
    names: Naming
    settings: Settings
    version: str
    """Of Tintype: workers of another one are refused."""
    model: str
    """A bundled name, or the name of the file that `weights` are."""
    model_sha256: str
    weights: Any
    """Ray's reference to the bytes of a model that is not bundled, or None."""
    provider: str
    threads: int
    working_size: int | None
