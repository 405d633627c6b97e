"""What updating a risk at visits adds: concordance with values of time zero against the last ones known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bedside.cohort import Cohort, Outcome, Variable
from bedside.errors import Fixable
from bedside.patient.visits_risk import PLAIN, AtLandmark, Settings, at_landmark
from bedside.risk.learners import learn
from bedside.risk.training import Target
from bedside.validation.compare import corrected
from bedside.validation.discrimination import concordance
from bedside.validation.resample import folds_for, stratified_by_cause


@dataclass(frozen=True, eq=False)
class LandmarkGain:
    """What updating adds: Harrell's C of two models on the same held-out patients.

    Attributes
    ----------
    at : float
    n, n_events, folds, repeats : int
    baseline, updated : arrays, shape (repeats * folds,)
        C in each held-out part, of the models that learnt from values of time zero and from the last ones known.
    difference, lower, upper : float
        Mean difference and its 95% interval, by the resampled t test with Nadeau and Bengio's variance.
    carried : tuple of Variable
    """

    at: float
    n: int
    n_events: int
    folds: int
    repeats: int
    baseline: np.ndarray = field(repr=False)
    updated: np.ndarray = field(repr=False)
    difference: float
    lower: float
    upper: float
    carried: tuple[Variable, ...]


REPEATS = 5


def gain_at(
    cohort: Cohort,
    outcome: Outcome,
    at: float,
    variables: Sequence[str] | None = None,
    target: Target = "any",
    progress: Callable[[float, str], None] | None = None,
) -> LandmarkGain:
    """What updating adds at a landmark, for a background job: five times five folds.

    Parameters
    ----------
    cohort, outcome, at, variables, target
        As in `at_landmark`.
    progress : callable, optional
        Given the share done and what is being done.

    Raises
    ------
    Fixable
    """
    landmark = at_landmark(cohort, outcome, at, variables=variables, target=target)
    return landmark_gain(landmark, repeats=REPEATS, progress=progress)


def landmark_gain(
    landmark: AtLandmark,
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    settings: Settings | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> LandmarkGain:
    """Cross-validated C of baseline values against the last known ones, at one landmark for the same patients.

    Parameters
    ----------
    landmark : AtLandmark
    folds, repeats, seed : int
        As in `bedside.validation.cross_validate`.
    settings : mapping, optional
        As in `landmark_model`.
    progress : callable, optional
        Given the share done and what is being done.

    Raises
    ------
    Fixable
        If there are too few events after the landmark.

    References
    ----------
    Nadeau & Bengio (2003), Mach Learn 52:239-281.
    """
    first, last = landmark.baseline, landmark.updated
    used = folds_for(int(first.event.sum()), folds)
    if used is None:
        learn("cox", first, PLAIN)
        raise Fixable(
            "The update can't be checked.",
            f"{int(first.event.sum())} events follow that time, too few to hold some of them out.",
            "Choose an earlier time.",
        )
    found: dict[str, list[float]] = {"baseline": [], "updated": []}
    for repeat in range(repeats):
        fold = stratified_by_cause(first.cause, used, seed=seed + repeat)
        for k in range(used):
            if progress is not None:
                progress((repeat * used + k) / (repeats * used), f"Fold {repeat * used + k + 1} of {repeats * used}")
            for name, rows in (("baseline", first), ("updated", last)):
                fitted, held = learn("cox", rows.take(fold != k), settings or PLAIN), rows.take(fold == k)
                found[name].append(concordance(held.time, held.cause, fitted.score(held.frame)).c)
    baseline, updated = (np.array(found[name]) for name in ("baseline", "updated"))
    mean, _, lower, upper, _ = corrected(updated - baseline, 1 / (used - 1))
    return LandmarkGain(
        landmark.at, len(first), int(first.event.sum()), used, repeats, baseline, updated, float(mean), float(lower),
        float(upper), landmark.carried,
    )  # fmt: skip
