"""Do the predicted risks come true? A smooth curve with its band, groups, and how many patients have which risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go

from bedside.report.say import events, patients, percent_range
from bedside.validation import CalibrationGroup
from bedside.validation.calibration_curve import SmoothCalibration
from components.figures.palette import Mode, palette, rgba, template

BINS = 40
PLOT, HISTOGRAM = (0.2, 1.0), (0.0, 0.14)
"""Parts of the height: the curve, and below it the patients."""
TICKS = ((0.11, 0.02), (0.21, 0.05), (0.61, 0.1), (1.01, 0.25))


class Curved(Protocol):
    """What is drawn of a model's calibration."""

    @property
    def label(self) -> str: ...
    @property
    def groups(self) -> tuple[CalibrationGroup, ...]: ...
    @property
    def smooth(self) -> SmoothCalibration | None: ...


def calibration_curve_figure(
    found: Curved, risk: np.ndarray, *, colour: str, mode: Mode = "light", height: int = 400
) -> go.Figure:
    """Predicted against observed risk by a time.

    Parameters
    ----------
    found : Curved
        E.g. `bedside.validation.Calibrated`.
    risk : array, shape (n,)
        Each patient's predicted risk, for the histogram.
    colour : str
        Of the model, as in the page's other figures.
    mode : {"light", "dark"}
    height : int
        Pixels.
    """
    p = palette(mode)
    top = _top(found, risk)
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": [0, top], "y": [0, top], "hoverinfo": "skip",
         "line": {"color": p.neutral, "width": 1.2, "dash": "dash"}},
        *_curve(found, top, colour), _groups(found.groups, colour, p.card), _histogram(risk, top, p.neutral),
    ]  # fmt: skip
    tick = next(step for end, step in TICKS if top < end)
    ends = {"tickformat": ".0%", "tick0": 0, "dtick": tick, "fixedrange": True}
    return go.Figure(
        data=data,
        layout={
            "template": template(mode), "height": height, "margin": {"l": 56, "r": 14, "t": 12, "b": 44},
            "hovermode": "closest",
            "xaxis": {"range": [-0.02 * top, 1.02 * top], "title": {"text": "Predicted risk"}, "anchor": "y2", **ends},
            "yaxis": {"range": [-0.02 * top, 1.04 * top], "title": {"text": "Observed risk"}, "domain": list(PLOT),
                      **ends},
            "yaxis2": {"domain": list(HISTOGRAM), "visible": False, "fixedrange": True, "rangemode": "tozero"},
            "annotations": [
                {"x": top, "y": top, "text": "as predicted", "showarrow": False, "xanchor": "right",
                 "yanchor": "bottom", "xshift": -14, "yshift": -4, "font": {"size": 11, "color": p.muted}},
                {"x": 1, "xref": "paper", "y": HISTOGRAM[1], "yref": "paper", "text": "patients by predicted risk",
                 "showarrow": False, "xanchor": "right", "yanchor": "bottom", "yshift": 1,
                 "font": {"size": 11, "color": p.muted}},
            ],
        },
    )  # fmt: skip


def calibration_curve_alt(found: Curved) -> str:
    """Every group, and how far the curve is from what was predicted, in words."""
    told = "; ".join(
        f"{patients(g.n)}, {events(g.n_events)} by then: predicted {g.predicted:.0%}, {_observed(g)}"
        for g in found.groups
    )
    off = "" if found.smooth is None else f" On average the curve is {100 * found.smooth.ici:.1f} points off."
    return f"{found.label}, calibration in {len(found.groups)} groups of predicted risk. {told}.{off}"


def calibration_curve_rows(found: Curved) -> tuple[list[str], list[list[object]]]:
    """Groups, then the curve: header and rows for a file."""
    header = ["what", "patients", "events", "predicted risk", "observed risk", "lower", "upper"]
    rows: list[list[object]] = [
        ["group", g.n, g.n_events, g.predicted, g.observed, g.lower, g.upper] for g in found.groups
    ]
    if found.smooth is not None:
        s = found.smooth
        points = zip(s.predicted, s.observed, s.lower, s.upper, strict=True)
        rows += [["curve", None, None, *map(float, point)] for point in points]
    return header, rows


def _curve(found: Curved, top: float, colour: str) -> list[dict[str, Any]]:
    smooth = found.smooth
    if smooth is None:
        return []
    x, y = smooth.predicted, smooth.observed
    band = {
        "type": "scatter", "mode": "lines", "fill": "toself", "fillcolor": rgba(colour, 0.16), "line": {"width": 0},
        "x": np.concatenate((x, x[::-1])), "hoverinfo": "skip",
        "y": np.minimum(np.concatenate((smooth.upper, smooth.lower[::-1])), 1.04 * top),
    }  # fmt: skip
    says = [percent_range(low, high) for low, high in zip(smooth.lower, smooth.upper, strict=True)]
    line = {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": colour, "width": 2.25}, "text": says,
        "hovertemplate": "predicted %{x:.0%}, observed about %{y:.0%} (%{text})<extra></extra>",
    }  # fmt: skip
    return [band, line]


def _groups(groups: Sequence[CalibrationGroup], colour: str, ground: str) -> dict[str, Any]:
    def reach(far: float, near: float) -> float:
        return max(far - near, 0.0) if math.isfinite(far) else 0.0

    return {
        "type": "scatter", "mode": "markers", "x": [g.predicted for g in groups], "y": [g.observed for g in groups],
        "marker": {"size": 9, "color": colour, "line": {"color": ground, "width": 1.5}},
        "error_y": {
            "type": "data", "symmetric": False, "color": colour, "thickness": 1.3, "width": 3,
            "array": [reach(g.upper, g.observed) for g in groups],
            "arrayminus": [reach(g.observed, g.lower) for g in groups],
        },
        "customdata": [[patients(g.n), events(g.n_events), _interval(g)] for g in groups],
        "hovertemplate": "predicted %{x:.0%}, observed %{y:.0%} (%{customdata[2]})<br>"
        "%{customdata[0]}, %{customdata[1]} by then<extra></extra>",
    }  # fmt: skip


def _histogram(risk: np.ndarray, top: float, colour: str) -> dict[str, Any]:
    counts, edges = np.histogram(np.minimum(risk, top), bins=BINS, range=(0, top))
    return {
        "type": "bar", "x": (edges[:-1] + edges[1:]) / 2, "y": counts, "width": float(edges[1]) * 0.9, "yaxis": "y2",
        "marker": {"color": rgba(colour, 0.7)}, "hovertemplate": "%{y} patients at about %{x:.0%}<extra></extra>",
    }  # fmt: skip


def _interval(group: CalibrationGroup) -> str:
    if math.isnan(group.lower) or math.isnan(group.upper) or group.lower == group.upper:
        return "no interval"
    return f"95% interval {percent_range(group.lower, group.upper)}"


def _observed(group: CalibrationGroup) -> str:
    if math.isnan(group.observed):
        return "observed not known, follow-up is too short"
    return f"observed {group.observed:.0%} ({_interval(group)})"


def _top(found: Curved, risk: np.ndarray) -> float:
    """End of both axes: what the groups and nearly all risks reach, rounded up to the next tenth."""
    values = [v for g in found.groups for v in (g.predicted, g.observed, g.upper) if math.isfinite(v)]
    values.append(float(np.max(risk, initial=0.0)))
    return min(1.0, max(0.1, math.ceil(10 * max(values)) / 10))
