"""Filesystems elsewhere, through fsspec: what files are, results that appear whole, errors in words."""

from __future__ import annotations

import json
import os
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from tintype.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tintype.journal import State

KEY: Final = "tintype"
"""Under which an object's own metadata hold what it was made from."""
_WITH_METADATA: Final = {"s3": "Metadata", "s3a": "Metadata", "gs": "metadata", "gcs": "metadata"}
"""Protocols of objects that hold metadata of their own, and what their packages call them."""
_OBJECTS: Final = frozenset({*_WITH_METADATA, "abfs", "abfss", "az", "adl"})
"""Protocols without renaming, where an object appears whole or not at all."""
_TAGS: Final = ("ETag", "etag", "md5Hash", "crc32c", "generation")
_TIMES: Final = ("LastModified", "updated", "last_modified", "mtime", "modified", "created")
_PACKAGES: Final = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
}


class Remote:
    """One filesystem. Names are URLs."""

    def __init__(self, place: str) -> None:
        """Open the filesystem of a URL; raises UsageError where there is none, or its package is missing."""
        self.protocol = place.partition("://")[0]
        try:
            import fsspec
        except ImportError:
            raise UsageError(f"{place} needs fsspec: pip install 'tintype[cluster]'") from None
        try:
            self._files, _ = fsspec.url_to_fs(place, use_listings_cache=False, skip_instance_cache=True)
        except ImportError:
            package = _PACKAGES.get(self.protocol, "the package that fsspec names for it")
            raise UsageError(
                f"{place} needs a package that is not installed: pip install {package}"
            ) from None
        except Exception as error:
            raise UsageError(words(place, error)) from error

    @property
    def remembers(self) -> bool:
        """Whether its objects hold what they were made from."""
        return self.protocol in _WITH_METADATA

    def info(self, place: Path) -> dict[str, Any] | None:
        """Return what is known of a file; None where there is none. Raises what the filesystem raises."""
        try:
            found: dict[str, Any] = self._files.info(str(place))
        except FileNotFoundError:
            return None
        return found if found.get("type") == "file" else None

    def state(self, place: Path) -> State | None:
        """Return what changes when a file is replaced: size, time twice (ns), and a tag of its content."""
        found = self.info(place)
        if found is None:
            return None
        when = next((_nanoseconds(found[key]) for key in _TIMES if found.get(key)), 0)
        tags = [str(found[key]) for key in _TAGS if found.get(key)]
        tag = int.from_bytes(sha256(tags[0].encode()).digest()[:7], "big") if tags else 0
        return int(found.get("size") or 0), when, when, tag

    def entries(self, folder: str) -> list[dict[str, Any]]:
        """Return what is in a folder: dicts with `name`, a URL, and `type`."""
        listed = self._files.ls(folder, detail=True)
        return [entry | {"name": self._files.unstrip_protocol(entry["name"])} for entry in listed]

    def fetch(self, place: Path, target: Path) -> None:
        """Copy a file to this machine."""
        self._files.get_file(str(place), str(target))

    def claim(self, place: Path) -> dict[str, Any]:
        """Return what an object says that it was made from; empty where it says nothing."""
        if self.protocol.startswith("s3"):
            told = self._files.metadata(str(place))
        else:
            told = (self._files.info(str(place)) or {}).get("metadata") or {}
        try:
            line = json.loads(told.get(KEY) or "{}")
        except ValueError:
            return {}
        return line if isinstance(line, dict) else {}

    def put(self, file: Path, place: Path, claim: dict[str, Any] | None = None) -> None:
        """Copy a file of this machine into a place, where it appears whole or not at all."""
        if self.protocol in _OBJECTS:
            more = {_WITH_METADATA[self.protocol]: {KEY: json.dumps(claim)}} if claim else {}
            self._files.put_file(str(file), str(place), **more)
            return
        self._files.makedirs(str(place.parent), exist_ok=True)
        partial = place.with_name(f".tintype-{os.urandom(6).hex()}.partial")
        try:
            self._files.put_file(str(file), str(partial))
            self._files.mv(str(partial), str(place))
        except BaseException:
            if self._files.exists(str(partial)):
                self._files.rm_file(str(partial))
            raise

    def check_there(self, folder: Path) -> None:
        """See that a folder is there; raises UsageError."""
        try:
            there = self._files.isdir(str(folder)) or self._files.ls(str(folder), detail=False)
        except Exception as error:
            raise UsageError(words(folder, error)) from error
        if not there:
            raise UsageError(f"{folder}: there is no such folder")

    def check_folder(self, folder: Path) -> None:
        """See that something can be written there; raises UsageError."""
        probe = str(folder / f".tintype-{os.urandom(6).hex()}.partial")
        try:
            if self.protocol not in _OBJECTS:
                self._files.makedirs(str(folder), exist_ok=True)
            self._files.pipe_file(probe, b"")
            self._files.rm_file(probe)
        except Exception as error:
            raise UsageError(f"{folder} cannot be written: {words(folder, error)}") from error


def words(place: object, error: Exception) -> str:
    """Say in one line what is wrong with a place elsewhere."""
    kind, text = type(error).__name__, (str(error).strip().splitlines() or [""])[0]
    if "Credential" in kind or "credentials" in text.lower():
        return f"{place}: there are no credentials: set them as the filesystem's own tools take them ({text})"
    if isinstance(error, PermissionError):
        return f"{place}: access is denied ({text}): check the credentials and what they may do"
    if "NoSuchBucket" in text or "bucket does not exist" in text:
        return f"{place}: there is no such bucket"
    if isinstance(error, FileNotFoundError):
        return f"{place}: it is not there"
    if "Connect" in kind or isinstance(error, (ConnectionError, TimeoutError)):
        return f"{place}: the server does not answer ({text})"
    return f"{place}: {text or kind}"


def _nanoseconds(when: Any) -> int:
    try:
        if isinstance(when, str):
            when = datetime.fromisoformat(when.replace("Z", "+00:00"))
        seconds = when.timestamp() if isinstance(when, datetime) else float(when)
    except (TypeError, ValueError):
        return 0
    return int(seconds * 1e6) * 1000
