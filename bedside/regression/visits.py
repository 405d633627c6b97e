"""Follow-up cut at visits, each interval with the last values known at its start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, convert
from bedside.errors import Fixable
from bedside.regression.source import CohortColumns, columns_of


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals (start, stop] of patients, in the outcome's unit, with the columns that hold in them.

    Attributes
    ----------
    columns : CohortColumns
    rows : array of int, shape (m,)
        Each interval's patient, as a place in the cohort.
    start, stop : arrays, shape (m,)
    event : array of bool, shape (m,)
        True where the interval ends with the event.
    notes : tuple of str
    """

    columns: CohortColumns
    rows: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    event: np.ndarray
    notes: tuple[str, ...]


def intervals(
    cohort: Cohort, outcome: Outcome, names: tuple[str, ...], event: np.ndarray, *, carry: bool = True
) -> Intervals:
    """Cut follow-up at the visits.

    Parameters
    ----------
    cohort : Cohort
        With visits and an identifier.
    outcome : Outcome
    names : tuple of str
        Columns that are wanted; those that the visits hold are taken from there.
    event : array of bool, shape (n_patients,)
    carry : bool, default True
        Whether what a visit did not measure is carried forward from the last one that did.

    Raises
    ------
    Fixable
        If the cohort has no visits, or none of the wanted columns is measured at them.
    """
    visits = cohort.visits
    if visits is None or cohort.identifier is None:
        raise Fixable(
            "Values can't change with time here.",
            "This cohort has no table of visits.",
            "Use the values at time zero, or add a table of visits to the cohort.",
        )
    measured = {variable.name: variable for variable in visits.variables}
    changing = [name for name in names if name in measured]
    if not changing:
        raise Fixable(
            "Values can't change with time here.",
            "None of the chosen variables was measured at visits.",
            f"Choose one of {', '.join(v.label for v in visits.variables[:5])}, or use the values at time zero.",
        )
    place = pd.Series(np.arange(len(cohort)), index=cohort.frame[cohort.identifier].astype(str))
    seen = visits.frame[visits.frame[visits.patient].astype(str).isin(place.index)]
    patient = place.loc[seen[visits.patient].astype(str)].to_numpy()
    start = convert(seen[visits.time].to_numpy(dtype=float), visits.unit, outcome.unit)
    order = np.lexsort((start, patient))
    seen, patient, start = seen.iloc[order].reset_index(drop=True), patient[order], start[order]
    values = seen[changing].groupby(patient).ffill() if carry else seen[changing]
    end = cohort.time(outcome)[patient]
    last = np.append(patient[1:] != patient[:-1], True)
    stop = np.minimum(np.where(last, np.inf, np.append(start[1:], np.inf)), end)
    began = cohort.entry(outcome)
    if began is not None:  # what was measured before observation began holds from then on
        start = np.maximum(start, began[patient])
    stays = stop > start
    own = [name for name in cohort.frame.columns if name not in changing]
    frame = pd.concat(
        [
            cohort.frame[own].iloc[patient[stays]].reset_index(drop=True),
            values.loc[stays].reset_index(drop=True),
        ],
        axis=1,
    )
    variables = dict(columns_of(cohort).variables) | {name: measured[name] for name in changing}
    without = len(cohort) - len(np.unique(patient[stays]))
    return Intervals(
        columns=CohortColumns(frame, variables),
        rows=patient[stays],
        start=start[stays],
        stop=stop[stays],
        event=event[patient[stays]] & (stop[stays] == end[stays]),
        notes=(f"{without} patients have no visit during follow-up and are left out.",) if without else (),
    )
