"""Risk updated at follow-up visits: landmark models of the time that is left, from the last values known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Variable, Visits, convert
from bedside.errors import Fixable
from bedside.risk.choice import chosen
from bedside.risk.fitted import Fitted
from bedside.risk.learners import learn
from bedside.risk.training import Target, Training, training
from bedside.survival.curve import SLACK

Settings = Mapping[str, float | int | str]
PLAIN: Settings = {"knots": 0}
"""Straight lines: after a landmark there are fewer events, and one model for each visit."""
FEWEST_EACH = 5
"""No visit is read by a model with fewer events for each coefficient."""


@dataclass(frozen=True, eq=False)
class AtLandmark:
    """Patients who are event-free and under observation at a landmark, and what was known of them by then.

    Attributes
    ----------
    at : float
        The landmark, in the outcome's unit since time zero.
    rows : array of int, shape (n,)
        Their places in the cohort.
    baseline, updated : Training
        The time that was left, with the values of time zero and with the last ones known.
    carried : tuple of Variable
        Those whose last value at a visit takes the place of the one at time zero.
    n_ended : int
        Patients seen at a visit whose follow-up ended by the landmark, with the event or without.
    """

    at: float
    rows: np.ndarray = field(repr=False)
    baseline: Training
    updated: Training
    carried: tuple[Variable, ...]
    n_ended: int


def at_landmark(
    cohort: Cohort,
    outcome: Outcome,
    at: float,
    *,
    variables: Sequence[str] | None = None,
    target: Target = "any",
) -> AtLandmark:
    """The patients of a landmark and their last known values.

    Parameters
    ----------
    cohort : Cohort
        With visits and an identifier.
    outcome : Outcome
    at : float
        The landmark, in the outcome's unit since time zero, 0 or later.
    variables : sequence of str, optional
        Columns of the cohort or of its visits. Default: the cohort's predictors.
    target : {"any", "event"}

    Returns
    -------
    AtLandmark
        Of those seen at a visit by then. A value that was not measured again is the last one before, at a visit or
        at time zero.

    Raises
    ------
    Fixable
        If there are no visits, none of the variables was measured at them, or nobody is left at the landmark.

    References
    ----------
    Van Houwelingen (2007), Scand J Stat 34:70-85. Van Houwelingen & Putter (2012), Dynamic Prediction in Clinical
    Survival Analysis, chapter 8.
    """
    visits = checked_visits(cohort)
    if not 0 <= at < np.inf:
        raise Fixable("No landmark.", "A landmark is a time of 0 or later.", "Choose a time since time zero.")
    wanted, carried = _wanted(cohort, visits, variables)
    place, when, seen = timeline(cohort, outcome)
    known = when <= at * (1 + SLACK)
    base = training(cohort, outcome, variables=[], target=target)
    here = np.zeros(len(cohort), dtype=bool)
    here[place[known]] = True
    left = base.time > at * (1 + SLACK)
    if base.entry is not None:
        left &= base.entry <= at * (1 + SLACK)
    rows = np.flatnonzero(here & left)
    if not len(rows):
        raise Fixable(
            "Nobody is left at that time.",
            f"No patient was seen at a visit by {at:.6g} {outcome.unit} and is event-free and followed beyond it.",
            "Choose an earlier time.",
        )
    frame = cohort.frame.copy()
    for variable in carried:
        frame[variable.name] = last_known(frame, variable, place[known], seen.loc[known, variable.name])
    start = replace(base, time=base.time - at, entry=None, variables=wanted).take(rows)
    before = replace(start, variables=tuple(v for v in wanted if cohort.has(v.name)))
    updated = replace(start, frame=frame.iloc[rows])
    return AtLandmark(float(at), rows, before, updated, carried, int((here & ~left).sum()))


def checked_visits(cohort: Cohort) -> Visits:
    if cohort.visits is None or cohort.identifier is None:
        raise Fixable(
            "The risk can't be updated at visits.",
            "This cohort has no table of visits.",
            "Use the risk from time zero, or add a table of visits to the cohort.",
        )
    return cohort.visits


def _wanted(
    cohort: Cohort, visits: Visits, names: Sequence[str] | None
) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """The variables of the models, those of the cohort first, and which of them visits measured."""
    measured = {v.name: v for v in visits.variables}
    own = chosen(cohort, None if names is None else [name for name in names if cohort.has(name)])
    extra = [measured[name] for name in names or () if name in measured and not cohort.has(name)]
    lost = [name for name in names or () if name not in measured and not cohort.has(name)]
    if lost:
        cohort.variable(lost[0])
    wanted = (*own, *extra)
    carried = tuple(v for v in wanted if v.name in measured and measured[v.name].is_numeric == v.is_numeric)
    if not carried:
        raise Fixable(
            "The risk can't be updated at visits.",
            "None of the model's variables was measured at visits.",
            f"Choose some of {', '.join(v.label for v in visits.variables[:5])}.",
        )
    return wanted, carried


def timeline(cohort: Cohort, outcome: Outcome) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Visits of the cohort's patients by patient and time: places in the cohort, times in the outcome's unit, rows.

    Raises
    ------
    Fixable
        If the cohort has no visits.
    """
    visits = checked_visits(cohort)
    place = pd.Index(cohort.frame[cohort.identifier].astype(str)).get_indexer(
        visits.frame[visits.patient].astype(str)
    )  # fmt: skip
    when = convert(visits.frame[visits.time].to_numpy(dtype=float), visits.unit, outcome.unit)
    order = np.lexsort((when, place))
    order = order[(place[order] >= 0) & np.isfinite(when[order])]
    return place[order], when[order], visits.frame.iloc[order].reset_index(drop=True)


def visits_of(cohort: Cohort, outcome: Outcome, row: int) -> tuple[np.ndarray, pd.DataFrame]:
    """The visits of one patient by time: times in the outcome's unit, and rows.

    Raises
    ------
    Fixable
        If the cohort has no visits.
    """
    visits = checked_visits(cohort)
    who = str(cohort.frame[cohort.identifier].iloc[row])
    own = visits.frame[(visits.frame[visits.patient].astype(str) == who).to_numpy()]
    when = convert(own[visits.time].to_numpy(dtype=float), visits.unit, outcome.unit)
    order = np.argsort(when, kind="stable")
    order = order[np.isfinite(when[order])]
    return when[order], own.iloc[order].reset_index(drop=True)


def last_known(frame: pd.DataFrame, variable: Variable, place: np.ndarray, seen: pd.Series) -> pd.Series:
    """The last known value for each patient of a frame; that of time zero where no visit has one.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, n_columns)
        Of time zero.
    variable : Variable
    place : array of int
        Whose visit each is, in `frame`; in order of time.
    seen : pandas.Series
        What was measured at each.
    """
    there = seen.notna().to_numpy()
    column = frame[variable.name] if variable.name in frame else pd.Series(np.nan, index=frame.index)
    values = column.astype(object).to_numpy().copy()
    # Visits are in order of time, so that the last assignment to a place is the last value.
    values[place[there]] = seen.astype(object).to_numpy()[there]
    if variable.is_numeric:
        return pd.Series(pd.to_numeric(values, errors="coerce").astype(float), index=frame.index)
    levels = variable.codes or tuple(sorted({str(v) for v in values if not pd.isna(v)}))
    return pd.Series(pd.Categorical(values, categories=list(levels)), index=frame.index)


def landmark_model(landmark: AtLandmark, *, settings: Settings | None = None, update: bool = True) -> Fitted:
    """A Cox model with a light ridge of the time that is left after a landmark.

    Parameters
    ----------
    landmark : AtLandmark
    settings : mapping, optional
        As for the kind ``"cox"``: ``{"knots": 3}`` for curves. Default: straight lines.
    update : bool, default True
        False learns from the values of time zero instead.

    Returns
    -------
    Fitted
        Its times count from the landmark.

    Raises
    ------
    Fixable
        If fewer than 10 events follow the landmark.
    """
    return learn("cox", landmark.updated if update else landmark.baseline, PLAIN if settings is None else settings)


def events_each(model: Fitted) -> float:
    """Events for each coefficient."""
    return model.n_events / max(len(model.design.terms), 1)


def landmark_pair(landmark: AtLandmark, *, settings: Settings | None = None) -> tuple[Fitted, Fitted | None]:
    """The model with the last values known, and that of the same patients with the values of time zero.

    Only such a pair tells what the new values change: a model of time zero is of other patients and other times.
    The second is None where no variable was there at time zero.

    Raises
    ------
    Fixable
        If fewer than 10 events follow the landmark, or fewer than 5 for each coefficient.
    """
    updated = landmark_model(landmark, settings=settings)
    if events_each(updated) < FEWEST_EACH:
        raise Fixable(
            "No update at that time.",
            f"Fewer than {FEWEST_EACH} events for each coefficient follow among those who came so far: a risk would "
            "say more of chance than of the patient.",
            "Choose an earlier time, or fewer variables.",
        )
    try:
        return updated, landmark_model(landmark, settings=settings, update=False)
    except Fixable:
        return updated, None


def check_at_risk(cohort: Cohort, outcome: Outcome, row: int, at: float) -> None:
    """Stop where a patient is known not to be event-free and under observation after a time.

    Raises
    ------
    Fixable
    """
    entry = cohort.entry(outcome)
    if entry is not None and entry[row] > at * (1 + SLACK):
        raise Fixable(
            "No risk from that time on for this patient.",
            "The patient came under observation after it.",
            "Choose a later time.",
        )
    if float(cohort.time(outcome)[row]) > at * (1 + SLACK):
        return
    had = bool(cohort.event(outcome)[row])
    raise Fixable(
        "No risk from that time on for this patient.",
        f"The patient's follow-up ended {'with the event' if had else 'without the event'} before it, or at it.",
        "Choose an earlier time.",
    )
