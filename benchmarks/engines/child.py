"""Run a model on the arrays of an .npz file, with one engine, in a process of its own.

    python child.py ENGINE MODEL INPUTS.npz ANSWERS.npz ROUNDS

ENGINE is one of `inside.OPENERS`, or `bare` for the onnxruntime of any old environment, which has nothing
else but numpy. ANSWERS gets an array of the same name for each input, and `seconds`, the best of the rounds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Run, and write what came of it."""
    engine, model, inputs, answers, rounds = sys.argv[1:]
    run = bare(model) if engine == "bare" else _opened(engine, Path(model))
    taken = np.load(inputs)
    found = {name: run(taken[name]) for name in taken.files}
    seconds = [
        min((_timed(run, taken[name]) for _ in range(int(rounds))), default=0.0) for name in taken.files
    ]
    np.savez(answers, seconds=np.array(seconds), **found)


def bare(model: str) -> Callable[[Any], Any]:
    """Open with onnxruntime alone, which knows the names itself."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    taken, given = session.get_inputs()[0].name, session.get_outputs()[0].name
    return lambda values: session.run([given], {taken: values})[0]


def _opened(engine: str, model: Path) -> Callable[[Any], Any]:
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from benchmarks.engines import inside

    run: Callable[[Any], Any] = inside.OPENERS[engine](model)
    return run


def _timed(run: Callable[[Any], Any], values: Any) -> float:
    start = time.perf_counter()
    run(values)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
