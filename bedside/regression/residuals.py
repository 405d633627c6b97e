"""Residuals of a Cox model, one for each row or one for each death, as R's ``residuals.coxph``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.regression.model import CoxFit
from bedside.regression.moments import Moments, moments


@dataclass(frozen=True, eq=False)
class Schoenfeld:
    """One residual for each death and column.

    Attributes
    ----------
    row : array of int, shape (d,)
        Position in the fit's rows, by stratum, then time, then row.
    time : array, shape (d,)
        In the outcome's unit.
    raw : array, shape (d, p)
        Covariates of the death less their weighted mean over the risk set.
    scaled : array, shape (d, p)
        `raw` times the coefficients' variance times d, plus the coefficients.
    """

    row: np.ndarray
    time: np.ndarray
    raw: np.ndarray
    scaled: np.ndarray


@dataclass(frozen=True, eq=False)
class Residuals:
    """All residuals of a fit, rows in the order of its data.

    Attributes
    ----------
    martingale : array, shape (n,)
        Events seen less events expected over the row's follow-up.
    deviance : array, shape (n,)
        The same, made about symmetrical.
    score : array, shape (n, p)
        Each row's part of the score, not weighted.
    dfbeta : array, shape (n, p)
        How far each coefficient would move, about, if the row were left out; with weights, times the row's weight.
    dfbetas : array, shape (n, p)
        The same in standard errors.
    schoenfeld : Schoenfeld
    """

    martingale: np.ndarray
    deviance: np.ndarray
    score: np.ndarray
    dfbeta: np.ndarray
    dfbetas: np.ndarray
    schoenfeld: Schoenfeld


def residuals(fit: CoxFit, *, sets: Moments | None = None) -> Residuals:
    """Martingale, deviance, score, Schoenfeld and dfbeta residuals, for any ties, strata, weights and entry.

    Parameters
    ----------
    fit : CoxFit
    sets : Moments, optional
        Of the same fit, where they are already there.

    References
    ----------
    Therneau, Grambsch & Fleming (1990), Biometrika 77:147-160. Grambsch & Therneau (1994), Biometrika 81:515-526.
    R: ``residuals(fit, type = )`` with "martingale", "deviance", "score", "dfbeta", "dfbetas", "schoenfeld" and
    "scaledsch". With a robust fit too the naive variance scales them, as there.
    """
    sets = moments(fit) if sets is None else sets
    martingale = martingale_residuals(fit, sets=sets)
    score = score_residuals(fit, sets=sets)
    variance = fit.naive_variance
    dfbeta = (score @ variance) * sets.weights[:, None]
    return Residuals(
        martingale=martingale,
        deviance=_deviance(martingale, fit.data.event),
        score=score,
        dfbeta=dfbeta,
        dfbetas=dfbeta / np.sqrt(np.diag(variance)),
        schoenfeld=_schoenfeld(fit, sets),
    )


def martingale_residuals(fit: CoxFit, *, sets: Moments | None = None) -> np.ndarray:
    """Events seen less events expected in each row, shape (n,): at most 1, and 0 in the weighted sum."""
    sets = moments(fit) if sets is None else sets
    return fit.data.event - sets.relative * sets.held(sets.hazard)


def score_residuals(fit: CoxFit, *, sets: Moments | None = None) -> np.ndarray:
    """Each row's part of the score, shape (n, p), not weighted; their weighted sum is the gradient."""
    sets = moments(fit) if sets is None else sets
    held, pulled = sets.held(sets.hazard), sets.held(sets.hazard[:, None] * sets.mean)
    score = -sets.relative[:, None] * (sets.x * held[:, None] - pulled)
    score[sets.deaths] += schoenfeld_residuals(sets)
    return score


def schoenfeld_residuals(sets: Moments) -> np.ndarray:
    """Covariates of each death less the risk set's mean, ties sharing theirs, shape (d, p), as `sets.deaths`."""
    shared = sets.per_time(sets.mean) / sets.sets.size[:, None]
    return sets.x[sets.deaths] - shared[sets.sets.group]


def by_time(sets: Moments) -> np.ndarray:
    """Deaths by stratum, then time, then row: places in `sets.deaths`, shape (d,)."""
    return np.lexsort((sets.deaths, sets.time[sets.deaths], sets.stratum[sets.deaths]))


def _schoenfeld(fit: CoxFit, sets: Moments) -> Schoenfeld:
    order = by_time(sets)
    raw = schoenfeld_residuals(sets)[order]
    rows = sets.deaths[order]
    return Schoenfeld(row=rows, time=sets.time[rows], raw=raw, scaled=raw @ fit.naive_variance * len(raw) + fit.coef)


def _deviance(martingale: np.ndarray, event: np.ndarray) -> np.ndarray:
    log = np.zeros(len(martingale))
    log[event] = np.log(1 - martingale[event])
    return np.sign(martingale) * np.sqrt(np.maximum(-2 * (martingale + log), 0.0))
