"""Means over photographs, their intervals, and marks by rule."""

from __future__ import annotations

import numpy as np
import pytest

from torch_model import bands, intervals, table
from torch_model.scores import Measured, difference


def measured(count: int = 40) -> Measured:
    """Return scores that vary."""
    generator = np.random.default_rng(0)
    names = (
        "psnr grey_psnr ssim ciede2000 squared near rare_near rarity colorfulness colorfulness_original cf "
    )
    names += "cf_original"
    columns = {name: generator.uniform(10, 30, count) for name in names.split()}
    sets = {"frechet": 50.0, "frechet_excess": 9.0, "frechet_excess_spread": 0.3}
    sets |= {"kid": 0.02, "kid_spread": 0.001}
    return Measured("some", 64, None, "", columns, sets)


def test_intervals_cover() -> None:
    """Of many sets of normal numbers, the interval of the mean holds the truth in about 95 of 100."""
    generator = np.random.default_rng(0)
    shares = intervals.resamples(60)
    found = [intervals.interval(shares @ generator.normal(3, 1, 60)) for _ in range(400)]
    assert np.mean([low <= 3 <= high for low, high in found]) == pytest.approx(0.94, abs=0.03)


def test_intervals_are_seeded() -> None:
    """The same number of photographs is drawn in the same way, and every draw has as many."""
    shares = intervals.resamples(7)
    np.testing.assert_array_equal(shares, intervals.resamples(7))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)


def test_ratio_is_of_means() -> None:
    """Colorfulness is compared as a ratio of means over photographs, not as a mean of ratios."""
    one = measured()
    row = one.row(["x"] * 40)
    ours, theirs = one.columns["colorfulness"], one.columns["colorfulness_original"]
    assert row["ratio"] == pytest.approx(ours.mean() / theirs.mean())
    assert row["difference"] == pytest.approx(ours.mean() - theirs.mean())
    assert row["ratio"] != pytest.approx((ours / theirs).mean(), rel=1e-3)
    np.testing.assert_allclose(one.each()["ratio"], ours / theirs)


def test_gain_is_paired() -> None:
    """The gain over grey is known better than either PSNR, where both vary with the photograph."""
    one = measured()
    one.columns["psnr"] = one.columns["grey_psnr"] + 1
    row = one.row(["x"] * 40)
    low, high = row["intervals"]["gain"]
    assert low == pytest.approx(1, abs=1e-4)
    assert high == pytest.approx(1, abs=1e-4)
    assert np.ptp(row["intervals"]["psnr"]) > 1


def test_difference_is_paired() -> None:
    """Of the same photographs, a model that is always a little better is surely better; else not."""
    one, other = measured(), measured()
    one.columns["psnr"] = other.columns["psnr"] + 0.1
    found = difference(one, other)
    assert found["psnr"] == pytest.approx(0.1)
    assert found["intervals"]["psnr"] == pytest.approx((0.1, 0.1), abs=1e-4)
    assert found["intervals"]["ssim"] == (0, 0)
    said = table.against([found], "other")
    assert "| **+0.10** ±0.00 | " in said
    assert "| +0.000 ±0.000 | " in said


def test_tables() -> None:
    """Distances of sets say of how many photographs; categories go by size."""
    rows = [measured().row(["small"] * 10 + ["large"] * 30)]
    assert "Frechet distance (n = 40)" in table.overall(rows)
    assert "LPIPS" not in table.overall(rows)
    lines = table.by_category(rows).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["large", "small"]


def test_bands() -> None:
    """What is near is good, what is far, grey or garish is bad, and a dull original forgives."""
    cases = [  # error, ours, the original's
        (5.0, 38.0, 40.0, "good"),
        (11.0, 38.0, 40.0, "fair"),
        (5.0, 15.0, 40.0, "fair"),
        (15.0, 38.0, 40.0, "bad"),
        (5.0, 1.0, 40.0, "bad"),
        (5.0, 90.0, 40.0, "bad"),
        (5.0, 3.0, 8.0, "good"),
    ]
    error, ours, theirs = np.array([case[:3] for case in cases]).T
    each = {"ciede2000": error, "colorfulness": ours, "difference": ours - theirs}
    assert bands.bands(each).tolist() == [case[3] for case in cases]
