"""What times and causes must be before anything is counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bedside.errors import Fixable
from bedside.survival.checks import check_times, merge_ties

WHAT = "The types of event cannot be counted."


def check_causes(time: ArrayLike, cause: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Follow-up as float64 with rounding noise removed, and causes as whole numbers, or the reason why not.

    Parameters
    ----------
    time : array-like, shape (n,)
        Follow-up since time zero, 0 or more.
    cause : array-like, shape (n,)
        0 where no event was seen, else the number of its type, from 1.

    Raises
    ------
    Fixable
        If a time is unusable, or a cause is no whole number from 0.
    """
    codes = np.asarray(cause, dtype=float)
    bad = int((~np.isfinite(codes) | (codes < 0) | (codes != np.floor(codes))).sum())
    if bad:
        raise Fixable(
            WHAT,
            f"{bad} row{'s have' if bad > 1 else ' has'} no type of event.",
            "Give 0 where no event was seen, and 1, 2, … for the types of event.",
        )
    times, _ = check_times(time, codes > 0)
    return merge_ties(times), codes.astype(np.int64)


def check_entry(entry: ArrayLike | None, time: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Follow-up and its start as float64, one rule for rounding noise in both, each start before its end.

    Raises
    ------
    Fixable
        If an entry is missing or not before the end of follow-up.
    """
    if entry is None:
        return time, None
    start = np.asarray(entry, dtype=float)
    absent = len(time) if start.shape != time.shape else int((~np.isfinite(start)).sum())
    if absent:
        raise Fixable(
            WHAT,
            f"{absent} of {len(time)} rows have no time of entry.",
            "Correct the column of entry times, or leave these rows out with a filter.",
        )
    both = merge_ties(np.concatenate((start, time)))
    start, end = both[: len(time)], both[len(time) :]
    late = int((start >= end).sum())
    if late:
        raise Fixable(
            WHAT,
            f"In {late} of {len(time)} rows follow-up does not begin before it ends.",
            "Correct the column of entry times, or leave these rows out with a filter.",
        )
    return end, start


def check_weights(weights: ArrayLike | None, n: int) -> np.ndarray | None:
    """Case weights as float64, all above 0.

    Raises
    ------
    Fixable
        If a weight is missing, infinite, zero or negative.
    """
    if weights is None:
        return None
    values = np.asarray(weights, dtype=float)
    bad = n if values.shape != (n,) else int((~np.isfinite(values) | (values <= 0)).sum())
    if bad:
        raise Fixable(
            WHAT,
            f"{bad} row{'s have' if bad > 1 else ' has'} a weight that is not above 0.",
            "Correct the column of weights, or leave these rows out with a filter.",
        )
    return values
