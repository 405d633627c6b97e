"""A model as points to be added by hand: a line for each variable, and below them what the sum means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from components.figures.labels import label_lines, wrapped
from components.figures.palette import Mode, Palette, palette, plain, template

if TYPE_CHECKING:
    from bedside.regression.nomogram import Nomogram

ROW, TOP, LABELS, LETTER = 46, 16, 0.27, 0.016
SIZE = 11


def nomogram_figure(
    board: Nomogram, ticks: Sequence[tuple[str, float]], *, title: str = "", mode: Mode = "light"
) -> go.Figure:
    """Lines with ticks, one below the other, on one scale of points; sums on a scale of their own.

    Parameters
    ----------
    board : Nomogram
    ticks : sequence of (text, points)
        Of the line that says what a sum means; empty for none.
    title : str
        What that line says.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    widest = max(float(axis.points.max()) for axis in board.axes)
    top = max(float(board.total[-1]), 1e-9)
    lines = [("Points", [(f"{v:g}", v / widest) for v in _scale(widest)])]
    lines += [
        (axis.name, [(str(v), float(x) / widest) for v, x in zip(axis.values, axis.points, strict=True)])
        for axis in board.axes
    ]
    lines.append(("Sum of points", [(f"{v:g}", float(v) / top) for v in board.total]))
    if ticks:
        lines.append((title, [(text, x / top) for text, x in ticks]))
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for i, (name, places) in enumerate(lines):
        edge = i == 0 or i >= len(lines) - 1 - bool(ticks)
        colour = p.muted if edge else p.accent
        data += _line(places, TOP + i * ROW, colour)
        notes += [_name(name, TOP + i * ROW, p.muted if edge else p.ink), *_texts(places, TOP + i * ROW, p)]
    layout = {
        "template": template(mode), "height": TOP + ROW * len(lines) + 8, "annotations": notes,
        "margin": {"l": 4, "r": 12, "t": 0, "b": 4},
        "xaxis": {"visible": False, "range": [-0.02, 1.03], "domain": (LABELS, 1.0), "fixedrange": True},
        "yaxis": {"visible": False, "range": [TOP + ROW * len(lines) - 8, -4], "fixedrange": True},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def nomogram_alt(board: Nomogram) -> str:
    """Every value with its points."""
    told = "; ".join(
        f"{axis.name}: " + ", ".join(f"{v} {x:.0f}" for v, x in zip(axis.values, axis.points, strict=True))
        for axis in board.axes
    )
    return f"Points of each value. {told}."


def nomogram_rows(board: Nomogram, ticks: Sequence[tuple[str, float]]) -> tuple[list[str], list[list]]:
    """Points: header and rows for a file."""
    rows: list[list] = [
        [axis.name, str(v), float(x), float(e)]
        for axis in board.axes
        for v, x, e in zip(axis.values, axis.points, axis.effects, strict=True)
    ]
    rows += [["chance without the event", text, x, None] for text, x in ticks]
    return ["variable", "value", "points", "log hazard ratio"], rows


def _scale(widest: float) -> list[float]:
    return [widest * share for share in (0, 0.2, 0.4, 0.6, 0.8, 1)]


def _line(places: Sequence[tuple[str, float]], y: float, colour: str) -> list[dict[str, Any]]:
    at = [x for _, x in places]
    ends = [min(at), max(at)]
    return [
        {"type": "scatter", "mode": "lines", "x": ends, "y": [y, y], "line": {"color": colour, "width": 1.5},
         "hoverinfo": "skip"},
        {"type": "scatter", "mode": "markers", "x": at, "y": [y] * len(at), "cliponaxis": False,
         "marker": {"symbol": "line-ns", "size": 8, "color": colour, "line": {"width": 1.5, "color": colour}},
         "text": [plain(text) for text, _ in places], "hovertemplate": "%{text}<extra></extra>"},
    ]  # fmt: skip


def _texts(places: Sequence[tuple[str, float]], y: float, p: Palette) -> list[dict[str, Any]]:
    """Names of the ticks below the line; above it where they would touch, and left out where there is no room left."""
    told: list[dict[str, Any]] = []
    ends = {True: -1.0, False: -1.0}
    for text, x in sorted(places, key=lambda place: place[1]):
        short = plain(text, limit=22)
        half = LETTER * min(len(str(text)), 22) / 2
        below = next((side for side in (True, False) if x - half > ends[side] + LETTER), None)
        if below is None:
            continue
        ends[below] = x + half
        told.append({
            "text": short, "x": x, "xref": "x", "y": y, "yref": "y", "yshift": -13 if below else 13,
            "showarrow": False, "font": {"size": SIZE, "color": p.muted}, "borderpad": 0,
        })  # fmt: skip
    return told


def _name(name: str, y: float, colour: str) -> dict[str, Any]:
    return {
        "text": wrapped(label_lines(name, width=30)), "x": 0, "xref": "paper", "y": y, "yref": "y", "xanchor": "left",
        "yanchor": "middle", "align": "left", "showarrow": False, "font": {"size": 12, "color": colour},
    }  # fmt: skip
