"""What the chosen model goes by over the whole cohort, each worked out once per session for a model."""

from __future__ import annotations

from functools import partial

import numpy as np

from bedside import explain, risk
from bedside.cohort import Cohort, Outcome
from bedside.explain import Interactions, whole
from bedside.explain.interaction import AMONG
from bedside.explain.overtime import OverTime, Stability, stability
from bedside.risk.fitted import Fitted
from components import desk, jobs, model_choice
from components.model_choice import Choice

SUMS, CELLS = 1.3e6, 3e6
"""Up to a third of a second: coalitions of a sum of terms, and numbers that any other kind of model goes through."""
MOST = 1000
"""Patients that are explained at most."""


def explained(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, times: tuple[float, ...], *, slot: str = ""
) -> OverTime | None:
    """Contributions of the cohort's patients at some times in the outcome's unit; None while they are worked out."""
    key = ("explained model", *model_choice.key(cohort, outcome, choice), repr(times))
    found = desk.held(key)
    if found is not None:
        return found
    if _at_once(cohort, fitted, times):
        return desk.kept(key, lambda: whole.explained(fitted, cohort.frame, times))
    title = f"Explaining the {model_choice.named(choice.kind)} over the cohort"
    return jobs.wanted(key, title, partial(whole.explained, fitted, cohort.frame, times), slot=slot)


def _at_once(cohort: Cohort, fitted: Fitted, times: tuple[float, ...]) -> bool:
    """True if it takes no longer than drawing the page."""
    n = min(len(cohort), MOST)
    if n * 2.0 ** len(fitted.design.readings) * len(times) > SUMS:
        return False
    return n * explain.background(fitted, cohort.frame).game.cells(np.array(times)) <= CELLS


def together(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, t: float) -> Interactions | None:
    """How far variables matter together, among up to 200 patients; None while it is worked out."""
    held = ("pairs of the model", *model_choice.key(cohort, outcome, choice), t)
    work = partial(whole.together, fitted, cohort.frame, t, AMONG)
    if desk.held(held) is None and _at_once(cohort, fitted, (t,)):
        return desk.kept(held, work)
    return jobs.wanted(held, f"Looking for pairs of variables in the {model_choice.named(choice.kind)}", work)


def steady(cohort: Cohort, outcome: Outcome, choice: Choice, t: float) -> Stability | None:
    """How much importance changes from one part of the patients to the next; None while it is worked out."""
    rows = model_choice.rows(cohort, outcome, choice)
    held = ("steady model", *model_choice.key(cohort, outcome, choice), t)
    work = partial(stability, choice.kind, rows, t, settings=dict(choice.settings) or None)
    return jobs.wanted(held, f"Explaining the {model_choice.named(choice.kind)} of each part of the patients", work)


def recomputed(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: risk.Model, t: float
) -> tuple[float, float | None]:
    """Largest differences from lifelines (coefficients) and shap (contributions of three patients)."""

    def make() -> tuple[float, float | None]:
        with desk.progress("Recomputing with lifelines and shap"):
            few = cohort.frame.iloc[:3]
            contributions = explain.against_shap(fitted, few, explain.background(fitted, cohort), t)
            return risk.against_lifelines(fitted, cohort), contributions

    return desk.kept(("recomputed", *model_choice.key(cohort, outcome, choice), t), make)
