"""How alike the groups are in each covariate, before and after weighting: the rows of a love plot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.cohort.compare_groups.differences import largest
from bedside.treatment.covariates import Column

ENOUGH = 0.1
"""A standardised difference below this, either way, is commonly called balanced."""


@dataclass(frozen=True)
class BalanceRow:
    """One covariate, or one level of it.

    Attributes
    ----------
    column : Column
    before, after : float
        Standardised mean difference: of the pair of groups that lies furthest apart then.
    means, weighted_means : tuple of float
        In each group; of a level, the share with it.
    """

    column: Column
    before: float
    after: float
    means: tuple[float, ...]
    weighted_means: tuple[float, ...]

    @property
    def balanced(self) -> bool:
        """True if the difference after weighting is below 0.1."""
        return abs(self.after) < ENOUGH


def balance(
    plain: np.ndarray, columns: tuple[Column, ...], codes: np.ndarray, weights: np.ndarray
) -> tuple[BalanceRow, ...]:
    """Standardised mean differences before and after weighting.

    Parameters
    ----------
    plain : array, shape (n, q)
        Numbers, and 1 or 0 for each level, the reference included.
    columns : tuple of Column
        Of ``plain``.
    codes : int array, shape (n,)
        Group of each patient, from 0.
    weights : array, shape (n,)

    Returns
    -------
    tuple of BalanceRow
        In the order of the columns.

    Notes
    -----
    Weighted means over unweighted standard deviations (n - 1), so that before and after are on one scale: weights
    would change the spread as well, and hide or invent a difference.

    References
    ----------
    Austin & Stuart (2015), Stat Med 34:3661-3679; Stuart (2010), Stat Sci 25:1-21.
    """
    groups = range(int(codes.max()) + 1)
    parts = [(plain[codes == code], weights[codes == code]) for code in groups]
    means = np.array([values.mean(axis=0) for values, _ in parts])
    weighted = np.array([w @ values / w.sum() for values, w in parts])
    variances = np.array([values.var(axis=0, ddof=1) for values, _ in parts])
    rows = []
    for j, column in enumerate(columns):
        before, after = (largest(_pairs(m[:, j], variances[:, j])).value for m in (means, weighted))
        rows.append(BalanceRow(column, before, after, tuple(means[:, j].tolist()), tuple(weighted[:, j].tolist())))
    return tuple(rows)


def _pairs(means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Standardised differences of all pairs; 0 where neither group varies and they do not differ."""
    apart = means[None, :] - means[:, None]
    spread = np.sqrt((variances[:, None] + variances[None, :]) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(apart) <= 1e-15 * np.abs(means).max(), 0.0, apart / spread)
