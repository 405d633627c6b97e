"""Cumulative incidence of several types of event: side by side, or stacked to the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from bedside.cohort.units import Unit, convert
from bedside.competing import Incidence
from bedside.report import say
from components.figures.km import nice_times
from components.figures.labels import pixels
from components.figures.palette import Mode, dashes, palette, plain, rgba, shades, template
from components.figures.steps import short, spread, staircase

Arrangement = Literal["side", "stacked"]
SIZE, TALL, MOST = 12, 15, 400
PANEL, GAP, HEAD = 300, 46, 26


def incidence_figure(
    groups: Sequence[Incidence], *, arrangement: Arrangement = "side", unit: Unit, until: float, band: bool = True,
    naive: bool = False, mode: Mode = "light", x_title: str = "",
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
    """
    causes = groups[0].causes
    titles = list(causes) if arrangement == "side" else [g.group for g in groups]
    columns = min(2, len(titles))
    rows = math.ceil(len(titles) / columns)
    top = 1.0 if arrangement == "stacked" else _top(groups, until, unit, naive)
    width = _label_width(groups, arrangement)
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"template": template(mode), "annotations": [], "hovermode": "closest"}
    height = rows * (PANEL + HEAD) + (rows - 1) * GAP + 52
    for i, title in enumerate(titles):
        box = _box(i, columns, rows, height)
        name = "" if i == 0 else str(i + 1)
        layout |= _axes(name, box, unit, until, top, x_title if i >= len(titles) - columns else "")
        layout["annotations"].append(_title(title, box, palette(mode).ink))
        if arrangement == "side":
            drawn, ends = _lines(groups, i, name, unit, until, band, naive, mode)
        else:
            drawn, ends = _areas(groups[i], name, unit, until, mode)
        data += drawn
        if arrangement == "side" and len(groups) > 1:
            layout["annotations"] += _names(ends, box, top, (box[3] - box[2]) * (height - 52 - HEAD))
    layout["height"] = round(height)
    layout["margin"] = {"l": 48, "r": width, "t": HEAD, "b": 52}
    if arrangement == "stacked":
        layout["annotations"] += _key(causes, mode)
        layout["margin"] = {"l": 48, "r": 12, "t": HEAD + 24, "b": 52}
        layout["height"] = round(height + 24)
    return go.Figure(data=data, layout=layout)


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


def _label_width(groups: Sequence[Incidence], arrangement: Arrangement) -> float:
    return pixels([short(g.group) for g in groups], size=SIZE) + 14 if len(groups) > 1 and arrangement == "side" else 12


def _box(i: int, columns: int, rows: int, height: float) -> tuple[float, float, float, float]:
    """A panel's place: shares of the plot, left, right, bottom, top."""
    gap = 0.16 if columns > 1 else 0.0
    wide = (1 - gap * (columns - 1)) / columns
    column, row = i % columns, i // columns
    inner = height - 52 - HEAD
    tall, step = PANEL / inner, (PANEL + HEAD + GAP) / inner
    top = 1 - row * step
    return column * (wide + gap), column * (wide + gap) + wide, max(top - tall, 0.0), min(top, 1.0)


def _axes(name: str, box: tuple[float, float, float, float], unit: Unit, until: float, top: float, title: str) -> dict:
    times = nice_times(until, unit, most=7)
    ticks = [0, 0.25, 0.5, 0.75, 1] if top > 0.8 else [round(0.1 * k, 1) for k in range(0, 9, 1 if top <= 0.5 else 2)]
    return {
        f"xaxis{name}": {
            "domain": box[:2], "anchor": f"y{name}", "range": [0, until], "tickvals": times, "showline": True,
            "ticktext": [f"{t:,.3g}" for t in times], "title": {"text": plain(title)}, "fixedrange": True,
            "automargin": False,
        },
        f"yaxis{name}": {
            "domain": box[2:], "anchor": f"x{name}", "range": [0, top * 1.005], "tickformat": ".0%", "fixedrange": True,
            "tickvals": [t for t in ticks if t <= top + 1e-9], "ticks": "", "automargin": False,
        },
    }  # fmt: skip


def _title(text: str, box: tuple[float, float, float, float], ink: str) -> dict[str, Any]:
    return {
        "text": f"<b>{plain(text, limit=48)}</b>", "x": box[0], "xref": "paper", "xanchor": "left", "y": box[3],
        "yref": "paper", "yanchor": "bottom", "yshift": 6, "showarrow": False, "font": {"size": 13, "color": ink},
    }  # fmt: skip


def _thinned(time: np.ndarray, values: np.ndarray, until: float) -> np.ndarray:
    """Rows where a curve moves, a few hundred at most."""
    inside = time <= until
    moves = np.concatenate(([True], np.any(np.diff(values, axis=0) != 0, axis=tuple(range(1, values.ndim)))))
    rows = np.flatnonzero(inside & moves)
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).round().astype(int))]


def _lines(
    groups: Sequence[Incidence], k: int, name: str, unit: Unit, until: float, band: bool, naive: bool, mode: Mode
) -> tuple[list[dict], list[tuple[str, str, float]]]:
    n = len(groups)
    data, ends = [], []
    for g, colour, style in zip(groups, shades(n, mode), dashes(n), strict=True):
        time = np.asarray(convert(g.time, g.unit, unit))
        rows = _thinned(time, g.incidence[:, k], until)
        end = min(until, float(time[-1]))
        axes = {"xaxis": f"x{name}", "yaxis": f"y{name}"}
        if band and g.n_events[k]:
            data.append(axes | _band(time[rows], g.lower[rows, k], g.upper[rows, k], end, rgba(colour, 0.16 / n**0.5)))
        if naive:
            data.append(axes | _dotted(time, g.naive[:, k], until, end, colour))
        y = g.incidence[rows, k]
        says = [_said(g, r, k) for r in rows]
        data.append(axes | {
            "type": "scatter", "mode": "lines", "x": np.append(time[rows], end), "y": np.append(y, y[-1]),
            "text": [*says, says[-1]], "line": {"color": colour, "width": 2.25, "shape": "hv", "dash": style},
            "hovertemplate": f"<b>{plain(g.group, limit=60)}</b><br>%{{x:.3~g}} {unit}: %{{text}}<extra></extra>",
        })  # fmt: skip
        ends.append((g.group, colour, float(y[-1])))
    return data, ends


def _dotted(time: np.ndarray, naive: np.ndarray, until: float, end: float, colour: str) -> dict[str, Any]:
    rows = _thinned(time, naive, until)
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


def _areas(g: Incidence, name: str, unit: Unit, until: float, mode: Mode) -> tuple[list[dict], list]:
    """Shares stacked from below: each type of event, and who is free of all on top."""
    time = np.asarray(convert(g.time, g.unit, unit))
    rows = _thinned(time, g.incidence, until)
    end = min(until, float(time[-1]))
    stacked = np.concatenate(
        (np.zeros((len(rows), 1)), np.cumsum(g.incidence[rows], axis=1), np.ones((len(rows), 1))), 1
    )
    colours = _fills(len(g.causes), mode)
    data = []
    for k, label in enumerate((*g.causes, "free of all")):
        x, low = staircase(time[rows], stacked[:, k], end)
        _, high = staircase(time[rows], stacked[:, k + 1], end)
        data.append({
            "type": "scatter", "mode": "lines", "x": np.concatenate((x, x[::-1])),
            "y": np.concatenate((high, low[::-1])), "fill": "toself", "fillcolor": colours[k], "line": {"width": 0},
            "xaxis": f"x{name}", "yaxis": f"y{name}", "hoverinfo": "text", "text": plain(label), "hoveron": "fills",
        })  # fmt: skip
    return data, []


def _fills(n: int, mode: Mode) -> list[str]:
    p = palette(mode)
    return [p.event, *(rgba(c, 0.75) for c in p.groups[: n - 1]), p.event_free]


def _key(causes: Sequence[str], mode: Mode) -> list[dict[str, Any]]:
    """What each colour of the stack is, in one line above the panels."""
    parts = [
        f'<span style="color:{colour}">■</span> {plain(label, limit=40)}'
        for label, colour in zip((*causes, "Free of all"), _key_colours(len(causes), mode), strict=True)
    ]
    out, x = [], 0.0
    for text, label in zip(parts, (*causes, "Free of all"), strict=True):
        out.append({
            "text": text, "x": 0, "xref": "paper", "xanchor": "left", "xshift": x, "y": 1, "yref": "paper",
            "yanchor": "bottom", "yshift": 28, "showarrow": False, "font": {"size": SIZE, "color": palette(mode).muted},
        })  # fmt: skip
        x += pixels([label[:40]], size=SIZE) + 34
    return out


def _key_colours(n: int, mode: Mode) -> list[str]:
    p = palette(mode)
    return [p.event, *p.groups[: n - 1], p.event_free]


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
