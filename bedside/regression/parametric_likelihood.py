"""The log-likelihood of a location-scale model, row by row, with its first and second derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.regression.parametric_distributions import Standard, log_difference
from bedside.regression.parametric_response import EXACT, INTERVAL, LEFT, RIGHT, Response


@dataclass(frozen=True, eq=False)
class Pieces:
    """One log-likelihood per row and its derivatives by the location and by the logarithm of the scale, each (n,)."""

    value: np.ndarray
    location: np.ndarray
    scale: np.ndarray
    location2: np.ndarray
    mixed: np.ndarray
    scale2: np.ndarray


def pieces(standard: Standard, response: Response, location: np.ndarray, sigma: np.ndarray) -> Pieces:
    """Contributions of each row.

    Parameters
    ----------
    standard : Standard
    response : Response
        On the scale of the standard: of log times where the family has it.
    location : array, shape (n,)
        Linear predictor with its offset.
    sigma : array, shape (n,)
        Scale of each row.

    Notes
    -----
    Seen: log f(z) - log sigma; censored on the right: log S(z); on the left: log F(z), with z = (y - location) /
    sigma. These depend on one z: with g their derivative by z and h their second one, d/d location = -g / sigma and
    d/d log sigma = -z g. Between two times it is log(F(z2) - F(z1)), worked out in whichever tail keeps its digits.
    """
    n = len(response)
    out = np.zeros((6, n))
    for kind in (RIGHT, EXACT, LEFT):
        # A row censored on the right at minus infinity says nothing, and stays 0.
        rows = np.flatnonzero((response.kind == kind) & ~((kind == RIGHT) & np.isneginf(response.time)))
        if len(rows):
            z = (response.time[rows] - location[rows]) / sigma[rows]
            out[:, rows] = _of_one_z(*_BY_KIND[kind](standard, z), z, sigma[rows], seen=kind == EXACT)
    rows = np.flatnonzero(response.kind == INTERVAL)
    if len(rows):
        low = (response.time[rows] - location[rows]) / sigma[rows]
        high = (response.upper[rows] - location[rows]) / sigma[rows]
        out[:, rows] = _of_two(standard, low, high, sigma[rows])
    return Pieces(*out)


def _seen(standard: Standard, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return standard.log_density(z), standard.slope(z), standard.bend(z)


def _right(standard: Standard, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hazard = standard.hazard(z)
    return standard.log_survival(z), -hazard, -hazard * (standard.slope(z) + hazard)


def _left(standard: Standard, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    log_cumulative = standard.log_cumulative(z)
    ratio = np.exp(standard.log_density(z) - log_cumulative)
    return log_cumulative, ratio, ratio * (standard.slope(z) - ratio)


_BY_KIND = {RIGHT: _right, EXACT: _seen, LEFT: _left}


def _of_one_z(
    value: np.ndarray, first: np.ndarray, second: np.ndarray, z: np.ndarray, sigma: np.ndarray, *, seen: bool
) -> np.ndarray:
    return np.array(
        [
            value - np.log(sigma) if seen else value,
            -first / sigma,
            -z * first - seen,
            second / sigma**2,
            (first + z * second) / sigma,
            z * first + z * z * second,
        ]
    )


def _of_two(standard: Standard, low: np.ndarray, high: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    in_upper_tail = low > 0
    value = np.where(
        in_upper_tail,
        log_difference(standard.log_survival(low), standard.log_survival(high)),
        log_difference(standard.log_cumulative(high), standard.log_cumulative(low)),
    )
    at_high = np.exp(standard.log_density(high) - value)
    at_low = np.exp(standard.log_density(low) - value)
    bent_high, bent_low = at_high * standard.slope(high), at_low * standard.slope(low)
    location = -(at_high - at_low) / sigma
    scale = low * at_low - high * at_high
    return np.array(
        [
            value,
            location,
            scale,
            (bent_high - bent_low) / sigma**2 - location**2,
            (at_high - at_low + high * bent_high - low * bent_low) / sigma - location * scale,
            high * at_high - low * at_low + high**2 * bent_high - low**2 * bent_low - scale**2,
        ]
    )
