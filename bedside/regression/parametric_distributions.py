"""The distributions that a parametric survival model can have, on their standard scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, log1p, log_expit, log_ndtr, ndtri

Distribution = Literal[
    "exponential", "weibull", "rayleigh", "lognormal", "loglogistic", "gaussian", "logistic", "extreme"
]
Numbers = Callable[[np.ndarray], np.ndarray]

HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)
FARTHEST = 700.0
"""exp() of more is infinite; a step that leads there is taken back anyway."""


@dataclass(frozen=True)
class Standard:
    """A distribution with location 0 and scale 1: its logarithms, and what their derivatives are made of.

    Attributes
    ----------
    log_density, log_survival, log_cumulative : callable
        Of z, without loss of digits in either tail.
    hazard : callable
        f(z) / S(z).
    slope : callable
        f'(z) / f(z).
    bend : callable
        The derivative of `slope`.
    quantile : callable
        z by which a share p has had the event.
    """

    log_density: Numbers
    log_survival: Numbers
    log_cumulative: Numbers
    hazard: Numbers
    slope: Numbers
    bend: Numbers
    quantile: Numbers


def _exp(z: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(z, FARTHEST))


def _log_one_less_exp(x: np.ndarray) -> np.ndarray:
    """log(1 - exp(-x)) for x of 0 or more, exact at both ends."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(x < np.log(2), np.log(-np.expm1(-x)), log1p(-np.exp(-x)))


EXTREME = Standard(
    log_density=lambda z: z - _exp(z),
    log_survival=lambda z: -_exp(z),
    log_cumulative=lambda z: _log_one_less_exp(_exp(z)),
    hazard=_exp,
    slope=lambda z: 1 - _exp(z),
    bend=lambda z: -_exp(z),
    quantile=lambda p: np.log(-log1p(-p)),
)
LOGISTIC = Standard(
    log_density=lambda z: log_expit(z) + log_expit(-z),
    log_survival=lambda z: log_expit(-z),
    log_cumulative=log_expit,
    hazard=expit,
    slope=lambda z: 1 - 2 * expit(z),
    bend=lambda z: -2 * expit(z) * expit(-z),
    quantile=lambda p: np.log(p / (1 - p)),
)
GAUSSIAN = Standard(
    log_density=lambda z: -0.5 * z * z - HALF_LOG_2PI,
    log_survival=lambda z: log_ndtr(-z),
    log_cumulative=log_ndtr,
    hazard=lambda z: np.exp(-0.5 * z * z - HALF_LOG_2PI - log_ndtr(-z)),
    slope=lambda z: -z,
    bend=lambda z: np.full_like(z, -1.0),
    quantile=ndtri,
)


@dataclass(frozen=True)
class Family:
    """What a distribution's name stands for.

    Attributes
    ----------
    label : str
        In words.
    standard : Standard
    log_time : bool
        Whether it is the logarithm of time that has the standard's shape; then times must be above 0.
    scale : float or None
        Where the scale is not estimated.
    """

    label: str
    standard: Standard
    log_time: bool
    scale: float | None = None


FAMILIES: dict[str, Family] = {
    "exponential": Family("Exponential", EXTREME, True, 1.0),
    "weibull": Family("Weibull", EXTREME, True),
    "rayleigh": Family("Rayleigh", EXTREME, True, 0.5),
    "lognormal": Family("Log-normal", GAUSSIAN, True),
    "loglogistic": Family("Log-logistic", LOGISTIC, True),
    "gaussian": Family("Gaussian", GAUSSIAN, False),
    "logistic": Family("Logistic", LOGISTIC, False),
    "extreme": Family("Extreme value", EXTREME, False),
}


def log_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """log(exp(a) - exp(b)) for a of b or more."""
    return a + _log_one_less_exp(a - b)
