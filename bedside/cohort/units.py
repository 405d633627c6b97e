"""Units of follow-up time, and nothing else: one definition for the whole house."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np

Unit = Literal["days", "weeks", "months", "years"]

DAYS: dict[Unit, float] = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
"""Length of each unit in days: a year is 365.25 days and a month a twelfth of it."""

Number = TypeVar("Number", float, np.ndarray)


def convert(value: Number, from_: Unit, to: Unit) -> Number:
    """A duration in another unit.

    Parameters
    ----------
    value : float or array
        Duration in the unit ``from_``.
    from_, to : {"days", "weeks", "months", "years"}
        Units before and after.

    Returns
    -------
    float or array
        The same duration in ``to``; untouched when the units are the same,
        so that nothing is rounded on a way that leads nowhere.
    """
    return value if from_ == to else value * (DAYS[from_] / DAYS[to])
