"""Landmark models for all patients: a few round times, so that each visit finds one that was learnt already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.errors import Fixable
from bedside.patient.conditional import conditional_states
from bedside.patient.visits_risk import (
    VisitRisk,
    at_landmark,
    check_at_risk,
    landmark_model,
    last_known,
    timeline,
    visits_of,
)
from bedside.risk.fitted import Fitted
from bedside.risk.training import Target
from bedside.survival.curve import SLACK

STEPS: tuple[tuple[float, Unit], ...] = (
    (1, "days"), (1, "weeks"), (1, "months"), (3, "months"), (6, "months"), (1, "years"), (2, "years"), (5, "years"),
)  # fmt: skip
FINEST = 24
"""The late visits lie at no more steps than this."""
MOST = 12
NEAR = 0.2
"""A visit is read by a model of a landmark no further away than a step, or this share of its time."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Models of the time that is left after a few round times, for all patients.

    Attributes
    ----------
    at : tuple of float
        Ascending, in the outcome's unit since time zero.
    models : tuple of Fitted or None
        One for each; None where too little follows to learn from.
    why : tuple of str
        Why there is none; empty where there is one.
    carried : tuple of Variable
        Those whose last known value is read.
    step : float
        What times are rounded to, in the outcome's unit.
    """

    at: tuple[float, ...]
    models: tuple[Fitted | None, ...]
    why: tuple[str, ...]
    carried: tuple[Variable, ...]
    step: float

    def nearest(self, at: float) -> int | None:
        """Which of them reads a visit; None where all are too far from it."""
        if not self.at:
            return None
        away = np.abs(np.array(self.at) - at)
        found = int(away.argmin())
        return found if away[found] <= max(self.step, NEAR * at) * (1 + SLACK) else None


def landmark_times(cohort: Cohort, outcome: Outcome, *, most: int = MOST) -> tuple[tuple[float, ...], float]:
    """Round times at which most visits lie, and what they are rounded to, in the outcome's unit.

    Only visits after time zero and before the end of their patient's follow-up count.

    Raises
    ------
    Fixable
        If the cohort has no visits.
    """
    place, when, _ = timeline(cohort, outcome)
    seen = when[(when > 0) & (when < cohort.time(outcome)[place])]
    if not len(seen):
        return (), float("nan")
    late = float(np.quantile(seen, 0.95))
    steps = [float(convert(float(n), unit, outcome.unit)) for n, unit in STEPS]
    step = next((each for each in steps if late / each <= FINEST), late / FINEST)
    which, count = np.unique(np.maximum(np.rint(seen / step), 1).astype(int), return_counts=True)
    kept = which[np.argsort(-count, kind="stable")[:most]]
    return tuple(float(k * step) for k in np.sort(kept)), step


def landmark_models(
    cohort: Cohort,
    outcome: Outcome,
    variables: Sequence[str] | None = None,
    target: Target = "any",
    progress: Callable[[float, str], None] | None = None,
) -> Landmarks:
    """Learn a model at each of the round times.

    Parameters
    ----------
    cohort, outcome, variables, target
        As in `at_landmark`.
    progress : callable, optional
        Given the share done and what is being done.

    Raises
    ------
    Fixable
        If the cohort has no visits, or none of the variables was measured at them.
    """
    times, step = landmark_times(cohort, outcome)
    if not times:
        raise Fixable(
            "The risk can't be updated at visits.",
            "No visit after time zero lies within its patient's follow-up.",
            "Use the risk from time zero.",
        )
    models: list[Fitted | None] = []
    why: list[str] = []
    carried: tuple[Variable, ...] = ()
    for i, at in enumerate(times):
        if progress is not None:
            progress(i / len(times), f"Landmark {i + 1} of {len(times)}")
        try:
            landmark = at_landmark(cohort, outcome, at, variables=variables, target=target)
            carried = landmark.carried
            models.append(landmark_model(landmark))
            why.append("")
        except Fixable as stop:
            if not carried and at == times[-1]:
                raise
            models.append(None)
            why.append(stop.why)
    return Landmarks(times, tuple(models), tuple(why), carried, step)


def risk_at_visits(
    landmarks: Landmarks,
    cohort: Cohort,
    outcome: Outcome,
    row: int,
    ahead: float,
    model: Fitted,
    *,
    whole: Fitted | None = None,
) -> tuple[VisitRisk, ...]:
    """One patient's risk within a fixed time ahead at time zero and each visit, by models learnt before.

    Parameters
    ----------
    landmarks : Landmarks
    cohort, outcome
    row : int
        The patient's place in the cohort.
    ahead : float
        How far, in the outcome's unit, above 0.
    model : Fitted
        Of time zero: it says the risk at time zero, and what would hold had nothing been measured since.
    whole : Fitted, optional
        As in `bedside.patient.conditional_risk`.

    Returns
    -------
    tuple of VisitRisk
        By time, with the values known at each visit; empty without visits. A reason takes the place of a risk that
        can't be told: no model near, too short a follow-up behind it, or a patient who is no longer at risk then.
    """
    when, seen = visits_of(cohort, outcome, row)
    first, found = cohort.frame.iloc[[row]], []
    for at in np.unique(np.append(0.0, when[when >= 0])) if len(when) else ():
        try:
            check_at_risk(cohort, outcome, row, float(at))
        except Fixable as stop:
            found.append(VisitRisk(float(at), first, why=stop.why, ended=True))
            continue
        try:
            found.append(_at(landmarks, first, seen[when <= at * (1 + SLACK)], float(at), ahead, model, whole))
        except Fixable as stop:
            found.append(VisitRisk(float(at), first, why=stop.why))
    return tuple(found)


def _at(
    landmarks: Landmarks, first: pd.DataFrame, upto: pd.DataFrame, at: float, ahead: float, model: Fitted,
    whole: Fitted | None,
) -> VisitRisk:  # fmt: skip
    if not at:
        return _risk(model, first, at, ahead, float(model.risk(first, [ahead])[0, 0]))
    which = landmarks.nearest(at)
    reader = None if which is None else landmarks.models[which]
    if which is None or reader is None:
        why = "Too few patients were seen about this time to learn from." if which is None else landmarks.why[which]
        return VisitRisk(at, first, why=why)
    if ahead > reader.last * (1 + SLACK):
        return VisitRisk(at, first, why="Nobody who came as far was followed for so long after it.")
    until, unchanged = at + ahead, np.nan
    if until <= model.last * (1 + SLACK):
        unchanged = float(conditional_states(model, first, at, np.array([until]), whole=whole).event[0, 0])
    return _risk(reader, known(first, landmarks.carried, upto), at, ahead, unchanged)


def known(first: pd.DataFrame, carried: Sequence[Variable], upto: pd.DataFrame) -> pd.DataFrame:
    """One patient's values of time zero, with the last ones of some visits (in order of time) in their place."""
    place = np.zeros(len(upto), dtype=int)
    return first.assign(**{v.name: last_known(first, v, place, upto[v.name]) for v in carried})


def _risk(reader: Fitted, own: pd.DataFrame, at: float, ahead: float, unchanged: float) -> VisitRisk:
    risk, limits = float(reader.risk(own, [ahead])[0, 0]), reader.limits(own, [ahead])
    ends = (np.nan, np.nan) if limits is None else (float(limits.lower[0, 0]), float(limits.upper[0, 0]))
    return VisitRisk(
        at=at, values=own, risk=risk, lower=ends[0], upper=ends[1], limits="" if limits is None else limits.name,
        unchanged=unchanged, n=reader.n, n_events=reader.n_events,
    )  # fmt: skip
