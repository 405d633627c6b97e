"""One curve seen in several ways: survival, incidence, cumulative hazard, complementary log-log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.survival.curve import Curve
from bedside.survival.intervals import interval_of

Scale = Literal["survival", "incidence", "hazard", "complementary-log-log"]


@dataclass(frozen=True, eq=False)
class View:
    """A curve as it is drawn: right-continuous steps.

    Attributes
    ----------
    group : str
        Name of the group, text from the data.
    unit : {"days", "weeks", "months", "years"}
        Unit of time.
    scale : {"survival", "incidence", "hazard", "complementary-log-log"}
        What ``y`` is.
    x : array, shape (n_steps,)
        Time, or its natural logarithm for the complementary log-log.
    y, lower, upper : array, shape (n_steps,)
        Value and pointwise interval; NaN where there is no interval.
    """

    group: str
    unit: Unit
    scale: Scale
    x: np.ndarray
    y: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def view(curve: Curve, scale: Scale = "survival") -> View:
    """A curve on another scale; nothing is estimated anew.

    Parameters
    ----------
    curve : Curve
    scale : {"survival", "incidence", "hazard", "complementary-log-log"}
        S(t); the cumulative incidence 1 - S(t); the cumulative hazard H(t); or
        log(-log S(t)) against log t, where proportional hazards are parallel.

    Returns
    -------
    View
        Limits follow their value: those of 1 - S and of log(-log S) are those
        of S, turned round. The hazard's are those of exp(-H) on the curve's
        interval scale. The complementary log-log has the steps with t > 0 and
        0 < S < 1 only: there may be none.

    Raises
    ------
    Fixable
        If the scale is not known.

    References
    ----------
    R: ``plot(survfit(...), fun = "event" | "cumhaz" | "cloglog")``.
    """
    if scale not in get_args(Scale):
        known = ", ".join(get_args(Scale))
        raise Fixable("No such view.", "The scale of the curve is not known.", f"Choose one of: {known}.")
    x, y, lower, upper = _TURNED[scale](curve)
    return View(curve.group, curve.unit, scale, x, y, lower, upper)


def _survival(curve: Curve) -> tuple[np.ndarray, ...]:
    return curve.time, curve.survival, curve.lower, curve.upper


def _incidence(curve: Curve) -> tuple[np.ndarray, ...]:
    return curve.time, 1 - curve.survival, 1 - curve.upper, 1 - curve.lower


def _hazard(curve: Curve) -> tuple[np.ndarray, ...]:
    """The hazard's own interval: with a Kaplan-Meier curve, -log S is not the hazard that is shown."""
    left = np.exp(-curve.cumulative_hazard)
    limits = interval_of(left, curve.hazard_std_err, level=curve.level, interval=curve.interval)
    with np.errstate(divide="ignore"):
        upper, lower = (-np.log(limit) for limit in limits)
    lower[0] = upper[0] = 0.0
    return curve.time, curve.cumulative_hazard, np.abs(lower), upper


def _complementary(curve: Curve) -> tuple[np.ndarray, ...]:
    shown = (curve.time > 0) & (curve.survival > 0) & (curve.survival < 1)
    with np.errstate(divide="ignore"):
        y, lower, upper = (np.log(-np.log(s[shown])) for s in (curve.survival, curve.upper, curve.lower))
    return np.log(curve.time[shown]), y, lower, upper


_TURNED = {
    "survival": _survival,
    "incidence": _incidence,
    "hazard": _hazard,
    "complementary-log-log": _complementary,
}
