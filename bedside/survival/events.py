"""What a survival curve is made of: counts at each distinct time, and what happened between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.survival.build import curve_of
from bedside.survival.checks import check_entry, check_times, check_weights, merge_ties
from bedside.survival.curve import SLACK

__all__ = ["EventTable", "Rows", "curve_of", "event_table", "merge_together", "rows_of", "tabulate"]


@dataclass(frozen=True, eq=False)
class EventTable:
    """Counts per distinct time: all that a curve or a log-rank test needs.

    Without weights every count is an int64; with weights it is the sum of the
    patients' weights, float64.

    Attributes
    ----------
    time : array, shape (n_times,)
        Distinct times at which follow-up ended, ascending, in the outcome's unit.
    at_risk : array, shape (n_times,)
        Under observation just before each time: entry < t <= exit.
    events, censored : array, shape (n_times,)
        What happened at each time.
    entered : array, shape (n_times,), or None
        With delayed entry: who joined at each time or after it and before the
        next, so that ``at_risk[k + 1] = at_risk[k] - events[k] - censored[k] +
        entered[k]``; who joined before the first time is in ``at_risk[0]``.
        None where everybody is observed from time zero.
    n : int
        Patients, not weighted.
    event_count : int array, shape (n_times,), or None
        Patients with the event at each time where ``events`` sums weights; None
        where ``events`` counts them already.
    entry_time, entry_number : array, shape (n_entries,), or None
        Distinct times of entry, ascending, and how many joined at each of them:
        the risk set at any time, not only at those of ``time``. They may be None
        where a source does not count them.
    """

    time: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray
    entered: np.ndarray | None
    n: int
    event_count: np.ndarray | None = None
    entry_time: np.ndarray | None = None
    entry_number: np.ndarray | None = None

    @property
    def counted(self) -> np.ndarray:
        """Patients with the event at each time, not weighted."""
        return self.events if self.event_count is None else self.event_count


@dataclass(frozen=True, eq=False)
class Rows:
    """Checked columns whose ties are merged; arrays of shape (n_patients,), None where there is no such column.

    ``cluster`` says which rows are one patient.
    """

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None = None
    weights: np.ndarray | None = None
    cluster: np.ndarray | None = None

    def take(self, which: np.ndarray) -> Rows:
        """Some of the rows, by mask or place."""
        columns = (self.time, self.event, self.entry, self.weights, self.cluster)
        return Rows(*(None if c is None else c[which] for c in columns))

    def beyond(self, origin: float) -> np.ndarray:
        """True for who is still under observation after a time; bool, shape (n_patients,)."""
        return self.time > origin * (1 + SLACK)

    def alive_at(self, origin: float) -> Rows:
        """Those still under observation after a time, observed from it on or from their own later entry."""
        stay = self.take(self.beyond(origin))
        if stay.entry is None:
            return stay
        return Rows(stay.time, stay.event, np.maximum(stay.entry, origin), stay.weights, stay.cluster)


def rows_of(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    numbers: np.ndarray | None = None,
) -> Rows:
    """Check columns and merge their ties; the parameters are those of `event_table`.

    ``numbers``, int array of shape (n_patients,), are the rows' numbers in the
    table they come from, for the reader to find what is refused.
    """
    times, flags = check_times(time, event)
    began = None if entry is None else check_entry(entry, times, rows=numbers)
    weight = None if weights is None else check_weights(weights, len(times), rows=numbers)
    times, began = merge_together(times, began)
    return Rows(times, flags, began, weight, None if cluster is None else np.asarray(cluster))


def event_table(
    time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> EventTable:
    """Count who is at risk, has the event and is censored at each distinct time.

    Parameters
    ----------
    time : array-like, shape (n_patients,)
        Follow-up since time zero, finite and 0 or more.
    event : array-like, shape (n_patients,)
        1 (or True) if the event was seen at ``time``, 0 if follow-up ended first.
    entry : array-like, shape (n_patients,), optional
        When each patient came under observation, in the same unit (left
        truncation): at risk at t are those with entry < t <= time.
    weights : array-like, shape (n_patients,), optional
        Case weights, above 0.

    Returns
    -------
    EventTable
        Times that differ only by rounding are one time, as in R.

    Raises
    ------
    Fixable
        If there are no patients, a time, an event, an entry or a weight is not
        usable, or an entry is not before the end of follow-up.

    References
    ----------
    R: ``survfit(Surv(time, event) ~ 1, weights = )``, ``survfit(Surv(entry, time, event) ~ 1)``.
    """
    return tabulate(rows_of(time, event, entry=entry, weights=weights))


def merge_together(time: np.ndarray, entry: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Remove rounding noise from ends and entries at once, so that an entry may be tied with another's end."""
    if entry is None:
        return merge_ties(time), None
    merged = merge_ties(np.concatenate((time, entry)))
    return merged[: len(time)], merged[len(time) :]


def tabulate(rows: Rows) -> EventTable:
    """As `event_table`, of columns that are checked already; at least one patient."""
    time, event, entry, weights = rows.time, rows.event, rows.entry, rows.weights
    n = len(time)
    order = np.argsort(time, kind="stable")
    ordered, flags = time[order], event[order]
    start = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    at_risk = n - start
    count = np.add.reduceat(flags.astype(np.int64), start)
    ended = np.diff(np.append(start, n))
    distinct = ordered[start]
    if entry is not None:
        joined = np.sort(entry)
        at_risk = at_risk - (n - np.searchsorted(joined, distinct, side="left"))
    if weights is None:
        table = EventTable(distinct, at_risk, count, ended - count, None, n)
        return table if entry is None else _with_entries(table, entry, None)
    heavy = weights[order]
    events = np.add.reduceat(np.where(flags, heavy, 0.0), start)
    censored = np.add.reduceat(np.where(flags, 0.0, heavy), start)
    mass = np.cumsum(heavy[::-1])[::-1][start]
    if entry is not None:
        mass = mass - _later(entry, weights, distinct)
    # Where all who are at risk have the event, or nobody stays, no rounding may keep a part of somebody alive.
    mass = np.where(at_risk == count, events, mass)
    table = EventTable(distinct, mass, events, censored, None, n, event_count=count)
    return table if entry is None else _with_entries(table, entry, weights)


def _later(entry: np.ndarray, weights: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Weight of those who have not joined before each time: entry >= t."""
    order = np.argsort(entry, kind="stable")
    mass = np.concatenate((np.cumsum(weights[order][::-1])[::-1], [0.0]))
    return mass[np.searchsorted(entry[order], time, side="left")]


def _with_entries(table: EventTable, entry: np.ndarray, weights: np.ndarray | None) -> EventTable:
    when, code = np.unique(entry, return_inverse=True)
    number = np.bincount(code, weights=weights)
    # The time after which each entry takes place; those before the first time are in its risk set already.
    slot = np.searchsorted(table.time, when, side="right") - 1
    inside = slot >= 0
    entered = np.bincount(slot[inside], weights=number[inside], minlength=len(table.time))
    return EventTable(
        table.time,
        table.at_risk,
        table.events,
        table.censored,
        entered if weights is not None else entered.astype(np.int64),
        table.n,
        table.event_count,
        when,
        number,
    )
