"""What happened to the patients most like this one, against what was predicted for them and for this one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort import Unit
from bedside.report import say
from components.figures.km import nice_times
from components.figures.line_key import LineKey
from components.figures.palette import Mode, Palette, palette, plain, rgba, template

FONT_SIZE = 12
PLOT = 260
HIDDEN = "·"
MOST_STEPS = 300


@dataclass(frozen=True, eq=False)
class SimilarCurves:
    """Shares of patients without the event over time, in the unit they are read in.

    Attributes
    ----------
    time, seen, lower, upper : arrays, shape (s,)
        Observed among the nearest: right-continuous steps with their interval, as far as enough of them remain.
    expected : array, shape (s,)
        What the model said for the same patients, on average.
    own_time, own : arrays
        What the model says of this patient.
    horizon : float
    alive : float
        Where the curves begin: 0, or the time that all of them came through.
    unit : str
    since : str
        Time zero in a word.
    n : int
        How many are nearest.
    ticks : array
        Times under which numbers stand.
    remaining : tuple of int or None
        How many were under observation then; None is not shown.
    level : float
    """

    time: np.ndarray = field(repr=False)
    seen: np.ndarray = field(repr=False)
    lower: np.ndarray = field(repr=False)
    upper: np.ndarray = field(repr=False)
    expected: np.ndarray = field(repr=False)
    own_time: np.ndarray = field(repr=False)
    own: np.ndarray = field(repr=False)
    horizon: float
    alive: float
    unit: Unit
    since: str
    n: int
    ticks: np.ndarray
    remaining: tuple[int | None, ...]
    level: float = 0.95

    @property
    def end(self) -> float:
        """Where the time axis ends."""
        return end_of(float(self.time[-1]), self.horizon)


def end_of(last: float, horizon: float) -> float:
    """Where a time axis ends that shows a curve and a horizon."""
    return max(last, horizon) * 1.02


def ticks_of(last: float, horizon: float, unit: Unit) -> np.ndarray:
    """Round times that fit under the axis."""
    return nice_times(end_of(last, horizon), unit, most=8)


def similar_figure(curves: SimilarCurves, *, mode: Mode = "light") -> go.Figure:
    """Three curves with a key above and numbers of patients below.

    Parameters
    ----------
    curves : SimilarCurves
    mode : {"light", "dark"}
    """
    p, size = palette(mode), FONT_SIZE
    key, foot = LineKey(_names(curves), size), 92
    layout = {
        "template": template(mode), "height": PLOT + key.height + foot,
        "margin": {"l": 48, "r": 10, "t": key.height, "b": foot}, "hovermode": "closest",
        "annotations": [*key.words(p), *_numbers(curves, p, size)],
        "shapes": [*key.pieces(p, PLOT), _horizon(curves, p)],
        "xaxis": {
            "range": [min(curves.alive, 0.0), curves.end], "tickvals": curves.ticks, "fixedrange": True,
            "ticktext": [f"{t:g}" for t in np.round(curves.ticks, 2)], "automargin": False, "showline": True,
            "title": {"text": plain(f"{curves.unit} since {curves.since}")}, "tickfont": {"size": size},
        },
        "yaxis": {
            "range": [0, 1.02], "tickformat": ".0%", "dtick": 0.25, "fixedrange": True, "automargin": False,
            "tickfont": {"size": size},
        },
    }  # fmt: skip
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(data=_traces(curves, p), layout=layout, _validate=False)


def _names(curves: SimilarCurves) -> list[tuple[str, str, str]]:
    """Words of the key, the colour's name and the dash of each line."""
    return [
        (f"what happened to the {curves.n} most alike, with its {curves.level:.0%} interval", "ink", "solid"),
        ("what the model said for them", "muted", "dash"),
        ("what the model says for this patient", "accent", "solid"),
    ]


def _traces(curves: SimilarCurves, p: Palette) -> list[dict[str, Any]]:
    rows = _thinned(len(curves.time))
    x = curves.time[rows]
    low, high = curves.lower[rows], curves.upper[rows]
    known = ~(np.isnan(low) | np.isnan(high))
    edge = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"width": 0, "shape": "hv"}}
    step = {"type": "scatter", "mode": "lines"}
    inside = (curves.own_time >= curves.alive) & (curves.own_time <= curves.end)
    own_rows = np.flatnonzero(inside)[_thinned(int(inside.sum()))]

    def says(who: str) -> str:
        return f"%{{x:.1f}} {curves.unit}: %{{y:.0%}} {who}<extra></extra>"

    return [
        {**edge, "x": x[known], "y": high[known]},
        {**edge, "x": x[known], "y": low[known], "fill": "tonexty", "fillcolor": rgba(p.ink, 0.1)},
        {**step, "x": x, "y": curves.expected[rows], "name": "expected", "hovertemplate": says("predicted for them"),
         "line": {"color": p.muted, "width": 1.75, "dash": "dash", "shape": "hv"}},
        {**step, "x": x, "y": curves.seen[rows], "name": "observed", "hovertemplate": says("of the most alike"),
         "line": {"color": p.ink, "width": 2, "shape": "hv"}},
        {**step, "x": curves.own_time[own_rows], "y": curves.own[own_rows], "name": "this patient",
         "hovertemplate": says("predicted for this patient"),
         "line": {"color": p.accent, "width": 2.5, "shape": "hv"}},
    ]  # fmt: skip


def _thinned(n: int) -> np.ndarray:
    """Places of at most so many steps, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_STEPS)).round().astype(int)) if n else np.zeros(0, dtype=int)


def _numbers(curves: SimilarCurves, p: Palette, size: int) -> list[dict[str, Any]]:
    """How many were under observation at each tick."""
    look = {"yref": "paper", "y": 0, "yanchor": "top", "showarrow": False, "font": {"size": size, "color": p.muted}}
    head = {
        **look, "text": f"still under observation, of {curves.n}", "xref": "paper", "x": 0, "xanchor": "left",
        "xshift": -40, "yshift": -46,
    }  # fmt: skip
    told = [
        {**look, "text": HIDDEN if left is None else f"{left:,}", "x": float(t), "xref": "x", "yshift": -64}
        for t, left in zip(curves.ticks, curves.remaining, strict=True)
        if t >= curves.alive * (1 - 1e-9)
    ]
    return [head, *told]


def _horizon(curves: SimilarCurves, p: Palette) -> dict[str, Any]:
    line = {"color": rgba(p.ink, 0.55), "width": 1.2, "dash": "dot"}
    return {"type": "line", "x0": curves.horizon, "x1": curves.horizon, "y0": 0, "y1": 1, "line": line}


def similar_alt(curves: SimilarCurves) -> str:
    """The figure in words, for a screen reader and for the report."""
    at = curves.horizon
    told = []
    if at <= curves.time[-1] * (1 + 1e-9):
        band = say.percent_range(*(_at(curves.time, y, at) for y in (curves.lower, curves.upper)))
        told.append(f"observed {say.percent(_at(curves.time, curves.seen, at))} ({band})")
        told.append(f"predicted for them {say.percent(_at(curves.time, curves.expected, at))}")
    else:
        told.append(f"not enough of them were followed beyond {say.duration(float(curves.time[-1]), curves.unit)}")
    told.append(f"predicted for this patient {say.percent(_at(curves.own_time, curves.own, at))}")
    return (
        f"Share without the event among the {curves.n} patients most alike. "
        f"At {say.duration(at, curves.unit)}: {'; '.join(told)}."
    )


def similar_rows(curves: SimilarCurves) -> tuple[list[str], list[list]]:
    """The curves of the most alike, and this patient's at the same times: header and rows for a file."""
    own = [_at(curves.own_time, curves.own, float(t)) for t in curves.time]
    columns = [curves.time, curves.seen, curves.lower, curves.upper, curves.expected]
    header = [
        f"time ({curves.unit})", f"observed, {curves.n} most alike", "lower", "upper", "predicted for them",
        "this patient",
    ]  # fmt: skip
    return header, [list(row) for row in zip(*(c.tolist() for c in columns), own, strict=True)]


def _at(time: np.ndarray, values: np.ndarray, at: float) -> float:
    # 1461 days turned into years may be a rounding error short of 4
    return float(values[max(int(np.searchsorted(time, at * (1 + 1e-9), side="right")) - 1, 0)])
