"""Columns as a check for leaks reads them, and what each says of who had the event."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from bedside.cohort.codes import normal_code
from bedside.cohort.values import numbers
from bedside.cohort.variable import Variable
from bedside.regression.concordance import concordance
from bedside.tails import mean_ranks

SOME, SOME_EVENTS = 1000, 250
"""Patients among whom a ranking is tried first, or as many as hold so many events..."""
NEAR = 0.78
"""... and worked out among all where it comes to this, in either direction."""
PARTS = 5
AGREES = 0.995
FEW_VALUES = 20


@dataclass(frozen=True, eq=False)
class Followed:
    """Follow-up of n patients: `event` is what is predicted, `ended` an event of any kind.

    `time` is for ranking, where whoever had a competing event is event-free for ever; `stop` is when follow-up ended.
    """

    time: np.ndarray
    stop: np.ndarray
    event: np.ndarray
    ended: np.ndarray
    entry: np.ndarray | None = None

    @property
    def n_events(self) -> int:
        """Patients with the event."""
        return int(self.event.sum())

    @cached_property
    def tried(self) -> np.ndarray:
        """Positions of some patients, every k-th by time of follow-up: enough of them, and enough events."""
        n = len(self.time)
        every = max(1, min(n // SOME, self.n_events // SOME_EVENTS))
        return np.argsort(self.time, kind="stable")[::every]

    def take(self, rows: np.ndarray) -> Followed:
        """Some of the patients."""
        entry = None if self.entry is None else self.entry[rows]
        return Followed(self.time[rows], self.stop[rows], self.event[rows], self.ended[rows], entry)


def followed(time: np.ndarray, cause: np.ndarray, entry: np.ndarray | None) -> Followed:
    """Follow-up with whoever had a competing event kept as event-free for ever, as Wolbers' concordance has them."""
    last = np.where(cause > 1, time.max(initial=0.0) + 1, time)
    return Followed(last, time, cause == 1, cause > 0, entry)


@dataclass(frozen=True, eq=False)
class Column:
    """One column.

    Attributes
    ----------
    variable : Variable
    values : array of float, shape (n,)
        Numbers, or positions of levels; NaN where missing.
    levels : tuple of str
        Of a column that is no number.
    distinct : int
        Different values.
    """

    variable: Variable
    values: np.ndarray = field(repr=False)
    levels: tuple[str, ...]
    distinct: int

    @property
    def present(self) -> np.ndarray:
        """True where recorded."""
        return ~np.isnan(self.values)

    @property
    def codes(self) -> np.ndarray:
        """Position of each level, -1 where missing."""
        return np.where(self.present, self.values, -1).astype(int)


def read_column(frame: pd.DataFrame, variable: Variable) -> Column:
    """A column of a cohort, whatever its kind."""
    if variable.is_numeric:
        values = numbers(frame, variable.name)
        return Column(variable, values, (), len(np.unique(values[~np.isnan(values)])))
    if variable.name not in frame:
        return Column(variable, np.full(len(frame), np.nan), (), 0)
    column = frame[variable.name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, names = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, names = pd.factorize(column)
    values = np.where(codes >= 0, codes, np.nan).astype(float)
    levels = tuple(normal_code(name) for name in names)
    return Column(variable, values, levels, len(np.unique(codes[codes >= 0])))


def ranking(seen: Followed, score: np.ndarray) -> float:
    """Harrell's C of a score, .5 where no pair can be compared.

    Among many patients it is tried in every k-th of them by time of follow-up first, and that value is returned where
    it is far from remarkable.
    """
    if len(seen.tried) < len(seen.time):
        tried = _c(seen.take(seen.tried), score[seen.tried])
        if 1 - NEAR < tried < NEAR:
            return tried
    return _c(seen, score)


def _c(seen: Followed, score: np.ndarray) -> float:
    c = concordance(seen.time, seen.event, score, entry=seen.entry).c if seen.event.any() else np.nan
    return 0.5 if np.isnan(c) else float(c)


def ranking_of_two(seen: Followed, inside: np.ndarray) -> float:
    """Harrell's C of belonging to a group, from counts alone; .5 where no pair can be compared."""
    when, own = seen.time[seen.event], inside[seen.event]
    later_in, later_out = (_later(seen, part, when) for part in (inside, ~inside))
    right, wrong = later_out[own].sum(), later_in[~own].sum()
    pairs = (later_in + later_out).sum()
    return float(0.5 + (right - wrong) / (2 * pairs)) if pairs else 0.5


def _later(seen: Followed, part: np.ndarray, when: np.ndarray) -> np.ndarray:
    """Patients of a part who are under observation at each time and have no event until then."""
    stops, events = np.sort(seen.time[part]), np.sort(seen.time[part & seen.event])
    at_risk = len(stops) - np.searchsorted(stops, when, side="left")
    if seen.entry is not None:
        starts = np.sort(seen.entry[part])
        at_risk = at_risk - (len(starts) - np.searchsorted(starts, when, side="left"))
    now = np.searchsorted(events, when, side="right") - np.searchsorted(events, when, side="left")
    return at_risk - now


def level_score(column: Column, seen: Followed) -> np.ndarray:
    """Event rate of each patient's level among the patients of other parts, drawn to the overall rate by one event.

    Parameters
    ----------
    column : Column
        With levels; missing is one more.
    seen : Followed
    """
    codes = column.codes + 1
    levels, n = len(column.levels) + 1, len(codes)
    # Parts that hold equal shares of events and of short and long follow-up, the same each time.
    order = np.lexsort((np.arange(n), seen.time, seen.event))
    part = np.empty(n, dtype=int)
    part[order] = np.arange(n) % PARTS
    began = np.zeros(n) if seen.entry is None else seen.entry
    spent = np.maximum(seen.stop - began, 0.0)
    rate = max(seen.n_events, 1) / max(float(spent.sum()), 1e-300)
    cell = part * levels + codes
    events = np.bincount(cell, weights=seen.event, minlength=PARTS * levels).reshape(PARTS, levels)
    time = np.bincount(cell, weights=spent, minlength=PARTS * levels).reshape(PARTS, levels)
    other_events, other_time = events.sum(axis=0) - events, time.sum(axis=0) - time
    score = (other_events + 1) / (other_time + 1 / rate)
    return score[part, codes]


def tells_event(column: Column, seen: Followed) -> float | None:
    """Share of patients whose event or its absence the column tells, where that is nearly all; None otherwise.

    A column with levels tells it if each level has nearly only patients of one sort; a number, if a cut does.
    """
    here = column.present
    event = seen.event[here]
    n, events = len(event), int(event.sum())
    if n < FEW_VALUES or min(events, n - events) < 5:
        return None
    if column.levels or column.distinct <= FEW_VALUES:
        code = np.unique(column.values[here], return_inverse=True)[1]
        if code.max() + 1 > n / 5:
            return None
        with_event = np.bincount(code, weights=event)
        share = np.maximum(with_event, np.bincount(code) - with_event).sum() / n
    else:
        ranks = mean_ranks(column.values[here])
        area = (ranks[event].sum() - events * (events + 1) / 2) / (events * (n - events))
        share = max(area, 1 - area)
    floor = max(AGREES, 1 - 0.1 * min(events, n - events) / n)
    return float(share) if share >= floor else None


def recorded(present: np.ndarray, ended: np.ndarray) -> tuple[float, float]:
    """Share recorded of those with an event, and of the others."""
    return tuple(float(present[of].mean()) if of.any() else 0.0 for of in (ended, ~ended))  # type: ignore[return-value]


def by_chance(present: np.ndarray, ended: np.ndarray) -> float:
    """How likely the two shares differ so much by chance (Fisher's exact test)."""
    from scipy.stats import fisher_exact  # half a second, for the few columns that come so far

    table = [[int((present & of).sum()), int((~present & of).sum())] for of in (ended, ~ended)]
    return float(fisher_exact(table)[1])
