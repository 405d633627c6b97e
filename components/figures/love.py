"""How alike the groups are in each covariate, before and after weighting: a love plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from bedside.treatment import BalanceRow, Column
from bedside.treatment.balance import ENOUGH
from components.figures.labels import label_lines, room_for, row_height, wrapped
from components.figures.palette import Mode, palette, plain, template

HEAD = 46
"""Px above the rows: the circles' names, and under them the name of the dotted line."""
MOST = 40
"""Rows that are drawn: those that differed most; the file has all."""


def love_figure(rows: Sequence[BalanceRow], *, mode: Mode = "light") -> go.Figure:
    """A row a covariate or level: an open circle before weighting, a filled one after, a dotted line at 0.1.

    Parameters
    ----------
    rows : sequence of BalanceRow
        In any order, at least one; the sign of a difference is left out, since it only says which group comes first.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    drawn = love_order(rows)[:MOST]
    labels = [label_lines(name_of(row.column), width=34) for row in drawn]
    top = _top(drawn)
    step = row_height(labels)
    places = list(range(len(drawn)))
    values = [[min(abs(value), top) for value in (row.before, row.after)] for row in drawn]
    joins: dict[str, Any] = {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": p.line, "width": 2},
        "x": [x for before, after in values for x in (before, after, None)],
        "y": [y for place in places for y in (place, place, None)],
    }  # fmt: skip
    marks = [
        {
            "type": "scatter", "mode": "markers", "name": what, "x": [pair[k] for pair in values], "y": places,
            "marker": {"symbol": symbol, "size": 9, "color": colour, "line": {"width": 2 if k == 0 else 0}},
            "text": [_says(row, k) for row in drawn], "hovertemplate": "%{text}<extra></extra>", "cliponaxis": False,
        }
        for k, (what, symbol, colour) in enumerate(
            (("before", "circle-open", p.caution), ("after", "circle", p.accent))
        )
    ]  # fmt: skip
    note = {"showarrow": False, "font": {"size": 12, "color": p.muted}, "yref": "paper", "y": 1, "yanchor": "bottom"}
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(
        _validate=False,
        data=[joins, *marks],
        layout={
            "template": template(mode), "height": step * len(drawn) + HEAD + 50, "hovermode": "closest",
            "margin": {"l": room_for(labels) + 16, "r": 16, "t": HEAD, "b": 46},
            "xaxis": {
                "range": [-0.02 * top, top * 1.04], "fixedrange": True, "rangemode": "tozero", "automargin": False,
                "title": {"text": "standardised mean difference"},
            },
            "yaxis": {
                "range": [len(drawn) - 0.4, -0.6], "tickvals": places, "ticktext": [wrapped(label) for label in labels],
                "fixedrange": True, "ticks": "", "automargin": False, "showgrid": False, "ticklabelstandoff": 4,
                "tickfont": {"color": p.ink, "size": 12},
            },
            "shapes": [{
                "type": "line", "x0": ENOUGH, "x1": ENOUGH, "y0": -0.6, "y1": len(drawn) - 0.4, "layer": "below",
                "line": {"color": p.muted, "width": 1, "dash": "2px,3px"},
            }],
            "annotations": [
                {**note, "x": ENOUGH, "xref": "x", "text": "0.1", "yshift": 2},
                {**note, "x": 1, "xref": "paper", "xanchor": "right", "yshift": 22, "text": "○ before   ● after"},
            ],
        },
    )  # fmt: skip


def love_order(rows: Sequence[BalanceRow]) -> list[BalanceRow]:
    """Variables by how far their groups lay apart, levels of one variable together."""
    held = [list(of) for _, of in groupby(rows, key=lambda row: row.column.variable.name)]
    held.sort(key=lambda of: -max(abs(row.before) for row in of))
    return [row for of in held for row in (of[1:] if _two_levels(of) else of)]


def _two_levels(rows: Sequence[BalanceRow]) -> bool:
    """Of two levels one says it all."""
    return len(rows) == 2 and rows[0].column.level is not None


def name_of(column: Column) -> str:
    """A covariate or level, without saying a word twice: not "Symptoms of HIV: symptoms of HIV"."""
    if column.level is None:
        return column.label
    level = column.variable.label_of(column.level)
    repeated = column.variable.label.casefold() in level.casefold()
    return level[:1].upper() + level[1:] if repeated else column.label


def love_alt(rows: Sequence[BalanceRow]) -> str:
    """Every difference before and after, in words."""
    told = "; ".join(
        f"{name_of(row.column)}: {_number(row.before)} before, {_number(row.after)} after" for row in love_order(rows)
    )
    return f"Standardised mean differences before and after weighting. {told}."


def love_rows(rows: Sequence[BalanceRow], labels: Sequence[str]) -> tuple[list[str], list[list[object]]]:
    """Every covariate and level: differences with their sign, and means or shares of each group."""
    header = ["Covariate", "SMD before", "SMD after"]
    header += [f"{label}, {what}" for what in ("mean or share before", "after") for label in labels]
    return header, [[name_of(r.column), r.before, r.after, *r.means, *r.weighted_means] for r in rows]


def _top(rows: Sequence[BalanceRow]) -> float:
    values = [abs(v) for row in rows for v in (row.before, row.after) if math.isfinite(v)]
    return min(max([0.2, *values]), 3.0)


def _says(row: BalanceRow, k: int) -> str:
    value = row.before if k == 0 else row.after
    return f"{plain(name_of(row.column))}: {_number(value)} {'before' if k == 0 else 'after weighting'}"


def _number(value: float) -> str:
    return "no overlap" if math.isinf(value) else f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
