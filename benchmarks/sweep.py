"""The original's own table: how many photographs, a step of how many, how many epochs.

    python -m benchmarks.sweep --data photos --out runs/sweep --size 64 --hours 2 -- --precision bf16

Each run is train.py's, in a process; what stands behind `--` goes to it. A run of more epochs is the one of
fewer, gone on with (its learning rate is constant), so a cell costs what it adds. Cells go by cost; one that
would not fit into what is left of --hours, or into --steps, stays blank, with its reason. The state is the
runs' own logs: the same command goes on where it stopped, and with more hours fills more cells.

It writes table.md, loss.png and accuracy.png into --out. The original's accuracy is Keras's for an output of
two channels: the share of pixels whose larger one of a and b is the true one's.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tintype.progress import duration
from torch_model import journal

if TYPE_CHECKING:
    from collections.abc import Sequence

PHOTOS: Final = (10, 50, 100, 200)
BATCHES: Final = (10, 50, 100)
EPOCHS: Final = (10, 100, 500, 1000, 1500, 5000)
ROOT: Final = Path(__file__).resolve().parent.parent
POINTS: Final = 20  # validations of each cell
HELD: Final = 20  # one photograph in so many validates, where --val names no others
ORIGINALS_SIDE: Final = 256
NEVER: Final = 10**9
LABELS: Final = {"loss": "training", "val_loss": "validation", "val_accuracy": "validation"}


@dataclass(frozen=True)
class Run:
    """Photographs and batch: one folder, trained on and on."""

    photos: int
    batch: int

    @property
    def trained(self) -> int:
        """Photographs that are trained on, about: some may be held back."""
        return self.photos - max(1, round(self.photos / HELD))

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch, likewise."""
        return math.ceil(self.trained / self.batch)

    @property
    def same_as(self) -> int | None:
        """A smaller batch that already takes all photographs in one step, and so is the same run."""
        smaller = [batch for batch in BATCHES if self.trained <= batch < self.batch]
        return min(smaller) if smaller else None

    def folder(self, out: Path) -> Path:
        """Where the run lives."""
        return out / f"{self.photos}-photos-batch-{self.batch}"


@dataclass
class Sweep:
    """What is wanted, what may be spent, and why cells are blank."""

    out: Path
    options: argparse.Namespace
    deadline: float
    """By time.monotonic."""
    blank: dict[tuple[Run, int], str] = field(default_factory=dict)
    failed: dict[Run, str] = field(default_factory=dict)
    code: int = 0

    def fill(self) -> None:
        """Train cell after cell, the cheapest first, until all are done or the time is over."""
        runs = [Run(*pair) for pair in product(PHOTOS, BATCHES)]
        cells = [(run, epochs) for run, epochs in product(runs, EPOCHS) if run.same_as is None]
        for run, epochs in sorted(cells, key=lambda cell: (cell[0].trained * cell[1], cell[0].batch)):
            if self.code or measured(run.folder(self.out), epochs):
                continue
            reason = self.failed.get(run) or self._too_much(run, epochs)
            if reason is None:
                reason = self._train(run, epochs)
                self.write()
            if reason:
                self.blank[run, epochs] = reason

    def _too_much(self, run: Run, epochs: int) -> str | None:
        """Say why a cell is not begun, if it is not."""
        if self.options.steps is not None and run.per_epoch * epochs > self.options.steps:
            return f"{run.per_epoch * epochs} steps, more than --steps {self.options.steps}"
        left = max(0.0, self.deadline - time.monotonic())
        rows = journal.read(run.folder(self.out) / "log.csv")
        if not rows:
            return None if left else "the time was over"
        done, seconds = float(rows[-1]["epoch"]), float(rows[-1]["seconds"])
        needed = (epochs - done) * seconds / done
        return f"about {duration(needed)} needed, {duration(left)} left" if needed > left else None

    def _train(self, run: Run, epochs: int) -> str | None:
        """Train a run up to so many epochs; return why it did not get there, if it did not."""
        print(f"\n{run.photos} photographs, batch {run.batch}, up to {epochs} epochs", flush=True)
        code, said = _run(self._command(run, epochs))
        if measured(run.folder(self.out), epochs):
            return None
        if code == 0:
            return "the time was over on the way"
        if code == 1:
            self.failed[run] = (said.strip().splitlines() or ["it failed"])[-1]
            return self.failed[run]
        print(said, file=sys.stderr, end="")
        self.code = code
        return "interrupted"

    def _command(self, run: Run, epochs: int) -> list[str]:
        every = str(max(1, run.per_epoch * epochs // POINTS))
        hours = max(0.0, self.deadline - time.monotonic()) / 3600
        places = ["--out", str(run.folder(self.out).absolute()), "--data", *self.options.data]
        counts = ["--limit", str(run.photos), "--batch", str(run.batch), "--epochs", str(epochs)]
        often = ["--log-every", every, "--eval-every", every, "--checkpoint-every", str(NEVER)]
        rest = ["--size", str(self.options.size), "--max-hours", f"{hours:.5f}", "--no-tensorboard"]
        return [sys.executable, str(ROOT / "train.py"), *places, *counts, *often, *rest, *self.options.train]

    def write(self) -> None:
        """Write the table and the curves as they are now."""
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "table.md").write_text(table(self), encoding="utf-8")
        plot(self.out, ("loss", "val_loss"), "loss", "log")
        plot(self.out, ("val_accuracy",), "accuracy", "linear")


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Run a program; return its exit code and what it said on standard error."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = process.communicate()[1]
        except KeyboardInterrupt:  # it was told as well, and writes a checkpoint
            said = process.communicate()[1]
    return process.returncode, said


def measured(folder: Path, epochs: int) -> dict[str, str] | None:
    """Return the validation of a run at the end of so many epochs, where it is in its log."""
    rows = journal.read(folder / "log.csv")
    found = [row for row in rows if row["val_loss"] and float(row["epoch"]) == epochs]
    return found[-1] if found else None


def table(sweep: Sweep) -> str:
    """Return validation loss, accuracy and PSNR of every cell, and why some are blank."""
    side = sweep.options.size
    small = (
        ""
        if side == ORIGINALS_SIDE
        else f" At {side}x{side}, not at the original's {ORIGINALS_SIDE}x{ORIGINALS_SIDE}."
    )
    lines = [
        f"Of each cell: validation loss (x 1000), accuracy, PSNR of the validation photographs.{small}",
        "",
        "| photographs | batch | " + " | ".join(f"{epochs} epochs" for epochs in EPOCHS) + " |",
        "| --- | --- |" + " --- |" * len(EPOCHS),
    ]
    for run in (Run(*pair) for pair in product(PHOTOS, BATCHES)):
        same = run.same_as
        shown = run if same is None else Run(run.photos, same)
        cells = [_cell(measured(shown.folder(sweep.out), epochs)) for epochs in EPOCHS]
        note = "" if same is None else f" (as {same}: all in one step)"
        lines.append(f"| {run.photos} | {run.batch}{note} | " + " | ".join(cells) + " |")
    blank = sorted(sweep.blank.items(), key=lambda cell: (cell[0][0].photos, cell[0][0].batch, cell[0][1]))
    reasons = [
        f"* {run.photos} photographs, batch {run.batch}, {epochs} epochs: {reason}"
        for (run, epochs), reason in blank
    ]
    return "\n".join([*lines, *(["", "Blank cells:", "", *reasons] if reasons else [])]) + "\n"


def _cell(row: dict[str, str] | None) -> str:
    if row is None:
        return ""
    loss, accuracy, psnr = (float(row[name] or "nan") for name in ("val_loss", "val_accuracy", "val_psnr"))
    return f"{1000 * loss:.2f}, {accuracy:.1%}, {psnr:.2f} dB"


def plot(out: Path, names: Sequence[str], title: str, scale: str) -> None:
    """Draw curves over epochs, a panel for each number of photographs and each batch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 12), layout="constrained")
    axes: Any = figure.subplots(len(PHOTOS), len(BATCHES), sharex=True, sharey=True)
    for row, photos in enumerate(PHOTOS):
        for column, batch in enumerate(BATCHES):
            run, panel = Run(photos, batch), axes[row, column]
            panel.set(title=f"{photos} photographs, batch {batch}", xscale="log", yscale=scale)
            if run.same_as is not None:
                panel.text(0.5, 0.5, f"as batch {run.same_as}", ha="center", transform=panel.transAxes)
                continue
            rows = journal.read(run.folder(out) / "log.csv")
            for name in names:
                points = [(float(r["epoch"]), float(r[name])) for r in rows if r[name]]
                if points:
                    panel.plot(*zip(*points, strict=True), label=LABELS[name])
            if panel.lines:
                panel.legend()
    figure.supxlabel("epochs")
    figure.supylabel(title)
    figure.savefig(out / f"{title}.png", dpi=80)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sweep",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", nargs="+", required=True, help="at least 200 photographs: folders, .tar files or patterns")
    add("--out", type=Path, default=Path("runs/sweep"), help="folder of the runs (%(default)s)")
    add("--size", type=int, default=ORIGINALS_SIDE, help="side of the photographs, px (%(default)s)")
    add("--hours", type=float, default=math.inf, help="stop after so long")
    add("--steps", type=int, help="leave out cells of more steps than these")
    given = list(sys.argv[1:] if arguments is None else arguments)
    border = given.index("--") if "--" in given else len(given)
    options = parser.parse_args(given[:border])
    options.train = given[border + 1 :]
    sweep = Sweep(options.out, options, time.monotonic() + 3600 * options.hours)
    try:
        sweep.fill()
    except KeyboardInterrupt:
        sweep.code = 130
    sweep.write()
    print((options.out / "table.md").read_text(encoding="utf-8"))
    return sweep.code


if __name__ == "__main__":
    sys.exit(main())
