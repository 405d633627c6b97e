"""Groups of risk with the curves that were observed in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.cohort.units import Unit
from bedside.competing.gray import gray_test
from bedside.competing.incidence import cumulative_incidence
from bedside.competing.incidence_curve import Incidence
from bedside.errors import Fixable
from bedside.survival.compare import log_rank
from bedside.survival.curve import Curve
from bedside.survival.estimate import kaplan_meier
from bedside.survival.intervals import Interval
from bedside.validation.calibration import quantile_groups
from bedside.validation.measure import Rows, rows_of

NAMES = {
    2: ("Lower", "Higher"),
    3: ("Low", "Middle", "High"),
    4: ("Lowest", "Lower middle", "Upper middle", "Highest"),
}


@dataclass(frozen=True, eq=False)
class RiskGroups:
    """Patients in groups of risk.

    Attributes
    ----------
    labels : tuple of str
        From low to high.
    codes : array of int, shape (n,)
        Position in `labels`.
    curves : tuple of Curve or of Incidence
        One for each: Kaplan-Meier, or Aalen-Johansen with competing events.
    test : str
        Name of the test.
    statistic, p : float
        NaN where there is one group, or nothing to test.
    df : int
    """

    labels: tuple[str, ...]
    codes: np.ndarray
    curves: tuple[Curve, ...] | tuple[Incidence, ...]
    test: str
    statistic: float
    df: int
    p: float


def risk_groups(
    time: np.ndarray,
    cause: np.ndarray,
    score: np.ndarray,
    *,
    groups: int = 3,
    labels: tuple[str, ...] | None = None,
    entry: np.ndarray | None = None,
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
) -> RiskGroups:
    """Groups of equal size by a score, their observed curves, and a test of their difference.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    score : array, shape (n,)
        Higher means sooner. Cut at quantiles; equal scores stay together, so there may be fewer groups.
    labels : tuple of str, optional

    References
    ----------
    R: ``cut(score, quantile(score, 0:groups / groups), include.lowest = TRUE)``; ``survfit``, ``survdiff``;
    ``cmprsk::cuminc``; competing events with delayed entry are compared by their cause-specific hazards.
    """
    rows = rows_of(time, cause, entry)
    present, codes = np.unique(quantile_groups(np.asarray(score, dtype=float), groups), return_inverse=True)
    named = labels or NAMES.get(len(present)) or tuple(f"Group {k + 1}" for k in range(len(present)))
    named = named[: len(present)] if len(present) > 1 else ("All patients",)
    curves = []
    for k, label in enumerate(named):
        here = codes == k
        began = None if rows.entry is None else rows.entry[here]
        told = {"entry": began, "group": label, "unit": unit, "level": level, "interval": interval}
        curves.append(
            cumulative_incidence(rows.time[here], rows.cause[here], causes=_causes(rows.cause), **told)
            if rows.competes
            else kaplan_meier(rows.time[here], rows.event[here], **told)
        )
    name = "Gray's test" if rows.competes and rows.entry is None else "Log-rank test"
    statistic, df, p = _tested(rows, codes) if len(named) > 1 else (np.nan, 0, np.nan)
    return RiskGroups(named, codes, tuple(curves), name, statistic, df, p)


def _causes(cause: np.ndarray) -> tuple[str, ...]:
    return tuple(f"Cause {k}" for k in range(1, int(cause.max()) + 1))


def _tested(rows: Rows, codes: np.ndarray) -> tuple[float, int, float]:
    try:
        if rows.competes and rows.entry is None:
            found = gray_test(rows.time, rows.cause, codes)[0]
        else:
            found = log_rank(rows.time, rows.cause == 1, codes, entry=rows.entry)
    except Fixable:  # nobody had the event, or the groups were never followed beside each other
        return np.nan, 0, np.nan
    return float(found.statistic), int(found.df), float(found.p)
