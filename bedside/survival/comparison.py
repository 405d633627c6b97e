"""The groups of a cohort compared, with everything that a page says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bedside.cohort.groups import Grouping, group_by
from bedside.errors import Fixable
from bedside.survival.columns import columns_of
from bedside.survival.compare import GroupTest, compare_groups
from bedside.survival.counted import Counted, count_patients
from bedside.survival.cutpoint import CutPoint, best_cut
from bedside.survival.pairwise import Adjustment, Pairwise, pairwise_of
from bedside.survival.selection_p import Correction
from bedside.survival.trend import TrendTest, trend_of
from bedside.survival.weighted import Weighting

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome


@dataclass(frozen=True)
class LeftOut:
    """How many patients take no part in a comparison, each counted under the first reason that holds.

    Attributes
    ----------
    entry : int
        Time of entry not recorded.
    alive_at : int
        Not followed beyond the time to be alive at.
    group, strata : int
        Group, or a stratifying variable, not recorded.
    """

    entry: int
    alive_at: int
    group: int
    strata: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups of a cohort compared.

    Attributes
    ----------
    test : GroupTest
        Name, statistic, degrees of freedom, p, and by group n, observed and expected events; with
        ``test.strata`` and ``test.informative``.
    trend : TrendTest or None
        Test for trend along the groups, if there are three or more.
    labels : tuple of str
        The groups that have patients, in the order of the test's arrays; text from the data.
    title : str
        What the patients are grouped by.
    n_events : int array, shape (n_groups,)
        Events, not weighted.
    strata : tuple of str
        What the comparison is stratified by.
    left_out : LeftOut
    delayed_entry : bool
        True if patients came under observation at different times.
    alive_at : float
        Only patients followed beyond this time, in the outcome's unit.
    """

    test: GroupTest
    trend: TrendTest | None
    labels: tuple[str, ...]
    title: str
    n_events: np.ndarray
    strata: tuple[str, ...]
    left_out: LeftOut
    delayed_entry: bool
    alive_at: float


@dataclass(frozen=True, eq=False)
class PairComparison:
    """Every pair of groups compared; ``labels`` holds the two names of each pair, in the order of the arrays."""

    pairs: Pairwise
    labels: tuple[tuple[str, str], ...]
    title: str
    strata: tuple[str, ...]
    left_out: LeftOut


@dataclass(frozen=True, eq=False)
class _Counts:
    counted: Counted
    labels: tuple[str, ...]
    n_events: np.ndarray
    strata: tuple[str, ...]
    left_out: LeftOut
    delayed_entry: bool


def compare_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping,
    *,
    test: Weighting = "log-rank",
    rho: float | None = None,
    p: float = 0.0,
    q: float = 0.0,
    strata: Sequence[str] = (),
    entry: str | None = None,
    alive_at: float = 0.0,
    scores: Sequence[float] | None = None,
) -> Comparison:
    """Compare the groups of a cohort.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `curves_by`; with competing events, the composite.
    test, p, q
        As in `weigh_by`.
    rho : float, optional
        R's family of G-rho tests: Fleming-Harrington weights of powers rho and 0.
    strata : sequence of str
        Variables within whose levels patients are compared; a continuous one is
        cut as `group_by` cuts it.
    entry : str, optional
        Column with the time at which observation began; by default the outcome's own, if it has one.
    alive_at : float, default 0
        Only patients still under observation after this time, in the outcome's
        unit: are the groups different from then on?
    scores : sequence of float, optional
        Where each of ``grouping.labels`` stands in the test for trend; 1, 2, 3, ... by default.

    Returns
    -------
    Comparison

    Raises
    ------
    Fixable
        As `log_rank` and `columns_of`, or if a stratifying variable cannot group patients.
    """
    if rho is not None:
        test, p, q = "fleming-harrington", rho, 0.0
    counts = _count(cohort, outcome, grouping, strata=strata, entry=entry, alive_at=alive_at)
    answer = compare_groups(counts.counted, weighting=test, p=p, q=q)
    trend = _trend(answer, scores) if len(answer.n) > 2 else None
    return Comparison(
        answer, trend, counts.labels, grouping.title, counts.n_events, counts.strata, counts.left_out,
        counts.delayed_entry, alive_at,
    )  # fmt: skip


def pairs_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping,
    *,
    test: Weighting = "log-rank",
    rho: float | None = None,
    p: float = 0.0,
    q: float = 0.0,
    adjustment: Adjustment = "holm",
    against: str | None = None,
    strata: Sequence[str] = (),
    entry: str | None = None,
    alive_at: float = 0.0,
) -> PairComparison:
    """Compare every pair of groups of a cohort, or each group with one.

    Parameters
    ----------
    cohort, outcome, grouping, test, rho, p, q, strata, entry, alive_at
        As in `compare`.
    adjustment
        As in `adjust`.
    against : str, optional
        Label of the group that all others are compared with.

    Returns
    -------
    PairComparison

    Raises
    ------
    Fixable
        As `compare_by` and `pairwise_of`.
    """
    if rho is not None:
        test, p, q = "fleming-harrington", rho, 0.0
    if against is not None and against not in grouping.labels:
        raise Fixable("No comparison in pairs.", "There is no such group to compare with.", "Choose one of the groups.")
    counts = _count(cohort, outcome, grouping, strata=strata, entry=entry, alive_at=alive_at)
    one = None if against is None else grouping.labels.index(against)
    pairs = pairwise_of(counts.counted, weighting=test, p=p, q=q, adjustment=adjustment, against=one)
    names = tuple((grouping.labels[i], grouping.labels[j]) for i, j in zip(pairs.first, pairs.second, strict=True))
    return PairComparison(pairs, names, grouping.title, counts.strata, counts.left_out)


def best_cut_by(
    cohort: Cohort,
    outcome: Outcome,
    variable_name: str,
    *,
    low_share: float = 0.1,
    high_share: float = 0.9,
    correction: Correction = "lausen-1994",
) -> CutPoint:
    """The cut-point of a continuous variable at which survival differs most, as `best_cut`.

    Raises
    ------
    Fixable
        As `best_cut`, or if the variable is not continuous, or patients came
        under observation at different times: shuffling them is then no fair comparison.
    """
    variable = cohort.variable(variable_name)
    if variable.kind != "continuous":
        raise Fixable(
            "No cut-point.", f"“{variable.label}” does not hold numbers to cut.", "Choose a continuous variable."
        )
    if cohort.entry(outcome) is not None:
        raise Fixable(
            "No cut-point.",
            "Patients came under observation at different times, which this method cannot take into account.",
            "Choose cut-points of clinical meaning, or quantiles.",
        )
    return best_cut(
        cohort.time(outcome), cohort.event(outcome), cohort.frame[variable_name].to_numpy(dtype=float),
        low_share=low_share, high_share=high_share, correction=correction,
    )  # fmt: skip


def log_rank_by(cohort: Cohort, outcome: Outcome, grouping: Grouping) -> GroupTest:
    """Log-rank test between the groups of a cohort, as `log_rank`."""
    return compare_groups(_count(cohort, outcome, grouping).counted)


def _trend(test: GroupTest, scores: Sequence[float] | None) -> TrendTest | None:
    """The test for trend; none where groups of different score were never at risk together, unless it was asked for."""
    try:
        return trend_of(test, scores=scores)
    except Fixable:
        if scores is not None:
            raise
        return None


def _count(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping,
    *,
    strata: Sequence[str] = (),
    entry: str | None = None,
    alive_at: float = 0.0,
) -> _Counts:
    chosen = columns_of(cohort, outcome, entry=entry)
    staying = chosen.alive_at(alive_at)
    group = grouping.codes[staying.kept]
    titles, layers = _layers(cohort, strata)
    layer = None if layers is None else layers[staying.kept]
    rows = staying.rows
    counted = count_patients(rows.time, rows.event, group, strata=layer, entry=rows.entry)
    missing = np.zeros(len(group), dtype=bool) if layer is None else layer < 0
    used = (group >= 0) & ~missing
    left_out = LeftOut(
        len(chosen.dropped), len(chosen.kept) - len(staying.kept), int((group < 0).sum()),
        int((missing & (group >= 0)).sum()),
    )  # fmt: skip
    events = np.bincount(group[used & rows.event], minlength=len(grouping.labels))[counted.codes]
    labels = tuple(grouping.labels[code] for code in counted.codes)
    return _Counts(counted, labels, events, titles, left_out, rows.entry is not None)


def _layers(cohort: Cohort, names: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Titles of the stratifying variables and the stratum of each patient, -1 where a variable is missing."""
    layers, titles = None, []
    for name in names:
        grouping = group_by(cohort, name)
        titles.append(grouping.title)
        more = grouping.codes
        if layers is None:
            layers = more
        else:
            layers = np.where((layers < 0) | (more < 0), -1, layers * len(grouping.labels) + more)
    return tuple(titles), layers
