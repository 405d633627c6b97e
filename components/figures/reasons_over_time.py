"""How much each variable moves the predicted risk at several times, and how steady that is from fold to fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from components.figures.labels import label_lines, room_for, row_height, wrapped
from components.figures.palette import Mode, dashes, palette, plain, shades, template
from components.figures.steps import short, spread

if TYPE_CHECKING:
    from bedside.explain.overtime import OverTime, Stability

MOST = 6
HEIGHT = 320
FONT_SIZE = 12
LONGEST = 26


def importance_over_time_figure(
    told: OverTime, times: np.ndarray, *, x_title: str, mode: Mode = "light", most: int = MOST
) -> go.Figure:
    """A line for each of the most important variables, its name at its end.

    Parameters
    ----------
    told : OverTime
    times : array, shape (t,)
        Its times in the unit that is shown.
    x_title : str
    mode : {"light", "dark"}
    most : int
    """
    order = np.argsort(-told.mean_abs.max(axis=1), kind="stable")[:most]
    ends = 100 * told.mean_abs[order, -1]
    top = max(float(100 * told.mean_abs.max()), 0.1) * 1.08
    heights = spread(ends, gap=top / 15, top=top)
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    looks = zip(order, shades(len(order), mode), dashes(len(order)), heights, strict=True)
    for j, colour, dash, at in looks:
        label = told.variables[j].label
        data.append({
            "type": "scatter", "mode": "lines+markers", "x": times, "y": 100 * told.mean_abs[j],
            "line": {"color": colour, "width": 2, "dash": dash}, "marker": {"color": colour, "size": 5},
            "hovertemplate": f"{plain(label)}: %{{y:.1f}} points<extra></extra>",
        })  # fmt: skip
        notes.append({
            "x": 1.01, "xref": "paper", "y": float(at), "text": plain(short(label, LONGEST)), "showarrow": False,
            "xanchor": "left", "yanchor": "middle", "font": {"size": 11, "color": colour},
        })  # fmt: skip
    layout = {
        "template": template(mode), "height": HEIGHT, "showlegend": False, "annotations": notes,
        "margin": {"l": 48, "r": 170, "t": 8, "b": 44},
        "xaxis": {"title": {"text": plain(x_title)}, "fixedrange": True},
        "yaxis": {"title": {"text": "percentage points"}, "range": [0, top], "fixedrange": True},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def importance_over_time_alt(told: OverTime, times: np.ndarray, unit: str, *, most: int = MOST) -> str:
    """First and last importance of each variable that is drawn."""
    order = np.argsort(-told.mean_abs.max(axis=1), kind="stable")[:most]
    said = "; ".join(
        f"{told.variables[j].label} {100 * told.mean_abs[j, 0]:.1f} to {100 * told.mean_abs[j, -1]:.1f}" for j in order
    )
    return (
        f"Mean size of the contributions in percentage points, from {times[0]:.3g} to {times[-1]:.3g} {unit}: {said}."
    )


def importance_over_time_rows(told: OverTime, times: np.ndarray, unit: str) -> tuple[list[str], list[list]]:
    """Header and rows for a file, in points."""
    header = ["variable", *(f"points within {t:.3g} {unit}" for t in times)]
    return header, [
        [v.label, *(float(100 * x) for x in line)] for v, line in zip(told.variables, told.mean_abs, strict=True)
    ]


def stability_figure(told: Stability, *, mode: Mode = "light", most: int = 12) -> go.Figure:
    """A row for each variable: its importance in each fold as a dot, and the mean as a bar.

    Parameters
    ----------
    told : Stability
    mode : {"light", "dark"}
    most : int
    """
    p = palette(mode)
    shown = told.variables[:most]
    labels = [label_lines(v.label) for v in shown]
    rows = list(range(len(shown)))
    folds = told.importance.shape[0]
    data = [
        {
            "type": "bar", "orientation": "h", "x": 100 * told.mean[:most], "y": rows, "width": 0.5,
            "marker": {"color": p.grid, "line": {"width": 0}}, "hoverinfo": "skip",
        },
        {
            "type": "scatter", "mode": "markers", "x": 100 * told.importance[:, :most].ravel(), "y": rows * folds,
            "marker": {"color": p.accent, "size": 7, "opacity": 0.75, "line": {"width": 0}},
            "hovertemplate": "%{x:.1f} points in one part<extra></extra>",
        },
    ]  # fmt: skip
    layout = {
        "template": template(mode), "height": row_height(labels) * len(shown) + 60, "showlegend": False,
        "margin": {"l": room_for(labels, size=FONT_SIZE) + 14, "r": 14, "t": 6, "b": 44},
        "xaxis": {"title": {"text": "percentage points of risk"}, "rangemode": "tozero", "fixedrange": True},
        "yaxis": {
            "range": [len(shown) - 0.5, -0.5], "tickvals": rows, "ticktext": [wrapped(lines) for lines in labels],
            "ticks": "", "showgrid": False, "fixedrange": True, "tickfont": {"size": FONT_SIZE, "color": p.ink},
            "ticklabelstandoff": 6,
        },
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def stability_alt(told: Stability, *, most: int = 12) -> str:
    """Mean and places of each variable."""
    said = "; ".join(
        f"{v.label} {100 * m:.1f} points, place {b} to {w}"
        for v, m, b, w in list(zip(told.variables, told.mean, told.best, told.worst, strict=True))[:most]
    )
    return f"Importance in {told.importance.shape[0]} parts of the patients, mean and range of places: {said}."


def stability_rows(told: Stability) -> tuple[list[str], list[list]]:
    """Header and rows for a file, in points."""
    folds = told.importance.shape[0]
    header = ["variable", "mean", "SD", "best place", "worst place", *(f"part {k + 1}" for k in range(folds))]
    return header, [
        [v.label, float(100 * told.mean[j]), float(100 * told.sd[j]), int(told.best[j]), int(told.worst[j]),
         *(float(100 * x) for x in told.importance[:, j])]
        for j, v in enumerate(told.variables)
    ]  # fmt: skip
