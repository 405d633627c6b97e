"""The patients behind a survival figure as plain rows: times, events, groups, and nothing that names anybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping, group_by
from bedside.cohort.units import Unit
from bedside.report.csv import csv_bytes, file_name
from bedside.report.made import Table
from bedside.survival import Estimator, Interval, Weighting
from bedside.survival.columns import columns_of


@dataclass(frozen=True)
class Recipe:
    """How a survival figure was asked for.

    Attributes
    ----------
    level, interval, estimator, entry, weights, alive_at
        As in `survival.curves_by`.
    unit : {"days", "weeks", "months", "years"}
        In which the figure shows time.
    restart : bool
        Whether the clock of the figure starts at `alive_at`.
    test : str or None
        The weighting of the test between groups; None where there is none.
    p, q : float
        Powers of the Fleming-Harrington weight.
    strata : tuple of str
        Variables within whose levels the test compares.
    filters : tuple of str
        The filter in words, one text for each condition that must hold.
    selected : tuple of str
        Where selected patients are compared with everyone else: the filter that selects them, in words.
    everyone : str
        What a single curve is called.
    """

    level: float = 0.95
    interval: Interval = "log-log"
    estimator: Estimator = "kaplan-meier"
    entry: str | None = None
    weights: str | None = None
    alive_at: float = 0.0
    unit: Unit = "days"
    restart: bool = False
    test: Weighting | None = None
    p: float = 0.0
    q: float = 0.0
    strata: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    everyone: str = "All patients"


@dataclass(frozen=True, eq=False)
class Analysed:
    """Rows as they are analysed, rounding noise between times removed; arrays of shape (n_rows,).

    Attributes
    ----------
    labels : tuple of str
        Groups that have patients; text from the data.
    title : str
        What patients are grouped by; empty for one group.
    time : array
        In the outcome's unit since time zero.
    event : int array
        0 where no event was seen; 1 for an event, or the number of its type where `causes` names several.
    group : int array
        From 1, a position in `labels`.
    entry, weight : array or None
        A weight that was not recorded is NaN: such a row takes part in the test only.
    stratum : int array or None
        From 1; 0 where a stratifying variable was not recorded.
    causes : tuple of str
        Names of the types of event; empty where only the first event counts.
    strata : tuple of str
        What the strata are made of.
    """

    labels: tuple[str, ...]
    title: str
    time: np.ndarray
    event: np.ndarray
    group: np.ndarray
    entry: np.ndarray | None
    weight: np.ndarray | None
    stratum: np.ndarray | None
    causes: tuple[str, ...]
    strata: tuple[str, ...]

    @property
    def drawn(self) -> np.ndarray:
        """True for the rows that are in a curve."""
        return np.ones(len(self.time), dtype=bool) if self.weight is None else ~np.isnan(self.weight)

    @property
    def robust(self) -> bool:
        """True if a weight is no whole number: standard errors are then robust, as in R."""
        return self.weight is not None and bool((self.weight[self.drawn] % 1 != 0).any())

    @property
    def what(self) -> str:
        """Name of the column that says what happened."""
        return "cause" if self.causes else "event"

    def table(self) -> Table:
        """Header and rows for a file; names stand beside the numbers for whoever reads it."""
        columns = {"time": self.time, self.what: self.event, "group": self.group}
        columns |= {"entry": self.entry, "weight": self.weight, "stratum": self.stratum}
        told = {name: values.tolist() for name, values in columns.items() if values is not None}
        told["group_name"] = [self.labels[k - 1] for k in self.group]
        if self.causes:
            told["cause_name"] = ["", *self.causes]
            told["cause_name"] = [told["cause_name"][k] for k in self.event]
        return list(told), list(zip(*told.values(), strict=True))


def analysed(
    cohort: Cohort, outcome: Outcome, grouping: Grouping | None, recipe: Recipe, *, types: bool = False
) -> Analysed:
    """The rows behind a figure: who has no group, no time of entry or no follow-up after the landmark is left out.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `survival.curves_by`.
    recipe : Recipe
    types : bool
        True keeps the types of event apart.

    Raises
    ------
    Fixable
        As `survival.curves_by`.
    """
    chosen = columns_of(cohort, outcome, entry=recipe.entry).alive_at(recipe.alive_at)
    codes = np.zeros(len(chosen.kept), dtype=np.int64) if grouping is None else grouping.codes[chosen.kept]
    inside = codes >= 0
    kept, rows = chosen.kept[inside], chosen.rows.take(inside)
    present, place = np.unique(codes[inside], return_inverse=True)
    names = (recipe.everyone,) if grouping is None else grouping.labels
    causes = outcome.cause_labels if types else ()
    strata, stratum = _strata(cohort, recipe.strata, kept)
    return Analysed(
        labels=tuple(names[code] for code in present), title="" if grouping is None else grouping.title,
        time=rows.time, event=cohort.cause(outcome)[kept] if types else rows.event.astype(np.int64),
        group=place + 1, entry=rows.entry,
        weight=None if recipe.weights is None else cohort.frame[recipe.weights].to_numpy(dtype=float)[kept],
        stratum=stratum, causes=causes, strata=strata,
    )  # fmt: skip


def stored(rows: Analysed, stem: str) -> tuple[Table, str]:
    """The rows as a table, and a file name that no other rows have: scripts cannot read the wrong file unnoticed."""
    table = rows.table()
    return table, file_name(stem, csv_bytes(*table), "csv")


def _strata(cohort: Cohort, names: tuple[str, ...], kept: np.ndarray) -> tuple[tuple[str, ...], np.ndarray | None]:
    found = [group_by(cohort, name) for name in names]
    if not found:
        return (), None
    codes = np.column_stack([grouping.codes[kept] for grouping in found])
    stratum = np.zeros(len(kept), dtype=np.int64)
    known = (codes >= 0).all(axis=1)
    if known.any():
        stratum[known] = np.unique(codes[known], axis=0, return_inverse=True)[1].ravel() + 1
    return tuple(grouping.title for grouping in found), stratum
