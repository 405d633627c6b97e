"""Panels side by side, and shares stacked to the whole: what the figures of several events and states are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort.units import Unit
from components.figures.km import nice_times
from components.figures.labels import pixels
from components.figures.palette import Mode, palette, plain, rgba, template
from components.figures.steps import staircase

SIZE, MOST = 12, 400
WIDEST = 150
"""Titles of panels wider than this, in px, do not fit beside each other on a narrow page."""
PANEL, GAP, HEAD, FOOT, KEY = 300, 46, 26, 52, 24


def sheet_height(rows: int) -> float:
    """Height in px of rows of panels with their titles and the axis below."""
    return rows * (PANEL + HEAD) + (rows - 1) * GAP + FOOT


def box_of(i: int, columns: int, rows: int, height: float) -> tuple[float, float, float, float]:
    """A panel's place: shares of the plot, left, right, bottom, top."""
    gap = 0.16 if columns > 1 else 0.0
    wide = (1 - gap * (columns - 1)) / columns
    column, row = i % columns, i // columns
    inner = height - FOOT - HEAD
    tall, step = PANEL / inner, (PANEL + HEAD + GAP) / inner
    top = 1 - row * step
    return column * (wide + gap), column * (wide + gap) + wide, max(top - tall, 0.0), min(top, 1.0)


def axes_of(
    name: str, box: tuple[float, float, float, float], unit: Unit, until: float, top: float, title: str
) -> dict:
    """Both axes of a panel: time below, shares at its left."""
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


def panel_title(text: str, box: tuple[float, float, float, float], ink: str) -> dict[str, Any]:
    """What a panel is of, above its left corner."""
    return {
        "text": f"<b>{plain(text, limit=48)}</b>", "x": box[0], "xref": "paper", "xanchor": "left", "y": box[3],
        "yref": "paper", "yanchor": "bottom", "yshift": 6, "showarrow": False, "font": {"size": 13, "color": ink},
    }  # fmt: skip


def moving_rows(time: np.ndarray, values: np.ndarray, until: float) -> np.ndarray:
    """Rows where a curve moves, a few hundred at most; always where it starts."""
    inside = time <= max(until, float(time[0]))
    moves = np.concatenate(([True], np.any(np.diff(values, axis=0) != 0, axis=tuple(range(1, values.ndim)))))
    rows = np.flatnonzero(inside & moves)
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).round().astype(int))]


@dataclass(frozen=True, eq=False)
class Stack:
    """Shares of one group over time.

    Attributes
    ----------
    title : str
    time : array, shape (n_steps,)
        In the axis' unit.
    shares : array, shape (n_steps, n_labels)
        From below; each row adds up to 1.
    """

    title: str
    time: np.ndarray
    shares: np.ndarray


def stacked_figure(
    stacks: Sequence[Stack], labels: Sequence[str], *, unit: Unit, until: float, mode: Mode = "light",
    x_title: str = "", turned: bool = False,
) -> go.Figure:  # fmt: skip
    """A panel for each group, the shares of all its patients stacked from below.

    Parameters
    ----------
    stacks : sequence of Stack
    labels : sequence of str
        What each share is, from below; the last one is being free of everything.
    unit, until
        Unit of the time axis, and its end.
    mode : {"light", "dark"}
    x_title : str
    turned : bool
        The first event is not the lowest share but the one below the last: it has the event's colour then.
    """
    fits = pixels([stack.title for stack in stacks], size=13) <= WIDEST
    columns = min(2 if fits else 1, len(stacks))
    rows = math.ceil(len(stacks) / columns)
    height = sheet_height(rows)
    colours = _colours(len(labels), mode)
    if turned:
        colours = [*reversed(colours[:-1]), colours[-1]]
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"template": template(mode), "annotations": key_of(labels, colours, mode)}
    for i, stack in enumerate(stacks):
        box, name = box_of(i, columns, rows, height), "" if i == 0 else str(i + 1)
        layout |= axes_of(name, box, unit, until, 1.0, x_title if i >= len(stacks) - columns else "")
        layout["annotations"].append(panel_title(stack.title, box, palette(mode).ink))
        data += _areas(stack, labels, colours, name, until)
    layout["margin"] = {"l": 48, "r": 12, "t": HEAD + KEY, "b": FOOT}
    layout["height"] = round(height + KEY)
    return go.Figure(data=data, layout=layout)


def _areas(
    stack: Stack, labels: Sequence[str], colours: Sequence[str], name: str, until: float
) -> list[dict[str, Any]]:
    rows = moving_rows(stack.time, stack.shares, until)
    end = min(until, float(stack.time[-1]))
    edges = np.concatenate((np.zeros((len(rows), 1)), np.cumsum(stack.shares[rows], axis=1)), axis=1)
    data = []
    for k, label in enumerate(labels):
        x, low = staircase(stack.time[rows], edges[:, k], end)
        _, high = staircase(stack.time[rows], edges[:, k + 1], end)
        data.append({
            "type": "scatter", "mode": "lines", "x": np.concatenate((x, x[::-1])),
            "y": np.concatenate((high, low[::-1])), "fill": "toself", "fillcolor": rgba(colours[k], 0.85),
            "line": {"width": 0}, "xaxis": f"x{name}", "yaxis": f"y{name}", "hoverinfo": "text", "text": plain(label),
            "hoveron": "fills",
        })  # fmt: skip
    return data


def key_of(labels: Sequence[str], colours: Sequence[str], mode: Mode) -> list[dict[str, Any]]:
    """What each colour is, in one line above the panels."""
    out, x = [], 0.0
    for label, colour in zip(labels, colours, strict=True):
        out.append({
            "text": f'<span style="color:{colour}">■</span> {plain(label, limit=40)}', "x": 0, "xref": "paper",
            "xanchor": "left", "xshift": x, "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 28,
            "showarrow": False, "font": {"size": SIZE, "color": palette(mode).muted},
        })  # fmt: skip
        x += pixels([label[:40]], size=SIZE) + 34
    return out


def _colours(n: int, mode: Mode) -> list[str]:
    """For the event first, then the others, and at the top for being free of all."""
    p = palette(mode)
    return [p.event, *p.groups[: n - 2], p.event_free][:n]
