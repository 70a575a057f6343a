"""What is remembered from one start to the next. Never anything of a photograph but where it lies."""

from __future__ import annotations

import json
import math
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tintype.gui.state import Mode

MOST_RECENT: Final = 10
LARGEST: Final = 3.0
SMALLEST: Final = 0.75
VARIABLE: Final = "TINTYPE_CONFIG_DIR"


@dataclass(frozen=True)
class Settings:
    """Everything that is remembered."""

    theme: Literal["auto", "light", "dark"] = "auto"
    """auto is as the desktop has it."""
    scale: float = 0.0
    """Of the interface, 0.75..3; 0 is as the desktop has it."""
    geometry: str = ""
    """Of the window, WxH+X+Y; "" before it was ever closed."""
    maximized: bool = False
    recent: tuple[Path, ...] = ()
    """Photographs opened, the last one first, absolute."""
    model: str = "default"
    """A bundled name or the path of an .onnx file."""
    mode: Mode = "split"
    folded: tuple[str, ...] = ()
    """Sections of the panel that are folded."""

    def with_recent(self, path: Path) -> Settings:
        """Return settings that remember a photograph as the last one opened."""
        path = path.absolute()
        others = (each for each in self.recent if each != path)
        return replace(self, recent=(path, *others)[:MOST_RECENT])

    @classmethod
    def load(cls) -> Settings:
        """Return what was saved, field by field: what is damaged or unknown is as it is at first.

        A file that is no JSON is kept aside as settings.json.bad.
        """
        path = place("config") / "settings.json"
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except OSError:
            return cls()
        except ValueError:
            stored = None
        if not isinstance(stored, dict):
            with suppress(OSError):
                path.replace(path.with_name(f"{path.name}.bad"))
            return cls()
        return cls(**_understood(stored))

    def save(self) -> bool:
        """Save whole or not at all; return whether that was possible: not to remember is no error."""
        path = place("config") / "settings.json"
        text = json.dumps(asdict(self), default=str, indent=1)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, text.encode())
        except OSError:
            return False
        return True


def place(kind: Literal["config", "data"]) -> Path:
    """Return the platform's own folder for settings or for data; TINTYPE_CONFIG_DIR stands for both."""
    told = os.environ.get(VARIABLE)
    if told:
        return Path(told)
    import platformdirs

    find = platformdirs.user_config_path if kind == "config" else platformdirs.user_data_path
    return find("tintype", appauthor=False)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises OSError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


def _understood(stored: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for field in fields(Settings):
        with suppress(KeyError, ValueError, TypeError, LookupError):
            values[field.name] = _CHECKS[field.name](stored[field.name])
    return values


def _one_of(*names: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        return names[names.index(value)]

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    return value


def _scale(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or (number and not SMALLEST <= number <= LARGEST):
        raise ValueError(value)
    return number


def _geometry(value: Any) -> str:
    if not re.fullmatch(r"(\d{1,5}x\d{1,5}(\+-?\d{1,5}){2})?", _text(value)):
        raise ValueError(value)
    return _text(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _recent(value: Any) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    paths = (Path(each) for each in value if isinstance(each, str) and each and "\0" not in each)
    return tuple(path for path in paths if path.is_absolute())[:MOST_RECENT]


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(_text, value))


_CHECKS: Final[dict[str, Callable[[Any], Any]]] = {
    "theme": _one_of("auto", "light", "dark"),
    "scale": _scale,
    "geometry": _geometry,
    "maximized": _switch,
    "recent": _recent,
    "model": _text,
    "mode": _one_of("split", "side", "color", "before"),
    "folded": _names,
}
