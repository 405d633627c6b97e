"""Hazard ratios of each variable alone and of all together, side by side on the same logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bedside.report import say
from components.figures.labels import label_lines
from components.figures.palette import Mode, Palette, palette, plain, rgba, template

if TYPE_CHECKING:
    from bedside.regression import ForestRow

FONT, NUMBERS, SMALL = 12, 11.5, 10.5
ROW, HEAD, REFERENCE, TOP, BOTTOM = 40, 30, 36, 30, 48
LETTERS, MOST_LINES = 15, 4
WIDEST = 50.0
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
LEFT, RIGHT = (0.27, 0.625), (0.645, 1.0)
LONGEST = 20
"""Letters of a label's line: what fits beside two panels on a tablet."""


@dataclass(frozen=True)
class Line:
    """One line of the figure.

    Attributes
    ----------
    label, detail : str
        What is compared, and how many patients and events are at that level.
    alone, together : ForestRow or None
        None in a heading, and where a model has no such row.
    is_reference, is_head, is_level : bool
    """

    label: str
    detail: str
    alone: ForestRow | None = None
    together: ForestRow | None = None
    is_reference: bool = False
    is_head: bool = False
    is_level: bool = False

    @property
    def height(self) -> int:
        """In px."""
        if self.is_head or self.is_reference:
            return HEAD if self.is_head else REFERENCE
        return max(ROW, LETTERS * (len(self.words) + bool(self.detail)) + 10)

    @property
    def words(self) -> tuple[str, ...]:
        """The label in lines."""
        return label_lines(self.label, width=LONGEST, lines=MOST_LINES)


def lines_of(alone: Sequence[ForestRow], together: Sequence[ForestRow]) -> tuple[Line, ...]:
    """Both models' rows as lines: a variable with several levels has a heading, and its reference level is named."""
    pairs: dict[tuple[str, str, bool], list[ForestRow | None]] = {}
    main, other = (together, alone) if together else (alone, together)
    for i, rows in enumerate((main, other)):
        for row in rows:
            key = (row.term, row.label, row.is_reference)
            if i == 0 or key in pairs:
                pairs.setdefault(key, [None, None])[i] = row
    found: list[Line] = []
    for term in dict.fromkeys(key[0] for key in pairs):
        own = [(key, pair) for key, pair in pairs.items() if key[0] == term]
        levels = [pair for key, pair in own if (pair[0] or pair[1]).level is not None and not key[2]]  # type: ignore[union-attr]
        several = len(levels) > 1
        if several:
            first = [next((row for _, pair in own if (row := pair[i]) is not None), None) for i in (0, 1)]
            first = first[::-1] if together else first
            found.append(Line(term, "", first[0], first[1], is_head=True))
        for key, pair in own:
            row = pair[0] or pair[1]
            if row is None or (key[2] and not several):
                continue
            first, second = (pair[1], pair[0]) if together else (pair[0], pair[1])
            label = row.level if several and row.level is not None else row.label
            label = label[:1].upper() + label[1:]
            detail = _counted(row) if row.level is not None else ""
            found.append(Line(label, detail, first, second, key[2], is_level=several))
    return tuple(found)


def forest_pair_figure(lines: Sequence[Line], *, mode: Mode = "light") -> go.Figure:
    """A label on the left, then an interval with its numbers above for each variable alone and for all together.

    Parameters
    ----------
    lines : sequence of Line
        In drawing order.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    low, high = _range(lines)
    tops, total = _places(lines)
    data: list[dict[str, Any]] = []
    notes = [
        _note("<b>Each variable alone</b>", LEFT[0], -TOP / 2, p.muted),
        _note("<b>All together</b>", RIGHT[0], -TOP / 2, p.accent),
    ]
    for axis, panel, colour, of in (("x", LEFT, p.muted, "alone"), ("x2", RIGHT, p.accent, "together")):
        placed = [(line, getattr(line, of), top) for line, top in zip(lines, tops, strict=True)]
        data += _marks(placed, axis, colour, (low, high))
        notes += [n for line, row, top in placed if not line.is_head for n in _numbers(line, row, top, panel, p)]
    notes += [note for line, top in zip(lines, tops, strict=True) for note in _label(line, top, p)]
    shown = _ticks(low, high)
    axis = {
        "type": "log", "range": [math.log10(low), math.log10(high)], "tickvals": shown,
        "ticktext": [f"{t:g}" for t in shown], "fixedrange": True, "anchor": "y",
        "title": {"text": "fewer  ←  ratio  →  more"},
    }  # fmt: skip
    ground = [_rule(top, p) for line, top in zip(lines, tops, strict=True) if not line.is_level and top > 0]
    ground += [_one(f"{a}", total, p) for a in ("x", "x2")]
    layout = {
        "template": template(mode), "height": int(total + TOP + BOTTOM), "annotations": notes, "shapes": ground,
        "margin": {"l": 4, "r": 4, "t": 0, "b": BOTTOM},
        "xaxis": axis | {"domain": LEFT}, "xaxis2": axis | {"domain": RIGHT, "showgrid": False},
        "yaxis": {"visible": False, "range": [total, -TOP], "fixedrange": True},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout)


def forest_pair_alt(lines: Sequence[Line], *, ratio: str = "hazard ratio") -> str:
    """Every ratio in words, for a screen reader and for the report."""
    told = []
    for line in lines:
        if line.is_head:
            told.append(line.label)
        elif line.is_reference:
            told.append(f"{line.label}: reference")
        else:
            both = [f"{name} {said(row)}" for name, row in (("alone", line.alone), ("together", line.together)) if row]
            told.append(f"{line.label}: {', '.join(both)}")
    name = f"{ratio[:1].upper()}{ratio[1:]}"
    return f"{name}s with intervals, of each variable alone and of all together. {'; '.join(told)}."


def forest_pair_rows(alone: Sequence[ForestRow], together: Sequence[ForestRow]) -> tuple[list[str], list[list]]:
    """Both models: header and rows for a file, unrounded."""
    header = ["model", "variable", "compared", "reference", "patients", "events", "ratio", "lower", "upper", "p",
              "p of the variable", "note"]  # fmt: skip
    rows = [
        [name, r.term, r.label, r.is_reference, r.n, r.events, r.hr, r.lower, r.upper, r.p, r.term_p, r.note]
        for name, found in (("alone", alone), ("together", together))
        for r in found
    ]
    return header, rows


def said(row: ForestRow) -> str:
    """A ratio with its interval: ``"1.42 (1.27 to 1.58)"``; of none, that there is none."""
    if math.isnan(row.hr):
        return "no ratio"
    return f"{number(row.hr)} ({number(row.lower)} to {number(row.upper)})"


def number(value: float) -> str:
    """Two decimals, fewer for a large ratio, and none pretended at the ends.

    >>> number(0.994), number(12.34), number(0.0001), number(float("inf"))
    ('0.99', '12.3', '< 0.01', '> 1000')
    """
    if math.isinf(value) or value >= 1000:
        return "> 1000"
    if value < 0.01:
        return "< 0.01"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _counted(row: ForestRow) -> str:
    return f"{say.patients(row.n)}, {say.events(row.events)}"


def _places(lines: Sequence[Line]) -> tuple[list[float], float]:
    tops, total = [], 0.0
    for line in lines:
        tops.append(total)
        total += line.height
    return tops, total


def _range(lines: Sequence[Line]) -> tuple[float, float]:
    """Ends of both axes: all limits within 1/50 and 50, at least .5 to 2, and a little room."""
    rows = [row for line in lines for row in (line.alone, line.together) if row is not None]
    values = [v for row in rows for v in (row.lower, row.upper) if 0 < v < math.inf]
    low = max(min([0.5, *values]) / 1.15, 1 / WIDEST)
    high = min(max([2.0, *values]) * 1.15, WIDEST)
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """Few enough that their numbers do not touch in a narrow panel."""
    shown = [t for t in TICKS if low <= t <= high]
    return shown if len(shown) <= 6 else [t for t in shown if t in (0.02, 0.1, 0.5, 1, 2, 10, 50)]


def _marks(
    placed: Sequence[tuple[Line, ForestRow | None, float]], axis: str, colour: str, ends: tuple[float, float]
) -> list[dict[str, Any]]:
    """All intervals as one broken line and all ratios as one trace of squares: a browser draws two traces quickly."""
    low, high = ends
    x: list[float | None] = []
    y: list[float | None] = []
    points: list[tuple[float, float, str, int, str]] = []
    for line, row, top in placed:
        if row is None or math.isnan(row.hr) or line.is_head:
            continue
        if line.is_reference:
            points.append((1.0, top + line.height / 2, "square-open", 8, f"{plain(line.label)}: reference"))
            continue
        at = top + line.height / 2 + 9
        x += [min(max(row.lower, low), high), min(max(row.upper, low), high), None]
        y += [at, at, None]
        says = f"{plain(row.label)}: {plain(said(row))}"
        points += [(end, at, "triangle-left", 8, says) for end in (low,) if row.lower < low]
        points += [(end, at, "triangle-right", 8, says) for end in (high,) if row.upper > high]
        points.append((min(max(row.hr, low), high), at, "square", 9, says))
    line_ = {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "line": {"color": colour, "width": 2}, "xaxis": axis,
        "yaxis": "y", "hoverinfo": "skip",
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "cliponaxis": False, "xaxis": axis, "yaxis": "y",
        "x": [point[0] for point in points], "y": [point[1] for point in points],
        "marker": {
            "symbol": [point[2] for point in points], "size": [point[3] for point in points], "color": colour,
            "line": {"width": 0}, "opacity": 1,
        },
        "text": [point[4] for point in points], "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    return [line_, marks]


def _numbers(
    line: Line, row: ForestRow | None, top: float, panel: tuple[float, float], p: Palette
) -> list[dict[str, Any]]:
    """The ratio at the left and its p at the right of a panel, above the interval."""
    if line.is_reference:
        return [_note("reference", panel[0], top + line.height / 2, p.muted, size=SMALL)] if row is not None else []
    at = top + line.height / 2 - 7
    if row is None:
        return [_note("–", panel[0], at, p.muted)]
    if math.isnan(row.hr):
        return [_note("no ratio", panel[0], at, p.muted)]
    return [
        _note(plain(said(row)), panel[0], at, p.ink, size=NUMBERS) | {"bgcolor": rgba(p.card, 0.9)},
        _note(plain(say.p_value(row.p)), panel[1], at, p.muted, anchor="right", size=SMALL),
    ]


def _label(line: Line, top: float, p: Palette) -> list[dict[str, Any]]:
    indent = 0.012 if line.is_level else 0.0
    if line.is_head:
        at = top + line.height / 2 + 2
        told = [_note(f"<b>{plain(line.label, limit=40)}</b>", 0, at, p.ink)]
        for row, panel in ((line.alone, LEFT), (line.together, RIGHT)):
            if row is not None and not math.isnan(row.term_p):
                overall = f"all levels: {say.p_value(row.term_p)}"
                told.append(_note(plain(overall), panel[1], at, p.muted, anchor="right", size=SMALL))
        return told
    middle, words = top + line.height / 2, "<br>".join(plain(part) for part in line.words)
    if not line.detail:
        return [_note(words, indent, middle, p.ink)]
    half = LETTERS * (len(line.words) + 1) / 2
    return [
        _note(words, indent, middle - half + LETTERS * len(line.words) / 2, p.ink),
        _note(plain(line.detail), indent, middle + half - LETTERS / 2, p.muted, size=SMALL),
    ]


def _note(text: str, x: float, y: float, colour: str, *, anchor: str = "left", size: float = FONT) -> dict[str, Any]:
    return {
        "text": text, "x": x, "xref": "paper", "y": y, "yref": "y", "xanchor": anchor, "yanchor": "middle",
        "align": anchor, "showarrow": False, "borderpad": 0, "font": {"size": size, "color": colour},
    }  # fmt: skip


def _rule(top: float, p: Palette) -> dict[str, Any]:
    return {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": top, "y1": top, "layer": "below",
            "line": {"color": p.grid, "width": 1}}  # fmt: skip


def _one(axis: str, total: float, p: Palette) -> dict[str, Any]:
    return {"type": "line", "xref": axis, "yref": "y", "x0": 1, "x1": 1, "y0": 0, "y1": total, "layer": "below",
            "line": {"color": p.neutral, "width": 1, "dash": "dot"}}  # fmt: skip
