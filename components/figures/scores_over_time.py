"""A measure of several models by the time of their risks, with its spread over folds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from components.figures.palette import Mode, dashes, palette, plain, rgba, shades, template


@dataclass(frozen=True, eq=False)
class Course:
    """One model's measure at each time.

    Attributes
    ----------
    label : str
    times, mean, sd : arrays, shape (t,)
        Times in the unit of the axis; NaN where there is no value.
    place : int
        Which of the page's colours it has; -1 for the baseline, which has none.
    """

    label: str
    times: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    place: int


def over_time_figure(
    courses: Sequence[Course], *, unit: str, y_title: str, when: float, mode: Mode = "light", height: int = 320
) -> go.Figure:
    """A line a model; the band of one SD where there are few.

    Parameters
    ----------
    courses : sequence of Course
        At least one.
    unit, y_title : str
    when : float
        The time that the page is about, marked by a line.
    mode : {"light", "dark"}
    height : int
        Pixels.
    """
    p = palette(mode)
    colours, styles = shades(8, mode), dashes(8)
    low, high = _ends(courses)
    data: list[dict[str, Any]] = []
    for course in courses:
        colour = p.muted if course.place < 0 else colours[course.place]
        style = "dash" if course.place < 0 else styles[course.place]
        if course.place == 0 and np.isfinite(course.sd).any():
            data.append(_band(course, colour))
        data.append({
            "type": "scatter", "mode": "lines+markers", "x": course.times, "y": course.mean,
            "name": plain(course.label), "line": {"color": colour, "width": 2, "dash": style},
            "marker": {"size": 6, "color": colour}, "customdata": [_spread(sd) for sd in course.sd],
            "hovertemplate": f"<b>{plain(course.label)}</b><br>%{{x:.3g}} {unit}: %{{y:.3f}} %{{customdata}}"
            "<extra></extra>",
        })  # fmt: skip
    names = [c.label for c in courses]
    lines = math.ceil(len(names) / 2)
    return go.Figure(
        data=data,
        layout={
            "template": template(mode), "height": height + 18 * lines, "hovermode": "closest",
            "margin": {"l": 52, "r": 14, "t": 30 + 18 * lines, "b": 44},
            "xaxis": {"title": {"text": f"Within how many {unit}"}, "fixedrange": True, "rangemode": "tozero"},
            "yaxis": {"range": [low, high], "fixedrange": True},
            "shapes": [{"type": "line", "x0": when, "x1": when, "y0": low, "y1": high, "layer": "below",
                        "line": {"color": p.line, "width": 2}}],
            "annotations": [
                {"text": y_title, "x": 0, "xref": "paper", "xanchor": "left", "xshift": -40, "y": 1, "yref": "paper",
                 "yanchor": "bottom", "yshift": 8 + 18 * lines, "showarrow": False,
                 "font": {"size": 12, "color": p.muted}},
                *(_name(c, i, lines, colours, p.muted) for i, c in enumerate(courses)),
            ],
        },
    )  # fmt: skip


def over_time_alt(courses: Sequence[Course], *, unit: str, what: str) -> str:
    """Each model's values in words."""
    told = []
    for course in courses:
        points = ", ".join(
            f"{t:g} {unit} {mean:.3f}" for t, mean in zip(course.times, course.mean, strict=True) if math.isfinite(mean)
        )
        told.append(f"{course.label}: {points or 'no value'}")
    return f"{what} by time. {'. '.join(told)}."


def over_time_rows(courses: Sequence[Course], unit: str) -> tuple[list[str], list[list[object]]]:
    """Each model and time: header and rows for a file."""
    rows: list[list[object]] = [
        [course.label, float(t), float(mean), float(sd)]
        for course in courses
        for t, mean, sd in zip(course.times, course.mean, course.sd, strict=True)
    ]
    return ["model", f"time ({unit})", "mean", "SD over folds"], rows


def _band(course: Course, colour: str) -> dict[str, Any]:
    known = np.isfinite(course.mean) & np.isfinite(course.sd)
    x, low, high = course.times[known], (course.mean - course.sd)[known], (course.mean + course.sd)[known]
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "fillcolor": rgba(colour, 0.12), "line": {"width": 0},
        "x": np.concatenate((x, x[::-1])), "y": np.concatenate((high, low[::-1])), "hoverinfo": "skip",
    }  # fmt: skip


def _name(course: Course, i: int, lines: int, colours: Sequence[str], muted: str) -> dict[str, Any]:
    """Names in the colours of their lines, two in a row above the plot."""
    return {
        "text": f"━ {plain(course.label)}" if course.place >= 0 else f"╍ {plain(course.label)}", "x": 0.52 * (i % 2),
        "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom",
        "yshift": 6 + 18 * (lines - 1 - i // 2), "showarrow": False,
        "font": {"size": 12, "color": muted if course.place < 0 else colours[course.place]},
    }  # fmt: skip


def _spread(sd: float) -> str:
    return f"± {sd:.3f}" if math.isfinite(sd) else ""


def _ends(courses: Sequence[Course]) -> tuple[float, float]:
    values = [v for c in courses for v in (*(c.mean - np.nan_to_num(c.sd)), *c.mean, *(c.mean + np.nan_to_num(c.sd)))
              if math.isfinite(v) and (c.place <= 0 or v in c.mean)]  # fmt: skip
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.08 * max(high - low, 0.02)
    return max(low - room, 0.0), min(high + room, 1.0)
