"""A hundred icons on paper, and what each kind stands for."""

from __future__ import annotations

from collections.abc import Sequence

from bedside.report.patient_sheet import Count
from components.figures.palette import palette
from components.printing.booklet import INK
from components.printing.patient_page import LEADING, Page, fit


def icons(page: Page, counts: Sequence[Count], x: float, y: float, *, across: int, size: tuple[float, float],
          gap: float) -> float:  # fmt: skip
    """One icon for each of the counts together, `across` in a row; where the next thing may begin."""
    colour = palette("light").event
    drawn = [count.key for count in counts for _ in range(count.icons)]
    for i, key in enumerate(drawn):
        row, place = divmod(i, across)
        page.icon(key, x + place * (size[0] + gap), y + row * (size[1] + gap), *size, colour)
    return y + -(-len(drawn) // across) * (size[1] + gap)


def keys(
    page: Page, counts: Sequence[Count], x: float, y: float, width: float, *, size: float, most: int = 2,
    square: bool = False,
) -> float:  # fmt: skip
    """What each kind of icon stands for, with its count."""
    icon = (0.9 * size, 0.9 * size) if square else (0.62 * size, 0.95 * size)
    for count in counts:
        page.icon(count.key, x, y, *icon, palette("light").event)
        lines = fit(_told(count), width=width - size - 7, size=size, most=most)
        y = page.lines(lines, x + size + 7, y, size=size, colour=INK) + 3
    return y


def keys_height(counts: Sequence[Count], width: float, *, size: float, most: int = 2) -> float:
    """Of the same, before it is drawn."""
    each = (fit(_told(count), width=width - size - 7, size=size, most=most) for count in counts)
    return sum(len(lines) * size * LEADING + 3 for lines in each)


def _told(count: Count) -> str:
    return f"{count.said} {count.label}"
