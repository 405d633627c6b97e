"""Cumulative incidence as a value: steps for each type of event and what can be read off them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.survival.intervals import Interval

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
