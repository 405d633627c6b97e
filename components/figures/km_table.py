"""The table below a Kaplan-Meier figure: at risk, censored and events, aligned to the time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bedside.report import say
from bedside.survival import Curve
from components.figures.labels import pixels
from components.figures.palette import Mode, contrast, palette, plain
from components.figures.steps import short
from components.figures.views import Axis

WHOLE_TABLE = 8
"""Up to so many groups the table has all three rows for each; beyond, the numbers at risk only."""

ROWS = ("At risk", "Censored so far", "Events so far")

LINE, HEAD, GAP = 16, 19, 7
"""Heights in the table, in px: a row of numbers, a group's name, the space between groups."""

SIZE = 12
"""Type size of the table and of the labels, in px."""


@dataclass(frozen=True)
class Sheet:
    """What all parts of the figure share: the curves in one unit, their looks and the measures in px."""

    curves: tuple[Curve, ...]
    colours: tuple[str, ...]
    dashes: tuple[str, ...]
    until: float
    times: np.ndarray
    mode: Mode
    plot: float
    fade_below: int
    left: float
    right: float
    digits: float
    width: float
    axis: Axis

    @property
    def n(self) -> int:
        """How many groups there are."""
        return len(self.curves)

    def ink(self, i: int) -> str:
        """The group's colour, moved towards the ink until text in it reads (4.5:1)."""
        p = palette(self.mode)
        steps = (_blend(self.colours[i], p.ink, share / 10) for share in range(11))
        return next((colour for colour in steps if contrast(colour, p.card) >= 4.5), p.ink)


@dataclass(frozen=True)
class Table:
    """The table as Plotly draws it: numbers as one trace, row labels, group names, and its height in px."""

    numbers: dict[str, Any]
    places: list[float]
    labels: list[str]
    heads: list[dict[str, Any]]
    height: float


def margins(curves: Sequence[Curve]) -> tuple[float, float, float]:
    """Left and right margin of the figure, and the width of its widest number, in px."""
    names = [short(c.group) for c in curves]
    digits = pixels([say.count(max(c.at_risk.max(initial=c.n) for c in curves))], size=SIZE)
    rows = pixels(ROWS if len(curves) <= WHOLE_TABLE else names, size=SIZE)
    right = pixels(names, size=SIZE) + 20 if len(curves) > 1 else digits / 2 + 10
    return rows + digits / 2 + 18, right, digits


def table_of(sheet: Sheet) -> Table:
    """Counts of every group at the ticks of the time axis; beyond eight groups, the numbers at risk only."""
    whole = sheet.n <= WHOLE_TABLE
    places: list[float] = []
    labels: list[str] = []
    heads: list[dict[str, Any]] = []
    values: list[np.ndarray] = []
    y = 0.0
    for i, curve in enumerate(sheet.curves):
        counts = curve.counts(sheet.times)
        rows = list(zip(ROWS, (counts.at_risk, counts.censored, counts.events), strict=True))
        if not whole:
            rows = [(f'<span style="color:{sheet.ink(i)}">{plain(short(curve.group))}</span>', counts.at_risk)]
        elif sheet.n > 1:
            heads.append(_head(sheet, f"<b>{plain(curve.group, limit=60)}</b>", y + HEAD / 2, sheet.ink(i)))
            y += HEAD
        for label, row in rows:
            places.append(y + LINE / 2)
            labels.append(label)
            values.append(row)
            y += LINE
        y += GAP if whole else 0
    if not whole:
        heads.append(_head(sheet, "At risk", -LINE / 2, palette(sheet.mode).muted))
    numbers = {
        "type": "scatter", "mode": "text", "x": np.tile(sheet.times, len(places)),
        "y": np.repeat(places, len(sheet.times)), "text": [say.count(v) for row in values for v in row.tolist()],
        "yaxis": "y2", "textfont": {"size": SIZE, "color": palette(sheet.mode).ink}, "hoverinfo": "skip",
        "cliponaxis": False,
    }  # fmt: skip
    return Table(numbers, places, labels, heads, y)


def _head(sheet: Sheet, text: str, y: float, colour: str) -> dict[str, Any]:
    return {
        "text": text, "x": 0, "xref": "paper", "xanchor": "left", "xshift": 4 - sheet.left, "y": y, "yref": "y2",
        "yanchor": "middle", "showarrow": False, "align": "left", "font": {"color": colour, "size": SIZE},
    }  # fmt: skip


def _blend(colour: str, other: str, share: float) -> str:
    pairs = ((int(colour[k : k + 2], 16), int(other[k : k + 2], 16)) for k in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)
