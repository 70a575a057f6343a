"""Photographs made old: the same numbers give the same photograph, and none gives it as it was."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pictures import picture
from torch_model import aging, jpeg
from torch_model.color import rgb_to_lab

COLUMNS = {
    "gamma": aging._GAMMA,
    "contrast": aging._CONTRAST,
    "black": aging._BLACK,
    "white": aging._WHITE,
    "grain": aging._GRAIN,
    "vignette": aging._VIGNETTE,
    "jpeg": aging._JPEG,
}


@pytest.fixture(scope="module")
def photos() -> torch.Tensor:
    """Return six photographs (6, 3, 40, 64) uint8."""
    pixels = [np.asarray(picture(seed).convert("RGB").resize((64, 40))) for seed in range(6)]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)


def calm(count: int) -> torch.Tensor:
    """Return random numbers at which nothing happens."""
    random = torch.full((count, aging.DRAWS), 0.25)
    random[:, [aging._GAMMA, aging._CONTRAST, aging._CENTER_X, aging._CENTER_Y]] = 0.5
    random[:, aging._RESPONSE] = 0
    return random


def test_no_strength_changes_nothing(photos: torch.Tensor) -> None:
    """At strength 0 the lightness is the photograph's own, whatever was drawn; also of float photographs."""
    random = aging.draw(3, len(photos))
    lightness = rgb_to_lab(photos)[0]
    torch.testing.assert_close(aging.age(photos, random, 0.0), lightness, atol=2e-3, rtol=0)
    torch.testing.assert_close(aging.age(photos / 255, random, 0.0), lightness, atol=2e-3, rtol=0)
    torch.testing.assert_close(aging.age(photos, calm(len(photos))), lightness, atol=2e-3, rtol=0)


def test_each_photograph_by_its_numbers(photos: torch.Tensor) -> None:
    """A photograph ages alike in any batch, the same seed draws the same numbers, another seed others."""
    random = aging.draw(3, len(photos))
    together = aging.age(photos, random)
    alone = torch.cat([aging.age(photos[i : i + 1], random[i : i + 1]) for i in range(len(photos))])
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=0)
    assert torch.equal(random, aging.draw(3, len(photos)))
    assert not torch.equal(random, aging.draw(4, len(photos)))
    assert torch.equal(random[:4], aging.draw(3, 4))


def test_photographs_by_what_they_are() -> None:
    """A photograph's random numbers are its own, whichever others it is among; another seed gives others."""
    digests = [f"{number:064x}" for number in (2**255, 7 << 200, 2**250)]
    every = aging.draw_for(1, digests)
    assert torch.equal(aging.draw_for(1, digests[1:]), every[1:])
    assert len(torch.unique(every[:, 0])) == 3
    assert not torch.equal(aging.draw_for(2, digests), every)


def test_strength_of_each(photos: torch.Tensor) -> None:
    """Strength may differ between photographs of a batch."""
    strength = torch.tensor([0.0, 1.0, 0.5, 0.0, 1.0, 0.5])
    aged = aging.age(photos, aging.draw(5, len(photos)), strength)
    changed = (aged - rgb_to_lab(photos)[0]).abs().mean(dim=(1, 2, 3)) > 0.01
    assert changed.tolist() == (strength > 0).tolist()


@pytest.mark.parametrize("name", COLUMNS)
def test_each_change_does_something(name: str, photos: torch.Tensor) -> None:
    """Every change of tones is seen, stays in range, and is finite (blur: see below)."""
    random = calm(len(photos))
    random[:, COLUMNS[name]] = 0.97
    aged = aging.age(photos, random)
    assert aged.isfinite().all()
    assert aged.min() >= 0
    assert aged.max() <= 100
    assert (aged - aging.age(photos, calm(len(photos)))).abs().mean() > 0.1


def test_film_sees_other_tones() -> None:
    """A film that is blind to red shows red as black, and blue lighter than luminance has it."""
    red_blue = torch.zeros((1, 3, 8, 16), dtype=torch.uint8)
    red_blue[:, 0, :, :8], red_blue[:, 2, :, 8:] = 255, 255
    random = calm(1)
    random[:, aging._FILM] = torch.tensor([0.0, 0.3, 0.999])
    random[:, aging._RESPONSE] = 1
    aged, plain = aging.age(red_blue, random), rgb_to_lab(red_blue)[0]
    assert aged[..., :8].max() < 1 < plain[..., :8].min()
    assert aged[..., 8:].min() > plain[..., 8:].max() + 20


def test_fading_narrows_blur_softens() -> None:
    """Fading lifts black and lowers white; blur keeps the mean and takes the detail."""
    board = (torch.arange(256)[:, None] + torch.arange(256)).remainder(2).mul(255)
    photos = board.expand(1, 3, 256, 256).to(torch.uint8)
    random = calm(1)
    random[:, [aging._BLACK, aging._WHITE]] = 1.0
    faded = aging.age(photos, random)
    assert faded.aminmax() == pytest.approx((30, 70), abs=0.1)
    random = calm(1)
    random[:, aging._BLUR] = 1.0
    soft = aging.age(photos, random)
    assert soft.mean() == pytest.approx(50, abs=1)
    assert soft[..., 8:-8, 8:-8].std() < 50 / 3


def test_noise() -> None:
    """Grain is of mean 0 and deviation 1, without a pattern from pixel to pixel or from seed to seed."""
    noise = aging._noise(torch.zeros(2, 1, 128, 128), torch.tensor([7, 8]))
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    for first, second in ((noise[..., 1:], noise[..., :-1]), (noise[..., 1:, :], noise[..., :-1, :]), noise):
        assert (first * second).mean().item() == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("quality", [20, 55, 90])
def test_jpeg_is_pillows(quality: int, photos: torch.Tensor) -> None:
    """Compression gives what Pillow's JPEG gives back, up to rounding; sides need not be multiples of 8."""
    grey = photos[:1, 1:2, :37, :61].contiguous()
    stream = io.BytesIO()
    Image.fromarray(grey[0, 0].numpy()).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as image:
        expected = np.asarray(image).astype(int)
    found = jpeg.degrade(grey.float(), torch.tensor([quality]))[0, 0].numpy()
    difference = np.abs(found - expected)
    assert np.abs(expected - grey[0, 0].numpy()).mean() > 2 * difference.mean()
    assert difference.mean() < 0.3
    assert np.percentile(difference, 99) <= 2
