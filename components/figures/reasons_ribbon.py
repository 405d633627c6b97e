"""One patient's reasons over time: a line for each value with its interval, grey where it may be nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort import Unit
from bedside.explain import INTERVAL
from bedside.report.say import duration, in_sentence
from components.figures.labels import label_lines
from components.figures.palette import Mode, palette, plain, rgba, shades, template
from components.figures.steps import short, spread

MOST = 5
HEIGHT = 380
LONGEST = 26
LITTLE = 0.005
"""Half a point, as a share of 1: what is smaller is said to make little difference."""
SURE = ("solid", "dash", "longdash", "dashdot", "10px,3px")
"""Lines of what is sure: dots are for what may be nothing."""
EARLY_LATE = 0.4
"""Share of the time that is early."""


@dataclass(frozen=True, eq=False)
class Ribbon:
    """Contributions over time, in the unit they are read in.

    Attributes
    ----------
    names, labels : tuple of str
        Of the variables, and of the patient's values in words.
    times : array, shape (t,)
    points, lower, upper : arrays, shape (n_variables, t)
        As shares of 1; the ends are NaN where no interval is known.
    base, risk : arrays, shape (t,)
    horizon : float
        The time that is chosen on the page.
    unit : str
    since : str
        Time zero in a word.
    measure : str
        What `lower` and `upper` are the ends of.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    times: np.ndarray
    points: np.ndarray = field(repr=False)
    lower: np.ndarray = field(repr=False)
    upper: np.ndarray = field(repr=False)
    base: np.ndarray = field(repr=False)
    risk: np.ndarray = field(repr=False)
    horizon: float
    unit: Unit
    since: str
    measure: str = INTERVAL

    @property
    def unsure(self) -> np.ndarray:
        """Where the interval is known and holds 0, shape (n_variables, t)."""
        return (self.lower <= 0) & (self.upper >= 0)

    def order(self, most: int = MOST) -> np.ndarray:
        """Variables with the largest contributions at any time first."""
        return np.argsort(-np.abs(self.points).max(axis=1, initial=0.0), kind="stable")[:most]


def ribbon_figure(told: Ribbon, *, mode: Mode = "light", most: int = MOST) -> go.Figure:
    """Lines of the largest contributions with their bands; the chosen time is marked.

    Parameters
    ----------
    told : Ribbon
    mode : {"light", "dark"}
    most : int
    """
    p, order = palette(mode), told.order(most)
    data: list[dict[str, Any]] = []
    shown = told.points[order]
    ends = [told.lower[order], told.upper[order], shown]
    seen = 100 * np.concatenate([x[np.isfinite(x)] for x in ends])
    low, high = min(seen.min(initial=0.0), 0.0), max(seen.max(initial=0.0), 0.5)
    room = 0.06 * (high - low)
    for j, colour, dash in zip(order, shades(len(order), mode), SURE * most, strict=False):
        data += _band(told, j, colour)
        data += _line(told, j, colour, dash, p.neutral)
    heights = spread(100 * shown[:, -1] - low, gap=(high - low) / 14, top=high - low) + low
    notes = [
        {
            "x": 1.01, "xref": "paper", "y": float(at), "text": plain(short(told.labels[j], LONGEST)),
            "showarrow": False, "xanchor": "left", "yanchor": "middle",
            "font": {"size": 11, "color": p.muted if told.unsure[j, -1] else colour},
        }
        for j, at, colour in zip(order, heights, shades(len(order), mode), strict=True)
    ]  # fmt: skip
    mark = {"type": "line", "x0": told.horizon, "x1": told.horizon, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": p.muted, "width": 1, "dash": "dot"}}  # fmt: skip
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": {"color": p.muted, "width": 1}}
    layout = {
        "template": template(mode), "height": HEIGHT, "showlegend": False, "annotations": notes,
        "shapes": [zero, mark], "margin": {"l": 52, "r": 190, "t": 8, "b": 44},
        "xaxis": {"title": {"text": plain(f"{told.unit} since {told.since}")}, "fixedrange": True},
        "yaxis": {"title": {"text": "percentage points of risk"}, "range": [low - room, high + room],
                  "fixedrange": True},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def _band(told: Ribbon, j: int, colour: str) -> list[dict[str, Any]]:
    """The interval; none of a value that may be nothing at every time, whose grey line says so."""
    if not np.isfinite(told.lower[j]).all() or told.unsure[j].all():
        return []
    return [{
        "type": "scatter", "mode": "lines", "x": np.r_[told.times, told.times[::-1]],
        "y": 100 * np.r_[told.upper[j], told.lower[j][::-1]], "fill": "toself", "fillcolor": rgba(colour, 0.11),
        "line": {"width": 0}, "hoverinfo": "skip",
    }]  # fmt: skip


def _line(told: Ribbon, j: int, colour: str, dash: str, grey: str) -> list[dict[str, Any]]:
    """In its colour where it is sure, grey where it may be nothing; the two meet."""
    unsure = told.unsure[j]
    pieces = [(~unsure, colour, dash, 2.4)]
    if unsure.any():
        pieces.append((unsure, grey, "dot", 2.0))
    drawn = []
    for where, paint, style, width in pieces:
        joined = where.copy()
        if paint == grey:
            joined[1:] |= where[:-1]
            joined[:-1] |= where[1:]
        drawn.append({
            "type": "scatter", "mode": "lines", "x": told.times, "y": np.where(joined, 100 * told.points[j], np.nan),
            "line": {"color": paint, "width": width, "dash": style}, "connectgaps": False,
            "hovertemplate": f"{plain(told.labels[j])}: %{{y:.1f}} points<extra></extra>",
        })  # fmt: skip
    return drawn


def ribbon_sentence(told: Ribbon) -> str:
    """What matters most early and late, from the numbers; a value that may be nothing then is not named."""
    early = told.times <= told.times[0] + EARLY_LATE * (told.times[-1] - told.times[0])
    first, last = _leader(told, early), _leader(told, ~early)
    if first is None and last is None:
        sure = "is sure" if told.measure == INTERVAL else "exceeds the spread over refits"
        return f"No single value makes a difference that {sure} at any time."
    if first is None or last is None:
        only, when = (first, "early") if last is None else (last, "later")
        sure = "is it sure" if told.measure == INTERVAL else "does it exceed the spread over refits"
        return f"The largest reason is {in_sentence(told.names[only])}, and only {when} on {sure}."
    if first == last:
        return f"The largest reason is {in_sentence(told.names[first])} at all times."
    size = np.abs(told.points)
    overtaken = np.flatnonzero(size[last] > size[first])
    at = duration(_round(float(told.times[overtaken[0]])), told.unit) if len(overtaken) else ""
    until = f"in the first {at}" if at else "early on"
    return f"The largest reason is {in_sentence(told.names[first])} {until}, then {in_sentence(told.names[last])}."


def _leader(told: Ribbon, where: np.ndarray) -> int | None:
    """The variable with the largest mean contribution over some times, where it is sure and not little."""
    if not where.any():
        return None
    size = np.where(told.unsure, 0.0, np.abs(told.points))[:, where].mean(axis=1)
    best = int(size.argmax()) if len(size) else -1
    return best if best >= 0 and size[best] >= LITTLE else None


def _round(t: float) -> float:
    """As one would say it: to halves below 3, else whole; small times to one digit."""
    if t < 0.75:
        return float(f"{t:.1g}")
    return round(2 * t) / 2 if t < 3 else float(round(t))


def ribbon_alt(told: Ribbon, *, most: int = MOST) -> str:
    """First, chosen and last contribution of each value that is drawn."""
    at = int(np.abs(told.times - told.horizon).argmin())
    said = []
    for j in told.order(most):
        first, here, last = (f"{100 * told.points[j, k]:+.0f}".replace("-", "−") for k in (0, at, -1))
        said_of = "may be nothing" if told.measure == INTERVAL else "within the spread over refits"
        doubt = f" ({said_of} at the chosen time)" if told.unsure[j, at] else ""
        said.append(f"{' '.join(label_lines(told.labels[j], lines=3))} {first}, {here}, {last}{doubt}")
    times = ", ".join(duration(_round(float(told.times[k])), told.unit) for k in (0, at, -1))
    return f"Percentage points that each value goes with, within {times} of {told.since}: {'; '.join(said)}."


def ribbon_rows(told: Ribbon) -> tuple[list[str], list[list]]:
    """Header and rows for a file, in points: every value at every time."""
    known = np.isfinite(told.lower).any()
    header = ["variable", "value", told.unit, "percentage points", *(["lower", "upper"] if known else [])]
    rows = []
    for j, (name, label) in enumerate(zip(told.names, told.labels, strict=True)):
        for k, t in enumerate(told.times):
            ends = [100 * float(told.lower[j, k]), 100 * float(told.upper[j, k])] if known else []
            rows.append([name, label, float(t), 100 * float(told.points[j, k]), *ends])
    return header, rows
