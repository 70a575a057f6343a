"""Time the network against the machine's own matrix product of as many operations.

    python -m benchmarks.network

A convolution is a matrix product with some moving around; a network that takes as long as numpy's or
torch's product of large matrices has no room left in float32. All of them run in one process, in
turn, with pauses in which their threads go to sleep; each number of threads has a process of its own.
"""

from __future__ import annotations

import ctypes
import json
import random
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import measure

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORK: Final = "network"
SHIPPED, SPINNING = "as Tintype opens it", "with spinning allowed, for comparison"
SIDE: Final = 2048  # of the matrices: 17 GFLOP, and no longer faster when larger
WARMUPS: Final = 3
WITHIN: Final = 1.10
IDLE: Final = 1.0  # s
MOST_IDLE: Final = 0.01  # s of CPU time in that
_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> int:
    """Measure at each number of threads, each in a process of its own; return the exit code."""
    parser = measure.parser(__doc__, 30)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="(default: 1 2)")
    parser.add_argument("--size", type=int, default=256, metavar="PX", help="side (default: %(default)s)")
    parser.add_argument("--without-torch", action="store_true", help="numpy's product alone")
    parser.add_argument("--here", action="store_true", help="in this process, as JSON")
    options = parser.parse_args()
    if options.here:
        torch = not options.without_torch
        print(json.dumps(measure_here(options.threads[0], options.size, options.runs, torch=torch)))
        return 0
    extra = ["torch"] if find_spec("torch") and not options.without_torch else []
    print(measure.machine("tintype", "onnxruntime", "onnx", "numpy", *extra))
    for threads in options.threads:
        words = [
            "--here",
            "--threads",
            str(threads),
            "--size",
            str(options.size),
            "--runs",
            str(options.runs),
        ]
        words += ["--without-torch"] if options.without_torch else []
        output = subprocess.check_output(
            [sys.executable, "-m", "benchmarks.network", *words],
            cwd=measure.ROOT,
            env=measure.environment(**dict.fromkeys(_THREADS, str(threads))),
        )
        report(threads, options.size, json.loads(output))
    return 0


def measure_here(threads: int, size: int, runs: int, *, torch: bool) -> dict[str, Any]:
    """Time everything in turn; return seconds by name, cores used by name, and what ran."""
    from tintype import models

    path = models.find("classic")
    flop = count_flop(path, size)
    work = {NETWORK: network(path, size, threads)}
    work |= {f"{name} product": product for name, product in products(threads, with_torch=torch).items()}
    walls: dict[str, list[float]] = {name: [] for name in work}
    cpus: dict[str, float] = dict.fromkeys(work, 0.0)
    order, dice = list(work), random.Random(0)  # noqa: S311 - of no secret
    for number in range(runs + WARMUPS):
        dice.shuffle(order)  # so that nothing always runs behind the same other
        for name in order:
            time.sleep(measure.PAUSE)
            cpu, start = time.process_time(), time.perf_counter()
            work[name]()
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu
            if number >= WARMUPS:
                walls[name].append(wall if name == NETWORK else wall * flop / (2 * SIDE**3))
                cpus[name] += cpu / wall / runs
    idle = {SHIPPED: idle_cost(work[NETWORK]), SPINNING: idle_cost(spinning(path, size, threads))}
    return {
        "model": path.stem,
        "flop": flop,
        "walls": walls,
        "cores": cpus,
        "kernel": blas_kernel(),
        "idle": idle,
    }


def count_flop(path: Path, size: int) -> int:
    """Count the operations of a model's convolutions at size x size: two for each multiplication."""
    import onnx

    model = onnx.load(path)
    dimensions = model.graph.input[0].type.tensor_type.shape.dim
    for dimension, value in zip(dimensions, (1, 1, size, size), strict=True):
        dimension.dim_value = value
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {item.name: list(item.dims) for item in graph.initializer}
    for item in [*graph.value_info, *graph.output]:
        shapes[item.name] = [d.dim_value for d in item.type.tensor_type.shape.dim]
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            _, inputs, height, width = shapes[node.input[1]]
            _, outputs, rows, columns = shapes[node.output[0]]
            total += 2 * inputs * height * width * outputs * rows * columns
    return total


def network(path: Path, size: int, threads: int) -> Callable[[], Any]:
    """Return what runs the network once, in the session that Tintype opens."""
    import numpy as np

    from tintype.session import open_session

    session = open_session(path, "cpu", threads)
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 1, size, size)).astype(np.float32)
    return lambda: session.run(lightness)


def spinning(path: Path, size: int, threads: int) -> Callable[[], Any]:
    """Return what runs the network once in a session of onnxruntime's own defaults."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    lightness = np.zeros((1, 1, size, size), np.float32)
    return lambda: session.run(None, {"l": lightness})


def products(threads: int, *, with_torch: bool) -> dict[str, Callable[[], Any]]:
    """Return a large float32 matrix product by each library here."""
    import numpy as np

    a, b = np.random.default_rng(0).random((2, SIDE, SIDE), np.float32)
    result = np.empty((SIDE, SIDE), np.float32)
    found: dict[str, Callable[[], Any]] = {"numpy": lambda: np.matmul(a, b, out=result)}
    if with_torch and find_spec("torch"):
        import torch

        torch.set_num_threads(threads)
        x, y, z = (torch.from_numpy(matrix) for matrix in (a, b, result))
        found["torch"] = lambda: torch.mm(x, y, out=z)
    return found


def idle_cost(step: Callable[[], Any]) -> float:
    """Return the CPU time of all threads in the second of sleep that follows a run."""
    for _ in range(WARMUPS):
        step()
    start = time.process_time()
    time.sleep(IDLE)
    return time.process_time() - start


def blas_kernel() -> str:
    """Return which of its kernels numpy's OpenBLAS chose for this processor, and its threads."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text(encoding="utf-8").splitlines() if maps.is_file() else []
    for path in {line.split()[-1] for line in lines if "openblas" in line}:
        library = ctypes.CDLL(path)
        name = getattr(library, "scipy_openblas_get_corename64_", None)
        threads = getattr(library, "scipy_openblas_get_num_threads64_", None)
        if name and threads:
            name.restype = ctypes.c_char_p
            return f"{name().decode()}, {threads()} threads"
    return "unknown"


def report(threads: int, size: int, found: dict[str, Any]) -> None:
    """Print the tables of one number of threads."""
    walls: dict[str, list[float]] = found["walls"]
    giga = found["flop"] / 1e9
    counted = "1 thread" if threads == 1 else f"{threads} threads"
    print(
        f"{counted}, {found['model']} at {size}x{size}, {giga:.1f} GFLOP; "
        f"OpenBLAS kernel {found['kernel']}; products scaled to as many operations:\n"
    )
    rows = [
        [
            name,
            *(f"{seconds * 1000:.1f}" for seconds in (min(taken), statistics.median(taken))),
            *(f"{giga / seconds:.0f}" for seconds in (min(taken), statistics.median(taken))),
            f"{found['cores'][name]:.2f}",
        ]
        for name, taken in walls.items()
    ]
    header = ["", "best, ms", "median, ms", "best, GFLOP/s", "median, GFLOP/s", "cores busy"]
    print(measure.table(header, rows))
    limit = min((name for name in walls if name != NETWORK), key=lambda name: statistics.median(walls[name]))
    best = min(walls[NETWORK]) / min(walls[limit])
    median = statistics.median(a / b for a, b in zip(walls[NETWORK], walls[limit], strict=True))
    print(
        f"\nNetwork to {limit}: {best:.2f} by the best, {median:.2f} by the median of the rounds; "
        f"at most {WITHIN:.2f}: {measure.verdict(max(best, median) <= WITHIN)}."
    )
    idle = found["idle"]
    words = ", ".join(f"{seconds * 1000:.1f} ms {name}" for name, seconds in idle.items())
    print(
        f"CPU time in {IDLE:g} s of sleep after runs: {words}; "
        f"under {MOST_IDLE * 1000:g} ms: {measure.verdict(idle[SHIPPED] < MOST_IDLE)}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
