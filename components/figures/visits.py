"""A patient's visits: what was measured, against what is usual, and the risk as each visit updated it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort import Unit
from bedside.report import say
from components.figures.line_key import LineKey
from components.figures.palette import Mode, Palette, palette, plain, rgba, template

COLUMNS = 3
CELL, TITLE, GAP = 104, 40, 26
ACROSS = 0.075
PLOT, FONT = 270, 12
Mark = tuple[float, str]
"""A time and what it was."""


@dataclass(frozen=True, eq=False)
class Measured:
    """One measurement at a patient's visits, in order of time.

    Attributes
    ----------
    label, unit : str
    time : array, shape (v,)
        In the unit that is read.
    value : array, shape (v,)
        Known ones only; a level is its place among `levels`.
    said : tuple of str
        Each in words.
    low, high : float
        What is usual; NaN where that end is open or not known.
    usual : str
        The same in words; empty where it is not known.
    levels : tuple of str
        Of a measurement that is no number.
    """

    label: str
    unit: str
    time: np.ndarray = field(repr=False)
    value: np.ndarray = field(repr=False)
    said: tuple[str, ...]
    low: float = nan
    high: float = nan
    usual: str = ""
    levels: tuple[str, ...] = ()

    @property
    def side(self) -> np.ndarray:
        """-1 below what is usual, 1 above, 0 within or not known, shape (v,)."""
        return np.where(self.value < self.low, -1, np.where(self.value > self.high, 1, 0))

    @property
    def reach(self) -> tuple[float, float]:
        """Ends of the vertical axis."""
        if self.levels:
            return -0.35, len(self.levels) - 0.35
        held = [*self.value.tolist(), *(end for end in (self.low, self.high) if isfinite(end))]
        low, high = min(held), max(held)
        room = 0.12 * ((high - low) or abs(high) or 1.0)
        return low - room, high + room


def measured_figure(
    measured: Sequence[Measured],
    *,
    end: float,
    unit: Unit,
    since: str,
    marks: Sequence[Mark] = (),
    mode: Mode = "light",
) -> go.Figure:
    """Small pictures on one time axis, three in a row; what is unusual has another shape.

    Parameters
    ----------
    measured : sequence of Measured
        At least one.
    end : float
        Where the time axis ends, in `unit`.
    marks : sequence of (time, words)
        What happened, drawn as lines.
    """
    p = palette(mode)
    deep = -(-len(measured) // COLUMNS)
    inner = deep * (CELL + TITLE + GAP)
    layout: dict[str, Any] = {
        "template": template(mode), "height": inner + 30, "margin": {"l": 40, "r": 10, "t": 4, "b": 26},
        "hovermode": "closest", "annotations": [], "shapes": [],
    }  # fmt: skip
    data = []
    start = min([0.0, *(float(each.time.min()) for each in measured)])
    for i, each in enumerate(measured):
        name = "" if i == 0 else str(i + 1)
        left, top = (i % COLUMNS) * (1 + ACROSS) / COLUMNS, 1 - (i // COLUMNS) * (CELL + TITLE + GAP) / inner
        right = left + (1 + ACROSS) / COLUMNS - ACROSS
        foot = top - (CELL + TITLE) / inner
        low, high = each.reach
        layout[f"xaxis{name}"] = {
            "domain": [left, min(right, 1.0)], "anchor": f"y{name}", "range": [start - 0.02 * end, end], "nticks": 5,
            "fixedrange": True, "automargin": False, "tickfont": {"size": 11}, "showline": True,
        }  # fmt: skip
        layout[f"yaxis{name}"] = {
            "domain": [max(foot, 0.0), top - TITLE / inner], "anchor": f"x{name}", "range": [low, high], "nticks": 5,
            "fixedrange": True, "automargin": False, "tickfont": {"size": 11}, "showticklabels": not each.levels,
            **({"tickvals": list(range(len(each.levels)))} if each.levels else {}),
        }  # fmt: skip
        layout["annotations"] += [*_title(each, left, top, p), *_levels(each, name, p)]
        layout["shapes"] += [*_usual(each, name, p), *(_line(at, name, p) for at, _ in marks)]
        data.append(_points(each, name, unit, p))
    layout["annotations"].append(
        {"text": plain(f"{unit} since {since}"), "x": 0.5, "xref": "paper", "y": 0, "yref": "paper", "yanchor": "top",
         "yshift": -4, "showarrow": False, "font": {"size": 12, "color": p.muted}}
    )  # fmt: skip
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(data=data, layout=layout, _validate=False)


def _title(each: Measured, left: float, top: float, p: Palette) -> list[dict[str, Any]]:
    look = {"x": left, "xref": "paper", "y": top, "yref": "paper", "xanchor": "left", "yanchor": "top",
            "showarrow": False, "align": "left"}  # fmt: skip
    aside = ", ".join(part for part in (each.unit, each.usual and f"usual {each.usual}") if part)
    return [
        {**look, "text": f"<b>{plain(each.label, limit=20)}</b>", "font": {"size": 12, "color": p.ink}},
        {**look, "text": plain(aside, limit=34), "yshift": -16, "font": {"size": 11, "color": p.muted}},
    ]


def _levels(each: Measured, name: str, p: Palette) -> list[dict[str, Any]]:
    """Names of levels stand inside, above their line: beside it there is no room."""
    return [
        {"text": plain(level, limit=24), "xref": f"x{name} domain", "x": 0, "xanchor": "left", "yref": f"y{name}",
         "y": k, "yanchor": "bottom", "showarrow": False, "font": {"size": 10, "color": p.muted}}
        for k, level in enumerate(each.levels)
    ]  # fmt: skip


def _usual(each: Measured, name: str, p: Palette) -> list[dict[str, Any]]:
    if not each.usual:
        return []
    low, high = each.reach
    ends = (each.low if isfinite(each.low) else low, each.high if isfinite(each.high) else high)
    return [
        {"type": "rect", "xref": f"x{name} domain", "x0": 0, "x1": 1, "yref": f"y{name}", "y0": ends[0], "y1": ends[1],
         "fillcolor": rgba(p.event_free, 0.45), "line": {"width": 0}, "layer": "below"}
    ]  # fmt: skip


def _line(at: float, name: str, p: Palette) -> dict[str, Any]:
    line = {"color": p.ink, "width": 1.4, "dash": "dot"}
    return {"type": "line", "xref": f"x{name}", "x0": at, "x1": at, "yref": f"y{name} domain", "y0": 0, "y1": 1,
            "line": line}  # fmt: skip


def _points(each: Measured, name: str, unit: Unit, p: Palette) -> dict[str, Any]:
    side = each.side
    symbols = np.select([side < 0, side > 0], ["triangle-down", "triangle-up"], "circle")
    colours = np.where(side == 0, p.accent, p.event)
    return {
        "type": "scatter", "mode": "lines+markers", "x": each.time, "y": each.value, "xaxis": f"x{name}",
        "yaxis": f"y{name}", "name": plain(each.label), "cliponaxis": False,
        "text": [plain(text) for text in each.said],
        "hovertemplate": f"%{{x:.1f}} {unit}: %{{text}}<extra></extra>",
        "line": {"color": rgba(p.accent, 0.55), "width": 1.5, "shape": "hv" if each.levels else "linear"},
        "marker": {"symbol": symbols.tolist(), "color": colours.tolist(), "size": np.where(side == 0, 6, 9).tolist(),
                   "line": {"width": 0}},
    }  # fmt: skip


def measured_alt(measured: Sequence[Measured], unit: Unit) -> str:
    """First and last value of each measurement in words."""
    told = []
    for each in measured:
        n, where = len(each.time), ("below what is usual", "", "above what is usual")[int(each.side[-1]) + 1]
        last = f"{each.said[-1]}{f' ({where})' if where else ''} at {say.duration(float(each.time[-1]), unit)}"
        told.append(f"{each.label}: {f'{each.said[0]} first, ' if n > 1 else ''}{last}{' last' if n > 1 else ''}")
    return f"Measurements over time. {'; '.join(told)}."


def measured_rows(measured: Sequence[Measured], unit: Unit) -> tuple[list[str], list[list]]:
    """Every value: header and rows for a file."""
    header = ["measurement", f"time ({unit})", "value", "unit", "usual", "beside it"]
    where = {-1: "below", 0: "", 1: "above"}
    return header, [
        [each.label, t, text, each.unit, each.usual, where[side] if each.usual else ""]
        for each in measured
        for t, text, side in zip(each.time.tolist(), each.said, each.side.tolist(), strict=True)
    ]


# ------------------------------------------------------------------ updated risk


@dataclass(frozen=True)
class Updated:
    """The risk from one visit on.

    Attributes
    ----------
    time : float
        Of the visit, in the unit that is read.
    risk, lower, upper : float
        Within the time ahead; NaN where there is none.
    unchanged : float
        What the values of time zero alone say of somebody who came so far, by a model of the same patients; NaN at
        time zero.
    n, n_events : int
        Behind it.
    landmark : float
        When the patients whom its model learnt from were at risk, in the unit that is read; NaN at time zero.
    weak : bool
        True where few events stand behind each coefficient.
    """

    time: float
    risk: float
    lower: float
    upper: float
    unchanged: float
    n: int
    n_events: int
    landmark: float = nan
    weak: bool = False

    @property
    def updates(self) -> bool:
        """True for a risk that a visit after the start updated."""
        return isfinite(self.risk) and isfinite(self.landmark)


def updated_figure(
    visits: Sequence[Updated], *, end: float, unit: Unit, since: str, ahead: str, marks: Sequence[Mark] = (),
    mode: Mode = "light",
) -> go.Figure:  # fmt: skip
    """The risk of a fixed time ahead, from visit to visit, with its interval, and the same by the start's values.

    The risk at time zero is by another model: it has another sign, and no line leads away from it. A weak update is
    hollow.

    Parameters
    ----------
    visits : sequence of Updated
        By time; those without a risk are not drawn.
    ahead : str
        E.g. ``"4 years"``.
    marks : sequence of (time, words)
        What happened.
    """
    p = palette(mode)
    known = [each for each in visits if isfinite(each.risk)]
    later = [each for each in known if each.updates]
    x = [each.time for each in later]
    key = LineKey(
        [(f"risk within the next {ahead}, updated at each visit, with its interval", "accent", "solid"),
         ("by the values of the start alone", "muted", "dash")], FONT,
    )  # fmt: skip
    bars: dict[str, list[float | None]] = {"x": [], "y": []}
    for each in known:
        if isfinite(each.lower) and isfinite(each.upper):
            bars["x"] += [each.time, each.time, None]
            bars["y"] += [each.lower, each.upper, None]
    line = {"type": "scatter", "hovertemplate": f"%{{x:.1f}} {unit}: %{{y:.0%}}<extra></extra>"}
    data = [
        {**line, "mode": "lines", **bars, "hoverinfo": "skip", "line": {"color": rgba(p.accent, 0.45), "width": 5}},
        {**line, "mode": "lines+markers", "x": x, "y": [each.unchanged for each in later], "name": "unchanged",
         "line": {"color": p.muted, "width": 1.75, "dash": "dash"}, "marker": {"color": p.muted, "size": 4}},
        {**line, "mode": "lines+markers", "x": x, "y": [each.risk for each in later], "name": "updated",
         "line": {"color": p.accent, "width": 2.5}, "cliponaxis": False,
         "text": [_behind(each, unit) for each in later],
         "hovertemplate": f"%{{x:.1f}} {unit}: %{{y:.0%}}<br>%{{text}}<extra></extra>",
         "marker": {"color": [p.card if each.weak else p.accent for each in later], "size": 9,
                    "line": {"color": p.accent, "width": 2}}},
        {**line, "mode": "markers", "x": [each.time for each in known if not each.updates],
         "y": [each.risk for each in known if not each.updates], "name": "start", "cliponaxis": False,
         "marker": {"color": p.accent, "size": 10, "symbol": "diamond"}},
    ]  # fmt: skip
    layout = {
        "template": template(mode), "height": PLOT + key.height + 44, "hovermode": "closest",
        "margin": {"l": 48, "r": 14, "t": key.height, "b": 44},
        "annotations": [*key.words(p), *_said(marks, p)],
        "shapes": [*key.pieces(p, PLOT), *(_line(at, "", p) for at, _ in marks)],
        "xaxis": {"range": [-0.02 * end, end], "title": {"text": plain(f"{unit} since {since}")}, "fixedrange": True,
                  "automargin": False, "showline": True, "tickfont": {"size": FONT}},
        "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "dtick": 0.25, "fixedrange": True, "automargin": False,
                  "tickfont": {"size": FONT}},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout, _validate=False)


def _behind(visit: Updated, unit: Unit) -> str:
    return f"learnt at {say.duration(visit.landmark, unit)}: {say.patients(visit.n)}, {say.events(visit.n_events)}"


def _said(marks: Sequence[Mark], p: Palette) -> list[dict[str, Any]]:
    return [
        {"text": plain(words, limit=60), "x": at, "y": 0.03, "yref": "paper", "xanchor": "right", "yanchor": "bottom",
         "xshift": -5, "showarrow": False, "font": {"size": 12, "color": p.ink}, "bgcolor": rgba(p.card, 0.75)}
        for at, words in marks
    ]  # fmt: skip


def updated_alt(visits: Sequence[Updated], *, unit: Unit, ahead: str) -> str:
    """Each visit's risk in words."""
    told = "; ".join(
        f"at {say.duration(each.time, unit)} {say.percent(each.risk)}"
        + (f" ({say.percent_range(each.lower, each.upper)})" if isfinite(each.lower) else "")
        + (f", by the start alone {say.percent(each.unchanged)}" if isfinite(each.unchanged) else "")
        + (", few events behind it" if each.weak else "")
        for each in visits
        if isfinite(each.risk)
    )
    return f"Risk within the next {ahead}, updated at each visit: {told}."


def updated_rows(visits: Sequence[Updated], *, unit: Unit, ahead: str) -> tuple[list[str], list[list]]:
    """The risks: header and rows for a file."""
    header = [f"visit ({unit})", f"risk within the next {ahead}", "lower", "upper", "by the start alone",
              f"model learnt at ({unit})", "patients behind it", "events"]  # fmt: skip
    return header, [[v.time, v.risk, v.lower, v.upper, v.unchanged, v.landmark, v.n, v.n_events] for v in visits]
