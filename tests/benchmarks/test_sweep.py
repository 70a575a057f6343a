"""The original's table: which cells are run, in which order, which stay blank, and why."""

from __future__ import annotations

import csv
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import sweep
from torch_model import journal
from torch_model.journal import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 0.01  # that a photograph takes


class Trainer:
    """Stands for train.py: writes the logs that it would write."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, int]] = []
        self.code = 0

    def __call__(self, command: Sequence[str]) -> tuple[int, str]:
        """Log every tenth of the epochs that are asked for, as far as --max-hours goes."""
        value = dict(pairwise(command))
        photos, batch, epochs = (int(value[f"--{name}"]) for name in ("limit", "batch", "epochs"))
        self.seen.append((photos, batch, epochs))
        if self.code:
            return self.code, "something\ntrain.py: the loss is not finite\n"
        folder = Path(value["--out"])
        folder.mkdir(parents=True, exist_ok=True)
        before = journal.read(folder / "log.csv")
        with (folder / "log.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(asdict(Row(0, 0, 0, 0, 0, 0))))
            writer.writeheader()
            writer.writerows(before)
            for tenth in range(1, 11):
                done = epochs * tenth / 10
                seconds = done * photos * SECONDS
                row = Row(int(done), done, seconds, 1e-3, 1 / done, 100, 2 / done, 20.0, 10.0, 0.5, 0.75)
                writer.writerow({key: "" if v is None else v for key, v in asdict(row).items()})
        return 0, ""


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """Let no program run."""
    made = Trainer()
    monkeypatch.setattr(sweep, "_run", made)
    monkeypatch.setattr(sweep, "plot", lambda *_: None)
    return made


def test_all_cells(trainer: Trainer, tmp_path: Path) -> None:
    """Without a limit every cell is filled, the cheapest first; equal runs once, all of them only once."""
    options = ["--data", "photos", "--out", str(tmp_path), "--size", "64"]
    assert sweep.main(options) == 0
    runs = {(photos, batch) for photos, batch, _ in trainer.seen}
    assert len(trainer.seen) == len(runs) * len(sweep.EPOCHS) == 54
    assert (10, 50) not in runs
    cost = [photos * epochs for photos, _, epochs in trainer.seen]
    assert trainer.seen[0] == (10, 10, 10)
    assert cost[-1] == max(cost)
    table = (tmp_path / "table.md").read_text()
    assert "At 64x64, not at the original's 256x256." in table
    assert "| 10 | 50 (as 10: all in one step) | 200.00, 75.0%, 20.00 dB |" in table
    assert "Blank" not in table
    trainer.seen.clear()
    assert sweep.main(options) == 0
    assert trainer.seen == []


def test_budgets(trainer: Trainer, tmp_path: Path) -> None:
    """Cells over the budget of time or steps are not begun, and say so."""
    options = ["--data", "photos", "--out", str(tmp_path), "--hours", "0.05", "--steps", "3000"]
    assert sweep.main(options) == 0
    assert (10, 10, 1500) in trainer.seen
    assert (200, 10, 100) not in trainer.seen
    table = (tmp_path / "table.md").read_text()
    assert "* 200 photographs, batch 100, 5000 epochs: 10000 steps, more than --steps 3000" in table
    assert "needed" in table


def test_failures(trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that diverges stays blank and is not begun again; one that cannot start ends the sweep."""
    trainer.code = 1
    assert sweep.main(["--data", "photos", "--out", str(tmp_path)]) == 0
    assert len(trainer.seen) == 9
    assert "train.py: the loss is not finite" in (tmp_path / "table.md").read_text()
    trainer.seen.clear()
    trainer.code = 2
    assert sweep.main(["--data", "photos", "--out", str(tmp_path)]) == 2
    assert len(trainer.seen) == 1
    assert "not finite" in capsys.readouterr().err


def test_options_behind_the_border(trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands behind -- goes to train.py as it is."""
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> tuple[int, str]:
        commands.append(command)
        return trainer(command)

    monkeypatch.setattr(sweep, "_run", run)
    sweep.main(["--data", "photos", "--out", str(tmp_path), "--steps", "10", "--", "--precision", "bf16"])
    assert list(commands[0][-2:]) == ["--precision", "bf16"]


def test_plot(tmp_path: Path) -> None:
    """Curves are drawn of what there is."""
    trainer = Trainer()
    trainer(
        ["--limit", "10", "--batch", "10", "--epochs", "10", "--out", str(tmp_path / "10-photos-batch-10")]
    )
    sweep.plot(tmp_path, ("loss", "val_loss"), "loss", "log")
    assert (tmp_path / "loss.png").stat().st_size > 10_000
