"""Predicted against observed risk in each group of patients: two dots a row, with the observed one's interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from bedside.report import say
from bedside.validation.audit import Audit, AuditGroup
from components.figures.labels import label_lines, wrapped
from components.figures.palette import Mode, palette, plain, template

ROW, TALL_ROW, SIZE = 25, 34, 12
WIDTH = 19
"""Characters of a line that stand beside the counts where the page is at its narrowest."""
PLOT = (0.46, 0.8)
"""The part of the width that the axis takes; words stand on both sides."""
FAR_FROM_ZERO = 0.3
"""All risks from here on: the axis starts at the lowest."""


@dataclass(frozen=True)
class _Entry:
    """A line of the figure: what patients are grouped by, or a group."""

    text: str
    group: AuditGroup | None


def audit_figure(audits: Sequence[Audit], *, mode: Mode = "light") -> go.Figure:
    """Each variable with its groups; those too small to judge by are grey.

    Parameters
    ----------
    audits : sequence of Audit
        At least one, with at least one group.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    entries = _entries(audits)
    floor, top = _ends(entries)
    bottom = len(entries) - 0.4
    tall = any(e.group is not None and len(label_lines(e.text, width=WIDTH)) > 1 for e in entries)
    return go.Figure(
        data=_marks(entries, p.accent, p.neutral, p.ink, p.card),
        layout={
            "template": template(mode), "height": (TALL_ROW if tall else ROW) * len(entries) + 96,
            "hovermode": "closest", "margin": {"l": 4, "r": 4, "t": 38, "b": 50},
            "annotations": _heads(p.muted) + [n for i, e in enumerate(entries) for n in _words(e, i, p.ink, p.muted)],
            "xaxis": {
                "domain": list(PLOT), "range": [floor, top], "tickformat": ".0%", "fixedrange": True,
                "automargin": False, "showgrid": True, "gridcolor": p.grid, "nticks": 5, "title": {"text": "risk"},
            },
            "yaxis": {"visible": False, "range": [bottom, -0.6], "fixedrange": True},
        },
    )  # fmt: skip


def audit_alt(audits: Sequence[Audit]) -> str:
    """Every group's predicted and observed risk in words."""
    told = []
    for one in audits:
        groups = "; ".join(f"{g.label}: {_numbers(g)}" for g in one.groups)
        told.append(f"{one.title}: {groups}")
    return f"Predicted and observed risk by group. {'. '.join(told)}."


def audit_rows(audits: Sequence[Audit]) -> tuple[list[str], list[list[object]]]:
    """Every measure of every group, unrounded."""
    header = ["variable", "group", "patients", "events", "too few to judge", "predicted risk", "observed risk",
              "observed lower", "observed upper"]  # fmt: skip
    for name in ("observed / expected", "Harrell's C", "Brier score", "index of prediction accuracy",
                 "calibration intercept", "calibration slope"):  # fmt: skip
        header += [name, f"{name}, lower", f"{name}, upper"]
    header.append("integrated calibration index")
    rows: list[list[object]] = []
    for one in audits:
        for g in one.groups:
            seen = g.observed
            row: list[object] = [one.title, g.label, g.n, g.n_events, g.greyed, g.predicted, seen.risk, seen.lower,
                                 seen.upper]  # fmt: skip
            for e in (g.ratio, g.c, g.brier, g.ipa, g.intercept, g.slope):
                row += [e.value, e.lower, e.upper]
            rows.append([*row, g.ici])
    return header, rows


def _entries(audits: Sequence[Audit]) -> list[_Entry]:
    found = []
    for one in audits:
        found.append(_Entry(one.title, None))
        found += [_Entry(group.label, group) for group in one.groups]
    return found


def _marks(entries: Sequence[_Entry], accent: str, grey: str, ink: str, ground: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = []
    for dim, colour in ((False, accent), (True, grey)):
        here = [(i, e.group) for i, e in enumerate(entries) if e.group is not None and e.group.greyed is dim]
        x: list[float | None] = []
        y: list[float | None] = []
        for i, g in here:
            if math.isfinite(g.observed.lower) and math.isfinite(g.observed.upper):
                x += [g.observed.lower, g.observed.upper, None]
                y += [i, i, None]
        data.append({"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip",
                     "line": {"color": colour, "width": 2}})  # fmt: skip
        for symbol, value, size in (
            ("circle", lambda g: g.observed.risk, 9),
            ("diamond-open", lambda g: g.predicted, 10),
        ):
            shown = [(i, g) for i, g in here if math.isfinite(value(g))]
            line = {"width": 2, "color": grey if dim else ink} if symbol != "circle" else {"width": 1, "color": ground}
            data.append({
                "type": "scatter", "mode": "markers", "cliponaxis": False, "x": [value(g) for _, g in shown],
                "y": [i for i, _ in shown], "text": [f"{plain(g.label)}: {plain(_numbers(g))}" for _, g in shown],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"symbol": symbol, "size": size, "color": colour if symbol == "circle" else line["color"],
                           "opacity": 1, "line": line},
            })  # fmt: skip
    return data


def _heads(colour: str) -> list[dict[str, Any]]:
    heads = ((0.0, "left", "Group"), (PLOT[0] - 0.02, "right", "events / patients"),
             (sum(PLOT) / 2, "center", "◇ said   ● happened"), (1.0, "right", "said, happened"))  # fmt: skip
    return [
        {"text": text, "x": x, "xref": "paper", "xanchor": side, "y": 1, "yref": "paper", "yanchor": "bottom",
         "yshift": 8, "showarrow": False, "font": {"size": SIZE, "color": colour}}
        for x, side, text in heads
    ]  # fmt: skip


def _words(entry: _Entry, row: int, ink: str, muted: str) -> list[dict[str, Any]]:
    g = entry.group
    name = f"<b>{plain(entry.text, limit=44)}</b>" if g is None else wrapped(label_lines(entry.text, width=WIDTH))
    told = [(0.0, "left", name, 0 if g is None else 14)]
    if g is not None:
        told.append((PLOT[0] - 0.02, "right", f"{g.n_events:,} / {g.n:,}", 0))
        told.append((1.0, "right", f"{_100(g.predicted)}, {_100(g.observed.risk)} of 100", 0))
    colour = muted if g is not None and g.greyed else ink
    return [
        {"text": text, "x": x, "xref": "paper", "xanchor": side, "xshift": shift, "y": row, "yanchor": "middle",
         "showarrow": False, "align": side, "font": {"size": SIZE, "color": colour}}
        for x, side, text, shift in told
    ]  # fmt: skip


def _100(share: float) -> str:
    return f"{100 * share:.0f}" if math.isfinite(share) else "?"


def _numbers(g: AuditGroup) -> str:
    seen = g.observed
    happened = "not known" if math.isnan(seen.risk) else say.of_100(seen.risk)
    between = "" if math.isnan(seen.lower) else f" ({say.range_of_100(seen.lower, seen.upper)})"
    few = ", too few to judge by" if g.greyed else ""
    return (
        f"said {say.of_100(g.predicted)}, happened to {happened}{between}; {say.patients(g.n)}, "
        f"{say.events(g.n_events)}{few}"
    )


def _ends(entries: Sequence[_Entry]) -> tuple[float, float]:
    """Where the axis starts and ends; away from 0 only where all risks are, so that they use its width."""
    groups = [e.group for e in entries if e.group is not None]
    # An interval of a grey group may reach far beyond all others: it is cut by the axis.
    values = [v for g in groups for v in (g.predicted, g.observed.risk) if math.isfinite(v)]
    values += [v for g in groups if not g.greyed for v in (g.observed.lower, g.observed.upper) if math.isfinite(v)]
    top = min(1.0, max(0.1, math.ceil(10 * max(values, default=0.1)) / 10))
    low = math.floor(10 * min(values, default=0.0)) / 10
    return (low if low >= FAR_FROM_ZERO else 0.0), top
