"""Metrics of single photographs, against references and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tintype.lab import rgb_to_lab
from torch_model import metrics
from torch_model.rarity import Rarity

FIRST, SECOND = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3), np.uint8)


def test_psnr_equals_scikit_image() -> None:
    """PSNR is scikit-image's, and infinite for equal photographs."""
    reference = pytest.importorskip("skimage.metrics")
    assert metrics.psnr(FIRST, SECOND) == pytest.approx(
        reference.peak_signal_noise_ratio(FIRST, SECOND), 1e-5
    )
    assert metrics.psnr(FIRST, FIRST) == float("inf")


def test_ssim() -> None:
    """Structure of equal photographs is equal; noise has none in common."""
    assert metrics.ssim(FIRST, FIRST) == pytest.approx(1)
    assert abs(metrics.ssim(FIRST, SECOND)) < 0.1


def test_ciede2000() -> None:
    """The published pairs of the formula's test data give the published differences."""
    first = np.array([[50.0, 2.6772, -79.7751], [50.0, -1.0, 2.0], [2.0776, 0.0795, -1.1350]])
    second = np.array([[50.0, 0.0, -82.7485], [50.0, 0.0, 0.0], [0.9033, -0.0636, -0.5514]])
    for one, other, expected in zip(first, second, (2.0425, 2.3669, 0.9082), strict=True):
        assert metrics.ciede2000(one[None], other[None]) == pytest.approx(expected, abs=1e-4)


def test_colorfulness() -> None:
    """Grey has no colorfulness; a plain red has 0.3 of its distance from grey, by the formula."""
    assert metrics.colorfulness(np.full((4, 4, 3), 90, np.uint8)) == 0
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    assert metrics.colorfulness(red) == pytest.approx(0.3 * np.hypot(200, 100))


def test_colorfulness_of_magnitudes() -> None:
    """Red beside green is as colorful as red alone where signs are dropped, and more where they count."""
    both = np.zeros((4, 4, 3), np.uint8)
    both[:2, :, 0], both[2:, :, 1] = 200, 200
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    assert metrics.colorfulness(both, magnitudes=True) == metrics.colorfulness(red, magnitudes=True)
    assert metrics.colorfulness(both) > 2 * metrics.colorfulness(red)


def test_ab_rmse() -> None:
    """The error counts a and b alike."""
    assert metrics.ab_rmse(np.zeros((2, 2, 2)), np.full((2, 2, 2), 3.0)) == pytest.approx(3)


def test_accuracy_is_the_area() -> None:
    """The mean of pixels is the area under the share of pixels within each distance up to 150."""
    first, second = np.random.default_rng(1).uniform(-100, 100, (2, 40, 2))
    distances = np.hypot(*(first - second).T)
    thresholds = np.linspace(0, 150, 15001)
    shares = (distances <= thresholds[:, None]).mean(axis=1)
    assert metrics.accuracy(first, second).mean() == pytest.approx(shares.mean(), abs=1e-3)
    assert metrics.accuracy(first, first).min() == 1


def test_rare_colors_weigh_more() -> None:
    """The color of one pixel in a hundred weighs more than the grey of all others; the mean weight is 1."""
    photo = np.full((10, 10, 3), 120, np.uint8)
    photo[0, 0] = (200, 30, 40)
    rarity = Rarity.of([photo])
    weights = rarity(rgb_to_lab(photo)[..., 1:])
    assert weights.mean() == pytest.approx(1)
    assert weights[0, 0] > 10 * weights[1, 1]
    assert np.ptp(weights.ravel()[1:]) == 0
