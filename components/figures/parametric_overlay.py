"""Smooth curves of parametric models over the Kaplan-Meier curves they were fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from components.figures.palette import Mode, palette, plain, rgba, shades, template
from components.figures.steps import drawn_rows

if TYPE_CHECKING:
    from bedside.regression.parametric_compare import FittedModel
    from bedside.survival import Curve

STYLES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px,1px,2px", "10px,3px")


def overlay_figure(
    curves: Sequence[Curve],
    models: Sequence[FittedModel],
    *,
    per_unit: float,
    until: float,
    followed: float,
    x_title: str = "",
    mode: Mode = "light",
    height: int = 360,
) -> go.Figure:
    """Steps for what was seen, dashes for what a model says; the ground is shaded where nobody was followed.

    Parameters
    ----------
    curves : sequence of Curve
        In the shown unit.
    models : sequence of FittedModel
        Those to draw, in the outcome's unit.
    per_unit : float
        Shown units in one of the outcome's.
    until, followed : float
        End of the axis, and of the longest follow-up, in the shown unit.
    """
    p = palette(mode)
    names = tuple(dict.fromkeys([c.group for c in curves]))
    colours = dict(zip(names, shades(len(names), mode), strict=True))
    data: list[dict[str, Any]] = []
    for curve in curves:
        rows = drawn_rows(curve, until)
        data.append(
            {
                "type": "scatter", "mode": "lines", "x": curve.time[rows], "y": curve.survival[rows],
                "line": {"color": rgba(colours[curve.group], 0.55), "width": 2.5, "shape": "hv"},
                "hovertemplate": f"<b>{plain(curve.group, limit=50)}</b>, as seen: %{{y:.0%}}<extra></extra>",
            }
        )  # fmt: skip
    for style, model in zip(STYLES, models, strict=False):
        data += [
            {
                "type": "scatter", "mode": "lines", "x": each.time * per_unit, "y": each.survival,
                "line": {"color": colours.get(each.group, p.accent), "width": 1.8, "dash": style},
                "hovertemplate": f"{plain(model.label)}, {plain(each.group, limit=50)}: %{{y:.0%}}<extra></extra>",
            }
            for each in model.curves
        ]  # fmt: skip
    shapes, notes = [], []
    if until > followed * 1.001:
        shapes = [{"type": "rect", "xref": "x", "yref": "paper", "x0": followed, "x1": until, "y0": 0, "y1": 1,
                   "fillcolor": rgba(p.caution, 0.10), "line": {"width": 0}, "layer": "below"}]  # fmt: skip
        notes = [{"text": "beyond follow-up:<br>assumption", "x": 1, "xref": "paper", "y": 1, "yref": "paper",
                  "xanchor": "right", "yanchor": "top", "align": "right", "showarrow": False, "xshift": -4,
                  "font": {"size": 11, "color": p.caution}}]  # fmt: skip
    layout = {
        "template": template(mode), "height": height, "margin": {"l": 48, "r": 12, "t": 10, "b": 44},
        "xaxis": {"title": {"text": plain(x_title)}, "range": [0, until], "fixedrange": True},
        "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "fixedrange": True}, "shapes": shapes, "annotations": notes,
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def overlay_alt(models: Sequence[FittedModel], *, groups: int) -> str:
    """Which curves lie over which."""
    told = "; ".join(
        f"{m.label}, at most {100 * m.largest_gap:.0f} points away within follow-up" for m in models if m.curves
    )
    noun = "curve" if groups == 1 else f"curves of {groups} groups"
    return f"Kaplan-Meier {noun} with {told or 'no model'}."


def overlay_rows(models: Sequence[FittedModel], *, per_unit: float, unit: str) -> tuple[list[str], list[list]]:
    """Every curve of every model: header and rows for a file."""
    header = ["model", "group", f"time ({unit})", "share without the event", "lower", "upper", "beyond follow-up"]
    rows: list[list] = []
    for model in models:
        for each in model.curves:
            beyond = each.time > each.followed_until
            columns = (each.time * per_unit, each.survival, each.lower, each.upper)
            values = np.stack(columns, axis=1).tolist()
            rows += [[model.label, each.group, *v, bool(b)] for v, b in zip(values, beyond, strict=True)]
    return header, rows
