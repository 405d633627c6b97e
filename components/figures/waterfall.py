"""From the average risk here to this patient's, one value after the other."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from bedside.explain import Explanation, points_text
from bedside.report.say import duration, percent
from components.figures.labels import label_lines, room_for, row_height, wrapped
from components.figures.palette import Mode, palette, plain, template, text_width

FONT_SIZE = 12
AVERAGE = "average here"
NARROWEST = 340  # px: labels beside the bars fit down to a telephone's width


@dataclass(frozen=True)
class _Step:
    label: str
    start: float
    end: float
    points: float


def waterfall_figure(explanation: Explanation, *, mode: Mode = "light", decimals: int = 0, most: int = 9) -> go.Figure:
    """Contributions to one patient's risk as a waterfall, largest first.

    Parameters
    ----------
    explanation : Explanation
        One patient at one time.
    mode : {"light", "dark"}
    decimals : int
        Decimals of the points and percentages.
    most : int
        Bars drawn; the remaining values share one last bar.
    """
    p = palette(mode)
    steps = _steps(explanation, most)
    rows = len(steps) + 2
    y = list(range(1, rows - 1))
    fig = go.Figure(layout={"template": template(mode)})
    for sign, colour in ((1, p.up), (-1, p.down)):
        mine = [(i, s) for i, s in zip(y, steps, strict=True) if (s.points >= 0) == (sign > 0)]
        fig.add_bar(
            orientation="h", y=[i for i, _ in mine], x=[abs(s.points) for _, s in mine],
            base=[min(s.start, s.end) for _, s in mine], width=0.62,
            marker={"color": colour, "cornerradius": 3, "line": {"width": 0}},
            text=[points_text(s.points, decimals=decimals) for _, s in mine], textposition="outside",
            textfont={"size": FONT_SIZE, "color": p.ink}, cliponaxis=False,
            customdata=[[plain(s.label), points_text(s.points, decimals=max(decimals, 1))] for _, s in mine],
            hovertemplate="%{customdata[0]}: %{customdata[1]} points<extra></extra>",
        )  # fmt: skip
    _connectors(fig, explanation, steps, p.neutral)
    for row, share, bold in ((0, explanation.base, False), (rows - 1, explanation.risk, True)):
        _end(fig, row, share, p.ink, bold=bold, decimals=decimals)
    labels = [label_lines(label) for label in (AVERAGE, *(s.label for s in steps), "this patient")]
    shown = [wrapped(lines) for lines in labels]
    margin = room_for(labels, size=FONT_SIZE) + 14
    low, high = _reach(explanation, steps)
    span = max(high - low, 0.02)
    beyond = text_width([percent(explanation.risk, decimals=decimals)], size=FONT_SIZE) + 12
    room = max(NARROWEST - margin, 2 * beyond)
    fig.update_layout(
        height=row_height(labels) * rows + 12, margin={"l": margin, "r": 8, "t": 6, "b": 6}, barmode="overlay"
    )
    fig.update_xaxes(visible=False, range=[low - 0.03 * span, high + span * beyond / (room - beyond)], fixedrange=True)
    fig.update_yaxes(
        range=[rows - 0.5, -0.5], tickvals=list(range(rows)), ticktext=[*shown[:-1], f"<b>{shown[-1]}</b>"],
        tickfont={"size": FONT_SIZE, "color": p.ink}, ticks="", showgrid=False, automargin=False, fixedrange=True,
        ticklabelstandoff=6,
    )  # fmt: skip
    return fig


def waterfall_alt(explanation: Explanation, *, decimals: int = 0, most: int = 9) -> str:
    """The waterfall in words, for a screen reader and for the report."""
    told = "; ".join(f"{s.label} {points_text(s.points, decimals=decimals)}" for s in _steps(explanation, most))
    base, risk = (percent(share, decimals=decimals) for share in (explanation.base, explanation.risk))
    return (
        f"Waterfall of risk within {duration(explanation.t, explanation.unit)}, in percentage points. "
        f"Average here {base}; {told}; this patient {risk}."
    )


def waterfall_rows(explanation: Explanation) -> tuple[list[str], list[list]]:
    """Every contribution, none pooled: header and rows for a file."""
    rows: list[list] = [[AVERAGE, "", 100 * explanation.base]]
    rows += [[c.label, c.value_text, 100 * c.points] for c in explanation.contributions]
    rows.append(["this patient", "", 100 * explanation.risk])
    return ["variable", "value", "percentage points"], rows


def _steps(explanation: Explanation, most: int) -> list[_Step]:
    told = [(c.value_text, c.points) for c in explanation.contributions]
    if len(told) > most + 1:
        rest = told[most:]
        told = [*told[:most], (f"{len(rest)} other values", sum(points for _, points in rest))]
    steps, at = [], explanation.base
    for label, points in told:
        steps.append(_Step(label, at, at + points, points))
        at += points
    return steps


def _reach(explanation: Explanation, steps: list[_Step]) -> tuple[float, float]:
    ends = [explanation.base, explanation.risk, *(s.end for s in steps)]
    return min(ends), max(ends)


def _connectors(fig: go.Figure, explanation: Explanation, steps: list[_Step], colour: str) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    for row, at in enumerate([explanation.base, *(s.end for s in steps)]):
        x += [at, at, None]
        y += [row + 0.31, row + 0.69, None]
    fig.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 1}, hoverinfo="skip")


def _end(fig: go.Figure, row: int, share: float, colour: str, *, bold: bool, decimals: int) -> None:
    fig.add_scatter(
        x=[share, share], y=[row - 0.31, row + 0.31], mode="lines", line={"color": colour, "width": 2},
        hoverinfo="skip",
    )  # fmt: skip
    text = percent(share, decimals=decimals)
    fig.add_annotation(
        x=share, y=row, text=f"<b>{text}</b>" if bold else text, showarrow=False, xanchor="left", xshift=4,
        font={"size": FONT_SIZE, "color": colour},
    )  # fmt: skip
