"""How far ahead a cohort can see."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit, convert
from bedside.errors import Fixable

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome

SHARE, PATIENTS = 0.20, 10
UNITS: tuple[Unit, ...] = ("years", "months", "weeks", "days")


@dataclass(frozen=True)
class Horizon:
    """A time ahead at which risk is stated: ``Horizon(5.0, "years")``."""

    value: float
    unit: Unit

    def to(self, unit: Unit) -> float:
        """The same time in another unit."""
        return convert(self.value, self.unit, unit)


def default_horizon(cohort: Cohort, outcome: Outcome) -> Horizon:
    """The horizon a page opens with: the largest whole year that enough patients reach.

    Parameters
    ----------
    cohort : Cohort
        Patients.
    outcome : Outcome
        Whose follow-up counts.

    Returns
    -------
    Horizon
        See `horizon_of`.

    Raises
    ------
    Fixable
        If nobody was followed beyond time zero.
    """
    return horizon_of(cohort.time(outcome), unit=outcome.unit)


def horizon_of(time: ArrayLike, *, unit: Unit) -> Horizon:
    """The largest whole year that at least 20% and at least 10 patients reach.

    A patient reaches a time by being at risk just before it. Under one year it
    is the largest whole month, then week, then day, and below one day the time
    itself. With fewer than 10 patients, half of them must reach it.

    Parameters
    ----------
    time : array-like, shape (n_patients,)
        Follow-up in ``unit``.
    unit : {"days", "weeks", "months", "years"}
        Unit of ``time``.

    Returns
    -------
    Horizon

    Raises
    ------
    Fixable
        If there are no patients, or none was followed beyond time zero.
    """
    times = np.asarray(time, dtype=float)
    n = len(times)
    needed = max(math.ceil(SHARE * n), PATIENTS) if n >= PATIENTS else math.ceil(n / 2)
    reached = float(np.sort(times)[n - needed]) if n else 0.0
    longest = float(times.max(initial=0.0))
    if not longest > 0:
        raise Fixable(
            "No horizon.", "No patient was followed beyond time zero.", "Widen the filter or choose another outcome."
        )
    for whole in UNITS:
        value = math.floor(convert(reached, unit, whole) * (1 + 1e-9))
        if value >= 1:
            return Horizon(float(value), whole)
    return Horizon(reached if reached > 0 else longest, unit)
