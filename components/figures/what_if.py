"""This patient and patients with other values: their curves in one figure, and the reasons in which two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go

from bedside.cohort import Unit
from bedside.explain import points_text
from bedside.patient.scenarios import Difference
from bedside.report.say import duration, percent, percent_range
from components.figures.labels import label_lines, pixels, room_for
from components.figures.palette import Mode, Palette, dashes, palette, plain, rgba, template
from components.figures.steps import short, spread

SIZE = 12
TALL = 15
"""Height of a label beside the plot, in px."""
FOOT, HEAD = 44, 8
LONGEST = 20
"""Letters of a name beside its curve."""
MOST_STEPS = 400
PALE = 0.38
MOST_REASONS = 6
WORTH = 0.5
"""Points from which on a difference is drawn on its own: less would be said as none."""
ROW = 44


@dataclass(frozen=True, eq=False)
class Side:
    """One patient's curve.

    Attributes
    ----------
    name : str
    time : array, shape (t,)
        From 0, or from when all are known to be event-free.
    free, lower, upper : arrays, shape (t,)
        Event-free share with its limits; NaN where there are none.
    risk : float
        By the horizon: the number that is said everywhere.
    """

    name: str
    time: np.ndarray = field(repr=False)
    free: np.ndarray = field(repr=False)
    lower: np.ndarray = field(repr=False)
    upper: np.ndarray = field(repr=False)
    risk: float

    def at(self, values: np.ndarray, when: np.ndarray | float) -> np.ndarray:
        """Values of the steps at some times."""
        # 1461 days turned into years may be a rounding error short of 4
        place = np.searchsorted(self.time, np.atleast_1d(when) * (1 + 1e-9), side="right") - 1
        return values[np.maximum(place, 0)]


@dataclass(frozen=True, eq=False)
class Sides:
    """What the figure shows, in `unit`.

    Attributes
    ----------
    lines : tuple of Side
        This patient first.
    banded : int
        So many of the first lines have their limits drawn.
    horizon, reliable_until : float
        Where the risks are read, and from when on few patients are under observation.
    unit, since : str
    band : str
        What the limits are; empty where there are none.
    """

    lines: tuple[Side, ...]
    banded: int
    horizon: float
    reliable_until: float
    unit: Unit
    since: str
    band: str


def sides_figure(sides: Sides, *, mode: Mode = "light", height: int = 290) -> go.Figure:
    """All curves with their names at their ends; each has a dash of its own, this patient's is solid and thicker."""
    p = palette(mode)
    fig = go.Figure(layout={"template": template(mode)})
    end = max(max(float(line.time[-1]) for line in sides.lines), sides.horizon)
    colours, styles = _looks(len(sides.lines), p)
    for i in reversed(range(min(sides.banded, len(sides.lines)))):
        _band(fig, sides.lines[i], sides.reliable_until, colours[i], edged=i > 0)
    for line, colour, style in zip(sides.lines, colours, styles, strict=True):
        _curve(fig, line, sides, colour, style)
    ink = rgba(p.ink, 0.55)
    fig.add_scatter(x=[sides.horizon] * 2, y=[0, 1], mode="lines", hoverinfo="skip",
                    line={"color": ink, "width": 1.2, "dash": "dot"})  # fmt: skip
    fig.add_scatter(
        x=[sides.horizon] * len(sides.lines), y=[1 - line.risk for line in sides.lines], mode="markers",
        hoverinfo="skip", cliponaxis=False,
        marker={"color": list(colours), "size": 8, "symbol": ["circle", *["diamond"] * (len(sides.lines) - 1)],
                "line": {"color": p.card, "width": 1.2}},
    )  # fmt: skip
    _names(fig, sides, colours, end, height)
    fig.update_xaxes(range=[0, end * 1.01], title=plain(f"{sides.unit} since {sides.since}"), fixedrange=True)
    fig.update_yaxes(range=[0, 1.03], tickformat=".0%", dtick=0.25, fixedrange=True)
    fig.update_layout(height=height, hovermode="closest")
    return fig


def sides_alt(sides: Sides) -> str:
    """The figure in words, for a screen reader and for the report."""
    told = []
    for i, line in enumerate(sides.lines):
        low, high = (float(line.at(ends, sides.horizon)[0]) for ends in (line.lower, line.upper))
        band = f" ({sides.band} {percent_range(low, high)})" if sides.band and low == low and i < sides.banded else ""
        told.append(f"{line.name} {percent(1 - line.risk)}{band}")
    return (
        f"Event-free share over {sides.unit} since {sides.since}. At {duration(sides.horizon, sides.unit)}: "
        f"{'; '.join(told)}. Paler from {duration(sides.reliable_until, sides.unit)}, where few remain under "
        "observation."
    )


def sides_rows(sides: Sides) -> tuple[list[str], list[list]]:
    """Every curve with its limits at every time at which one of them steps: header and rows for a file."""
    times = np.unique(np.concatenate([line.time for line in sides.lines]))
    header, columns = [f"time ({sides.unit})"], []
    for line in sides.lines:
        header += [line.name, f"{line.name}, lower", f"{line.name}, upper"]
        columns += [line.at(values, times) for values in (line.free, line.lower, line.upper)]
    return header, [list(row) for row in zip(times.tolist(), *(c.tolist() for c in columns), strict=True)]


def _looks(n: int, p: Palette) -> tuple[list[str], list[str]]:
    """Colour and dash of each line: this patient's is the page's own, the next is told apart without colour too."""
    return [p.accent, p.groups[1], *p.groups[2:]][:n], list(dashes(n))


def _pieces(line: Side, turn: float) -> list[tuple[np.ndarray, float]]:
    """Times to draw and their opacity: full up to `turn`, pale from there to the last step."""
    time = line.time
    if len(time) > MOST_STEPS:
        time = time[np.linspace(0, len(time) - 1, MOST_STEPS).round().astype(int)]
    first, last = float(time[0]), float(time[-1])
    parts = [((first, min(turn, last)), 1.0), ((max(turn, first), last), PALE)]
    return [
        (np.concatenate([[start], time[(time > start) & (time < stop)], [stop]]), alpha)
        for (start, stop), alpha in parts
        if stop > start
    ]


def _band(fig: go.Figure, line: Side, turn: float, colour: str, *, edged: bool) -> None:
    """The limits; those of the second line have dotted edges, so that two bands are told apart without colour."""
    for x, alpha in _pieces(line, turn):
        lower, upper = line.at(line.lower, x), line.at(line.upper, x)
        known = ~(np.isnan(lower) | np.isnan(upper))
        if not known.any():
            continue
        edge = {"shape": "hv", "width": 1 if edged else 0, "dash": "1px,3px", "color": rgba(colour, 0.9 * alpha)}
        drawn = {"x": x[known], "mode": "lines", "line": edge, "hoverinfo": "skip"}
        fig.add_scatter(y=upper[known], **drawn)
        fig.add_scatter(y=lower[known], fill="tonexty", fillcolor=rgba(colour, 0.13 * alpha), **drawn)


def _curve(fig: go.Figure, line: Side, sides: Sides, colour: str, style: str) -> None:
    own = line is sides.lines[0]
    for x, alpha in _pieces(line, sides.reliable_until):
        fig.add_scatter(
            x=x, y=line.at(line.free, x), mode="lines", opacity=alpha, name=plain(line.name),
            line={"shape": "hv", "color": colour, "width": 2.6 if own else 2, "dash": style},
            hovertemplate=f"%{{x:.1f}} {sides.unit}: %{{y:.0%}} {plain(line.name)}<extra></extra>",
        )  # fmt: skip


def _names(fig: go.Figure, sides: Sides, colours: Sequence[str], end: float, height: int) -> None:
    """The names beside the ends of the curves, clear of each other, each with a thin line to its curve."""
    told = [short(line.name, LONGEST) for line in sides.lines]
    right, plot = pixels(told, size=SIZE) + 30, height - FOOT - HEAD
    unit = 1.03 / plot
    levels = np.array([float(line.free[-1]) for line in sides.lines])
    places = spread(levels / unit, gap=TALL, top=plot) * unit
    for name, colour, level, place in zip(told, colours, levels.tolist(), places.tolist(), strict=True):
        fig.add_annotation(
            x=1, xref="paper", y=place, text=plain(name), showarrow=False, xanchor="left", xshift=16, yanchor="middle",
            align="left", borderpad=0, font={"size": SIZE, "color": colour},
        )  # fmt: skip
        fig.add_scatter(
            x=[end, end * 1.01], y=[level, place], mode="lines", hoverinfo="skip", cliponaxis=False,
            line={"color": rgba(colour, 0.55), "width": 1, "dash": "1px,3px"},
        )  # fmt: skip
    fig.update_layout(margin={"l": 46, "r": right, "t": HEAD, "b": FOOT})


# ------------------------------------------------------------------ reasons


def reasons_figure(
    found: Sequence[Difference], *, mode: Mode = "light", decimals: int = 0, other: str = "these values"
) -> go.Figure:
    """Each reason in which two patients differ: a circle for this one, a diamond for the other, both numbers beside."""
    p = palette(mode)
    rows = told_apart(found)
    fig = go.Figure(layout={"template": template(mode)})
    y = list(range(len(rows)))
    x: list[float | None] = [part for row in rows for part in (row.own, row.other, None)]
    fig.add_scatter(
        x=x, y=[part for i in y for part in (i, i, None)], mode="lines", hoverinfo="skip",
        line={"color": p.neutral, "width": 2},
    )  # fmt: skip
    looks = ((p.accent, "circle", [r.own for r in rows], "this patient"),
             (p.groups[1], "diamond-open", [r.other for r in rows], other))  # fmt: skip
    for colour, symbol, shares, name in looks:
        fig.add_scatter(
            x=shares, y=y, mode="markers", name=plain(name), cliponaxis=False,
            marker={"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}},
            customdata=[points_text(s, decimals=max(decimals, 1)) for s in shares],
            hovertemplate=f"{plain(name)}: %{{customdata}} points<extra></extra>",
        )  # fmt: skip
    _zero_and_numbers(fig, rows, p, decimals, other)
    labels = [_words(row) for row in rows]
    shown = ["<br>".join(plain(line) for line in lines) for lines in labels]
    everything = [share for row in rows for share in (row.own, row.other)] + [0.0]
    low, high = min(everything), max(everything)
    room = 0.06 * max(high - low, 0.01)
    fig.update_xaxes(range=[low - room, high + room], tickvals=[], showgrid=False, fixedrange=True)
    fig.update_yaxes(
        range=[len(rows) - 0.5, -1.05], tickvals=y, ticktext=shown, tickfont={"size": SIZE, "color": p.ink}, ticks="",
        showgrid=False, fixedrange=True, automargin=False, ticklabelstandoff=6,
    )  # fmt: skip
    left, right = room_for(labels, size=SIZE) + 14, pixels(["this patient", other], size=SIZE) * 2 + 24
    fig.update_layout(height=round(ROW * (len(rows) + 0.55)) + 8, margin={"l": left, "r": right, "t": 2, "b": 6})
    return fig


def told_apart(found: Sequence[Difference]) -> list[Difference]:
    """The reasons that are worth a row, those furthest apart first; all others in one last row."""
    large = [row for row in found if abs(row.points) >= WORTH][:MOST_REASONS] or list(found[:1])
    rest = found[len(large) :]
    own, other = (sum(getattr(row, side) for row in rest) for side in ("own", "other"))
    if len(rest) == 1 and abs(other - own) > 0.0005:
        return [*large, rest[0]]
    if abs(other - own) > 0.0005:
        words = f"{len(rest)} other values together"
        return [*large, Difference(words, words, words, own, other)]
    return large


def reasons_alt(found: Sequence[Difference], *, decimals: int = 0, other: str = "these values") -> str:
    """The figure in words, for a screen reader and for the report."""
    told = "; ".join(
        f"{' / '.join(dict.fromkeys((row.before, row.after)))}: {points_text(row.own, decimals=decimals)} and "
        f"{points_text(row.other, decimals=decimals)}"
        for row in told_apart(found)
    )
    return f"Reasons that differ, in percentage points beside the same average: this patient and {other}. {told}."


def reasons_rows(found: Sequence[Difference]) -> tuple[list[str], list[list]]:
    """Every reason of both, none pooled: header and rows for a file."""
    header = ["variable", "this patient", "points", "other patient", "points of the other", "difference in points"]
    return header, [[r.label, r.before, 100 * r.own, r.after, 100 * r.other, r.points] for r in found]


def _words(row: Difference) -> tuple[str, ...]:
    """One line, or both values below each other, this patient's first."""
    if row.before == row.after:
        return label_lines(row.before)
    return tuple(short(text, 30) for text in (row.before, row.after))


def _zero_and_numbers(fig: go.Figure, rows: Sequence[Difference], p: Palette, decimals: int, other: str) -> None:
    """A line at the average here, and both numbers of each row in columns of their own."""
    fig.add_shape(type="line", x0=0, x1=0, y0=-0.6, y1=len(rows) - 0.5, line={"color": p.neutral, "width": 1})
    fig.add_annotation(x=0, y=-0.8, text="average here", showarrow=False, font={"size": 11, "color": p.muted})
    wide = pixels(["this patient", other], size=SIZE)
    columns = (("this patient", p.accent, 8 + wide, "own"), (other, p.groups[1], 20 + 2 * wide, "other"))
    for name, colour, shift, side in columns:
        cells = [(-0.8, plain(name), colour), *(
            (i, points_text(getattr(row, side), decimals=decimals), p.ink) for i, row in enumerate(rows)
        )]  # fmt: skip
        for at, text, ink in cells:
            fig.add_annotation(
                x=1, xref="paper", y=at, text=text, showarrow=False, xanchor="right", xshift=shift, yanchor="middle",
                borderpad=0, font={"size": SIZE, "color": ink},
            )  # fmt: skip
