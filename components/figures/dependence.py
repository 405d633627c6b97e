"""A variable's contribution against its value, coloured by the variable it goes together with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from components.figures.beeswarm import value_scale
from components.figures.palette import Mode, palette, plain, template

if TYPE_CHECKING:
    from bedside.cohort import Variable
    from bedside.explain.overtime import Dependence

HEIGHT = 340
DRAWN = 400
JITTER = 0.18


def dependence_figure(told: Dependence, levels: tuple[str, ...], *, mode: Mode = "light") -> go.Figure:
    """A dot for each patient; the file has all of them.

    Parameters
    ----------
    told : Dependence
    levels : tuple of str
        What the levels of the variable are called, in their order; empty for a number.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    keep = np.linspace(0, len(told.points) - 1, min(DRAWN, len(told.points))).astype(int)
    x, y = told.value[keep].astype(float), 100 * told.points[keep]
    known = np.isfinite(x)
    if levels:
        # Dots of one level beside one another, always in the same places.
        x = x + JITTER * (2 * ((np.arange(len(x)) * 0.618034) % 1) - 1)
    marker: dict[str, Any] = {"color": p.accent, "size": 6, "opacity": 0.65, "line": {"width": 0}}
    if told.partner_value is not None:
        marker |= {"color": _places(told.partner_value)[keep][known], "colorscale": value_scale(mode), "cmin": 0,
                   "cmax": 1, "opacity": 0.8}  # fmt: skip
    data = [{
        "type": "scatter", "mode": "markers", "x": x[known], "y": y[known], "marker": marker,
        "hovertemplate": "%{y:+.1f} points<extra></extra>",
    }]  # fmt: skip
    axis: dict[str, Any] = {"title": {"text": plain(_named(told.variable))}, "fixedrange": True}
    if levels:
        axis |= {"tickvals": list(range(len(levels))), "ticktext": [plain(text, limit=16) for text in levels],
                 "range": [-0.5, len(levels) - 0.5]}  # fmt: skip
    elif told.variable.scale == "log" and (x[known] > 0).all():
        axis |= {"type": "log", **_ticks(x[known])}
    zero = {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
            "line": {"color": p.neutral, "width": 1}}  # fmt: skip
    layout = {
        "template": template(mode), "height": HEIGHT, "showlegend": False, "shapes": [zero],
        "margin": {"l": 52, "r": 12, "t": 10, "b": 48}, "xaxis": axis,
        "yaxis": {"title": {"text": "points of risk"}, "fixedrange": True, "zeroline": False},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def _ticks(x: np.ndarray) -> dict[str, list]:
    """Ticks of a logarithmic axis: 1, 2 and 5 times powers of ten, or only these where they are many."""
    low, high = math.log10(x.min()), math.log10(x.max())
    steps = (1, 2, 5) if high - low < 3 else (1,)
    shown = [s * 10.0**k for k in range(math.floor(low), math.ceil(high) + 1) for s in steps]
    shown = [v for v in shown if low - 0.05 <= math.log10(v) <= high + 0.05]
    return {"tickvals": shown, "ticktext": [f"{v:g}" for v in shown]}


def _named(variable: Variable) -> str:
    return f"{variable.label} ({variable.unit})" if variable.unit else variable.label


def _places(values: np.ndarray) -> np.ndarray:
    """Each value's place from 0 to 1; a gap in the middle."""
    found = np.full(len(values), 0.5)
    known = np.isfinite(values)
    order = np.unique(values[known], return_inverse=True)[1]
    if order.size and order.max():
        found[known] = order / order.max()
    return found


def dependence_alt(told: Dependence, levels: tuple[str, ...]) -> str:
    """Mean contribution by level, or in the lowest, middle and highest third."""
    known = np.isfinite(told.value)
    value, points = told.value[known], told.points[known]
    if levels:
        groups = [(text, points[value == j]) for j, text in enumerate(levels)]
    else:
        thirds = np.quantile(value, (1 / 3, 2 / 3)) if len(value) else (0.0, 0.0)
        place = np.searchsorted(thirds, value)
        groups = [(f"{text} third", points[place == j]) for j, text in enumerate(("lowest", "middle", "highest"))]
    said = "; ".join(f"{text} {100 * part.mean():+.1f}" for text, part in groups if len(part))
    return f"Mean contribution of {told.variable.label} in percentage points: {said}."


def dependence_rows(told: Dependence) -> tuple[list[str], list[list[float]]]:
    """Header and rows for a file."""
    header = [told.variable.label, "points"]
    columns = [told.value, 100 * told.points]
    if told.partner is not None and told.partner_value is not None:
        header.append(told.partner.label)
        columns.append(told.partner_value)
    return header, [[float(v) for v in row] for row in zip(*columns, strict=True)]
