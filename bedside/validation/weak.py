"""Calibration intercept and slope at one time, from pseudo-values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.risk.pseudo import pseudo_incidence
from bedside.survival.curve import SLACK
from bedside.validation.calibration import UNKNOWN, Estimate, cloglog, estimate, standing_for
from bedside.validation.measure import Rows, rows_of


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

    Estimating equations with the complementary log-log link and working independence; robust standard errors. With
    delayed entry patients are weighed by those they stand for instead (inverse probability of being seen).

    References
    ----------
    Van Geloven et al. (2022), BMJ 377:e069249. Andersen, Klein & Rosthøj (2003), Biometrika 90:15-27.
    Scheike, Zhang & Gerds (2008), Biometrika 95:205-220 (weights).
    R: ``geepack::geese(pseudo ~ offset(cll), mean.link = "cloglog", corstr = "independence")`` and
    ``~ offset(cll) + cll``.
    """
    rows = rows_of(time, cause, entry)
    seen, weight = seen_risk(rows, t)
    cll = cloglog(risk)
    one = np.ones(len(cll))
    intercept = equations(seen, one[:, None], cll, weight)
    slope = equations(seen, np.column_stack((one, cll)), cll, weight) if np.ptp(cll) > 0 else None
    return WeakCalibration(
        intercept=UNKNOWN if intercept is None else estimate(*_entry(*intercept, 0), level),
        slope=UNKNOWN if slope is None else estimate(1 + slope[0][1], float(np.sqrt(slope[1][1, 1])), level),
    )


def _entry(beta: np.ndarray, variance: np.ndarray, j: int) -> tuple[float, float]:
    return float(beta[j]), float(np.sqrt(variance[j, j]))


def seen_risk(rows: Rows, t: float) -> tuple[np.ndarray, np.ndarray]:
    """What was seen of each patient's risk by `t`, and how many patients each one stands for, shape (n,) each.

    Pseudo-values of weight 1. Those of patients who lived to join are not those of all: with delayed entry it is 1
    for an event by then and 0 otherwise, weighed by the inverse probability of being seen.
    """
    weight = np.ones(len(rows.time)) * standing_for(rows, t)
    if rows.entry is None:
        return pseudo_incidence(rows.time, rows.cause, [t])[:, 0], weight
    return ((rows.cause == 1) & (rows.time <= t * (1 + SLACK))).astype(float), weight


def equations(
    y: np.ndarray, x: np.ndarray, offset: np.ndarray, weight: np.ndarray, *, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Coefficients and their robust variance by Gauss and Newton; None where there is no finite solution.

    Of the mean 1 - exp(-exp(offset + x b)) with working independence.
    """
    beta = np.zeros(x.shape[1]) if start is None else start
    for _ in range(100):
        mu, gradient = _mean_and_gradient(x, beta, offset)
        bread = (gradient * weight[:, None]).T @ gradient
        if not np.isfinite(bread).all() or np.linalg.matrix_rank(bread) < len(beta):
            return None
        step = np.linalg.solve(bread, gradient.T @ (weight * (y - mu)))
        beta = beta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(beta).max()):
            break
    else:
        return None
    mu, gradient = _mean_and_gradient(x, beta, offset)
    bread = np.linalg.inv((gradient * weight[:, None]).T @ gradient)
    pulled = gradient * (weight * (y - mu))[:, None]
    return beta, bread @ (pulled.T @ pulled) @ bread


def _mean_and_gradient(x: np.ndarray, beta: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hazard = np.exp(np.minimum(offset + x @ beta, 50.0))
    return -np.expm1(-hazard), x * (hazard * np.exp(-hazard))[:, None]
