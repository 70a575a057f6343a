"""What was measured of forms with less precision: `differences.json`, which `export.differences` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("differences.json")


def read(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """Return what is known of each model, by name; nothing where the file is not there."""
    if not file.is_file():
        return {}
    known: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return known


def of(name: str, form: str, weights: str) -> dict[str, Any]:
    """Return the figures of a form, fp16 or int8, of a model; {} where not these weights were measured.

    `ciede2000_mean` and `ciede2000_p99` to float32; `speed`, how many times as fast a photograph is
    colorized, of several numbers of threads the least; `network_speed` likewise; `photos` and `data`.
    """
    known = read().get(name, {})
    if known.get("weights") != weights or form not in known["forms"]:
        return {}
    measured = known["forms"][form]
    speeds = measured["speed"].values()
    return {
        "ciede2000_mean": measured["ciede2000_mean"],
        "ciede2000_p99": measured["ciede2000_p99"],
        "speed": min(each["photograph"] for each in speeds),
        "network_speed": min(each["network"] for each in speeds),
        "photos": known["photos"],
        "data": known["data"],
    }


def write(known: dict[str, dict[str, Any]], file: Path = FILE) -> None:
    """Write what is known of each model."""
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
