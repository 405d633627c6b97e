"""Which variables matter together: a cell for each pair, darker where the two depend on each other more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.explain import Interactions
from components.figures.labels import label_lines, room_for, wrapped
from components.figures.palette import Mode, palette, plain, template

MOST = 8
CELL = 44
FONT_SIZE = 12
DEEPEST = {"light": 0.6, "dark": 0.45}
"""Share of the accent in the darkest cell, on which ink can still be read."""
LITTLE = 0.05
"""Points below which a cell holds no number."""


def interactions_figure(told: Interactions, *, mode: Mode = "light", most: int = MOST) -> go.Figure:
    """Mean size of the interaction of each pair in percentage points, for the variables that have most of it.

    A variable's name stands where its row ends and its column begins.

    Parameters
    ----------
    told : Interactions
    mode : {"light", "dark"}
    most : int
        Variables drawn.
    """
    p = palette(mode)
    size, order = _sizes(told, most)
    labels = [label_lines(_label(told, j)) for j in order]
    top = max(float(size.max(initial=0.0)), 1e-9)
    pairs = [(i, j) for i in range(1, len(order)) for j in range(i)]
    shapes, notes = [], [_named(i, lines, p.ink) for i, lines in enumerate(labels)]
    for i, j in pairs:
        colour = _mixed(p.card, p.accent, DEEPEST[mode] * ((size[i, j] / top) ** 0.7 * 0.93 + 0.07))
        shapes.append({"type": "rect", "xref": "x", "yref": "y", "x0": j - 0.47, "x1": j + 0.47, "y0": i - 0.46,
                       "y1": i + 0.46, "fillcolor": colour, "line": {"width": 0}, "layer": "below"})  # fmt: skip
        said = f"{size[i, j]:.1f}" if size[i, j] >= LITTLE else "0"
        notes.append({"x": j, "y": i, "text": said, "showarrow": False, "font": {"size": FONT_SIZE, "color": p.ink}})
    data: list[dict[str, Any]] = [{
        "type": "scatter", "mode": "markers", "x": [j for _, j in pairs], "y": [i for i, _ in pairs],
        "marker": {"size": 24, "opacity": 0, "color": p.accent},
        "text": [f"{plain(_label(told, order[i]))} and {plain(_label(told, order[j]))}" for i, j in pairs],
        "customdata": [float(size[i, j]) for i, j in pairs],
        "hovertemplate": "%{text}<br>%{customdata:.2f} points<extra></extra>",
    }]  # fmt: skip
    n = max(len(order), 2)
    layout = {
        "template": template(mode),
        "height": CELL * n + 16,
        "showlegend": False,
        "shapes": shapes,
        "annotations": notes,
        "margin": {"l": 8, "r": room_for(labels, size=FONT_SIZE) + 14, "t": 8, "b": 8},
        "xaxis": {"visible": False, "fixedrange": True, "range": [-0.5, n - 1.4]},
        "yaxis": {"visible": False, "fixedrange": True, "range": [n - 0.5, -0.5]},
    }
    return go.Figure(data=data, layout=layout)


def _named(i: int, lines: Sequence[str], colour: str) -> dict[str, Any]:
    """A variable's name at the end of its row, which is the top of its column."""
    return {"x": i - 0.45, "y": i, "xanchor": "left", "align": "left", "text": wrapped(lines), "showarrow": False,
            "font": {"size": FONT_SIZE, "color": colour}}  # fmt: skip


def _label(told: Interactions, j: int) -> str:
    return told.variables[j].label


def _sizes(told: Interactions, most: int) -> tuple[np.ndarray, list[int]]:
    """Mean sizes in points among the variables that are drawn, and which these are: those with most of it first."""
    size = 100 * told.mean_abs
    order = np.argsort(-size.sum(axis=0), kind="stable")[:most]
    return size[np.ix_(order, order)], order.tolist()


def _mixed(under: str, over: str, share: float) -> str:
    """A colour between two, both #RRGGBB."""
    parts = [(int(under[i : i + 2], 16), int(over[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * min(max(share, 0.0), 1.0)):02X}" for a, b in parts)


def interactions_alt(told: Interactions, *, most: int = MOST) -> str:
    """The strongest pairs in words."""
    rows = interactions_rows(told)[1][:most]
    said = "; ".join(f"{first} and {second} {size:.1f}" for first, second, size in rows)
    rest = len(told.variables) - most
    more = f" {rest} variables with less of it are not shown." if rest > 0 else ""
    return f"Mean size of the interaction of pairs of variables in percentage points, strongest first: {said}.{more}"


def interactions_rows(told: Interactions) -> tuple[list[str], list[list]]:
    """Every pair, the strongest first: header and rows for a file."""
    size = 100 * told.mean_abs
    first, second = np.triu_indices(len(told.variables), 1)
    order = np.argsort(-size[first, second], kind="stable")
    header = ["variable", "other variable", "mean absolute interaction (percentage points)"]
    return header, [
        [_label(told, int(first[k])), _label(told, int(second[k])), float(size[first[k], second[k]])] for k in order
    ]
