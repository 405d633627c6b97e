"""How the findings of the survival page were made: methods, the analysed rows, and scripts that recompute them."""

from __future__ import annotations

from dataclasses import replace

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.cohort.units import DAYS
from bedside.errors import Fixable
from bedside.report import made_lifelines, made_scripts
from bedside.report import made_words as words
from bedside.report.made import Made, Table
from bedside.report.made_rows import Analysed, Recipe, analysed, stored
from bedside.survival import GroupTest, weighted_test

__all__ = ["Recipe", "differences_made", "incidence_made", "survival_made"]

BEDSIDE, LIFELINES = "bedside", "lifelines"


def survival_made(cohort: Cohort, outcome: Outcome, grouping: Grouping | None, recipe: Recipe) -> Made:
    """How survival curves and their test were made.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `survival.curves_by`.
    recipe : Recipe

    Returns
    -------
    Made
        Its scripts print, for each group, n, events, the median, and time, survival and interval at each step in the
        figure's unit; and the test. lifelines' script leaves out, and says, what lifelines does not have.

    Raises
    ------
    Fixable
        As `survival.curves_by`.
    """
    rows = analysed(cohort, outcome, grouping, recipe)
    found = _tested(rows, recipe)
    recipe = recipe if found is not None else replace(recipe, test=None, strata=())
    data, name = stored(rows, "survival-data")
    # lifelines counts a group that was never at risk of an event as one more to compare.
    both = found is not None and bool((found.expected > 0).all()) and len(found.codes) == len(rows.labels)
    again = made_lifelines.curves(rows, recipe, _per(outcome, recipe), name, tested=both)
    text = [words.who(cohort, outcome, rows, recipe), words.curves(rows, recipe), words.test(rows, recipe, found)]
    scripts = {BEDSIDE: made_scripts.curves(rows, recipe, outcome.unit, name), LIFELINES: again}
    return _made(cohort, outcome, recipe, text, scripts, (data, name))


def differences_made(
    cohort: Cohort, outcome: Outcome, grouping: Grouping, recipe: Recipe, *, tau: float, reference: str
) -> Made:
    """How restricted means and shares at one time were compared.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `survival.curves_by`.
    recipe : Recipe
    tau : float
        The end of the window and the time of the shares, in ``recipe.unit`` on the figure's clock.
    reference : str
        Label of the group that the others are compared with.

    Returns
    -------
    Made

    Raises
    ------
    Fixable
        As `survival.curves_by`.
    """
    recipe = replace(recipe, test=None, strata=())
    rows = analysed(cohort, outcome, grouping, recipe)
    data, name = stored(rows, "survival-data")
    asked = {"tau": tau, "reference": reference}
    scripts = {
        BEDSIDE: made_scripts.differences(rows, recipe, outcome.unit, name, **asked),
        LIFELINES: made_lifelines.differences(rows, recipe, _per(outcome, recipe), name, **asked),
    }
    text = [
        words.who(cohort, outcome, rows, recipe), words.curves(rows, recipe), words.differences(recipe, tau, reference)
    ]  # fmt: skip
    return _made(cohort, outcome, recipe, text, scripts, (data, name))


def incidence_made(cohort: Cohort, outcome: Outcome, grouping: Grouping | None, recipe: Recipe) -> Made:
    """How the cumulative incidence of each type of event, and Gray's tests, were made.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `survival.curves_by`.
    recipe : Recipe
        Its test is Gray's, which there is without delayed entry only.

    Returns
    -------
    Made
        lifelines' script parts ties in order instead of at random, so that it comes to the same numbers.

    Raises
    ------
    Fixable
        As `survival.curves_by`.
    """
    recipe = replace(recipe, test=None, strata=(), restart=False)
    rows = analysed(cohort, outcome, grouping, recipe, types=True)
    data, name = stored(rows, "incidence-data")
    per = _per(outcome, recipe)
    scripts = {
        BEDSIDE: made_scripts.incidence(rows, recipe, per, name),
        LIFELINES: made_lifelines.incidence(rows, recipe, per, name),
    }
    text = [words.who(cohort, outcome, rows, recipe), words.incidence(rows, recipe)]
    return _made(cohort, outcome, recipe, text, scripts, (data, name))


def _tested(rows: Analysed, recipe: Recipe) -> GroupTest | None:
    """The test as the scripts will make it; None where there is none, or no answer."""
    if recipe.test is None or len(rows.labels) < 2:
        return None
    strata = None if rows.stratum is None else rows.stratum - 1
    try:
        return weighted_test(
            rows.time, rows.event, rows.group - 1, weighting=recipe.test, p=recipe.p, q=recipe.q, strata=strata,
            entry=rows.entry,
        )  # fmt: skip
    except Fixable:
        return None


def _per(outcome: Outcome, recipe: Recipe) -> float:
    """How many of the outcome's units one of the figure's units is."""
    return DAYS[recipe.unit] / DAYS[outcome.unit]


def _made(
    cohort: Cohort, outcome: Outcome, recipe: Recipe, text: list[str], scripts: dict[str, str | None],
    stored_as: tuple[Table, str],
) -> Made:  # fmt: skip
    data, name = stored_as
    said = " ".join(part for part in (*text, words.software(cohort)) if part)
    held = tuple((kind, script) for kind, script in scripts.items() if script is not None)
    return Made(said, held, data, name, words.stamp_of(cohort, outcome, recipe.filters, recipe.selected))
