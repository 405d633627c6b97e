"""Published scores of the cohort that is open, each computed once per session."""

from __future__ import annotations

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.risk.scores import SCORES, Results, Score
from bedside.risk.scores.cohort import (
    Match,
    ObservedByScore,
    made_from,
    observed_by_score,
    score_cohort,
    scores_for,
)
from components import desk

FIELDS: dict[str, tuple[str, ...]] = {
    "Breast": ("npi",),
    "Liver": ("mayo_pbc", "meld", "meld_na", "meld_3", "child_pugh", "albi", "fib4"),
    "Kidney": ("ckd_epi", "kfre"),
    "Heart": ("cha2ds2_vasc", "has_bled", "framingham", "prevent"),
    "Acute": ("news2",),
}
"""Keys of the scores by what they are about, in the order in which they are offered."""


def labels() -> dict[str, str]:
    """What each score is called in a list, by its key: field first, so that neighbours belong together."""
    return {key: f"{field} · {SCORES[key].name}" for field, keys in FIELDS.items() for key in keys}


def matches(of: Cohort) -> tuple[Match, ...]:
    """Every score with the columns it would use, or what is missing; those that can be computed first."""
    return desk.kept(("score matches", of.fingerprint), lambda: scores_for(of))


def ready(of: Cohort) -> tuple[Score, ...]:
    """The scores whose inputs this cohort carries."""
    return tuple(match.score for match in matches(of) if match.ready)


def results(of: Cohort, score: Score) -> Results:
    """A score of every patient."""
    return desk.kept(("score", of.fingerprint, score.key), lambda: score_cohort(score, of))


def learnt_from(of: Cohort, score: Score) -> np.ndarray:
    """Which of these patients the score was made from, shape (n,)."""
    return desk.kept(("score made from", of.fingerprint, score.key), lambda: made_from(of, score))


def observed(of: Cohort, end: Outcome, score: Score, t: float) -> ObservedByScore:
    """What came true by a time in each group of a score; the time in the outcome's unit."""
    key = ("score observed", of.fingerprint, end.key, score.key, t)
    return desk.kept(key, lambda: observed_by_score(of, end, score, t))
