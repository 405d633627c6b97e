"""From an engine's counts to curves and comparisons: all that is known of the rows is how many there are of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bedside.cohort.outcome import Outcome
from bedside.cohort.selection import Selection
from bedside.cohort.units import Unit
from bedside.engine.ask import EVERYONE, Counted, Delay, Engine, Key, Level, Number
from bedside.engine.groups import Groups
from bedside.errors import Fixable
from bedside.survival.build import EVERYONE as ALL
from bedside.survival.build import curve_of
from bedside.survival.checks import merge_ties
from bedside.survival.compare import GroupTest, log_rank_of
from bedside.survival.curve import Curve, Estimator
from bedside.survival.events import EventTable
from bedside.survival.intervals import Interval


@dataclass(frozen=True, eq=False)
class GroupTable:
    """One group's counts per distinct time.

    Attributes
    ----------
    label : str
        Of the group, text from the data.
    table : EventTable
        Every kind of event counts as one.
    causes : int array, shape (n_times, n_causes)
        Rows whose follow-up ended with each kind of event at each time, in the
        order of `Outcome.cause_labels`; not weighted.
    dropped : int
        Rows of the group without a recorded entry or weight; they are in no count.
    """

    label: str
    table: EventTable
    causes: np.ndarray
    dropped: int


@dataclass(frozen=True, eq=False)
class GroupTables:
    """Every group that has rows, in clinical order.

    Attributes
    ----------
    groups : tuple of GroupTable
    dropped_missing : int
        Rows in no group, because what they are grouped by was not recorded.
    unit : {"days", "weeks", "months", "years"}
        Of every time.
    """

    groups: tuple[GroupTable, ...]
    dropped_missing: int
    unit: Unit

    def curves(
        self, *, level: float = 0.95, interval: Interval = "log-log", estimator: Estimator = "kaplan-meier"
    ) -> tuple[Curve, ...]:
        """One curve for each group, as `bedside.survival.curves_by`.

        Weights count patients: standard errors are Greenwood's.

        Raises
        ------
        Fixable
            As `bedside.survival.curve_of`.
        """
        return tuple(
            curve_of(
                group.table, group=group.label, unit=self.unit, level=level, interval=interval, estimator=estimator,
                dropped=group.dropped,
            )
            for group in self.groups
        )  # fmt: skip

    def log_rank(self) -> GroupTest:
        """The log-rank test between the groups, as `bedside.survival.log_rank`.

        Raises
        ------
        Fixable
            If there is nothing to compare, or counts are weighted.
        """
        return log_rank_of([group.table for group in self.groups])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of a kind: where they belong, when they ended or began, how many they are, and the weight of each."""

    group: np.ndarray
    time: np.ndarray
    cause: np.ndarray
    n: np.ndarray
    weight: np.ndarray | None

    def where(self, mask: np.ndarray) -> _Rows:
        weight = None if self.weight is None else self.weight[mask]
        return _Rows(self.group[mask], self.time[mask], self.cause[mask], self.n[mask], weight)

    @property
    def mass(self) -> np.ndarray:
        """How much they count."""
        return self.n if self.weight is None else self.n * self.weight


def event_tables(
    engine: Engine,
    outcome: Outcome,
    groups: Groups | None = None,
    *,
    selection: Selection = EVERYONE,
    entry: str | None = None,
    weights: str | None = None,
) -> GroupTables:
    """Count, where the data are, all that survival curves and log-rank tests need.

    Parameters
    ----------
    engine : Engine
        Holds the rows.
    outcome : Outcome
        Names of the columns, and the codes of its status.
    groups : Groups, optional
        From `groups_of`; None is one group of everybody.
    selection : Selection
        Who is counted.
    entry : str, optional
        Column with the time at which observation began, in the outcome's unit;
        by default the outcome's own, if it has one.
    weights : str, optional
        Column of case weights, above 0. Rows of the same weight are counted
        before they are weighed, so that sums do not depend on the engine.

    Returns
    -------
    GroupTables
        The same as from the rows themselves; times that differ only by
        rounding are one time, as in R.

    Raises
    ------
    Fixable
        If nobody is left, or a time, a status, an entry, a weight or a group
        is not usable; it says in how many rows.
    """
    entry = entry or outcome.entry or None
    ended, lost = _ended(engine, outcome, groups, selection, entry, weights)
    began = None if entry is None else _began(engine, groups, selection, entry, weights)
    ended, began = _tied(engine, selection, ended, began, outcome.time, entry)
    labels = (ALL,) if groups is None else groups.labels
    found = tuple(_each(ended, began, lost, labels, len(outcome.cause_labels)))
    if not found:
        raise Fixable(
            "No curves.", "The value that patients are compared by is missing for all of them.",
            "Choose another grouping.",
        )  # fmt: skip
    return GroupTables(found, int(ended.n[ended.group < 0].sum() + lost[-1]), outcome.unit)


def _ended(
    engine: Engine,
    outcome: Outcome,
    groups: Groups | None,
    selection: Selection,
    entry: str | None,
    weights: str | None,
) -> tuple[_Rows, np.ndarray]:
    """Rows by the end of their follow-up, and how many of each group are left out; the last is of no group."""
    keys: list[Key] = [Number(outcome.time), Level(outcome.status, outcome.codes)]
    keys += [] if entry is None else [Delay(entry, outcome.time)]
    group, counted = _counted(engine, keys, groups, selection, weights)
    time, weight = counted.columns[0], counted.columns[-1] if weights else None
    rows = _Rows(group, time, _cause(outcome, counted), counted.n, weight)
    delay = counted.columns[2] if entry else None
    known = np.ones(len(counted.n), dtype=bool)
    if delay is not None:
        known &= delay >= 0
    if weight is not None:
        known &= ~np.isnan(weight)
    k = 1 if groups is None else len(groups.labels)
    lost = np.bincount(np.where(group < 0, k, group)[~known], weights=counted.n[~known], minlength=k + 1)
    kept = rows.where(known)
    _check(kept, late=None if delay is None else delay[known] == 1, anybody=bool(len(rows.n)))
    return kept, lost.astype(np.int64)


def _began(engine: Engine, groups: Groups | None, selection: Selection, entry: str, weights: str | None) -> _Rows:
    group, counted = _counted(engine, [Number(entry)], groups, selection, weights)
    time, weight = counted.columns[0], counted.columns[1] if weights else None
    rows = _Rows(group, time, np.zeros(len(time), dtype=np.int64), counted.n, weight)
    return rows.where(~np.isnan(time) if weight is None else ~np.isnan(time) & ~np.isnan(weight))


def _counted(
    engine: Engine, keys: list[Key], groups: Groups | None, selection: Selection, weights: str | None
) -> tuple[np.ndarray, Counted]:
    """The group of each combination, and the engine's answer to the other keys; the weight is the last."""
    asked = [*([] if groups is None else [groups.key]), *keys, *([Number(weights)] if weights else [])]
    counted = engine.counts(asked, selection)
    if groups is None:
        return np.zeros(len(counted.n), dtype=np.int64), counted
    return groups.place(counted), Counted(counted.columns[1:], counted.labels[1:], counted.n)


def _cause(outcome: Outcome, counted: Counted) -> np.ndarray:
    """0 where no event was seen, 1 and up for its kinds, in the order of `Outcome.cause_labels`."""
    kinds = (outcome.censored, outcome.event, *outcome.competing.values())
    meaning = {code: i for i, codes in enumerate(kinds) for code in codes}
    place = np.array([*(meaning.get(code, -1) for code in counted.labels[1]), -1], dtype=np.int64)
    cause = place[counted.columns[1]]
    _refuse(int(counted.n[cause < 0].sum()), "no status that the outcome names")
    return cause


def _check(rows: _Rows, *, late: np.ndarray | None, anybody: bool) -> None:
    if not len(rows.n):
        raise Fixable(
            "No curve.",
            "The time of entry or the weight is missing for all patients."
            if anybody
            else "There are no patients in this group.",
            "Widen the filter or choose another grouping.",
        )
    _refuse(int(rows.n[~np.isfinite(rows.time)].sum()), "no follow-up time")
    _refuse(int(rows.n[rows.time < 0].sum()), "a negative follow-up time")
    if late is not None:
        _refuse(int(rows.n[late].sum()), "a time of entry that is not before the end of follow-up")
    if rows.weight is not None:
        _refuse(int(rows.n[rows.weight <= 0].sum()), "a weight that is not above 0")


def _refuse(count: int, found: str) -> None:
    if count:
        raise Fixable(
            "Survival cannot be counted.",
            f"{count:,} patient{' has' if count == 1 else 's have'} {found}.",
            "Correct these rows in the source, or leave them out with a filter.",
        )


def _tied(
    engine: Engine, selection: Selection, ended: _Rows, began: _Rows | None, time: str, entry: str | None
) -> tuple[_Rows, _Rows | None]:
    """Rounding noise removed from ends and entries at once."""
    times = ended.time if began is None else np.concatenate((ended.time, began.time))
    merged = merge_ties(times)
    if merged is times:
        return ended, began
    first = _Rows(ended.group, merged[: len(ended.time)], ended.cause, ended.n, ended.weight)
    if began is None or entry is None:
        return first, None
    pairs = engine.counts((Number(entry), Number(time)), selection)
    of = dict(zip(times.tolist(), merged.tolist(), strict=True))
    same = [of.get(a) == of.get(b) for a, b in zip(*(column.tolist() for column in pairs.columns), strict=True)]
    known = ~np.isnan(pairs.columns[0])
    _refuse(int(pairs.n[known & np.array(same, dtype=bool)].sum()), "a time of entry that is the end of follow-up")
    return first, _Rows(began.group, merged[len(ended.time) :], began.cause, began.n, began.weight)


def _each(
    ended: _Rows, began: _Rows | None, lost: np.ndarray, labels: tuple[str, ...], n_causes: int
) -> Iterator[GroupTable]:
    for code, label in enumerate(labels):
        inside = ended.where(ended.group == code)
        if len(inside.n):
            inside = inside.where(np.argsort(inside.time, kind="stable"))
            start = np.flatnonzero(np.diff(inside.time, prepend=-1.0))
            table = _table(inside, start, None if began is None else began.where(began.group == code))
            kinds = range(1, n_causes + 1)
            causes = [np.add.reduceat(np.where(inside.cause == kind, inside.n, 0), start) for kind in kinds]
            yield GroupTable(label, table, np.stack(causes, axis=1), int(lost[code]))


def _table(rows: _Rows, start: np.ndarray, began: _Rows | None) -> EventTable:
    """Counts of one group, whose rows ascend and take a new time at each place in ``start``."""
    seen, time = rows.cause > 0, rows.time[start]
    events, censored = (np.add.reduceat(np.where(mask, rows.mass, 0), start) for mask in (seen, ~seen))
    at_risk = _from(rows.mass)[start]
    if began is not None:
        began = began.where(np.argsort(began.time, kind="stable"))
        at_risk = at_risk - np.append(_from(began.mass), 0)[np.searchsorted(began.time, time, side="left")]
    count = None
    if rows.weight is not None:
        count = np.add.reduceat(np.where(seen, rows.n, 0), start)
        there = _from(rows.n)[start]
        if began is not None:
            there = there - np.append(_from(began.n), 0)[np.searchsorted(began.time, time, side="left")]
        # Where all who are at risk have the event, no rounding may keep a part of somebody alive.
        at_risk = np.where(there == count, events, at_risk)
    table = EventTable(time, at_risk, events, censored, None, int(rows.n.sum()), event_count=count)
    return table if began is None else _entered(table, began)


def _entered(table: EventTable, began: _Rows) -> EventTable:
    """The table with those who joined between its times; ``began`` ascends."""
    start = np.flatnonzero(np.diff(began.time, prepend=-np.inf))
    when, number = began.time[start], np.add.reduceat(began.mass, start)
    slot = np.searchsorted(table.time, when, side="right") - 1
    entered = np.zeros(len(table.time), dtype=number.dtype)
    np.add.at(entered, slot[slot >= 0], number[slot >= 0])
    return replace(table, entered=entered, entry_time=when, entry_number=number)


def _from(mass: np.ndarray) -> np.ndarray:
    """What there is from each place to the end."""
    return np.cumsum(mass[::-1])[::-1]
