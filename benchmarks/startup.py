"""Time what happens before any work: `import tintype` and `tintype --help`, beside bare Python.

python -m benchmarks.startup
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks import measure

BARE: Final = "python -c pass"
IMPORT: Final = 'python -c "import tintype"'
HELP: Final = "tintype --help"
MOST: Final = 0.2  # s, of `tintype --help`
HEAVY: Final = ("numpy", "PIL", "onnxruntime", "tkinter", "torch", "skimage")
_LOADED: Final = "import json; print(json.dumps(sorted(sys.modules)))"
_PROBES: Final = {
    BARE: "import sys",
    IMPORT: "import sys, tintype",
    HELP: """
import contextlib, io, sys
from tintype.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main(["--help"])""",
}


def main() -> int:
    """Run the comparison; return the exit code."""
    parser = measure.parser(__doc__, 20)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter with Tintype")
    options = parser.parse_args()
    python: Path = options.python
    print(measure.machine())
    print(f"- {measure.versions(['tintype'], python)}\n")
    commands: dict[str, list[str | Path]] = {
        BARE: [python, "-c", "pass"],
        IMPORT: [python, "-c", "import tintype"],
        HELP: [python.with_name("tintype"), "--help"],
    }
    samples = measure.rounds(commands, options.runs, Path.cwd())
    bare = samples[BARE]
    rows = []
    for name, taken in samples.items():
        extra = statistics.median(a.wall - b.wall for a, b in zip(taken, bare, strict=True))
        walls = measure.spread((s.wall * 1000 for s in taken), 0)
        modules = loaded(python, name)
        heavy = ", ".join(module for module in HEAVY if module in modules) or "none"
        rows.append([f"`{name}`", walls, f"{extra * 1000:+.0f}", str(len(modules)), heavy])
    print(measure.table(["", "wall, ms", "to bare Python, ms", "modules", f"of {', '.join(HEAVY)}"], rows))
    wall = statistics.median(sample.wall for sample in samples[HELP])
    print(f"\n`{HELP}` under {MOST} s: {wall:.3f} s, {measure.verdict(wall < MOST)}.")
    return 0


def loaded(python: Path, name: str) -> list[str]:
    """Return the modules in an interpreter at the end of one of the commands."""
    code = f"{_PROBES[name]}\n{_LOADED}"
    modules: list[str] = json.loads(subprocess.check_output([python, "-c", code], env=measure.environment()))
    return modules


if __name__ == "__main__":
    sys.exit(main())
