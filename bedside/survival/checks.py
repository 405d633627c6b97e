"""What a pair of columns must be before anything is counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bedside.errors import Fixable

TIE = float(np.sqrt(np.finfo(float).eps))
"""Two times closer than this are one time: R's ``aeqSurv`` (``timefix = TRUE``) has the same tolerance."""


def check_times(time: ArrayLike, event: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Follow-up as float64 and events as bool, or the reason why not.

    Parameters
    ----------
    time : array-like, shape (n_patients,)
        Follow-up since time zero, in one unit; 0 is allowed.
    event : array-like, shape (n_patients,)
        True or 1 where follow-up ended with the event, False or 0 where it was censored.

    Returns
    -------
    time, event : arrays of float64 and bool, shape (n_patients,)

    Raises
    ------
    Fixable
        If there are no patients, the lengths differ, a time is missing,
        infinite or negative, or an event is neither 0 nor 1.
    """
    times = _numbers(time, "follow-up times")
    flags = _numbers(event, "events")
    if len(times) != len(flags):
        raise Fixable(
            "Survival cannot be counted.",
            f"There are {len(times)} follow-up times and {len(flags)} events.",
            "Give one time and one event for each patient.",
        )
    if not len(times):
        raise Fixable(
            "No curve.", "There are no patients in this group.", "Widen the filter or choose another grouping."
        )
    _refuse(~np.isfinite(times), "has no follow-up time", "have no follow-up time")
    _refuse(times < 0, "has a negative follow-up time", "have a negative follow-up time")
    _refuse(~np.isin(flags, (0.0, 1.0)), "has an event that is not 0 or 1", "have an event that is not 0 or 1")
    return times, flags.astype(bool)


def merge_ties(time: np.ndarray) -> np.ndarray:
    """Times with rounding noise removed, so that equal times are tied.

    0.1 + 0.2 and 0.3 are one day in any register. The rule is R's: a gap of at
    most 1.5e-8, absolutely or as a share of the mean distinct time, is no gap,
    and every time takes the smallest value of its run.

    References
    ----------
    R: ``aeqSurv(Surv(time, event))``; Therneau, vignette "Round off error and tied times".
    """
    distinct = np.sort(time)
    distinct = distinct[np.concatenate(([True], distinct[1:] != distinct[:-1]))]
    gap = np.diff(distinct)
    if not len(gap) or gap.min() > TIE * max(1.0, distinct.mean()):
        return time
    first = distinct[np.concatenate(([True], gap > TIE * max(1.0, distinct.mean())))]
    return first[np.searchsorted(first, time, side="right") - 1]


def _numbers(values: ArrayLike, what: str) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise Fixable(
            "Survival cannot be counted.", f"The {what} are not all numbers.", "Correct the column or its coding."
        ) from error
    if array.ndim != 1:
        raise Fixable("Survival cannot be counted.", f"The {what} are not one column.", "Give one value per patient.")
    return array


def _refuse(bad: np.ndarray, one: str, many: str) -> None:
    count = int(bad.sum())
    if count:
        raise Fixable(
            "Survival cannot be counted.",
            f"{count} patient {one}." if count == 1 else f"{count} patients {many}.",
            "Correct these rows in the source, or leave them out with a filter.",
        )
