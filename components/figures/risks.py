"""Risks from several places on one axis: groups of a score, or everything that speaks of one patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, Literal

import plotly.graph_objects as go

from bedside.report import say
from components.figures.palette import Mode, Palette, palette, plain, rgba, template

FONT_SIZE = 12
ROW = 58
ROOM = 54  # characters of label and numbers that fit side by side on a telephone
FAR = 0.10  # ten points: what a clinician would want to know of

Kind = Literal["model", "other", "published", "observed"]
SYMBOLS: dict[Kind, str] = {
    "model": "circle",
    "other": "circle-open",
    "published": "diamond-open",
    "observed": "square",
}
NAMES: dict[Kind, str] = {
    "model": "this model", "other": "other models", "published": "published", "observed": "observed here",
}  # fmt: skip


@dataclass(frozen=True)
class RiskRow:
    """One risk by one time.

    Attributes
    ----------
    label : str
        Whose, or by whom it is said.
    aside : str
        What it rests on: patients and events.
    risk, lower, upper : float
        0 to 1; NaN where they are not known.
    kind : {"model", "other", "published", "observed"}
        How it is marked.
    published : float
        The published risk of the same patients, drawn beside an observed one; NaN without.
    flagged : bool
        True where it is far from the first row's.
    """

    label: str
    risk: float
    kind: Kind
    aside: str = ""
    lower: float = nan
    upper: float = nan
    published: float = nan
    flagged: bool = False


def risks_figure(
    rows: Sequence[RiskRow], *, mode: Mode = "light", x_title: str, around: float | None = None, room: int = ROOM
) -> go.Figure:
    """One row a risk: words and numbers above, the mark and its interval below.

    Parameters
    ----------
    rows : sequence of RiskRow
        In drawing order, at least one.
    mode : {"light", "dark"}
    x_title : str
    around : float, optional
        A risk that the others are compared with: a line, and ten points on either side of it.
    room : int
        Characters of a label and its numbers that fit side by side.
    """
    p = palette(mode)
    notes = [note for i, row in enumerate(rows) for note in _words(row, i, p, room)]
    fig = go.Figure(data=_marks(rows, p), layout={"template": template(mode), "annotations": notes})
    if around is not None:
        fig.add_vrect(
            x0=max(around - FAR, 0), x1=min(around + FAR, 1), fillcolor=p.accent, opacity=0.08, line_width=0,
            layer="below",
        )  # fmt: skip
        fig.add_vline(x=around, line={"color": p.accent, "width": 1, "dash": "dot"}, layer="below")
    fig.update_xaxes(range=[-0.01, 1.01], tickformat=".0%", dtick=0.25, title=plain(x_title), fixedrange=True)
    fig.update_xaxes(showgrid=True)
    fig.update_yaxes(visible=False, range=[len(rows) - 0.45, -0.55], fixedrange=True)
    fig.update_layout(height=ROW * len(rows) + 56, margin={"l": 10, "r": 10, "t": 4, "b": 44})
    return fig


def risks_alt(rows: Sequence[RiskRow], *, what: str) -> str:
    """Every risk in words, for a screen reader and for the report."""
    told = "; ".join(f"{row.label}{_aside(row)}: {numbers(row)}" for row in rows)
    return f"{what}. {told}."


def risks_rows(rows: Sequence[RiskRow]) -> tuple[list[str], list[list]]:
    """The risks: header and rows for a file."""
    header = ["risk of", "patients and events", "kind", "risk", "lower", "upper", "published risk"]
    return header, [[r.label, r.aside, NAMES[r.kind], r.risk, r.lower, r.upper, r.published] for r in rows]


def numbers(row: RiskRow) -> str:
    """A risk with its interval, and the published one beside it."""
    said = say.percent(row.risk) if isfinite(row.risk) else "follow-up too short"
    if isfinite(row.lower) and isfinite(row.upper):
        said += f" ({say.percent_range(row.lower, row.upper)})"
    if isfinite(row.published):
        said += f", published {say.percent(row.published)}"
    return said


def _aside(row: RiskRow) -> str:
    return f" ({row.aside})" if row.aside else ""


def _marks(rows: Sequence[RiskRow], p: Palette) -> list[dict[str, Any]]:
    x: list[float | None] = []
    y: list[float | None] = []
    points: list[tuple[float, float, Kind, str, str]] = []
    for i, row in enumerate(rows):
        at, colour = i + 0.27, _colour(row, p)
        if isfinite(row.lower) and isfinite(row.upper):
            x += [row.lower, row.upper, None]
            y += [at, at, None]
        says = f"{plain(row.label)}: {plain(numbers(row))}"
        points += [(row.risk, at, row.kind, colour, says)] * isfinite(row.risk)
        points += [(row.published, at, "published", p.ink, says)] * isfinite(row.published)
    line = {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "line": {"color": p.neutral, "width": 2},
        "hoverinfo": "skip",
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "cliponaxis": False,
        "x": [point[0] for point in points], "y": [point[1] for point in points],
        "marker": {
            "symbol": [SYMBOLS[point[2]] for point in points],
            "size": [12 if point[2] in ("model", "published") else 10 for point in points],
            "color": [point[3] for point in points], "opacity": 1, "line": {"width": 2},
        },
        "text": [point[4] for point in points], "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    return [line, marks]


def _colour(row: RiskRow, p: Palette) -> str:
    if row.flagged:
        return p.caution
    return p.ink if row.kind == "published" else p.accent


def _words(row: RiskRow, i: int, p: Palette, room: int) -> list[dict[str, Any]]:
    """The label and the numbers above the mark, and below the label what they rest on."""
    said = plain(numbers(row))
    strong = p.caution if row.flagged else p.ink
    placed = [
        ("left", 0, -0.3, plain(row.label, limit=max(room - len(said), 12)), p.ink),
        ("right", 1, -0.3, said, strong),
        ("left", 0, -0.02, plain(row.aside, limit=room), p.muted),
    ]
    return [
        {
            "x": x, "y": i + y, "xref": "paper", "text": text, "showarrow": False, "xanchor": anchor,
            "yanchor": "middle", "align": anchor, "borderpad": 0, "bgcolor": rgba(p.card, 0.92),
            "font": {"size": FONT_SIZE, "color": colour},
        }
        for anchor, x, y, text, colour in placed
        if text
    ]  # fmt: skip
