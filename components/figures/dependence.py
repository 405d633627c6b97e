"""A variable's contribution against its value, marked by the variable that it goes together with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort import Variable
from components.figures.palette import Mode, dashes, palette, plain, shades, template, text_width

HEIGHT = 360
DRAWN = 500
JITTER, APART = 0.1, 0.5
SYMBOLS = (("circle", "●"), ("diamond", "◆"), ("triangle-up", "▲"), ("square", "■"))
UNKNOWN = ("circle-open", "○")
KEY_WIDTH, KEY_ROW = 430, 18  # px: what a telephone has beside the axis, and a line of the key
BINS, FEWEST = 8, 5
"""Steps of a mean's line, and patients behind each of its points."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Patients by another variable: each group has its own colour and sign.

    Attributes
    ----------
    title : str
        The other variable.
    labels : tuple of str
        At most four.
    codes : array of int, shape (n,)
        Group of each patient; -1 where the value is not known.
    """

    title: str
    labels: tuple[str, ...]
    codes: np.ndarray = field(repr=False)


@dataclass(frozen=True, eq=False)
class Spread:
    """What one variable adds to the risk of each patient.

    Attributes
    ----------
    variable : Variable
    levels : tuple of str
        What its levels are called, in their order; empty for a number.
    value : array, shape (n,)
        Number, or position of the level; NaN where missing.
    points : array, shape (n,)
        Contributions as shares of 1.
    rows : array of int, shape (n,)
        The patients' rows in the cohort: each dot's own data.
    groups : Groups or None
    """

    variable: Variable
    levels: tuple[str, ...]
    value: np.ndarray = field(repr=False)
    points: np.ndarray = field(repr=False)
    rows: np.ndarray = field(repr=False)
    groups: Groups | None = None


def dependence_figure(told: Spread, *, named: Sequence[str] = (), mode: Mode = "light") -> go.Figure:
    """A dot for each of up to 500 patients, and the mean along the values for each group; the file has all of them.

    Parameters
    ----------
    told : Spread
    named : sequence of str, shape (n,)
        What a dot says of its patient; plain text.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    looks = _looks(told, mode)
    keep = _drawn(told)
    data = [_dots(told, keep, look, len(looks), named) for look in looks]
    data += [line for look in looks if (line := _means(told, look, len(looks))) is not None]
    key, rows = _key(looks, p.muted, told.groups.title if told.groups is not None else "")
    top = 10 + KEY_ROW * rows
    zero = {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
            "line": {"color": p.neutral, "width": 1}}  # fmt: skip
    layout = {
        "template": template(mode), "height": HEIGHT, "showlegend": False, "shapes": [zero], "annotations": key,
        "margin": {"l": 52, "r": 12, "t": top, "b": 48}, "xaxis": _axis(told),
        "yaxis": {"title": {"text": "points of risk"}, "fixedrange": True, "zeroline": False},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


@dataclass(frozen=True, eq=False)
class _Look:
    """How the patients of one group are drawn."""

    label: str
    place: int
    mask: np.ndarray
    colour: str
    symbol: str
    glyph: str
    dash: str


def _looks(told: Spread, mode: Mode) -> list[_Look]:
    p, known = palette(mode), np.isfinite(told.value)
    if told.groups is None:
        return [_Look("", 0, known, p.accent, "circle", "●", "solid")]
    colours, styles = shades(len(told.groups.labels), mode), dashes(len(told.groups.labels))
    found = [
        _Look(label, g, known & (told.groups.codes == g), colours[g], *SYMBOLS[g % len(SYMBOLS)], styles[g])
        for g, label in enumerate(told.groups.labels)
    ]
    gap = known & (told.groups.codes < 0)
    return [*found, _Look("missing", len(found), gap, p.neutral, *UNKNOWN, "dot")] if gap.any() else found


def _drawn(told: Spread) -> np.ndarray:
    """Positions of the patients drawn, ascending: evenly by contribution, both ends included."""
    known = np.flatnonzero(np.isfinite(told.value))
    order = known[np.argsort(told.points[known], kind="stable")]
    some = np.linspace(0, max(len(order) - 1, 0), min(DRAWN, len(order))).round().astype(int)
    return np.sort(order[some])


def _dots(told: Spread, keep: np.ndarray, look: _Look, groups: int, named: Sequence[str]) -> dict[str, Any]:
    at = keep[look.mask[keep]]
    x = told.value[at].astype(float)
    if told.levels:
        # Dots of one level beside one another, always in the same places.
        x = x + _beside(look, groups) + JITTER * (2 * ((np.arange(len(x)) * 0.618034) % 1) - 1) / groups
    return {
        "type": "scatter", "mode": "markers", "x": x, "y": 100 * told.points[at], "customdata": told.rows[at],
        "marker": {"color": look.colour, "symbol": look.symbol, "size": 6, "opacity": 0.6, "line": {"width": 0}},
        "text": [plain(named[i]) if len(named) else "" for i in at.tolist()],
        "hovertemplate": "%{text}<br>%{y:+.1f} points<extra></extra>",
    }  # fmt: skip


def _beside(look: _Look, groups: int) -> float:
    return APART * (look.place - (groups - 1) / 2) / groups


def _means(told: Spread, look: _Look, groups: int) -> dict[str, Any] | None:
    """The group's mean along the values: a line, or a stroke at each level."""
    value, points = told.value[look.mask], 100 * told.points[look.mask]
    if told.levels:
        cells = [(j, value == j) for j in range(len(told.levels))]
        place = [j + _beside(look, groups) for j, mask in cells if mask.sum() >= FEWEST]
    else:
        cells = _cells(value)
        place = [float(np.median(value[mask])) for _, mask in cells if mask.sum() >= FEWEST]
    mean = [float(points[mask].mean()) for _, mask in cells if mask.sum() >= FEWEST]
    if not place:
        return None
    told_as: dict[str, Any] = {"type": "scatter", "hoverinfo": "skip", "x": place, "y": mean}
    if told.levels:
        wide = {"symbol": "line-ew", "size": 22, "color": look.colour, "line": {"width": 3, "color": look.colour}}
        return told_as | {"mode": "markers", "marker": wide}
    return told_as | {"mode": "lines", "line": {"color": look.colour, "width": 2, "dash": look.dash}}


def _cells(value: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Steps along the values with about as many patients each."""
    if not len(value):
        return []
    edges = np.unique(np.quantile(value, np.arange(1, BINS) / BINS))
    place = np.searchsorted(edges, value, side="right")
    return [(int(j), place == j) for j in np.unique(place)]


def _axis(told: Spread) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": plain(_named(told.variable))}, "fixedrange": True}
    x = told.value[np.isfinite(told.value)]
    if told.levels:
        return axis | {
            "tickvals": list(range(len(told.levels))), "ticktext": [plain(text, limit=16) for text in told.levels],
            "range": [-0.5, len(told.levels) - 0.5],
        }  # fmt: skip
    if told.variable.scale == "log" and len(x) and (x > 0).all():
        return axis | {"type": "log", **_ticks(x)}
    return axis


def _key(looks: Sequence[_Look], muted: str, title: str) -> tuple[list[dict[str, Any]], int]:
    """The signs in words above the plot, on as many lines as a narrow screen needs; and how many these are."""
    if not title:
        return [], 0
    pieces = [(plain(f"{title}:", limit=40), muted)]
    pieces += [(f"{look.glyph} {plain(look.label, limit=28)}", look.colour) for look in looks]
    notes, x, row = [], 0.0, 0
    for text, colour in pieces:
        width = text_width([text], size=12) + 14
        if x and x + width > KEY_WIDTH:
            x, row = 0.0, row + 1
        notes.append({
            "xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "xshift": x,
            "yshift": -row * KEY_ROW, "text": text, "showarrow": False, "font": {"size": 12, "color": colour},
        })  # fmt: skip
        x += width
    return [{**note, "yshift": note["yshift"] + row * KEY_ROW + 4} for note in notes], row + 1


def _ticks(x: np.ndarray) -> dict[str, list]:
    """Ticks of a logarithmic axis: 1, 2 and 5 times powers of ten, or only these where they are many."""
    low, high = math.log10(x.min()), math.log10(x.max())
    steps = (1, 2, 5) if high - low < 3 else (1,)
    shown = [s * 10.0**k for k in range(math.floor(low), math.ceil(high) + 1) for s in steps]
    shown = [v for v in shown if low - 0.05 <= math.log10(v) <= high + 0.05]
    return {"tickvals": shown, "ticktext": [f"{v:g}" for v in shown]}


def _named(variable: Variable) -> str:
    return f"{variable.label} ({variable.unit})" if variable.unit else variable.label


def dots_text(told: Spread) -> str:
    """How many patients the dots stand for."""
    n = int(np.isfinite(told.value).sum())
    return "each dot a patient" if n <= DRAWN else f"each dot a patient, {DRAWN} of {n:,}"


def dependence_alt(told: Spread) -> str:
    """Mean contribution by level, or in the lowest, middle and highest third; and by group."""
    known = np.isfinite(told.value)
    parts = [("", known)]
    if told.groups is not None:
        parts += [(f" with {text}", known & (told.groups.codes == g)) for g, text in enumerate(told.groups.labels)]
    said = [f"{_by_value(told, mask)}{text}" for text, mask in parts if mask.any()]
    by = f", by {told.groups.title}" if told.groups is not None else ""
    return f"Mean contribution of {told.variable.label} in percentage points{by}: {'. '.join(said)}."


def _by_value(told: Spread, mask: np.ndarray) -> str:
    value, points = told.value[mask], told.points[mask]
    if told.levels:
        groups = [(text, points[value == j]) for j, text in enumerate(told.levels)]
    else:
        place = np.searchsorted(np.quantile(value, (1 / 3, 2 / 3)), value)
        groups = [(f"{text} third", points[place == j]) for j, text in enumerate(("lowest", "middle", "highest"))]
    return "; ".join(f"{text} {100 * part.mean():+.1f}" for text, part in groups if len(part))


def dependence_rows(told: Spread, *, named: bool = True) -> tuple[list[str], list[list[object]]]:
    """Header and rows for a file, with the patients' rows in the cohort or without."""
    header = [*(["patient"] if named else []), told.variable.label, "points"]
    own = [_value(told.levels, v) for v in told.value.tolist()]
    columns: list[Sequence[object]] = [own, (100 * told.points).tolist()]
    if named:
        columns.insert(0, (told.rows + 1).tolist())
    if told.groups is not None:
        header.append(told.groups.title)
        columns.append([told.groups.labels[c] if c >= 0 else "" for c in told.groups.codes.tolist()])
    rows = [list(row) for row in zip(*columns, strict=True)]
    if not named:  # in the patients' order they would name them still
        rows.sort(key=lambda row: [(isinstance(cell, str), cell) for cell in row])
    return header, rows


def _value(levels: tuple[str, ...], value: float) -> object:
    if not math.isfinite(value):
        return ""
    return levels[int(value)] if levels else value
