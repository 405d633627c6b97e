"""A row's number in the file itself, where a title, the names, blank lines and lines that were left out count too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Shifts = tuple[tuple[int, int], ...]
"""From which row on, counted from 1 below the names, how many more the file counts; in order. Empty if not known."""


def own_row(row: int, shifts: Shifts) -> int:
    """The number under which the file itself has a row; as it is where that is not known."""
    at = bisect_right(shifts, row, key=lambda each: each[0])
    return row + shifts[at - 1][1] if at else row


def own_rows(rows: Sequence[int], shifts: Shifts) -> tuple[int, ...]:
    """The same of several."""
    return tuple(own_row(row, shifts) for row in rows)


def shifts_of(places: Iterable[int]) -> Shifts:
    """Where the numbers jump, of the numbers that the file itself has for its rows in order."""
    found: list[tuple[int, int]] = []
    for row, place in enumerate(places, 1):
        if not found or found[-1][1] != place - row:
            found.append((row, place - row))
    return tuple(found)
