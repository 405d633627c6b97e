"""Do the groups differ? The log-rank test and its weighted family, stratified if need be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from scipy.special import chdtrc

from bedside.errors import Fixable
from bedside.survival.counted import Counted, count_patients, count_tables
from bedside.survival.events import EventTable
from bedside.survival.tally import tally
from bedside.survival.weighted import Weighting, name_of, weigh_by

NOTHING, UNSURE = 1e-10, 1e-6
"""A direction with less information than the first share of the largest has none; below the second, look closely."""


@dataclass(frozen=True, eq=False)
class GroupTest:
    """A comparison of groups.

    Attributes
    ----------
    name : str
        Name of the test, for the page.
    statistic : float
        Chi-squared statistic.
    df : int
        Degrees of freedom.
    p : float
        Chance of so large a statistic if the groups had the same hazards.
    n, observed, expected : arrays, shape (n_groups,)
        Patients, events seen and events expected in each group, in the order of
        the codes. In a weighted test events are sums of the weights, as in R.
    variance : array, shape (n_groups, n_groups)
        Covariance of observed minus expected.
    weighting : str
        As in `weigh_by`.
    codes : array, shape (n_groups,)
        Code of each group.
    strata, informative : int
        Strata, and those among them with an event while patients of two or
        more groups were at risk: the others say nothing about the difference.
    sparse : bool
        True if so few events are expected in some groups that p is not to be
        relied on: fewer than 1 in one of them, or fewer than 5 in more than a
        fifth (Cochran's rule for tables).
    """

    name: str
    statistic: float
    df: int
    p: float
    n: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    weighting: Weighting
    codes: np.ndarray
    strata: int
    informative: int
    sparse: bool

    @property
    def excess(self) -> np.ndarray:
        """Observed minus expected events, shape (n_groups,); they add up to nothing."""
        return self.observed - self.expected


def log_rank(
    time: ArrayLike,
    event: ArrayLike,
    codes: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> GroupTest:
    """Log-rank test that all groups have the same hazard at every time.

    Parameters
    ----------
    time, event : array-like, shape (n_patients,)
        As in `kaplan_meier`.
    codes : array-like of int, shape (n_patients,)
        Group of each patient, 0 and up; patients below 0 (missing) are left out.
    strata : array-like of int, shape (n_patients,), optional
        Patients are compared within strata only; those below 0 are left out.
    entry : array-like, shape (n_patients,), optional
        When each patient came under observation (left truncation): at risk at
        t are those with entry < t <= time.

    Returns
    -------
    GroupTest
        Groups in the order of their codes. A group without events takes part; a
        group that left before the first event has nothing expected and takes none.

    Raises
    ------
    Fixable
        If fewer than two groups have patients at risk at an event, or if the
        events say nothing about the difference.

    Notes
    -----
    With delayed entry R's ``survdiff`` gives no answer. The test is then the
    score test of a Cox model with the groups as its only term and ties handled
    exactly (``coxph(Surv(entry, time, event) ~ group, ties = "exact")``).
    Without tied events Breslow's and Efron's score tests are the same; with
    ties they differ a little, since their variance counts tied events as
    independent.

    Where some groups were never at risk beside the others, only the
    comparisons that were possible are made, with as many degrees of freedom.

    References
    ----------
    Mantel (1966), Cancer Chemother Rep 50:163-170; Peto & Peto (1972), JRSS A
    135:185-207. R: ``survdiff(Surv(time, event) ~ group + strata(s), rho = 0)``.
    """
    return weighted_test(time, event, codes, weighting="log-rank", strata=strata, entry=entry)


def weighted_test(
    time: ArrayLike,
    event: ArrayLike,
    codes: ArrayLike,
    *,
    weighting: Weighting,
    p: float = 0.0,
    q: float = 0.0,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> GroupTest:
    """A test of the log-rank family, which looks more at early or at late times.

    Parameters
    ----------
    time, event, codes, strata, entry : array-like, shape (n_patients,)
        As in `log_rank`. Every stratum has its own weights.
    weighting, p, q
        As in `weigh_by`; ``survdiff(rho = r)`` is ``"fleming-harrington"`` with ``p = r``.

    Returns
    -------
    GroupTest

    Raises
    ------
    Fixable
        As `log_rank`, or if the weighting is not known.

    References
    ----------
    See `weigh_by`.
    """
    return compare_groups(count_patients(time, event, codes, strata=strata, entry=entry), weighting=weighting, p=p, q=q)


def log_rank_of(
    tables: Sequence[EventTable],
    *,
    groups: Sequence[int] | None = None,
    strata: Sequence[int] | None = None,
    weighting: Weighting = "log-rank",
    p: float = 0.0,
    q: float = 0.0,
) -> GroupTest:
    """The log-rank test, or one of its family, from counts per distinct time.

    Parameters
    ----------
    tables, groups, strata
        As in `count_tables`: one table for each group, or for each group in each stratum.
    weighting, p, q
        As in `weigh_by`.

    Returns
    -------
    GroupTest
        The same to the last digits as from the patients who were counted.

    Raises
    ------
    Fixable
        As `log_rank`.
    """
    return compare_groups(count_tables(tables, groups=groups, strata=strata), weighting=weighting, p=p, q=q)


def compare_groups(counted: Counted, *, weighting: Weighting = "log-rank", p: float = 0.0, q: float = 0.0) -> GroupTest:
    """A test of the log-rank family between groups that are counted already, as `weighted_test`."""
    sums = tally(counted.strata, len(counted.n), weigh_by(weighting, p=p, q=q))
    statistic, df = chi_squared(sums.observed - sums.expected, sums.variance)
    if not df:
        raise Fixable(
            "No comparison.",
            "At the times of events that count in this test, these groups had no patients at risk beside each other.",
            "Merge groups, or choose a grouping whose groups are followed over the same time.",
        )
    strata = len(counted.strata)
    return GroupTest(
        name_of(weighting, p=p, q=q, strata=strata), statistic, df, float(chdtrc(df, statistic)),
        counted.n, sums.observed, sums.expected, sums.variance, weighting, counted.codes, strata, sums.informative,
        _is_sparse(sums.due),
    )  # fmt: skip


def _is_sparse(due: np.ndarray) -> bool:
    """Cochran (1954), Biometrics 10:417-451; groups with nothing expected take no part."""
    part = due[due > 0]
    return bool((part < 1).any() or (part < 5).mean() > 0.2)


def chi_squared(excess: np.ndarray, variance: np.ndarray) -> tuple[float, int]:
    """Quadratic form of the excesses and its rank; (0, 0) if there is no information.

    One group is left out, since the excesses add up to nothing: the best known,
    for what is left is then far from singular.
    """
    own = np.diag(variance)
    used = np.flatnonzero(own > 0)
    if len(used) < 2:
        return 0.0, 0
    inside = np.delete(used, np.argmax(own[used]))
    scale = np.sqrt(own[inside])
    shares, gap = variance[np.ix_(inside, inside)] / np.outer(scale, scale), excess[inside] / scale
    try:
        root = np.linalg.cholesky(shares)
    except np.linalg.LinAlgError:
        return _where_known(gap, shares)
    if root.diagonal().min() ** 2 < UNSURE:
        return _where_known(gap, shares)
    along = solve_triangular(root, gap, lower=True)
    return float(along @ along), len(inside)


def _where_known(gap: np.ndarray, shares: np.ndarray) -> tuple[float, int]:
    """The form over the directions that there is information in, where some groups were never beside the others."""
    information, axes = np.linalg.eigh(shares)
    known = information > NOTHING * information[-1]
    along = axes[:, known].T @ gap
    return float(along @ (along / information[known])), int(known.sum())
