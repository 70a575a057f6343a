"""Strength, vividness and warmth: their bounds, their formulas, and what they leave alone."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tintype.adjustments import WARMEST, Adjustments
from tintype.errors import UsageError

BOUNDS = {"strength": (0, 2), "vividness": (0, 1.5), "warmth": (-1, 1)}
GENERATOR = np.random.default_rng(0)
LIGHTNESS = GENERATOR.uniform(0, 100, (6, 5)).astype(np.float32)
AB = GENERATOR.normal(0, 30, (2, 6, 5)).astype(np.float32)
MEAN = (AB / 2 + 1).astype(np.float32)


def test_defaults() -> None:
    """Left alone, all change nothing, and cost nothing: the very same array comes back."""
    assert Adjustments().apply(LIGHTNESS, AB, MEAN) is AB


def test_fields() -> None:
    """Each carries its bounds and a sentence, of which options and sliders are made."""
    found = {item.name: (item.metadata["low"], item.metadata["high"]) for item in fields(Adjustments)}
    assert found == BOUNDS
    assert all(item.metadata["help"] for item in fields(Adjustments))


def test_frozen() -> None:
    """They cannot be changed behind the back of whoever holds them."""
    with pytest.raises(FrozenInstanceError):
        Adjustments().strength = 2.0  # type: ignore[misc]


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("beyond", ["below", "above", "nan", "inf"])
def test_bounds(name: str, beyond: str) -> None:
    """The bounds themselves are allowed; what lies beyond is refused with both of them."""
    low, high = BOUNDS[name]
    assert {Adjustments(**{name: low}), Adjustments(**{name: high})}
    value = {"below": low - 0.01, "above": high + 0.01, "nan": float("nan"), "inf": float("inf")}[beyond]
    with pytest.raises(UsageError, match=f"{name} .* is not between {low:g} and {high:g}"):
        Adjustments(**{name: value})


@given(st.floats(0, 2))
def test_strength(strength: float) -> None:
    """Strength multiplies ab: 0 is grey."""
    found = Adjustments(strength=strength).apply(LIGHTNESS, AB, MEAN)
    np.testing.assert_allclose(found, strength * AB, rtol=1e-5, atol=1e-5)


@given(st.floats(0, 1.5))
def test_vividness(vividness: float) -> None:
    """Vividness goes from the mean at 0 to the answer at 1 and on."""
    found = Adjustments(vividness=vividness).apply(LIGHTNESS, AB, MEAN)
    np.testing.assert_allclose(found, MEAN + vividness * (AB - MEAN), rtol=1e-4, atol=1e-4)


def test_vividness_without_mean() -> None:
    """Of a model with one output, vividness changes nothing."""
    assert Adjustments(vividness=0.5).apply(LIGHTNESS, AB, None) is AB


@given(st.floats(-1, 1).filter(bool))
def test_warmth(warmth: float) -> None:
    """Warmth adds its tint, all of it at middle lightness, none to black and white."""
    lightness = np.array([[0, 50, 100]], np.float32)
    nothing = np.zeros((2, 1, 3), np.float32)
    found = Adjustments(warmth=warmth).apply(lightness, nothing, None)
    np.testing.assert_allclose(found[:, 0, 1], warmth * np.array(WARMEST), rtol=1e-5, atol=1e-30)
    np.testing.assert_array_equal(found[:, 0, ::2], 0)


@given(st.floats(0, 2), st.floats(0, 1.5), st.floats(-1, 1))
def test_type_and_input(strength: float, vividness: float, warmth: float) -> None:
    """The result is float32 of the same shape, and what was predicted stays as it was."""
    ab, mean = AB.copy(), MEAN.copy()
    found = Adjustments(strength, vividness, warmth).apply(LIGHTNESS, ab, mean)
    assert found.dtype == np.float32
    assert found.shape == AB.shape
    np.testing.assert_array_equal(ab, AB)
    np.testing.assert_array_equal(mean, MEAN)
