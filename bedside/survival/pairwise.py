"""Which groups differ? Every pair compared, with p-values corrected for their number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from bedside.errors import Fixable
from bedside.survival.compare import chi_squared
from bedside.survival.counted import Counted, count_patients
from bedside.survival.tally import Weigh, tally
from bedside.survival.weighted import Weighting, name_of, weigh_by

Adjustment = Literal["bonferroni", "holm", "BH", "none"]
MOST = 12
"""More groups than this make so many pairs that correction leaves nothing to be seen."""


@dataclass(frozen=True, eq=False)
class Pairwise:
    """Every pair of groups compared; arrays of shape (n_pairs,).

    Attributes
    ----------
    name : str
        Name of the test, for the page.
    first, second : int arrays
        Codes of the two groups; pairs in the order 0-1, 0-2, ..., 1-2, ...
    statistic, p : arrays
        Chi-squared statistic on one degree of freedom and its p-value; NaN where
        the two groups had no patients at risk beside each other at an event.
    adjusted : array
        p-values corrected for the number of pairs that could be compared.
    adjustment : str
        As in `adjust`.
    """

    name: str
    first: np.ndarray
    second: np.ndarray
    statistic: np.ndarray
    p: np.ndarray
    adjusted: np.ndarray
    adjustment: Adjustment


def pairwise_tests(
    time: ArrayLike,
    event: ArrayLike,
    codes: ArrayLike,
    *,
    weighting: Weighting = "log-rank",
    p: float = 0.0,
    q: float = 0.0,
    adjustment: Adjustment = "holm",
    against: int | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> Pairwise:
    """Compare every pair of groups, or every group with one of them.

    Parameters
    ----------
    time, event, codes, strata, entry : array-like, shape (n_patients,)
        As in `log_rank`, for 2 to 12 groups. A pair is compared among its own
        patients: the others count neither for weights nor for what is expected.
    weighting, p, q
        As in `weigh_by`.
    adjustment
        As in `adjust`.
    against : int, optional
        Code of the group that all others are compared with.

    Returns
    -------
    Pairwise

    Raises
    ------
    Fixable
        As `log_rank`, or if there are more than 12 groups.

    References
    ----------
    R: ``survdiff`` on each pair, then ``p.adjust``; ``survminer::pairwise_survdiff``.
    """
    counted = count_patients(time, event, codes, strata=strata, entry=entry)
    return pairwise_of(counted, weighting=weighting, p=p, q=q, adjustment=adjustment, against=against)


def pairwise_of(
    counted: Counted,
    *,
    weighting: Weighting = "log-rank",
    p: float = 0.0,
    q: float = 0.0,
    adjustment: Adjustment = "holm",
    against: int | None = None,
) -> Pairwise:
    """Every pair of groups that are counted already (`count_tables`), as `pairwise_tests`."""
    k = len(counted.codes)
    if k > MOST and against is None:
        raise Fixable(
            "No comparison in pairs.",
            f"{k:,} groups make {k * (k - 1) // 2:,} pairs.",
            f"Merge groups until there are {MOST} at most, or compare all of them with one.",
        )
    codes = counted.codes.tolist()
    pairs = [(i, j) for i, j in combinations(range(k), 2) if against is None or against in (codes[i], codes[j])]
    if not pairs:
        raise Fixable(
            "No comparison in pairs.", "The group to compare with has no patients.", "Choose one that has patients."
        )
    weigh = weigh_by(weighting, p=p, q=q)
    statistic = np.array([_statistic(counted, pair, weigh) for pair in pairs])
    alone = chdtrc(1, statistic)
    first, second = counted.codes[np.array(pairs).T]
    name = name_of(weighting, p=p, q=q, strata=len(counted.strata))
    return Pairwise(name, first, second, statistic, alone, adjust(alone, adjustment), adjustment)


def adjust(p: ArrayLike, adjustment: Adjustment) -> np.ndarray:
    """p-values corrected for how many there are.

    Parameters
    ----------
    p : array-like, shape (n_tests,)
        p-values; NaN where a test could not be made: it stays and does not count.
    adjustment : {"bonferroni", "holm", "BH", "none"}
        The first two limit the chance of even one false finding, Holm's never
        being the weaker; Benjamini and Hochberg's limits the expected share of
        false ones among the findings.

    Returns
    -------
    array, shape (n_tests,)

    Raises
    ------
    Fixable
        If the correction is not known.

    References
    ----------
    Holm (1979), Scand J Stat 6:65-70; Benjamini & Hochberg (1995), JRSS B
    57:289-300. R: ``p.adjust(p, "bonferroni" | "holm" | "BH")``.
    """
    if adjustment not in get_args(Adjustment):
        names = ", ".join(get_args(Adjustment))
        raise Fixable("No correction.", "This correction is not known.", f"Choose one of: {names}.")
    values = np.asarray(p, dtype=float)
    out = values.copy()
    known = ~np.isnan(values)
    out[known] = _adjusted(values[known], adjustment)
    return out


def _adjusted(p: np.ndarray, adjustment: Adjustment) -> np.ndarray:
    n = len(p)
    if adjustment == "none" or not n:
        return p
    if adjustment == "bonferroni":
        return np.minimum(1, n * p)
    order = np.argsort(p, kind="stable")
    if adjustment == "holm":
        ranked = np.maximum.accumulate((n - np.arange(n)) * p[order])
    else:
        ranked = np.minimum.accumulate(n / np.arange(n, 0, -1) * p[order][::-1])[::-1]
    out = np.empty(n)
    out[order] = np.minimum(1, ranked)
    return out


def _statistic(counted: Counted, pair: tuple[int, int], weigh: Weigh) -> float:
    both = [stratum.only(pair) for stratum in counted.strata]
    sums = tally(both, len(counted.codes), weigh)
    statistic, df = chi_squared(sums.observed - sums.expected, sums.variance)
    return statistic if df else np.nan
