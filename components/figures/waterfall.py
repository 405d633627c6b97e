"""From the average risk here to this patient's, one value after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go

from bedside.explain import Contribution, Explanation, doubt, interval_text, points_text
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
    of: Contribution | None = None

    @property
    def may_be_nothing(self) -> bool:
        return self.of is not None and self.of.may_be_nothing


def waterfall_figure(explanation: Explanation, *, mode: Mode = "light", decimals: int = 0, most: int = 9) -> go.Figure:
    """Contributions to one patient's risk as a waterfall, largest first.

    Below each bar a line shows its interval, where that is known; grey bars have an interval that holds 0.

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
    _whiskers(fig, y, steps, p.muted)
    kinds = {p.up: [], p.down: [], p.neutral: []}
    for i, s in zip(y, steps, strict=True):
        kinds[p.neutral if s.may_be_nothing else p.up if s.points >= 0 else p.down].append((i, s))
    for colour, mine in kinds.items():
        if colour == p.neutral and not mine:
            continue
        fig.add_bar(
            orientation="h", y=[i for i, _ in mine], x=[abs(s.points) for _, s in mine],
            base=[min(s.start, s.end) for _, s in mine], width=0.62,
            marker={"color": colour, "cornerradius": 3, "line": {"width": 0}},
            text=[points_text(s.points, decimals=decimals) for _, s in mine], textposition="outside",
            textfont={"size": FONT_SIZE, "color": p.ink}, cliponaxis=False,
            customdata=[[_hover(s, max(decimals, 1))] for _, s in mine],
            hovertemplate="%{customdata[0]}<extra></extra>",
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
    told = "; ".join(_said(s, decimals) for s in _steps(explanation, most))
    base, risk = (percent(share, decimals=decimals) for share in (explanation.base, explanation.risk))
    return (
        f"Waterfall of risk within {duration(explanation.t, explanation.unit)}, in percentage points. "
        f"Average here {base}; {told}; this patient {risk}."
    )


def waterfall_rows(explanation: Explanation) -> tuple[list[str], list[list]]:
    """Every contribution, none pooled: header and rows for a file."""
    header = ["variable", "value", "percentage points"]
    parts = explanation.contributions
    limits, partners = any(c.has_interval for c in parts), any(c.partner for c in parts)
    rows: list[list] = []
    for c in parts:
        row: list = [c.label, c.value_text, 100 * c.points]
        row += [100 * c.lower, 100 * c.upper] if limits else []
        row += [c.partner, "" if math.isnan(c.together) else 100 * c.together] if partners else []
        rows.append(row)
    header += ["lower", "upper"] if limits else []
    header += ["depends most on", "interaction, points"] if partners else []
    blank = [""] * (len(header) - 3)
    ends = [[AVERAGE, "", 100 * explanation.base, *blank], ["this patient", "", 100 * explanation.risk, *blank]]
    return header, [ends[0], *rows, ends[1]]


def _steps(explanation: Explanation, most: int) -> list[_Step]:
    told: list[tuple[str, float, Contribution | None]] = [
        (c.value_text, c.points, c) for c in explanation.contributions
    ]
    if len(told) > most + 1:
        rest = told[most:]
        told = [*told[:most], (f"{len(rest)} other values", sum(points for _, points, _ in rest), None)]
    steps, at = [], explanation.base
    for label, points, of in told:
        steps.append(_Step(label, at, at + points, points, of))
        at += points
    return steps


def _said(step: _Step, decimals: int) -> str:
    """One bar in the alternative text."""
    told, more = f"{step.label} {points_text(step.points, decimals=decimals)}", []
    if step.of is not None and step.of.has_interval:
        unsure = doubt(step.of)
        more.append(interval_text(step.of, decimals=decimals) + (f", {unsure}" if unsure else ""))
    if step.of is not None and step.of.partner:
        more.append(f"depends most on {step.of.partner}")
    return f"{told} ({'; '.join(more)})" if more else told


def _hover(step: _Step, decimals: int) -> str:
    """What a bar says under the pointer: literal text, each piece on its line."""
    lines = [f"{plain(step.label)}: {points_text(step.points, decimals=decimals)} points"]
    if step.of is not None and step.of.has_interval:
        unsure = f": {doubt(step.of)}" if step.may_be_nothing else ""
        name = step.of.measure[:1].upper() + step.of.measure[1:]
        lines.append(f"{name} {interval_text(step.of, decimals=decimals)}{unsure}")
    if step.of is not None and step.of.partner:
        lines.append(partner_text(step.of))
    return "<br>".join(lines)


def partner_text(contribution: Contribution) -> str:
    """Whose value a contribution depends on most, as Plotly shows it."""
    with_it = points_text(contribution.together, decimals=1)
    return f"depends most on {plain(contribution.partner)}: {with_it} points when both values are there"


def _whiskers(fig: go.Figure, y: list[int], steps: list[_Step], colour: str) -> None:
    """Intervals as lines with ends, just below the bars."""
    x: list[float | None] = []
    at: list[float | None] = []
    for row, step in zip(y, steps, strict=True):
        if step.of is None or not step.of.has_interval:
            continue
        low, high = (step.start + end for end in (step.of.lower, step.of.upper))
        x += [low, low, low, high, high, high, None]
        at += [row + 0.33, row + 0.45, row + 0.39, row + 0.39, row + 0.33, row + 0.45, None]
    if x:
        fig.add_scatter(x=x, y=at, mode="lines", line={"color": colour, "width": 1.4}, hoverinfo="skip")


def _reach(explanation: Explanation, steps: list[_Step]) -> tuple[float, float]:
    ends = [explanation.base, explanation.risk, *(s.end for s in steps)]
    known = [(s, s.of) for s in steps if s.of is not None and s.of.has_interval]
    ends += [s.start + end for s, c in known for end in (c.lower, c.upper)]
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
