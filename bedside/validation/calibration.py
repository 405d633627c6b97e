"""Do risks mean what they say? Observed against predicted: overall, in groups, and its intercept and slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.validation.measure import Rows, rows_of
from bedside.validation.observed import ObservedRisk, observed_risk
from bedside.validation.weights import uncensored_weights

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


def estimate(value: float, std_err: float, level: float) -> Estimate:
    """A number with its interval on its own scale."""
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

    With delayed entry the patients at hand are those who lived to join: the mean weighs them by those they stand for
    (`uncensored_weights`), as the observed risk does.

    References
    ----------
    McLernon et al. (2023), Ann Intern Med 176:105-114. Van Geloven et al. (2022), BMJ 377:e069249.
    """
    rows = rows_of(time, cause, entry)
    seen = observed_risk(rows, t, level=level, extend=extend)
    expected = float(np.mean(standing_for(rows, t) * risk))
    over = 1 / expected if expected > 0 else np.nan
    return OverallCalibration(seen, expected, seen.risk * over, seen.lower * over, seen.upper * over)


def standing_for(rows: Rows, t: float) -> np.ndarray | float:
    """How many patients each one stands for because of delayed entry, shape (n,): 1 without it."""
    if rows.entry is None:
        return 1.0
    return uncensored_weights(rows.time, rows.event, np.array([t]), entry=rows.entry)[:, 0]


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
    return estimate(float(fit.coef[0]), float(np.sqrt(fit.variance[0, 0])), level)


def cloglog(risk: np.ndarray) -> np.ndarray:
    """log(-log(1 - risk)), with risks of 0 and 1 drawn in a little."""
    return np.log(-np.log1p(-np.clip(np.asarray(risk, dtype=float), LOWEST, HIGHEST)))
