"""Do the predicted risks come true? Predicted against observed, by fifth of risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from bedside.report.say import events, patients, percent_range
from components.figures.palette import Mode, palette, template

if TYPE_CHECKING:
    from bedside.risk import CalibrationPoint


def calibration_figure(points: Sequence[CalibrationPoint], *, mode: Mode = "light", height: int = 320) -> go.Figure:
    """Mean predicted against observed risk of each group, with the interval of the observed one.

    Parameters
    ----------
    points : sequence of CalibrationPoint
        Groups in order of predicted risk; risks as shares of 1, interval NaN where there is none.
    mode : {"light", "dark"}
    height : int
        Pixels.
    """
    p = palette(mode)
    top = _top(points)
    fig = go.Figure(layout={"template": template(mode)})
    fig.add_scatter(
        x=[0, top], y=[0, top], mode="lines", line={"color": p.neutral, "width": 1.2, "dash": "dash"},
        hoverinfo="skip",
    )  # fmt: skip
    known = [(c.observed, c.lower, c.upper) for c in points]
    fig.add_scatter(
        x=[c.predicted for c in points], y=[c.observed for c in points], mode="markers",
        marker={"size": 10, "color": p.accent, "line": {"color": p.card, "width": 1.5}},
        error_y={
            "type": "data", "symmetric": False, "color": p.accent, "thickness": 1.5, "width": 4,
            "array": [max(u - o, 0) if u == u else 0 for o, _, u in known],
            "arrayminus": [max(o - low, 0) if low == low else 0 for o, low, _ in known],
        },
        customdata=[[patients(c.n), events(c.events), _interval(c)] for c in points],
        hovertemplate="predicted %{x:.0%}, observed %{y:.0%} (%{customdata[2]})<br>"
        "%{customdata[0]}, %{customdata[1]} by then<extra></extra>",
    )  # fmt: skip
    fig.add_annotation(
        x=top, y=top, text="as predicted", showarrow=False, xanchor="right", yanchor="bottom", xshift=-10, yshift=-2,
        textangle=0, font={"size": 11, "color": p.muted},
    )  # fmt: skip
    axis = {
        "range": [-0.02 * top, top * 1.04], "tickformat": ".0%", "tick0": 0, "dtick": _tick(top), "fixedrange": True,
    }  # fmt: skip
    fig.update_xaxes(title="Predicted risk", **axis)
    fig.update_yaxes(title="Observed risk", **axis)
    fig.update_layout(height=height, margin={"l": 56, "r": 12, "t": 12, "b": 44})
    return fig


def calibration_alt(points: Sequence[CalibrationPoint]) -> str:
    """Every group in words, for a screen reader and for the report."""
    told = "; ".join(
        f"{patients(c.n)}, {events(c.events)} by then: predicted {c.predicted:.0%}, {_observed(c)}" for c in points
    )
    return f"Calibration in {len(points)} groups of predicted risk. {told}."


def calibration_rows(points: Sequence[CalibrationPoint]) -> tuple[list[str], list[list]]:
    """The groups: header and rows for a file."""
    header = ["group", "patients", "events", "predicted risk", "observed risk", "lower", "upper"]
    rows = [[i, c.n, c.events, c.predicted, c.observed, c.lower, c.upper] for i, c in enumerate(points, 1)]
    return header, rows


def _interval(point: CalibrationPoint) -> str:
    if math.isnan(point.lower) or math.isnan(point.upper) or point.lower == point.upper:
        return "no interval"
    return f"95% interval {percent_range(point.lower, point.upper)}"


def _observed(point: CalibrationPoint) -> str:
    if math.isnan(point.observed):
        return "observed not known, follow-up is too short"
    return f"observed {point.observed:.0%} ({_interval(point)})"


def _tick(top: float) -> float:
    """Distance of the ticks on both axes."""
    return next(step for end, step in ((0.11, 0.02), (0.21, 0.05), (0.61, 0.1), (1.01, 0.25)) if top < end)


def _top(points: Sequence[CalibrationPoint]) -> float:
    """End of both axes: the largest value, rounded up to the next tenth, at least a tenth."""
    values = [v for c in points for v in (c.predicted, c.observed, c.upper) if not math.isnan(v)]
    return min(1.0, max(0.1, math.ceil(10 * max(values, default=1.0)) / 10))
