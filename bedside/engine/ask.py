"""What an engine is asked, and what it answers: rows counted by a few keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bedside.cohort.selection import Selection

EVERYONE = Selection()


@dataclass(frozen=True)
class Level:
    """A column of codes; ``known`` are the codes to expect (a truth value is read as 1 where 0 and 1 are known)."""

    column: str
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Number:
    """A column of numbers."""

    column: str


@dataclass(frozen=True)
class Text:
    """A column as it is written; in a page of rows only."""

    column: str


@dataclass(frozen=True)
class Cut:
    """Which interval a number is in: 0 below the first point; a value equal to a point is above it."""

    column: str
    points: tuple[float, ...]


@dataclass(frozen=True)
class Chosen:
    """0 for the selected, 1 for everyone else."""

    selection: Selection


@dataclass(frozen=True)
class Delay:
    """0 where the number ``entry`` is below the number ``time``, 1 where it is not; missing where ``entry`` is."""

    entry: str
    time: str


Key = Level | Number | Cut | Chosen | Delay


@dataclass(frozen=True, eq=False)
class Counted:
    """How many rows there are of each combination of keys, the same from every engine.

    Attributes
    ----------
    columns : tuple of array, shape (n_combinations,)
        One for each key. A number is a float64, NaN where missing. Everything
        else is an int64, -1 where missing: the place of a code in ``labels``,
        or of an interval.
    labels : tuple of tuple of str
        For each key the codes that occur, sorted; empty if it is no `Level`.
    n : int64 array, shape (n_combinations,)
        Rows; combinations ascend, missing first.
    """

    columns: tuple[np.ndarray, ...]
    labels: tuple[tuple[str, ...], ...]
    n: np.ndarray


class Engine(Protocol):
    """Whatever holds the rows of a cohort and can count them.

    Every answer is a count of rows, so it is the same integer wherever it was
    counted; all arithmetic on numbers is done here, in one place.
    """

    def counts(self, keys: Sequence[Key], selection: Selection = EVERYONE) -> Counted:
        """Rows for each combination of keys among the selected."""
        ...

    def sizes(self, selections: Sequence[Selection]) -> tuple[int, ...]:
        """How many rows each selection holds, in one pass."""
        ...

    def page(
        self,
        columns: Sequence[Level | Number | Text],
        *,
        order: str,
        selection: Selection = EVERYONE,
        first: int = 0,
        most: int = 50,
    ) -> tuple[np.ndarray, ...]:
        """Some of the selected rows, in the order of the text of a column that names each row.

        Numbers are float64 with NaN where missing, all else is text with None.
        """
        ...

    def row(
        self,
        columns: Sequence[Level | Number | Text],
        *,
        order: str,
        name: str,
        selection: Selection = EVERYONE,
    ) -> tuple[np.ndarray, ...]:
        """The selected rows, at most one in a sound table, whose column ``order`` says ``name``."""
        ...


@dataclass(frozen=True, eq=False)
class Part:
    """One key of many rows as places in its distinct values: ``codes`` are -1 where missing."""

    codes: np.ndarray
    distinct: np.ndarray | tuple[str, ...] | None
    """Ascending float64 of a number, sorted texts of a level, None where the place is the answer."""
    size: int


def part_of_numbers(values: np.ndarray) -> Part:
    """Numbers by size; the two zeros are one number."""
    gone = np.isnan(values)
    if not gone.any():
        return _part_of_known(values)
    known = _part_of_known(values[~gone])
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[~gone] = known.codes
    return Part(codes, known.distinct, known.size)


def _part_of_known(values: np.ndarray) -> Part:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, np.inf)
    if high - low <= 4 * len(values) + 1024 and abs(low) < 2**52:
        # Whole numbers in a narrow range, such as days, need no sorting.
        codes = (values - low).astype(np.int64)
        if low == np.floor(low) and np.array_equal(codes, values - low):
            return Part(codes, low + np.arange(int(high - low) + 1), int(high - low) + 1)
    distinct, codes = np.unique(values + 0.0, return_inverse=True)
    return Part(codes, distinct, len(distinct))


def part_of_levels(codes: np.ndarray, labels: Sequence[str]) -> Part:
    """Places in ``labels``, -1 where missing; sorted anew."""
    order = sorted(range(len(labels)), key=lambda i: labels[i])
    place = np.full(len(labels) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(labels))
    return Part(place[codes], tuple(labels[i] for i in order), len(labels))


def gather(parts: Sequence[Part], n: np.ndarray | None, n_rows: int) -> Counted:
    """Add up rows of the same combination.

    Parameters
    ----------
    parts : sequence of Part
        One for each key, each of shape (n_rows,).
    n : int array, shape (n_rows,), or None
        How many rows of the source each one stands for; None is one.
    n_rows : int
        Rows that are added up.
    """
    mixed, room = np.zeros(n_rows, dtype=np.int64), 1
    for part in parts:
        mixed = mixed * (part.size + 1) + (part.codes + 1)
        room *= part.size + 1
    if room <= 4 * n_rows + 1024:
        total = np.bincount(mixed, weights=n, minlength=room).astype(np.int64)
        found = np.flatnonzero(total)
        total = total[found]
    else:
        found, inverse = np.unique(mixed, return_inverse=True)
        total = np.bincount(inverse, weights=n, minlength=len(found)).astype(np.int64)
    columns, labels = [], []
    for part in reversed(parts):
        found, codes = np.divmod(found, part.size + 1)
        column, told = _named(codes - 1, part)
        columns.append(column)
        labels.append(told)
    return Counted(tuple(reversed(columns)), tuple(reversed(labels)), total)


def _named(codes: np.ndarray, part: Part) -> tuple[np.ndarray, tuple[str, ...]]:
    if isinstance(part.distinct, np.ndarray):
        return np.append(part.distinct, np.nan)[codes], ()
    if part.distinct is None:
        return codes, ()
    there = np.unique(codes[codes >= 0])
    place = np.full(part.size + 1, -1, dtype=np.int64)
    place[there] = np.arange(len(there))
    return place[codes], tuple(part.distinct[i] for i in there)
