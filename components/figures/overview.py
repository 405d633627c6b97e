"""Small pictures of who is in a cohort: histograms, level bars, follow-up and what is missing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from bedside.cohort import Unit
from bedside.cohort.table_one import Summary
from bedside.report.say import duration, events, patients, percent
from bedside.survival import Curve
from components.figures.palette import Mode, palette, plain, rgba, template, text_width

FONT_SIZE = 11
HEIGHT = 110
LABEL_LIMIT = 22
MOST_LEVELS = 6
BARS = 24


def summary_figure(summary: Summary, *, mode: Mode = "light", height: int = HEIGHT) -> go.Figure:
    """One variable: a histogram of a continuous one, bars for the levels of a grouped one."""
    return _histogram(summary, mode, height) if summary.variable.is_numeric else _levels(summary, mode, height)


def summary_alt(summary: Summary) -> str:
    """The picture in words."""
    v = summary.variable
    gaps = f" Missing in {summary.missing:,}." if summary.missing else ""
    if not summary.n:
        return f"{v.label}: not recorded in anyone."
    if v.is_numeric:
        spread = f"{v.number(summary.min)} to {v.say(summary.max)}"
        return f"Histogram of {v.label} in {patients(summary.n)}: median {summary.say()}, range {spread}.{gaps}"
    told = "; ".join(f"{level.label} {level.n:,} ({percent(level.share)})" for level in summary.levels)
    return f"{v.label} in {patients(summary.n)}: {told}.{gaps}"


def summary_rows(summary: Summary) -> tuple[list[str], list[list]]:
    """The bars: header and rows for a file."""
    if not summary.variable.is_numeric:
        return [summary.variable.label, "patients", "share"], [[x.label, x.n, x.share] for x in summary.levels]
    if summary.histogram is None:
        return ["from", "to", "patients"], []
    edges, counts = summary.histogram.edges.tolist(), summary.histogram.counts.tolist()
    return ["from", "to", "patients"], [list(row) for row in zip(edges[:-1], edges[1:], counts, strict=True)]


def followup_figure(curve: Curve, *, unit: Unit, mode: Mode = "light", height: int = HEIGHT) -> go.Figure:
    """When follow-up ended: with the event (solid) and without it (hollow), over time in `unit`."""
    p = palette(mode)
    edges, seen, left = _ends(curve, unit)
    middle, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0]) * 0.86
    fig = go.Figure(layout={"template": template(mode)})
    for name, counts, fill, line in (
        ("with the event", seen, p.event, p.event),
        ("without the event", left, rgba(p.event_free, 0.55), p.neutral),
    ):
        fig.add_bar(
            x=middle, y=counts, width=width, name=name, customdata=np.column_stack([edges[:-1], edges[1:]]),
            marker={"color": fill, "line": {"color": line, "width": 1}},
            hovertemplate=f"%{{customdata[0]:.1f}} to %{{customdata[1]:.1f}} {unit}: %{{y}} {name}<extra></extra>",
        )  # fmt: skip
    _bare(fig, height, bottom=30)
    fig.add_annotation(
        text=f"<span style='color:{p.event}'>■</span> with the event  □ without", xref="paper", yref="paper", x=1,
        y=1, xanchor="right", yanchor="bottom", showarrow=False, align="right", borderpad=0,
        font={"size": FONT_SIZE, "color": p.muted},
    )  # fmt: skip
    fig.update_layout(barmode="stack", margin_t=18)
    fig.update_xaxes(range=[0, float(edges[-1])], title=unit, nticks=5, tickfont={"size": FONT_SIZE})
    return fig


def followup_alt(curve: Curve, *, unit: Unit) -> str:
    """The strip in words."""
    last = duration(curve.convert(unit).last, unit)
    return (
        f"When follow-up ended in {patients(curve.n)}: {events(curve.n_events)}, {curve.n - curve.n_events:,} without "
        f"the event; the longest was {last}."
    )


def followup_rows(curve: Curve, *, unit: Unit) -> tuple[list[str], list[list]]:
    """The bars: header and rows for a file."""
    edges, seen, left = _ends(curve, unit)
    header = [f"from ({unit})", f"to ({unit})", "with the event", "without the event"]
    columns = (edges[:-1].tolist(), edges[1:].tolist(), seen.tolist(), left.tolist())
    return header, [list(row) for row in zip(*columns, strict=True)]


def missing_figure(summaries: Sequence[Summary], *, mode: Mode = "light", most: int = 12) -> go.Figure:
    """Share missing of each variable with gaps, most incomplete first."""
    p = palette(mode)
    gaps = _gaps(summaries)[:most]
    said = [percent(share) for _, share in gaps]
    fig = go.Figure(layout={"template": template(mode)})
    _bars(fig, [s.variable.label for s, _ in gaps], [share for _, share in gaps], said, p.neutral, p.ink)
    fig.update_layout(height=22 * max(len(gaps), 1) + 8)
    return fig


def missing_alt(summaries: Sequence[Summary]) -> str:
    """The bars in words."""
    gaps = _gaps(summaries)
    if not gaps:
        return "No value is missing."
    return "Missing values: " + "; ".join(f"{s.variable.label} {s.missing:,} ({percent(x)})" for s, x in gaps) + "."


def missing_rows(summaries: Sequence[Summary]) -> tuple[list[str], list[list]]:
    """Every variable, complete ones included: header and rows for a file."""
    return ["variable", "recorded", "missing"], [[s.variable.label, s.n, s.missing] for s in summaries]


def _gaps(summaries: Sequence[Summary]) -> list[tuple[Summary, float]]:
    gaps = [(s, s.missing / (s.n + s.missing)) for s in summaries if s.missing]
    return sorted(gaps, key=lambda gap: -gap[1])


def _histogram(summary: Summary, mode: Mode, height: int) -> go.Figure:
    p, v = palette(mode), summary.variable
    fig = go.Figure(layout={"template": template(mode)})
    _bare(fig, height, bottom=22)
    if summary.histogram is None:
        return fig
    edges, counts = summary.histogram.edges, summary.histogram.counts
    width = float(edges[1] - edges[0])
    fig.add_bar(
        x=(edges[:-1] + edges[1:]) / 2, y=counts, width=width * 0.9, marker={"color": p.accent, "line": {"width": 0}},
        customdata=[f"{v.number(a)} to {v.number(b)}" for a, b in itertools.pairwise(edges)],
        hovertemplate=f"%{{customdata}} {plain(v.unit)}: %{{y}} patients<extra></extra>",
    )  # fmt: skip
    for x, anchor, text in ((0, "left", v.number(summary.min)), (1, "right", v.say(summary.max))):
        fig.add_annotation(
            x=x, y=0, xref="paper", yref="paper", text=plain(text), showarrow=False, xanchor=anchor, yanchor="top",
            yshift=-3, align=anchor, font={"size": FONT_SIZE, "color": p.muted}, borderpad=0,
        )  # fmt: skip
    fig.update_xaxes(range=[float(edges[0]), float(edges[-1])], showticklabels=False, ticks="", showline=True)
    return fig


def _levels(summary: Summary, mode: Mode, height: int) -> go.Figure:
    p = palette(mode)
    shown = list(summary.levels)
    if len(shown) > MOST_LEVELS:
        shown = sorted(shown, key=lambda level: -level.n)[:MOST_LEVELS]
    fig = go.Figure(layout={"template": template(mode)})
    shares = [level.share if level.share == level.share else 0.0 for level in shown]
    _bars(fig, [level.label for level in shown], shares, [percent(level.share) for level in shown], p.accent, p.ink)
    fig.update_layout(height=min(max(height, 18 * len(shown)), 22 * len(shown) + 8))
    return fig


def _bars(
    fig: go.Figure, labels: Sequence[str], shares: Sequence[float], said: Sequence[str], colour: str, ink: str
) -> None:
    """Horizontal bars for shares of 1, labels on the left and numbers at their ends."""
    shown = [plain(label, limit=LABEL_LIMIT) for label in labels]
    margin = text_width([label[:LABEL_LIMIT] for label in labels], size=FONT_SIZE) + 12
    beyond = text_width(said, size=FONT_SIZE) + 10
    room = max(230 - margin, 2 * beyond)
    fig.add_bar(
        orientation="h", x=list(shares), y=list(range(len(shown))), width=0.6, text=[plain(s) for s in said],
        textposition="outside", cliponaxis=False, textfont={"size": FONT_SIZE, "color": ink},
        marker={"color": colour, "cornerradius": 2, "line": {"width": 0}}, customdata=[plain(x) for x in labels],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )  # fmt: skip
    top = max([*shares, 0.01])
    fig.update_layout(margin={"l": margin, "r": 4, "t": 2, "b": 2})
    fig.update_xaxes(visible=False, range=[0, top * room / (room - beyond)], fixedrange=True)
    fig.update_yaxes(
        range=[len(shown) - 0.5, -0.5], tickvals=list(range(len(shown))), ticktext=shown, ticks="", showgrid=False,
        tickfont={"size": FONT_SIZE, "color": ink}, automargin=False, fixedrange=True, ticklabelstandoff=5,
    )  # fmt: skip


def _bare(fig: go.Figure, height: int, *, bottom: int) -> None:
    fig.update_layout(height=height, margin={"l": 2, "r": 2, "t": 4, "b": bottom}, bargap=0)
    fig.update_xaxes(fixedrange=True)
    fig.update_yaxes(visible=False, fixedrange=True)


def _ends(curve: Curve, unit: Unit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of equal spans of time, and how many ended in each with and without the event."""
    told = curve.convert(unit)
    edges = np.linspace(0, told.last or 1.0, BARS + 1)
    seen = np.histogram(told.time, bins=edges, weights=told.events)[0].astype(int)
    left = np.histogram(told.time, bins=edges, weights=told.censored)[0].astype(int)
    return edges, seen, left
