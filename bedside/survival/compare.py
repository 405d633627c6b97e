"""Do the groups differ? The log-rank test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from bedside.errors import Fixable
from bedside.survival.checks import check_times, merge_ties

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping

BLOCK = 1 << 20
"""How many cells of the table event times x groups are worked on at once: keeps memory flat."""


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
        Patients, events seen and events expected in each group, in the order of the codes.
    variance : array, shape (n_groups, n_groups)
        Covariance of observed minus expected.
    """

    name: str
    statistic: float
    df: int
    p: float
    n: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    variance: np.ndarray


def log_rank(time: ArrayLike, event: ArrayLike, codes: ArrayLike) -> GroupTest:
    """Log-rank test that all groups have the same hazard at every time.

    Parameters
    ----------
    time, event : array-like, shape (n_patients,)
        As in `kaplan_meier`.
    codes : array-like of int, shape (n_patients,)
        Group of each patient, 0 and up; patients below 0 (missing) are left out.

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

    References
    ----------
    Mantel (1966), Cancer Chemother Rep 50:163-170; Peto & Peto (1972), JRSS A
    135:185-207. R: ``survdiff(Surv(time, event) ~ group, rho = 0)``.
    """
    times, flags = check_times(time, event)
    groups = np.asarray(codes)
    if groups.shape != times.shape:
        raise Fixable(
            "No comparison.", "There is not one group for each patient.", "Give each patient a group, or -1 for none."
        )
    known = groups >= 0
    labels, group = np.unique(groups[known], return_inverse=True)
    if len(labels) < 2:
        raise Fixable(
            "No comparison.",
            "All patients are in one group.",
            "Choose a grouping with at least two groups of patients.",
        )
    observed, expected, variance = _tally(merge_ties(times[known]), flags[known], group, len(labels))
    statistic, df = _chi_squared(observed - expected, variance, expected > 0)
    p = float(chdtrc(df, statistic))
    return GroupTest("Log-rank test", statistic, df, p, np.bincount(group), observed, expected, variance)


def log_rank_by(cohort: Cohort, outcome: Outcome, grouping: Grouping) -> GroupTest:
    """Log-rank test between the groups of a cohort, as `log_rank`."""
    return log_rank(cohort.time(outcome), cohort.event(outcome), grouping.codes)


def _tally(time: np.ndarray, event: np.ndarray, group: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed and expected events of k groups and the hypergeometric covariance, summed over event times."""
    when, deaths = np.unique(time[event], return_counts=True)
    members = [np.sort(time[group == g]) for g in range(k)]
    expected, variance = np.zeros(k), np.zeros((k, k))
    size = max(1, BLOCK // k)
    for at in range(0, len(when), size):
        t, d = when[at : at + size], deaths[at : at + size].astype(float)
        risk = np.column_stack([len(m) - np.searchsorted(m, t, side="left") for m in members]).astype(float)
        n = risk.sum(axis=1)
        share = risk / n[:, None]
        expected += d @ share
        # One patient left: no spread, and no division by n - 1 = 0.
        spread = d * (n - d) / np.maximum(n - 1, 1)
        variance += np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return np.bincount(group[event], minlength=k).astype(float), expected, variance


def _chi_squared(excess: np.ndarray, variance: np.ndarray, used: np.ndarray) -> tuple[float, int]:
    """Quadratic form without its first group, since the excesses add up to nothing."""
    inside = np.flatnonzero(used)[1:]
    matrix, gap = variance[np.ix_(inside, inside)], excess[inside]
    scale = np.sqrt(np.diag(matrix))
    informative = len(inside) > 0 and scale.min() > 0
    if informative:
        scaled = matrix / np.outer(scale, scale)
        informative = np.linalg.cond(scaled) < 1 / np.finfo(float).eps
    if not informative:
        raise Fixable(
            "No comparison.",
            "At the times of the events, these groups had no patients at risk beside each other.",
            "Merge groups, or choose a grouping whose groups are followed over the same time.",
        )
    z = gap / scale
    return float(z @ np.linalg.solve(scaled, z)), len(inside)
