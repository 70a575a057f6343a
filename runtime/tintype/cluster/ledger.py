"""The journal of a local folder, as a worker of a cluster sees it.

The whole journal of an archive would take more memory than the photographs, and that once for each worker.
Who lists the photographs reads it and sends along what it says of each; what a worker claims goes into a
segment of its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tintype import segments
from tintype.journal import Claim, Journal, claim_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO


class Ledger(Journal):
    """Knows what it is told, and what workers of its run have claimed since."""

    def __init__(self, folder: Path, run: str, *, write: bool = True) -> None:
        """Begin a segment, if anything is to be written. Raises OSError."""
        super().__init__(folder, write=write)
        self._home, self._run = folder, run
        self._read_up_to: dict[Path, int] = {}
        self._fresh: dict[str, list[Claim]] = {}
        self._lock: BinaryIO | None = None
        if write:
            self._path, self._lock = segments.begin(folder, run)

    def close(self) -> None:
        """Write no more: the segment may be brought in. So it is when the process ends."""
        if self._lock is not None:
            self._lock.close()

    def learn(self, lines: Iterable[dict[str, Any]], renewed: Iterable[str]) -> None:
        """Know what is said of the next photographs, and nothing of those before."""
        self._claims.clear()
        self._renewed = set(renewed)
        for line in lines:
            if (claim := claim_of(line)) is not None:
                self._claims.setdefault(str(line["result"]), []).append(claim)

    def is_fresh(self, place: Path) -> bool:
        """Say whether a result was made in this run: by a worker that was lost before it could tell."""
        claim = self._claim(place)
        return claim is not None and claim in self._fresh.get(self._name(place), ())

    def _read(self) -> None:
        """Read nothing: see `learn`."""

    def _claim(self, place: Path) -> Claim | None:
        claim = super()._claim(place)
        if claim is None and place.exists():
            self._look_around()
            name = self._name(place)
            known = self._claims.get(name, [])
            self._claims[name] = known + [c for c in self._fresh.get(name, []) if c not in known]
            claim = super()._claim(place)
        return claim

    def _look_around(self) -> None:
        """Read on in all segments of this run."""
        for path in segments.names(self._home, self._run):
            with path.open("rb") as file:
                file.seek(self._read_up_to.get(path, 0))
                for text in file:
                    if text.endswith(b"}\n"):
                        self._read_up_to[path] = file.tell()
                    self._hear(text)

    def _hear(self, text: bytes) -> None:
        try:
            line = json.loads(text)
        except ValueError:  # the first one, or cut off
            return
        if (claim := claim_of(line)) is not None:
            self._fresh.setdefault(str(line["result"]), []).append(claim)
