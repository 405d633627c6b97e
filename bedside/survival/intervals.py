"""Pointwise intervals of a survival curve, on the five scales that R offers."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri

from bedside.errors import Fixable

Interval = Literal["plain", "log", "log-log", "logit", "arcsin"]


def interval_of(
    survival: np.ndarray, greenwood: np.ndarray, *, level: float, interval: Interval
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limit at each step of a Kaplan-Meier curve.

    Parameters
    ----------
    survival : array, shape (n_times,)
        S(t), 0 to 1.
    greenwood : array, shape (n_times,)
        Standard error of log S(t): the root of the running sum of d / (n (n - d)),
        or a robust one.
    level : float
        Coverage, above 0 and below 1.
    interval : {"plain", "log", "log-log", "logit", "arcsin"}
        Scale on which the interval is symmetrical.

    Returns
    -------
    lower, upper : arrays, shape (n_times,)
        NaN where R has NA: wherever S is 0 (but a plain interval with a standard
        error of 0 is a point there), and where S is 1 on the log-log,
        logit and arcsin scales.

    Raises
    ------
    Fixable
        If the level or the scale is none of these.

    References
    ----------
    Kalbfleisch & Prentice (2002), section 1.4; Borgan & Liestøl (1990),
    Scand J Stat 17:35-41. R: ``survfit(..., conf.type = , conf.int = )``.
    """
    if interval not in get_args(Interval):
        known = ", ".join(get_args(Interval))
        raise Fixable("No interval.", "The scale of the interval is not known.", f"Choose one of: {known}.")
    if not 0 < level < 1:
        raise Fixable("No interval.", "The level must lie between 0 and 1.", "Choose a level such as 0.95.")
    s = np.where(survival > 0, survival, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = greenwood * ndtri((1 + level) / 2)
        if interval == "plain":  # A robust standard error is 0 where S is 0: R's interval is [0, 0] there.
            return np.maximum(survival - reach * survival, 0), np.minimum(survival + reach * survival, 1)
        return _limits(s, reach, interval)


def _limits(s: np.ndarray, reach: np.ndarray, interval: Interval) -> tuple[np.ndarray, np.ndarray]:
    """Limits from S (NaN where 0) and z times the standard error of log S; 0/0 and inf/inf become NaN as in R."""
    if interval == "log":
        return np.exp(np.log(s) - reach), np.minimum(np.exp(np.log(s) + reach), 1)
    if interval == "log-log":
        centre, half = np.log(-np.log(s)), reach / np.log(s)
        return np.exp(-np.exp(centre - half)), np.exp(-np.exp(centre + half))
    if interval == "logit":
        centre, half = np.log(s / (1 - s)), reach * (1 + s / (1 - s))
        return 1 - 1 / (1 + np.exp(centre - half)), 1 - 1 / (1 + np.exp(centre + half))
    centre, half = np.arcsin(np.sqrt(s)), 0.5 * reach * np.sqrt(s / (1 - s))
    return np.sin(np.maximum(0, centre - half)) ** 2, np.sin(np.minimum(np.pi / 2, centre + half)) ** 2
