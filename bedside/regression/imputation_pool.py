"""Rubin's rules: one answer from several imputed data sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from bedside.tails import f_tail

LEAST_SHARE = 1e-4
"""Share of the variance due to missing values below which degrees of freedom are no longer told apart (mice)."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """Estimates over m imputed data sets, each array of shape (p,).

    Attributes
    ----------
    estimate : array
        Mean of the estimates.
    within, between : array
        Mean of their variances, and the variance of the estimates.
    covariance : array, shape (p, p)
        Total covariance: within + (1 + 1/m) between.
    df : array
        Barnard and Rubin's degrees of freedom.
    riv : array
        Relative increase in variance due to the missing values.
    fmi : array
        Fraction of missing information.
    m : int
    mean_covariance : array, shape (p, p)
        The part of the covariance within data sets.
    """

    estimate: np.ndarray
    within: np.ndarray
    between: np.ndarray
    covariance: np.ndarray
    df: np.ndarray
    riv: np.ndarray
    fmi: np.ndarray
    m: int
    mean_covariance: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Variances of the estimates, shape (p,)."""
        return self.within + (1 + 1 / self.m) * self.between

    @property
    def se(self) -> np.ndarray:
        """Standard errors, shape (p,)."""
        return np.sqrt(self.total)

    @property
    def p(self) -> np.ndarray:
        """Two-sided p from Student's t, shape (p,)."""
        return 2 * stdtr(self.df, -np.abs(self.estimate / self.se))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits, each of shape (p,)."""
        reach = stdtrit(self.df, (1 + level) / 2) * self.se
        return self.estimate - reach, self.estimate + reach

    def joint_p(self, columns: list[int]) -> float:
        """p of the test that several estimates are all 0: D1 of Li, Raghunathan and Rubin.

        References
        ----------
        Li, Raghunathan & Rubin (1991), JASA 86:1065-1073. R: ``mice::D1``.
        """
        k, m = len(columns), self.m
        own = np.ix_(columns, columns)
        spread = (self.covariance[own] - self.mean_covariance[own]) / (1 + 1 / m)
        inner = np.linalg.pinv(self.mean_covariance[own], hermitian=True)
        increase = (1 + 1 / m) * float(np.trace(spread @ inner)) / k
        value = float(self.estimate[columns] @ inner @ self.estimate[columns]) / (k * (1 + increase))
        return f_tail(value, k, _joint_df(k, m, increase))


def _joint_df(k: int, m: int, increase: float) -> float:
    """Denominator degrees of freedom of D1 for many rows."""
    if increase <= 0:
        return np.inf
    v = k * (m - 1)
    if v > 4:
        return 4 + (v - 4) * (1 + (1 - 2 / v) / increase) ** 2
    return v * (1 + 1 / k) * (1 + 1 / increase) ** 2 / 2


def pool(estimates: ArrayLike, variances: ArrayLike, *, complete_df: float = np.inf) -> Pooled:
    """Pool estimates by Rubin's rules.

    Parameters
    ----------
    estimates : array-like, shape (m, p)
        One row for each imputed data set, on a scale on which they are about normal: log hazard ratios.
    variances : array-like, shape (m, p) or (m, p, p)
        Their variances, or covariance matrices.
    complete_df : float
        Degrees of freedom had nothing been missing: rows (for a Cox model, events) less parameters.

    Returns
    -------
    Pooled

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys. Barnard & Rubin (1999), Biometrika 86:948-955.
    R: ``mice::pool``, ``mice::pool.scalar``.
    """
    q, u = np.atleast_2d(np.asarray(estimates, dtype=float)), np.asarray(variances, dtype=float)
    m, p = q.shape
    if m < 2 or u.shape not in {(m, p), (m, p, p)}:
        raise ValueError("at least two rows of estimates, with variances for each")
    within = (u if u.ndim == 3 else u[:, :, None] * np.eye(p)).mean(axis=0)
    centred = q - q.mean(axis=0)
    between = centred.T @ centred / (m - 1)
    total = within + (1 + 1 / m) * between
    inside, among, whole = np.diag(within), np.diag(between), np.diag(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        riv = (1 + 1 / m) * among / inside
        share = np.maximum((1 + 1 / m) * among / whole, LEAST_SHARE)
        df = _barnard_rubin(m, share, complete_df)
        fmi = (riv + 2 / (df + 3)) / (riv + 1)
    return Pooled(q.mean(axis=0), inside, among, total, df, riv, fmi, m, within)


def _barnard_rubin(m: int, share: np.ndarray, complete_df: float) -> np.ndarray:
    old = (m - 1) / share**2
    if not np.isfinite(complete_df):
        return old
    seen = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    return old * seen / (old + seen)
