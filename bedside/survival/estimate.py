"""Survival curves, of a whole cohort or by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.survival.build import EVERYONE, curve_of
from bedside.survival.columns import Chosen, columns_of
from bedside.survival.curve import Curve, Estimator
from bedside.survival.events import Rows, rows_of, tabulate
from bedside.survival.intervals import Interval

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    group: str = EVERYONE,
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
    estimator: Estimator = "kaplan-meier",
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    robust: bool | None = None,
    origin: float = 0.0,
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
    estimator : {"kaplan-meier", "nelson-aalen", "fleming-harrington"}, default "kaplan-meier"
        As in `curve_of`.
    entry : array-like, shape (n_patients,), optional
        When each patient came under observation (left truncation), before ``time``.
    weights : array-like, shape (n_patients,), optional
        Case weights, above 0.
    cluster : array-like, shape (n_patients,), optional
        Which rows are one patient.
    robust : bool, optional
        True for standard errors by the infinitesimal jackknife, False for
        Greenwood's. By default robust if weights are no whole numbers or
        clusters are given, as in R.
    origin : float, default 0
        Where the curve starts, before every ``time``: all these patients are known to have come so far.

    Returns
    -------
    Curve
        Right-continuous step function, starting at (0, 1). A group without
        events is a flat line at 1 with no median.

    Raises
    ------
    Fixable
        If there are no patients, or a time, an event, an entry or a weight is not usable.

    Notes
    -----
    Patients censored at the time of an event are at risk at that time. S(t) is
    the product of 1 - d/n over event times up to t; its variance is Greenwood's.
    Times that differ only by rounding are tied, as in R. With delayed entry the
    risk set may become empty by an event: the curve is 0 from there on, also if
    others join later.

    References
    ----------
    Kaplan & Meier (1958), JASA 53:457-481; Tsai, Jewell & Wang (1987),
    Biometrika 74:883-886 (left truncation).
    R: ``survfit(Surv(time, event) ~ 1, conf.type = "log-log")``,
    ``survfit(Surv(entry, time, event) ~ 1, weights = , cluster = , robust = )``.
    """
    rows = rows_of(time, event, entry=entry, weights=weights, cluster=cluster)
    return curve_of(
        tabulate(rows), group=group, unit=unit, level=level, interval=interval, estimator=estimator,
        rows=rows if _is_robust(rows, robust) else None, origin=origin,
    )  # fmt: skip


def reverse_kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    group: str = EVERYONE,
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
    entry: ArrayLike | None = None,
) -> Curve:
    """Curve of remaining under observation: its median is the median follow-up.

    The roles change: follow-up ending is the event, and the event ends the wait
    for it. Somebody who died early could have been followed for longer, so
    deaths count as censored.

    Parameters
    ----------
    time, event, group, unit, level, interval, entry
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
    rows = rows_of(time, event, entry=entry)
    flipped = Rows(rows.time, ~rows.event, rows.entry)
    return curve_of(tabulate(flipped), group=group, unit=unit, level=level, interval=interval)


def curves_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    level: float = 0.95,
    interval: Interval = "log-log",
    estimator: Estimator = "kaplan-meier",
    entry: str | None = None,
    weights: str | ArrayLike | None = None,
    robust: bool | None = None,
    alive_at: float = 0.0,
) -> tuple[Curve, ...]:
    """One survival curve per group, in the outcome's unit.

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
    level, interval, estimator, robust
        As in `kaplan_meier`.
    entry : str, optional
        Column with the time at which observation began, in the outcome's unit;
        by default the outcome's own, if it has one.
    weights : str or array-like of shape (n_patients,), optional
        Column of case weights, or the weights themselves.
    alive_at : float, default 0
        Only patients still under observation and free of the event after this
        time, in the outcome's unit: the curve starts there, at 1, and is their
        conditional survival S(t) / S(alive_at). Times stay those since time
        zero; `Curve.restart` resets the clock.

    Returns
    -------
    tuple of Curve
        In the order of ``grouping.labels``; a label that no patient has gives no
        curve. ``Curve.dropped`` counts the group's patients without a recorded
        entry or weight.

    Raises
    ------
    Fixable
        If nobody is left, no patient has a group, or a time, an entry or a
        weight is not usable; rows are named by number.

    References
    ----------
    R: ``survfit(Surv(time, event) ~ group)``; with ``alive_at = s``, of the
    rows with time > s, ``survfit(Surv(pmax(entry, s), time, event) ~ group)``.
    """
    chosen = columns_of(cohort, outcome, entry=entry, weights=weights).alive_at(alive_at)
    drawn = {
        "unit": outcome.unit, "level": level, "interval": interval, "estimator": estimator, "origin": alive_at,
    }  # fmt: skip
    sure = _is_robust(chosen.rows, robust)
    return tuple(
        curve_of(tabulate(part), group=label, rows=part if sure else None, dropped=dropped, **drawn)
        for label, part, dropped in members(chosen, grouping)
    )


def follow_up_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    level: float = 0.95,
    interval: Interval = "log-log",
    entry: str | None = None,
    alive_at: float = 0.0,
) -> tuple[Curve, ...]:
    """One curve of remaining under observation per group: its median is the group's median follow-up.

    Parameters
    ----------
    cohort, outcome, grouping, level, interval, entry, alive_at
        As in `curves_by`.

    Returns
    -------
    tuple of Curve
        As `reverse_kaplan_meier` of each group, in the order of ``grouping.labels``.

    Raises
    ------
    Fixable
        As in `curves_by`.

    References
    ----------
    Schemper & Smith (1996), Control Clin Trials 17:343-346.
    R: ``survfit(Surv(time, 1 - event) ~ group)``.
    """
    chosen = columns_of(cohort, outcome, entry=entry).alive_at(alive_at)
    return tuple(
        curve_of(
            tabulate(Rows(part.time, ~part.event, part.entry)),
            group=label, unit=outcome.unit, level=level, interval=interval, origin=alive_at, dropped=dropped,
        )
        for label, part, dropped in members(chosen, grouping)
    )  # fmt: skip


def members(chosen: Chosen, grouping: Grouping | None) -> list[tuple[str, Rows, int]]:
    """Label, rows and number of dropped patients of each group that has any rows.

    Raises
    ------
    Fixable
        If no patient has a group.
    """
    if grouping is None:
        return [(EVERYONE, chosen.rows, len(chosen.dropped))]
    codes = grouping.codes[chosen.kept]
    if not (codes >= 0).any():
        raise Fixable(
            "No curves.",
            "The value that patients are compared by is missing for all of them.",
            "Choose another grouping.",
        )
    lost = grouping.codes[chosen.dropped]
    # One sort finds every group's rows, however many groups there are.
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(grouping.labels) + 1))
    return [
        (label, chosen.rows.take(order[edges[code] : edges[code + 1]]), int((lost == code).sum()))
        for code, label in enumerate(grouping.labels)
        if edges[code] < edges[code + 1]
    ]


def _is_robust(rows: Rows, robust: bool | None) -> bool:
    if robust is not None:
        return robust
    return rows.cluster is not None or (rows.weights is not None and bool((rows.weights % 1 != 0).any()))
