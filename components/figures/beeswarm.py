"""What drives risk across a cohort: every patient's contributions, a row for each variable."""

from __future__ import annotations

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


def beeswarm_figure(explained: Global, *, mode: Mode = "light", most: int = 10) -> go.Figure:
    """Contributions in percentage points as dots, coloured by the patient's value from low to high.

    Parameters
    ----------
    explained : Global
        Contributions of many patients.
    mode : {"light", "dark"}
    most : int
        Variables drawn, most important first.
    """
    p = palette(mode)
    shown = explained.labels[:most]
    fig = go.Figure(layout={"template": template(mode)})
    colours = value_scale(mode)
    for row in range(len(shown)):
        keep = _drawn(explained.points[:, row])
        x, value = 100 * explained.points[keep, row], explained.values[keep, row]
        y = row + _jitter(x)
        known = ~np.isnan(value)
        patient = explained.rows[keep]
        for mask, marker in (
            (~known, {"symbol": "circle-open", "color": p.neutral, "size": 5}),
            (known, {"color": value[known], "colorscale": colours, "cmin": 0, "cmax": 1, "size": 5}),
        ):
            fig.add_scatter(
                x=x[mask], y=y[mask], mode="markers", marker=marker, customdata=patient[mask],
                hovertemplate=f"{plain(shown[row])}: %{{x:+.1f}} points<extra></extra>",
            )  # fmt: skip
    _legend(fig, colours, p.muted)
    fig.add_vline(x=0, line={"color": p.neutral, "width": 1}, layer="below")
    labels = [label_lines(label) for label in shown]
    margin = room_for(labels, size=FONT_SIZE) + 14
    fig.update_layout(height=ROW * len(shown) + 96, margin={"l": margin, "r": 14, "t": 46, "b": 44})
    fig.update_xaxes(title="percentage points of risk", fixedrange=True, zeroline=False)
    fig.update_yaxes(
        range=[len(shown) - 0.5, -0.5], tickvals=list(range(len(shown))),
        ticktext=[wrapped(lines) for lines in labels], ticks="", showgrid=False,
        tickfont={"size": FONT_SIZE, "color": p.ink}, automargin=False, fixedrange=True,
        ticklabelstandoff=6,
    )  # fmt: skip
    return fig


def beeswarm_alt(explained: Global, *, most: int = 10) -> str:
    """The rows in words, for a screen reader and for the report."""
    told = "; ".join(
        f"{label} {100 * low:+.0f} to {100 * high:+.0f}"
        for label, low, high in zip(
            explained.labels[:most], explained.points.min(axis=0), explained.points.max(axis=0), strict=False
        )
    )
    more = len(explained.labels) - most
    rest = f" {more} less important variables are not shown." if more > 0 else ""
    when = duration(explained.t, explained.unit)
    return (
        f"Contributions of {patients(explained.n_patients)} to the risk within {when}, "
        f"in percentage points, lowest to highest: {told}.{rest} {_sentence(dots_text(explained))}"
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


def value_scale(mode: Mode = "light") -> list[tuple[float, str]]:
    """Low to high values: blue over grey to orange, apart for every common colour deficiency."""
    low, high = palette(mode).groups[:2]
    return [(0.0, low), (0.5, "#8A8494" if mode == "light" else "#A9A3B0"), (1.0, high)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


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


def _legend(fig: go.Figure, colours: list[tuple[float, str]], colour: str) -> None:
    """A colour bar above the rows, its ends in words, and the sign for missing values."""
    fig.add_scatter(
        x=[None], y=[None], mode="markers", hoverinfo="skip",
        marker={
            "color": [0], "colorscale": colours, "cmin": 0, "cmax": 1, "showscale": True,
            "colorbar": {
                "orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "thickness": 8,
                "len": 120, "lenmode": "pixels", "ypad": 4, "xpad": 4, "outlinewidth": 0, "tickvals": [0.1, 0.9],
                "ticktext": ["low", "high"], "tickfont": {"size": 11, "color": colour}, "ticks": "",
            },
        },
    )  # fmt: skip
    fig.add_annotation(
        text="○ missing or unordered    value:", xref="paper", yref="paper", x=1, y=1, xanchor="right", xshift=-136,
        yanchor="bottom", yshift=10, showarrow=False, font={"size": 11, "color": colour},
    )  # fmt: skip
