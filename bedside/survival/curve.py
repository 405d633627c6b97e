"""A survival curve as a value: a step function and what can be read off it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit, convert
from bedside.errors import Fixable
from bedside.survival.checks import TIE
from bedside.survival.intervals import Interval

if TYPE_CHECKING:
    from bedside.survival.influence import Influence

Estimator = Literal["kaplan-meier", "nelson-aalen", "fleming-harrington"]
"""How S(t) is estimated: a product, or exp(-H) with the hazard H of one of the two authors."""

SLACK = 1e-9
"""Relative room in looking up a time: 1826.25 days in years may be a rounding error short of 5."""


class Quantile(NamedTuple):
    """A time with its interval, in the curve's unit; NaN where it is not reached."""

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class Points:
    """The curve at chosen times; arrays of shape (n_times,), NaN where follow-up had ended.

    ``std_err`` is the standard error of ``survival``, ``log_std_err`` that of its logarithm.
    """

    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    at_risk: np.ndarray
    std_err: np.ndarray
    log_std_err: np.ndarray


@dataclass(frozen=True, eq=False)
class Counts:
    """The KMunicate table at chosen times; arrays of shape (n_times,), whole numbers unless weighted."""

    time: np.ndarray
    at_risk: np.ndarray
    censored: np.ndarray
    events: np.ndarray


@dataclass(frozen=True, eq=False)
class Curve:
    """A survival curve: right-continuous steps that start at (0, 1), or at (s, 1) for patients alive at s.

    Attributes
    ----------
    group : str
        Name of the group, text from the data.
    unit : {"days", "weeks", "months", "years"}
        Unit of every time in the value.
    time : array, shape (n_steps,)
        0 (or s), then every distinct time, ascending; an event at time 0 is a second row at 0.
    survival, lower, upper : arrays, shape (n_steps,)
        S(t) and its pointwise interval; NaN where R has NA.
    at_risk, events, censored : int arrays, shape (n_steps,)
        Patients at risk just before each time, and what happened at it; sums of
        weights, as floats, if the curve is weighted.
    n, n_events : int
        Patients and events in the group, never weighted.
    level : float
        Coverage of the interval.
    interval : {"plain", "log", "log-log", "logit", "arcsin"}
        Scale of the interval.
    std_err, log_std_err : array, shape (n_steps,)
        Standard errors of S(t) and of log S(t); inf or NaN where S is 0, as in R.
    cumulative_hazard, hazard_std_err : array, shape (n_steps,)
        Nelson-Aalen's H(t), or Fleming and Harrington's with that estimator, and its standard error.
    estimator : {"kaplan-meier", "nelson-aalen", "fleming-harrington"}
        How S(t) was estimated.
    entered : array, shape (n_steps,), or None
        With delayed entry: who joined at each time or after it and before the next.
    entry_time, entry_number : array, shape (n_entries,), or None
        With delayed entry: distinct times of entry, and how many joined at each.
    influence : Influence or None
        With robust standard errors: what they are made of.
    count : int array, shape (n_steps,), or None
        Patients with the event at each time, where ``events`` sums their weights.
    dropped : int
        Patients of the group who are not in the curve because their weight or
        time of entry was not recorded.
    """

    group: str
    unit: Unit
    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray
    n: int
    n_events: int
    level: float
    interval: Interval
    std_err: np.ndarray
    log_std_err: np.ndarray
    cumulative_hazard: np.ndarray
    hazard_std_err: np.ndarray
    estimator: Estimator = "kaplan-meier"
    entered: np.ndarray | None = None
    entry_time: np.ndarray | None = None
    entry_number: np.ndarray | None = None
    influence: Influence | None = None
    count: np.ndarray | None = None
    dropped: int = 0

    @property
    def origin(self) -> float:
        """Where the curve starts: time zero, or the time that everybody in it was alive at."""
        return float(self.time[0])

    @property
    def robust(self) -> bool:
        """True if the standard errors are the infinitesimal jackknife's."""
        return self.influence is not None

    @property
    def event_count(self) -> np.ndarray:
        """Patients with the event at each time, never weighted; int, shape (n_steps,)."""
        return self.events if self.count is None else self.count

    @property
    def last(self) -> float:
        """The longest follow-up in the group."""
        return float(self.time[-1])

    @cached_property
    def median(self) -> Quantile:
        """When half have had the event, as R prints it; NaN if the curve stays above one half.

        Where the curve rests at exactly one half, the median is the middle of
        that step. If it never leaves the step, R prints the beginning of it
        (whereas `quantile`, like R's, takes the middle of what was observed).
        The limits are read off the limits of the curve in the same way.

        References
        ----------
        Brookmeyer & Crowley (1982), Biometrics 38:29-41.
        R: ``summary(survfit(...))$table``.
        """
        return Quantile(*(_printed_median(self.time[1:], y[1:]) for y in (self.survival, self.lower, self.upper)))

    def quantile(self, p: float) -> Quantile:
        """When a share p of the patients have had the event, with its interval.

        Parameters
        ----------
        p : float
            Share of the patients, above 0 and at most 1; 0.25 is the lower quartile.

        Returns
        -------
        Quantile
            Estimate and limits in the curve's unit; NaN where not reached.

        Raises
        ------
        Fixable
            If p is not a share.

        References
        ----------
        R: ``quantile(survfit(...), p)``.
        """
        if not 0 < p <= 1:
            raise Fixable("No quantile.", "The share must lie above 0 and at most at 1.", "Choose a share such as 0.5.")
        return Quantile(*(_crossing(self.time, 1 - y, p) for y in (self.survival, self.lower, self.upper)))

    def at(self, times: ArrayLike, *, extend: bool = False) -> Points:
        """Survival at chosen times.

        Parameters
        ----------
        times : array-like, shape (n_times,)
            Times in the curve's unit, 0 or later.
        extend : bool, default False
            Beyond the longest follow-up the curve says nothing: NaN, unless
            everybody had the event by then. True carries the last value on,
            as R does when asked to.

        Returns
        -------
        Points
            Value just after any step at that time, with the interval there and
            the number at risk just before that time.

        References
        ----------
        R: ``summary(survfit(...), times = times, extend = TRUE)``.
        """
        t = np.atleast_1d(np.asarray(times, dtype=float))
        row = np.maximum(self._rows_until(t) - 1, 0)
        unknown = t < self.origin * (1 - SLACK)
        if not extend and self.survival[-1] > 0:
            unknown |= t > self.last * (1 + SLACK)
        survival, lower, upper, std_err, log_std_err = (
            np.where(unknown, np.nan, y[row])
            for y in (self.survival, self.lower, self.upper, self.std_err, self.log_std_err)
        )
        return Points(t, survival, lower, upper, self._at_risk(t), std_err, log_std_err)

    def counts(self, times: ArrayLike) -> Counts:
        """The numbers of the table below the curve, at chosen times t.

        At risk: patients whose follow-up is t or longer, that is, under
        observation just before t, and with delayed entry those who had joined
        before t (or, at the beginning of the curve, by then). Censored and events: how many from time zero
        up to and including t. So somebody with an event at exactly t is in two
        of the three, and the three add up to all patients only where nothing
        happens at t.

        Parameters
        ----------
        times : array-like, shape (n_times,)
            Times in the curve's unit.

        References
        ----------
        Morris et al (2019), BMJ Open 9:e030215 (KMunicate).
        """
        t = np.atleast_1d(np.asarray(times, dtype=float))
        seen = self._rows_until(t)
        censored, events = (np.concatenate(([0], np.cumsum(y))) for y in (self.censored, self.events))
        return Counts(t, self._at_risk(t), censored[seen], events[seen])

    def convert(self, unit: Unit) -> Curve:
        """The same curve with its times in another unit; nothing is estimated anew."""
        if unit == self.unit:
            return self
        entry = None if self.entry_time is None else convert(self.entry_time, self.unit, unit)
        return replace(self, unit=unit, time=convert(self.time, self.unit, unit), entry_time=entry)

    def restart(self) -> Curve:
        """The same curve with its clock set to 0 where it starts: of patients alive at s, the time since s."""
        if not self.origin:
            return self
        entry = None if self.entry_time is None else self.entry_time - self.origin
        return replace(self, time=self.time - self.origin, entry_time=entry)

    def reliable_until(self, minimum: int = 10) -> float:
        """The last time at which at least `minimum` patients are still at risk; 0 if there never were as many."""
        enough = np.flatnonzero(self.at_risk >= minimum)
        return float(self.time[enough[-1]]) if len(enough) else 0.0

    def _rows_until(self, t: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.time, t + SLACK * np.abs(t), side="right")

    def _at_risk(self, t: np.ndarray) -> np.ndarray:
        before = t - SLACK * np.abs(t)
        row = np.searchsorted(self.time, before, side="left")
        if self.entry_time is None or self.entry_number is None:
            return np.concatenate((self.at_risk, [0]))[row]
        # Between two times the risk set grows as patients join, so that neither time's count is the one at t.
        leave = self.events + self.censored
        staying = np.concatenate((np.cumsum(leave[::-1])[::-1], [0]))[row]
        late = np.where(self.entry_time > self.origin, self.entry_number, 0)
        coming = np.concatenate((np.cumsum(late[::-1])[::-1], [0]))
        present = staying - coming[np.searchsorted(self.entry_time, before, side="left")]
        return np.where(present > SLACK * self.n, present, 0)


def _printed_median(time: np.ndarray, survival: np.ndarray) -> float:
    below = np.flatnonzero(survival < 0.5 + TIE)
    if not len(below):
        return float("nan")
    first = below[0]
    if abs(survival[first] - 0.5) < TIE:
        later = below[survival[below] < survival[first]]
        if len(later):
            return float((time[first] + time[later[0]]) / 2)
    return float(time[first])


def _crossing(time: np.ndarray, share: np.ndarray, p: float) -> float:
    """Where a horizontal line at p meets the steps of 1 - S; the middle of a step that rests at p."""
    keep = np.unique(share, return_index=True)[1]
    keep.sort()
    t, y = time[keep], share[keep]
    known = np.flatnonzero(~np.isnan(y))
    order = known[np.argsort(y[known], kind="stable")]
    start, after = (np.searchsorted(y[order], p + shift, side="left") for shift in (-TIE, TIE))
    if start == len(order):
        return float("nan")
    if abs(y[-1] - p) < TIE:
        return float((t[order[start]] + time[-1]) / 2)
    return float((t[order[start]] + t[order[after]]) / 2) if after < len(order) else float("nan")
