"""Small numerics that every hazard-based prediction shares: linear predictors, time limits, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bedside.errors import Fixable
from bedside.survival.curve import SLACK

RiskInterval = Literal["log-log", "log"]
MOST_REACH = 350.0
FURTHEST_HAZARD = 1e5
"""Exponents are cut there: the limits are 0 and 1 to the last digit by then, without overflow."""
FURTHEST = 300.0
"""Linear predictors beyond it are read as this: the risk is then 0 or 1 to the last digit, without overflow."""


def combine(x: np.ndarray, coef: np.ndarray) -> np.ndarray:
    """Sum of the columns times their coefficients, shape (n,).

    Column by column, since a matrix product may round equal patients differently, and ties count in C.
    """
    total = np.zeros(len(x))
    for column, beta in zip(x.T, coef, strict=True):
        total += column * beta
    return np.clip(total, -FURTHEST, FURTHEST)


def within(t: float, last: float, unit: str) -> float:
    """`t` with room for a rounding error of the way from years to days, or the reason why there is no risk."""
    if not 0 <= t <= last * (1 + SLACK):
        raise Fixable(
            "No risk at that time.",
            f"The model knows the time from 0 to {last:.6g} {unit}, the longest follow-up it was fitted on.",
            "Choose a time within it.",
        )
    return t * (1 + SLACK)


def all_within(times: Sequence[float] | np.ndarray, last: float, unit: str) -> np.ndarray:
    """`within` for several times, shape (t,)."""
    return np.array([within(float(t), last, unit) for t in np.atleast_1d(times)], dtype=float)


def at_times(time: np.ndarray, running: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """A running sum along the first axis at times asked for: 0 before the first of `time`."""
    place = np.searchsorted(time, asked, side="right")
    return np.concatenate((np.zeros((1, *running.shape[1:])), running))[place]


def survival_limits(hazard: np.ndarray, reach: np.ndarray, interval: RiskInterval) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limit of survival from the cumulative hazard and z times its standard error."""
    if interval == "log":
        return np.exp(-hazard - reach), np.exp(np.minimum(-hazard + reach, 0.0))
    share = np.divide(reach, hazard, out=np.zeros_like(hazard), where=hazard > 0)
    factor = np.exp(np.minimum(share, MOST_REACH))
    return np.exp(-np.minimum(hazard * factor, FURTHEST_HAZARD)), np.exp(-hazard / factor)
