"""Jackknife pseudo-observations: what each patient adds to the cohort's curve, with censoring accounted for.

The i-th pseudo-observation of an estimate θ from n patients is nθ - (n - 1)θ₋ᵢ. Here θ₋ᵢ is the exact estimate without
the i-th patient: leaving somebody out changes the factors of the curve between entry and exit alone, so it is made of
three pieces of two running products and no patient has to be gone through one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bedside.survival.checks import merge_ties
from bedside.survival.curve import SLACK


def pseudo_survival(
    time: np.ndarray, event: np.ndarray, times: Sequence[float] | np.ndarray, *, entry: np.ndarray | None = None
) -> np.ndarray:
    """Pseudo-observations of the Kaplan-Meier survival, shape (n, t).

    Parameters
    ----------
    time : array, shape (n,)
        Follow-up, any unit.
    event : array of bool, shape (n,)
    times : array, shape (t,)
        In the unit of `time`.
    entry : array, shape (n,), optional
        When each patient came under observation; at risk after it.

    References
    ----------
    Andersen, Klein & Rosthoj (2003), Biometrika 90:15-27. Parner, Andersen & Overgaard (2023), Lifetime Data Anal
    29:654-671 (delayed entry). R: ``prodlim::jackknife(prodlim(Hist(time, event) ~ 1), times = )``.
    """
    parts = _split(time, np.asarray(event, dtype=bool).astype(int), entry)
    n = len(parts.exit)
    out = np.empty((n, len(times)))
    for k, m in enumerate(_reached(parts, times)):
        out[:, k] = n * _piece(parts.full, 0, m)[0] - (n - 1) * _without_each(parts, m)[0]
    return out


def pseudo_incidence(
    time: np.ndarray, cause: np.ndarray, times: Sequence[float] | np.ndarray, *, entry: np.ndarray | None = None
) -> np.ndarray:
    """Pseudo-observations of the cumulative incidence of cause 1 (Aalen-Johansen), shape (n, t).

    Parameters
    ----------
    time, times, entry
        As in `pseudo_survival`.
    cause : array of int, shape (n,)
        0 censored, 1 the event, 2 and more the competing ones. Without competing ones this is 1 minus
        `pseudo_survival`.

    References
    ----------
    Klein & Andersen (2005), Biometrics 61:223-229. R: ``prodlim::jackknife(prodlim(Hist(time, cause) ~ 1), times = ,
    cause = 1)``.
    """
    parts = _split(time, np.asarray(cause), entry)
    n = len(parts.exit)
    out = np.empty((n, len(times)))
    for k, m in enumerate(_reached(parts, times)):
        out[:, k] = n * _piece(parts.full, 0, m)[1] - (n - 1) * _without_each(parts, m)[1]
    return out


@dataclass(frozen=True, eq=False)
class _Steps:
    """Running products and sums over the K distinct times, from which any stretch of them can be read.

    `log` and `sum` leave out factors of zero, since nothing can be divided by them; `zero` says where the next one is.
    """

    log: np.ndarray  # (K + 1,) sum of log factors before each time
    sum: np.ndarray  # (K + 1,) of the products so far times the share with cause 1
    zero: np.ndarray  # (K + 1,) position of the first factor of zero at or after each time; K if there is none


@dataclass(frozen=True, eq=False)
class _Parts:
    distinct: np.ndarray  # (K,) times at which somebody's follow-up ended
    start: np.ndarray  # (n,) how many of them came before each patient's entry
    exit: np.ndarray  # (n,) position of each patient's own
    full: _Steps
    reduced: _Steps  # with one patient fewer at risk
    own: np.ndarray  # (n,) factor at each patient's exit without that patient
    own_share: np.ndarray  # (n,) share with cause 1 there


def _split(time: np.ndarray, cause: np.ndarray, entry: np.ndarray | None) -> _Parts:
    time = np.asarray(time, dtype=float)
    distinct, at = np.unique(merge_ties(time), return_inverse=True)
    events = np.bincount(at[cause > 0], minlength=len(distinct)).astype(float)
    wanted = np.bincount(at[cause == 1], minlength=len(distinct)).astype(float)
    at_risk = len(time) - np.searchsorted(np.sort(at), np.arange(len(distinct)))
    start = np.zeros(len(time), dtype=np.int64)
    if entry is not None:
        start = np.minimum(np.searchsorted(distinct, np.asarray(entry, dtype=float), side="right"), at)
        at_risk = at_risk - (len(time) - np.searchsorted(np.sort(start), np.arange(len(distinct)), side="right"))
    # Where all who are at risk have the event, nobody outlives the time, so the reduced factor is never used.
    fewer = np.where(events < at_risk, at_risk - 1.0, np.inf)
    left = at_risk[at] - 1.0
    left[left == 0] = np.inf  # nobody else was at risk: the curve stays as it is
    return _Parts(
        distinct=distinct,
        start=start,
        exit=at,
        full=_steps(events / at_risk, wanted / at_risk),
        reduced=_steps(*(np.divide(k, fewer, out=np.zeros_like(k), where=k > 0) for k in (events, wanted))),
        own=1 - (events[at] - (cause > 0)) / left,
        own_share=(wanted[at] - (cause == 1)) / left,
    )


def _steps(hazard: np.ndarray, wanted: np.ndarray) -> _Steps:
    gone = hazard >= 1
    log = np.r_[0.0, np.cumsum(np.log1p(-np.where(gone, 0.0, hazard)))]
    zero = np.where(gone, np.arange(len(hazard)), len(hazard))
    return _Steps(
        log=log,
        sum=np.r_[0.0, np.cumsum(np.exp(log[:-1]) * wanted)],
        zero=np.r_[np.minimum.accumulate(zero[::-1])[::-1], len(hazard)],
    )


def _reached(parts: _Parts, times: Sequence[float] | np.ndarray) -> list[int]:
    """How many of the distinct times each asked time has reached."""
    asked = np.asarray(times, dtype=float) * (1 + SLACK)
    return np.searchsorted(parts.distinct, asked, side="right").tolist()


def _piece(steps: _Steps, a: np.ndarray | int, b: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Product of the factors from a to before b, and the incidence they add, both per unit of survival before a."""
    a, b = np.asarray(a), np.maximum(a, b)
    zero = steps.zero[a]
    product = np.where(zero < b, 0.0, np.exp(steps.log[b] - steps.log[a]))
    return product, (steps.sum[np.minimum(b, zero + 1)] - steps.sum[a]) * np.exp(-steps.log[a])


def _without_each(parts: _Parts, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Survival and incidence after the first m distinct times without each patient, shape (n,) each."""
    before, incidence = _piece(parts.full, 0, np.minimum(parts.start, m))
    during, gained = _piece(parts.reduced, np.minimum(parts.start, m), np.minimum(parts.exit, m))
    incidence = incidence + before * gained
    survival = before * during
    past = parts.exit < m
    incidence = incidence + np.where(past, survival * parts.own_share, 0.0)
    survival = survival * np.where(past, parts.own, 1.0)
    after, gained = _piece(parts.full, np.minimum(parts.exit + 1, m), m)
    return survival * after, incidence + survival * gained
