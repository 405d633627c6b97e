"""The maximum of the ridge-penalised Cox partial likelihood with Efron's ties, and the baseline that goes with it.

Sums over risk sets, delayed entry included, are those of `bedside.regression.likelihood`. What is different here is
the stop: with a ridge Newton's method goes on to rounding error, so that the same patients give the same bits and
predictions do not depend on where R's loop would have stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from bedside.regression.data import cox_data
from bedside.regression.likelihood import Partial, partial

MOST_STEPS = 60
STEP_ENOUGH = 1e-16
"""Newton decrement, relative to the log-likelihood, after which the step taken leaves only rounding error."""
R_EPS = 1e-9
"""Relative change of the log-likelihood at which R's ``coxph`` stops."""
MOST_HALVINGS = 30


class NotConverged(ArithmeticError):
    """The partial likelihood has no finite maximum that Newton's method could find."""


def likelihood(time: np.ndarray, event: np.ndarray, x: np.ndarray, *, entry: np.ndarray | None = None) -> Partial:
    """The partial likelihood of patients, Efron's ties.

    Parameters
    ----------
    time : array, shape (n,)
        Follow-up, any unit, finite.
    event : array of bool, shape (n,)
        At least one True; a tied censoring counts as still at risk.
    x : array, shape (n, p)
        Covariates, best centred and of similar size.
    entry : array, shape (n,), optional
        At risk in (entry, time].
    """
    return partial(cox_data(x, time, event, entry=entry), x, "efron")


def solve(information: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution of a symmetric positive definite system.

    Raises
    ------
    NotConverged
        If the matrix is singular: a coefficient can't be told from the others, or has no finite value.
    """
    try:
        return cho_solve(cho_factor(information, check_finite=False), right, check_finite=False)
    except (LinAlgError, ValueError) as reason:
        raise NotConverged("The information matrix is singular.") from reason


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the (penalised) log partial likelihood is highest.

    Attributes
    ----------
    beta : array, shape (p,)
    value : float
        Log partial likelihood at `beta`, without the penalty.
    at_zero : float
        Log partial likelihood with every coefficient 0.
    score_test : float
        Gradient at 0 in the metric of the information at 0.
    information : array, shape (p, p)
        Observed information at `beta`, without the penalty.
    left : array, shape (p,)
        The Newton step that was still to go. Far from 0 beside `beta` where the coefficient grows without limit.
    """

    beta: np.ndarray
    value: float
    at_zero: float
    score_test: float
    information: np.ndarray
    left: np.ndarray


def maximise(of: Partial, penalty: np.ndarray) -> Maximum:
    """The maximum of the log partial likelihood minus ½ Σ penalty_j β_j², by Newton's method from 0.

    Without a penalty it stops where R stops, at a relative change of the log-likelihood of 1e-9: Newton's path
    does not depend on the covariates' units, so every digit is R's, the last unfinished ones included. With a
    penalty it goes on to rounding error.

    Parameters
    ----------
    of : Partial
    penalty : array, shape (p,)
        0 for the plain maximum partial likelihood.

    Raises
    ------
    NotConverged
        If no finite maximum is reached in 60 steps, or a coefficient can't be told from the others.

    References
    ----------
    Cox (1972), JRSS B 34:187-220. Efron (1977), JASA 72:557-565. Verweij & Van Houwelingen (1994),
    Stat Med 13:2427-2436 (ridge). R: ``coxph(..., ties = "efron")``.
    """
    beta = np.zeros(of.x.shape[1])
    value, gradient, information = of.derivatives(beta)
    at_zero = value
    score_test = float(gradient @ solve(information, gradient)) if not penalty.any() else _soft(information, gradient)
    for _ in range(MOST_STEPS):
        uphill = gradient - penalty * beta
        step = solve(information + np.diag(penalty), uphill)
        enough = float(step @ uphill) < STEP_ENOUGH * max(1.0, abs(value))
        before = value
        beta, value, gradient, information = _climbed(of, penalty, beta, step, value)
        if not np.isfinite(value):
            break
        if enough or (not penalty.any() and abs(value - before) <= R_EPS * abs(value)):
            left = solve(information + np.diag(penalty), gradient - penalty * beta)
            return Maximum(beta, value, at_zero, score_test, information, left)
    raise NotConverged("The partial likelihood keeps rising.")


def _soft(information: np.ndarray, gradient: np.ndarray) -> float:
    """The score test where more covariates than events may leave the information without an inverse."""
    return float(gradient @ np.linalg.pinv(information, hermitian=True) @ gradient)


def _climbed(
    of: Partial, penalty: np.ndarray, beta: np.ndarray, step: np.ndarray, value: float
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """The step, halved until the penalised likelihood does not fall beyond rounding error, and what is there."""
    least = value - 0.5 * float(penalty @ beta**2)
    least -= 1e-9 * max(1.0, abs(least))
    for _ in range(MOST_HALVINGS):
        reached = beta + step
        found = of.derivatives(reached)
        if found[0] - 0.5 * float(penalty @ reached**2) >= least:
            return reached, *found
        step = step / 2
    return beta, *of.derivatives(beta)


@dataclass(frozen=True, eq=False)
class Baseline:
    """What predicted curves and their intervals are made of, for a patient whose covariates are all 0.

    Attributes
    ----------
    time : array, shape (g,)
        Distinct event times, ascending, in the outcome's unit.
    hazard : array, shape (g,)
        Efron's increments of the cumulative hazard.
    cumulative : array, shape (g,)
        Their running sum.
    variance : array, shape (g,)
        Running sum of the squared terms: the variance of `cumulative` if the coefficients were known.
    drift : array, shape (g, p)
        Running integral of the risk sets' weighted mean covariates over the baseline hazard.
    last : float
        Longest follow-up, in the outcome's unit.
    """

    time: np.ndarray
    hazard: np.ndarray
    cumulative: np.ndarray
    variance: np.ndarray
    drift: np.ndarray
    last: float


def baseline(of: Partial, beta: np.ndarray, scale: np.ndarray, *, last: float) -> Baseline:
    """Efron's baseline hazard and the pieces of its variance, at covariates of 0.

    Parameters
    ----------
    of : Partial
    beta : array, shape (p,)
        Coefficients of its columns.
    scale : array, shape (p,)
        What each column was divided by: the drift is given in the units from before.
    last : float

    References
    ----------
    Therneau & Grambsch (2000), Modeling Survival Data, section 10.2. R: ``survfit(coxph(...))``, which for
    Efron's ties takes ``stype = 2, ctype = 2``.
    """
    s = of.sums(of.linear(beta))
    inverse = np.exp(-s.shift[0]) / s.denominator
    by_time = (
        np.add.reduceat(part, of.sets.start, axis=0)[::-1]
        for part in (inverse, inverse**2, s.mean * scale * inverse[:, None])
    )
    hazard, variance, drift = by_time
    return Baseline(
        time=of.sets.time[::-1].copy(),
        hazard=hazard.copy(),
        cumulative=np.cumsum(hazard),
        variance=np.cumsum(variance),
        drift=np.cumsum(drift, axis=0),
        last=float(last),
    )
