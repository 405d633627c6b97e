"""Royston-Parmar models: a parametric curve that bends where a Weibull cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import ndtri

from bedside.errors import Fixable
from bedside.regression.data import CoxData
from bedside.regression.model import Aliased, Criteria
from bedside.regression.parametric import fit_parametric
from bedside.regression.parametric_checks import check_model, runs_away
from bedside.regression.parametric_distributions import EXTREME, GAUSSIAN, LOGISTIC, Distribution, Standard
from bedside.regression.parametric_newton import NoMaximum, maximise
from bedside.regression.parametric_response import NO_FIT

SplineScale = Literal["hazard", "odds", "normal"]

MOST_DF = 10
GRID = 400
RANK = 1e-11
"""A column of which the others leave less than this share has no coefficient."""
_SHAPES: dict[str, tuple[Standard, Distribution]] = {
    "hazard": (EXTREME, "weibull"),
    "odds": (LOGISTIC, "loglogistic"),
    "normal": (GAUSSIAN, "lognormal"),
}


@dataclass(frozen=True, eq=False)
class SplineFit(Criteria):
    """A fitted Royston-Parmar model.

    On the chosen scale the chance of no event is a natural cubic spline of log time plus x·beta: log cumulative
    hazard, log odds of the event, or minus its normal quantile.

    Attributes
    ----------
    data : CoxData
        The rows and columns that were fitted: without the aliased columns.
    scale : {"hazard", "odds", "normal"}
    knots : array, shape (df + 1,)
        Logarithms of times, boundary knots included.
    coef : array, shape (df + 1 + p,)
        gamma0, gamma1, ... of the spline, then one for each column: log hazard ratios on the hazard scale.
    variance : array, shape (df + 1 + p, df + 1 + p)
    loglik : float
        Of the times themselves, so that AIC compares with the other parametric models'.
    iterations : int
    monotone : bool
        False if the fitted curve rises anywhere within follow-up for a patient of whatever covariates.
    aliased : tuple of Aliased
        Columns without a coefficient of their own.
    """

    data: CoxData
    scale: SplineScale
    knots: np.ndarray
    coef: np.ndarray
    variance: np.ndarray
    loglik: float
    iterations: int
    monotone: bool
    aliased: tuple[Aliased, ...] = ()

    @property
    def df_spline(self) -> int:
        """Degrees of freedom of the spline: 1 is a straight line in log time."""
        return len(self.knots) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """Of `coef`."""
        return (*(f"gamma{j}" for j in range(self.df_spline + 1)), *self.data.names)

    @property
    def beta(self) -> np.ndarray:
        """Coefficients of the columns, shape (p,)."""
        return self.coef[self.df_spline + 1 :]

    @cached_property
    def se(self) -> np.ndarray:
        """Standard errors, shape (df + 1 + p,)."""
        return np.sqrt(np.diag(self.variance))

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.data)

    @property
    def n_events(self) -> int:
        """Rows with the event."""
        return self.data.n_events

    @property
    def df(self) -> int:
        """Parameters in all."""
        return len(self.coef)

    def survival(self, x: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Chance of no event by each time, shape (m, n_times); straight in log time beyond the last event.

        Parameters
        ----------
        x : array, shape (m, p)
        times : array, shape (n_times,)
            In the outcome's unit; 0 gives 1.
        """
        eta = self._eta(np.atleast_2d(np.asarray(x, dtype=float)), self._basis(times))
        return np.where(np.asarray(times) > 0, np.exp(_SHAPES[self.scale][0].log_survival(eta)), 1.0)

    def survival_interval(
        self, x: np.ndarray, times: np.ndarray, *, level: float = 0.95
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of `survival`, each (m, n_times), by the delta method on the model's own scale."""
        eta, spread = self._predictor(x, times)
        reach = ndtri((1 + level) / 2) * np.sqrt(spread)
        log_survival, later = _SHAPES[self.scale][0].log_survival, np.asarray(times) > 0
        low, high = np.exp(log_survival(eta + reach)), np.exp(log_survival(eta - reach))
        return np.where(later, low, 1.0), np.where(later, high, 1.0)

    def _predictor(self, x: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, basis = np.atleast_2d(np.asarray(x, dtype=float)), self._basis(times)
        k = basis.shape[1]
        # The variance of a sum of two parts: the spline's, the columns', and twice what they share.
        spread = (
            np.einsum("ij,jk,ik->i", basis, self.variance[:k, :k], basis)[None, :]
            + np.einsum("ij,jk,ik->i", x, self.variance[k:, k:], x)[:, None]
            + 2 * x @ self.variance[k:, :k] @ basis.T
        )
        return self._eta(x, basis), np.maximum(spread, 0.0)

    def _basis(self, times: np.ndarray) -> np.ndarray:
        at = np.asarray(times, dtype=float)
        return spline_basis(np.log(np.where(at > 0, at, 1.0)), self.knots)[0]

    def _eta(self, x: np.ndarray, basis: np.ndarray) -> np.ndarray:
        k = basis.shape[1]
        return (basis @ self.coef[:k])[None, :] + (x @ self.coef[k:])[:, None]


def spline_basis(u: np.ndarray, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Natural cubic spline of Royston and Parmar: 1, u and one column for each inner knot; and its derivative.

    Parameters
    ----------
    u : array, shape (n,)
        Log times.
    knots : array, shape (df + 1,)
        Ascending; the first and last are the boundary.

    Returns
    -------
    basis, slope : arrays, shape (n, df + 1)

    References
    ----------
    Royston & Parmar (2002), Stat Med 21:2175-2197, equation 4. R: ``flexsurv::basis``.
    """
    first, last = knots[0], knots[-1]

    def cubes(at: float, power: int) -> np.ndarray:
        return np.maximum(u - at, 0.0) ** power

    basis, slope = [np.ones_like(u), u], [np.zeros_like(u), np.ones_like(u)]
    for knot in knots[1:-1]:
        share = (last - knot) / (last - first)
        basis.append(cubes(knot, 3) - share * cubes(first, 3) - (1 - share) * cubes(last, 3))
        slope.append(3 * (cubes(knot, 2) - share * cubes(first, 2) - (1 - share) * cubes(last, 2)))
    return np.column_stack(basis), np.column_stack(slope)


def default_knots(time: np.ndarray, event: np.ndarray, df: int) -> np.ndarray:
    """Equally spaced quantiles of the log event times, the first and last event as the boundary, shape (df + 1,).

    Raises
    ------
    Fixable
        If the events fall on too few different times.
    """
    seen = np.log(time[event])
    knots = np.quantile(seen, np.linspace(0, 1, df + 1)) if len(seen) else np.zeros(0)
    if len(knots) < 2 or (np.diff(knots) <= 1e-9).any():
        raise _too_few(df)
    return knots


def _too_few(df: int) -> Fixable:
    return Fixable(
        NO_FIT,
        f"The events fall on too few different times for a curve of {df} degrees of freedom.",
        "Choose fewer degrees of freedom, or a Weibull model.",
    )


def fit_spline_hazard(
    data: CoxData, *, df: int = 3, scale: SplineScale = "hazard", knots: np.ndarray | None = None
) -> SplineFit:
    """Fit a Royston-Parmar model by maximum likelihood.

    Parameters
    ----------
    data : CoxData
        Design, times, weights and delayed entry; strata and offset are not used.
    df : int
        Degrees of freedom of the spline, 1 to 10; 1 is the Weibull (log-logistic, log-normal) model.
    scale : {"hazard", "odds", "normal"}
        Proportional hazards, proportional odds, or a probit model.
    knots : array, shape (df + 1,), optional
        Log times; else `default_knots`.

    Raises
    ------
    Fixable
        As `fit_parametric`; or if the events fall on too few different times, or the number of degrees of freedom
        is none of these.

    References
    ----------
    Royston & Parmar (2002), Stat Med 21:2175-2197. R: ``flexsurv::flexsurvspline(Surv(t, d) ~ x, k = df - 1)``.
    """
    if not 1 <= df <= MOST_DF:
        raise Fixable(NO_FIT, f"A curve has 1 to {MOST_DF} degrees of freedom.", "Choose 3 or 4.")
    standard, simple = _SHAPES[scale]
    start = fit_parametric(replace(data, strata=None, strata_labels=(), offset=None), simple)
    data = start.data
    check_model(data, start.response, n_parameters=df + 1 + data.x.shape[1])
    keep = data.time > 0  # censored at 0: says nothing
    used = data if keep.all() else data.take(keep)
    placed = default_knots(used.time, used.event, df) if knots is None else np.asarray(knots, dtype=float)
    problem = _problem(used, standard, placed)
    straight = np.concatenate(
        [
            [-start.coef[0] / start.scale[0], 1 / start.scale[0]],
            np.zeros(len(placed) - 2),
            -start.coef[1:] / start.scale[0],
        ]
    )
    try:
        best = maximise(problem.derivatives, problem.into(straight))
    except NoMaximum as away:
        direction = np.abs(problem.back @ away.direction)
        raise runs_away(data, np.concatenate([[0.0], direction[len(placed) :]])) from away
    coef = problem.back @ best.at
    return SplineFit(
        data=data,
        scale=scale,
        knots=placed,
        coef=coef,
        variance=problem.back @ best.variance @ problem.back.T,
        loglik=best.value,
        iterations=best.steps,
        monotone=_falls(coef, placed, used.time),
        aliased=start.aliased,
    )


def _falls(coef: np.ndarray, knots: np.ndarray, time: np.ndarray) -> bool:
    """True if the curve never rises within follow-up."""
    grid = np.linspace(np.log(time.min()), np.log(time.max()), GRID)
    return bool((spline_basis(grid, knots)[1] @ coef[: len(knots)] >= 0).all())


@dataclass(frozen=True, eq=False)
class _Problem:
    """The rows in columns that are at right angles, so that no digit is lost to a spline's own correlations."""

    standard: Standard
    design: np.ndarray  # (n, q)
    slope: np.ndarray  # (events, q)
    entry: np.ndarray  # (late, q)
    event: np.ndarray
    weights: np.ndarray
    entry_weights: np.ndarray
    correction: float
    back: np.ndarray  # from these columns' parameters to the model's

    def into(self, coef: np.ndarray) -> np.ndarray:
        """The model's parameters as those of these columns."""
        return np.linalg.solve(self.back, coef)

    def derivatives(self, at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log-likelihood, gradient and observed information."""
        rising = self.slope @ at
        if not (rising > 0).all():
            return -np.inf, np.zeros_like(at), np.eye(len(at))
        s, eta, w, event = self.standard, self.design @ at, self.weights, self.event
        hazard = s.hazard(eta)
        first = w * np.where(event, s.slope(eta), -hazard)
        second = w * np.where(event, s.bend(eta), -hazard * (s.slope(eta) + hazard))
        value = w @ np.where(event, s.log_density(eta), s.log_survival(eta)) + w[event] @ np.log(rising)
        gradient = self.design.T @ first + self.slope.T @ (w[event] / rising)
        information = -self.design.T @ (second[:, None] * self.design)
        information += self.slope.T @ ((w[event] / rising**2)[:, None] * self.slope)
        if len(self.entry):
            late = self.entry @ at
            hazard = s.hazard(late)
            value -= self.entry_weights @ s.log_survival(late)
            gradient += self.entry.T @ (self.entry_weights * hazard)
            bend = self.entry_weights * hazard * (s.slope(late) + hazard)
            information -= self.entry.T @ (bend[:, None] * self.entry)
        return float(value) + self.correction, gradient, information


def _problem(data: CoxData, standard: Standard, knots: np.ndarray) -> _Problem:
    u = np.log(data.time)
    basis, slope = spline_basis(u, knots)
    design = np.column_stack([basis, data.x])
    upright = np.linalg.qr(design, mode="r")
    sizes = np.abs(np.diag(upright))
    if len(sizes) < design.shape[1] or sizes.min() < RANK * sizes.max():
        raise _too_few(len(knots) - 1)
    back = np.linalg.inv(upright) * np.sqrt(len(data))
    slopes = np.column_stack([slope[data.event], np.zeros((data.n_events, data.x.shape[1]))])
    weights = np.ones(len(data)) if data.weights is None else data.weights
    late = np.flatnonzero(data.entry > 0) if data.entry is not None else np.zeros(0, dtype=int)
    entries = np.empty((0, design.shape[1]))
    if len(late):
        entries = np.column_stack([spline_basis(np.log(data.entry[late]), knots)[0], data.x[late]])
    return _Problem(
        standard=standard,
        design=design @ back,
        slope=slopes @ back,
        entry=entries @ back,
        event=data.event,
        weights=weights,
        entry_weights=weights[late],
        correction=-float(weights[data.event] @ u[data.event]),
        back=back,
    )
