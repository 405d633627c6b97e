"""A cohort's columns as rows to count: who is observed from when to when, with what weight, and who is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bedside.errors import Fixable
from bedside.survival.events import Rows, rows_of

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome


@dataclass(frozen=True, eq=False)
class Chosen:
    """The rows that are counted.

    Attributes
    ----------
    rows : Rows
        Checked columns of the patients who are counted.
    kept : int array, shape (n_kept,)
        Place of each of them in the cohort.
    dropped : int array, shape (n_dropped,)
        Place of those whose entry or weight was not recorded.
    """

    rows: Rows
    kept: np.ndarray
    dropped: np.ndarray

    def alive_at(self, origin: float) -> Chosen:
        """Those still under observation after a time, in the outcome's unit.

        Raises
        ------
        Fixable
            If the time is negative or not finite, or nobody was followed beyond it.
        """
        if not 0 <= origin < float("inf"):
            raise Fixable("No curves.", "The time to be alive at must be 0 or later.", "Choose a time such as 3 years.")
        if origin == 0:
            return self
        stay = self.rows.beyond(origin)
        if not stay.any():
            raise Fixable(
                "No curves.",
                "Nobody was followed beyond the time that patients are to be alive at.",
                "Choose an earlier time.",
            )
        return Chosen(self.rows.alive_at(origin), self.kept[stay], self.dropped)


def columns_of(
    cohort: Cohort, outcome: Outcome, *, entry: str | None = None, weights: str | ArrayLike | None = None
) -> Chosen:
    """Time, event, entry and weight of each patient, checked.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome
        Which times and events; competing events count as events.
    entry : str, optional
        Column with the time at which observation began, in the outcome's unit;
        by default the outcome's own, if it has one.
    weights : str or array-like of shape (n_patients,), optional
        Column of case weights, or the weights themselves. Above 0; NaN where not recorded.

    Returns
    -------
    Chosen
        Patients without a recorded entry or weight are left out, and counted.

    Raises
    ------
    Fixable
        If a column is not there or not of numbers, nobody is left, or a value is not usable.
    """
    time, event = cohort.time(outcome), cohort.event(outcome)
    began = cohort.entry(outcome) if entry is None else _numbers(cohort, entry, "time of entry")
    weight = _numbers(cohort, weights, "weight") if isinstance(weights, str) else weights
    if weight is not None:
        weight = np.asarray(weight, dtype=float)
    known = np.ones(len(time), dtype=bool)
    for column in (began, weight):
        if column is not None and len(column) == len(time):
            known &= ~np.isnan(column)
    if len(time) and not known.any():
        raise Fixable(
            "No curves.",
            "The time of entry or the weight is missing for all patients.",
            "Choose another column, or widen the filter.",
        )
    kept = np.flatnonzero(known)
    given = [None if c is None else c[known] if len(c) == len(time) else c for c in (began, weight)]
    rows = rows_of(
        time[known], event[known], entry=given[0], weights=given[1],
        numbers=None if began is None and weight is None else cohort.rows[known] + 1,
    )  # fmt: skip
    return Chosen(rows, kept, np.flatnonzero(~known))


def _numbers(cohort: Cohort, name: str, what: str) -> np.ndarray:
    if name not in cohort.frame or not pd.api.types.is_numeric_dtype(cohort.frame[name]):
        raise Fixable(
            "No curves.",
            f"The column chosen as {what} is not in this cohort or holds no numbers.",
            "Choose a continuous variable.",
        )
    return cohort.frame[name].to_numpy(dtype=float)
