"""What every element of the ttk theme looks like, in every state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tintype.gui import shapes
from tintype.gui.maker import HEIGHT, MIDDLE, Maker, inside
from tintype.gui.shapes import Box, Mark

if TYPE_CHECKING:
    import tkinter as tk

    from tintype.gui.maker import States
    from tintype.gui.theme import Look, Theme

KNOB: Final = 18
TROUGH: Final = 4
_RADIUS, _PILL, _GROUP, _CARD = 6, 5, 7, 8


def make(root: tk.Misc, look: Look, prefix: str) -> None:
    """Make all elements in the ttk theme in use; their pictures are named with a prefix."""
    maker = Maker(root, look, prefix)
    for part in (_boxes, _canvas, _accent, _indicators, _arrows, _bars, _scrollbar, _rest):
        part(maker)


def _boxes(make: Maker) -> None:
    """Make what stands on the window, and the buttons of cards, which stand on a surface."""
    t = make.theme
    for prefix, ground in (("", t.background), ("card.", t.surface)):
        make.box(f"{prefix}plain.box", ground, _RADIUS, _plain(t, ground))
        make.box(f"{prefix}tool.box", ground, _RADIUS, _tool(t, ground))
    make.box("segment.box", t.trough, _PILL, _segment(t), HEIGHT - 4)
    make.box("group.box", t.background, _GROUP, (("", t.trough, t.trough, ""),))
    field = (
        ("disabled", t.background, t.trough, ""),
        ("focus", t.surface, t.border, t.focus),
        ("", t.surface, t.border, ""),
    )
    make.box("entry.field", t.background, _RADIUS, field)
    card = (("", t.surface, t.border if t.name == "light" else t.surface, ""),)
    make.box("card.box", t.background, _CARD, card)
    make.box("canvas.card.box", t.canvas, _CARD, (("", t.surface, t.surface, ""),))


def _plain(t: Theme, ground: str) -> States:
    return (
        ("disabled", ground, t.trough, ""),
        ("pressed", t.pressed, t.border, ""),
        ("focus", t.raised, t.border, t.focus),
        ("active", t.hover, t.border, ""),
        ("", t.raised, t.border, ""),
    )


def _tool(t: Theme, ground: str) -> States:
    return (
        ("disabled", ground, ground, ""),
        ("pressed", t.pressed, t.pressed, ""),
        ("selected focus", t.pressed, t.pressed, t.focus),
        ("selected", t.pressed, t.pressed, ""),
        ("focus", ground, ground, t.focus),
        ("active", t.hover, t.hover, ""),
        ("", ground, ground, ""),
    )


def _segment(t: Theme) -> States:
    return (
        ("selected focus", t.raised, t.border, t.focus),
        ("selected disabled", t.hover, t.hover, ""),
        ("selected", t.raised, t.border, ""),
        ("focus", t.trough, t.trough, t.focus),
        ("", t.trough, t.trough, ""),
    )


def _canvas(make: Maker) -> None:
    """Make buttons that stand on the canvas, which is dark in both themes."""
    t = make.theme
    fill, hover, pressed = (shapes.mix(t.canvas, t.canvas_text, share) for share in (0.12, 0.18, 0.08))
    make.box(
        "canvas.box",
        t.canvas,
        _RADIUS,
        (
            ("pressed", pressed, fill, ""),
            ("focus", fill, fill, t.canvas_text),
            ("active", hover, hover, ""),
            ("", fill, fill, ""),
        ),
    )


def _accent(make: Maker) -> None:
    """Make the one button that stands out; its ring lies inside, or it would not be seen."""
    t, px = make.theme, make.px
    r = px(_RADIUS)
    size = wide, tall = 2 * r + MIDDLE, px(HEIGHT)

    def filled(color: str) -> list[Box | Mark]:
        return [Box(0, 0, wide, tall, r, color)]

    ring = [
        *filled(t.accent),
        inside(wide, tall, px(2), r, t.accent_text),
        inside(wide, tall, px(4), r, t.accent),
    ]
    states = [
        ("disabled", filled(t.trough)),
        ("pressed", filled(t.accent_pressed)),
        ("focus", ring),
        ("active", filled(t.accent_hover)),
        ("", filled(t.accent)),
    ]
    for name, ground in (
        ("accent.box", t.background),
        ("card.accent.box", t.surface),
        ("canvas.accent.box", t.canvas),
    ):
        make.element(name, size, ground, states, border=(r + 1,), least=(2 * r + 2, tall))


def _indicators(make: Maker) -> None:
    """Make the boxes and circles of choices, and arrows."""
    t, px = make.theme, make.px
    side, gap = px(18), px(8)
    dots = ((side / 2, side / 2),)
    tick = ((side * 0.27, side * 0.52), (side * 0.43, side * 0.68), (side * 0.74, side * 0.34))
    for name, radius, path, width in (
        ("check.indicator", px(5), tick, px(2)),
        ("radio.indicator", side / 2, dots, side * 0.25),
    ):

        def states(radius: float = radius, path: Any = path, width: float = width) -> list[Any]:
            def layers(fill: str, border: str, line: int, mark: str) -> list[Box | Mark]:
                drawn: list[Box | Mark] = [Box(0, 0, side, side, radius, border)]
                drawn.append(inside(side, side, line, radius, fill))
                return [*drawn, Mark((path,), width, mark)] if mark else drawn

            ring: list[Box | Mark] = [
                Box(0, 0, side, side, radius, t.focus),
                inside(side, side, px(1.5), radius, t.background),
                inside(side, side, px(3), radius, t.accent),
                Mark((path,), width, t.accent_text),
            ]

            return [
                ("disabled selected", layers(t.trough, t.trough, 0, t.faint)),
                ("disabled", layers(t.background, t.trough, px(1), "")),
                ("selected focus", ring),
                ("selected", layers(t.accent, t.accent, 0, t.accent_text)),
                ("focus", layers(t.surface, t.focus, px(2), "")),
                ("active", layers(t.hover, t.muted, px(1), "")),
                ("", layers(t.surface, shapes.mix(t.border, t.muted, 0.5), px(1), "")),
            ]

        make.element(name, (side + gap, side), t.background, states(), sticky="")


def _arrows(make: Maker) -> None:
    """Make arrows that point down, upon nothing: they stand on whatever the box has become."""
    t, side = make.theme, make.px(16)
    path = ((side * 0.28, side * 0.4), (side * 0.5, side * 0.62), (side * 0.72, side * 0.4))
    names = [
        make.keep(f"arrow.{color}", shapes.glyph(side, (path,), 1.5 * make.look.scale, color))
        for color in (t.muted, t.faint)
    ]
    make.create("down.arrow", (names[0], "disabled", names[1]), {"sticky": ""})


def _bars(make: Maker) -> None:
    """Make sliders, progress and scrollbars."""
    t, px = make.theme, make.px
    thumb, line, wide = px(KNOB), px(TROUGH), px(TROUGH) + MIDDLE
    top = (thumb - line) // 2
    trough = [Box(0, top, wide, line, line / 2, t.trough)]
    make.element(
        "line.trough", (wide, thumb), t.background, [("", trough)], border=(line, 0), least=(2 * line, thumb)
    )
    fill = [
        (condition, [Box(0, 0, wide, line, line / 2, color)])
        for condition, color in (("disabled", t.border), ("", t.accent))
    ]
    make.element("line.fill", (wide, line), t.trough, fill, border=(line // 2, 0), least=(1, line))
    make.element("knob.slider", (thumb, thumb), t.background, _thumb(make, thumb, top), sticky="")
    for name, color in (("bar.trough", t.trough), ("bar.pbar", t.accent)):
        ground = t.background if name == "bar.trough" else t.trough
        layers = [Box(0, 0, wide, px(6), px(6) / 2, color)]
        make.element(name, (wide, px(6)), ground, [("", layers)], border=(px(3), 0), least=(px(6), px(6)))


def _scrollbar(make: Maker) -> None:
    t, px = make.theme, make.px
    bar = px(12)

    def grip(color: str, width: int) -> list[Box]:
        return [Box((bar - width) // 2, 0, width, bar + MIDDLE, width / 2, color)]

    make.element("scroll.trough", (bar, 8), t.background, [("", [])], least=(bar, 1))
    soft = shapes.mix(t.border, t.muted, 0.25)
    states = [
        ("disabled", []),
        ("pressed", grip(t.muted, px(8))),
        ("active", grip(t.muted, px(8))),
        ("", grip(soft, px(6))),
    ]
    make.element(
        "scroll.thumb", (bar, bar + MIDDLE), t.background, states, border=(0, px(6)), least=(bar, px(32))
    )


def _thumb(make: Maker, size: int, top: int) -> list[tuple[str, list[Box | Mark]]]:
    """Draw the knob of a slider, upon the trough that shows at its sides."""
    t, px = make.theme, make.px
    ground: list[Box | Mark] = [Box(0, top, size, px(TROUGH), 0, t.trough)]
    knob = t.raised if t.name == "light" else t.text

    def layers(ring: str, width: int, fill: str) -> list[Box | Mark]:
        return [*ground, Box(0, 0, size, size, size / 2, ring), inside(size, size, width, size / 2, fill)]

    rim = shapes.mix(t.border, t.muted, 0.5) if t.name == "light" else t.text
    return [
        ("disabled", layers(t.trough, px(1), t.background)),
        ("focus pressed", layers(t.focus, px(3), knob)),
        ("focus", layers(t.focus, px(3), knob)),
        ("pressed", layers(t.accent, px(2), knob)),
        ("active", layers(t.muted, px(1), knob)),
        ("", layers(rim, px(1), knob)),
    ]


def _rest(make: Maker) -> None:
    t, px = make.theme, make.px
    for name, size, least in (
        ("hline.separator", (MIDDLE, px(1)), (1, px(1))),
        ("vline.separator", (px(1), MIDDLE), (px(1), 1)),
    ):
        make.element(name, size, t.border, [("", [])], least=least)
    tall, wide = px(34), MIDDLE
    under = [Box(0, tall - px(2), wide, px(2), 0, t.accent)]
    ring = [Box(0, 0, wide, tall, px(4), t.focus), inside(wide, tall, px(2), px(4), t.background)]
    states = [("selected focus", ring), ("selected", under), ("", [])]
    make.element("tab.box", (wide, tall), t.background, states, border=(px(5),), least=(px(12), tall))
