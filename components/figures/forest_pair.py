"""Hazard ratios of each variable alone and of all together: one below the other on one logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from bedside.report import say
from components.figures.labels import label_lines, pixels
from components.figures.palette import Mode, Palette, palette, plain, template

if TYPE_CHECKING:
    from bedside.regression import ForestRow

FONT, NUMBERS, SMALL = 12, 11.5, 10.5
ROW, HEAD, REFERENCE, TOP, BOTTOM = 42, 36, 34, 40, 48
LETTERS, MOST_LINES = 15, 5
WIDEST = 50.0
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
FIRST_TICKS = (1, 0.1, 10, 0.5, 2, 0.02, 50, 0.2, 5, 0.05, 20)
APART = 0.17
"""Least distance of two ticks as a share of the axis, so that their numbers do not touch on a tablet."""
LONGEST = 24
"""Letters of a label's line: with its numbers it leaves an axis that can be read on a tablet."""
DODGE, INDENT, GAP = 8, 10, 10


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


def lines_of(alone: Sequence[ForestRow], together: Sequence[ForestRow], *, intervals: bool = False) -> tuple[Line, ...]:
    """Both models' rows as lines: a variable with several levels has a heading, and its reference level is named.

    With `intervals` the rows that were counted are intervals between visits, of which a patient has several.
    """
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
            label = _level(term, row.level) if several and row.level is not None else row.label
            label = label[:1].upper() + label[1:]
            detail = _counted(row, intervals) if row.level is not None else ""
            found.append(Line(label, detail, first, second, key[2], is_level=several))
    return tuple(found)


def forest_pair_figure(lines: Sequence[Line], *, mode: Mode = "light") -> go.Figure:
    """A label on the left, the intervals alone and together in the middle, and their numbers on the right.

    Labels and numbers have margins of their own as wide as they are, so that nothing meets at any width.

    Parameters
    ----------
    lines : sequence of Line
        In drawing order.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    low, high = _range(lines)
    tops, total = _places(lines)
    left, right, split = _room(lines)
    columns = [column for column in ("alone", "together") if any(getattr(line, column) is not None for line in lines)]
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for column in columns:
        placed = [
            (line, getattr(line, column), top + line.height / 2 + _off(column, columns))
            for line, top in zip(lines, tops, strict=True)
        ]
        alone = column == "alone"
        data += _marks(placed, p.muted if alone else p.accent, "circle" if alone else "square", (low, high))
        head = "<b>● Each alone</b>" if alone else "<b>■ All together</b>"
        notes.append(_number(head, -TOP / 2 + _off(column, columns), split, p.muted if alone else p.accent))
        for line, row, at in placed:
            if not (line.is_reference and column != columns[0]):
                middle = at - _off(column, columns) if line.is_reference else at
                notes += _numbers(line, row, middle, (split, right), p, p.muted if alone else p.ink)
    notes += [note for line, top in zip(lines, tops, strict=True) for note in _label(line, top, left, p)]
    shown = _ticks(low, high)
    ground = [_rule(top, p) for line, top in zip(lines, tops, strict=True) if not line.is_level and top > 0]
    layout = {
        "template": template(mode), "height": int(total + TOP + BOTTOM), "annotations": notes,
        "shapes": [*ground, _one(total, p)], "margin": {"l": left, "r": right, "t": 0, "b": BOTTOM},
        "xaxis": {
            "type": "log", "range": [math.log10(low), math.log10(high)], "tickvals": shown, "fixedrange": True,
            "ticktext": [f"{t:g}" for t in shown], "title": {"text": "fewer  ←  ratio  →  more"},
        },
        "yaxis": {"visible": False, "range": [total, -TOP], "fixedrange": True},
    }  # fmt: skip
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(data=data, layout=layout, _validate=False)


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


def forest_pair_rows(
    alone: Sequence[ForestRow], together: Sequence[ForestRow], *, intervals: bool = False
) -> tuple[list[str], list[list]]:
    """Both models: header and rows for a file, unrounded."""
    header = ["model", "variable", "compared", "reference", "intervals" if intervals else "patients", "events", "ratio",
              "lower", "upper", "p", "p of the variable", "note"]  # fmt: skip
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


def _counted(row: ForestRow, intervals: bool) -> str:
    if intervals:
        return f"{row.n:,} interval{'' if row.n == 1 else 's'}, {say.events(row.events)}"
    return f"{say.patients(row.n)}, {say.events(row.events)}"


def _level(term: str, level: str) -> str:
    """A level that is only a number says what it is a number of: the last word of the variable's name."""
    last = term.split()[-1] if term.split() else ""
    return f"{last} {level}" if level.strip().isdecimal() and last.isalpha() else level


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


def _off(column: str, columns: Sequence[str]) -> float:
    """Each alone above the middle of its line, all together below it; in the middle where there is but one."""
    return 0.0 if len(columns) < 2 else -DODGE if column == "alone" else DODGE


def _room(lines: Sequence[Line]) -> tuple[float, float, float]:
    """Pixels of the labels, of all numbers, and of those of the ratios with the gap before p."""
    words = [pixels(line.words, size=FONT) + INDENT * line.is_level for line in lines if not line.is_head]
    details = [pixels((line.detail,), size=SMALL) + INDENT * line.is_level for line in lines if line.detail]
    rows = [row for line in lines for row in (line.alone, line.together) if row is not None]
    ratios = pixels([said(row) for row in rows] or [""], size=NUMBERS)
    heads = pixels(("■ All together",), size=FONT + 1)
    chances = pixels([say.p_value(row.p) for row in rows if not math.isnan(row.p)] or [""], size=SMALL)
    split = max(ratios, heads - chances) + 2 * GAP
    return max([60.0, *words, *details]) + 2 * GAP, split + chances + 4, split


def _ticks(low: float, high: float) -> list[float]:
    """1, and as many of the others as stand apart."""
    shown: list[float] = []
    for tick in FIRST_TICKS:
        near = any(abs(math.log(tick / other)) < APART * math.log(high / low) for other in shown)
        if low <= tick <= high and not near:
            shown.append(tick)
    return sorted(shown)


def _marks(
    placed: Sequence[tuple[Line, ForestRow | None, float]], colour: str, symbol: str, ends: tuple[float, float]
) -> list[dict[str, Any]]:
    """All intervals as one broken line and all ratios as one trace of marks: a browser draws two traces quickly."""
    low, high = ends
    x: list[float | None] = []
    y: list[float | None] = []
    points: list[tuple[float, float, str, int, str]] = []
    for line, row, at in placed:
        if row is None or math.isnan(row.hr) or line.is_head:
            continue
        if line.is_reference:
            points.append((1.0, at, f"{symbol}-open", 7, f"{plain(line.label)}: reference"))
            continue
        x += [min(max(row.lower, low), high), min(max(row.upper, low), high), None]
        y += [at, at, None]
        says = f"{plain(row.label)}: {plain(said(row))}"
        points += [(end, at, "triangle-left", 8, says) for end in (low,) if row.lower < low]
        points += [(end, at, "triangle-right", 8, says) for end in (high,) if row.upper > high]
        points.append((min(max(row.hr, low), high), at, symbol, 8, says))
    line_ = {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "line": {"color": colour, "width": 2},
        "hoverinfo": "skip",
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "cliponaxis": False,
        "x": [point[0] for point in points], "y": [point[1] for point in points],
        "marker": {
            "symbol": [point[2] for point in points], "size": [point[3] for point in points], "color": colour,
            "line": {"width": 0}, "opacity": 1,
        },
        "text": [point[4] for point in points], "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    return [line_, marks]


def _numbers(
    line: Line, row: ForestRow | None, at: float, room: tuple[float, float], p: Palette, colour: str
) -> list[dict[str, Any]]:
    """The ratio beside the axis and its p at the far right; of a heading, the p of all its levels."""
    split, right = room
    if line.is_head:
        if row is None or math.isnan(row.term_p):
            return []
        return [_number(plain(f"all levels: {say.p_value(row.term_p)}"), at, right, colour, end=True)]
    if line.is_reference:
        return [_number("reference", at, split, p.muted, size=SMALL)]
    if row is None:
        return [_number("–", at, split, p.muted)]
    if math.isnan(row.hr):
        return [_number("no ratio", at, split, p.muted)]
    return [
        _number(plain(said(row)), at, split, colour, size=NUMBERS),
        _number(plain(say.p_value(row.p)), at, right, p.muted, end=True),
    ]


def _number(text: str, y: float, room: float, colour: str, *, size: float = FONT, end: bool = False) -> dict[str, Any]:
    """A note right of the axis: at its beginning, or with `end` at the edge, `room` pixels away."""
    if end:
        return _note(text, 1, y, colour, anchor="right", size=SMALL) | {"xshift": room - 2}
    return _note(text, 1, y, colour, size=size) | {"xshift": GAP}


def _label(line: Line, top: float, left: float, p: Palette) -> list[dict[str, Any]]:
    shift = {"xshift": 4 - left + INDENT * line.is_level}
    middle = top + line.height / 2
    if line.is_head:
        return [_note(f"<b>{plain(line.label, limit=60)}</b>", 0, middle, p.ink) | shift]
    words = "<br>".join(plain(part) for part in line.words)
    if not line.detail:
        return [_note(words, 0, middle, p.ink) | shift]
    half = LETTERS * (len(line.words) + 1) / 2
    return [
        _note(words, 0, middle - half + LETTERS * len(line.words) / 2, p.ink) | shift,
        _note(plain(line.detail), 0, middle + half - LETTERS / 2, p.muted, size=SMALL) | shift,
    ]


def _note(text: str, x: float, y: float, colour: str, *, anchor: str = "left", size: float = FONT) -> dict[str, Any]:
    return {
        "text": text, "x": x, "xref": "paper", "y": y, "yref": "y", "xanchor": anchor, "yanchor": "middle",
        "align": anchor, "showarrow": False, "borderpad": 0, "font": {"size": size, "color": colour},
    }  # fmt: skip


def _rule(top: float, p: Palette) -> dict[str, Any]:
    return {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": top, "y1": top, "layer": "below",
            "line": {"color": p.grid, "width": 1}}  # fmt: skip


def _one(total: float, p: Palette) -> dict[str, Any]:
    return {"type": "line", "xref": "x", "yref": "y", "x0": 1, "x1": 1, "y0": 0, "y1": total, "layer": "below",
            "line": {"color": p.neutral, "width": 1, "dash": "dot"}}  # fmt: skip
