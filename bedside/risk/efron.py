"""The Cox partial likelihood with Efron's ties on plain arrays, its maximum, and the baseline that goes with it.

Everything here is one pass over sums from the longest follow-up to the shortest, so a step costs one matrix
product and one cumulative sum, whatever the number of ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

MOST_STEPS = 60
STEP_ENOUGH = 1e-16
"""Newton decrement, relative to the log-likelihood, after which the step taken leaves only rounding error."""
R_EPS = 1e-9
"""Relative change of the log-likelihood at which R's ``coxph`` stops."""


class NotConverged(ArithmeticError):
    """The partial likelihood has no finite maximum that Newton's method could find."""


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Who was at risk when, worked out once and used in every step.

    Attributes
    ----------
    order : array of int, shape (n,)
        Patients from the longest follow-up to the shortest.
    deaths : array of int, shape (d,)
        Positions in `order` of the patients with an event.
    last : array of int, shape (g,)
        For each distinct event time (latest first), the last position in `order` still at risk.
    start : array of int, shape (g,)
        Where each event time begins in `deaths`.
    group : array of int, shape (d,)
        Event time of each death.
    share : array, shape (d,)
        Efron's k/m for the k-th of m tied deaths, counted from 0.
    time : array, shape (g,)
        The distinct event times, latest first.
    """

    order: np.ndarray
    deaths: np.ndarray
    last: np.ndarray
    start: np.ndarray
    group: np.ndarray
    share: np.ndarray
    time: np.ndarray

    @cached_property
    def first_seen(self) -> np.ndarray:
        """For each position in `order`, the latest event time at which that patient was at risk; g if none."""
        return np.searchsorted(self.last, np.arange(len(self.order)))


def risk_sets(time: np.ndarray, event: np.ndarray) -> RiskSets:
    """Sort patients into risk sets.

    Parameters
    ----------
    time : array, shape (n,)
        Follow-up, any unit, finite.
    event : array of bool, shape (n,)
        True where the event was seen; a tied censoring counts as still at risk.
    """
    order = np.argsort(-time, kind="stable")
    sorted_time = time[order]
    deaths = np.flatnonzero(event[order])
    start = np.flatnonzero(np.r_[True, np.diff(sorted_time[deaths]) != 0]) if len(deaths) else np.zeros(0, int)
    size = np.diff(np.r_[start, len(deaths)])
    group = np.repeat(np.arange(len(start)), size)
    share = (np.arange(len(deaths)) - start[group]) / size[group] if len(deaths) else np.zeros(0)
    times = sorted_time[deaths[start]]
    last = np.searchsorted(-sorted_time, -times, side="right") - 1
    return RiskSets(order, deaths, last, start, group, share, times)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over each death's risk set, Efron's share of the tied deaths taken out; one row for each death."""

    weight: np.ndarray  # (n,) exp(lp - shift)
    shift: float
    denominator: np.ndarray  # (d,)
    mean: np.ndarray  # (d, p) weighted mean of the covariates


def _sums(sets: RiskSets, x: np.ndarray, beta: np.ndarray) -> _Sums:
    lp = x @ beta
    shift = float(lp.max(initial=0.0))
    w = np.exp(lp - shift)
    wx = w[:, None] * x
    s0 = np.cumsum(w)[sets.last][sets.group]
    s1 = np.cumsum(wx, axis=0)[sets.last][sets.group]
    d0 = np.add.reduceat(w[sets.deaths], sets.start)[sets.group]
    d1 = np.add.reduceat(wx[sets.deaths], sets.start, axis=0)[sets.group]
    denominator = s0 - sets.share * d0
    mean = (s1 - sets.share[:, None] * d1) / denominator[:, None]
    return _Sums(w, shift, denominator, mean)


def _log_likelihood(sets: RiskSets, x: np.ndarray, beta: np.ndarray) -> float:
    lp = x @ beta
    shift = float(lp.max(initial=0.0))
    w = np.exp(lp - shift)
    s0 = np.cumsum(w)[sets.last][sets.group]
    d0 = np.add.reduceat(w[sets.deaths], sets.start)[sets.group]
    with np.errstate(divide="ignore"):  # a step so long that every weight vanishes: minus infinity, and halved
        return float(lp[sets.deaths].sum() - np.log(s0 - sets.share * d0).sum() - shift * len(sets.deaths))


def _derivatives(sets: RiskSets, x: np.ndarray, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Log partial likelihood, gradient (p,) and observed information (p, p); `x` from longest to shortest."""
    s = _sums(sets, x, beta)
    value = float((x[sets.deaths] @ beta).sum() - np.log(s.denominator).sum() - s.shift * len(sets.deaths))
    gradient = x[sets.deaths].sum(axis=0) - s.mean.sum(axis=0)
    # The second moments of all risk sets are one weighted cross-product: a patient's weight is what all the
    # risk sets that held this patient add up to.
    at_times = np.add.reduceat(1 / s.denominator, sets.start)
    held = np.r_[np.cumsum(at_times[::-1])[::-1], 0.0][sets.first_seen]
    tied = np.add.reduceat(sets.share / s.denominator, sets.start)[sets.group]
    held[sets.deaths] -= tied
    information = x.T @ ((s.weight * held)[:, None] * x) - s.mean.T @ s.mean
    return value, gradient, (information + information.T) / 2


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


def maximise(sets: RiskSets, x: np.ndarray, penalty: np.ndarray) -> Maximum:
    """The maximum of the log partial likelihood minus ½ Σ penalty_j β_j², by Newton's method from 0.

    Without a penalty it stops where R stops, at a relative change of the log-likelihood of 1e-9: Newton's path
    does not depend on the covariates' units, so every digit is R's, the last unfinished ones included. With a
    penalty it goes on to rounding error.

    Parameters
    ----------
    sets : RiskSets
        Of the same patients.
    x : array, shape (n, p)
        Covariates, best centred and of similar size.
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
    x = np.ascontiguousarray(x[sets.order])
    beta = np.zeros(x.shape[1])
    value, gradient, information = _derivatives(sets, x, beta)
    at_zero = value
    score_test = float(gradient @ solve(information, gradient)) if not penalty.any() else _soft(information, gradient)
    for _ in range(MOST_STEPS):
        uphill = gradient - penalty * beta
        step = solve(information + np.diag(penalty), uphill)
        enough = float(step @ uphill) < STEP_ENOUGH * max(1.0, abs(value))
        before = value
        beta = _halved(sets, x, penalty, beta, step, value)
        value, gradient, information = _derivatives(sets, x, beta)
        if not np.isfinite(value):
            break
        if enough or (not penalty.any() and abs(value - before) <= R_EPS * abs(value)):
            left = solve(information + np.diag(penalty), gradient - penalty * beta)
            return Maximum(beta, value, at_zero, score_test, information, left)
    raise NotConverged("The partial likelihood keeps rising.")


def _soft(information: np.ndarray, gradient: np.ndarray) -> float:
    """The score test where more covariates than events may leave the information without an inverse."""
    return float(gradient @ np.linalg.pinv(information, hermitian=True) @ gradient)


def _halved(
    sets: RiskSets, x: np.ndarray, penalty: np.ndarray, beta: np.ndarray, step: np.ndarray, value: float
) -> np.ndarray:
    """The step, halved until the penalised likelihood does not fall beyond rounding error."""
    now = value - 0.5 * float(penalty @ beta**2)
    for _ in range(30):
        reached = beta + step
        if _log_likelihood(sets, x, reached) - 0.5 * float(penalty @ reached**2) >= now - 1e-9 * max(1.0, abs(now)):
            return reached
        step = step / 2
    return beta


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


def baseline(sets: RiskSets, x: np.ndarray, beta: np.ndarray, *, last: float) -> Baseline:
    """Efron's baseline hazard and the pieces of its variance, at covariates of 0.

    References
    ----------
    Therneau & Grambsch (2000), Modeling Survival Data, section 10.2. R: ``survfit(coxph(...))``, which for
    Efron's ties takes ``stype = 2, ctype = 2``.
    """
    s = _sums(sets, x[sets.order], beta)
    inverse = np.exp(-s.shift) / s.denominator
    by_time = (
        np.add.reduceat(part, sets.start, axis=0)[::-1] for part in (inverse, inverse**2, s.mean * inverse[:, None])
    )
    hazard, variance, drift = by_time
    return Baseline(
        time=sets.time[::-1].copy(),
        hazard=hazard.copy(),
        cumulative=np.cumsum(hazard),
        variance=np.cumsum(variance),
        drift=np.cumsum(drift, axis=0),
        last=float(last),
    )
