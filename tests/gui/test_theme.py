"""Light and dark, at any scale: legible, complete, switched at any time."""

from __future__ import annotations

import io
from dataclasses import asdict
from tkinter import ttk
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from tintype.gui import icons, shapes, theme
from tintype.gui.theme import DARK, LIGHT

if TYPE_CHECKING:
    import tkinter as tk

    from tintype.gui.theme import Theme

STYLES = [
    *("TButton", "Accent.TButton", "Tool.TButton", "Card.TButton", "Card.Tool.TButton", "Canvas.TButton"),
    *("TMenubutton", "TCheckbutton", "TRadiobutton", "Segment.TRadiobutton", "TEntry", "TCombobox"),
    "Horizontal.TScale",
]
colors = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def luminance(color: str) -> float:
    """Return the relative luminance of WCAG."""
    parts = (part / 255 for part in shapes.rgb(color))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, 1..21, as WCAG has it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=lambda each: each.name)
def test_contrast(colors: Theme) -> None:
    """Text is legible on all that it stands on, and the focus ring is seen."""
    for ground in (colors.background, colors.surface, colors.raised, colors.hover):
        assert contrast(colors.text, ground) >= 7
        assert contrast(colors.focus, ground) >= 3
    for ground in (colors.background, colors.surface):
        assert contrast(colors.muted, ground) >= 4.5
        assert contrast(colors.danger, ground) >= 4.5
    assert contrast(colors.muted, colors.trough) >= 4.5
    for accent in (colors.accent, colors.accent_pressed):
        assert contrast(colors.accent_text, accent) >= 4.5
    assert contrast(colors.canvas_muted, colors.canvas) >= 4.5


def named(layout: Any) -> list[str]:
    """Return the names of all elements of a layout."""
    inner = (part for _name, options in layout for part in named(options.get("children", [])))
    return [name for name, _options in layout] + list(inner)


@given(colors, colors)
def test_mix(one: str, other: str) -> None:
    """Nothing of the other color leaves the one, all of it gives the other."""
    assert shapes.mix(one, other, 0) == one
    assert shapes.mix(one, other, 1) == other


@given(st.integers(4, 40), st.integers(4, 40), st.floats(0, 20), colors, colors)
def test_boxes(width: int, height: int, radius: float, ground: str, ink: str) -> None:
    """A box with round corners is full in its middle and, like a circle, the same from all sides."""
    radius = min(radius, width / 2, height / 2)
    data = shapes.picture(width, height, ground, [shapes.Box(0, 0, width, height, radius, ink)])
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    assert pixels.shape == (height, width, 3)
    np.testing.assert_array_equal(pixels, pixels[::-1])
    np.testing.assert_array_equal(pixels, pixels[:, ::-1])
    if radius < min(width, height) / 2 - 2:
        assert tuple(pixels[height // 2, width // 2]) == shapes.rgb(ink)
    covered = (pixels != shapes.rgb(ground)).any(axis=2).sum()
    assert covered <= width * height - int(0.2 * radius**2) + 8


def test_circle_has_its_area() -> None:
    """A circle of strokes covers what a circle covers, within a percent."""
    area = np.sum(shapes.coverage(40, 40, (((20, 20), (20.0, 20.0)),), 30))
    assert area == pytest.approx(np.pi * 15**2, rel=0.01)


@pytest.mark.parametrize("name", icons.PATHS)
def test_icons_lie_in_their_grid(name: str) -> None:
    """No icon is cut off by its edge."""
    for path in icons.PATHS[name]:
        assert all(0.7 <= value <= icons.GRID - 0.7 for point in path for value in point)


@pytest.mark.gui
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_controls_are_equally_high(root: tk.Tk, scale: float) -> None:
    """Buttons, fields and choices in a row have one height, on the grid of 4."""
    look = theme.apply(root, LIGHT, scale)
    made = (ttk.Button(root, text="Ag"), ttk.Entry(root), ttk.Combobox(root), ttk.Menubutton(root, text="Ag"))
    flat = ttk.Button(root, text="Ag", style="Tool.TButton")
    root.update()
    assert {each.winfo_reqheight() for each in (*made, flat)} == {look.px(32)}


@pytest.mark.gui
def test_switching(root: tk.Tk) -> None:
    """A theme is switched at any time, back as well: styles, plain widgets and those that ask follow."""
    import tkinter as tk

    text = tk.Text(root, width=8, height=2)
    text.pack()
    heard: list[object] = []
    text.bind("<<ThemeChanged>>", heard.append)
    root.update()
    for colors in (LIGHT, DARK, LIGHT):
        look = theme.apply(root, colors, 1.5)
        root.update()
        assert theme.current(text) == look
        assert ttk.Style(root).lookup("TLabel", "background") == colors.background
        assert str(text.cget("background")) == colors.surface
        assert str(root.cget("background")) == colors.background
    assert len(heard) >= 3


@pytest.mark.gui
def test_before_it_is_applied(root: tk.Tk) -> None:
    """Who asks for the look before there is one gets light at scale 1."""
    assert theme.current(root) == theme.Look(LIGHT, 1.0)


@pytest.mark.gui
@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=lambda each: each.name)
def test_focus_and_disabled_are_seen(root: tk.Tk, colors: Theme) -> None:
    """What has the keyboard, and what cannot be used, is drawn with other pictures than usual."""
    theme.apply(root, colors, 1)
    root.update()
    call = root.tk.call
    made = [str(name) for name in root.tk.splitlist(call("image", "names"))]
    for style in STYLES:
        elements = named(ttk.Style(root).layout(style))
        (ours,) = (
            name for name in elements if name.split(".")[-1] in {"box", "indicator", "field", "slider"}
        )
        pictures = {str(call(name, "data", "-format", "ppm")) for name in made if f".{ours}." in name}
        assert len(pictures) >= 3, style


def test_colors_are_colors() -> None:
    """Every field of both themes but the name is #rrggbb."""
    for colors in (LIGHT, DARK):
        values: dict[str, Any] = asdict(colors)
        del values["name"]
        assert all(len(value) == 7 and int(value[1:], 16) >= 0 for value in values.values())
