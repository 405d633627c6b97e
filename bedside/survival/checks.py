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


def check_entry(entry: ArrayLike, time: np.ndarray, *, rows: np.ndarray | None = None) -> np.ndarray:
    """Times at which observation began, as float64, or the reason why not.

    Parameters
    ----------
    entry : array-like, shape (n_patients,)
        When each patient came under observation, in the unit of ``time``. It may
        be negative: whoever is observed from before time zero is at risk from it on.
    time : array, shape (n_patients,)
        Checked follow-up times: when observation ended.
    rows : int array, shape (n_patients,), optional
        Number of each patient's row in the table, from 1; by default their order.

    Returns
    -------
    array of float64, shape (n_patients,)

    Raises
    ------
    Fixable
        If a time of entry is missing or not finite, or observation does not
        begin before it ends (equal but for rounding counts as equal).
    """
    began = _numbers(entry, "times of entry")
    _same_length(began, time, "times of entry")
    _refuse(~np.isfinite(began), "has no time of entry", "have no time of entry")
    late = began >= time
    if not late.any():
        # Two times may be one but for rounding; R stops there too.
        merged = merge_ties(np.concatenate((began, time)))
        late = merged[: len(time)] >= merged[len(time) :]
    if late.any():
        raise Fixable(
            "Delayed entry cannot be counted.",
            f"Observation must begin before it ends; it does not in {_say(late, rows)}.",
            "Correct the time of entry or of follow-up in these rows, or leave them out with a filter.",
        )
    return began


def check_weights(weights: ArrayLike, n: int, *, rows: np.ndarray | None = None) -> np.ndarray:
    """Case weights as float64, all of them positive, or the reason why not.

    Parameters
    ----------
    weights : array-like, shape (n_patients,)
        How many patients each one stands for.
    n : int
        Number of patients.
    rows : int array, shape (n_patients,), optional
        As in `check_entry`.

    Returns
    -------
    array of float64, shape (n_patients,)

    Raises
    ------
    Fixable
        If a weight is missing, not finite, zero or negative.
    """
    weight = _numbers(weights, "weights")
    _same_length(weight, np.empty(n), "weights")
    _refuse(~np.isfinite(weight), "has no weight", "have no weight")
    if (weight <= 0).any():
        raise Fixable(
            "Weighted survival cannot be counted.",
            f"A weight must be above 0; it is not in {_say(weight <= 0, rows)}.",
            "Correct the weights, or leave these rows out with a filter: a patient of weight 0 is not in the curve.",
        )
    return weight


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


def _same_length(values: np.ndarray, time: np.ndarray, what: str) -> None:
    if len(values) != len(time):
        raise Fixable(
            "Survival cannot be counted.",
            f"There are {len(time)} follow-up times and {len(values)} {what}.",
            "Give one of each for each patient.",
        )


def _say(bad: np.ndarray, rows: np.ndarray | None) -> str:
    """Row numbers in words, those of the table where they are known."""
    from bedside.intake.rows import say_rows  # what reads files is slow to load, and needed for a refusal only

    if rows is None:
        return say_rows(bad)
    mask = np.zeros(int(rows.max()), dtype=bool)
    mask[rows[bad] - 1] = True
    return say_rows(mask)


def _refuse(bad: np.ndarray, one: str, many: str) -> None:
    count = int(bad.sum())
    if count:
        raise Fixable(
            "Survival cannot be counted.",
            f"{count} patient {one}." if count == 1 else f"{count} patients {many}.",
            "Correct these rows in the source, or leave them out with a filter.",
        )
