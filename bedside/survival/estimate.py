"""Kaplan-Meier curves, of a whole cohort or by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.survival.checks import check_times, merge_ties
from bedside.survival.curve import Curve
from bedside.survival.intervals import Interval, interval_of

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping

EVERYONE = "All patients"


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    group: str = EVERYONE,
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
) -> Curve:
    """Kaplan-Meier estimate of the chance of being free of the event after time t.

    Parameters
    ----------
    time : array-like, shape (n_patients,)
        Follow-up since time zero in ``unit``, finite and 0 or more.
    event : array-like, shape (n_patients,)
        1 (or True) if the event was seen at ``time``, 0 if follow-up ended first.
    group : str
        Name of the group.
    unit : {"days", "weeks", "months", "years"}
        Unit of ``time``; nothing is converted.
    level : float, default 0.95
        Coverage of the pointwise interval.
    interval : {"plain", "log", "log-log", "logit", "arcsin"}, default "log-log"
        Scale of the interval. R's own default is ``"log"``.

    Returns
    -------
    Curve
        Right-continuous step function, starting at (0, 1). A group without
        events is a flat line at 1 with no median.

    Raises
    ------
    Fixable
        If there are no patients, or a time or an event is not usable.

    Notes
    -----
    Patients censored at the time of an event are at risk at that time. S(t) is
    the product of 1 - d/n over event times up to t; its variance is Greenwood's.
    Times that differ only by rounding are tied, as in R.

    References
    ----------
    Kaplan & Meier (1958), JASA 53:457-481.
    R: ``survfit(Surv(time, event) ~ 1, conf.type = "log-log")``.
    """
    times, flags = check_times(time, event)
    return _steps(merge_ties(times), flags, group=group, unit=unit, level=level, interval=interval)


def reverse_kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    group: str = EVERYONE,
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
) -> Curve:
    """Curve of remaining under observation: its median is the median follow-up.

    The roles change: follow-up ending is the event, and the event ends the wait
    for it. Somebody who died early could have been followed for longer, so
    deaths count as censored.

    Parameters
    ----------
    time, event, group, unit, level, interval
        As in `kaplan_meier`.

    Returns
    -------
    Curve
        ``reverse_kaplan_meier(...).median`` is the median follow-up with its interval.

    References
    ----------
    Schemper & Smith (1996), Control Clin Trials 17:343-346.
    R: ``survfit(Surv(time, 1 - event) ~ 1)``.
    """
    times, flags = check_times(time, event)
    return _steps(merge_ties(times), ~flags, group=group, unit=unit, level=level, interval=interval)


def curves_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    level: float = 0.95,
    interval: Interval = "log-log",
) -> tuple[Curve, ...]:
    """One Kaplan-Meier curve per group, in the outcome's unit.

    Parameters
    ----------
    cohort : Cohort
        Patients.
    outcome : Outcome
        Which times and events. With competing events, the composite.
    grouping : Grouping, optional
        Which patient belongs to which group; None is one curve of everybody.
        Patients with code -1 (value missing) are in no curve:
        ``grouping.dropped_missing`` says how many.
    level, interval
        As in `kaplan_meier`.

    Returns
    -------
    tuple of Curve
        In the order of ``grouping.labels``; a label that no patient has gives no curve.

    Raises
    ------
    Fixable
        If nobody is left, no patient has a group, or a time is not usable.
    """
    times, flags = check_times(cohort.time(outcome), cohort.event(outcome))
    times = merge_ties(times)
    if grouping is None:
        return (_steps(times, flags, group=EVERYONE, unit=outcome.unit, level=level, interval=interval),)
    if not (grouping.codes >= 0).any():
        raise Fixable(
            "No curves.",
            "The value that patients are compared by is missing for all of them.",
            "Choose another grouping.",
        )
    members = ((label, np.flatnonzero(grouping.codes == code)) for code, label in enumerate(grouping.labels))
    return tuple(
        _steps(times[rows], flags[rows], group=label, unit=outcome.unit, level=level, interval=interval)
        for label, rows in members
        if len(rows)
    )


def _steps(time: np.ndarray, event: np.ndarray, *, group: str, unit: Unit, level: float, interval: Interval) -> Curve:
    """The curve of checked times, ties already merged."""
    n = len(time)
    order = np.argsort(time)
    ordered = time[order]
    start = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    at_risk = n - start
    events = np.add.reduceat(event[order].astype(np.int64), start)
    survival = np.cumprod((at_risk - events) / at_risk)
    with np.errstate(divide="ignore"):
        greenwood = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events).astype(float))))
    lower, upper = interval_of(survival, greenwood, level=level, interval=interval)
    first = {"time": 0.0, "survival": 1.0, "lower": 1.0, "upper": 1.0, "at_risk": n, "events": 0, "censored": 0}
    later = {
        "time": ordered[start], "survival": survival, "lower": lower, "upper": upper,
        "at_risk": at_risk, "events": events, "censored": np.diff(np.append(start, n)) - events,
    }  # fmt: skip
    arrays = {name: np.concatenate(([first[name]], values)) for name, values in later.items()}
    for values in arrays.values():
        values.flags.writeable = False
    return Curve(group=group, unit=unit, **arrays, n=n, n_events=int(events.sum()), level=level, interval=interval)
