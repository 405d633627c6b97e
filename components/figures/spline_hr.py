"""A number's hazard ratio along its range, against one value of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from components.figures.forest_pair import number
from components.figures.palette import Mode, palette, plain, rgba, template

if TYPE_CHECKING:
    from bedside.regression.diagnose import SplineCurve

BARS, SHARE, MARKED = 40, 0.14, 7
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
WIDEST = math.log(50)


def spline_figure(
    found: SplineCurve,
    values: np.ndarray,
    *,
    line: np.ndarray | None = None,
    log: bool = False,
    x_title: str = "",
    mode: Mode = "light",
    height: int = 320,
) -> go.Figure:
    """Curve and band on a logarithmic axis, and below how many patients have each value.

    Parameters
    ----------
    found : SplineCurve
    values : array, shape (n,)
        Of the patients in the model.
    line : array, optional
        The ratios of a line that the curve is held against, at the curve's values.
    log : bool
        True if the variable's axis is logarithmic too: a line of its logarithm is then straight.
    x_title : str
    mode : {"light", "dark"}
    height : int
        In px.
    """
    p = palette(mode)
    c = found.curve
    y = np.log(np.clip(np.stack((c.hazard_ratio, c.lower, c.upper)), math.exp(-WIDEST), math.exp(WIDEST)))
    low, high = _range(y)
    y = np.clip(y, low, high)
    across = np.log if log else np.asarray
    x, ends = across(c.value), (float(across(found.low)), float(across(found.high)))
    inside = values[(values >= found.low) & (values <= found.high)]
    counts, edges = np.histogram(across(inside), BARS, ends)
    floor = low - SHARE / (1 - SHARE) * (high - low)
    bars = SHARE * (high - floor) * 0.85 * counts / max(counts.max(), 1)
    data: list[dict[str, Any]] = [
        {
            "type": "bar", "x": (edges[1:] + edges[:-1]) / 2, "y": bars, "base": [floor] * BARS, "hoverinfo": "skip",
            "width": [float(edges[1] - edges[0])] * BARS, "marker": {"color": rgba(p.neutral, 0.35)},
        },
        {
            "type": "scatter", "mode": "lines", "line": {"width": 0}, "fill": "toself", "hoverinfo": "skip",
            "fillcolor": rgba(p.accent, 0.16), "x": np.concatenate((x, x[::-1])),
            "y": np.concatenate((y[2], y[1][::-1])),
        },
        {
            "type": "scatter", "mode": "lines", "line": {"color": p.accent, "width": 2.25}, "x": x, "y": y[0],
            "text": [f"{v:.4g}: {number(r)} ({number(a)} to {number(b)})"
                     for v, r, a, b in zip(c.value, c.hazard_ratio, c.lower, c.upper, strict=True)],
            "hovertemplate": "%{text}<extra></extra>",
        },
        {
            "type": "scatter", "mode": "markers", "x": [float(across(c.reference))], "y": [0.0],
            "marker": {"size": MARKED, "color": p.card, "line": {"color": p.accent, "width": 2}},
            "hovertemplate": "reference<extra></extra>",
        },
    ]  # fmt: skip
    if line is not None:
        straight = np.log(np.clip(line, math.exp(low), math.exp(high)))
        data.insert(2, {
            "type": "scatter", "mode": "lines", "x": x, "y": straight, "hoverinfo": "skip",
            "line": {"color": p.event, "width": 1.6, "dash": "dash"},
        })  # fmt: skip
    shown = [t for t in TICKS if low <= math.log(t) <= high]
    none = {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
            "line": {"color": p.neutral, "width": 1, "dash": "dot"}}  # fmt: skip
    layout = {
        "template": template(mode), "height": height, "margin": {"l": 52, "r": 12, "t": 10, "b": 44}, "bargap": 0,
        "xaxis": {"title": {"text": plain(x_title)}, "fixedrange": True, "range": list(ends)}
        | (_powers(ends) if log else {}),
        "yaxis": {
            "range": [floor, high], "tickvals": [math.log(t) for t in shown], "ticktext": [f"{t:g}" for t in shown],
            "title": {"text": "Hazard ratio"}, "fixedrange": True,
        },
        "shapes": [none],
    }  # fmt: skip
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(data=data, layout=layout, _validate=False)


def _powers(ends: tuple[float, float]) -> dict[str, list]:
    """Ticks of a logarithmic axis: 1, 2 and 5 times powers of ten, or only these where they are many."""
    low, high = (v / math.log(10) for v in ends)
    powers = range(math.floor(low), math.ceil(high) + 1)
    shown = [
        step * 10.0**k
        for k in powers
        for step in ((1, 2, 5) if high - low < 3 else (1,))
        if low - 1e-9 <= math.log10(step) + k <= high + 1e-9
    ]
    shown = shown if len(shown) > 1 else [float(f"{math.exp(v):.3g}") for v in np.linspace(*ends, 4)]
    return {"tickvals": [math.log(v) for v in shown], "ticktext": [f"{v:g}" for v in shown]}


def spline_alt(found: SplineCurve, *, said_at: list[tuple[str, float]]) -> str:
    """The curve in words at some values: what the value is called, and the value."""
    c = found.curve
    told = []
    for name, value in said_at:
        i = int(np.argmin(np.abs(c.value - value)))
        told.append(f"{name}: {number(c.hazard_ratio[i])} ({number(c.lower[i])} to {number(c.upper[i])})")
    return f"Hazard ratio along {found.term}, against {c.reference:g}. {'; '.join(told)}."


def spline_rows(found: SplineCurve, line: np.ndarray | None = None) -> tuple[list[str], list[list]]:
    """The curve, and the line it is held against: header and rows for a file."""
    c = found.curve
    columns = [c.value, c.hazard_ratio, c.lower, c.upper, *([] if line is None else [line])]
    header = [found.term, "hazard ratio", "lower", "upper", *([] if line is None else ["model's line"])]
    return header, [[float(v) for v in each] for each in zip(*columns, strict=True)]


def _range(y: np.ndarray) -> tuple[float, float]:
    """The curve whole, and the band as far as it does not dwarf it."""
    low, high = min(float(y[0].min()), -0.3), max(float(y[0].max()), 0.3)
    span = high - low
    return max(float(y[1].min()), low - span), min(float(y[2].max()), high + span)
