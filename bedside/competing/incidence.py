"""How likely each type of event is by each time: the Aalen-Johansen estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.competing.checks import check_causes, check_entry, check_weights
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

SLACK = 1e-9
"""Relative room in looking up a time: 1826.25 days in years may be a rounding error short of 5."""


@dataclass(frozen=True, eq=False)
class IncidencePoints:
    """Cumulative incidence at chosen times; NaN where follow-up had ended.

    Attributes
    ----------
    time, at_risk, event_free, event_free_lower, event_free_upper : arrays, shape (n_times,)
        Times as asked for; patients at risk just before each; chance of no event of any type.
    incidence, lower, upper, std_err, naive : arrays, shape (n_times, n_causes)
    """

    time: np.ndarray
    at_risk: np.ndarray
    incidence: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    std_err: np.ndarray
    event_free: np.ndarray
    event_free_lower: np.ndarray
    event_free_upper: np.ndarray
    naive: np.ndarray


@dataclass(frozen=True, eq=False)
class IncidenceCounts:
    """The table below the curves at chosen times: at risk at t, events of each type and censored up to t."""

    time: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray


@dataclass(frozen=True, eq=False)
class Incidence:
    """Cumulative incidence of each type of event in one group: right-continuous steps that start at (0, 0).

    Attributes
    ----------
    group : str
        Name of the group, text from the data.
    unit : {"days", "weeks", "months", "years"}
    causes : tuple of str
        Names of the types of event; one that never occurred has a flat line at 0.
    time : array, shape (n_steps,)
        0 (or where the curves begin), then every distinct time, ascending.
    at_risk, censored : int arrays, shape (n_steps,)
        Patients just before each time, and at it; counts of patients also where there are weights, as in R.
    events : int array, shape (n_steps, n_causes)
    incidence, lower, upper, std_err : arrays, shape (n_steps, n_causes)
        Chance of an event of this type by each time, its pointwise interval (NaN where R has NA) and its
        infinitesimal-jackknife standard error.
    event_free, event_free_lower, event_free_upper, event_free_std_err : arrays, shape (n_steps,)
        Chance of no event of any type.
    naive : array, shape (n_steps, n_causes)
        1 - Kaplan-Meier of each type, the others counted as censored: too high wherever these occur. It answers what
        would happen if nobody could have the other events, and only if these said nothing about this one.
    aalen_variance : array, shape (n_steps, n_causes)
        Aalen's variance of each incidence, as cmprsk has it; NaN with case weights.
    n : int
        Patients.
    n_events : tuple of int
        Patients with each type of event.
    level : float
    interval : {"plain", "log", "log-log", "logit", "arcsin"}
    dropped : int
        Patients of the group whose entry or weight was not recorded.
    """

    group: str
    unit: Unit
    causes: tuple[str, ...]
    time: np.ndarray
    at_risk: np.ndarray
    censored: np.ndarray
    events: np.ndarray
    incidence: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    std_err: np.ndarray
    event_free: np.ndarray
    event_free_lower: np.ndarray
    event_free_upper: np.ndarray
    event_free_std_err: np.ndarray
    naive: np.ndarray
    aalen_variance: np.ndarray
    n: int
    n_events: tuple[int, ...]
    level: float
    interval: Interval
    dropped: int = 0

    @property
    def last(self) -> float:
        """The longest follow-up in the group."""
        return float(self.time[-1])

    def at(self, times: ArrayLike, *, extend: bool = False) -> IncidencePoints:
        """Cumulative incidence at chosen times.

        Parameters
        ----------
        times : array-like, shape (n_times,)
            In the outcome's unit, 0 or later.
        extend : bool, default False
            Beyond the longest follow-up there is no estimate: NaN, unless everybody had an event by then. True carries
            the last value on, as R does when asked to.

        References
        ----------
        R: ``summary(survfit(Surv(time, factor(cause)) ~ 1), times = times, extend = TRUE)``.
        """
        t = np.atleast_1d(np.asarray(times, dtype=float))
        row = self._rows_until(t)
        beyond = t > self.last * (1 + SLACK)
        beyond &= not extend and self.event_free[-1] > 0

        def read(values: np.ndarray) -> np.ndarray:
            found = values[row]
            return np.where(beyond if values.ndim == 1 else beyond[:, None], np.nan, found)

        return IncidencePoints(
            time=t,
            at_risk=self._at_risk(t),
            **{name: read(getattr(self, name)) for name in READ},
        )

    def counts(self, times: ArrayLike) -> IncidenceCounts:
        """The numbers of the table below the curves: who is at risk at each time, and what had happened by then."""
        t = np.atleast_1d(np.asarray(times, dtype=float))
        row = self._rows_until(t)
        return IncidenceCounts(
            t, self._at_risk(t), np.cumsum(self.events, axis=0)[row], np.cumsum(self.censored, axis=0)[row]
        )

    def _rows_until(self, t: np.ndarray) -> np.ndarray:
        return np.maximum(np.searchsorted(self.time, t + SLACK * np.abs(t), side="right") - 1, 0)

    def _at_risk(self, t: np.ndarray) -> np.ndarray:
        row = np.searchsorted(self.time, t - SLACK * np.abs(t), side="left")
        return np.concatenate((self.at_risk, [0]))[row]


READ = (
    "incidence", "lower", "upper", "std_err", "event_free", "event_free_lower", "event_free_upper", "naive",
)  # fmt: skip
"""What is read off the curves at chosen times."""


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
    parts = _steps(tally, level=level, interval=interval)
    parts = {name: np.concatenate((np.full((1, *v.shape[1:]), FIRST.get(name, 0)), v)) for name, v in parts.items()}
    parts["at_risk"][0], parts["time"][0] = tally.at_risk[0], origin
    for values in parts.values():
        values.flags.writeable = False
    seen = np.bincount(codes, minlength=len(names) + 1)[1:]
    return Incidence(
        group=group, unit=unit, causes=names, **parts,
        n=len(times), n_events=tuple(int(k) for k in seen), level=level, interval=interval, dropped=dropped,
    )  # fmt: skip


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
