"""Do risks mean what they say? Observed against predicted: overall, in groups, and its intercept and slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.risk.pseudo import pseudo_incidence
from bedside.validation.measure import Rows, rows_of
from bedside.validation.observed import ObservedRisk, observed_risk

LOWEST, HIGHEST = 1e-12, 1 - 2.0**-53
"""Risks are read as within these where their logarithm is taken."""


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and interval; NaN where it has no finite value."""

    value: float
    std_err: float
    lower: float
    upper: float


UNKNOWN = Estimate(np.nan, np.nan, np.nan, np.nan)


def _estimate(value: float, std_err: float, level: float) -> Estimate:
    reach = float(ndtri((1 + level) / 2)) * std_err
    return Estimate(value, std_err, value - reach, value + reach)


@dataclass(frozen=True)
class CalibrationGroup:
    """Patients of similar predicted risk: mean predicted and observed risk by the time asked for."""

    predicted: float
    observed: float
    lower: float
    upper: float
    n: int
    n_events: int


def calibration_groups(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    t: float,
    *,
    groups: int = 10,
    entry: np.ndarray | None = None,
    level: float = 0.95,
    extend: bool = False,
) -> tuple[CalibrationGroup, ...]:
    """Mean predicted and observed risk by time `t` in equal groups of predicted risk, from low to high.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    risk : array, shape (n,)
        By time `t`.
    groups : int
        Cut at quantiles; equal risks stay together, so there may be fewer.
    extend : bool, default False
        True carries the last observed value on where a group's follow-up is shorter than `t`.

    References
    ----------
    R: ``cut(risk, quantile(risk, seq(0, 1, length.out = groups + 1)), include.lowest = TRUE)``, in each group
    ``1 - summary(survfit(Surv(time, event) ~ 1, conf.type = "log-log"), times = t)$surv``.
    """
    rows, values = rows_of(time, cause, entry), np.asarray(risk, dtype=float)
    code = quantile_groups(values, groups)
    found = []
    for k in np.unique(code):
        here = code == k
        seen = observed_risk(_part(rows, here), t, level=level, extend=extend)
        found.append(
            CalibrationGroup(float(values[here].mean()), seen.risk, seen.lower, seen.upper, seen.n, seen.n_events)
        )
    return tuple(found)


def quantile_groups(values: np.ndarray, groups: int) -> np.ndarray:
    """Number of each value's group from 0, cut at quantiles (type 7), right-closed; equal edges are one.

    References
    ----------
    R: ``cut(values, quantile(values, 0:groups / groups), include.lowest = TRUE)``.
    """
    ordered, n = np.sort(values), len(values)
    index = (n - 1) * np.arange(1, groups) * (1 / groups)
    low = np.floor(1 + index).astype(int) - 1
    high = np.ceil(1 + index).astype(int) - 1
    share = (1 + index) - (low + 1)
    edges = ordered[low]
    between = (share > 0) & (ordered[high] != edges)
    edges = np.where(between, (1 - share) * edges + share * ordered[high], edges)
    return np.searchsorted(np.unique(edges), values, side="left")


def _part(rows: Rows, here: np.ndarray) -> Rows:
    return Rows(rows.time[here], rows.cause[here], rows.event[here], None if rows.entry is None else rows.entry[here])


@dataclass(frozen=True)
class OverallCalibration:
    """Observed over expected risk by a time.

    Attributes
    ----------
    observed : ObservedRisk
    expected : float
        Mean predicted risk.
    ratio, lower, upper : float
        Observed over expected, and the limits of the observed risk over it.
    """

    observed: ObservedRisk
    expected: float
    ratio: float
    lower: float
    upper: float


def overall_calibration(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    t: float,
    *,
    entry: np.ndarray | None = None,
    level: float = 0.95,
    extend: bool = False,
) -> OverallCalibration:
    """Observed risk by time `t` over the mean predicted one: 1 is right on average, above 1 risks are too low.

    References
    ----------
    McLernon et al. (2023), Ann Intern Med 176:105-114. Van Geloven et al. (2022), BMJ 377:e069249.
    """
    seen = observed_risk(rows_of(time, cause, entry), t, level=level, extend=extend)
    expected = float(np.mean(risk))
    over = 1 / expected if expected > 0 else np.nan
    return OverallCalibration(seen, expected, seen.risk * over, seen.lower * over, seen.upper * over)


def calibration_slope(
    time: np.ndarray,
    cause: np.ndarray,
    score: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    level: float = 0.95,
) -> Estimate:
    """Calibration slope over the whole follow-up: the coefficient of a linear predictor in a Cox model of its own.

    1 is right, below 1 risks are too extreme. With competing events of their cause-specific hazard.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    score : array, shape (n,)
        On the scale of log hazard ratios: for a model that is no Cox model, log(-log(1 - risk)) by a time.

    References
    ----------
    Van Houwelingen (2000), Stat Med 19:3401-3415. R: ``coxph(Surv(time, event) ~ score)``.
    """
    rows = rows_of(time, cause, entry)
    try:
        fit = fit_cox(cox_data(score, rows.time, rows.cause == 1, names=("score",), entry=rows.entry))
    except Fixable:
        return UNKNOWN
    return _estimate(float(fit.coef[0]), float(np.sqrt(fit.variance[0, 0])), level)


@dataclass(frozen=True)
class WeakCalibration:
    """Intercept and slope of observed on predicted risk by a time, on the log(-log) scale.

    Attributes
    ----------
    intercept : Estimate
        With the slope held at 1: 0 is right, above 0 risks are too low.
    slope : Estimate
        1 is right, below 1 risks are too extreme.
    """

    intercept: Estimate
    slope: Estimate


def weak_calibration(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    t: float,
    *,
    entry: np.ndarray | None = None,
    level: float = 0.95,
) -> WeakCalibration:
    """Calibration intercept and slope at time `t`, from pseudo-values; the same with and without competing events.

    Estimating equations with the complementary log-log link and working independence; robust standard errors.

    References
    ----------
    Van Geloven et al. (2022), BMJ 377:e069249. Andersen, Klein & Rosthøj (2003), Biometrika 90:15-27.
    R: ``geepack::geese(pseudo ~ offset(cll), mean.link = "cloglog", corstr = "independence")`` and
    ``~ offset(cll) + cll``.
    """
    rows = rows_of(time, cause, entry)
    seen = pseudo_incidence(rows.time, rows.cause, [t], entry=rows.entry)[:, 0]
    cll = cloglog(risk)
    if not np.isfinite(seen).all():
        return WeakCalibration(UNKNOWN, UNKNOWN)
    one = np.ones(len(cll))
    intercept = _equations(seen, one[:, None], cll)
    slope = _equations(seen, np.column_stack((one, cll)), cll) if np.ptp(cll) > 0 else None
    return WeakCalibration(
        intercept=UNKNOWN if intercept is None else _estimate(*intercept[0], level),
        slope=UNKNOWN if slope is None else _estimate(1 + slope[1][0], slope[1][1], level),
    )


def cloglog(risk: np.ndarray) -> np.ndarray:
    """log(-log(1 - risk)), with risks of 0 and 1 drawn in a little."""
    return np.log(-np.log1p(-np.clip(np.asarray(risk, dtype=float), LOWEST, HIGHEST)))


def _equations(y: np.ndarray, x: np.ndarray, offset: np.ndarray) -> list[tuple[float, float]] | None:
    """Coefficients and robust standard errors by Gauss and Newton; None where there is no finite solution."""
    beta = np.zeros(x.shape[1])
    for _ in range(100):
        mu, gradient = _mean_and_gradient(x, beta, offset)
        bread = gradient.T @ gradient
        if not np.isfinite(bread).all() or np.linalg.matrix_rank(bread) < len(beta):
            return None
        step = np.linalg.solve(bread, gradient.T @ (y - mu))
        beta = beta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(beta).max()):
            break
    else:
        return None
    mu, gradient = _mean_and_gradient(x, beta, offset)
    bread, pulled = np.linalg.inv(gradient.T @ gradient), gradient * (y - mu)[:, None]
    variance = bread @ (pulled.T @ pulled) @ bread
    return [(float(b), float(v)) for b, v in zip(beta, np.sqrt(np.diag(variance)), strict=True)]


def _mean_and_gradient(x: np.ndarray, beta: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hazard = np.exp(np.minimum(offset + x @ beta, 50.0))
    return -np.expm1(-hazard), x * (hazard * np.exp(-hazard))[:, None]
