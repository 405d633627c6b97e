"""How the survival page's findings were made, from what the reader has set there."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.report.made import Made
from bedside.report.made_curves import Recipe, differences_made, incidence_made, survival_made
from bedside.report.made_survival_groups import groups_made, pairs_made
from bedside.survival import PairComparison
from components import desk
from components.panels.survival_choices import Choice


def of_curves(of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice) -> Callable[[], Made]:
    """Curves and their test."""
    return lambda: survival_made(of, outcome, grouping, recipe(of, choice))


def of_incidence(of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice) -> Callable[[], Made]:
    """Cumulative incidence of each type of event."""
    return lambda: incidence_made(of, outcome, grouping, recipe(of, choice))


def of_differences(
    of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice, *, tau: float, reference: str
) -> Callable[[], Made]:
    """Restricted means and shares at one time."""
    return lambda: differences_made(of, outcome, grouping, recipe(of, choice), tau=tau, reference=reference)


def of_pairs(
    of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice, found: PairComparison
) -> Callable[[], Made]:
    """Every two groups compared."""
    return lambda: pairs_made(of, outcome, grouping, recipe(of, choice), found)


def of_groups(of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice) -> Callable[[], Made]:
    """Each group in numbers."""
    return lambda: groups_made(of, outcome, grouping, recipe(of, choice))


def recipe(of: Cohort, choice: Choice) -> Recipe:
    """What the page's widgets say, the test included, which is chosen below the figure."""
    plan, chosen = choice.plan, desk.selection()
    said = chosen.say(desk.whole())
    state = st.session_state
    test = state.get("survival_test", "log-rank")
    powers = test == "fleming-harrington"
    return Recipe(
        level=plan.level, interval=plan.interval, estimator=plan.estimator, entry=plan.entry, weights=plan.weights,
        alive_at=plan.alive_at, unit=choice.unit, restart=bool(choice.restart and plan.alive_at), test=test,
        p=float(state.get("survival_fh_p", 0.0)) if powers else 0.0,
        q=float(state.get("survival_fh_q", 1.0)) if powers else 0.0,
        strata=tuple(state.get(f"survival_strata_{of.key}", ())),
        filters=() if choice.against else said, selected=said if choice.against else (),
        everyone="All patients" if chosen.is_everyone else "Selected patients",
    )  # fmt: skip
