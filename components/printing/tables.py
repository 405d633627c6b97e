"""Tables on paper: columns as wide as what is in them, numbers flush right, long cells in several lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bedside.report.card import Grid
from components.printing.words import BLANKS, drawable, pixels, wrap

GAP = 14.0
LEADING = 1.35
SIZES = (10.5, 9.5, 8.5)
"""Sizes in px that are tried until no word must be broken."""

NUMBER = re.compile(r"\s*(p )?[<>=+\-−–]?\s*[\d.]")
NAMES = 0.3
"""Share of the width that the first column may take before its names are set in several lines."""

MOSTLY = 0.5
"""Share of a column's cells that must begin as numbers do for it to be set flush right."""


@dataclass(frozen=True)
class Line:
    """One line of a cell: its text and where it begins, in px from the table's left edge and the row's top."""

    text: str
    left: float
    top: float


@dataclass(frozen=True)
class Row:
    """A row as it is drawn."""

    lines: tuple[Line, ...]
    height: float


@dataclass(frozen=True)
class Set:
    """A table that fits a width.

    Attributes
    ----------
    size : float
        Font size in px.
    header : Row
        In bold.
    rows : tuple of Row
    """

    size: float
    header: Row
    rows: tuple[Row, ...]

    @property
    def height(self) -> float:
        """Of all of it, in px."""
        return self.header.height + sum(row.height for row in self.rows)


def numeric(table: Grid) -> tuple[bool, ...]:
    """Which columns hold numbers; the first one never does, it names the rows."""
    return tuple(k > 0 and _is_numeric([row[k] for row in table.rows]) for k in range(len(table.header)))


def set_table(table: Grid, width: float) -> tuple[Set, ...]:
    """Lay a table out.

    Parameters
    ----------
    table : Grid
    width : float
        In px; no row is wider.

    Returns
    -------
    tuple of Set
        One, or several below one another where the columns do not fit side by side: each begins with the first column.
    """
    for size in SIZES:
        least, most = _needs(table, size, width)
        if sum(least) <= width:
            return (_set(table, size, _shared(least, most, width)),)
    parts, start = [], 1
    while start < len(table.header) or not parts:
        end, used = start + 1, least[0] + sum(least[start : start + 1])
        while end < len(least) and used + least[end] <= width:
            used += least[end]
            end += 1
        which = [0, *range(start, min(end, len(least)))]
        part = Grid(tuple(table.header[k] for k in which), tuple(tuple(row[k] for k in which) for row in table.rows))
        parts.append(_set(part, size, _shared([least[k] for k in which], [most[k] for k in which], width)))
        start = end
    return tuple(parts)


def _set(table: Grid, size: float, widths: Sequence[float]) -> Set:
    right = numeric(table)
    edges = [sum(widths[:k]) for k in range(len(widths))]

    def row(cells: Sequence[str], *, bold: bool) -> Row:
        lines, deepest = [], 1
        for cell, left, room, flush in zip(cells, edges, widths, right, strict=True):
            # Half a px of room, since a sum of widths may come out a shade above itself.
            parts = wrap(cell, width=room - GAP + 0.5, size=size, bold=bold)
            deepest = max(deepest, len(parts))
            for i, part in enumerate(parts):
                start = left + (room - GAP - pixels(part, size, bold=bold) if flush else 0.0)
                lines.append(Line(part, start, i * size * LEADING))
        return Row(tuple(lines), deepest * size * LEADING + 5)

    return Set(size, row(table.header, bold=True), tuple(row(cells, bold=False) for cells in table.rows))


def _is_numeric(cells: Sequence[str]) -> bool:
    told = [cell for cell in cells if cell.strip()]
    return bool(told) and sum(NUMBER.match(cell) is not None for cell in told) >= MOSTLY * len(told)


def _shared(least: Sequence[float], most: Sequence[float], width: float) -> list[float]:
    """The width of each column: what it would like if there is room, else its least and a share of what is left."""
    if sum(most) <= width:
        return list(most)
    if sum(least) >= width:
        return [a * width / sum(least) for a in least]
    spare = (width - sum(least)) / (sum(most) - sum(least))
    return [a + spare * (b - a) for a, b in zip(least, most, strict=True)]


def _needs(table: Grid, size: float, width: float) -> tuple[list[float], list[float]]:
    """For each column the width of its longest word, and of its longest cell; no word counts for more than the page."""
    least, most = [], []
    for k in range(len(table.header)):
        cells = [(table.header[k], True), *((row[k], False) for row in table.rows)]
        told = [(line, bold) for text, bold in cells for line in drawable(text).splitlines()]
        words = [pixels(word, size, bold=bold) for line, bold in told for word in BLANKS.split(line)]
        lines = [pixels(line, size, bold=bold) for line, bold in told]
        least.append(min(max(words, default=0.0) + GAP, (1 - NAMES) * width))
        most.append(max(lines, default=0.0) + GAP)
    least[0] = max(min(least[0], NAMES * width), min(most[0], NAMES * width))
    return least, most
