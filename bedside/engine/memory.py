"""The engine of a cohort that is in memory already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bedside.cohort.cohort import Cohort
from bedside.cohort.selection import Selection
from bedside.engine.ask import (
    EVERYONE,
    Chosen,
    Counted,
    Delay,
    Engine,
    Key,
    Level,
    Number,
    Part,
    Text,
    gather,
    part_of_levels,
    part_of_numbers,
)
from bedside.engine.live import LiveCohort


class MemoryEngine:
    """Counts the rows of a cohort with numpy.

    Parameters
    ----------
    cohort : Cohort
        Its columns are cleaned already, so nothing is read here.
    """

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort

    def counts(self, keys: Sequence[Key], selection: Selection = EVERYONE) -> Counted:
        """As `Engine.counts`."""
        kept = None if selection.is_everyone else selection.mask(self._cohort)
        n_rows = len(self._cohort) if kept is None else int(kept.sum())
        return gather([self._part(key, kept) for key in keys], None, n_rows)

    def sizes(self, selections: Sequence[Selection]) -> tuple[int, ...]:
        """As `Engine.sizes`."""
        return tuple(int(selection.mask(self._cohort).sum()) for selection in selections)

    def page(
        self,
        columns: Sequence[Level | Number | Text],
        *,
        order: str,
        selection: Selection = EVERYONE,
        first: int = 0,
        most: int = 50,
    ) -> tuple[np.ndarray, ...]:
        """As `Engine.page`."""
        names = self._cohort.frame[order].astype(str).to_numpy(dtype=object)
        rows = np.flatnonzero(selection.mask(self._cohort))
        rows = rows[np.argsort(names[rows], kind="stable")][first : first + most]
        return tuple(self._cells(column, rows) for column in columns)

    def row(
        self,
        columns: Sequence[Level | Number | Text],
        *,
        order: str,
        name: str,
        selection: Selection = EVERYONE,
    ) -> tuple[np.ndarray, ...]:
        """As `Engine.row`."""
        named = self._cohort.frame[order].astype(str).to_numpy(dtype=object) == name
        rows = np.flatnonzero(named & selection.mask(self._cohort))
        return tuple(self._cells(column, rows) for column in columns)

    def _numbers(self, column: str) -> np.ndarray:
        return self._cohort.frame[column].to_numpy(dtype=float)

    def _part(self, key: Key, kept: np.ndarray | None) -> Part:
        if isinstance(key, Level):
            column = self._cohort.frame[key.column].cat
            return part_of_levels(_kept(column.codes.to_numpy(), kept), list(column.categories))
        if isinstance(key, Number):
            return part_of_numbers(_kept(self._numbers(key.column), kept))
        if isinstance(key, Chosen):
            return Part(np.where(_kept(key.selection.mask(self._cohort), kept), 0, 1), None, 2)
        if isinstance(key, Delay):
            entry, time = _kept(self._numbers(key.entry), kept), _kept(self._numbers(key.time), kept)
            return Part(np.where(np.isnan(entry), -1, (entry >= time).astype(np.int64)), None, 2)
        values = _kept(self._numbers(key.column), kept)
        codes = np.where(np.isnan(values), -1, np.searchsorted(key.points, values, side="right"))
        return Part(codes, None, len(key.points) + 1)

    def _cells(self, column: Level | Number | Text, rows: np.ndarray) -> np.ndarray:
        values = self._cohort.frame[column.column].iloc[rows]
        if isinstance(column, Number):
            return values.to_numpy(dtype=float)
        return values.astype(object).where(values.notna(), None).to_numpy(dtype=object)


def _kept(values: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
    return values if kept is None else values[kept]


def engine_of(cohort: Cohort) -> Engine:
    """The engine that holds a cohort: where its rows are, with its filter in force."""
    return cohort.engine if isinstance(cohort, LiveCohort) else MemoryEngine(cohort)
