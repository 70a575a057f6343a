"""Photographs of one set that are found in another, however they were cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from torch_model import duplicates

if TYPE_CHECKING:
    from pathlib import Path


def photograph(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Return a seeded picture with detail of every size."""
    generator = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(generator.integers(0, 256, (side, side, 3), np.uint8)).resize(
                size, Image.Resampling.BICUBIC
            ),
            np.float32,
        )
        for side in (4, 9, 20)
    ]
    return Image.fromarray(np.mean(layers, axis=0).astype(np.uint8))


def squares(*images: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return pictures, each stretched to a square, (N, 128, 128, 3)."""
    return np.stack([np.asarray(image.resize((128, 128))) for image in images])


def test_cut_mirrored_toned() -> None:
    """A square from the middle or the end of a photograph, mirrored or toned, is found; no other is."""
    whole = photograph(1)
    middle, end = whole.crop((20, 0, 140, 120)), whole.crop((40, 0, 160, 120))
    mirrored = whole.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    toned = whole.filter(ImageFilter.GaussianBlur(1)).point(lambda value: int(40 + 0.6 * value))
    first = squares(photograph(2), middle, photograph(3), end, mirrored, toned)
    found = duplicates.find(first, squares(photograph(4), whole))
    assert {(i, j) for i, j, _ in found} == {(1, 1), (3, 1), (4, 1), (5, 1)}
    values = [value for _, _, value in found]
    assert values == sorted(values, reverse=True)


def test_empty_pictures_are_like_nothing() -> None:
    """Two plain surfaces are not reported as each other."""
    plain = squares(Image.new("RGB", (64, 64), "navy"), Image.new("RGB", (64, 64), "navy"))
    assert duplicates.find(plain, plain) == []


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    """Return two folders that share one photograph of four."""
    for folder, seeds in (("train", (1, 2, 3)), ("test", (4, 2))):
        (tmp_path / folder).mkdir()
        for seed in seeds:
            photograph(seed).save(tmp_path / folder / f"{seed}.png")
    return tmp_path / "train", tmp_path / "test"


def test_command(sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says how many pairs and files are the same, draws them, and exits with 1."""
    options = ["--data", str(sets[0]), "--against", str(sets[1]), "--cache", str(tmp_path / "cache")]
    files = ["--json", str(tmp_path / "pairs.json"), "--sheet", str(tmp_path / "pairs.png")]
    assert duplicates.main([*options, *files]) == 1
    assert "1 pairs look alike" in (said := capsys.readouterr().out)
    assert "1 files are the same" in said
    (pair,) = json.loads((tmp_path / "pairs.json").read_text())
    assert (pair["name"], pair["against"]) == ("2.png", "2.png")
    with Image.open(tmp_path / "pairs.png") as drawn:
        assert drawn.height > 2 * duplicates.SIDE


def test_none(sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two sets without a common photograph exit with 0, a set that is not there with 2 and one line."""
    (sets[1] / "2.png").unlink()
    options = ["--data", str(sets[0]), "--cache", str(tmp_path / "cache")]
    assert duplicates.main([*options, "--against", str(sets[1])]) == 0
    assert capsys.readouterr().out.startswith("0 pairs")
    assert duplicates.main([*options, "--against", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
