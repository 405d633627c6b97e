"""The names of the groups in a Kaplan-Meier figure: beside the plot, or where a curve has ended, next to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.figures.km_table import SIZE, Sheet
from components.figures.labels import pixels
from components.figures.palette import palette, plain, rgba
from components.figures.steps import short, spread

TALL = 15
"""Height of a label, in px."""

ENDS_EARLY = 0.985
"""A curve that ends before this share of the time axis does not reach the margin."""

FAR = 0.3
"""A curve that has come down to 0 has no line to its label over more than this share of the time axis."""


@dataclass(frozen=True)
class Label:
    """Where a group's name stands.

    Attributes
    ----------
    group : int
    end, level : float
        Where the curve ends, in time and on the vertical axis.
    height : float
        Middle of the label, on the vertical axis.
    inside : bool
        Next to the end of the curve, rather than in the margin.
    """

    group: int
    end: float
    level: float
    height: float
    inside: bool


def places(sheet: Sheet) -> list[Label]:
    """A place for each name: inside where the curve ended early and nothing else is there, else in the margin."""
    if sheet.n == 1:
        return []
    ends = [min(c.last, sheet.until) for c in sheet.curves]
    levels = [float(c.at(t, extend=True).survival[0]) for c, t in zip(sheet.curves, ends, strict=True)]
    top = sheet.axis.top
    half = TALL / 2 / sheet.plot * top
    inside: dict[int, tuple[float, float, float]] = {}
    for i in sorted(range(sheet.n), key=lambda i: ends[i]):
        height = min(max(levels[i], half), top - half)
        stop = ends[i] + _width(sheet, i)
        box = (ends[i], stop, height)
        if ends[i] < ENDS_EARLY * sheet.until and stop <= sheet.until and _is_free(sheet, i, box, inside.values()):
            inside[i] = box
    outside = [i for i in range(sheet.n) if i not in inside]
    wanted = np.array([levels[i] for i in outside]) * sheet.plot / top
    heights = spread(wanted, gap=TALL, top=sheet.plot) / sheet.plot * top if outside else np.zeros(0)
    at = dict(zip(outside, heights.tolist(), strict=True)) | {i: box[2] for i, box in inside.items()}
    return [Label(i, ends[i], levels[i], at[i], i in inside) for i in range(sheet.n)]


def names(sheet: Sheet, labels: Sequence[Label]) -> list[dict[str, Any]]:
    """The labels as annotations, in place of a legend; one curve needs none."""
    ground = rgba(palette(sheet.mode).card, 0.8)
    return [
        {
            "text": plain(short(sheet.curves[at.group].group)), "xanchor": "left", "y": at.height, "yref": "y",
            "yanchor": "middle", "showarrow": False, "align": "left", "borderpad": 0,
            "font": {"color": sheet.ink(at.group), "size": SIZE},
            **({"x": at.end, "xref": "x", "xshift": 6, "bgcolor": ground} if at.inside
               else {"x": 1, "xref": "paper", "xshift": 10}),
        }
        for at in labels
    ]  # fmt: skip


def leaders(sheet: Sheet, labels: Sequence[Label]) -> list[dict[str, Any]]:
    """A thin line from the end of a curve to its label in the margin, where the two do not touch."""
    return [
        {
            "type": "scatter", "mode": "lines", "x": [at.end, sheet.until * 1.012], "y": [at.level, at.height],
            "line": {"color": rgba(sheet.colours[at.group], 0.55), "width": 1, "dash": "1px,3px"},
            "hoverinfo": "skip", "cliponaxis": False,
        }
        for at in labels
        if _has_leader(sheet, at)
    ]  # fmt: skip


def _has_leader(sheet: Sheet, at: Label) -> bool:
    if at.inside or (at.level == 0 and at.end < (1 - FAR) * sheet.until):
        return False
    return at.end < ENDS_EARLY * sheet.until or abs(at.level - at.height) * sheet.plot / sheet.axis.top > 4


def _width(sheet: Sheet, i: int) -> float:
    """Of a label inside the plot, in time, where the page is at its narrowest."""
    room = max(sheet.width - sheet.left - sheet.right, 1)
    return (pixels([short(sheet.curves[i].group)], size=SIZE) + 14) / room * sheet.until


def _is_free(
    sheet: Sheet, i: int, box: tuple[float, float, float], others: Sequence[tuple[float, float, float]]
) -> bool:
    """True if neither another curve nor another label inside the plot crosses the box (start, stop, middle)."""
    start, stop, middle = box
    unit = sheet.axis.top / sheet.plot
    reach = (TALL / 2 + 3) * unit
    for j, curve in enumerate(sheet.curves):
        if j != i and curve.last > start:
            low, high = np.sort(curve.at([start, min(stop, curve.last)]).survival)
            if low <= middle + reach and high >= middle - reach:
                return False
    return all(abs(m - middle) > TALL * unit or a > stop or b < start for a, b, m in others)
