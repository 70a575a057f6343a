"""What can go wrong, as one small tree. Each leaf is also the built-in error it resembles.

TintypeError
├── UsageError (ValueError)               options or values that make no sense
├── PhotoError                            one photograph; the others go on
│   ├── PhotoNotFoundError (FileNotFoundError)
│   ├── PhotoUnreadableError (ValueError)
│   ├── PhotoTooLargeError (MemoryError)
│   ├── PhotoChangedError (RuntimeError)      it was written to while it was read
│   └── OutputError (OSError)             its result cannot be written
├── ModelError                            nothing can start
│   ├── ModelNotFoundError (FileNotFoundError)
│   ├── ModelUnreadableError (ValueError)
│   └── ModelContractError (ValueError)   a contract that this version does not understand
├── ProviderError (RuntimeError)          an execution provider that does not open
└── CancelledError                        the work was called off, which is no fault; no built-in resembles it

The message of each is one line that says what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class TintypeError(Exception):
    """The root of all errors that Tintype raises on purpose."""


class UsageError(TintypeError, ValueError):
    """Options or values that make no sense together."""


class PhotoError(TintypeError):
    """One photograph cannot be colorized."""


class PhotoNotFoundError(PhotoError, FileNotFoundError):
    """There is no such file."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"there is no photograph {path}")


class PhotoUnreadableError(PhotoError, ValueError):
    """The bytes are not a photograph that can be decoded."""

    def __init__(self, name: str | Path, reason: object) -> None:
        super().__init__(f"{name} cannot be read as a photograph: {reason}")


class PhotoTooLargeError(PhotoError, MemoryError):
    """The photograph exceeds a limit on size or the memory at hand."""


class PhotoChangedError(PhotoError, RuntimeError):
    """The photograph was written to, or replaced, while it was colorized."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"{path} changed while it was read: when it is at rest, give the same command again")


class OutputError(PhotoError, OSError):
    """A result cannot be written; nothing of it is left behind."""

    def __init__(self, path: str | Path, reason: object) -> None:
        super().__init__(f"{path} cannot be written: {reason}")


class ModelError(TintypeError):
    """A model file cannot be used."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """Neither a bundled name nor a file."""

    def __init__(self, model: str | Path, bundled: list[str]) -> None:
        super().__init__(
            f"there is no model {model}: give the path of an .onnx file, or one of {', '.join(bundled)}"
        )


class ModelUnreadableError(ModelError, ValueError):
    """The file is damaged, or of another format."""

    def __init__(self, path: str | Path, reason: object) -> None:
        super().__init__(f"{path} cannot be read as a model: {reason}")


class ModelContractError(ModelError, ValueError):
    """The model does not say what it expects, or says it in a way not understood here."""

    def __init__(self, path: str | Path, reason: object) -> None:
        super().__init__(f"{path} is not a model that this Tintype can use: {reason}")


class ProviderError(TintypeError, RuntimeError):
    """The execution provider asked for does not open on this machine."""


class CancelledError(TintypeError):
    """The work was cancelled; nothing of it is left behind."""

    def __init__(self) -> None:
        super().__init__("the work was cancelled; nothing of it is left behind")
