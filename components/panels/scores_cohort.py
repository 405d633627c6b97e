"""A score over the patients of this cohort: its groups, and what came true in each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_curves import Recipe, survival_made
from bedside.risk.scores import Results, Score
from bedside.risk.scores.cohort import Match, ObservedByScore, grouping_by_score
from components import desk, numbers_scores
from components.figures.palette import Mode
from components.figures.risks import RiskRow, risks_alt, risks_figure, risks_rows
from components.panels import horizon, page, save

WIDE = 64
"""Letters of a row's words and numbers that fit side by side on a narrow screen."""


OF_TYPED = "the values above"
"""Marks the group of what was typed by hand."""


def none_chosen(cohort: Cohort) -> None:
    """Where the cohort carries no score: what to do, and what is missing for each."""
    page.put(
        '<p class="bs-lead">{t}</p>',
        t="None of the published scores can be computed from the columns of this cohort. Choose one to compute it by "
        "hand for one patient.",
    )
    _lacking(cohort)


def show(cohort: Cohort, outcome: Outcome, score: Score, group: str = "") -> str:
    """The chosen score over this cohort, or what the cohort lacks for it.

    Parameters
    ----------
    group : str
        The group to be marked: that of the values typed by hand.

    Returns
    -------
    str
        What came true in that group here, in a sentence; "" if it is not known.
    """
    match = next(found for found in numbers_scores.matches(cohort) if found.score.key == score.key)
    here = ""
    with st.container(border=True, key="card_scores_cohort"):
        if match.ready:
            with desk.fixable():
                here = _computed(cohort, outcome, score, match, group)
        else:
            page.heading("In this cohort", score.name)
            page.put("<p>It cannot be computed here. {lacks}</p>", lacks=_lacks(match))
            ready = numbers_scores.ready(cohort)
            if ready:
                page.caption(f"It has what is needed for: {', '.join(other.name for other in ready)}.")
    _lacking(cohort)
    return here


def _computed(cohort: Cohort, outcome: Outcome, score: Score, match: Match, group: str) -> str:
    with st.container(key="screen_scores_horizon", horizontal=True, vertical_alignment="bottom"):
        with st.container(width="stretch"):
            page.caption(f"Over the {say.patients(len(cohort))} of this cohort")
        when, unit = horizon.choose(cohort, outcome)
    t = float(convert(when, unit, outcome.unit))
    found = numbers_scores.results(cohort, score)
    seen = numbers_scores.observed(cohort, outcome, score, t)
    rows = rows_of(seen, group)
    published = [row.published for row in rows if row.published == row.published]
    by = f"within {say.duration(when, unit)} of {outcome.since}"
    if made := no_test(cohort, score):
        page.caution(made)
    _figure(cohort, outcome, score, found, rows, by=by, unit=unit)
    if seen.by_fourths:
        page.caption("The score has no published groups: these are the cohort's own fourths by its value.")
    _published(score, outcome, bool(published))
    for sentence in match.assumed:
        page.caution(sentence)
    outside = int((found.outside & found.scored).sum())
    if outside:
        has = "has" if outside == 1 else "have"
        page.caution(
            f"{say.patients(outside)} {has} a value outside the ranges above and {_counts(outside)} all the same."
        )
    return _here(seen, group, f"{say.in_sentence(outcome.label)} {by}")


def no_test(cohort: Cohort, score: Score) -> str:
    """That a score is shown on patients it was made from, with their number; "" where it is not."""
    both, n = int(numbers_scores.learnt_from(cohort, score).sum()), len(cohort)
    if not both:
        return ""
    whom = f"all {n:,}" if both == n else f"{both:,} of these {n:,}"
    return f"The score was made from {whom} patients: this is no test of it."


def _here(seen: ObservedByScore, group: str, what: str) -> str:
    """What came true in the group of the values typed by hand."""
    found = next((g for g in seen.groups if g.label == group), None)
    if found is None or seen.by_fourths or found.risk != found.risk:
        return ""
    limits = f" ({say.range_of_100(found.lower, found.upper)})" if found.lower == found.lower else ""
    held = f"{say.patients(found.n)}, {say.events(found.events)}"
    return f"In this cohort, {say.of_100(found.risk)}{limits} of this group had {what}: {held}."


def rows_of(seen: ObservedByScore, group: str = "") -> list[RiskRow]:
    """A row for each group, lowest first; the one of the values typed by hand is marked."""
    return [
        RiskRow(
            label=f"{g.label} ({g.meaning})" if seen.by_fourths else g.label + f", {OF_TYPED}" * (g.label == group),
            aside=f"{say.patients(g.n)}, {say.events(g.events)}",
            risk=g.risk, lower=g.lower, upper=g.upper, kind="observed", published=g.published,
        )
        for g in seen.groups
    ]  # fmt: skip


def _figure(
    cohort: Cohort, outcome: Outcome, score: Score, found: Results, rows: list[RiskRow], *, by: str, unit: Unit
) -> None:
    title = f"{score.name}: what came true here"
    what = f"{outcome.label} {by}, by group of the {score.name}"

    def draw(mode: Mode):
        return risks_figure(rows, mode=mode, x_title=f"{outcome.label} {by}", room=WIDE)

    marks = "Squares: 1 − Kaplan-Meier with its 95% interval; events until then."
    if any(row.published == row.published for row in rows):
        marks += " Diamonds: mean of the published risks of the same patients."
    save.figure(
        draw, key="scores_groups", title=title, aside=_spread(score, found), alt=risks_alt(rows, what=what),
        note=f"{marks} {_counted(found)}", stem="score-groups", rows=lambda: risks_rows(rows),
        made=lambda: _made(cohort, outcome, score, found, unit),
        cautions=tuple(filter(None, [score.caution, no_test(cohort, score)])),
    )  # fmt: skip


def _counts(n: int) -> str:
    return "counts" if n == 1 else "count"


def _spread(score: Score, found: Results) -> str:
    low, middle, high = np.quantile(found.value[found.scored], (0.25, 0.5, 0.75))
    return f"median {score.say(middle)}, middle half {score.say(low)} to {score.say(high)}"


def _counted(found: Results) -> str:
    scored, without = int(found.scored.sum()), int((~found.scored).sum())
    if not without:
        return f"All {say.patients(scored)} have a score."
    return f"{say.patients(scored)} scored; {without:,} without one, for want of an input."


def _published(score: Score, outcome: Outcome, drawn: bool) -> None:
    """Whether what the score predicts is what is counted here."""
    if drawn:
        event = score.risk_of[0].event
        page.caption(
            f"The published risks are of {event}; counted here: {say.in_sentence(outcome.label)}. Where these differ, "
            "so may the numbers."
        )
    elif score.risk_of:
        years = sorted({of.years for of in score.risk_of})
        told = say.duration(years[0], "years") if len(years) == 1 else f"{years[0]:g} to {years[-1]:g} years"
        page.caption(f"The score publishes risks within {told}; none for this time.")
    else:
        page.caption("The score publishes no absolute risk: what stands here is this cohort's own.")


def _made(cohort: Cohort, outcome: Outcome, score: Score, found: Results, unit: Unit) -> Made:
    chosen = desk.selection()
    recipe = Recipe(unit=unit, test=None, filters=chosen.say(desk.whole()))
    made = survival_made(cohort, outcome, grouping_by_score(score, found), recipe)
    text = f"The {score.name} was computed for each patient as {score.formula} ({score.source.citation})."
    return replace(made, methods=f"{text} {made.methods}")


def _lacking(cohort: Cohort) -> None:
    """What is missing for each score that cannot be computed."""
    found = [match for match in numbers_scores.matches(cohort) if not match.ready]
    title = f"What this cohort lacks for the {len(found)} scores that cannot be computed"
    fold = st.expander(title, key="scores_lacking", on_change="rerun")
    if not fold.open:
        return
    with fold:
        rows = [(match.score.name, _lacks(match)) for match in found]
        page.table(("Score", "Missing"), rows, label="What is missing", numeric_from=9)
        page.caption("A column is found by the concept that the cohort's dictionary declares for it.")


def _lacks(match: Match) -> str:
    """What is missing, inputs of one reason together: "Not recorded: INR, sodium (serum)."."""
    by_reason: dict[str, list[str]] = {}
    for key, why in match.missing:
        label = match.score.input(key).label
        by_reason.setdefault(why.removeprefix(f"{label}: "), []).append(say.in_sentence(label))
    return " ".join(f"{why[:1].upper()}{why[1:]}: {', '.join(labels)}." for why, labels in by_reason.items())
