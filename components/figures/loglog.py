"""log(-log S) against the logarithm of time: parallel where hazards are proportional."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from bedside.cohort.units import Unit
from bedside.survival import Curve
from bedside.survival.view import view
from components.figures.labels import pixels
from components.figures.palette import Mode, dashes, plain, rgba, shades, template
from components.figures.steps import short, spread

SIZE, TALL, MOST = 12, 15, 400
TIMES = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 90, 180, 365, 730, 1825, 3650)


def loglog_figure(
    curves: Sequence[Curve], *, band: bool = True, until: float | None = None, mode: Mode = "light", height: int = 340,
    x_title: str = "",
) -> go.Figure:  # fmt: skip
    """One line a group; a group in which nothing happened has none.

    Parameters
    ----------
    curves : sequence of Curve
        In one unit.
    band : bool, default True
        Draw the pointwise intervals.
    until : float, optional
        End of the time axis, in the curves' unit.
    mode : {"light", "dark"}
    height : int
        In px.
    x_title : str
        ``"Years since surgery"``.
    """
    n = len(curves)
    colours, styles = shades(n, mode), dashes(n)
    right = pixels([short(c.group) for c in curves], size=SIZE) + 16 if n > 1 else 12
    data, ends = [], []
    for i, curve in enumerate(curves):
        v = view(curve, "complementary-log-log")
        rows = _drawn(v.x, v.y, None if until is None else math.log(until))
        if not len(rows):
            continue
        x, y, low, high = (a[rows] for a in (v.x, v.y, v.lower, v.upper))
        if band and len(x) > 1:
            data += _band(x, low, high, rgba(colours[i], max(0.05, 0.16 / n**0.5)))
        data.append(
            {
                "type": "scatter", "mode": "lines", "x": x, "y": y, "name": plain(short(curve.group)),
                "line": {"color": colours[i], "width": 2.25, "dash": styles[i], "shape": "hv"},
                "text": [f"{math.exp(t):.3g} {curve.unit}" for t in x],
                "hovertemplate": f"<b>{plain(curve.group, limit=60)}</b><br>%{{text}}: %{{y:.2f}}<extra></extra>",
            }
        )  # fmt: skip
        ends.append((i, float(y[-1])))
    layout = {
        "template": template(mode), "height": height, "margin": {"l": 48, "r": right, "t": 14, "b": 44},
        "xaxis": _ticks(data, curves[0].unit) | {"title": {"text": plain(x_title)}, "fixedrange": True},
        "yaxis": {"title": {"text": "log(−log S)"}, "fixedrange": True, "range": _reach(data)},
        "annotations": _names(curves, ends, colours, _reach(data), height) if n > 1 else [],
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def _drawn(x: np.ndarray, y: np.ndarray, until: float | None) -> np.ndarray:
    """Rows where the line moves, thinned to what a screen can show."""
    inside = np.ones(len(x), dtype=bool) if until is None else x <= until
    moves = np.concatenate(([True], np.diff(y) != 0))[: len(x)]
    rows = np.flatnonzero(inside & moves)
    kept = np.linspace(0, len(rows) - 1, min(len(rows), MOST)).round().astype(int)
    return rows[np.unique(kept)] if len(rows) else rows


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray, fill: str) -> list[dict]:
    known = np.isfinite(low) & np.isfinite(high)
    x, low, high = np.repeat(x[known], 2)[1:], np.repeat(low[known], 2)[:-1], np.repeat(high[known], 2)[:-1]
    outline = {"x": np.concatenate((x, x[::-1])), "y": np.concatenate((high, low[::-1]))}
    return [{"type": "scatter", "mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": fill,
             "hoverinfo": "skip", **outline}]  # fmt: skip


def _ticks(data: Sequence[dict], unit: Unit) -> dict:
    values = np.concatenate([d["x"] for d in data if "name" in d]) if data else np.array([0.0, 1.0])
    low, high = math.exp(values.min()), math.exp(values.max())
    shown = [t for t in TIMES if low * 0.99 <= t <= high * 1.01] or [low, high]
    return {"tickvals": [math.log(t) for t in shown], "ticktext": [f"{t:.3g}" for t in shown]}


def _reach(data: Sequence[dict]) -> tuple[float, float]:
    """From where to where the vertical axis goes: everything drawn, and a little room."""
    values = np.concatenate([d["y"] for d in data]) if data else np.array([-1.0, 0.0])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def _names(
    curves: Sequence[Curve], ends: Sequence[tuple[int, float]], colours: Sequence[str], reach: tuple[float, float],
    height: int,
) -> list[dict]:  # fmt: skip
    """Each group's name at the right, as high as its line ends, moved apart where they would touch."""
    if not ends:
        return []
    low, high = reach
    inner = height - 58
    wanted = np.array([(y - low) / (high - low) * inner for _, y in ends])
    places = spread(wanted, gap=TALL, top=max(inner, TALL * len(ends))) / inner
    return [
        {
            "text": plain(short(curves[i].group)), "x": 1, "xref": "paper", "xanchor": "left", "xshift": 8,
            "y": float(place), "yref": "paper", "yanchor": "middle", "showarrow": False,
            "font": {"color": colours[i], "size": SIZE},
        }
        for (i, _), place in zip(ends, places, strict=True)
    ]  # fmt: skip
