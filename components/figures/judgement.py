"""You, the model, and what happened: in groups once there are enough, before that each estimate by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from bedside.patient.judgement import Bin, Judgement
from bedside.report import say
from components.figures.palette import Mode, Palette, palette, plain, template

MOST_SINGLE = 40
"""Estimates drawn one by one; of more than these the latest."""
ROW = 15
YOU, MODEL = "you", "the model"
KINDS = ((1.0, "had the event"), (0.0, "did not have it"), (None, "were not followed so long"))


@dataclass(frozen=True)
class Single:
    """One estimate: 0 to 1; NaN where there is no number of the model, or the outcome is not known."""

    own: float
    model: float
    happened: float


def judgement_figure(found: Judgement, *, mode: Mode = "light") -> go.Figure:
    """Said against happened, the reader's circles and the model's diamonds; single estimates while they are few."""
    if found.own_bins and found.model_bins:
        return _groups(found, mode)
    return _singles(_ordered(found), mode)


def _groups(found: Judgement, mode: Mode) -> go.Figure:
    p = palette(mode)
    fig = go.Figure(layout={"template": template(mode)})
    fig.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": p.neutral, "width": 1.2, "dash": "dash"}, hoverinfo="skip"
    )
    for name, bins, symbol, colour, apart in (
        (YOU, found.own_bins, "circle", p.accent, -0.004),
        (MODEL, found.model_bins, "diamond-open", p.caution, 0.004),
    ):
        fig.add_scatter(
            x=[b.said + apart for b in bins], y=[b.observed for b in bins], mode="lines+markers", name=name,
            line={"color": colour, "width": 1.5, "dash": "solid" if name == YOU else "dot"},
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"color": colour, "width": 2}},
            error_y={
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.3, "width": 4,
                "array": [b.upper - b.observed for b in bins], "arrayminus": [b.observed - b.lower for b in bins],
            },
            customdata=[_told(b) for b in bins],
            hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
        )  # fmt: skip
    axis = {"range": [-0.03, 1.03], "tickformat": ".0%", "dtick": 0.25, "fixedrange": True, "showgrid": True}
    fig.update_xaxes(title="Said beforehand", **axis)
    fig.update_yaxes(title="Happened", **axis)
    fig.add_annotation(
        x=1, y=1, text="as said", showarrow=False, xanchor="right", yanchor="top", xshift=-14, yshift=2,
        font={"size": 11, "color": p.muted},
    )  # fmt: skip
    fig.update_layout(height=400, margin={"l": 56, "r": 12, "t": 34, "b": 44})
    _key(fig, p)
    return fig


def _singles(rows: Sequence[Single], mode: Mode) -> go.Figure:
    """A line for each estimate, from the reader's number to the model's, under what happened."""
    p = palette(mode)
    fig = go.Figure(layout={"template": template(mode)})
    y, places = 0.0, []
    for happened, words in KINDS:
        part = [r for r in rows if (r.happened == happened if happened is not None else math.isnan(r.happened))]
        if not part:
            continue
        fig.add_annotation(
            x=0, xref="x", y=y, yref="y", text=f"<b>{plain(words)}</b> ({len(part)})", showarrow=False, xanchor="left",
            font={"size": 12, "color": p.ink},
        )  # fmt: skip
        places += [(y + 1.1 + i, r) for i, r in enumerate(part)]
        y += len(part) + 1.8
    lines = [(v, at) for at, r in places if r.model == r.model for v in ((r.own, at), (r.model, at), (None, None))]
    fig.add_scatter(
        x=[v[0] for v, _ in lines], y=[v[1] for v, _ in lines], mode="lines", hoverinfo="skip",
        line={"color": p.neutral, "width": 1.2},
    )  # fmt: skip
    for name, symbol, colour, value in (
        (YOU, "circle", p.accent, lambda r: r.own),
        (MODEL, "diamond-open", p.caution, lambda r: r.model),
    ):
        known = [(at, r) for at, r in places if value(r) == value(r)]
        fig.add_scatter(
            x=[value(r) for _, r in known], y=[at for at, _ in known], mode="markers", name=name,
            marker={"symbol": symbol, "size": 9, "color": colour, "line": {"color": colour, "width": 2}},
            hovertemplate=f"{name}: %{{x:.0%}}<extra></extra>",
        )  # fmt: skip
    fig.update_xaxes(
        range=[-0.03, 1.03], tickformat=".0%", dtick=0.25, fixedrange=True, showgrid=True, title="Said beforehand"
    )
    fig.update_yaxes(visible=False, range=[y - 0.4, -0.9], fixedrange=True)
    fig.update_layout(height=int(ROW * y + 110), margin={"l": 12, "r": 12, "t": 34, "b": 44})
    _key(fig, p)
    return fig


def _key(fig: go.Figure, p: Palette) -> None:
    """What the marks are, above the plot: signs as well as colours."""
    for x, sign, name, colour in ((0.0, "●", YOU, p.accent), (0.14, "◇", MODEL, p.caution)):
        fig.add_annotation(
            x=x, xref="paper", y=1, yref="paper", yshift=16, text=f"{sign} {name}", showarrow=False, xanchor="left",
            font={"size": 12, "color": colour},
        )  # fmt: skip


def _ordered(found: Judgement) -> list[Single]:
    """The latest estimates, from the reader's lowest to the highest."""
    rows = [Single(*map(float, row)) for row in zip(found.own, found.model, found.happened, strict=True)]
    return sorted(rows[-MOST_SINGLE:], key=lambda r: r.own)


def judgement_alt(found: Judgement) -> str:
    """The same in words, for a screen reader."""
    if found.own_bins and found.model_bins:
        told = [f"{name}: {'; '.join(map(_told, bins))}" for name, bins in
                (("You", found.own_bins), ("The model", found.model_bins))]  # fmt: skip
        return f"Said beforehand against what happened, in groups of similar estimates. {'. '.join(told)}."
    rows = _ordered(found)
    told = [
        f"{words}: {', '.join(_pair(r) for r in part)}"
        for happened, words in KINDS
        if (part := [r for r in rows if (r.happened == happened if happened is not None else math.isnan(r.happened))])
    ]
    return f"Each estimate by itself, you and the model, of 100. In those who {'; '.join(told)}."


def judgement_rows(found: Judgement) -> tuple[list[str], list[list]]:
    """What the figure shows: header and rows for a file."""
    if found.own_bins and found.model_bins:
        header = ["who", "group", "known outcomes", "events", "said", "happened", "lower", "upper"]
        body = [
            [name, i, b.n, b.n_events, b.said, b.observed, b.lower, b.upper]
            for name, bins in ((YOU, found.own_bins), (MODEL, found.model_bins))
            for i, b in enumerate(bins, 1)
        ]
        return header, body
    return ["you", "the model", "happened"], [[r.own, r.model, r.happened] for r in _ordered(found)]


def _told(one: Bin) -> str:
    return (
        f"said {say.percent(one.said)}, happened {say.percent(one.observed)} "
        f"({say.percent_range(one.lower, one.upper)}), {one.n_events} of {one.n} known outcomes"
    )


def _pair(row: Single) -> str:
    model = "none" if math.isnan(row.model) else f"{100 * row.model:.0f}"
    return f"{100 * row.own:.0f} and {model}"
