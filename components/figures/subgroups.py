"""Hazard ratios of two groups in subgroups: patients and events, the interval on a log axis, a test a variable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from bedside.report import say
from bedside.treatment import Subgroup, SubgroupForest, SubgroupRows
from components.figures.labels import label_lines, wrapped
from components.figures.palette import Mode, palette, plain, template

ROW, TALL_ROW, SIZE = 25, 34, 12
WIDTH = 19
"""Characters of a line that stand beside the counts where the page is at its narrowest."""
WIDEST = 20.0
"""A ratio or limit beyond 20 or below 1/20 is drawn as an arrow at the edge."""
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
PLOT = (0.46, 0.74)
"""The part of the width that the axis takes; words stand on both sides."""


@dataclass(frozen=True)
class _Entry:
    """A line of the figure: a heading with its test, or a subgroup."""

    text: str
    test: str
    subgroup: Subgroup | None
    indent: bool = False


def subgroup_figure(forest: SubgroupForest, *, which: int = 0, mode: Mode = "light") -> go.Figure:
    """Everybody first, then each variable with its levels and, at its heading, the test of interaction.

    Parameters
    ----------
    forest : SubgroupForest
    which : int, default 0
        Which of the comparisons with the reference.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    entries = _entries(forest)
    low, high = _range(entries, which)
    overall = forest.overall.ratios[which].hr
    shown = [t for t in TICKS if low <= t <= high]
    bottom = len(entries) - 0.4
    shapes = [_line(1.0, -0.6, bottom, p.neutral, "solid")]
    if math.isfinite(overall) and low <= overall <= high:
        shapes.append(_line(overall, -0.6, bottom, p.accent, "2px,3px"))
    return go.Figure(
        data=_marks(entries, which, (low, high), p.accent),
        layout={
            "template": template(mode), "height": _row(entries) * len(entries) + 92, "hovermode": "closest",
            "margin": {"l": 4, "r": 4, "t": 34, "b": 50}, "shapes": shapes,
            "annotations": _columns(p.muted) + [n for i, e in enumerate(entries) for n in _words(e, i, which, p.ink)],
            "xaxis": {
                "type": "log", "domain": list(PLOT), "range": [math.log10(low), math.log10(high)], "tickvals": shown,
                "ticktext": [f"{t:g}" for t in shown], "fixedrange": True, "automargin": False,
                "title": {"text": "hazard ratio"},
            },
            "yaxis": {"visible": False, "range": [bottom, -0.6], "fixedrange": True},
        },
    )  # fmt: skip


def subgroup_alt(forest: SubgroupForest, which: int = 0) -> str:
    """Every subgroup's hazard ratio and every test of interaction, in words."""
    told = [f"All patients: {_numbers(forest.overall, which)}"]
    for row in forest.rows:
        levels = "; ".join(f"{level.label}: {_numbers(level, which)}" for level in row.levels)
        told.append(f"{row.title} (interaction {_test(row) or 'not tested'}): {levels}")
    return f"Hazard ratios by subgroup, {_axis_title(forest, which)}. {'. '.join(told)}."


def subgroup_table(forest: SubgroupForest) -> tuple[list[str], list[list[object]]]:
    """Every subgroup and comparison, unrounded; the test of interaction beside each level of its variable."""
    header = ["Variable", "Subgroup", "Group", "Against", "Patients", "Events", "Hazard ratio", "Lower limit",
              "Upper limit", "Interaction chi-squared", "Interaction df", "Interaction p", "Not recorded"]  # fmt: skip
    rows: list[list[object]] = []
    parts = [
        ("", (forest.overall,), None, 0),
        *((r.title, r.levels, r.interaction, r.dropped_missing) for r in forest.rows),
    ]
    for title, levels, test, missing in parts:
        for level in levels:
            for ratio in level.ratios:
                asked = (None, None, None) if test is None else (test.statistic, test.df, test.p)
                rows.append([title, level.label, ratio.label, ratio.reference, ratio.n, ratio.events, ratio.hr,
                             ratio.lower, ratio.upper, *asked, missing])  # fmt: skip
    return header, rows


def _entries(forest: SubgroupForest) -> list[_Entry]:
    found = [_Entry("All patients", "", forest.overall)]
    for row in forest.rows:
        found.append(_Entry(row.title, _test(row), None))
        found += [_Entry(level.label, "", level, indent=True) for level in row.levels]
    return found


def _test(row: SubgroupRows) -> str:
    return "" if row.interaction is None else say.p_value(row.interaction.p)


def _axis_title(forest: SubgroupForest, which: int) -> str:
    ratio = forest.overall.ratios[which]
    return f"hazard ratio, {ratio.label} against {ratio.reference}"


def _marks(entries: Sequence[_Entry], which: int, ends: tuple[float, float], colour: str) -> list[dict[str, Any]]:
    low, high = ends
    x: list[float | None] = []
    y: list[float | None] = []
    points: list[tuple[float, int, str, float, str]] = []
    most = max((e.subgroup.events for e in entries if e.subgroup), default=1) or 1
    for i, entry in enumerate(entries):
        if entry.subgroup is None or math.isnan(entry.subgroup.ratios[which].hr):
            continue
        ratio = entry.subgroup.ratios[which]
        x += [max(ratio.lower, low), min(ratio.upper, high), None]
        y += [i, i, None]
        says = f"{plain(entry.text)}: {plain(_numbers(entry.subgroup, which))}"
        beyond = [(low, "triangle-left")] * (ratio.lower < low) + [(high, "triangle-right")] * (ratio.upper > high)
        points += [(end, i, symbol, 8, says) for end, symbol in beyond]
        size = 6 + 7 * math.sqrt(ratio.events / most)
        points.append((min(max(ratio.hr, low), high), i, "diamond" if i == 0 else "square", size, says))
    line = {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": colour, "width": 2},
            "hoverinfo": "skip"}  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "cliponaxis": False, "x": [q[0] for q in points],
        "y": [q[1] for q in points], "text": [q[4] for q in points], "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": [q[2] for q in points], "size": [q[3] for q in points], "color": colour, "opacity": 1,
                   "line": {"width": 0}},
    }  # fmt: skip
    return [line, marks]


def _line(at: float, top: float, bottom: float, colour: str, dash: str) -> dict[str, Any]:
    return {"type": "line", "x0": at, "x1": at, "y0": top, "y1": bottom, "layer": "below",
            "line": {"color": colour, "width": 1, "dash": dash}}  # fmt: skip


def _columns(colour: str) -> list[dict[str, Any]]:
    heads = ((0.0, "left", "Subgroup"), (PLOT[0] - 0.02, "right", "events / patients"), (1.0, "right", "hazard ratio"))
    return [
        {"text": text, "x": x, "xref": "paper", "xanchor": side, "y": 1, "yref": "paper", "yanchor": "bottom",
         "yshift": 8, "showarrow": False, "font": {"size": SIZE, "color": colour}}
        for x, side, text in heads
    ]  # fmt: skip


def _words(entry: _Entry, row: int, which: int, ink: str) -> list[dict[str, Any]]:
    name = wrapped(_lines(entry)) if entry.indent else f"<b>{plain(entry.text, limit=44)}</b>"
    told = [(0.0, "left", name, 14 if entry.indent else 0)]
    if entry.subgroup is not None:
        ratio = entry.subgroup.ratios[which]
        told.append((PLOT[0] - 0.02, "right", f"{ratio.events:,} / {ratio.n:,}", 0))
        told.append((1.0, "right", plain(_interval(entry.subgroup, which)), 0))
    elif entry.test:
        told.append((1.0, "right", f"interaction {plain(entry.test)}", 0))
    return [
        {"text": text, "x": x, "xref": "paper", "xanchor": side, "xshift": shift, "y": row, "yanchor": "middle",
         "showarrow": False, "align": side, "font": {"size": SIZE, "color": ink}}
        for x, side, text, shift in told
    ]  # fmt: skip


def _lines(entry: _Entry) -> tuple[str, ...]:
    return label_lines(entry.text, width=WIDTH)


def _row(entries: Sequence[_Entry]) -> int:
    return TALL_ROW if any(entry.indent and len(_lines(entry)) > 1 for entry in entries) else ROW


def _interval(subgroup: Subgroup, which: int) -> str:
    ratio = subgroup.ratios[which]
    if math.isnan(ratio.hr):
        return "cannot be given"
    return f"{ratio_text(ratio.hr)} ({ratio_text(ratio.lower)} to {ratio_text(ratio.upper)})"


def _numbers(subgroup: Subgroup, which: int) -> str:
    ratio = subgroup.ratios[which]
    return f"{_interval(subgroup, which)}, {say.events(ratio.events)} in {say.patients(ratio.n)}"


def ratio_text(value: float) -> str:
    """A hazard ratio: two decimals, fewer for a large one, and none pretended at the ends."""
    if math.isinf(value) or value >= 1000:
        return "> 1000"
    if value < 0.01:
        return "< 0.01"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _range(entries: Sequence[_Entry], which: int) -> tuple[float, float]:
    ratios = [e.subgroup.ratios[which] for e in entries if e.subgroup is not None]
    values = [v for r in ratios for v in (r.lower, r.upper) if 0 < v < math.inf]
    low = max(min([0.5, *values]) / 1.1, 1 / WIDEST)
    high = min(max([2.0, *values]) * 1.1, WIDEST)
    return low, high
