"""Scores as tables in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from torch_model.scores import DISTANCES, METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch_model.scores import Distance, Metric

_PLAIN: Final = frozenset({"colorfulness"})
"""Metrics whose interval is that of another one, told there."""
_KINDS: Final = ("psnr", "gain", "ciede2000", "ab_rmse", "ratio")
"""Metrics of each category."""


def overall(rows: Sequence[dict[str, Any]]) -> str:
    """Return a table of all photographs, a row each for what `Measured.row` gives."""
    known = [metric for metric in METRICS if metric.shown and metric.key in rows[0]]
    titles = ["model", "working size", "photos", *(metric.title for metric in known)]
    lines = [
        [
            row["model"],
            str(row["working_size"] or ""),
            str(row["photos"]),
            *(_cell(row, one) for one in known),
        ]
        for row in rows
    ]
    distances = [distance for distance in DISTANCES if distance.key in rows[0]]
    titles += [f"{distance.title} (n = {rows[0]['photos']})" for distance in distances]
    for line, row in zip(lines, rows, strict=True):
        line += [_apart(row, distance) for distance in distances]
    return markdown(titles, lines)


def against(rows: Sequence[dict[str, Any]], other: str) -> str:
    """Return a table of what `difference` gives, a row each; bold where the interval holds no 0."""
    known = [metric for metric in METRICS if metric.shown and metric.key in rows[0] and metric.key != "gain"]
    titles = [f"less {other}", *(metric.title for metric in known)]
    return markdown(titles, [[row["model"], *(_sure(row, metric) for metric in known)] for row in rows])


def _sure(row: dict[str, Any], metric: Metric) -> str:
    low, high = row["intervals"][metric.key]
    text = f"{row[metric.key]:+.{metric.digits}f}"
    spread = f"±{(high - low) / 2:.{metric.digits}f}"
    return f"**{text}** {spread}" if low > 0 or high < 0 else f"{text} {spread}"


def by_category(rows: Sequence[dict[str, Any]]) -> str:
    """Return a table of each category's photographs, the largest first."""
    known = [metric for metric in METRICS if metric.key in _KINDS]
    kinds = sorted(rows[0]["categories"], key=lambda kind: -rows[0]["categories"][kind]["photos"])
    lines = []
    for kind in kinds:
        for row in rows:
            part = row["categories"][kind]
            lines.append(
                [kind or "(none)", row["model"], str(part["photos"]), *(_cell(part, m) for m in known)]
            )
    return markdown(["category", "model", "photos", *(metric.title for metric in known)], lines)


def markdown(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table of titles and of lines of cells."""
    rows = [titles, ["---"] * len(titles), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(row: dict[str, Any], metric: Metric) -> str:
    text = f"{row[metric.key]:.{metric.digits}f}"
    low, high = row["intervals"][metric.key]
    if metric.key in _PLAIN or low == high:
        return text
    return f"{text} ±{(high - low) / 2:.{metric.digits}f}"


def _apart(row: dict[str, Any], distance: Distance) -> str:
    text = f"{distance.scale * row[distance.key]:.1f}"
    spread = row.get(f"{distance.key}_spread")
    return text if spread is None else f"{text} ±{distance.scale * spread:.1f}"
