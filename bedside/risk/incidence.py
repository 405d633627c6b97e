"""Cumulative incidence of new patients from cause-specific hazards, and its standard error.

Between two event times nothing happens, and at one the hazards of all causes act together: the chance of having any
event is 1 - exp(-their sum), of which each cause has its hazard's share. That is the matrix exponential form of the
Aalen-Johansen estimate, which cannot leave [0, 1] and is 1 - exp(-H) where nothing competes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CELLS = 4_000_000
"""Patients are taken in portions of so many risks, so that memory stays bounded."""
SMALL = 1e-4
"""Hazards below it take series, where differences would leave only rounding error."""


@dataclass(frozen=True, eq=False)
class CauseSteps:
    """One cause's baseline on the grid of all causes' event times, shape (g,) and (g, p).

    Attributes
    ----------
    coef, cov : arrays, shape (p,), (p, p)
        Log hazard ratios and their variance.
    hazard : array, shape (g,)
        Steps of the baseline hazard.
    variance : array, shape (g,)
        Steps of its variance if the coefficients were known.
    drift : array, shape (g, p)
        Steps of the risk sets' mean covariates over it.
    """

    coef: np.ndarray
    cov: np.ndarray
    hazard: np.ndarray
    variance: np.ndarray
    drift: np.ndarray


def portions(n: int, steps: int) -> list[slice]:
    """Consecutive portions of n patients that are small enough."""
    size = max(1, CELLS // max(steps, 1))
    return [slice(at, min(at + size, n)) for at in range(0, n, size)]


def incidence(relative: np.ndarray, causes: Sequence[CauseSteps], upto: np.ndarray) -> np.ndarray:
    """Risk of the first cause after some numbers of steps of the grid.

    Parameters
    ----------
    relative : array, shape (n, n_causes)
        Each patient's hazard relative to the baseline.
    causes : sequence of CauseSteps
    upto : array of int, shape (t,)

    Returns
    -------
    array, shape (n, t)
    """
    used = int(upto.max(initial=0))
    found = np.zeros((len(relative), len(upto)))
    for rows in portions(len(relative), used):
        found[rows] = _curve(relative[rows], causes, used)[2][:, upto]
    return found


def _curve(relative: np.ndarray, causes: Sequence[CauseSteps], used: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each cause's hazard (k, n, g), chance of being free of events (n, g + 1) and risk (n, g + 1), from time 0."""
    hazards = np.stack([relative[:, [k]] * cause.hazard[:used] for k, cause in enumerate(causes)])
    total = np.zeros(hazards.shape[1:])
    for part in hazards:
        total += part
    start = np.zeros((len(relative), 1))
    free = np.exp(-np.hstack([start, np.cumsum(total, axis=1)]))
    share = np.divide(hazards[0], total, out=np.zeros_like(total), where=total > 0)
    risk = np.hstack([start, np.cumsum((free[:, :-1] - free[:, 1:]) * share, axis=1)])
    return hazards, free, np.minimum(risk, 1.0)


def _chance(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1 - exp(-h)) / h and its derivative."""
    safe = np.maximum(total, SMALL)
    whole = -np.expm1(-safe) / safe
    small = total < SMALL
    series = 1 - total / 2 + total**2 / 6
    slope_series = -0.5 + total / 3 - total**2 / 8
    slope = (np.exp(-safe) - whole) / safe
    return np.where(small, series, whole), np.where(small, slope_series, slope)


def standard_error(x: np.ndarray, relative: np.ndarray, causes: Sequence[CauseSteps], upto: np.ndarray) -> np.ndarray:
    """Standard error of `incidence`, shape (n, t), by the delta method on the hazards and coefficients of all causes.

    Parameters
    ----------
    x : array, shape (n, p)
        Centred covariates.
    relative, causes, upto
        As in `incidence`.

    References
    ----------
    Therneau & Grambsch (2000), section 10.2 for one cause, to which this comes down where nothing competes. Andersen,
    Borgan, Gill & Keiding (1993), section VII.2.3.
    """
    used = int(upto.max(initial=0))
    found = np.zeros((len(relative), len(upto)))
    for rows in portions(len(relative), used * (len(causes) + 4)):
        found[rows] = _errors(x[rows], relative[rows], causes, upto, used)
    return np.sqrt(found)


def _errors(
    x: np.ndarray, relative: np.ndarray, causes: Sequence[CauseSteps], upto: np.ndarray, used: int
) -> np.ndarray:
    hazards, free, risk = _curve(relative, causes, used)
    whole, slope = _chance(hazards.sum(axis=0))
    total = np.zeros((len(x), len(upto)))
    for i, last in enumerate(upto):
        later = risk[:, [last]] - risk[:, 1 : last + 1]
        before, first = free[:, :last], hazards[0][:, :last]
        shared = before * first * slope[:, :last] - later
        for k, cause in enumerate(causes):
            # What the risk gains if this cause's hazard at a time rises by one unit.
            gain = shared + before * whole[:, :last] if k == 0 else shared
            own = gain**2 @ cause.variance[:last]
            along = (gain @ cause.hazard[:last])[:, None] * x - gain @ cause.drift[:last]
            from_coef = ((along @ cause.cov) * along).sum(axis=1)
            total[:, i] += relative[:, k] ** 2 * (own + np.maximum(from_coef, 0.0))
    return total


def thinned(times: np.ndarray, most: int) -> np.ndarray:
    """At most so many of ascending times, evenly by rank and the last one among them."""
    if len(times) <= most:
        return times
    return times[np.unique(np.ceil(np.arange(1, most + 1) * len(times) / most).astype(int) - 1)]


def on_grid(grid: np.ndarray, time: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Steps at `time` summed up to the next time of the grid, shape (g, ...)."""
    found = np.zeros((len(grid), *steps.shape[1:]))
    np.add.at(found, np.searchsorted(grid, time, side="left"), steps)
    return found
