"""Who was at risk when: sorted orders and tie groups within strata, with delayed entry.

Every sum over risk sets is a running sum along `RiskSets.order` (each stratum from the longest follow-up to the
shortest), less, with delayed entry, a running sum along `RiskSets.entry_order` of those who had not yet entered.
Sums over the event times that saw a row run the other way, from the earliest time on: where hazards differ by many
powers of ten, the late risk sets are the small ones, and taking large sums from each other would leave only noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from bedside.survival.checks import merge_ties


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Risk sets of n rows with d events at g distinct event times (the same time in two strata counts twice).

    Event times are numbered by stratum, and within a stratum from the latest to the earliest.

    Attributes
    ----------
    order : array of int, shape (n,)
        Rows by stratum, then from the longest follow-up to the shortest.
    begin : array of int, shape (n,)
        For each place in `order`, the first place of its stratum.
    deaths : array of int, shape (d,)
        Places in `order` of the rows with an event.
    group : array of int, shape (d,)
        Event time of each of `deaths`; ascending.
    start : array of int, shape (g,)
        Where each event time begins in `deaths`.
    size : array of int, shape (g,)
        How many rows had the event then.
    time : array, shape (g,)
        The event times, rounding noise removed.
    stratum : array of int, shape (g,)
        Stratum of each event time.
    first, last : arrays of int, shape (g,)
        First and last place in `order` of those followed up to the event time or longer, in its stratum.
    entry_order : array of int, shape (n,), or None
        Rows by stratum, then from the latest entry to the earliest.
    late : array of int, shape (g,), or None
        How many places of `entry_order` up to here, from the start of the stratum at `first`, had not entered
        before the event time.
    low, high : arrays of int, shape (n,)
        Event times `low` to `high` - 1 saw the row at this place of `order` at risk.
    until : array of int, shape (n,)
        One past the last event time of the row's stratum: `high` without delayed entry.
    """

    order: np.ndarray
    begin: np.ndarray
    deaths: np.ndarray
    group: np.ndarray
    start: np.ndarray
    size: np.ndarray
    time: np.ndarray
    stratum: np.ndarray
    first: np.ndarray
    last: np.ndarray
    entry_order: np.ndarray | None
    late: np.ndarray | None
    low: np.ndarray
    high: np.ndarray
    until: np.ndarray

    @cached_property
    def strata_begin(self) -> np.ndarray:
        """Places in `order` where strata begin."""
        return np.unique(self.begin)

    @cached_property
    def times_begin(self) -> np.ndarray:
        """Event times where strata begin."""
        return np.flatnonzero(np.concatenate(([True], self.stratum[1:] != self.stratum[:-1]))[: len(self.stratum)])

    def at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values`, shape (n, ...) in the table's order, over each risk set, shape (g, ...)."""
        late = None if self.entry_order is None else values[self.entry_order]
        return self.held(values[self.order], late)

    def held(self, values: np.ndarray, late: np.ndarray | None) -> np.ndarray:
        """Sum over each risk set of values in the order of `order`; `late` are the same in that of `entry_order`."""
        held = running(values, self.strata_begin)[self.last]
        if late is not None:
            outside = running(late, self.strata_begin)
            none = as_column(self.late == 0, held)
            held = held - np.where(none, 0.0, outside[self.first + self.late - 1])
        return held

    def at_event(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values`, shape (n, ...) in the table's order, over the rows with the event at each time."""
        return np.add.reduceat(values[self.order[self.deaths]], self.start, axis=0)

    def while_at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values`, shape (g, ...), over the event times that saw each row at risk; in the table's order."""
        held = np.empty((len(self.order), *values.shape[1:]))
        held[self.order] = self.seen(values)
        return held

    def seen(self, values: np.ndarray) -> np.ndarray:
        """The same in the order of `order`."""
        ends = len(values) - np.append(self.times_begin[1:], len(values))[::-1]
        onwards = np.concatenate((running(values[::-1], ends)[::-1], np.zeros((1, *values.shape[1:]))))

        def from_time(time: np.ndarray) -> np.ndarray:
            return np.where(as_column(time < self.until, onwards), onwards[time], 0.0)

        found = from_time(self.low)
        return found if self.entry_order is None else found - from_time(self.high)


FEW_STRATA = 200


def running(values: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Running sums along the first axis that begin anew at each of `begins`, which starts with 0."""
    if len(begins) > FEW_STRATA:
        total = np.cumsum(values, axis=0)
        before = np.concatenate((np.zeros((1, *values.shape[1:])), total))[begins]
        return total - np.repeat(before, np.diff(np.append(begins, len(values))), axis=0)
    if len(begins) == 1:
        return np.cumsum(values, axis=0, dtype=float)
    total = np.empty_like(values, dtype=float)
    for begin, end in pairwise([*begins, len(values)]):
        np.cumsum(values[begin:end], axis=0, out=total[begin:end])
    return total


def as_column(values: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A vector as a column where `other` has columns."""
    return values[:, None] if other.ndim > 1 else values


def same_times(time: np.ndarray, entry: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Times without rounding noise, ends and entries by one rule.

    References
    ----------
    R: ``aeqSurv``, which ``coxph`` applies unless ``timefix = FALSE``.
    """
    if entry is None:
        return merge_ties(time), None
    finite = np.isfinite(entry)
    both = merge_ties(np.concatenate((entry[finite], time)))
    known = entry.copy()
    known[finite] = both[: int(finite.sum())]
    return both[int(finite.sum()) :], known


def risk_sets(
    time: np.ndarray,
    event: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> RiskSets:
    """Sort rows into risk sets.

    Parameters
    ----------
    time : array, shape (n,)
        End of follow-up, any unit, finite, rounding noise removed (`same_times`).
    event : array of bool, shape (n,)
        True where the event was seen; a tied censoring counts as still at risk.
    entry : array, shape (n,), optional
        At risk in (entry, time].
    strata : array of int, shape (n,), optional
        Codes from 0.
    """
    n = len(time)
    strata = np.zeros(n, dtype=np.int64) if strata is None else np.asarray(strata, dtype=np.int64)
    times = np.unique(time)
    # One whole number for stratum and time, ascending as time goes down.
    steps = len(times) + 1
    key = strata * steps + (len(times) - 1 - np.searchsorted(times, time))
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    begin = np.searchsorted(sorted_key, strata[order] * steps)
    deaths = np.flatnonzero(event[order])
    death_key = sorted_key[deaths]
    start = np.flatnonzero(np.concatenate(([True], death_key[1:] != death_key[:-1]))[: len(deaths)])
    size = np.diff(np.append(start, len(deaths)))
    key_at = death_key[start]
    stratum = key_at // steps
    first = np.searchsorted(sorted_key, stratum * steps)
    until = np.searchsorted(key_at, (strata[order] + 1) * steps)
    entry_order, late, high = None, None, until
    if entry is not None:
        # How many distinct times are at or before the entry: those event times the row misses.
        entry_key = strata * steps + (len(times) - np.searchsorted(times, entry, side="right"))
        entry_order = np.argsort(entry_key, kind="stable")
        late = np.searchsorted(entry_key[entry_order], key_at, side="right") - first
        high = np.searchsorted(key_at, entry_key[order], side="left")
    return RiskSets(
        order=order,
        begin=begin,
        deaths=deaths,
        group=np.repeat(np.arange(len(start)), size),
        start=start,
        size=size,
        time=times[len(times) - 1 - key_at % steps],
        stratum=stratum,
        first=first,
        last=np.searchsorted(sorted_key, key_at, side="right") - 1,
        entry_order=entry_order,
        late=late,
        low=np.searchsorted(key_at, sorted_key, side="left"),
        high=high,
        until=until,
    )
