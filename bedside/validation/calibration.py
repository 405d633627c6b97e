"""Do risks mean what they say? Observed against predicted: overall, in groups, over the whole range, and its slope."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtrc, ndtri

from bedside.competing.fine_gray import fine_gray
from bedside.errors import Fixable
from bedside.regression.baseline import baselines
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.regression.splines import spline_basis
from bedside.survival.curve import SLACK
from bedside.validation.measure import Rows, rows_of
from bedside.validation.observed import ObservedRisk, observed_risk
from bedside.validation.pseudo import pseudo_risk

LOWEST, HIGHEST = 1e-12, 1 - 2.0**-53
"""Risks are read as within these where their logarithm is taken."""
LEAST = 1e-9
"""Survival chances are at least this where they are divided by."""
GRID = 50
KNOTS = (0.1, 0.5, 0.9)


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
    seen = pseudo_risk(rows.time, rows.cause, [t], entry=rows.entry)[:, 0]
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


@dataclass(frozen=True, eq=False)
class SmoothCalibration:
    """Observed risk as a smooth function of the predicted one.

    Attributes
    ----------
    predicted, observed, lower, upper : arrays, shape (g,)
        The curve, from the lowest to the highest predicted risk.
    own : array, shape (n,)
        What each patient's predicted risk came to.
    knots : tuple of float
        On the log(-log) scale; empty where there are too few different risks: the curve is then straight.
    ici, e50, e90, emax : float
        Mean, median, 90th percentile and largest of the patients' distances between predicted and observed risk.
    """

    predicted: np.ndarray
    observed: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    own: np.ndarray = field(repr=False)
    knots: tuple[float, ...]
    ici: float
    e50: float
    e90: float
    emax: float


def smooth_calibration(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    t: float,
    *,
    entry: np.ndarray | None = None,
    level: float = 0.95,
    points: int = GRID,
) -> SmoothCalibration | None:
    """Calibration curve by time `t` and its distances (ICI, E50, E90).

    A Cox model (Efron) on a restricted cubic spline of log(-log(1 - risk)) with 3 knots, at its 10th, 50th and 90th
    percentiles; with competing events a Fine-Gray model. Intervals are on the log-log scale; with competing events
    they join that of Aalen-Johansen, at the middle of the risks, with that of the coefficients.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    risk : array, shape (n,)
        By time `t`.
    points : int
        Of the curve.

    Returns
    -------
    SmoothCalibration, or None
        None where no such model can be fitted: all risks equal, or too few events.

    References
    ----------
    Austin, Harrell & Van Klaveren (2020), Stat Med 39:2714-2742. Austin et al. (2022), Diagn Progn Res 6:2
    (competing events). R: ``coxph(Surv(time, event) ~ rcspline.eval(cll, knots = , inclx = TRUE))``.
    """
    rows, values = rows_of(time, cause, entry), np.asarray(risk, dtype=float)
    if len(values) < 2 or not np.ptp(values) > 0:
        return None
    cll = cloglog(values)
    knots = np.quantile(cll, KNOTS)
    spaced = len(np.unique(cll)) > len(KNOTS) and (np.diff(knots) > 0).all()
    for used in (tuple(float(k) for k in knots), ()) if spaced else ((),):
        try:
            log_hazard = (_competing_curve if rows.competes else _single_curve)(rows, _columns(cll, used), t)
        except Fixable:
            continue
        return _smooth(values, used, log_hazard, level=level, points=points)
    return None


def _columns(cll: np.ndarray, knots: tuple[float, ...]) -> np.ndarray:
    return spline_basis(cll, knots) if knots else cll[:, None]


@dataclass(frozen=True, eq=False)
class _LogHazard:
    """log H(t | x) = at + x coef, with the pieces of its variance."""

    at: float
    coef: np.ndarray
    variance: np.ndarray
    centre: np.ndarray
    base: float

    def error(self, x: np.ndarray) -> np.ndarray:
        away = x - self.centre
        return np.sqrt(np.maximum(((away @ self.variance) * away).sum(axis=1), 0.0) + self.base)


def _single_curve(rows: Rows, x: np.ndarray, t: float) -> _LogHazard:
    fit = fit_cox(cox_data(x, rows.time, rows.cause == 1, entry=rows.entry))
    (base,) = baselines(fit)
    row = int(np.searchsorted(base.time, t * (1 + SLACK), side="right")) - 1
    hazard = base.cumulative[row] if row >= 0 else 0.0
    if not hazard > 0:
        raise Fixable("No calibration curve.", "No event was seen by then.", "Choose a later time.")
    kept = [int(name[1:]) - 1 for name in fit.data.names]  # columns that others determine are left out
    coef, variance = np.zeros(x.shape[1]), np.zeros((x.shape[1], x.shape[1]))
    coef[kept], variance[np.ix_(kept, kept)] = fit.coef, fit.variance
    centre = np.zeros(x.shape[1])
    centre[kept] = base.centre + base.drift[row] / hazard
    return _LogHazard(
        at=float(np.log(hazard) - fit.means @ fit.coef),
        coef=coef,
        variance=variance,
        centre=centre,
        base=float(base.variance[row] / hazard**2),
    )


def _competing_curve(rows: Rows, x: np.ndarray, t: float) -> _LogHazard:
    form = "crr" if rows.entry is None else "finegray"
    fit = fine_gray(x, rows.time, rows.cause, entry=rows.entry, definition=form)
    if len(fit.coef) < x.shape[1]:
        raise Fixable("No calibration curve.", "The risks are too much alike.", "Choose another time.")
    row = int(np.searchsorted(fit.time, t * (1 + SLACK), side="right"))
    hazard = float(fit.hazard[:row].sum())
    seen = observed_risk(rows, t, level=0.95, extend=True)
    if not (hazard > 0 and 0 < seen.risk < 1):
        raise Fixable("No calibration curve.", "No event was seen by then.", "Choose a later time.")
    width = cloglog(np.array([seen.upper]))[0] - cloglog(np.array([seen.lower]))[0]
    base = float((width / 2 / ndtri(0.975)) ** 2)
    return _LogHazard(float(np.log(hazard)), fit.coef, fit.variance, x.mean(axis=0), base)


def _smooth(
    values: np.ndarray, knots: tuple[float, ...], found: _LogHazard, *, level: float, points: int
) -> SmoothCalibration:
    def curve(risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = _columns(cloglog(risk), knots)
        return found.at + x @ found.coef, x

    own = -np.expm1(-np.exp(np.minimum(curve(values)[0], 50.0)))
    grid = np.linspace(values.min(), values.max(), points)
    log_hazard, x = curve(grid)
    reach = ndtri((1 + level) / 2) * found.error(x)
    middle, low, high = (-np.expm1(-np.exp(np.minimum(log_hazard + side, 50.0))) for side in (0.0, -reach, reach))
    off = np.abs(own - values)
    return SmoothCalibration(
        predicted=grid, observed=middle, lower=low, upper=high, own=own, knots=knots,
        ici=float(off.mean()), e50=float(np.median(off)), e90=float(np.quantile(off, 0.9)), emax=float(off.max()),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class DCalibration:
    """Are survival chances at the patients' own ends of follow-up spread evenly from 0 to 1, as they should be?

    Attributes
    ----------
    counts : array, shape (bins,)
        Patients in each tenth (or other share) of survival chance, from low to high; the censored are shared out.
    expected : float
        In each, if calibrated.
    statistic, p : float
        Pearson's chi-squared.
    df : int
    """

    counts: np.ndarray
    expected: float
    statistic: float
    df: int
    p: float


def d_calibration(
    event: np.ndarray, survival: np.ndarray, *, at_entry: np.ndarray | None = None, bins: int = 10
) -> DCalibration:
    """Distribution calibration with its test. There is no definition with competing events: take the composite.

    Parameters
    ----------
    event : array of bool, shape (n,)
    survival : array, shape (n,)
        Predicted chance of being event-free at each patient's own end of follow-up, 0 to 1.
    at_entry : array, shape (n,), optional
        The same at each patient's delayed entry.
    bins : int

    References
    ----------
    Haider, Hoehn, Davis & Greiner (2020), J Mach Learn Res 21:1-63.
    """
    seen, chance = np.asarray(event, dtype=bool), np.clip(np.asarray(survival, dtype=float), 0.0, 1.0)
    if at_entry is not None:
        chance = np.clip(chance / np.maximum(at_entry, LEAST), 0.0, 1.0)
    counts = np.bincount(np.minimum((chance[seen] * bins).astype(int), bins - 1), minlength=bins).astype(float)
    held = np.maximum(chance[~seen], LEAST)
    counts += (np.clip(held[:, None] - np.arange(bins) / bins, 0.0, 1 / bins) / held[:, None]).sum(axis=0)
    expected = len(seen) / bins
    statistic = float(((counts - expected) ** 2).sum() / expected) if expected else np.nan
    return DCalibration(counts, expected, statistic, bins - 1, float(chdtrc(bins - 1, statistic)))
