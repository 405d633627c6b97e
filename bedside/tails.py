"""Tails of distributions and ranks, the same to the last bit as those of ``scipy.stats``.

It is imported in half a second, which every background job would wait before it begins; so where its rarer tests are
needed, they are imported inside the function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc


def chi2_tail(statistic: float, df: float) -> float:
    """Chance of a chi-squared at least as large; 1 for one that rounding left below 0, NaN without degrees of freedom.

    References
    ----------
    R: ``pchisq(statistic, df, lower.tail = FALSE)``.
    """
    return float(chdtrc(df, max(float(statistic), 0.0))) if df > 0 else float("nan")


def f_tail(statistic: float, df: float, within: float) -> float:
    """Chance of an F at least as large, with `df` and `within` degrees of freedom, of which the latter may be infinite.

    References
    ----------
    R: ``pf(statistic, df, within, lower.tail = FALSE)``.
    """
    if np.isinf(within):
        return chi2_tail(df * statistic, df)
    return float(fdtrc(df, within, max(float(statistic), 0.0)))


def mean_ranks(values: ArrayLike) -> np.ndarray:
    """Ranks from 1, equal values at their mean rank, shape (n,); all NaN beside a NaN.

    References
    ----------
    R: ``rank(values)``.
    """
    values = np.asarray(values)
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    if values.dtype.kind == "f" and np.isnan(values).any():
        return np.full(len(values), np.nan)
    return (np.cumsum(count) - (count - 1) / 2)[place]
