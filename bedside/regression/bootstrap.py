"""How much of a Cox model's discrimination would be lost on new patients: bootstrap optimism."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bedside.errors import Fixable
from bedside.regression.concordance import concordance
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData, cox_data
from bedside.regression.model import CoxFit, Ties

FEWEST_USED = 2


@dataclass(frozen=True, eq=False)
class Optimism:
    """A model's concordance as it looks and as it is once its optimism is taken off.

    Attributes
    ----------
    c_apparent : float
        Harrell's C of the model in the patients it was fitted to.
    c_boot, c_test : array, shape (n_used,)
        For each resample the C of its own model, in the resample and in all patients.
    slopes : array, shape (n_used,)
        Calibration slope of each resample's model in all patients: below 1 where predictions are too extreme.
    resamples, failed : int
        Resamples drawn, and those of them in which the model could not be fitted.
    n, n_events : int
    """

    c_apparent: float
    c_boot: np.ndarray
    c_test: np.ndarray
    slopes: np.ndarray
    resamples: int
    failed: int
    n: int
    n_events: int

    @property
    def optimism(self) -> float:
        """Mean difference of the two Cs."""
        return float(np.mean(self.c_boot - self.c_test))

    @property
    def c_corrected(self) -> float:
        """Apparent C less the optimism."""
        return self.c_apparent - self.optimism

    @property
    def shrinkage(self) -> float:
        """Mean slope: what the coefficients should be multiplied by."""
        return float(np.mean(self.slopes))


def bootstrap_optimism(
    data: CoxData,
    *,
    resamples: np.ndarray | None = None,
    count: int = 100,
    seed: int = 0,
    ties: Ties = "efron",
    done: Callable[[float], None] | None = None,
) -> Optimism:
    """Harrell's bootstrap: the model is fitted anew in each resample and tried on all patients.

    Parameters
    ----------
    data : CoxData
        Followed from the beginning of time, without strata or weights.
    resamples : array of int, shape (n_resamples, n), optional
        Rows of each resample, counted from 0; else `count` are drawn.
    count, seed : int
        How many to draw, and from where; the same seed gives the same resamples.
    ties : {"efron", "breslow"}
    done : callable, optional
        Told which share of the resamples is through, from 0 to 1.

    Returns
    -------
    Optimism
        Resamples in which a coefficient has no finite value are left out and counted.

    Raises
    ------
    Fixable
        As `fit_cox`; if the model cannot be fitted in at least two resamples; if the data have strata, weights or
        delayed entry.

    References
    ----------
    Harrell, Lee & Mark (1996), Stat Med 15:361-387. R: ``rms::validate(fit, B = )``.
    """
    if data.entry is not None or data.strata is not None or data.weights is not None:
        raise Fixable(
            "No bootstrap for this model.",
            "It has strata, weights or delayed entry, for which the optimism is not defined here.",
            "Use a model without them, or cross-validation.",
        )
    if resamples is None:
        rng = np.random.default_rng(seed)
        resamples = np.stack([rng.integers(0, len(data), len(data)) for _ in range(count)])
    whole = fit_cox(data, ties=ties)
    tried = []
    for rows in resamples:
        tried.append(_one(data, np.asarray(rows, dtype=int), ties))
        if done is not None:
            done(len(tried) / len(resamples))
    found = np.array([each for each in tried if each is not None])
    if len(found) < FEWEST_USED:
        raise Fixable(
            "No bootstrap for this model.",
            f"The model could be fitted in {len(found)} of {len(tried)} resamples.",
            "Choose fewer variables, or merge rare levels.",
        )
    return Optimism(
        c_apparent=_c(data, _score(whole, data)),
        c_boot=found[:, 0],
        c_test=found[:, 1],
        slopes=found[:, 2],
        resamples=len(tried),
        failed=len(tried) - len(found),
        n=len(data),
        n_events=data.n_events,
    )


def _one(data: CoxData, rows: np.ndarray, ties: Ties) -> tuple[float, float, float] | None:
    drawn = data.take(rows)
    try:
        fit = fit_cox(drawn, ties=ties)
        score = _score(fit, data)
        slope = fit_cox(cox_data(score, data.time, data.event), ties=ties).coef[0]
    except Fixable:
        return None
    return _c(drawn, _score(fit, drawn)), _c(data, score), float(slope)


def _score(fit: CoxFit, data: CoxData) -> np.ndarray:
    """Linear predictor of all patients; a column that the fit has none of counts as 0."""
    score = np.zeros(len(data)) if data.offset is None else data.offset.copy()
    for name, coef in zip(fit.data.names, fit.coef, strict=True):
        # Column by column: a matrix product may round equal rows differently, and equal scores are ties.
        score += data.x[:, data.names.index(name)] * coef
    return score


def _c(data: CoxData, score: np.ndarray) -> float:
    return concordance(data.time, data.event, score).c
