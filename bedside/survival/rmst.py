"""Restricted mean survival time: the area under a curve up to a time, and its comparison between groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.survival.contrast import Effect, difference_of, half_width, place_of, ratio_of
from bedside.survival.curve import SLACK, Curve
from bedside.survival.estimate import curves_by

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time free of the event up to tau (RMST), and mean time lost (RMTL).

    Attributes
    ----------
    group : str
    tau : float
        In ``unit``; counted from where the curve starts on its own clock.
    mean, lower, upper : float
        Area under the curve from its start to tau with a normal interval, in
        ``unit``; NaN if the group was not followed to tau.
    std_err : float
        Standard error of the mean, and of what is lost.
    lost, lost_lower, lost_upper : float
        Area above the curve: tau less the start less the mean.
    n, n_events : int
        Patients, and events up to tau.
    last : float
        The group's longest follow-up.
    """

    group: str
    unit: Unit
    tau: float
    mean: float
    lower: float
    upper: float
    std_err: float
    lost: float
    lost_lower: float
    lost_upper: float
    n: int
    n_events: int
    last: float


@dataclass(frozen=True)
class RestrictedContrast:
    """A group against the reference: difference and ratio of means, ratio of the times lost."""

    group: str
    reference: str
    difference: Effect
    ratio: Effect
    lost_ratio: Effect


@dataclass(frozen=True)
class RestrictedMeans:
    """All groups up to one tau; ``contrasts`` holds every group but the reference, in order."""

    tau: float
    unit: Unit
    level: float
    groups: tuple[RestrictedMean, ...]
    contrasts: tuple[RestrictedContrast, ...]


@dataclass(frozen=True)
class CurveSummary:
    """What R prints of a curve; ``mean`` is the restricted mean up to the longest follow-up of all groups."""

    group: str
    records: int
    n_max: float
    n_start: float
    events: float
    mean: float
    mean_std_err: float
    median: float
    lower: float
    upper: float


def restricted_mean(curve: Curve, tau: float, *, level: float | None = None, extend: bool = False) -> RestrictedMean:
    """Restricted mean survival time of one curve.

    Parameters
    ----------
    curve : Curve
    tau : float
        Up to when, in the curve's unit and on its clock.
    level : float, optional
        Coverage of the interval; the curve's own by default.
    extend : bool, default False
        Beyond the longest follow-up a curve above 0 says nothing, and the mean
        is NaN. True carries the last value on, as R does.

    Returns
    -------
    RestrictedMean

    Raises
    ------
    Fixable
        If tau is not after the curve's start.

    Notes
    -----
    The variance sums (area from t to tau)^2 d / (n (n - d)) over event times,
    whatever the estimator, or is the infinitesimal jackknife's if the curve is
    robust (R 3.5-3 prints the first for weighted curves as well).

    References
    ----------
    Royston & Parmar (2013), BMC Med Res Methodol 13:152; Uno et al (2014),
    J Clin Oncol 32:2380-2385. R: ``summary(survfit(...), rmean = tau)$table``, ``survRM2::rmst2``.
    """
    if not curve.origin < tau < float("inf"):
        raise Fixable(
            "No restricted mean.",
            "The time it is restricted to must lie after the start of the curve.",
            "Choose a later time.",
        )
    mean, std_err = _area(curve, tau)
    if not extend and not _reaches(curve, tau):
        mean = std_err = float("nan")
    reach = half_width(curve.level if level is None else level) * std_err
    lost = tau - curve.origin - mean
    until = curve.time <= tau * (1 + SLACK)
    return RestrictedMean(
        curve.group, curve.unit, float(tau), mean, mean - reach, mean + reach, std_err, lost, lost - reach,
        lost + reach, curve.n, int(curve.event_count[until].sum()), curve.last,
    )  # fmt: skip


def restricted_means(
    curves: Sequence[Curve], tau: float, *, reference: str | None = None, level: float = 0.95, extend: bool = False
) -> RestrictedMeans:
    """Restricted mean of each group, and each against a reference group.

    Parameters
    ----------
    curves : sequence of Curve
        One for each group, in one unit.
    tau, extend
        As in `restricted_mean`.
    reference : str, optional
        Label of the group that the others are compared with; the first by default.
    level : float, default 0.95
        Coverage of every interval.

    Returns
    -------
    RestrictedMeans
        A group that was not followed to tau has NaN.

    Raises
    ------
    Fixable
        If no group was followed to tau, or none has the label of the reference.

    References
    ----------
    R: ``survRM2::rmst2(time, status, arm, tau)$unadjusted.result``.
    """
    found = tuple(restricted_mean(curve, tau, level=level, extend=extend) for curve in curves)
    if found and all(np.isnan(g.mean) for g in found):
        raise Fixable(
            "No restricted mean.",
            f"No group was followed as long as that: the longest follow-up is {max(g.last for g in found):.6g} "
            f"{found[0].unit}.",
            "Choose an earlier time.",
        )
    at = place_of(tuple(g.group for g in found), reference)
    return RestrictedMeans(
        float(tau), found[at].unit, level, found,
        tuple(_contrast(found[at], g, level) for i, g in enumerate(found) if i != at),
    )  # fmt: skip


def restricted_means_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    tau: float | None = None,
    reference: str | None = None,
    level: float = 0.95,
    **options: Any,
) -> RestrictedMeans:
    """Restricted means of a cohort's groups.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `curves_by`, which also takes ``options``.
    tau : float, optional
        Up to when, in the outcome's unit; by default `longest_tau`.
    reference, level
        As in `restricted_means`.

    Returns
    -------
    RestrictedMeans
    """
    curves = curves_by(cohort, outcome, grouping, level=level, **options)
    return restricted_means(curves, longest_tau(curves) if tau is None else tau, reference=reference, level=level)


def longest_tau(curves: Sequence[Curve]) -> float:
    """The latest time that every group's curve reaches; a curve that has come down to 0 reaches any.

    A group that was followed for no time at all is not waited for.

    References
    ----------
    R: the default of ``survRM2::rmst2``, but for groups in which everybody had the event.
    """
    ends = [curve.last for curve in curves if curve.last > curve.origin and curve.survival[-1] > 0]
    return min(ends) if ends else max(curve.last for curve in curves)


def summaries(curves: Sequence[Curve]) -> tuple[CurveSummary, ...]:
    """What R prints of each curve: counts, restricted mean up to the longest follow-up of all, median.

    The standard error of the mean is Greenwood's for robust curves as well.

    References
    ----------
    R: ``summary(survfit(...))$table``.
    """
    end = max(curve.last for curve in curves)
    return tuple(
        CurveSummary(
            c.group, c.n, c.at_risk.max(), c.at_risk[1], c.events.sum(), *_area(c, end, greenwood=True), *c.median
        )
        for c in curves
    )


def _reaches(curve: Curve, tau: float) -> bool:
    return bool(curve.survival[-1] == 0 or tau <= curve.last * (1 + SLACK))


def _area(curve: Curve, tau: float, *, greenwood: bool = False) -> tuple[float, float]:
    """Area under a curve from its start to tau, and its standard error."""
    width = np.clip(np.minimum(np.append(curve.time[1:], np.inf), tau) - curve.time, 0, None)
    each = curve.survival * width
    if curve.influence is not None and not greenwood:
        variance = curve.influence.area_variance(curve.survival[1:], width[1:])
    else:
        n, d = curve.at_risk.astype(float), curve.events
        left = np.where(n > d, n * (n - d), np.inf)
        rest = np.cumsum(each[::-1])[::-1]
        variance = float(rest**2 @ (d / left))
    return float(each.sum()), float(np.sqrt(variance))


def _contrast(reference: RestrictedMean, group: RestrictedMean, level: float) -> RestrictedContrast:
    spread = reference.std_err, group.std_err
    return RestrictedContrast(
        group.group,
        reference.group,
        difference_of(reference.mean, group.mean, *spread, level),
        ratio_of(reference.mean, group.mean, *spread, level),
        ratio_of(reference.lost, group.lost, *spread, level),
    )
