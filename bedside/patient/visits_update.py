"""One patient's risk at each visit, by landmark models with the last values known and with those of time zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.patient.visits_risk import (
    AtLandmark,
    Settings,
    at_landmark,
    check_at_risk,
    checked_visits,
    events_each,
    landmark_pair,
    timeline,
)
from bedside.risk.fit import EVENTS_PER_COEFFICIENT
from bedside.risk.fitted import Fitted
from bedside.risk.training import Target
from bedside.survival.curve import SLACK


@dataclass(frozen=True, eq=False)
class VisitRisk:
    """One patient's risk at one visit.

    Attributes
    ----------
    at : float
        When, in the outcome's unit since time zero.
    values : pandas.DataFrame of one row
        The last values known then.
    risk, lower, upper : float
        Of the event within the time ahead; NaN where there is none, `why` says the reason.
    limits : str
        What the interval is.
    unchanged : float
        What a model of the landmark's patients that learnt from the values of time zero says of those of this patient;
        NaN at time zero, and where there is none.
    landmark : float
        Of the model that reads the visit, in the outcome's unit; NaN at time zero.
    n, n_events : int
        Behind the landmark's model.
    each : float
        Events for each of its coefficients.
    cautions : tuple of str
        About the fit of that model, beside what `each` tells.
    why : str
        Why there is no risk.
    ended : bool
        True where that is because the patient was not under observation any more, or not yet: `why` then tells of
        what happened to the patient.
    """

    at: float
    values: pd.DataFrame = field(repr=False)
    risk: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    limits: str = ""
    unchanged: float = np.nan
    landmark: float = np.nan
    n: int = 0
    n_events: int = 0
    each: float = np.nan
    cautions: tuple[str, ...] = ()
    why: str = ""
    ended: bool = False

    @property
    def weak(self) -> bool:
        """True where so few events stand behind each coefficient that risks vary much from one sample to the next."""
        return self.each < EVENTS_PER_COEFFICIENT


def visit_risk(
    pair: tuple[Fitted, Fitted | None], own: pd.DataFrame, first: pd.DataFrame, ahead: float, *, at: float,
    landmark: float,
) -> VisitRisk:  # fmt: skip
    """One patient's risk at a visit.

    Parameters
    ----------
    pair : tuple of Fitted
        As from `landmark_pair`.
    own, first : pandas.DataFrame of one row
        The last values known, and those of time zero.
    ahead, at, landmark : float
        In the outcome's unit.
    """
    reader, start = pair
    risk, limits = float(reader.risk(own, [ahead])[0, 0]), reader.limits(own, [ahead])
    ends = (np.nan, np.nan) if limits is None else (float(limits.lower[0, 0]), float(limits.upper[0, 0]))
    same = start is not None and ahead <= start.last * (1 + SLACK)
    few = events_each(reader) < EVENTS_PER_COEFFICIENT
    return VisitRisk(
        at=at, values=own, risk=risk, lower=ends[0], upper=ends[1], limits="" if limits is None else limits.name,
        unchanged=float(start.risk(first, [ahead])[0, 0]) if same else np.nan, landmark=landmark, n=reader.n,
        n_events=reader.n_events, each=events_each(reader),
        # A model's first caution is that of its number of events, if there is one.
        cautions=tuple(reader.cautions[1:] if few else reader.cautions),
    )  # fmt: skip


def updated_risk(
    cohort: Cohort,
    outcome: Outcome,
    row: int,
    ahead: float,
    *,
    variables: Sequence[str] | None = None,
    target: Target = "any",
    settings: Settings | None = None,
    kept: dict[float, tuple[AtLandmark, tuple[Fitted, Fitted | None]]] | None = None,
) -> tuple[VisitRisk, ...]:
    """One patient's risk within a fixed time ahead, at each of the patient's visits.

    Parameters
    ----------
    cohort, outcome, variables, target
        As in `at_landmark`.
    row : int
        The patient's place in the cohort.
    ahead : float
        How far, in the outcome's unit, above 0.
    settings : mapping, optional
        As in `landmark_model`.
    kept : dict, optional
        Landmark models by time, used and added to: one for all patients under the same choices.

    Returns
    -------
    tuple of VisitRisk
        By time; empty if the patient has no visits. At a visit after the event, or with too little after it to learn
        from, the reason takes the risk's place.

    Raises
    ------
    Fixable
        If the cohort has no visits, or `ahead` is not above 0.
    """
    checked_visits(cohort)
    if not 0 < ahead < np.inf:
        raise Fixable("No risk.", "The time ahead must be above 0.", "Choose a time such as 5 years.")
    place, when, _ = timeline(cohort, outcome)
    kept = {} if kept is None else kept
    found = []
    for at in np.unique(when[(place == row) & (when >= 0)]):
        try:
            landmark, pair = _made(cohort, outcome, float(at), row, kept, variables, target, settings)
            own = landmark.updated.frame.iloc[np.flatnonzero(landmark.rows == row)]
            found.append(visit_risk(pair, own, cohort.frame.iloc[[row]], ahead, at=landmark.at, landmark=landmark.at))
        except Fixable as stop:
            found.append(VisitRisk(float(at), cohort.frame.iloc[[row]], why=f"{stop.what} {stop.why}"))
    return tuple(found)


def _made(
    cohort: Cohort, outcome: Outcome, at: float, row: int,
    kept: dict[float, tuple[AtLandmark, tuple[Fitted, Fitted | None]]], variables: Sequence[str] | None,
    target: Target, settings: Settings | None,
) -> tuple[AtLandmark, tuple[Fitted, Fitted | None]]:  # fmt: skip
    check_at_risk(cohort, outcome, row, at)
    if at not in kept:
        landmark = at_landmark(cohort, outcome, at, variables=variables, target=target)
        kept[at] = (landmark, landmark_pair(landmark, settings=settings))
    return kept[at]
