"""Order and augmentation are functions of seed, epoch and index alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tintype.lab import rgb_to_lightness
from torch_model.batches import (
    NUMBERS,
    TURNS,
    Augmentation,
    Batches,
    Chosen,
    augment,
    draw,
    present,
)
from torch_model.color import rgb_to_lab

CPU = torch.device("cpu")
NONE = Augmentation(rotation=0, zoom=0, flip=False)


def noise(count: int = 10, side: int = 16) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return seeded noise as photographs."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def photos() -> Chosen:
    """Return ten photographs of noise."""
    return Chosen.every(noise())


def test_epoch_takes_every_photograph_once() -> None:
    """An epoch takes each photograph exactly once, and keeps its short last batch."""
    batches = Batches(photos(), 4, NONE, 0, CPU)
    assert batches.per_epoch == 3
    taken = [batches.indices(step) for step in range(3)]
    assert [len(t) for t in taken] == [4, 4, 2]
    assert sorted(torch.cat(taken).tolist()) == list(range(10))


def test_steps_do_not_depend_on_history() -> None:
    """A step gives the same batch whether others came before it or not."""
    first, second = (Batches(photos(), 4, Augmentation(), 7, CPU) for _ in range(2))
    for step in range(8):
        first(step)
    one, other = first(4), second(4)
    assert torch.equal(one.ab, other.ab)
    assert torch.equal(*one.inputs, *other.inputs)


def test_augmentation_does_not_depend_on_the_batch() -> None:
    """A photograph is augmented alike in batches of any size."""
    draws = draw(3, 5, 10, CPU)
    whole = augment(torch.from_numpy(noise()).permute(0, 3, 1, 2), draws.uniforms, Augmentation())
    alone = augment(torch.from_numpy(noise()[4:5]).permute(0, 3, 1, 2), draws.uniforms[4:5], Augmentation())
    torch.testing.assert_close(whole[4:5], alone)


def test_draws_differ_between_epochs_and_seeds() -> None:
    """Another epoch or another seed draws another order."""
    orders = [tuple(draw(seed, epoch, 50, CPU).order.tolist()) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(orders)) == 4


def test_flip_mirrors_about_half() -> None:
    """With mirroring alone, photographs stay uint8 and are either as they were or mirrored."""
    pixels = torch.from_numpy(noise(200, 4)).permute(0, 3, 1, 2)
    flipped = augment(pixels, draw(0, 0, 200, CPU).uniforms, Augmentation(rotation=0, zoom=0, flip=True))
    assert flipped.dtype == torch.uint8
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(flipped, pixels, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(flipped, pixels, strict=True)]
    assert all(m or k for m, k in zip(mirrored, kept, strict=True))
    assert 60 < sum(mirrored) < 140


@pytest.mark.parametrize("augmentation", [Augmentation(20, 0.2, flip=True), Augmentation(0, 0.2, flip=False)])
def test_warp_stays_in_range_without_borders(augmentation: Augmentation) -> None:
    """Rotation and zoom fill borders by reflection: a white photograph stays white everywhere."""
    white = torch.full((5, 3, 32, 32), 255, dtype=torch.uint8)
    warped = augment(white, draw(0, 0, 5, CPU).uniforms, augmentation)
    torch.testing.assert_close(warped, torch.ones_like(warped))


def test_rotation_turns_as_drawn() -> None:
    """A draw of one half neither turns nor zooms: the photograph comes back."""
    pixels = torch.from_numpy(noise(2, 16)).permute(0, 3, 1, 2)
    still = augment(pixels, torch.full((2, sum(NUMBERS)), 0.5), Augmentation(20, 0.2, flip=True))
    torch.testing.assert_close(still, pixels.float() / 255, atol=1e-4, rtol=0)


def test_resized_crop_cuts_as_drawn() -> None:
    """A crop is the drawn share of a photograph, at the drawn place, mirrored or not: a ramp tells which."""
    ramp = torch.arange(64).expand(2, 3, 64, 64).to(torch.uint8)  # from left to right
    drawn = torch.full((2, sum(NUMBERS)), 0.5)
    _, _, crops, *_ = drawn.split_with_sizes(NUMBERS, dim=1)
    crops[:] = torch.tensor([[1.0, 0.0, 0.5], [1.0, 1.0, 0.5]])  # smallest, leftmost, rightmost
    cut = augment(ramp, drawn, Augmentation(0, 0, flip=False, resized_crop=0.5, side=32)) * 255
    assert cut.shape == (2, 3, 32, 32)
    torch.testing.assert_close(cut[0], ramp[0, :, :32, :32].float(), atol=1e-3, rtol=0)
    torch.testing.assert_close(cut[1], ramp[1, :, :32, 32:].float(), atol=1e-3, rtol=0)
    drawn[:, TURNS - 1] = 0.1
    mirrored = augment(ramp, drawn, Augmentation(0, 0, flip=True, resized_crop=0.5, side=32)) * 255
    torch.testing.assert_close(mirrored, cut.flip(3), atol=1e-3, rtol=0)


def test_resized_crop_shows_nothing_beyond_a_photograph() -> None:
    """Crops alone lie inside a photograph and are of every size from the smallest share to the whole."""
    ramp = torch.arange(64).expand(200, 3, 64, 64).to(torch.uint8)
    drawn = draw(0, 0, 200, CPU).uniforms
    cut = augment(ramp, drawn, Augmentation(0, 0, flip=False, resized_crop=0.5, side=32)) * 255
    widths = (cut[:, 0, 0, -1] - cut[:, 0, 0, 0]) / 63
    steps = (cut[:, 0, 0, 1:] - cut[:, 0, 0, :-1]).amin(dim=1)
    assert 0.48 < widths.min() < 0.52
    assert 0.93 < widths.max() < 1
    assert (steps > 0.9).all()  # no reflection


def test_textures_leave_the_others_as_they_were() -> None:
    """A share of the photographs becomes surfaces of paler color; the others are what they are without."""
    pixels = torch.from_numpy(noise(200, 16)).permute(0, 3, 1, 2)
    drawn = draw(0, 0, 200, CPU).uniforms
    paler = Augmentation(textures=0.3, texture_chroma=0.4)
    before, after = (present(pixels, drawn, each) for each in (Augmentation(), paler))
    same = (before.ab == after.ab).flatten(1).all(dim=1)
    assert torch.equal(after.whole, same)
    assert before.whole.all()
    assert 0.6 < same.float().mean() < 0.8
    assert 0 <= after.inputs[0].min() <= after.inputs[0].max() <= 100
    _, as_shown = rgb_to_lab(augment(pixels, drawn, paler))
    torch.testing.assert_close(after.ab[~same], 0.4 * as_shown[~same])


def test_what_a_seed_drew_before_stays() -> None:
    """Order, turns, years and crops of a seed are those of runs that were recorded before there was more."""
    drawn = draw(1, 2, 5, CPU)
    before = np.random.Generator(np.random.Philox(key=[1, 2]))
    assert drawn.order.tolist() == before.permutation(5).tolist()
    turns, years, crops, *_ = drawn.uniforms.split_with_sizes(NUMBERS, dim=1)
    assert np.array_equal(turns.numpy(), before.random((5, TURNS), np.float32))
    assert np.array_equal(years.numpy(), before.random(years.shape, np.float32))
    assert np.array_equal(crops.numpy(), before.random(crops.shape, np.float32))


def test_aged_share() -> None:
    """Of a share of the photographs L* is aged, alike in batches of any size; colors stay as they were."""
    plain, half = (
        Batches(photos(), 10, Augmentation(0, 0, flip=False, aged=share), 0, CPU)(0) for share in (0, 0.5)
    )
    assert torch.equal(plain.ab, half.ab)
    changed = (plain.inputs[0] != half.inputs[0]).flatten(1).any(dim=1)
    assert 1 <= changed.sum() <= 9
    few = Batches(photos(), 3, Augmentation(0, 0, flip=False, aged=0.5), 0, CPU)
    torch.testing.assert_close(torch.cat([few(step).inputs[0] for step in range(4)]), half.inputs[0])


def test_chosen_photographs() -> None:
    """Of an array only the chosen rows are taken, and a trial takes the first of those."""
    pixels = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    batches = Batches(Chosen(pixels, np.array([7, 2, 5])), 2, NONE, 0, CPU)
    lightness = torch.cat([batches(step).inputs[0] for step in range(2)])
    whole = Batches(Chosen.every(pixels[[2, 5, 7]]), 3, NONE, 0, CPU)
    torch.testing.assert_close(lightness.flatten().sort().values, whole(0).inputs[0].flatten().sort().values)
    assert batches.few(2).count == 2


def test_embeddings_follow_their_photographs() -> None:
    """What is known of a photograph comes with it, whatever the order, and stays with it in a trial."""
    pixels = np.arange(0, 200, 20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    known = np.arange(10, dtype=np.float16)[:, None] * np.ones((1, 3), np.float16)
    batches = Batches(Chosen(pixels, np.array([7, 2, 5, 9]), known), 3, NONE, 1, CPU)
    for step in range(4):
        (lightness, embedding), *_ = batches(step)
        shown = rgb_to_lightness(pixels[:, 0, 0])[embedding[:, 0].long().numpy()]
        np.testing.assert_allclose(lightness[:, 0, 0, 0].numpy(), shown, atol=1e-3)
        assert embedding.dtype == torch.float32
    (_, few), *_ = batches.few(2)(0)
    assert sorted(few[:, 0].tolist()) == [2, 7]
