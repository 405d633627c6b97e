"""What a Cox fit found, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from bedside.regression.data import CoxData
from bedside.tails import chi2_tail

Ties = Literal["efron", "breslow"]
AnyTies = Literal["efron", "breslow", "exact"]
"""With the exact treatment, which coefficients have but nothing that is read off their risk sets."""


@dataclass(frozen=True)
class ChiTest:
    """A chi-squared statistic, its degrees of freedom and its p."""

    statistic: float
    df: float
    p: float


def chi_test(statistic: float, df: float) -> ChiTest:
    """The statistic with its p; NaN without degrees of freedom."""
    return ChiTest(float(statistic), df, chi2_tail(statistic, df))


class Criteria:
    """Akaike's and the Bayesian criterion of a fit by full likelihood: `loglik`, `df` parameters, `n` rows."""

    loglik: float
    n: int
    df: int

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return -2 * self.loglik + 2 * self.df

    @property
    def bic(self) -> float:
        """Bayesian criterion, counting rows (R's ``BIC`` of a survreg counts them too)."""
        return -2 * self.loglik + float(np.log(self.n)) * self.df


@dataclass(frozen=True)
class Ridge:
    """A penalty of theta/2 times the sum of squared coefficients.

    Attributes
    ----------
    theta : float
        Above 0.
    scale : bool
        Whether coefficients are counted per standard deviation of their column.
    columns : tuple of int or None
        Which columns are held back; None for all.
    variances : tuple of float or None
        Variances of those columns, where they are not to be taken from the rows that are fitted: R takes them
        before it leaves out rows with a value missing elsewhere.

    References
    ----------
    R: ``ridge(..., theta = , scale = )`` within ``coxph``.
    """

    theta: float
    scale: bool = True
    columns: tuple[int, ...] | None = None
    variances: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Aliased:
    """A column without a coefficient of its own, and the columns it can be worked out from (none: it is constant)."""

    name: str
    made_of: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    data : CoxData
        The rows and columns that were fitted: without the aliased columns.
    ties : {"efron", "breslow", "exact"}
    coef : array, shape (p,)
        Log hazard ratios for one unit of each column.
    variance : array, shape (p, p)
        The one to use: robust if `robust`, else naive.
    naive_variance : array, shape (p, p)
        Inverse of the information; with a ridge, of the penalised one.
    robust : bool
        True if `variance` is the sandwich, summed within clusters where there are any.
    loglik_null, loglik : float
        Log partial likelihood with every coefficient 0, and at `coef`, without any penalty.
    iterations : int
        Newton steps as R counts them.
    means : array, shape (p,)
        R's ``fit$means``: weighted means of the columns, 0 for those that hold only -1, 0 and 1.
    linear_predictor : array, shape (n,)
        x·coef + offset, less means·coef, as R's ``fit$linear.predictors``.
    lr_test, wald_test, score_test : ChiTest
        All coefficients against 0.
    robust_score_test : ChiTest or None
        Where `robust`.
    ridge : Ridge or None
    variance2 : array, shape (p, p), or None
        With a ridge, R's ``fit$var2``: the variance if the penalty is seen as a bias.
    penalty : float
        theta/2 times the sum of squared coefficients at `coef`; 0 without a ridge.
    df : float
        Effective degrees of freedom: p without a ridge.
    aliased : tuple of Aliased
        Columns that were left out because others determine them, where R gives a coefficient of NA.
    """

    data: CoxData
    ties: AnyTies
    coef: np.ndarray
    variance: np.ndarray
    naive_variance: np.ndarray
    robust: bool
    loglik_null: float
    loglik: float
    iterations: int
    means: np.ndarray
    linear_predictor: np.ndarray
    lr_test: ChiTest
    wald_test: ChiTest
    score_test: ChiTest
    robust_score_test: ChiTest | None = None
    ridge: Ridge | None = None
    variance2: np.ndarray | None = None
    penalty: float = 0.0
    df: float = 0.0
    aliased: tuple[Aliased, ...] = ()

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.data)

    @property
    def n_events(self) -> int:
        """Rows with the event."""
        return self.data.n_events

    @cached_property
    def se(self) -> np.ndarray:
        """Standard errors of `coef`, from `variance`, shape (p,)."""
        return np.sqrt(np.diag(self.variance))

    @cached_property
    def naive_se(self) -> np.ndarray:
        """Standard errors from `naive_variance`, shape (p,)."""
        return np.sqrt(np.diag(self.naive_variance))

    @property
    def z(self) -> np.ndarray:
        """Wald's z of each coefficient, shape (p,); NaN where the standard error is 0 and measures nothing."""
        return np.divide(self.coef, self.se, out=np.full(len(self.coef), np.nan), where=self.se > 0)

    @property
    def p(self) -> np.ndarray:
        """Two-sided Wald p of each coefficient, shape (p,)."""
        return 2 * ndtr(-np.abs(self.z))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of the hazard ratios, each of shape (p,)."""
        reach = ndtri((1 + level) / 2) * self.se
        with np.errstate(over="ignore"):
            return np.exp(self.coef - reach), np.exp(self.coef + reach)

    @property
    def aic(self) -> float:
        """Akaike's criterion, with the (effective) number of coefficients."""
        return -2 * self.loglik + 2 * self.df

    @property
    def r2(self) -> tuple[float, float]:
        """Cox and Snell's R² and the largest it could be, as R's ``summary(fit)$rsq``."""
        gain = self.lr_test.statistic
        return -float(np.expm1(-gain / self.n)), -float(np.expm1(2 * self.loglik_null / self.n))

    def term_test(self, term: int | str) -> ChiTest:
        """Wald's test that all coefficients of a term are 0."""
        columns = self.data.columns_of(term)
        part = self.coef[columns]
        statistic = part @ np.linalg.pinv(self.variance[np.ix_(columns, columns)], hermitian=True) @ part
        return chi_test(float(statistic), len(columns))
