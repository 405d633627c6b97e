"""What a parametric fit found, and what it predicts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from bedside.regression.data import CoxData
from bedside.regression.model import Aliased, ChiTest, Criteria, chi_test
from bedside.regression.parametric_distributions import FAMILIES, Distribution, Family
from bedside.regression.parametric_response import Response

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, eq=False)
class ParametricFit(Criteria):
    """A fitted parametric survival model.

    The model says log T = x·coef + scale · W (T itself for the Gaussian, logistic and extreme-value models), with W
    of a standard shape. A coefficient is a log time ratio: exp(coef) multiplies every survival time.

    Attributes
    ----------
    data : CoxData
        The rows and columns that were fitted: without the aliased columns.
    response : Response
        As given, on the scale of time.
    distribution : str
    coef : array, shape (1 + p,)
        The intercept first.
    scale : array, shape (n_scales,)
        One, or one for each stratum.
    variance : array, shape (1 + p + k, 1 + p + k)
        Of the coefficients and the log scales, where these are estimated (k = 0 for the exponential); robust if
        `robust`.
    naive_variance : array
        Inverse of the observed information.
    robust : bool
    loglik_null, loglik : float
        With an intercept (and scales) alone, and of this model.
    iterations : int
    linear_predictor : array, shape (n,)
    aliased : tuple of Aliased
        Columns without a coefficient of their own.
    """

    data: CoxData
    response: Response
    distribution: Distribution
    coef: np.ndarray
    scale: np.ndarray
    variance: np.ndarray
    naive_variance: np.ndarray
    robust: bool
    loglik_null: float
    loglik: float
    iterations: int
    linear_predictor: np.ndarray
    aliased: tuple[Aliased, ...] = ()

    @property
    def family(self) -> Family:
        """The distribution's shape and its name in words."""
        return FAMILIES[self.distribution]

    @property
    def names(self) -> tuple[str, ...]:
        """Of `coef`."""
        return (INTERCEPT, *self.data.names)

    @property
    def variance_names(self) -> tuple[str, ...]:
        """Of the rows of `variance`, as R's ``vcov`` has them."""
        count = len(self.variance) - len(self.coef)
        if count < 2:
            return (*self.names, *["Log(scale)"] * count)
        return (*self.names, *(f"Log(scale[{label}])" for label in self.data.strata_labels))

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.data)

    @property
    def n_events(self) -> int:
        """Rows that are known to have had the event."""
        return self.response.n_events

    @property
    def df(self) -> int:
        """Parameters, scales included."""
        return len(self.variance)

    @cached_property
    def se(self) -> np.ndarray:
        """Standard errors of the coefficients and the log scales, shape (1 + p + k,)."""
        return np.sqrt(np.diag(self.variance))

    @property
    def z(self) -> np.ndarray:
        """Wald's z of each coefficient, shape (1 + p,)."""
        return self.coef / self.se[: len(self.coef)]

    @property
    def p(self) -> np.ndarray:
        """Two-sided Wald p of each coefficient, shape (1 + p,)."""
        return 2 * ndtr(-np.abs(self.z))

    @property
    def lr_test(self) -> ChiTest:
        """All coefficients but the intercept against 0."""
        return chi_test(2 * (self.loglik - self.loglik_null), len(self.coef) - 1)

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of the coefficients, each of shape (1 + p,), as log time ratios."""
        reach = ndtri((1 + level) / 2) * self.se[: len(self.coef)]
        return self.coef - reach, self.coef + reach

    def hazard_ratios(self) -> np.ndarray | None:
        """exp(-coef / scale), shape (p,), where the model is one of proportional hazards with a single scale."""
        if self.distribution not in ("exponential", "weibull", "rayleigh") or len(self.scale) > 1:
            return None
        with np.errstate(over="ignore"):
            return np.exp(-self.coef[1:] / self.scale[0])

    def location(self, x: np.ndarray, *, offset: np.ndarray | float = 0.0) -> np.ndarray:
        """Linear predictor of new patients, shape (m,).

        Parameters
        ----------
        x : array, shape (m, p)
            Their columns of the design, without the intercept.
        """
        return self.coef[0] + np.atleast_2d(x) @ self.coef[1:] + offset

    def quantiles(
        self, x: np.ndarray, p: np.ndarray, *, stratum: np.ndarray | None = None, offset: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Times by which a share `p` has had the event, with standard errors.

        Parameters
        ----------
        x : array, shape (m, p)
        p : array, shape (k,)
            Shares above 0 and below 1.
        stratum : array of int, shape (m,), optional
            Whose scale counts.

        Returns
        -------
        time, se : arrays, shape (m, k)

        References
        ----------
        R: ``predict(fit, newdata, type = "quantile", p = , se.fit = TRUE)``.
        """
        location, sigma, rows = self._new(x, stratum, offset)
        q = self.family.standard.quantile(np.asarray(p, dtype=float))
        time = location[:, None] + sigma[:, None] * q
        se = np.sqrt(self._spread(rows, sigma[:, None] * q, stratum))
        if self.family.log_time:
            with np.errstate(over="ignore"):
                time = np.exp(time)
                se = se * time
        return time, se

    def survival(
        self, x: np.ndarray, times: np.ndarray, *, stratum: np.ndarray | None = None, offset: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Chance of no event by each time, shape (m, n_times)."""
        location, sigma, _ = self._new(x, stratum, offset)
        return np.exp(self.family.standard.log_survival(self._standard_time(location, sigma, times)))

    def survival_interval(
        self,
        x: np.ndarray,
        times: np.ndarray,
        *,
        level: float = 0.95,
        stratum: np.ndarray | None = None,
        offset: np.ndarray | float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of `survival`, each (m, n_times), by the delta method on the scale of z.

        That is the log-log scale for a Weibull model and the logit for a log-logistic one, so limits stay within
        0 and 1.
        """
        location, sigma, rows = self._new(x, stratum, offset)
        z = self._standard_time(location, sigma, times)
        finite = np.where(np.isfinite(z), z, 0.0)
        spread = self._spread(rows, sigma[:, None] * finite, stratum)
        reach = ndtri((1 + level) / 2) * np.sqrt(spread) / sigma[:, None]
        log_survival = self.family.standard.log_survival
        return np.exp(log_survival(z + reach)), np.exp(log_survival(z - reach))

    def _standard_time(self, location: np.ndarray, sigma: np.ndarray, times: np.ndarray) -> np.ndarray:
        at = np.asarray(times, dtype=float)
        if self.family.log_time:
            with np.errstate(divide="ignore"):
                at = np.log(at)
        return (at - location[:, None]) / sigma[:, None]

    def _new(
        self, x: np.ndarray, stratum: np.ndarray | None, offset: np.ndarray | float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = np.atleast_2d(np.asarray(x, dtype=float))
        codes = np.zeros(len(x), dtype=int) if stratum is None else np.asarray(stratum)
        return self.location(x, offset=offset), self.scale[codes], np.column_stack([np.ones(len(x)), x])

    def _spread(self, rows: np.ndarray, along_scale: np.ndarray, stratum: np.ndarray | None) -> np.ndarray:
        """Variance of location + along_scale * log sigma, shape (m, k) as `along_scale`."""
        count = len(self.coef)
        of_location = np.einsum("ij,jk,ik->i", rows, self.variance[:count, :count], rows)[:, None]
        if len(self.variance) == count:
            return np.broadcast_to(of_location, along_scale.shape)
        place = count + (np.zeros(len(rows), dtype=int) if stratum is None else np.asarray(stratum))
        shared = np.einsum("ij,ji->i", rows, self.variance[:count, place])[:, None]
        return of_location + 2 * along_scale * shared + along_scale**2 * np.diag(self.variance)[place][:, None]
