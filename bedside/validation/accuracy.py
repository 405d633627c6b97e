"""How far risks are from what happened: Brier score, index of prediction accuracy, integrated Brier score."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bedside.competing.incidence import cumulative_incidence
from bedside.survival.curve import SLACK
from bedside.survival.estimate import kaplan_meier
from bedside.validation.measure import Measure, measure, risk_matrix, rows_of
from bedside.validation.weights import Convention, censoring_influence, uncensored_weights

Rule = Literal["trapezoid", "step"]


def brier(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    times: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    convention: Convention = "G_test_left",
    train: tuple[np.ndarray, np.ndarray] | None = None,
    level: float = 0.95,
) -> Measure:
    """Brier score at each time: mean squared distance of risks from what happened, weighted for censoring.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
        `cause` 0 censored, 1 the event, 2 and more competing.
    risk : array, shape (n, t), or (t,) for one risk for everybody
        By each time, 0 to 1.
    times : array, shape (t,)
    entry, convention, train
        As `uncensored_weights`.
    level : float

    Returns
    -------
    Measure
        Its standard error allows for the estimated censoring curve under ``G_test_left`` without delayed entry, and
        takes the weights as known otherwise.

    References
    ----------
    Graf et al. (1999), Stat Med 18:2529-2545. Gerds & Schumacher (2006), Biom J 48:1029-1040.
    R: ``riskRegression::Score(metrics = "brier", cens.model = "km")``.
    """
    rows = rows_of(time, cause, entry)
    at = np.atleast_1d(np.asarray(times, dtype=float))
    by = risk_matrix(risk, len(rows.time), len(at))
    weight = uncensored_weights(rows.time, rows.event, at, entry=rows.entry, convention=convention, train=train)
    reached = rows.time[:, None] <= at * (1 + SLACK)
    off = weight * ((reached & (rows.cause == 1)[:, None]) - by) ** 2
    value = off.mean(axis=0)
    influence = off - value
    if convention == "G_test_left" and rows.entry is None:
        censoring = censoring_influence(rows.time, rows.event)
        for j, t in enumerate(at):
            seen = np.where(reached[:, j], off[:, j], 0.0)
            influence[:, j] += censoring.moved(seen, off[:, j].sum() - seen.sum(), t) / len(off)
    return measure("Brier score", at, value, influence, level)


def null_risk(
    time: np.ndarray, cause: np.ndarray, times: np.ndarray, *, entry: np.ndarray | None = None, extend: bool = False
) -> np.ndarray:
    """Risk by each time without any predictor: 1 minus Kaplan-Meier, or Aalen-Johansen with competing events.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    times : array, shape (t,)
    extend : bool, default False
        True carries the last value on beyond the longest follow-up, where it is NaN otherwise.

    References
    ----------
    R: ``predictRisk(prodlim(Hist(time, event) ~ 1), times = )``.
    """
    rows = rows_of(time, cause, entry)
    if rows.competes:
        return cumulative_incidence(rows.time, rows.cause, entry=rows.entry).at(times, extend=extend).incidence[:, 0]
    return 1 - kaplan_meier(rows.time, rows.cause == 1, entry=rows.entry).at(times, extend=extend).survival


def prediction_accuracy(brier_score: np.ndarray, brier_null: np.ndarray) -> np.ndarray:
    """Index of prediction accuracy: 1 minus the Brier score over that of the null model; below 0 is worse than that.

    References
    ----------
    Kattan & Gerds (2018), Diagn Progn Res 2:7. R: ``Score(..., summary = "ipa")``.
    """
    value, null = np.asarray(brier_score, dtype=float), np.asarray(brier_null, dtype=float)
    return 1 - np.divide(value, null, out=np.full(np.broadcast(value, null).shape, np.nan), where=null > 0)


def integrated_brier(times: np.ndarray, scores: np.ndarray, *, rule: Rule = "trapezoid") -> np.ndarray:
    """Mean Brier score over time, up to each time, shape (t,).

    Parameters
    ----------
    times, scores : arrays, shape (t,)
        Ascending times above 0.
    rule : {"trapezoid", "step"}
        Both start from a score of 0 at time 0. Trapezoids need no fine grid. ``"step"`` takes each score from its
        time to the next, as ``Score`` does.

    References
    ----------
    Graf et al. (1999), Stat Med 18:2529-2545. R: ``Score(..., summary = "ibs")`` for ``"step"``.
    """
    t = np.concatenate(([0.0], np.asarray(times, dtype=float)))
    y = np.concatenate(([0.0], np.asarray(scores, dtype=float)))
    height = y[:-1] if rule == "step" else (y[1:] + y[:-1]) / 2
    return np.cumsum(height * np.diff(t)) / t[1:]
