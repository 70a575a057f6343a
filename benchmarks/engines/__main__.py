"""The released forms in other people's tools, against the runtime: `python -m benchmarks.engines`.

Photographs of docs/photographs go through every form in every engine that is here, each on one thread and
in a process of its own. Differences are those of pictures, in levels of 255; time is that of the network (of
rgb forms: of the whole graph), as a multiple of onnxruntime's with the same file, measured right before.

`--old-python` names the interpreter of an environment with the oldest onnxruntime that is supported:
`python3.10 -m venv old && old/bin/pip install onnxruntime==1.17.0 'numpy<2'`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

try:
    import onnx

    from benchmarks import measure
    from benchmarks.engines.outside import EngineError, engines
    from benchmarks.engines.pictures import Pictures
    from export import forms
    from tintype import Colorizer, models
    from tintype.metadata import Metadata
except ModuleNotFoundError as missing:
    sys.exit(f"benchmarks.engines needs {missing.name}: in this folder, run pip install -e '.[train,export]'")

if TYPE_CHECKING:
    from benchmarks.engines.outside import Answers, Engine

FIRST: Final = "onnxruntime"


@dataclass(frozen=True)
class Case:
    """One form of a model, as a file, with photographs for it."""

    suffix: str
    path: Path
    pictures: Pictures


def main() -> int:
    """Run all, print the table and what did not run."""
    options = measure.parser(__doc__, runs=3)
    options.add_argument("--model", default=models.default(), choices=list(models.bundled()))
    options.add_argument("--engines", nargs="+", metavar="NAME", help="these alone")
    options.add_argument("--forms", nargs="+", metavar="SUFFIX", help="these alone: ab rgb rgb-256 ...")
    options.add_argument("--old-python", type=Path, metavar="PYTHON")
    chosen = options.parse_args()
    known = engines(chosen.old_python)
    if strange := set(chosen.engines or ()) - set(known):
        options.error(f"there is no engine {min(strange)}: choose from {', '.join(known)}")
    print(measure.machine("onnxruntime", "onnx", "numpy"))
    wanted = {name: engine for name, engine in known.items() if not chosen.engines or name in chosen.engines}
    with tempfile.TemporaryDirectory() as folder:
        cases = made(chosen.model, Path(folder), chosen.forms)
        report(chosen.model, cases, wanted, known[FIRST], chosen.runs)
    return 0


def made(name: str, folder: Path, suffixes: list[str] | None) -> list[Case]:
    """Build the forms of a model in a folder."""
    model, source = onnx.load(models.find(name)), models.find(name)
    metadata = Metadata.from_props({item.key: item.value for item in model.metadata_props}, source)
    colorizer = Colorizer(name, threads=1)
    cases = []
    for form in forms.forms(metadata, [item.name for item in model.graph.output]):
        suffix = form.suffix.removeprefix("-")
        if form.output != "ab" or (suffixes is not None and suffix not in suffixes):
            continue
        path = folder / f"{name}{form.suffix}.onnx"
        onnx.save(forms.build(model, form), path)
        cases.append(Case(suffix, path, Pictures(colorizer, form.form, form.size)))
    return cases


def report(name: str, cases: list[Case], wanted: dict[str, Engine], first: Engine, rounds: int) -> None:
    """Print a row for each engine, a column for each form, and the reasons of those that do not run."""
    rows, reasons = [], []
    for short, engine in wanted.items():
        if lacking := engine.missing():
            reasons.append(f"* {engine.title}: not tried, {lacking}.")
            continue
        cells = []
        for case in cases:
            cell, reason = compared(case, engine, first, 1 if short == "reference" else rounds)
            cells.append(cell)
            if reason:
                reasons.append(f"* {engine.title}, `-{case.suffix}`: {reason}")
            print(f"{engine.title}, {case.suffix}: {cell}", file=sys.stderr, flush=True)
        rows.append([f"{engine.title} {engine.version()}", *cells])
    print("Largest and mean difference, levels of 255; times onnxruntime's time:\n")
    print(measure.table([name, *(f"`-{case.suffix}`" for case in cases)], rows))
    print("\n" + "\n".join(reasons))


def compared(case: Case, engine: Engine, first: Engine, rounds: int) -> tuple[str, str]:
    """Return what stands in the table for a form in an engine, and why it does not run, if it does not."""
    inputs = case.pictures.inputs
    known = first.run(case.path, inputs, rounds)
    try:
        answers = engine.run(case.path, inputs, rounds)
    except EngineError as error:
        return "no", str(error)
    return _cell(case, answers, known), ""


def _cell(case: Case, answers: Answers, known: Answers) -> str:
    found = case.pictures.differences(answers.values)
    largest, mean = max(item.largest for item in found), statistics.mean(item.mean for item in found)
    slower = statistics.median(a / b for a, b in zip(answers.seconds, known.seconds, strict=True))
    return f"{largest} / {mean:.2f}, {slower:.1f}x"


if __name__ == "__main__":
    sys.exit(main())
