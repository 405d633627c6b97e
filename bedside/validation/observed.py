"""Risks as they came out, in any part of the patients, fast enough to be asked for hundreds of parts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bedside.competing.incidence import cumulative_incidence
from bedside.survival.curve import SLACK
from bedside.survival.estimate import kaplan_meier
from bedside.validation.measure import Rows


@dataclass(frozen=True)
class ObservedRisk:
    """Risk of the event by a time, without any model.

    Attributes
    ----------
    risk, lower, upper : float
        1 minus Kaplan-Meier, or Aalen-Johansen with competing events, and its interval on the log-log scale. NaN
        where follow-up is shorter; the limits also where no event was seen.
    n, n_events : int
        Patients, and those seen with the event by then.
    """

    risk: float
    lower: float
    upper: float
    n: int
    n_events: int


def observed_risk(rows: Rows, t: float, *, level: float = 0.95, extend: bool = False) -> ObservedRisk:
    """Risk of the event by time `t` with its interval.

    Parameters
    ----------
    rows : Rows
    t : float
    level : float, default 0.95
    extend : bool, default False
        True carries the last value on beyond the longest follow-up.

    References
    ----------
    R: ``1 - summary(survfit(Surv(time, event) ~ 1, conf.type = "log-log"), times = t, extend = )$surv``; with
    competing events ``survfit(Surv(time, factor(cause)) ~ 1)``.
    """
    if not len(rows.time):
        return ObservedRisk(np.nan, np.nan, np.nan, 0, 0)
    seen = int(((rows.cause == 1) & (rows.time <= t * (1 + SLACK))).sum())
    if rows.competes:
        curve = cumulative_incidence(rows.time, rows.cause, entry=rows.entry, level=level).at([t], extend=extend)
        found = (curve.incidence[0, 0], curve.lower[0, 0], curve.upper[0, 0])
    else:
        points = kaplan_meier(rows.time, rows.cause == 1, entry=rows.entry, level=level).at([t], extend=extend)
        found = (1 - points.survival[0], 1 - points.upper[0], 1 - points.lower[0])
    return ObservedRisk(*(float(v) for v in found), len(rows.time), seen)


@dataclass(frozen=True, eq=False)
class Counter:
    """Follow-up sorted once, to count the risk by `t` in any part of the patients.

    Attributes
    ----------
    t : float
    order : array, shape (n,)
        Patients by time of follow-up.
    stops : array, shape (n,)
        Their times, ascending.
    starts_order, starts : arrays, shape (n,), or None
        The same by time of entry.
    events : array
        Patients with an event of any kind by `t`, ascending in time.
    at, place : arrays
        Distinct times of these events, and which of them each event has.
    own : array
        1 where it is the event that was predicted.
    """

    t: float
    order: np.ndarray = field(repr=False)
    stops: np.ndarray = field(repr=False)
    starts_order: np.ndarray | None = field(repr=False)
    starts: np.ndarray | None = field(repr=False)
    events: np.ndarray = field(repr=False)
    at: np.ndarray = field(repr=False)
    place: np.ndarray = field(repr=False)
    own: np.ndarray = field(repr=False)

    def risk(self, among: np.ndarray) -> float:
        """Risk by `t` among some patients (a mask); the last value is carried on. NaN if there are none."""
        m = len(self.at)
        ends = self.stops[among[self.order]]
        if not len(ends):
            return float("nan")
        at_risk = len(ends) - np.searchsorted(ends, self.at, side="left")
        if self.starts is not None:
            begins = self.starts[among[self.starts_order]]
            at_risk = at_risk - (len(begins) - np.searchsorted(begins, self.at, side="left"))
        kept = among[self.events]
        died = np.bincount(self.place[kept], minlength=m)
        own = np.bincount(self.place[kept], weights=self.own[kept], minlength=m)
        there = np.maximum(at_risk, 1)
        free = np.concatenate(([1.0], np.cumprod(1 - died / there)[:-1])) if m else np.zeros(0)
        return float((free * own / there).sum())


def counter(rows: Rows, t: float) -> Counter:
    """Sort once."""
    order = np.argsort(rows.time, kind="stable")
    stops = rows.time[order]
    starts_order = None if rows.entry is None else np.argsort(rows.entry, kind="stable")
    events = order[rows.event[order] & (stops <= t * (1 + SLACK))]
    at, place = np.unique(rows.time[events], return_inverse=True)
    own = (rows.cause[events] == 1).astype(float)
    starts = None if starts_order is None else rows.entry[starts_order]
    return Counter(t, order, stops, starts_order, starts, events, at, place, own)
