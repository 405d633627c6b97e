"""Groups of patients counted for comparison: from one row each, or from tables that an engine has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.errors import Fixable
from bedside.survival.checks import check_entry, check_times, merge_ties
from bedside.survival.events import EventTable, merge_together
from bedside.survival.tally import Records, Stratum, joined, strata_of

MOST = 2000
"""More groups than this are names, not groups, and their covariances no longer fit in memory."""


@dataclass(frozen=True, eq=False)
class Counted:
    """Groups that have patients, counted in each stratum.

    Attributes
    ----------
    codes : int array, shape (n_groups,)
        Code of each group, ascending; everything else is in this order.
    n : int array, shape (n_groups,)
        Patients.
    strata : tuple of Stratum
        One, if the comparison is not stratified.
    """

    codes: np.ndarray
    n: np.ndarray
    strata: tuple[Stratum, ...]


def count_patients(
    time: ArrayLike,
    event: ArrayLike,
    codes: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> Counted:
    """Count patients for `compare_groups` and its like.

    Parameters
    ----------
    time, event : array-like, shape (n_patients,)
        As in `kaplan_meier`.
    codes : array-like of int, shape (n_patients,)
        Group of each patient, 0 and up; patients below 0 (missing) are left out.
    strata : array-like of int, shape (n_patients,), optional
        Stratum of each patient, 0 and up; patients below 0 are left out.
    entry : array-like, shape (n_patients,), optional
        When each patient came under observation (left truncation).

    Raises
    ------
    Fixable
        If a column is not usable, or fewer than two groups have patients.
    """
    times, flags = check_times(time, event)
    began = None if entry is None else check_entry(entry, times)
    group = _codes(codes, len(times), "group")
    layer = None if strata is None else _codes(strata, len(times), "stratum")
    known = group >= 0 if layer is None else (group >= 0) & (layer >= 0)
    labels, local = np.unique(group[known], return_inverse=True)
    _check_groups(len(labels))
    times, began = merge_together(times[known], None if began is None else began[known])
    parts = strata_of(times, flags[known], local, None if layer is None else layer[known], began)
    return Counted(labels, np.bincount(local), tuple(parts))


def count_tables(
    tables: Sequence[EventTable], *, groups: Sequence[int] | None = None, strata: Sequence[int] | None = None
) -> Counted:
    """Counts per distinct time, one table for each group (and stratum), for `compare_groups` and its like.

    Parameters
    ----------
    tables : sequence of EventTable, length n_tables
        Without weights; with delayed entry, ``entry_time`` and ``entry_number`` counted.
    groups, strata : sequence of int, length n_tables, optional
        Which group and stratum each table is of; by default each is a group
        of its own, all in one stratum.

    Raises
    ------
    Fixable
        If there are fewer than two groups, or a table holds weighted counts.
    """
    group = np.arange(len(tables)) if groups is None else np.asarray(groups)
    layer = np.zeros(len(tables), dtype=int) if strata is None else np.asarray(strata)
    if any(table.event_count is not None for table in tables):
        raise Fixable(
            "No comparison.",
            "The log-rank family counts patients, and these counts are sums of weights.",
            "Compare without weights, or use a Cox model with a robust variance.",
        )
    labels, local = np.unique(group, return_inverse=True)
    _check_groups(len(labels))
    tables = _tied_together(tables)
    n = np.bincount(local, weights=[table.n for table in tables]).astype(np.int64)
    members = (np.flatnonzero(layer == code) for code in np.unique(layer))
    return Counted(labels, n, tuple(_stratum([tables[i] for i in rows], local[rows]) for rows in members))


def _stratum(tables: Sequence[EventTable], group: np.ndarray) -> Stratum:
    when = np.unique(np.concatenate([table.time[table.events > 0] for table in tables]))
    groups, local = np.unique(group, return_inverse=True)
    leaving, events = [], []
    for table, code in zip(tables, local, strict=True):
        last = np.searchsorted(when, table.time, side="right") - 1
        own = np.full(len(last), code)
        leaving.append(Records(last, own, (table.events + table.censored).astype(float)))
        events.append(Records(last, own, table.events.astype(float)).where(table.events > 0))
        if table.entry_time is not None:
            late = np.searchsorted(when, table.entry_time, side="right") - 1
            leaving.append(Records(late, np.full(len(late), code), -table.entry_number.astype(float)))
    left = joined(leaving)
    return Stratum(when, groups, left.where(left.at >= 0), joined(events))


def _tied_together(tables: Sequence[EventTable]) -> list[EventTable]:
    """Rounding noise between tables removed: a time of one may be that of another."""
    if any(table.entered is not None and table.entry_time is None for table in tables):
        raise Fixable(
            "No comparison.",
            "When patients came under observation has not been counted.",
            "Count the times of entry too, or compare without delayed entry.",
        )
    blank = np.empty(0)
    columns = [column for t in tables for column in (t.time, blank if t.entry_time is None else t.entry_time)]
    merged = np.split(merge_ties(np.concatenate(columns)), np.cumsum([len(column) for column in columns])[:-1])
    return [
        EventTable(
            merged[2 * i], t.at_risk, t.events, t.censored, t.entered, t.n,
            entry_time=None if t.entry_time is None else merged[2 * i + 1], entry_number=t.entry_number,
        )
        for i, t in enumerate(tables)
    ]  # fmt: skip


def _codes(codes: ArrayLike, n: int, what: str) -> np.ndarray:
    found = np.asarray(codes)
    if found.shape != (n,):
        raise Fixable(
            "No comparison.",
            f"There is not one {what} for each patient.",
            f"Give each patient a {what}, or -1 for none.",
        )
    if found.dtype.kind in "iub":
        return found.astype(np.int64)
    try:
        number = found.astype(float)
    except (TypeError, ValueError) as error:
        raise Fixable("No comparison.", f"A {what} is not given by its number.", "Number them 0, 1, 2, ...") from error
    return np.where(np.isnan(number), -1, number).astype(np.int64)


def _check_groups(k: int) -> None:
    if k < 2:
        raise Fixable(
            "No comparison.",
            "All patients are in one group.",
            "Choose a grouping with at least two groups of patients.",
        )
    if k > MOST:
        raise Fixable(
            "No comparison.",
            f"There are {k:,} groups, and a comparison is made of {MOST:,} at most.",
            "Merge groups, or choose a grouping with fewer of them.",
        )
