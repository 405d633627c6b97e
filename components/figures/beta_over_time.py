"""How a hazard ratio moves over time: residuals of each event, a smooth through them, and the model's one value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from bedside.report import say
from components.figures.palette import Mode, palette, plain, rgba, template

if TYPE_CHECKING:
    from bedside.regression.zph import BetaOverTime

DOTS, MOST_TICKS = 400, 9
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def beta_figure(
    series: BetaOverTime, *, per_unit: float = 1.0, x_title: str = "", single: bool = True, mode: Mode = "light",
    height: int = 300,
) -> go.Figure:  # fmt: skip
    """The coefficient over time: of one column as a hazard ratio, of a term with several relative to the model's.

    Parameters
    ----------
    series : BetaOverTime
    per_unit : float
        Shown time units in one of the outcome's.
    x_title : str
    single : bool
        True if the term has one column: then the axis is the hazard ratio, logarithmic.
    mode : {"light", "dark"}
    height : int
        In px.
    """
    p = palette(mode)
    low, high = _range(series)
    data: list[dict[str, Any]] = [_dots(series, per_unit, (low, high), p.neutral)]
    x = series.smooth_time * per_unit
    if len(x):
        lower, upper = np.clip(series.lower, low, high), np.clip(series.upper, low, high)
        data += [
            {
                "type": "scatter", "mode": "lines", "line": {"width": 0}, "fill": "toself",
                "fillcolor": rgba(p.accent, 0.16), "hoverinfo": "skip", "x": np.concatenate((x, x[::-1])),
                "y": np.concatenate((upper, lower[::-1])),
            },
            {
                "type": "scatter", "mode": "lines", "line": {"color": p.accent, "width": 2.25}, "x": x,
                "y": np.clip(series.smooth, low, high), "text": [_say(v, single) for v in series.smooth],
                "hovertemplate": "%{text}<extra></extra>",
            },
        ]  # fmt: skip
    ends = [float(v) for v in (series.time.min() * per_unit, series.time.max() * per_unit)] if len(series.time) else []
    if ends:
        data.append(_flat(ends, series.estimate, p.event, "dash"))
        data.append(_flat(ends, 0.0, p.neutral, "dot"))
    axis: dict[str, Any] = {
        "range": [low, high], "fixedrange": True, "title": {"text": "Ratio to the model's one value<br>(log scale)"},
    }  # fmt: skip
    if single:
        shown = _ticks(low, high)
        axis |= {
            "tickvals": [math.log(t) for t in shown], "ticktext": [f"{t:g}" for t in shown],
            "title": {"text": "Hazard ratio at that time"},
        }  # fmt: skip
    layout = {
        "template": template(mode), "height": height, "margin": {"l": 52, "r": 12, "t": 10, "b": 44},
        "xaxis": {"title": {"text": plain(x_title)}, "fixedrange": True}, "yaxis": axis,
    }  # fmt: skip
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(data=data, layout=layout, _validate=False)


def beta_alt(series: BetaOverTime, *, single: bool = True) -> str:
    """The curve in words."""
    ends = series.early_and_late
    start = f"{series.term} over time, {len(series.time)} events"
    if ends is None:
        return f"{start}; too few for a curve. In the model {_say(series.estimate, single)}."
    lower, upper = (
        np.interp(np.quantile(series.scaled_time, (0.25, 0.75)), series.smooth_scaled, band)
        for band in (series.lower, series.upper)
    )
    early, late = (
        f"{_say(v, single)} ({_short(a, single)} to {_short(b, single)})"
        for v, a, b in zip(ends, lower, upper, strict=True)
    )
    return f"{start}: about {early} early and {late} late; in the model {_say(series.estimate, single)}."


def beta_rows(series: BetaOverTime, *, unit: str, per_unit: float = 1.0) -> tuple[list[str], list[list]]:
    """Every residual, then the smooth: header and rows for a file."""
    header = ["kind", f"time ({unit})", "log hazard ratio", "lower", "upper"]
    rows = [["event", t * per_unit, b, None, None] for t, b in zip(series.time, series.beta, strict=True)]
    smooth = zip(series.smooth_time * per_unit, series.smooth, series.lower, series.upper, strict=True)
    return header, rows + [["smooth", *map(float, each)] for each in smooth]


def _say(value: float, single: bool) -> str:
    return f"hazard ratio {_short(value, single)}" if single else f"{value:.1f} times the model's"


def _short(value: float, single: bool) -> str:
    """A ratio as far as a smooth can tell it: no digits where there is no precision."""
    if not single:
        return f"{value:.1f}"
    ratio = math.exp(min(value, 50.0))
    return "over 100" if ratio > 100 else "under 0.01" if ratio < 0.01 else say.number_of(ratio, decimals=2)


def _range(series: BetaOverTime) -> tuple[float, float]:
    """All of the curve, its band but for the ends, and the dots that are near; dots alone where there is no curve."""
    values = [-0.3, 0.3, series.estimate]
    known = series.beta[np.isfinite(series.beta)]
    if len(known) and not len(series.smooth):
        values += [float(v) for v in np.quantile(known, (0.1, 0.9))]
    if len(series.smooth):
        values += [float(series.smooth.min()), float(series.smooth.max())]
        middle = slice(len(series.lower) // 8, -(len(series.lower) // 8) or None)
        values += [float(series.lower[middle].min()), float(series.upper[middle].max())]
    low, high = min(values), max(values)
    room = 0.25 * (high - low)
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """At most about eight, whatever the range."""
    shown = [t for t in TICKS if low <= math.log(t) <= high]
    if len(shown) <= MOST_TICKS and high - low < math.log(1e4):
        return shown
    first, last = math.ceil(low / math.log(10)), math.floor(high / math.log(10))
    return [10.0**k for k in range(first, last + 1, max(1, (last - first) // 6))]


def _dots(series: BetaOverTime, per_unit: float, ends: tuple[float, float], colour: str) -> dict[str, Any]:
    inside = np.flatnonzero((series.beta >= ends[0]) & (series.beta <= ends[1]))
    kept = inside[np.unique(np.linspace(0, len(inside) - 1, min(len(inside), DOTS)).astype(int))] if len(inside) else []
    return {
        "type": "scatter", "mode": "markers", "x": series.time[kept] * per_unit, "y": series.beta[kept],
        "marker": {"size": 4, "color": rgba(colour, 0.45)}, "hoverinfo": "skip",
    }  # fmt: skip


def _flat(ends: list[float], y: float, colour: str, dash: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": ends, "y": [y, y], "hoverinfo": "skip",
            "line": {"color": colour, "width": 1.4, "dash": dash}}  # fmt: skip
