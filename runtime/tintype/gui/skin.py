"""The ttk theme that `theme.apply` installs: layouts and styles, upon clam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tintype.gui import elements
from tintype.gui.maker import HEIGHT

if TYPE_CHECKING:
    import tkinter as tk
    from tkinter import ttk

    from tintype.gui.theme import Look


def use(root: tk.Misc, style: ttk.Style, look: Look) -> None:
    """Switch to the ttk theme of a look; it is made when it is first used."""
    name = f"tintype-{look.theme.name}-{look.scale:g}"
    if name in style.theme_names():
        style.theme_use(name)
        return
    style.theme_create(name, "clam")
    style.theme_use(name)
    elements.make(root, look, name)
    for layout, parts in _LAYOUTS.items():
        style.layout(layout, parts)
    _base(style, look)
    _labels(style, look)
    _sizes(style, look)


def _base(style: ttk.Style, look: Look) -> None:
    t, px = look.theme, look.px
    style.configure(
        ".",
        background=t.background,
        foreground=t.text,
        font="TkDefaultFont",
        bordercolor=t.border,
        lightcolor=t.background,
        darkcolor=t.background,
        troughcolor=t.trough,
        fieldbackground=t.surface,
        selectbackground=t.accent,
        selectforeground=t.accent_text,
        insertcolor=t.text,
        insertwidth=px(1),
        borderwidth=0,
        focuscolor=t.focus,
        space=px(8),
    )
    style.map(
        ".", foreground=[("disabled", t.faint)], background=[], selectbackground=[], selectforeground=[]
    )
    for name in ("Accent.TButton", "Card.Accent.TButton", "Canvas.Accent.TButton"):
        style.configure(name, foreground=t.accent_text)
    style.configure("Canvas.TButton", foreground=t.canvas_text)
    style.configure("Segment.TRadiobutton", foreground=t.muted)
    style.map(
        "Segment.TRadiobutton", foreground=[("disabled", t.faint), ("selected", t.text), ("active", t.text)]
    )
    style.configure("Section.TButton", anchor="w", font="TkHeadingFont")
    style.configure("TNotebook", bordercolor=t.background)
    style.configure("TNotebook.Tab", foreground=t.muted)
    style.map("TNotebook.Tab", foreground=[("selected", t.text), ("active", t.text)])
    style.configure("Treeview", background=t.surface, borderwidth=0)
    style.map("Treeview", background=[("selected", t.accent)], foreground=[("selected", t.accent_text)])
    style.configure(
        "Treeview.Heading", foreground=t.muted, font="TkDefaultFont", background=t.background, relief="flat"
    )
    style.map("Treeview.Heading", background=[("active", t.hover)])
    style.configure("ComboboxPopdownFrame", background=t.border, borderwidth=px(1), relief="flat")
    style.configure("TPanedwindow", background=t.background)


def _labels(style: ttk.Style, look: Look) -> None:
    """Configure labels and frames by what they stand on and what they say."""
    t = look.theme
    grounds = {"": t.background, "Card": t.surface, "Canvas": t.canvas}
    inks = {
        "": ("TkDefaultFont", t.text, t.canvas_text),
        "Muted": ("TkDefaultFont", t.muted, t.canvas_muted),
        "Small": ("TkSmallCaptionFont", t.muted, t.canvas_muted),
        "Heading": ("TkHeadingFont", t.text, t.canvas_text),
        "Title": ("TintypeTitle", t.text, t.canvas_text),
        "Danger": ("TkDefaultFont", t.danger, "#ff8a80"),
    }
    for ground, background in grounds.items():
        for kind, (font, ink, on_canvas) in inks.items():
            name = ".".join(filter(None, (ground, kind, "TLabel")))
            style.configure(
                name, background=background, foreground=on_canvas if ground == "Canvas" else ink, font=font
            )
    style.configure("Canvas.TFrame", background=t.canvas)
    style.configure("Surface.TFrame", background=t.surface)


def _sizes(style: ttk.Style, look: Look) -> None:
    px = look.px
    line = int(style.tk.call("font", "metrics", "TkDefaultFont", "-linespace"))
    high = max(0, (px(HEIGHT) - line) // 2)
    wide = ("TButton", "Accent.TButton", "Card.Accent.TButton", "Canvas.TButton", "Canvas.Accent.TButton")
    flat = ("Tool.TButton", "Card.Tool.TButton", "Tool.TRadiobutton", "Tool.TCheckbutton", "Tool.TMenubutton")
    sides = dict.fromkeys((*wide, "TMenubutton", "Segment.TRadiobutton"), 12) | dict.fromkeys(flat, 8)
    for name, side in sides.items():
        less = px(2) if name.startswith("Segment") else 0
        style.configure(name, padding=(px(side), high - less), anchor="center")
    paddings = {
        "TEntry": (px(8), high),
        "TCombobox": (px(8), high, px(6), high),
        "Section.TButton": (px(4), high),
        "Swatch.TButton": (px(6),),
        "Tiny.TButton": (px(4),),
        "TCheckbutton": (0, px(3)),
        "TRadiobutton": (0, px(3)),
        "Treeview.Heading": (px(8), px(6)),
        "TNotebook.Tab": (px(12), px(34) // 2 - line // 2),
    }
    for name, padding in paddings.items():
        style.configure(name, padding=padding)
    style.configure("Treeview", rowheight=px(28))
    style.configure("Cell", padding=(px(4), 0))
    style.configure("Item", padding=(px(4), 0))


def _box(element: str, widget: str) -> list[Any]:
    inner = [(f"{widget}.padding", {"sticky": "nswe", "children": [(f"{widget}.label", {"sticky": "nswe"})]})]
    return [(element, {"sticky": "nswe", "children": inner})]


def _menu(element: str) -> list[Any]:
    parts = [
        ("down.arrow", {"side": "right", "sticky": ""}),
        ("Menubutton.label", {"side": "left", "expand": 1, "sticky": "nswe"}),
    ]
    return [
        (
            element,
            {"sticky": "nswe", "children": [("Menubutton.padding", {"sticky": "nswe", "children": parts})]},
        )
    ]


def _choice(element: str, widget: str) -> list[Any]:
    inner = [
        (element, {"side": "left", "sticky": ""}),
        (f"{widget}.label", {"side": "left", "sticky": "nswe"}),
    ]
    return [(f"{widget}.padding", {"sticky": "nswe", "children": inner})]


_ENTRY: Final[list[Any]] = [
    (
        "entry.field",
        {
            "sticky": "nswe",
            "children": [
                ("Entry.padding", {"sticky": "nswe", "children": [("Entry.textarea", {"sticky": "nswe"})]})
            ],
        },
    )
]
_COMBO: Final[list[Any]] = [
    (
        "entry.field",
        {
            "sticky": "nswe",
            "children": [
                (
                    "Combobox.padding",
                    {
                        "sticky": "nswe",
                        "children": [
                            ("down.arrow", {"side": "right", "sticky": ""}),
                            ("Combobox.textarea", {"sticky": "nswe"}),
                        ],
                    },
                )
            ],
        },
    )
]
_LAYOUTS: Final[dict[str, list[Any]]] = {
    "TButton": _box("plain.box", "Button"),
    "Accent.TButton": _box("accent.box", "Button"),
    "Tool.TButton": _box("tool.box", "Button"),
    "Canvas.TButton": _box("canvas.box", "Button"),
    "Canvas.Accent.TButton": _box("canvas.accent.box", "Button"),
    "Card.TButton": _box("card.plain.box", "Button"),
    "Card.Accent.TButton": _box("card.accent.box", "Button"),
    "Card.Tool.TButton": _box("card.tool.box", "Button"),
    "Section.TButton": _box("tool.box", "Button"),
    "Tiny.TButton": _box("tool.box", "Button"),
    "Swatch.TButton": _box("tool.box", "Button"),
    "Swatch.TRadiobutton": [("Radiobutton.label", {"sticky": ""})],
    "Tool.TRadiobutton": _box("tool.box", "Radiobutton"),
    "Tool.TCheckbutton": _box("tool.box", "Checkbutton"),
    "Segment.TRadiobutton": _box("segment.box", "Radiobutton"),
    "TMenubutton": _menu("plain.box"),
    "Tool.TMenubutton": _menu("tool.box"),
    "TCheckbutton": _choice("check.indicator", "Checkbutton"),
    "TRadiobutton": _choice("radio.indicator", "Radiobutton"),
    "TEntry": _ENTRY,
    "TCombobox": _COMBO,
    "Horizontal.TScale": [
        (
            "line.trough",
            {"sticky": "we", "children": [("knob.slider", {"side": "left", "sticky": ""})]},
        )
    ],
    "Fill.TFrame": [("line.fill", {"sticky": "nswe"})],
    "Horizontal.TProgressbar": [
        ("bar.trough", {"sticky": "we", "children": [("bar.pbar", {"side": "left", "sticky": "ns"})]})
    ],
    "Vertical.TScrollbar": [
        ("scroll.trough", {"sticky": "ns", "children": [("scroll.thumb", {"sticky": "nswe", "expand": 1})]})
    ],
    "Horizontal.TSeparator": [("hline.separator", {"sticky": "we"})],
    "Vertical.TSeparator": [("vline.separator", {"sticky": "ns"})],
    "Card.TFrame": [("card.box", {"sticky": "nswe"})],
    "Canvas.Card.TFrame": [("canvas.card.box", {"sticky": "nswe"})],
    "Group.TFrame": [("group.box", {"sticky": "nswe"})],
    "Treeview": [("Treeview.treearea", {"sticky": "nswe"})],
    "TNotebook.Tab": [
        (
            "tab.box",
            {"sticky": "nswe", "children": [("Notebook.padding", {"children": [("Notebook.label", {})]})]},
        )
    ],
}
