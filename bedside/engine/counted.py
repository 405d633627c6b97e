"""A cohort told by counts: how many patients there are of each kind, and no row of any of them.

What survival pages ask of patients, they ask of a few columns at once: time, status, a group, a stratum. A source
that counts its rows by these says all of it. Curves and log-rank tests are made of the counts as they are; whatever
needs an array over patients unfolds them here, within bounds, into as many equal entries as were counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort.balance import Imbalance, largest_imbalance
from bedside.cohort.cohort import Cohort
from bedside.cohort.groups import Grouping
from bedside.cohort.outcome import Outcome
from bedside.cohort.selection import Selection
from bedside.cohort.table_one import FollowUp, followup
from bedside.engine.ask import (
    EVERYONE,
    Counted,
    Delay,
    Engine,
    Key,
    Level,
    Number,
    Part,
    gather,
    part_of_levels,
    part_of_numbers,
)
from bedside.engine.groups import Groups, levels_in
from bedside.engine.tables import event_tables
from bedside.errors import Fixable
from bedside.survival.build import curve_of
from bedside.survival.curve import Curve, Estimator
from bedside.survival.intervals import Interval

MOST = 5_000_000
"""Patients up to which counts are unfolded; curves and log-rank tests need no unfolding."""


class CountedEngine:
    """Answers from one answer of another engine, as far as it holds the keys.

    Parameters
    ----------
    keys : sequence of Key
        What the rows were counted by.
    counted : Counted
        The answer.
    """

    def __init__(self, keys: Sequence[Key], counted: Counted) -> None:
        self._places = {_named(key): i for i, key in enumerate(keys)}
        self._keys, self._counted = tuple(keys), counted

    def counts(self, keys: Sequence[Key], selection: Selection = EVERYONE) -> Counted:
        """As `Engine.counts`, of all rows."""
        if not selection.is_everyone:
            raise ValueError("who was counted is settled")
        return gather([self._part(key) for key in keys], self._counted.n, len(self._counted.n))

    def _part(self, key: Key) -> Part:
        if isinstance(key, Delay):
            entry, time = (self._counted.columns[self._places[Number(name)]] for name in (key.entry, key.time))
            return Part(np.where(np.isnan(entry), -1, (entry >= time).astype(np.int64)), None, 2)
        i = self._places[_named(key)]
        column = self._counted.columns[i]
        if isinstance(key, Level):
            return part_of_levels(column, self._counted.labels[i])
        if isinstance(key, Number):
            return part_of_numbers(column)
        return Part(column, None, int(column.max(initial=0)) + 1)


def _named(key: Key) -> object:
    """What tells keys apart: a column read as codes is the same whichever are expected."""
    return ("level", key.column) if isinstance(key, Level) else key


class _Told(pd.DataFrame):
    """Columns that were counted by; whoever looks at another one needs the rows."""

    of: Cohort

    def __getitem__(self, key: Any) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            asked = [key] if isinstance(key, str) else list(key) if isinstance(key, list | tuple) else []
            if any(isinstance(name, str) and self.of.has(name) for name in asked):
                _ = self.of.frame  # a cohort that is only counted stops here, and says why
            raise


class CountedCohort(Cohort):
    """Patients as far as some columns tell them apart; words and fingerprint are those of the cohort counted.

    Parameters
    ----------
    of : Cohort
        Which was counted.
    keys : sequence of Key
        By which.
    columns : sequence of str
        Names of the columns that the last keys read, in their order.
    levels : dict of str to tuple of str
        Of each column of codes, all that are known, in clinical order.
    counted : Counted
        The answer.
    """

    origin: Cohort
    counts: CountedEngine

    def __init__(
        self,
        of: Cohort,
        keys: Sequence[Key],
        columns: Sequence[str],
        levels: dict[str, tuple[str, ...]],
        counted: Counted,
    ) -> None:
        for each in fields(Cohort):
            if each.name not in ("frame", "rows", "visits"):
                object.__setattr__(self, each.name, getattr(of, each.name))
        held = {"visits": None, "origin": of, "counts": CountedEngine(keys, counted), "_columns": tuple(columns)}
        for name, value in {**held, "_levels": levels, "_counted": counted}.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return int(self._counted.n.sum())

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The columns that were counted by, a row for each patient, in no order of theirs.

        Raises
        ------
        Fixable
            If there are too many.
        """
        first = len(self._counted.columns) - len(self._columns)
        frame = _Told({name: self._column(first + i, name) for i, name in enumerate(self._columns)})
        object.__setattr__(frame, "of", self.origin)
        return frame

    @cached_property
    def rows(self) -> np.ndarray:
        """Places, which stand for nobody."""
        return np.arange(len(self))

    def take(self, mask: np.ndarray, *, seal: str) -> Cohort:
        """As `Cohort.take`."""
        told = {each.name: getattr(self, each.name) for each in fields(Cohort)}
        return Cohort(**told).take(mask, seal=seal)

    def unfolded(self, values: np.ndarray) -> np.ndarray:
        """Something known of each kind of patient, for each patient.

        Raises
        ------
        Fixable
            If there are too many.
        """
        if len(self) > MOST:
            raise Fixable(
                "This needs more than curves and their test do.",
                f"It would have to be worked out over {len(self):,} patients at once; the most is {MOST:,}.",
                "Set a filter, or use the log-rank test without strata.",
            )
        return np.repeat(values, self._counted.n)

    def _column(self, i: int, name: str) -> np.ndarray | pd.Categorical:
        found = self._counted.columns[i]
        if name not in self._levels:
            return self.unfolded(found)
        known = self._levels[name]
        place = np.array([*(known.index(code) for code in self._counted.labels[i]), -1], dtype=np.int64)
        categories = pd.Index(list(known), dtype=object)
        return pd.Categorical.from_codes(self.unfolded(place[found]), categories=categories)


class CountedGrouping(Grouping):
    """Groups of a counted cohort.

    Parameters
    ----------
    cohort : CountedCohort
        Whose first key is that of the groups.
    groups : Groups
    place : int array, shape (n_kinds,)
        Group of each kind of patient, -1 where missing.
    """

    cohort: CountedCohort
    groups: Groups

    def __init__(self, cohort: CountedCohort, groups: Groups, place: np.ndarray) -> None:
        n = cohort._counted.n
        sizes = np.bincount(place[place >= 0], weights=n[place >= 0], minlength=len(groups.labels))
        there = np.flatnonzero(sizes)
        anew = np.full(len(groups.labels) + 1, -1, dtype=np.int64)
        anew[there] = np.arange(len(there))
        told = {
            "labels": tuple(groups.labels[i] for i in there), "dropped_missing": int(n[place < 0].sum()),
            "title": groups.title, "cohort": cohort, "groups": groups, "_place": anew[place],
        }  # fmt: skip
        for name, value in told.items():
            object.__setattr__(self, name, value)

    @cached_property
    def codes(self) -> np.ndarray:
        """As `Grouping.codes`, in the order of the counted cohort's frame."""
        return self.cohort.unfolded(self._place)

    @property
    def mark(self) -> str:
        """What tells these groups from others of the same patients."""
        return repr((self.groups.key, self.labels))


def counted_cohort(
    of: Cohort, engine: Engine, columns: Sequence[str], groups: Groups | None = None
) -> tuple[CountedCohort, CountedGrouping | None]:
    """Count the patients by some columns, and by groups.

    Parameters
    ----------
    of : Cohort
        Its words: outcomes and variables.
    engine : Engine
        Holds its rows, and counts nobody else.
    columns : sequence of str
        Times, statuses and variables with levels or numbers.
    groups : Groups, optional
        From `groups_of` or `groups_by_selection`.

    Returns
    -------
    cohort : CountedCohort
    grouping : CountedGrouping or None
        Who belongs to which group, if any were asked for.

    Raises
    ------
    Fixable
        If a time, a status or a code is not usable; it says in how many patients.
    """
    columns = tuple(dict.fromkeys(columns))
    levels = {name: codes for name in columns if (codes := _codes(of, engine, name)) is not None}
    asked: list[Key] = [Level(name, levels[name]) if name in levels else Number(name) for name in columns]
    keys = [*([] if groups is None else [groups.key]), *asked]
    counted = engine.counts(keys)
    _check(of, columns, levels, counted)
    cohort = CountedCohort(of, keys, columns, levels, counted)
    return cohort, None if groups is None else CountedGrouping(cohort, groups, groups.place(counted))


def _codes(of: Cohort, engine: Engine, name: str) -> tuple[str, ...] | None:
    """The codes of a column that holds codes; None of one that holds numbers."""
    status = [outcome.codes for outcome in of.outcomes if outcome.status == name]
    if status:
        return tuple(dict.fromkeys(code for codes in status for code in codes))
    if any(name in (outcome.time, outcome.entry) for outcome in of.outcomes) or of.variable(name).is_numeric:
        return None
    return levels_in(engine, of.variable(name)).codes


def _check(of: Cohort, columns: Sequence[str], levels: dict[str, tuple[str, ...]], counted: Counted) -> None:
    """Refuse what no curve could be drawn of, as a file would be refused when it is read."""
    first = len(counted.columns) - len(columns)
    status, times = {o.status for o in of.outcomes}, {o.time for o in of.outcomes}
    for i, name in enumerate(columns, start=first):
        column = counted.columns[i]
        if name in levels:
            wrong = np.array([code not in levels[name] for code in counted.labels[i]] + [name in status])[column]
            _refuse(int(counted.n[wrong].sum()), "a code that its dictionary does not know", name)
        elif name in times:
            _refuse(int(counted.n[~(column >= 0)].sum()), "no follow-up time of at least 0", name)


def _refuse(count: int, found: str, name: str) -> None:
    if count:
        raise Fixable(
            "These patients cannot be counted.",
            f"{count:,} {'has' if count == 1 else 'have'} {found} (column “{name}”).",
            "Correct these rows in the source, or leave them out with a filter.",
        )


# ------------------------------------------------------------------ what pages ask


def curves_of(
    of: CountedCohort,
    outcome: Outcome,
    groups: CountedGrouping | None,
    *,
    level: float,
    interval: Interval,
    estimator: Estimator,
    entry: str | None = None,
) -> tuple[Curve, ...]:
    """As `bedside.survival.curves_by` without weights or a later start; nothing is unfolded for it."""
    tables = event_tables(of.counts, outcome, None if groups is None else groups.groups, entry=entry)
    return tables.curves(level=level, interval=interval, estimator=estimator)


def followup_of(of: CountedCohort, outcome: Outcome) -> FollowUp:
    """As `bedside.cohort.table_one.followup`; unfolded only where entry is delayed."""
    if outcome.entry:
        return followup(of, outcome)
    (group,) = event_tables(of.counts, outcome).groups
    table = group.table
    # The roles change: who had the event could have been followed for longer.
    flipped = replace(table, events=table.censored, censored=table.events)
    events = int(table.events.sum())
    return FollowUp(
        n=table.n,
        events=events,
        censored=table.n - events,
        median_followup=float(curve_of(flipped, unit=outcome.unit).median.estimate),
        unit=outcome.unit,
        longest=float(table.time[-1]),
        causes=tuple(
            (label, int(n)) for label, n in zip(outcome.cause_labels, group.causes.sum(axis=0), strict=True)
        ) if outcome.has_competing else (),
    )  # fmt: skip


def came_so_far(of: Cohort, outcome: Outcome, groups: Grouping, alive_at: float) -> Grouping:
    """The same groups of those patients who are followed for longer than a time."""
    if not alive_at:
        return groups
    codes = np.where(of.time(outcome) > alive_at, groups.codes, -1)
    return Grouping(groups.labels, codes, groups.dropped_missing, groups.title)


def imbalance_of(groups: CountedGrouping, engine: Engine, outcome: Outcome, alive_at: float = 0.0) -> Imbalance | None:
    """As `bedside.cohort.balance.largest_imbalance` between groups of a variable, one predictor counted at a time.

    Parameters
    ----------
    groups : CountedGrouping
    engine : Engine
        Holds the rows.
    outcome : Outcome
    alive_at : float
        Only patients who are followed for longer, in the outcome's unit.
    """
    of, by = groups.cohort.origin, getattr(groups.groups.key, "column", "")
    left_out = {by, *(v.name for v in of.known_after(by))}
    found = []
    for variable in of.predictors:
        if variable.is_numeric and variable.name not in left_out:
            columns = (variable.name, outcome.time) if alive_at else (variable.name,)
            cohort, same = counted_cohort(of, engine, columns, groups.groups)
            assert same is not None  # groups were asked for
            object.__setattr__(cohort, "variables", (variable,))
            found.append(largest_imbalance(cohort, came_so_far(cohort, outcome, same, alive_at)))
    return max((one for one in found if one is not None), key=lambda one: one.difference, default=None)
