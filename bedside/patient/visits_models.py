"""Landmark models for all patients: a few round times, so that each visit finds one that was learnt already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.errors import Fixable
from bedside.patient.visits_risk import at_landmark, check_at_risk, landmark_pair, last_known, timeline, visits_of
from bedside.patient.visits_update import VisitRisk, visit_risk
from bedside.risk.fitted import Fitted
from bedside.risk.training import Target
from bedside.survival.curve import SLACK

STEPS: tuple[tuple[float, Unit], ...] = (
    (1, "days"), (1, "weeks"), (1, "months"), (3, "months"), (6, "months"), (1, "years"), (2, "years"), (5, "years"),
)  # fmt: skip
FINEST = 24
"""The late visits lie at no more steps than this."""
MOST = 12
FOLLOWED = 10
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
        One for each, of the last values known; None where too little follows to learn from.
    starts : tuple of Fitted or None
        Of the same patients, with the values of time zero.
    reach : tuple of float
        How far ahead at least 10 of its patients are followed, in the outcome's unit; NaN where there is no model.
    why : tuple of str
        Why there is none; empty where there is one.
    carried : tuple of Variable
        Those whose last known value is read.
    step : float
        What times are rounded to, in the outcome's unit.
    """

    at: tuple[float, ...]
    models: tuple[Fitted | None, ...]
    starts: tuple[Fitted | None, ...]
    reach: tuple[float, ...]
    why: tuple[str, ...]
    carried: tuple[Variable, ...]
    step: float

    def nearest(self, at: float) -> int | None:
        """Which of them reads a visit: the nearest with a model, or else the nearest; None where all are too far."""
        away = np.abs(np.array(self.at) - at)
        reach = max(self.step, NEAR * at) * (1 + SLACK)
        near = [int(i) for i in np.argsort(away, kind="stable") if away[i] <= reach]
        return next((i for i in near if self.models[i] is not None), near[0] if near else None)


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
    """Learn a model at each of the round times, and one with the values of time zero beside it.

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
    starts: list[Fitted | None] = []
    reach: list[float] = []
    why: list[str] = []
    carried: tuple[Variable, ...] = ()
    for i, at in enumerate(times):
        if progress is not None:
            progress(i / len(times), f"Landmark {i + 1} of {len(times)}")
        try:
            landmark = at_landmark(cohort, outcome, at, variables=variables, target=target)
            carried = landmark.carried
            updated, start = landmark_pair(landmark)
            models.append(updated)
            starts.append(start)
            reach.append(float(np.sort(landmark.updated.time)[-min(FOLLOWED, updated.n)]))
            why.append("")
        except Fixable as stop:
            if not carried and at == times[-1]:
                raise
            models.append(None)
            starts.append(None)
            reach.append(np.nan)
            why.append(stop.why)
    return Landmarks(times, tuple(models), tuple(starts), tuple(reach), tuple(why), carried, step)


def risk_at_visits(
    landmarks: Landmarks,
    cohort: Cohort,
    outcome: Outcome,
    row: int,
    ahead: float,
    model: Fitted,
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
        Of time zero: it says the risk there.

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
            found.append(_at(landmarks, first, seen[when <= at * (1 + SLACK)], float(at), ahead, model))
        except Fixable as stop:
            found.append(VisitRisk(float(at), first, why=stop.why))
    return tuple(found)


def _at(
    landmarks: Landmarks, first: pd.DataFrame, upto: pd.DataFrame, at: float, ahead: float, model: Fitted
) -> VisitRisk:
    if not at:
        return replace(visit_risk((model, None), first, first, ahead, at=at, landmark=np.nan), each=np.nan, cautions=())
    which = landmarks.nearest(at)
    reader = None if which is None else landmarks.models[which]
    if which is None or reader is None:
        why = "Too few patients were seen about this time to learn from." if which is None else landmarks.why[which]
        return VisitRisk(at, first, why=why)
    if ahead > reader.last * (1 + SLACK):
        return VisitRisk(at, first, why="Nobody who came as far was followed for so long after it.")
    own = known(first, landmarks.carried, upto)
    return visit_risk((reader, landmarks.starts[which]), own, first, ahead, at=at, landmark=landmarks.at[which])


def known(first: pd.DataFrame, carried: Sequence[Variable], upto: pd.DataFrame) -> pd.DataFrame:
    """One patient's values of time zero, with the last ones of some visits (in order of time) in their place."""
    place = np.zeros(len(upto), dtype=int)
    return first.assign(**{v.name: last_known(first, v, place, upto[v.name]) for v in carried})
