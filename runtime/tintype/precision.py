"""Which form of the default model is opened: int8 where the processor computes it faster, else float32.

VNNI multiplies bytes four at a time (AVX512-VNNI, AVX-VNNI). Without it int8 gains little, and is less exact.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tintype import models
from tintype.session import candidates

DEFAULT: Final = "default"
SUFFIX: Final = "-int8"
"""What the name of an int8 form adds to its model's."""
FARTHEST: Final = 1.0
"""CIEDE2000 to float32, in the mean, from which an int8 form is taken only by its name."""
FLOAT32: Final = "float32"
"""In a form's metrics: how far it is from float32 (`ciede2000_mean`), how many times as fast (`speed`)."""
CPUINFO: Final = Path("/proc/cpuinfo")
VNNI: Final = frozenset({"avx512_vnni", "avx_vnni"})


def vnni() -> bool | None:
    """Say whether the processor reports VNNI; None where it cannot be asked, which is but on Linux."""
    try:
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    flags = {word for line in text.splitlines() if line.startswith("flags") for word in line.split()}
    return not VNNI.isdisjoint(flags)


def preferred() -> tuple[str, str]:
    """Return the bundled form of the default model that runs on the CPU, and why, in words."""
    name = models.default()
    entry = models.bundled().get(name + SUFFIX)
    has = vnni()
    said = {True: "has VNNI", False: "has no VNNI", None: "does not say whether it has VNNI"}[has]
    if entry is None:
        return name, f"in float32: no int8 form of it is bundled (this processor {said})"
    if not has:
        return name, f"in float32: this processor {said}, which makes int8 fast"
    fault = _fault(entry["metrics"].get(FLOAT32, {}))
    return (
        (name, f"in float32: int8 {fault}") if fault else (name + SUFFIX, f"in int8: this processor {said}")
    )


def choose(model: str | Path, provider: str) -> str | Path:
    """Return the model to open: of the default one its preferred form, where it runs on the CPU.

    Raises ProviderError.
    """
    if str(model) != DEFAULT or models.default() + SUFFIX not in models.bundled():
        return model
    return preferred()[0] if candidates(provider)[0] == "cpu" else model


def _fault(measured: dict[str, Any]) -> str:
    """Say why int8 is not taken by itself, of what was measured of it; empty if it is."""
    if not measured.get("speed", 0) > 1:
        return "was not measured to be faster"
    if not measured.get("ciede2000_mean", FARTHEST) < FARTHEST:
        return f"is not within a CIEDE2000 of {FARTHEST:g} of it in the mean"
    return ""
