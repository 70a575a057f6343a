"""What a run writes down as it goes: a table, TensorBoard, a plot, sheets of pictures."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tintype.lab import lightness_ab_to_rgb, lightness_to_rgb, rgb_to_lightness
from torch_model import disk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Row:
    """One line of log.csv; what was not measured at that step is None."""

    step: int
    epoch: float
    seconds: float
    """Spent in training so far, over all resumptions."""
    lr: float
    loss: float
    images_per_second: float
    val_loss: float | None = None
    val_psnr: float | None = None
    """Mean over photographs, dB, sRGB."""
    val_ab_rmse: float | None = None
    val_colorfulness: float | None = None
    """Ratio of means, predicted to true."""
    val_accuracy: float | None = None
    """Share of pixels whose larger one of a and b is the true one's: Keras's accuracy of two channels."""


class Journal:
    """Rows go to log.csv and, where tensorboard is installed, to tb/; loss.png shows them."""

    def __init__(self, folder: Path, step: int, *, tensorboard: bool) -> None:
        """Open a run's journal at a step: rows behind it, of a run that was cut off, are dropped."""
        self.path = folder / "log.csv"
        kept = [row for row in read(self.path) if int(row["step"]) <= step]
        _write(self.path, kept)
        self._board = _board(folder / "tb", step) if tensorboard else None

    def add(self, row: Row) -> None:
        """Append a row; one with a validation is shown at once."""
        with disk.naming(self.path), self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(_cell(value) for value in asdict(row).values())
        if self._board is not None:
            for name, value in asdict(row).items():
                if name != "step" and value is not None:
                    self._board.add_scalar(name, value, row.step)
        if row.val_loss is not None:
            self._draw()

    def close(self) -> None:
        """Show all rows, and flush what TensorBoard buffers."""
        self._draw()
        if self._board is not None:
            self._board.close()

    def _draw(self) -> None:
        plot(self.path, self.path.with_name("loss.png"))


def read(path: Path) -> list[dict[str, str]]:
    """Read the rows of a log.csv, all values as text; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plot(log: Path, picture: Path) -> None:
    """Draw training and validation loss over steps from a log.csv."""
    from matplotlib.figure import Figure

    rows = read(log)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss", yscale="log")
    for name, label in (("loss", "training"), ("val_loss", "validation")):
        points = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, marker="." if len(points) < 50 else "")
    if axes.lines:
        axes.legend()
    with disk.writing(picture) as file:
        figure.savefig(file, dpi=100, format="png")


def sheet(photos: NDArray[np.uint8], predictions: Sequence[NDArray[np.float32]]) -> Image.Image:
    """Lay out grey, colorized (a column for each prediction) and original, a row a photograph.

    photos (N, S, S, 3) uint8; each prediction ab (N, S, S, 2) float32.
    """
    lightness = rgb_to_lightness(photos)
    grey = lightness_to_rgb(lightness, np.uint8)
    columns = [lightness_ab_to_rgb(lightness, ab[..., 0], ab[..., 1], np.uint8) for ab in predictions]
    rows = np.concatenate([grey, *columns, photos], axis=2)  # (N, S, columns * S, 3)
    return Image.fromarray(np.concatenate(list(rows), axis=0))


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.7g}"


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [item.name for item in fields(Row)], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    disk.write(path, text.getvalue().encode())


def _board(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
