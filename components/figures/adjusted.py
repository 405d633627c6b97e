"""Curves as they were observed, thin and dashed, and as if the groups had been alike, solid with bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort.units import Unit, convert
from bedside.report import say
from bedside.survival import Curve
from bedside.treatment import StandardCurve
from components.figures.km import nice_times
from components.figures.labels import pixels
from components.figures.palette import Mode, palette, plain, rgba, shades, template
from components.figures.steps import drawn_rows, short, spread, staircase

PLOT, HEAD, FOOT = 330, 34, 52
SIZE, TALL, GAP = 12, 15, 0.05
PALE = 0.4
"""What is left of the colour where few patients remain under observation."""


@dataclass(frozen=True, eq=False)
class Line:
    """A curve as it is drawn: steps, in the unit of the axis.

    Attributes
    ----------
    label : str
        Its group.
    time, survival, lower, upper : arrays, shape (n_steps,)
    end : float
        Where follow-up ends.
    sure : float
        Until when ten patients of the group remain under observation.
    """

    label: str
    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    end: float
    sure: float


@dataclass(frozen=True, eq=False)
class Panel:
    """One way of adjusting: its name, and a line a group."""

    title: str
    lines: tuple[Line, ...]


def line_of(curve: Curve, unit: Unit, *, sure: float | None = None) -> Line:
    """A Kaplan-Meier curve, thinned for drawing; `sure` in its own unit."""
    sure = curve.reliable_until(10) if sure is None else sure
    rows = drawn_rows(curve, curve.last)
    time = np.asarray(convert(curve.time[rows], curve.unit, unit), dtype=float)
    ends = [float(convert(t, curve.unit, unit)) for t in (curve.last, sure)]
    return Line(curve.group, time, curve.survival[rows], curve.lower[rows], curve.upper[rows], *ends)


def line_of_standard(curve: StandardCurve, was: Unit, unit: Unit, *, end: float, sure: float) -> Line:
    """A standardised curve; `end` and `sure` in its own unit `was`."""
    time = np.asarray(convert(curve.time, was, unit), dtype=float)
    ends = [float(convert(t, was, unit)) for t in (max(end, float(curve.time[-1])), sure)]
    return Line(curve.label, time, curve.survival, curve.lower, curve.upper, *ends)


def adjusted_figure(
    raw: Sequence[Line], panels: Sequence[Panel], *, unit: Unit, at: float | None = None, band: bool = True,
    mode: Mode = "light", x_title: str = "",
) -> go.Figure:  # fmt: skip
    """A panel for each way of adjusting, with the raw curves behind it in each.

    Parameters
    ----------
    raw : sequence of Line
        A line a group, at least one.
    panels : sequence of Panel
        With groups in the order of `raw`; without any, the raw curves stand alone.
    unit : {"days", "weeks", "months", "years"}
    at : float, optional
        A time to mark.
    band : bool
        Draw the intervals of the adjusted curves.
    mode : {"light", "dark"}
    x_title : str
    """
    p, colours = palette(mode), shades(len(raw), mode)
    until = max(line.end for line in raw) or 1.0
    shown = list(panels) or [Panel("", ())]
    labels = [short(line.label) for line in raw]
    right = pixels(labels, size=SIZE) + 22
    layout: dict[str, Any] = {
        "template": template(mode), "height": PLOT + HEAD + FOOT, "hovermode": "closest", "annotations": [],
        "margin": {"l": 46, "r": right, "t": HEAD, "b": FOOT}, "shapes": [],
    }  # fmt: skip
    data: list[dict[str, Any]] = []
    for i, panel in enumerate(shown):
        name = "" if i == 0 else str(i + 1)
        layout |= _axes(name, _span(i, len(shown)), until, unit, x_title, first=i == 0)
        data += _panel(raw, panel, name, until, colours, band)
        layout["annotations"] += _heads(panel, _span(i, len(shown))[0], p.muted)
        if at is not None and 0 < at <= until:
            layout["shapes"].append(_mark(at, name, p.muted))
    layout["annotations"] += _names(labels, shown[-1].lines or tuple(raw), colours)
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(data=data, layout=layout, _validate=False)


def _span(i: int, n: int) -> tuple[float, float]:
    width = (1 - GAP * (n - 1)) / n
    return i * (width + GAP), i * (width + GAP) + width


def _axes(
    name: str, span: tuple[float, float], until: float, unit: Unit, x_title: str, *, first: bool
) -> dict[str, Any]:
    ticks = nice_times(until, unit, most=9 if span[1] - span[0] > 0.6 else 6)
    return {
        f"xaxis{name}": {
            "range": [0, until], "domain": list(span), "anchor": f"y{name}", "showline": True, "fixedrange": True,
            "tickvals": ticks.tolist(), "ticktext": [f"{t:g}" for t in ticks], "automargin": False,
            "title": {"text": plain(x_title)},
        },
        f"yaxis{name}": {
            "range": [0, 1.005], "anchor": f"x{name}", "fixedrange": True, "automargin": False, "ticks": "",
            "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%", "ticklabelstandoff": 4, "showticklabels": first,
        },
    }  # fmt: skip


def _panel(
    raw: Sequence[Line], panel: Panel, name: str, until: float, colours: Sequence[str], band: bool
) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = []
    axes = {"xaxis": f"x{name}", "yaxis": f"y{name}"}
    if band:
        data += [t | axes for line, colour in zip(panel.lines, colours, strict=False) for t in _band(line, colour)]
    width, dash = (1.3, "4px,3px") if panel.lines else (2.0, "solid")
    for line, colour in zip(raw, colours, strict=True):
        data += [t | axes for t in _steps(line, colour, width, dash, "as observed")]
    for line, colour in zip(panel.lines, colours, strict=False):
        data += [t | axes for t in _steps(line, colour, 2.25, "solid", panel.title.lower())]
    return data


def _steps(line: Line, colour: str, width: float, dash: str, what: str) -> list[dict[str, Any]]:
    """The line as far as ten patients remain, and its paler end."""
    cut = int(np.searchsorted(line.time, line.sure, side="right"))
    cut = max(cut, 1)
    level = line.survival[cut - 1]
    about = {
        "type": "scatter", "mode": "lines", "name": plain(short(line.label)),
        "hovertemplate": f"<b>{plain(line.label, limit=60)}</b>, {plain(what)}<br>%{{x:.2f}}: %{{y:.1%}}"
        "<extra></extra>",
    }  # fmt: skip
    stroke = {"width": width, "dash": dash, "shape": "hv"}
    stop = min(max(line.sure, float(line.time[cut - 1])), line.end)
    solid = about | {
        "x": np.append(line.time[:cut], stop), "y": np.append(line.survival[:cut], level),
        "line": {"color": colour, **stroke},
    }  # fmt: skip
    if line.end <= stop:
        return [solid]
    rest = about | {
        "x": np.concatenate(([stop], line.time[cut:], [line.end])),
        "y": np.concatenate(([level], line.survival[cut:], [line.survival[-1]])),
        "line": {"color": rgba(colour, PALE), **stroke},
    }  # fmt: skip
    return [solid, rest]


def _band(line: Line, colour: str) -> list[dict[str, Any]]:
    """The interval as far as it is known and ten patients remain."""
    known = ~(np.isnan(line.lower) | np.isnan(line.upper)) & (line.time <= line.sure)
    if known.sum() < 2:
        return []
    x, upper = staircase(line.time[known], line.upper[known], max(line.sure, float(line.time[known][-1])))
    lower = staircase(line.time[known], line.lower[known], line.sure)[1]
    return [{
        "type": "scatter", "mode": "lines", "x": np.concatenate((x, x[::-1])),
        "y": np.concatenate((upper, lower[::-1])), "fill": "toself", "fillcolor": rgba(colour, 0.13),
        "line": {"width": 0}, "hoverinfo": "skip",
    }]  # fmt: skip


def _heads(panel: Panel, left: float, colour: str) -> list[dict[str, Any]]:
    text = f"{panel.title}: solid. As observed: dashed" if panel.title else "As observed"
    return [{
        "text": plain(text), "x": left, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper",
        "yanchor": "bottom", "yshift": 8, "showarrow": False, "font": {"color": colour, "size": SIZE},
    }]  # fmt: skip


def _mark(at: float, name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "xref": f"x{name}", "yref": f"y{name}",
        "line": {"color": rgba(colour, 0.6), "width": 1, "dash": "2px,3px"}, "layer": "below",
    }  # fmt: skip


def _names(labels: Sequence[str], lines: Sequence[Line], colours: Sequence[str]) -> list[dict[str, Any]]:
    wanted = np.array([float(line.survival[-1]) for line in lines]) * PLOT
    heights = spread(wanted, gap=TALL, top=max(PLOT, TALL * len(lines))) / PLOT
    return [
        {
            "text": plain(label), "x": 1, "xref": "paper", "xanchor": "left", "xshift": 10, "y": float(height),
            "yref": "paper", "yanchor": "middle", "showarrow": False, "font": {"color": colour, "size": SIZE},
        }
        for label, height, colour in zip(labels, heights, colours, strict=True)
    ]  # fmt: skip


def adjusted_alt(raw: Sequence[Line], panels: Sequence[Panel], at: float, unit: Unit) -> str:
    """The figure in a few sentences: each group at one time, as observed and adjusted."""
    when = say.duration(at, unit)
    told = [_said("as observed", raw, at), *(_said(panel.title.lower(), panel.lines, at) for panel in panels)]
    return f"Curves of {len(raw)} groups; free of the event at {when}: {'. '.join(told)}."


def _said(what: str, lines: Sequence[Line], at: float) -> str:
    return f"{what}: " + ", ".join(f"{line.label} {say.percent(_at(line, at))}" for line in lines)


def _at(line: Line, at: float) -> float:
    if at > line.end * (1 + 1e-9):
        return float("nan")
    return float(line.survival[max(int(np.searchsorted(line.time, at * (1 + 1e-9), side="right")) - 1, 0)])


def adjusted_rows(
    raw: Sequence[Curve], weighted: Sequence[Curve], standard: Sequence[StandardCurve], was: Unit, unit: Unit
) -> tuple[list[str], list[list[object]]]:
    """Every step of every curve, unrounded: how it was made, group, time, survival and interval."""
    parts = [("as observed", c.group, c) for c in raw] + [("weighted", c.group, c) for c in weighted]
    parts += [("standardised", c.label, c) for c in standard]
    rows: list[list[object]] = []
    for what, group, curve in parts:
        times = np.asarray(convert(curve.time, was, unit), dtype=float).tolist()
        values = (curve.survival.tolist(), curve.std_err.tolist(), curve.lower.tolist(), curve.upper.tolist())
        rows += [[what, group, *row] for row in zip(times, *values, strict=True)]
    return ["Curve", "Group", f"Time ({unit})", "Survival", "Standard error", "Lower limit", "Upper limit"], rows
