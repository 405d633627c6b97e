"""Patients who have come as far as a landmark: their curves from there, and conditional survival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.survival.build import curve_of
from bedside.survival.columns import columns_of
from bedside.survival.curve import SLACK, Curve
from bedside.survival.estimate import curves_by
from bedside.survival.events import EventTable

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping

Clock = Literal["reset", "kept"]


@dataclass(frozen=True, eq=False)
class Landmark:
    """A landmark analysis.

    Attributes
    ----------
    at : float
        The landmark, in ``unit`` since time zero.
    clock : {"reset", "kept"}
        Whether the curves' time counts from the landmark or from time zero.
    curves : tuple of Curve
        Of the patients who were still under observation after the landmark, by group.
    n : int
        Patients of the cohort with a known entry, grouped or not.
    n_after : int
        Those still under observation after the landmark.
    n_event, n_censored : int
        Those left out because the event, or the end of follow-up, came before the landmark or at it.
    """

    at: float
    unit: Unit
    clock: Clock
    curves: tuple[Curve, ...]
    n: int
    n_after: int
    n_event: int
    n_censored: int


class ConditionalPoint(NamedTuple):
    """Survival a further time ahead, of patients alive at some time; NaN where follow-up ends before."""

    group: str
    alive_at: float
    ahead: float
    survival: float
    lower: float
    upper: float
    n: int
    events: int


def landmark_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    at: float,
    clock: Clock = "reset",
    **options: Any,
) -> Landmark:
    """Curves of patients who are alive and under observation at a landmark.

    What became known up to the landmark (a response, a relapse) may define the
    groups: nobody is in a group by having lived long enough to get there.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `curves_by`, which also takes ``options``. Groups may only use
        what was known at the landmark.
    at : float
        The landmark, in the outcome's unit since time zero. Who ends follow-up
        at it, with the event or without, is left out.
    clock : {"reset", "kept"}, default "reset"
        Whether time counts from the landmark on or from time zero.

    Returns
    -------
    Landmark

    Raises
    ------
    Fixable
        If nobody was followed beyond the landmark, or as in `curves_by`.

    References
    ----------
    Anderson, Cain & Gelber (1983), J Clin Oncol 1:710-719.
    R: ``survfit(Surv(time - L, event) ~ group, subset = time > L)``.
    """
    if clock not in get_args(Clock):
        raise Fixable("No landmark analysis.", "The clock is neither reset nor kept.", "Choose one of the two.")
    curves = curves_by(cohort, outcome, grouping, alive_at=at, **options)
    rows = columns_of(cohort, outcome, entry=options.get("entry"), weights=options.get("weights")).rows
    after = rows.beyond(at)
    return Landmark(
        at=float(at),
        unit=outcome.unit,
        clock=clock,
        curves=tuple(curve.restart() for curve in curves) if clock == "reset" else curves,
        n=len(after),
        n_after=int(after.sum()),
        n_event=int((rows.event & ~after).sum()),
        n_censored=int((~rows.event & ~after).sum()),
    )


def conditional(curve: Curve, alive_at: float) -> Curve:
    """Survival of the patients who are alive and under observation after some time: S(t) / S(s) for t > s.

    Parameters
    ----------
    curve : Curve
        Of everybody, with standard errors that are not robust.
    alive_at : float
        The time s, in the curve's unit and on its clock.

    Returns
    -------
    Curve
        Starts at (s, 1). Its interval counts events after s only, which is that
        of the patients at risk after s: the uncertainty of S(s) is none of theirs.

    Raises
    ------
    Fixable
        If s is before the curve's start, or nobody was followed beyond it.
    ValueError
        If the curve is robust: `curves_by` with ``alive_at`` counts such patients anew.

    References
    ----------
    Hieke et al (2015), Clin Cancer Res 21:1530-1536.
    R: ``survfit(Surv(pmax(entry, s), time, event) ~ 1, subset = time > s)``; where nobody's
    follow-up ends at s, the same as ``survfit(Surv(time, event) ~ 1, start.time = s)``.
    """
    if curve.robust:
        raise ValueError("a robust curve is made conditional by curves_by(..., alive_at=)")
    if not curve.origin <= alive_at < float("inf"):
        raise Fixable(
            "No conditional survival.", "The time to be alive at is before the curve's start.", "Choose a later time."
        )
    later = curve.time > alive_at * (1 + SLACK)
    later[0] = False
    if not later.any():
        raise Fixable(
            "No conditional survival.",
            "Nobody in this group was followed beyond the time to be alive at.",
            "Choose an earlier time.",
        )
    entry = None if curve.entry_time is None else np.maximum(curve.entry_time, alive_at)
    table = EventTable(
        curve.time[later], curve.at_risk[later], curve.events[later], curve.censored[later],
        None if curve.entered is None else curve.entered[later], _patients(curve, later),
        None if curve.count is None else curve.count[later], entry, curve.entry_number,
    )  # fmt: skip
    return curve_of(
        table, group=curve.group, unit=curve.unit, level=curve.level, interval=curve.interval,
        estimator=curve.estimator, origin=float(alive_at), dropped=curve.dropped,
    )  # fmt: skip


def conditional_survival(
    curves: Sequence[Curve], alive_at: Sequence[float], *, ahead: float
) -> tuple[ConditionalPoint, ...]:
    """The chance of surviving a further time for patients who have come to several times.

    Parameters
    ----------
    curves : sequence of Curve
        One for each group, from time zero, not robust.
    alive_at : sequence of float
        Times s that patients have come to, in the curves' unit.
    ahead : float
        How much further, above 0: S(s + ahead) / S(s).

    Returns
    -------
    tuple of ConditionalPoint
        By group and, within, by time. ``n`` patients are followed beyond s, and
        ``events`` of them have the event up to s + ahead.

    Raises
    ------
    Fixable
        If ``ahead`` is not above 0, or a time is before the curves' start.

    References
    ----------
    Hieke et al (2015), Clin Cancer Res 21:1530-1536.
    """
    if not 0 < ahead < float("inf"):
        raise Fixable("No conditional survival.", "The time ahead must be above 0.", "Choose a time such as 5 years.")
    return tuple(_ahead(curve, float(s), ahead) for curve in curves for s in alive_at)


def _ahead(curve: Curve, alive_at: float, ahead: float) -> ConditionalPoint:
    nothing = float("nan")
    if curve.last <= alive_at * (1 + SLACK):
        return ConditionalPoint(curve.group, alive_at, ahead, nothing, nothing, nothing, 0, 0)
    then = conditional(curve, alive_at)
    points, until = then.at(alive_at + ahead), then.time <= (alive_at + ahead) * (1 + SLACK)
    value = (float(v[0]) for v in (points.survival, points.lower, points.upper))
    return ConditionalPoint(curve.group, alive_at, ahead, *value, then.n, int(then.event_count[until].sum()))


def _patients(curve: Curve, later: np.ndarray) -> int:
    """How many end their follow-up later; of whole-number weights, their sum."""
    return round(float((curve.events + curve.censored)[later].sum()))
