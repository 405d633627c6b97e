"""What a model is made of: hazard ratios with their intervals on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from components.figures.palette import Mode, Palette, palette, plain, rgba, template

if TYPE_CHECKING:
    from bedside.risk import Coefficient

LINE_LIMIT = 52  # characters of label and numbers together: what fits a telephone's width
AGAINST = " (against "
"""Where a label that is too long goes on in a second line."""
FONT_SIZE = 12
ROW = 42
WIDEST = 50.0  # a ratio or limit beyond 50 or below 1/50 is drawn as an arrow at the edge
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def forest_figure(coefficients: Sequence[Coefficient], *, mode: Mode = "light", room: int = LINE_LIMIT) -> go.Figure:
    """One row a coefficient: its words and numbers above, its interval below, so that it fits any width.

    Parameters
    ----------
    coefficients : sequence of Coefficient
        In drawing order; ratios may be infinite.
    mode : {"light", "dark"}
    room : int
        Characters of a label and its numbers that fit side by side: 52 on a telephone, 90 from 600 px on.
    """
    p = palette(mode)
    low, high = _range(coefficients)
    # Notes are handed over at once: Plotly checks all of them anew for every one that is added.
    notes = [note for row, c in enumerate(coefficients) for note in _words(c, row, p, room)]
    fig = go.Figure(
        data=_marks(coefficients, p, (low, high)), layout={"template": template(mode), "annotations": notes}
    )
    fig.add_vline(x=1, line={"color": p.neutral, "width": 1, "dash": "dot"}, layer="below")
    shown = [t for t in TICKS if low <= t <= high]
    fig.update_xaxes(
        type="log", range=[math.log10(low), math.log10(high)], tickvals=shown, ticktext=[f"{t:g}" for t in shown],
        title="lower risk  ←  hazard ratio  →  higher risk", fixedrange=True,
    )  # fmt: skip
    fig.update_yaxes(visible=False, range=[len(coefficients) - 0.45, -0.8 if _tall(notes) else -0.55], fixedrange=True)
    fig.update_layout(height=ROW * len(coefficients) + 56, margin={"l": 8, "r": 8, "t": 4, "b": 44})
    return fig


def forest_alt(coefficients: Sequence[Coefficient]) -> str:
    """Every hazard ratio in words, for a screen reader and for the report."""
    told = "; ".join(f"{c.label}: {_numbers(c)}" for c in coefficients)
    intervals = "" if all(math.isnan(c.lower) for c in coefficients) else " with 95% intervals"
    return f"Hazard ratios{intervals}, logarithmic axis, above 1 is higher risk. {told}."


def forest_rows(coefficients: Sequence[Coefficient]) -> tuple[list[str], list[list]]:
    """The coefficients: header and rows for a file."""
    header = ["coefficient", "hazard ratio", "lower", "upper", "p (Wald, under the ridge)"]
    return header, [[c.label, c.hr, c.lower, c.upper, c.p] for c in coefficients]


def _marks(coefficients: Sequence[Coefficient], p: Palette, ends: tuple[float, float]) -> list[dict[str, Any]]:
    """All intervals as one broken line, and all ratios as one trace of squares: a browser draws two traces quickly.

    Arrows stand where the axis ends before an interval does.
    """
    low, high = ends
    x: list[float | None] = []
    y: list[float | None] = []
    points: list[tuple[float, float, str, int, str]] = []
    for row, c in enumerate(coefficients):
        at = row + 0.22
        if not math.isnan(c.lower):
            x += [max(c.lower, low), min(c.upper, high), None]
            y += [at, at, None]
        says = f"{plain(c.label)}: {plain(_numbers(c))}"
        beyond = [(low, "triangle-left")] * (c.lower < low) + [(high, "triangle-right")] * (c.upper > high)
        points += [(end, at, symbol, 8, says) for end, symbol in beyond]
        points.append((min(max(c.hr, low), high), at, "square", 9, says))
    line = {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "line": {"color": p.accent, "width": 2},
        "hoverinfo": "skip",
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "cliponaxis": False,
        "x": [point[0] for point in points], "y": [point[1] for point in points],
        "marker": {
            "symbol": [point[2] for point in points], "size": [point[3] for point in points],
            "color": p.accent, "opacity": 1, "line": {"width": 0},
        },
        "text": [point[4] for point in points], "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    return [line, marks]


def _words(c: Coefficient, row: int, p: Palette, room: int) -> list[dict[str, Any]]:
    """The label on the left and the numbers on the right, above the interval."""
    numbers = plain(_numbers(c))
    label = _label(c.label, room - len(_numbers(c)))
    return [
        {
            "x": x, "y": row - (0.36 if "<br>" in text else 0.18), "xref": "paper", "text": text, "showarrow": False,
            "xanchor": anchor, "yanchor": "middle", "font": {"size": FONT_SIZE, "color": p.ink}, "borderpad": 0,
            "align": anchor, "bgcolor": rgba(p.card, 0.92),
        }
        for anchor, x, text in (
            ("left", 0, label),
            ("right", 1, numbers),
        )
    ]  # fmt: skip


def _tall(notes: Sequence[dict[str, Any]]) -> bool:
    return any("<br>" in note["text"] for note in notes[:2])


def _label(text: str, limit: int) -> str:
    """A label on one line; what it is compared with on a second one where the first has no room for it."""
    name, found, reference = text.partition(AGAINST)
    if len(text) <= limit or not found:
        return plain(text, limit=limit)
    return f"{plain(name, limit=limit)}<br>{plain(AGAINST.lstrip() + reference, limit=limit)}"


def _numbers(c: Coefficient) -> str:
    if math.isnan(c.lower):
        return _ratio(c.hr)
    return f"{_ratio(c.hr)} ({_ratio(c.lower)} to {_ratio(c.upper)})"


def _ratio(value: float) -> str:
    """Two decimals, fewer for a large ratio, and none pretended at the ends."""
    if math.isinf(value) or value >= 1000:
        return "> 1000"
    if value < 0.01:
        return "< 0.01"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _range(coefficients: Sequence[Coefficient]) -> tuple[float, float]:
    """Ends of the axis: all limits within 1/50 and 50, at least .5 to 2, and a little room."""
    values = [v for c in coefficients for v in (c.lower, c.hr, c.upper) if 0 < v < math.inf]
    low = max(min([0.5, *values]) / 1.1, 1 / WIDEST)
    high = min(max([2.0, *values]) * 1.1, WIDEST)
    return low, high
