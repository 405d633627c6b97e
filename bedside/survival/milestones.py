"""Survival at chosen times: in each group, and between groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.survival.contrast import Effect, difference_of, place_of, ratio_of, two_sided
from bedside.survival.curve import Curve
from bedside.survival.estimate import curves_by

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping


@dataclass(frozen=True)
class Milestone:
    """One group at one time; NaN where its follow-up had ended.

    ``at_risk`` is counted just before the time, ``events`` up to and including it.
    """

    group: str
    time: float
    survival: float
    lower: float
    upper: float
    std_err: float
    at_risk: float
    events: int


@dataclass(frozen=True)
class MilestoneContrast:
    """A group against the reference at one time.

    Attributes
    ----------
    group, reference : str
    time : float
    difference, ratio : Effect
        Of the survival probabilities; each with the p of its own scale.
    p : float
        The p to report: of the comparison on the log(-log) scale, or of the
        difference where one of the curves is at 0 or at 1. NaN if neither varies.
    """

    group: str
    reference: str
    time: float
    difference: Effect
    ratio: Effect
    p: float


@dataclass(frozen=True)
class Milestones:
    """Every group at every time, in the order of times and, within, of groups."""

    unit: Unit
    level: float
    points: tuple[Milestone, ...]
    contrasts: tuple[MilestoneContrast, ...]


def milestones(curves: Sequence[Curve], times: ArrayLike, *, reference: str | None = None) -> Milestones:
    """Survival of each group at chosen times, and its difference from a reference group.

    Parameters
    ----------
    curves : sequence of Curve
        One for each group, in one unit and of one level.
    times : array-like, shape (n_times,)
        In the curves' unit.
    reference : str, optional
        Label of the group that the others are compared with; the first by default.

    Returns
    -------
    Milestones

    Raises
    ------
    Fixable
        If a time is not a number of 0 or more, or no group has the label of the reference.

    Notes
    -----
    The interval of a difference uses the standard errors of both curves
    (Greenwood's, unless robust): sqrt(se1^2 + se2^2). The test does better on
    the log(-log) scale, where it keeps its size in small samples and near 0 and
    1; so a p just below 5% may stand beside an interval that just includes 0.

    References
    ----------
    Klein, Logan, Harhoff & Andersen (2007), Stat Med 26:4505-4519.
    R: ``summary(survfit(...), times = )``, and arithmetic on it.
    """
    when = np.atleast_1d(np.asarray(times, dtype=float))
    if not (np.isfinite(when).all() and (when >= 0).all()):
        raise Fixable("No survival at these times.", "A time must be 0 or later.", "Choose times within follow-up.")
    at = place_of(tuple(curve.group for curve in curves), reference)
    read = [_read(curve, when) for curve in curves]
    return Milestones(
        curves[at].unit,
        curves[at].level,
        tuple(points[i] for i in range(len(when)) for points, _ in read),
        tuple(
            _contrast(read[at], read[k], i, curves[at].level)
            for i in range(len(when))
            for k in range(len(read))
            if k != at
        ),
    )


def milestones_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    times: ArrayLike,
    reference: str | None = None,
    **options: Any,
) -> Milestones:
    """Survival of a cohort's groups at chosen times in the outcome's unit; `curves_by` takes ``options``."""
    return milestones(curves_by(cohort, outcome, grouping, **options), times, reference=reference)


def _read(curve: Curve, when: np.ndarray) -> tuple[tuple[Milestone, ...], np.ndarray]:
    """The points of a curve, and the standard error of its logarithm at each."""
    points = curve.at(when)
    events = np.concatenate(([0], np.cumsum(curve.event_count)))
    seen = events[np.searchsorted(curve.time, when * (1 + 1e-9), side="right")]
    each = zip(
        when, points.survival, points.lower, points.upper, points.std_err, points.at_risk, seen, strict=True
    )  # fmt: skip
    return tuple(
        Milestone(curve.group, *(float(v) for v in values[:-1]), int(values[-1])) for values in each
    ), points.log_std_err


def _contrast(
    reference: tuple[tuple[Milestone, ...], np.ndarray],
    other: tuple[tuple[Milestone, ...], np.ndarray],
    i: int,
    level: float,
) -> MilestoneContrast:
    a, b = reference[0][i], other[0][i]
    spread = tuple(0.0 if m.survival == 0 else m.std_err for m in (a, b))
    difference = difference_of(a.survival, b.survival, *spread, level)
    p = difference.p
    if 0 < a.survival < 1 and 0 < b.survival < 1:
        logs = np.log([a.survival, b.survival])
        gap = float(np.log(logs[1] / logs[0]))
        p = two_sided(gap, float(np.hypot(*(np.array([reference[1][i], other[1][i]]) / logs))))
    return MilestoneContrast(b.group, a.group, a.time, difference, ratio_of(a.survival, b.survival, *spread, level), p)
