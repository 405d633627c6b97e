"""Calibration intercept and slope at one time, from pseudo-values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.risk.pseudo import pseudo_incidence
from bedside.validation.calibration import UNKNOWN, Estimate, cloglog, estimate
from bedside.validation.measure import rows_of


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
        intercept=UNKNOWN if intercept is None else estimate(*intercept[0], level),
        slope=UNKNOWN if slope is None else estimate(1 + slope[1][0], slope[1][1], level),
    )


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
