"""Standardised mean differences: how far groups lie apart, in standard deviations, whatever their size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Difference(NamedTuple):
    """How far two groups lie apart.

    Attributes
    ----------
    value : float
        Standardised mean difference. Signed (second group minus first) for a number and for two levels, where it is
        the share at the second level that is compared; a distance, never negative, for more levels. Infinite where
        neither group varies and they differ, NaN where neither varies and they do not, or a group has no values.
    first, second : int
        Positions of the two groups: the pair that lies furthest apart where there are more than two.
    """

    value: float
    first: int
    second: int


def difference_of_numbers(samples: Sequence[np.ndarray]) -> Difference:
    """Standardised mean difference of a number; with more than two groups, the largest of all pairs.

    Parameters
    ----------
    samples : sequence of arrays
        Values of each group, none missing.

    Returns
    -------
    Difference
        (m2 - m1) / sqrt((s1² + s2²) / 2), with n - 1 in each variance.

    References
    ----------
    Cohen (1988), Statistical Power Analysis, 2nd ed; Austin (2009), Stat Med 28:3083-3107.
    """
    means = np.array([sample.mean() if len(sample) else math.nan for sample in samples])
    variances = np.array([sample.var(ddof=1) if len(sample) > 1 else math.nan for sample in samples])
    return largest(_apart(means, variances))


def difference_of_levels(table: np.ndarray) -> Difference:
    """Standardised difference of a grouped variable; with more than two groups, the largest of all pairs.

    Parameters
    ----------
    table : int array, shape (n_levels, n_groups)
        Patients.

    Returns
    -------
    Difference
        Two levels: (p2 - p1) / sqrt((p1 (1 - p1) + p2 (1 - p2)) / 2), p the share at the second level. More: the
        Mahalanobis distance of the shares, sqrt(d' S^-1 d), S the mean of both multinomial covariances.

    References
    ----------
    Yang & Dalton (2012), SAS Global Forum, paper 335. R: ``stddiff``, ``tableone``.
    """
    table = np.asarray(table, dtype=float)
    used = table[table.sum(axis=1) > 0]
    with np.errstate(invalid="ignore"):
        shares = used / table.sum(axis=0)
    if len(used) < 2:
        return largest(np.full((table.shape[1], table.shape[1]), math.nan))
    if len(used) == 2:
        return largest(_apart(shares[1], shares[1] * (1 - shares[1])))
    return largest(_distances(shares))


def largest(pairs: np.ndarray) -> Difference:
    """The pair that lies furthest apart in a square of differences, ``pairs[i, j]`` being group j minus group i."""
    first, second = np.triu_indices(len(pairs), k=1)
    size = np.abs(pairs[first, second])
    if not len(size) or np.isnan(size).all():
        return Difference(math.nan, 0, min(1, len(pairs) - 1))
    top = int(np.nanargmax(size))
    return Difference(float(pairs[first[top], second[top]]), int(first[top]), int(second[top]))


def _apart(means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return (means[None, :] - means[:, None]) / np.sqrt((variances[:, None] + variances[None, :]) / 2)


def _distances(shares: np.ndarray) -> np.ndarray:
    """Yang and Dalton's distance of every pair of groups; ``shares`` has shape (n_levels, n_groups).

    The mean covariance is diagonal but for rank two (D - (p p' + q q') / 2), so it is inverted by Woodbury's formula
    at the cost of a few sums, however many levels there are. A level that neither group has is left out.
    """
    groups = shares.shape[1]
    found = np.full((groups, groups), math.nan)
    for i in range(groups - 1):
        p, q = shares[:, i, None], shares[:, i + 1 :]
        found[i, i + 1 :] = _distance(p, q)
    return found


def _distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Distances of one group, shares of shape (n_levels, 1), from m others, shape (n_levels, m)."""
    mean = (p + q) / 2
    # The first level that either group has is the one left out, so that the covariance has full rank.
    left_out = np.argmax(mean > 0, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(mean > 0, 1 / mean, 0.0)
        inverse[left_out, np.arange(q.shape[1])] = 0.0
        apart = q - p
        dd, dp, dq = (inverse * apart * other for other in (apart, p, q))
        pp, pq, qq = (inverse * a * b for a, b in ((p, p), (p, q), (q, q)))
        d, u, v, a, b, c = (part.sum(axis=0) for part in (dd, dp, dq, pp, pq, qq))
        # (2 I - U' D^-1 U)^-1 of two by two, written out.
        a, c = 2 - a, 2 - c
        determinant = a * c - b**2
        extra = (c * u**2 + 2 * b * u * v + a * v**2) / determinant
    square = np.where(determinant > 1e-12, d + extra, math.inf)
    square = np.where(np.isnan(d), math.nan, square)
    same = np.abs(apart).max(axis=0) == 0
    return np.where(same, 0.0, np.sqrt(np.maximum(square, 0)))
