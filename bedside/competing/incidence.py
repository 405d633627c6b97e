"""How likely each type of event is by each time: the Aalen-Johansen estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.competing.checks import check_causes, check_entry, check_weights
from bedside.competing.incidence_curve import Incidence
from bedside.competing.variance import (
    ROUNDING,
    aalen_variance,
    before,
    event_free,
    jackknife_from_counts,
    jackknife_from_rows,
    share,
)
from bedside.errors import Fixable
from bedside.survival.intervals import Interval, interval_of


def cumulative_incidence(
    time: ArrayLike,
    cause: ArrayLike,
    *,
    causes: tuple[str, ...] = (),
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    group: str = "All patients",
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
    origin: float = 0.0,
    dropped: int = 0,
) -> Incidence:
    """Aalen-Johansen estimate of the chance of each type of event by time t, the others taking part.

    Parameters
    ----------
    time : array-like, shape (n_patients,)
        Follow-up since time zero in `unit`, 0 or more.
    cause : array-like of int, shape (n_patients,)
        0 if no event was seen, else the number of its type from 1.
    causes : tuple of str, optional
        Names of the types. A type of which there is none is a flat line at 0.
    entry : array-like, shape (n_patients,), optional
        When a patient came under observation; at risk in (entry, time].
    weights : array-like, shape (n_patients,), optional
        Case weights above 0; the standard error is then the robust one.
    level : float, default 0.95
    interval : {"plain", "log", "log-log", "logit", "arcsin"}, default "log-log"
        R's own default is ``"log"``.
    origin : float, default 0
        Where the curves begin: everybody is event-free there.
    dropped : int, default 0
        Passed on: patients of the group who could not be counted.

    Returns
    -------
    Incidence

    Raises
    ------
    Fixable
        If there are no patients, or a time, a cause, an entry or a weight is not usable.

    Notes
    -----
    The standard error is the infinitesimal jackknife of survival (each patient's influence, squared and summed), got
    from running sums. `Incidence.aalen_variance` is cmprsk's.

    References
    ----------
    Aalen & Johansen (1978), Scand J Stat 5:141-150.
    R: ``survfit(Surv(time, factor(cause, 0:2)) ~ 1, conf.type = "log-log")``.
    """
    times, codes = check_causes(time, cause)
    names = causes or tuple(f"Cause {k}" for k in range(1, max(int(codes.max()), 1) + 1))
    if codes.max() > len(names):
        raise Fixable(
            "No cumulative incidence.",
            f"There are {int(codes.max())} types of event and {len(names)} names.",
            "Name every type of event.",
        )
    (times, start), load = check_entry(entry, times), check_weights(weights, len(times))
    grid, stop = np.unique(times, return_inverse=True)
    tally = _tally(grid, stop, codes, start, load, len(names))
    return _incidence(
        tally, origin, n=len(times), group=group, unit=unit, causes=names, level=level, interval=interval,
        dropped=dropped,
    )  # fmt: skip


def incidence_from_counts(
    time: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike,
    *,
    causes: tuple[str, ...],
    group: str = "All patients",
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
    dropped: int = 0,
) -> Incidence:
    """The same from counts for each distinct time, such as a database adds up, for any number of patients.

    Parameters
    ----------
    time : array-like, shape (n_times,)
        Distinct times, ascending.
    events : array-like of int, shape (n_times, n_causes)
    censored : array-like of int, shape (n_times,)
    causes : tuple of str
        One for each column of `events`.
    group, unit, level, interval, dropped
        As `cumulative_incidence`. Everybody is under observation from the beginning.

    Returns
    -------
    Incidence
        What `cumulative_incidence` gives for the patients that were counted.
    """
    grid, seen = np.asarray(time, dtype=float), np.asarray(events, dtype=np.int64).reshape(-1, len(causes))
    gone = np.asarray(censored, dtype=np.int64)
    if not len(grid):
        raise Fixable("No curve.", "There are no patients in this group.", "Widen the filter.")
    at_risk = np.cumsum((seen.sum(axis=1) + gone)[::-1])[::-1]
    tally = _Tally(
        grid, at_risk, seen, gone, at_risk.astype(float), seen.astype(float),
        *jackknife_from_counts(at_risk, seen, gone), aalen_variance(at_risk, seen),
    )  # fmt: skip
    return _incidence(
        tally, 0.0, n=int(at_risk[0]), group=group, unit=unit, causes=causes, level=level, interval=interval,
        dropped=dropped,
    )  # fmt: skip


def _incidence(tally: _Tally, origin: float, *, level: float, interval: Interval, **named: Any) -> Incidence:
    parts = _steps(tally, level=level, interval=interval)
    parts = {name: np.concatenate((np.full((1, *v.shape[1:]), FIRST.get(name, 0)), v)) for name, v in parts.items()}
    parts["at_risk"][0], parts["time"][0] = tally.at_risk[0], origin
    for values in parts.values():
        values.flags.writeable = False
    seen = tuple(int(k) for k in tally.events.sum(axis=0))
    return Incidence(**named, **parts, n_events=seen, level=level, interval=interval)


FIRST = {"event_free": 1.0, "event_free_lower": 1.0, "event_free_upper": 1.0}
"""What holds at time 0, where it is not 0."""


@dataclass(frozen=True, eq=False)
class _Tally:
    """Counts at each distinct time (with case weights, of patients and of weights) and the variances they lead to."""

    time: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray
    size: np.ndarray
    mass: np.ndarray
    of_causes: np.ndarray
    of_free: np.ndarray
    aalen: np.ndarray


def _tally(
    grid: np.ndarray,
    stop: np.ndarray,
    codes: np.ndarray,
    entry: np.ndarray | None,
    weights: np.ndarray | None,
    k: int,
) -> _Tally:
    start = np.zeros(len(stop), dtype=np.int64) if entry is None else np.searchsorted(grid, entry, side="right")
    at_risk, cells = _counts(len(grid), start, stop, codes, None, k)
    at_risk, cells = np.rint(at_risk).astype(np.int64), cells.astype(np.int64)
    events = cells[:, 1:]
    size, mass = at_risk.astype(float), events.astype(float)
    aalen = aalen_variance(at_risk, events)
    if weights is not None:
        size, cells_of_weight = _counts(len(grid), start, stop, codes, weights, k)
        mass, aalen = cells_of_weight[:, 1:], np.full(events.shape, np.nan)
    if weights is None and not start.any():
        variances = jackknife_from_counts(at_risk, events, cells[:, 0])
    else:
        load = np.ones(len(stop)) if weights is None else weights
        variances = jackknife_from_rows(stop, start, codes, load, size, mass)
    return _Tally(grid, at_risk, events, cells[:, 0], size, mass, *variances, aalen)


def _counts(
    steps: int, start: np.ndarray, stop: np.ndarray, codes: np.ndarray, weights: np.ndarray | None, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """At risk at each time, and those who leave then by type of event, each with its weight."""
    cells = np.bincount(stop * (k + 1) + codes, weights, minlength=steps * (k + 1)).reshape(steps, k + 1)
    leaving = cells.sum(axis=1)
    if not start.any():
        return np.cumsum(leaving[::-1])[::-1], cells
    came = np.bincount(start, weights, minlength=steps + 1)[:steps]
    return np.cumsum(came) - before(np.cumsum(leaving), 0), cells


def _steps(tally: _Tally, *, level: float, interval: Interval) -> dict[str, np.ndarray]:
    hazard = share(tally.mass, tally.size[:, None])
    free, _ = event_free(tally.size, tally.mass.sum(axis=1))
    incidence = np.cumsum(before(free, 1.0)[:, None] * hazard, axis=0)
    std_err, free_err = np.sqrt(tally.of_causes), np.sqrt(tally.of_free)
    # A sum of steps may miss 1 by a rounding error; what is certain does not vary.
    certain = incidence > 1 - ROUNDING
    incidence, std_err = np.where(certain, 1.0, incidence), np.where(certain, 0.0, std_err)
    lower, upper = limits(incidence, std_err, level=level, interval=interval)
    free_lower, free_upper = limits(free, free_err, level=level, interval=interval)
    return {
        "time": tally.time, "at_risk": tally.at_risk, "censored": tally.censored, "events": tally.events,
        "incidence": incidence, "lower": lower, "upper": upper, "std_err": std_err,
        "event_free": free, "event_free_lower": free_lower, "event_free_upper": free_upper,
        "event_free_std_err": free_err, "naive": 1 - np.cumprod(1 - hazard, axis=0), "aalen_variance": tally.aalen,
    }  # fmt: skip


def limits(
    chance: np.ndarray, std_err: np.ndarray, *, level: float, interval: Interval
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise interval of a chance from its standard error, on the scales that R offers for several states.

    Parameters
    ----------
    chance, std_err : arrays of one shape

    Returns
    -------
    lower, upper : arrays
        NaN where R has NA: where the chance is 0, and where it is 1 on all but the plain and log scales.

    References
    ----------
    R: ``survfit(Surv(time, factor(cause)) ~ 1, conf.type = , conf.int = )``.
    """
    relative = np.divide(std_err, chance, out=np.full(chance.shape, np.nan), where=chance > 0)
    lower, upper = interval_of(chance, relative, level=level, interval=interval)
    if interval == "plain":
        return np.where(chance > 0, lower, 0.0), np.where(chance > 0, upper, 0.0)
    return lower, upper
