"""Cumulative incidence of several types of event: side by side, or stacked to the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from bedside.cohort.units import Unit, convert
from bedside.competing import Incidence
from bedside.report import say
from components.figures.labels import pixels
from components.figures.palette import Mode, dashes, palette, plain, rgba, shades, template
from components.figures.stacked import (
    FOOT,
    HEAD,
    Stack,
    axes_of,
    box_of,
    moving_rows,
    panel_title,
    sheet_height,
    stacked_figure,
)
from components.figures.steps import short, spread, staircase

Arrangement = Literal["side", "stacked"]
SIZE, TALL = 12, 15
PALE = 0.45
"""What is left of the colour where few remain under observation."""


@dataclass(frozen=True)
class Look:
    """What all lines of the figure share."""

    unit: Unit
    until: float
    band: bool
    naive: bool
    mode: Mode
    fade_below: int


def incidence_figure(
    groups: Sequence[Incidence], *, arrangement: Arrangement = "side", unit: Unit, until: float, band: bool = True,
    naive: bool = False, mode: Mode = "light", x_title: str = "", fade_below: int = 10,
) -> go.Figure:  # fmt: skip
    """A panel for each type of event with a line a group, or a panel for each group with types stacked.

    Parameters
    ----------
    groups : sequence of Incidence
        In one unit, of the same types of event.
    arrangement : {"side", "stacked"}
    unit, until
        Unit of the time axis, and its end.
    band : bool
        Draw the pointwise intervals (side by side only: stacked areas have none).
    naive : bool
        Draw 1 - Kaplan-Meier too, dotted: what ignoring the other events would have said.
    mode : {"light", "dark"}
    x_title : str
    fade_below : int, default 10
        A line and its band are paler from where fewer than so many remain at risk (side by side only).
    """
    causes = groups[0].causes
    if arrangement == "stacked":
        return stacked_figure(
            [_stack(g, unit) for g in groups], (*causes, "Free of all"), unit=unit, until=until, mode=mode,
            x_title=x_title,
        )  # fmt: skip
    # Below each other: beside each other two panels leave no room for the groups' names on a narrow page.
    columns, rows = 1, len(causes)
    top = _top(groups, until, unit, naive)
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"template": template(mode), "annotations": [], "hovermode": "closest"}
    height = sheet_height(rows)
    for i, title in enumerate(causes):
        box, name = box_of(i, columns, rows, height), "" if i == 0 else str(i + 1)
        layout |= axes_of(name, box, unit, until, top, x_title if i >= len(causes) - columns else "")
        layout["annotations"].append(panel_title(title, box, palette(mode).ink))
        look = Look(unit, until, band, naive, mode, fade_below)
        drawn, ends = _lines(groups, i, {"xaxis": f"x{name}", "yaxis": f"y{name}"}, look)
        data += drawn
        if len(groups) > 1:
            layout["annotations"] += _names(ends, box, top, (box[3] - box[2]) * (height - FOOT - HEAD))
    width = pixels([short(g.group) for g in groups], size=SIZE) + 14 if len(groups) > 1 else 12
    layout |= {"height": round(height), "margin": {"l": 48, "r": width, "t": HEAD, "b": FOOT}}
    return go.Figure(data=data, layout=layout)


def _stack(g: Incidence, unit: Unit) -> Stack:
    shares = np.column_stack((g.incidence, g.event_free))
    return Stack(g.group, np.asarray(convert(g.time, g.unit, unit)), shares)


def incidence_alt(groups: Sequence[Incidence], *, unit: Unit, until: float) -> str:
    """The curves in words: each group's share with each type of event by the end of the axis."""
    told = []
    for g in groups:
        end = min(until, float(convert(g.last, g.unit, unit)))
        at = g.at([float(convert(end, unit, g.unit))])
        shares = ", ".join(
            f"{cause} {say.percent(at.incidence[0, k])}"
            for k, cause in enumerate(g.causes)
            if np.isfinite(at.incidence[0, k])
        )
        told.append(f"{g.group}: {say.patients(g.n)}; by {say.duration(end, unit)} {shares}")
    return f"Cumulative incidence of {len(groups[0].causes)} types of event that exclude each other. {'. '.join(told)}."


def incidence_rows(groups: Sequence[Incidence], *, unit: Unit) -> tuple[list[str], list[list[object]]]:
    """Every step of every curve, unrounded: header and rows for a file."""
    header = ["Group", f"Time ({unit})", "At risk", "Censored", "Type of event", "Events", "Cumulative incidence"]
    header += ["Lower limit", "Upper limit", "Standard error", "1 - Kaplan-Meier of this type alone"]
    rows: list[list[object]] = []
    for g in groups:
        time = np.asarray(convert(g.time, g.unit, unit))
        for k, cause in enumerate(g.causes):
            columns = (time, g.at_risk, g.censored, g.events[:, k], g.incidence[:, k], g.lower[:, k], g.upper[:, k],
                       g.std_err[:, k], g.naive[:, k])  # fmt: skip
            for t, n, c, d, *values in zip(*(a.tolist() for a in columns), strict=True):
                rows.append([g.group, t, n, c, cause, d, *(None if math.isnan(v) else v for v in values)])
    return header, rows


def _top(groups: Sequence[Incidence], until: float, unit: Unit, naive: bool) -> float:
    """End of the vertical axis: the next tenth above everything drawn."""
    highest = 0.0
    for g in groups:
        inside = np.asarray(convert(g.time, g.unit, unit)) <= until
        parts = [g.incidence[inside]] + ([g.naive[inside]] if naive else [])
        highest = max(highest, *(float(np.nanmax(p, initial=0.0)) for p in parts))
    return min(1.0, 0.1 * math.ceil(10 * highest * 1.1 + 1e-9)) or 0.1


def _lines(
    groups: Sequence[Incidence], k: int, axes: dict[str, str], look: Look
) -> tuple[list[dict], list[tuple[str, str, float]]]:
    n = len(groups)
    data, ends = [], []
    for g, colour, style in zip(groups, shades(n, look.mode), dashes(n), strict=True):
        time = np.asarray(convert(g.time, g.unit, look.unit))
        rows = moving_rows(time, g.incidence[:, k], look.until)
        end = min(look.until, float(time[-1]))
        enough = np.flatnonzero(g.at_risk >= look.fade_below)
        fade = min(float(time[enough[-1]]) if len(enough) else float(time[0]), end)
        cut = int(np.searchsorted(time[rows], fade, side="right")) or 1
        parts = [(rows[:cut], float(time[rows[0]]), fade, 1.0), (rows[cut - 1 :], fade, end, PALE)]
        parts = parts if end > fade else parts[:1]
        if look.band and g.n_events[k]:
            for part, start, stop, strength in parts:
                fill = rgba(colour, 0.16 * strength / n**0.5)
                when = np.maximum(time[part], start)
                data.append(axes | _band(when, g.lower[part, k], g.upper[part, k], stop, fill))
        if look.naive:
            data.append(axes | _dotted(time, g.naive[:, k], look.until, end, colour))
        for part, start, stop, strength in parts:
            y, says = g.incidence[part, k], [_said(g, r, k) for r in part]
            data.append(axes | {
                "type": "scatter", "mode": "lines", "x": np.append(np.maximum(time[part], start), stop),
                "y": np.append(y, y[-1]), "text": [*says, says[-1]],
                "line": {"color": rgba(colour, strength) if strength < 1 else colour, "width": 2.25, "shape": "hv",
                         "dash": style},
                "hovertemplate": f"<b>{plain(g.group, limit=60)}</b><br>%{{x:.3~g}} {look.unit}: "
                                 "%{text}<extra></extra>",
            })  # fmt: skip
        ends.append((g.group, colour, float(g.incidence[rows[-1], k])))
    return data, ends


def _dotted(time: np.ndarray, naive: np.ndarray, until: float, end: float, colour: str) -> dict[str, Any]:
    rows = moving_rows(time, naive, until)
    return {
        "type": "scatter", "mode": "lines", "x": np.append(time[rows], end),
        "y": np.append(naive[rows], naive[rows][-1]),
        "line": {"color": rgba(colour, 0.7), "width": 1.5, "dash": "dot", "shape": "hv"},
        "hovertemplate": "1 − Kaplan-Meier: %{y:.1%}<extra></extra>",
    }  # fmt: skip


def _said(g: Incidence, row: int, k: int) -> str:
    low, high = g.lower[row, k], g.upper[row, k]
    between = (
        "" if math.isnan(low) or math.isnan(high) else f" ({g.level:.0%} CI {say.percent_range(low, high, decimals=1)})"
    )
    return f"{g.incidence[row, k]:.1%}{between}<br>{say.count(float(g.at_risk[row]))} at risk just before"


def _band(time: np.ndarray, low: np.ndarray, high: np.ndarray, end: float, fill: str) -> dict[str, Any]:
    known = np.isfinite(low) & np.isfinite(high)
    x, up = staircase(time[known], high[known], end)
    _, down = staircase(time[known], low[known], end)
    return {
        "type": "scatter", "mode": "lines", "x": np.concatenate((x, x[::-1])), "y": np.concatenate((up, down[::-1])),
        "fill": "toself", "fillcolor": fill, "line": {"width": 0}, "hoverinfo": "skip",
    }  # fmt: skip


def _names(ends: Sequence[tuple[str, str, float]], box: tuple, top: float, inner: float) -> list[dict[str, Any]]:
    wanted = np.array([y / top * inner for _, _, y in ends])
    places = spread(wanted, gap=TALL, top=max(inner, TALL * len(ends))) / inner
    return [
        {
            "text": plain(short(group)), "x": box[1], "xref": "paper", "xanchor": "left", "xshift": 5,
            "y": box[2] + float(place) * (box[3] - box[2]), "yref": "paper", "yanchor": "middle", "showarrow": False,
            "font": {"color": colour, "size": SIZE},
        }
        for (group, colour, _), place in zip(ends, places, strict=True)
    ]  # fmt: skip
