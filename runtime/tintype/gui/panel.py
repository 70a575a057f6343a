"""The panel on the right: adjust, correct a color, variants, rate, model."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from PIL import ImageTk

from tintype.adjustments import Adjustments
from tintype.gui import theme
from tintype.gui.commands import COMMANDS
from tintype.gui.state import BRUSH
from tintype.gui.texts import t
from tintype.gui.widgets import Choice, IconButton, ScrollFrame, Section, Segments, Slider, Swatches

if TYPE_CHECKING:
    import tkinter as tk

    from tintype.gui.app import App
    from tintype.gui.state import State, Variant

WIDTH: Final = 300
ICONS: Final = {"remove_stroke": "trash", "variants": "picture", "models": "info"}
RATINGS: Final = ("good", "fair", "bad")
COLORS: Final = {
    "skin_fair": (240, 205, 178),
    "skin_light": (214, 162, 130),
    "skin_brown": (141, 92, 66),
    "skin_dark": (84, 54, 40),
    "blond": (226, 192, 112),
    "wood": (110, 68, 40),
    "sand": (196, 170, 130),
    "red": (176, 58, 46),
    "pink": (216, 122, 148),
    "orange": (226, 130, 52),
    "yellow": (236, 196, 70),
    "leaves": (92, 130, 62),
    "sea": (46, 120, 112),
    "sky": (122, 176, 222),
    "blue": (44, 92, 158),
    "violet": (120, 84, 160),
}
_SMALLEST, _LARGEST = 0.003, 0.08  # radius of the brush, a share of the photograph's longer side
_BRUSH_STEPS: Final = 100
_COLUMNS: Final = 2  # of variants


class Panel(ScrollFrame):
    """Everything that changes the color, from top to bottom in the order in which it is needed."""

    def __init__(self, parent: tk.Misc, app: App) -> None:
        super().__init__(parent, theme.current(parent).px(WIDTH))
        self.app = app
        self.sliders: dict[str, Slider] = {}
        self.buttons: dict[str, IconButton] = {}
        self.sections: dict[str, Section] = {}
        px = theme.current(parent).px
        for name, fill in {
            "adjust": self._adjust,
            "correct": self._correct,
            "variants": self._variants,
            "rate": self._rate,
        }.items():
            self.sections[name] = section = Section(
                self.body, t(name), opened=name not in app.settings.folded
            )
            section.pack(fill="x", padx=px(8), pady=(px(4), 0))
            fill(section.body)
        self._shown: tuple[Variant, ...] = ()
        self._pictures: list[ImageTk.PhotoImage] = []

    def render(self, state: State) -> None:
        """Show what the state says."""
        adjustments = state.edit.adjustments
        for name, slider in self.sliders.items():
            slider.show(getattr(adjustments, name))
            slider.enable(on=state.can_adjust and (name != "vividness" or _offers_vividness(state)))
        for name, button in self.buttons.items():
            button.state(["!disabled" if COMMANDS[name].enabled(state) else "disabled"])
        self._render_strokes(state)
        self._render_variants(state)
        self.rating.show(state.rating)
        self.rating.enable(on=state.result is not None)

    def _adjust(self, body: ttk.Frame) -> None:
        defaults = asdict(Adjustments())
        for item in fields(Adjustments):
            self.sliders[item.name] = Slider(
                body,
                t(item.name),
                (item.metadata["low"], item.metadata["high"]),
                defaults[item.name],
                partial(self.app.adjust, item.name),
                explain=t(f"tip.{item.name}"),
                reset=t("tip.default"),
            )
            self.sliders[item.name].pack(fill="x")
        row = ttk.Frame(body)
        row.pack(fill="x", pady=(theme.current(self).px(4), 0))
        for name in ("undo", "redo", "reset"):
            self._button(row, name, text=t("do.reset") if name == "reset" else "").pack(side="left")

    def _button(self, parent: ttk.Frame, name: str, *, text: str = "") -> IconButton:
        button = IconButton(
            parent, ICONS.get(name, name), lambda: self.app.run(name), text=text, explain=t(f"tip.{name}")
        )
        self.buttons[name] = button
        return button

    def _correct(self, body: ttk.Frame) -> None:
        px = theme.current(self).px
        tools = [Choice(name, t(f"do.{name}"), t(f"tip.{name}")) for name in ("move", "paint")]
        self.tool = Segments(body, tools, self.app.run)
        self.tool.pack(fill="x", pady=(0, px(8)))
        colors = [(color, t(f"color.{name}")) for name, color in COLORS.items()]
        self.swatches = Swatches(
            body, [*colors, (None, t("keep_grey"))], self.app.pick, on_more=self._more, more=t("more_colors")
        )
        self.swatches.pack(fill="x")
        self.brush = Slider(
            body,
            t("brush"),
            (0, _BRUSH_STEPS),
            _step_of(BRUSH),
            lambda value, _group: self.app.brush_size(radius_of(value)),
            step=1,
            describe="{:.0f}".format,
            explain=t("tip.brush"),
            reset=t("tip.default"),
        )
        self.brush.pack(fill="x")
        self.strokes = ttk.Label(body, style="Muted.TLabel", justify="left", wraplength=px(WIDTH - 64))
        self.strokes.pack(fill="x", pady=px(4))
        self._button(body, "remove_stroke", text=t("do.remove_stroke")).pack(anchor="w")

    def _more(self) -> None:
        color = self.app.view.dialogs.ask_color(self.app.state.brush)
        if color is not None:
            self.app.pick(color)

    def _render_strokes(self, state: State) -> None:
        self.tool.show(state.tool)
        self.tool.enable(on=state.can_adjust)
        self.swatches.show(state.brush)
        self.swatches.enable(on=state.can_adjust)
        self.brush.show(_step_of(state.radius))
        self.brush.enable(on=state.can_adjust)
        count = len(state.edit.strokes)
        if state.selected is not None:
            text = t("correct.chosen", number=state.selected + 1, count=count)
        elif count:
            text = t("correct.one") if count == 1 else t("correct.count", count=count)
        else:
            text = t("correct.how")
        self.strokes.configure(text=text)

    def _variants(self, body: ttk.Frame) -> None:
        row = ttk.Frame(body)
        row.pack(fill="x")
        for name in ("variants", "models"):
            self._button(row, name, text=t(f"do.{name}")).pack(side="left")
        self.grid_of_variants = ttk.Frame(body)
        self.grid_of_variants.pack(fill="x")

    def _render_variants(self, state: State) -> None:
        """Show the variants as a grid of buttons, made anew only when there are others."""
        self._make_variants(state)
        buttons = self.grid_of_variants.winfo_children()
        for button, variant in zip(buttons, state.variants, strict=True):
            assert isinstance(button, ttk.Button)
            button.state(["selected" if variant.result is state.result else "!selected"])

    def _make_variants(self, state: State) -> None:
        if state.variants == self._shown:
            return
        self._shown = state.variants
        for child in self.grid_of_variants.winfo_children():
            child.destroy()
        self._pictures = [self._thumbnail(variant) for variant in state.variants]  # Tk itself keeps none
        for index, (variant, picture) in enumerate(zip(state.variants, self._pictures, strict=True)):
            button = ttk.Button(
                self.grid_of_variants,
                image=picture,
                text=t("variant", model=variant.result.model.name, size=variant.working_size),
                compound="top",
                style="Tool.TButton",
                command=partial(self.app.choose_variant, variant),
            )
            button.grid(row=index // _COLUMNS, column=index % _COLUMNS)

    def _thumbnail(self, variant: Variant) -> ImageTk.PhotoImage:
        side = theme.current(self).px((WIDTH - 56) // _COLUMNS - 20)
        thumbnail = variant.thumbnail.copy()
        thumbnail.thumbnail((side, side))
        return ImageTk.PhotoImage(thumbnail, master=self)

    def _rate(self, body: ttk.Frame) -> None:
        choices = [Choice(name, t(f"do.{name}"), t(f"tip.{name}")) for name in RATINGS]
        self.rating = Segments(body, choices, self.app.run)
        self.rating.pack(fill="x")


def _offers_vividness(state: State) -> bool:
    model = state.result.model if state.result is not None else state.model
    return model is None or model.vividness


def radius_of(step: float) -> float:
    """Return the brush's radius, a share of the longer side, of a step of its slider: even by ratio."""
    return float(_SMALLEST * (_LARGEST / _SMALLEST) ** (step / _BRUSH_STEPS))


def _step_of(radius: float) -> float:
    return round(_BRUSH_STEPS * math.log(radius / _SMALLEST) / math.log(_LARGEST / _SMALLEST))
