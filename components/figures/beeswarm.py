"""What drives risk across a cohort: every patient's contributions, a row for each variable, and their mean size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.explain import Global
from bedside.report.say import duration, patients
from components.figures.labels import label_lines, room_for, wrapped
from components.figures.palette import Mode, palette, plain, template

FONT_SIZE = 12
ROW = 42
DRAWN = 100  # patients a row: more dots hide one another and take the browser long; all count in the numbers
BINS = 70
SIZE = 64  # px at the right end for the mean sizes

Named = Callable[[int, np.ndarray], Sequence[str]]
"""Given a variable's row and positions among the patients explained, a text for each dot."""


def beeswarm_figure(
    explained: Global, *, mode: Mode = "light", most: int = 10, named: Named | None = None
) -> go.Figure:
    """Contributions in percentage points as dots, coloured by the patient's value from low to high.

    Behind each row a band reaches as far as a contribution does on average, in either direction; the number beside it
    says how far. A dot's own data is the patient's row in the cohort.

    Parameters
    ----------
    explained : Global
        Contributions of many patients.
    mode : {"light", "dark"}
    most : int
        Variables drawn, most important first.
    named : callable, optional
        What a dot says of its patient; plain text.
    """
    p = palette(mode)
    shown = explained.labels[:most]
    colours = value_scale(mode)
    labels = [label_lines(label) for label in shown]
    fig = go.Figure(
        data=[*_dots(explained, len(shown), named, colours, p.neutral), _colour_bar(colours, p.muted)],
        layout={
            "template": template(mode),
            "height": ROW * len(shown) + 96,
            "margin": {"l": room_for(labels, size=FONT_SIZE) + 14, "r": SIZE, "t": 46, "b": 44},
            "shapes": [*_bands(explained, len(shown), p.grid), _zero(p.neutral)],
            "annotations": [*_sizes(explained, len(shown), p.ink, p.muted), _missing(p.muted)],
            "xaxis": {"title": {"text": "percentage points of risk"}, "fixedrange": True, "zeroline": False},
            "yaxis": {
                "range": [len(shown) - 0.5, -0.5], "tickvals": list(range(len(shown))),
                "ticktext": [wrapped(lines) for lines in labels], "ticks": "", "showgrid": False,
                "tickfont": {"size": FONT_SIZE, "color": p.ink}, "automargin": False, "fixedrange": True,
                "ticklabelstandoff": 6,
            },
        },
    )  # fmt: skip
    return fig


def beeswarm_alt(explained: Global, *, most: int = 10) -> str:
    """The rows in words, for a screen reader and for the report."""
    told = "; ".join(
        f"{label} {100 * mean:.1f} on average, {100 * low:+.0f} to {100 * high:+.0f}"
        for label, mean, low, high in zip(
            explained.labels[:most], explained.mean_abs, explained.points.min(axis=0), explained.points.max(axis=0),
            strict=False,
        )
    )  # fmt: skip
    more = len(explained.labels) - most
    rest = f" {more} less important variables are not shown." if more > 0 else ""
    when = duration(explained.t, explained.unit)
    return (
        f"Contributions of {patients(explained.n_patients)} to the risk within {when}, "
        f"in percentage points, mean size, lowest to highest: {told}.{rest} {_sentence(dots_text(explained))}"
    )


def dots_text(explained: Global) -> str:
    """How many patients the dots of a row stand for: another choice of them in each row where not all are drawn."""
    n = explained.n_patients
    return "one dot per patient" if n <= DRAWN else f"up to {DRAWN} dots a row for {patients(n)}"


def beeswarm_rows(explained: Global) -> tuple[list[str], list[list]]:
    """Every contribution and value, one row a patient: header and rows for a file."""
    header = ["patient"]
    for label in explained.labels:
        header += [f"{label}: points", f"{label}: place of value, 0 to 1"]
    rows: list[list] = []
    for row, points, values in zip(explained.rows.tolist(), explained.points, explained.values, strict=True):
        cells: list = [row + 1]
        for point, value in zip(points.tolist(), values.tolist(), strict=True):
            cells += [100 * point, "" if np.isnan(value) else value]
        rows.append(cells)
    return header, rows


def importance_rows(explained: Global) -> tuple[list[str], list[list]]:
    """The mean size of every variable: header and rows for a file."""
    rows = [[label, 100 * float(v)] for label, v in zip(explained.labels, explained.mean_abs, strict=True)]
    return ["variable", "mean absolute contribution (percentage points)"], rows


def value_scale(mode: Mode = "light") -> list[tuple[float, str]]:
    """Low to high values: blue over grey to orange, apart for every common colour deficiency."""
    low, high = palette(mode).groups[:2]
    return [(0.0, low), (0.5, "#8A8494" if mode == "light" else "#A9A3B0"), (1.0, high)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _dots(
    explained: Global, rows: int, named: Named | None, colours: list[tuple[float, str]], neutral: str
) -> list[dict[str, Any]]:
    """All dots of the figure: those whose value has a place in its order, and hollow ones."""
    empty = np.array([], dtype=float)
    x, y, value, patient, text = [empty], [empty], [empty], [empty.astype(int)], []
    for row in range(rows):
        keep = _drawn(explained.points[:, row])
        x.append(100 * explained.points[keep, row])
        y.append(row + _jitter(x[-1]))
        value.append(explained.values[keep, row])
        patient.append(explained.rows[keep])
        label = plain(explained.labels[row])
        text += [label] * len(keep) if named is None else map(plain, named(row, keep))
    xs, ys, values, patients_ = (np.concatenate(part) for part in (x, y, value, patient))
    texts, known = np.array(text, dtype=object), ~np.isnan(values)
    return [
        {
            "type": "scatter", "x": xs[mask], "y": ys[mask], "mode": "markers", "marker": marker,
            "customdata": patients_[mask], "text": texts[mask].tolist(),
            "hovertemplate": "%{text}<br>%{x:+.1f} points<extra></extra>",
        }
        for mask, marker in (
            (~known, {"symbol": "circle-open", "color": neutral, "size": 5}),
            (known, {"color": values[known], "colorscale": colours, "cmin": 0, "cmax": 1, "size": 5}),
        )
    ]  # fmt: skip


def _drawn(points: np.ndarray) -> np.ndarray:
    """Positions of the patients drawn: all, or evenly spaced ones by contribution with both ends."""
    if len(points) <= DRAWN:
        return np.arange(len(points))
    return np.argsort(points, kind="stable")[np.linspace(0, len(points) - 1, DRAWN).round().astype(int)]


def _jitter(x: np.ndarray) -> np.ndarray:
    """Offsets that spread dots with similar contributions above and below the row, within +-.4."""
    span = np.ptp(x) if len(x) else 0.0
    place = (
        np.zeros(len(x), dtype=int) if span == 0 else np.minimum(((x - x.min()) / span * BINS).astype(int), BINS - 1)
    )
    offset = np.zeros(len(x))
    fullest = max(np.bincount(place).max(initial=1), 9)
    for cell in np.unique(place):
        inside = np.flatnonzero(place == cell)
        rank = np.random.default_rng(len(inside)).permutation(len(inside))  # in order they would draw a curve
        offset[inside] = np.where(rank % 2 == 0, rank // 2, -(rank // 2) - 1) * (0.8 / fullest)
    return offset


def _bands(explained: Global, rows: int, colour: str) -> list[dict[str, Any]]:
    """How far a contribution reaches on average, to both sides."""
    return [
        {
            "type": "rect", "xref": "x", "yref": "y", "x0": -size, "x1": size, "y0": row - 0.4, "y1": row + 0.4,
            "fillcolor": colour, "line": {"width": 0}, "layer": "below",
        }
        for row, size in enumerate((100 * explained.mean_abs[:rows]).tolist())
    ]  # fmt: skip


def _zero(colour: str) -> dict[str, Any]:
    return {"type": "line", "xref": "x", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "layer": "below",
            "line": {"color": colour, "width": 1}}  # fmt: skip


def _sizes(explained: Global, rows: int, ink: str, muted: str) -> list[dict[str, Any]]:
    """The mean sizes in a column at the right end, under its heading."""
    beside = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": SIZE - 6, "showarrow": False, "align": "right"}
    notes: list[dict[str, Any]] = [
        {**beside, "y": row, "yanchor": "middle", "text": f"{size:.1f}", "font": {"size": FONT_SIZE, "color": ink}}
        for row, size in enumerate((100 * explained.mean_abs[:rows]).tolist())
    ]
    heading = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 2, "font": {"size": 11, "color": muted}}
    return [*notes, {**beside, **heading, "text": "mean<br>size"}]


def _colour_bar(colours: list[tuple[float, str]], colour: str) -> dict[str, Any]:
    """A colour bar above the rows, its ends in words."""
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "markers", "hoverinfo": "skip",
        "marker": {
            "color": [0], "colorscale": colours, "cmin": 0, "cmax": 1, "showscale": True,
            "colorbar": {
                "orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "thickness": 8,
                "len": 120, "lenmode": "pixels", "ypad": 4, "xpad": 4, "outlinewidth": 0, "tickvals": [0.1, 0.9],
                "ticktext": ["low", "high"], "tickfont": {"size": 11, "color": colour}, "ticks": "",
            },
        },
    }  # fmt: skip


def _missing(colour: str) -> dict[str, Any]:
    return {
        "text": "○ missing or unordered    value:", "xref": "paper", "yref": "paper", "x": 1, "y": 1,
        "xanchor": "right", "xshift": -136, "yanchor": "bottom", "yshift": 10, "showarrow": False,
        "font": {"size": 11, "color": colour},
    }  # fmt: skip
