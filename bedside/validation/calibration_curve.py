"""Observed risk as a smooth function of the predicted one, and how far the two are apart."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from bedside.errors import Fixable
from bedside.regression.baseline import baselines
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.regression.splines import spline_basis
from bedside.survival.curve import SLACK
from bedside.validation.calibration import cloglog
from bedside.validation.measure import Rows, rows_of
from bedside.validation.weak import equations, seen_risk

GRID = 50
KNOTS = (0.1, 0.5, 0.9)


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
    percentiles. With competing events the spline is fitted to pseudo-values by `t` with the complementary log-log
    link, which supposes nothing of other times, as a Fine-Gray model would. Intervals are on the log-log scale.

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
    Austin, Harrell & Van Klaveren (2020), Stat Med 39:2714-2742. Van Geloven et al. (2022), BMJ 377:e069249
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
        base=float(base.variance[row] / hazard / hazard),  # its square may be 0 where one variable settles everything
    )


def _competing_curve(rows: Rows, x: np.ndarray, t: float) -> _LogHazard:
    seen, weight = seen_risk(rows, t)
    with_one = np.column_stack((np.ones(len(x)), x))
    start = np.zeros(with_one.shape[1])
    start[1] = 1.0  # as if calibrated
    found = equations(seen, with_one, np.zeros(len(x)), weight, start=start)
    if found is None:
        raise Fixable("No calibration curve.", "Too few events were seen by then.", "Choose a later time.")
    beta, variance = found
    inner = variance[1:, 1:]
    centre = -np.linalg.pinv(inner) @ variance[1:, 0]
    base = float(max(variance[0, 0] - centre @ inner @ centre, 0.0))
    return _LogHazard(float(beta[0]), beta[1:], inner, centre, base)


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
