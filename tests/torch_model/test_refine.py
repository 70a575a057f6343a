"""A refinement learns from true colors to bring coarse ones onto edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from torch_model import refine, weights
from torch_model.model import UNET_GRID, NetworkConfig, UNet, Variant, build, initialize

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ["--size", "32", "--channels", "4", "--batch", "4", "--threads", "1", "--device", "cpu"]


def source(path: Path, variant: Variant = "unet", refinement: int = 0) -> Path:
    """Write weights of a network, by a seed; return the file."""
    network = build(NetworkConfig(variant, classifier="efficientnet_lite0", gain=1.2, refinement=refinement))
    initialize(network, "he", 3)
    weights.save(network, path, {"steps": 7})
    return path


def places(folder: Path, tmp_path: Path) -> list[str]:
    """Return options that name photographs and a cache."""
    return ["--data", str(folder), "--val", str(folder), "--cache", str(tmp_path / "cache")]


def edges(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return l and ab of photographs of two halves each, a light one and a dark one of other colors."""
    generator = torch.Generator().manual_seed(0)
    place = 4 + torch.randint(0, 24, (count, 1, 1, 1), generator=generator)
    light = (torch.arange(32) < place).float().expand(count, 1, 32, 32)
    color = 60 * torch.rand((count, 2, 1, 1), generator=generator) - 30
    return 20 + 60 * light, color * light


def test_coarse_is_what_a_head_gives() -> None:
    """Means over the grid of the head, enlarged as the network enlarges: what is smooth stays."""
    _, ab = edges(2)
    made = refine.coarse(ab, ab[:, :1])
    pooled = functional.avg_pool2d(ab, UNET_GRID)
    assert torch.equal(made, UNet.spread(pooled, ab[:, :1]))
    even = torch.full((1, 2, 32, 32), 7.0)
    torch.testing.assert_close(refine.coarse(even, even[:, :1]), even)
    assert (made - ab).square().mean() > 1


def test_teaches(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what it brings, and leaves the same network with a refinement; a seed gives the same one."""
    given, out = source(tmp_path / "in.safetensors"), tmp_path / "out.safetensors"
    line = [str(given), str(out), *places(folder, tmp_path), *QUICK, "--steps", "150", "--lr", "0.01"]
    assert refine.main(line) == 0
    said = capsys.readouterr().out
    assert "true colors of 24 photographs, averaged over 4 px, enlarged to 32 and merged: ab RMSE" in said
    made, before = weights.load(out), weights.load(given)
    assert isinstance(made, UNet)
    assert made.config.refinement == 4
    assert made.config.gain == 1.2
    for name, value in before.state_dict().items():
        assert torch.equal(made.state_dict()[name], value), name
    told = weights.training(out)
    assert told["steps"] == 7
    assert told["refinement"]["ab_rmse"]["after"] < told["refinement"]["ab_rmse"]["before"]
    lightness, ab = edges(8)
    again = refine.main([*line[:1], str(tmp_path / "again.safetensors"), *line[2:]])
    assert again == 0
    twice = weights.load(tmp_path / "again.safetensors")
    assert isinstance(twice, UNet)
    with torch.no_grad():
        one, other = (each.enlarge(functional.avg_pool2d(ab, 4), lightness) for each in (made, twice))
    torch.testing.assert_close(one, other)


def test_refined_again(folder: Path, tmp_path: Path) -> None:
    """A refinement that a network already has is replaced, whatever its channels."""
    given, out = source(tmp_path / "in.safetensors", refinement=6), tmp_path / "out.safetensors"
    assert refine.main([str(given), str(out), *places(folder, tmp_path), *QUICK, "--steps", "1"]) == 0
    assert weights.load(out).config.refinement == 4


def test_strength(folder: Path, tmp_path: Path) -> None:
    """Of what it learned to add the share asked for is kept."""
    given, lightness, coarse = source(tmp_path / "in.safetensors"), *edges(2)
    added = []
    for strength in ("1", "0.5"):
        out = tmp_path / f"{strength}.safetensors"
        line = [str(given), str(out), *places(folder, tmp_path), *QUICK, "--steps", "20", "--lr", "0.01"]
        assert refine.main([*line, "--strength", strength]) == 0
        network = weights.load(out)
        assert isinstance(network, UNet)
        assert network.refinement is not None
        with torch.no_grad():
            added.append(network.refinement(lightness, coarse) - coarse)
        assert weights.training(out)["refinement"]["strength"] == float(strength)
    assert added[0].abs().max() > 0.01
    torch.testing.assert_close(added[1], added[0] / 2, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["out.pt"], "does not end in .safetensors"),
        (["out.safetensors", "--size", "48"], "--size 48 is not a multiple of 32"),
        (["out.safetensors", "--resized-crop", "0"], "--resized-crop 0.0: wanted is from 0.1 to 1"),
        (["out.safetensors", "--channels", "0"], "--channels 0: wanted is at least 1"),
        (["out.safetensors", "--strength", "-1"], "--strength -1.0: wanted is from 0 to 2"),
        (["out.safetensors", "--steps", "0"], "--steps 0: wanted is at least 1"),
    ],
)
def test_refused(
    folder: Path, tmp_path: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot work is refused in one line with exit code 2."""
    given = source(tmp_path / "in.safetensors")
    assert refine.main([str(given), *options, *places(folder, tmp_path)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_other_networks_are_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only unet has a grid so coarse that it is refined."""
    given = source(tmp_path / "in.safetensors", "vivid")
    assert refine.main([str(given), str(tmp_path / "out.safetensors"), *places(folder, tmp_path)]) == 2
    assert "is vivid: only unet is refined" in capsys.readouterr().err
