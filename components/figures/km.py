"""The Kaplan-Meier figure, with its table of numbers at risk below the same axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort.units import Unit
from bedside.report import say
from bedside.survival import Curve
from bedside.survival.view import Scale
from components.figures.km_labels import leaders, names, places
from components.figures.km_table import Sheet, Table, margins, table_of
from components.figures.km_words import km_alt, km_rows, km_summary_rows
from components.figures.palette import Mode, dashes, palette, plain, rgba, shades, template
from components.figures.steps import LIMIT, LIMIT_OF_MANY, band_outline, censor_marks, drawn_rows, short
from components.figures.views import axis_of, seen_as

__all__ = ["km_alt", "km_figure", "km_rows", "km_summary_rows", "nice_times"]

AXIS = 60
"""Room between the plot and its table for the time axis, in px."""

PALE = 0.45
"""What is left of the colour where few remain under observation."""

STEPS: dict[Unit, tuple[float, ...]] = {
    "days": (1, 2, 5, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650),
    "weeks": (1, 2, 4, 8, 13, 26, 52, 104, 260, 520),
    "months": (0.5, 1, 2, 3, 6, 12, 24, 36, 60, 120, 240),
    "years": (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50),
}
"""Distances of ticks that a clinician would choose."""


def km_figure(
    curves: Sequence[Curve],
    *,
    band: bool = True,
    until: float | None = None,
    unit: Unit | None = None,
    mode: Mode = "light",
    fade_below: int = 10,
    table_times: Sequence[float] | None = None,
    y_title: str = "Free of the event",
    x_title: str | None = None,
    height: int = 340,
    width: int = 560,
    scale: Scale = "survival",
) -> go.Figure:
    """Kaplan-Meier curves with bands, and the KMunicate table aligned to their time axis.

    Parameters
    ----------
    curves : sequence of Curve
        One per group, in one unit; at least one.
    band : bool, default True
        Draw the pointwise intervals.
    until : float, optional
        End of the time axis in ``unit``; the longest follow-up by default.
    unit : {"days", "weeks", "months", "years"}, optional
        Unit of the time axis; the curves' own by default.
    mode : {"light", "dark"}
        Ground that the figure stands on.
    fade_below : int, default 10
        A curve and its band are paler from where fewer than so many remain at risk.
    table_times : sequence of float, optional
        Ticks of the time axis and columns of the table, in ``unit``.
    y_title, x_title : str
        ``"Alive and free of recurrence"``, ``"Years since surgery"``.
    height : int
        Height of the plot in px, without its table.
    width : int
        Narrowest width in px at which table and labels must be legible.
    scale : {"survival", "incidence", "hazard"}
        What is drawn; the complementary log-log has its own figure.

    Returns
    -------
    plotly.graph_objects.Figure
        Its height is set; its width is its container's.
    """
    unit = unit or curves[0].unit
    converted = tuple(c.convert(unit) for c in curves)
    end = until if until and until > 0 else max(c.last for c in converted) or 1.0
    medians = [c.median.estimate for c in converted] if scale == "survival" else []
    converted = seen_as(converted, scale, end)
    n = len(converted)
    left, right, digits = margins(converted)
    if table_times is None:
        room = max(2, int((width - left - right) / (digits + 8)))
        table_times = nice_times(end, unit, most=min(9, room))
    times = np.asarray(table_times, dtype=float)
    sheet = Sheet(
        curves=converted, colours=shades(n, mode), dashes=dashes(n), until=end,
        times=times[(times >= 0) & (times <= end * (1 + 1e-9))], mode=mode, plot=max(height, 16 * n),
        fade_below=fade_below, left=left, right=right, digits=digits, width=width,
        axis=axis_of(converted, scale, end),
    )  # fmt: skip
    table = table_of(sheet)
    labels = places(sheet)
    layout = _layout(sheet, table)
    layout["xaxis"]["title"] = {"text": plain(x_title or f"{unit.capitalize()} since time zero")}
    layout["annotations"] = [_above(y_title, sheet), *names(sheet, labels), *table.heads]
    traces = [t for i in range(n) if band for t in _band(sheet, i)]
    traces += [_medians(sheet, medians), *leaders(sheet, labels)]
    traces += [t for i in range(n) for t in _line(sheet, i, unit)]
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(data=[*traces, table.numbers], layout=layout, _validate=False)


def nice_times(until: float, unit: Unit, *, most: int = 8) -> np.ndarray:
    """Round times from 0 to `until`, at most `most` of them: 0, 1, 2 ... years or 0, 12, 24 ... months."""
    steps = [s for s in STEPS[unit] if 1 <= int(until / s * (1 + 1e-9)) < most]
    step = steps[0] if steps else until / min(4, most - 1)
    return step * np.arange(int(until / step * (1 + 1e-9)) + 1)


def _layout(sheet: Sheet, table: Table) -> dict[str, Any]:
    p = palette(sheet.mode)
    inner = sheet.plot + AXIS + table.height
    decimals = 0 if np.allclose(sheet.times, np.round(sheet.times), atol=0) else 2
    return {
        "template": template(sheet.mode),
        "height": round(inner + 38),
        "margin": {"l": sheet.left, "r": sheet.right, "t": 30, "b": 8},
        "hovermode": "closest",
        "hoverdistance": 30,
        "xaxis": {
            "range": [0, sheet.until], "tickvals": sheet.times, "anchor": "y", "showline": True, "automargin": False,
            "ticktext": [_tick(t, decimals, sheet.until) for t in sheet.times.tolist()],
            "fixedrange": True,
        },
        "yaxis": {
            "range": [0, sheet.axis.top], **sheet.axis.look, "automargin": False,
            "domain": [1 - sheet.plot / inner, 1], "fixedrange": True, "ticks": "", "ticklabelstandoff": 4,
        },
        "yaxis2": {
            "range": [table.height, 0], "domain": [0, table.height / inner], "tickvals": table.places,
            "ticktext": table.labels, "showgrid": False, "ticks": "", "ticklabelstandoff": round(sheet.digits / 2 + 10),
            "tickfont": {"color": p.muted, "size": 12}, "automargin": False, "fixedrange": True,
        },
    }  # fmt: skip


def _tick(t: float, decimals: int, until: float) -> str:
    """A time on the axis; beyond what two decimals, or a dozen digits, can say, in powers of ten."""
    if not 0.05 <= until < 1e9:
        return f"{t:.3g}"
    return f"{t:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{t:,.0f}"


def _band(sheet: Sheet, i: int) -> list[dict[str, Any]]:
    """The interval, paler where the curve is."""
    curve = sheet.curves[i]
    if not curve.n_events:
        return []
    rows, fade, end = _course(sheet, curve)
    cut = int(np.searchsorted(curve.time[rows], fade, side="right"))
    alpha = max(0.03, 0.16 / max(1, sheet.n) ** 0.5)
    parts = [(band_outline(curve, rows[:cut], fade), alpha)]
    if end > fade:
        parts.append((band_outline(curve, rows[cut - 1 :], end, start=fade), alpha * PALE))
    quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    return [
        {"type": "scatter", "x": x, "y": y, "fill": "toself", "fillcolor": rgba(sheet.colours[i], a), **quiet}
        for (x, y), a in parts
        if len(x)
    ]


def _course(sheet: Sheet, curve: Curve) -> tuple[np.ndarray, float, float]:
    """Rows of a curve to draw, where it turns pale, and where it ends."""
    end = min(curve.last, sheet.until)
    limit = LIMIT if sheet.n < 3 else LIMIT_OF_MANY
    return drawn_rows(curve, sheet.until, limit=limit), min(curve.reliable_until(sheet.fade_below), end), end


def _line(sheet: Sheet, i: int, unit: Unit) -> list[dict[str, Any]]:
    """The curve itself, its paler end, and its censoring marks."""
    curve, colour = sheet.curves[i], sheet.colours[i]
    rows, fade, end = _course(sheet, curve)
    cut = int(np.searchsorted(curve.time[rows], fade, side="right"))
    level = curve.survival[rows[cut - 1]]
    says = _hover(sheet, curve, rows)
    when = f"%{{x:{_decimals(unit)}}} {unit}"
    stroke = {"width": 2.25, "dash": sheet.dashes[i], "shape": "hv"}
    about = {
        "type": "scatter", "mode": "lines", "name": plain(short(curve.group)),
        "hovertemplate": f"<b>{plain(curve.group, limit=60)}</b><br>{when}: %{{text}}<extra></extra>",
    }  # fmt: skip
    solid = {
        **about, "x": np.append(curve.time[rows[:cut]], fade), "y": np.append(curve.survival[rows[:cut]], level),
        "text": [*says[:cut], says[cut - 1]], "line": {"color": colour, **stroke},
    }  # fmt: skip
    last = curve.survival[rows[-1]]
    pale = {
        **about, "x": np.concatenate(([fade], curve.time[rows[cut:]], [end])),
        "y": np.concatenate(([level], curve.survival[rows[cut:]], [last])),
        "text": [says[cut - 1], *says[cut:], says[-1]], "line": {"color": rgba(colour, PALE), **stroke},
    }  # fmt: skip
    x, y = censor_marks(curve, sheet.until)
    # One path of short strokes: a browser draws it many times faster than as many markers.
    half, gap = 3.5 * sheet.axis.top / sheet.plot, np.full(len(x), np.nan)
    marks = {
        "type": "scatter", "mode": "lines", "x": np.column_stack((x, x, gap)).ravel(),
        "y": np.column_stack((y - half, y + half, gap)).ravel(), "hoverinfo": "skip", "cliponaxis": False,
        "line": {"color": rgba(colour, 0.55), "width": 1}, "connectgaps": False,
    }  # fmt: skip
    return [solid, *([pale] if end > fade else []), *([marks] if len(x) else [])]


def _hover(sheet: Sheet, curve: Curve, rows: np.ndarray) -> list[str]:
    columns = zip(
        curve.survival[rows].tolist(), curve.lower[rows].tolist(), curve.upper[rows].tolist(),
        curve.at_risk[rows].tolist(), strict=True,
    )  # fmt: skip
    says, level = sheet.axis.says, curve.level
    return [f"{says(y, low, high, level)}<br>{say.count(n)} at risk just before" for y, low, high, n in columns]


def _medians(sheet: Sheet, medians: Sequence[float]) -> dict[str, Any]:
    """A dotted line at one half, as far as the last median, and down to the axis from each."""
    medians = [m for m in medians if m <= sheet.until]
    x: list[float | None] = [0, max(medians)] if medians else []
    y: list[float | None] = [0.5, 0.5] if medians else []
    for median in medians if sheet.n <= 4 else []:
        x += [None, median, median]
        y += [None, 0.5, 0]
    line = {"color": rgba(palette(sheet.mode).muted, 0.7), "width": 1, "dash": "2px,3px"}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip"}


def _above(title: str, sheet: Sheet) -> dict[str, Any]:
    """The title of the vertical axis, lying above it where it is read without turning the head."""
    return {
        "text": plain(title, limit=80), "x": 0, "xref": "paper", "xanchor": "left", "xshift": -34, "y": 1,
        "yref": "paper", "yanchor": "bottom", "yshift": 8, "showarrow": False, "align": "left",
        "font": {"color": palette(sheet.mode).muted, "size": 12},
    }  # fmt: skip


def _decimals(unit: Unit) -> str:
    return {"days": ".0f", "weeks": ".1f", "months": ".1f", "years": ".2f"}[unit]
