"""The survival page: its figure, and what must be known before it is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside import survival
from bedside.cohort import Cohort, Outcome, Variable, convert
from bedside.cohort.derived_words import caution
from bedside.cohort.groups import Grouping, largest
from bedside.engine.counted import CountedGrouping
from bedside.errors import Fixable
from bedside.report import say
from bedside.report.made import Made
from components import desk, numbers
from components.figures.km import km_alt, km_figure, km_rows
from components.figures.loglog import loglog_figure
from components.figures.palette import shades
from components.panels import page, save
from components.panels.survival_choices import ESTIMATORS, EVERYONE, Choice

FEW = 10  # patients at risk below which a figure is pale and a median is marked
MOST = 12  # groups that a figure can hold apart
ASIDE = {
    "survival": "share of patients",
    "incidence": "share of patients who had the event, 1 − S(t)",
    "hazard": "cumulative hazard H(t)",
    "complementary-log-log": "parallel where hazards are proportional",
}


def patients(of: Cohort, outcome: Outcome, groups: Grouping | None, choice: Choice) -> Cohort:
    """Whose numbers the page shows: of a live cohort, what is counted of its patients."""
    return (
        groups.cohort if isinstance(groups, CountedGrouping) else desk.with_columns(of, *columns(of, outcome, choice))
    )


def columns(of: Cohort, outcome: Outcome, choice: Choice) -> tuple[str, ...]:
    """What the page looks at beside the groups."""
    strata = st.session_state.get(f"survival_strata_{of.key}") or ()
    states = [name for o in of.outcomes for name in o.columns] if st.session_state.get("survival_states") else ()
    return (*outcome.columns, *filter(None, (choice.plan.entry, choice.plan.weights)), *strata, *states)


def groups(everyone: Cohort, cohort: Cohort, outcome: Outcome, choice: Choice) -> tuple[Choice, Grouping | None]:
    """The groups to compare, or None for all patients together; where there are none, why, and all together."""
    if choice.by == EVERYONE:
        return choice, None
    try:
        if choice.against:
            asked = columns(everyone, outcome, choice)
            return choice, desk.against_everyone_else(everyone, desk.selection(), columns=asked)
        cuts, asked = cuts_of(cohort, outcome, choice), columns(cohort, outcome, choice)
        found = desk.grouping(cohort, choice.by, cuts, columns=asked)
        if found.labels:
            return choice, found
        raise Fixable(
            "There are no groups to compare.",
            f"“{cohort.variable(choice.by).label}” is missing for all of these patients.",
            "Choose another grouping or widen the filter; until then all patients are shown together.",
        )
    except Fixable as stop:
        desk.show(stop)
        return replace(choice, by=EVERYONE, cuts=None), None


def cuts_of(of: Cohort, outcome: Outcome, choice: Choice) -> str | tuple[float, ...] | None:
    """Where a continuous variable is cut, the sharpest cut looked for."""
    return (numbers.best_cut(of, outcome, choice.by).above,) if choice.cuts == "best" else choice.cuts


def begin(
    of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice
) -> tuple[tuple[survival.Curve, ...], DeltaGenerator]:
    """The page's heading and what must be known before the rest is read; the curves to show.

    Where they cannot be drawn, the reason stands below the heading, and there are none. Also returns the place below
    the heading for the answer, which is known last.
    """
    try:
        found = curves(of, outcome, grouping, choice)
    except Fixable as stop:
        page.title(subject(of, outcome, choice))
        desk.show(stop)
        return (), st.container()
    page.title(subject(of, outcome, choice), aside(found, grouping), by=grouped(of, choice))
    answer = st.container()
    cautions(of, outcome, grouping, found, choice)
    return found, answer


def curves(of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice) -> tuple[survival.Curve, ...]:
    """The curves to show, of the largest groups if there are many; a single one is named for the patients it is of."""
    shown = drawn(grouping)
    by = None if grouping is None or choice.against or shown is not grouping else (
        choice.by, cuts_of(of, outcome, choice)
    )  # fmt: skip
    found = numbers.curves(of, outcome, shown, choice.plan, by=by)
    if grouping is None and not desk.selection().is_everyone:
        return tuple(replace(curve, group="Selected patients") for curve in found)
    return found


def drawn(grouping: Grouping | None) -> Grouping | None:
    """The groups that a figure can hold apart."""
    return None if grouping is None else largest(grouping, MOST)


def subject(of: Cohort, outcome: Outcome, choice: Choice) -> str:
    """The page's heading: what is shown, and by what patients are grouped."""
    label = outcome.label
    if choice.plan.alive_at:
        since = say.duration(float(convert(choice.plan.alive_at, outcome.unit, choice.unit)), choice.unit)
        label = f"{label}, after {since} without it"
    return f"{label}: {of.short_title}" if choice.by == EVERYONE else f"{label}, {grouped(of, choice)}"


def grouped(of: Cohort, choice: Choice) -> str:
    """By what patients are grouped; empty if they are not."""
    if choice.by == EVERYONE:
        return ""
    return f"by {'selection' if choice.against else say.in_sentence(of.variable(choice.by).label)}"


def aside(curves: Sequence[survival.Curve], grouping: Grouping | None) -> str:
    """Who stands behind the curves, and who was left out."""
    text = f"{say.patients(sum(c.n for c in curves))}, {say.events(sum(c.n_events for c in curves))}"
    if grouping is not None and grouping.dropped_missing:
        text += f"; {say.patients(grouping.dropped_missing)} without a value left out"
    dropped = sum(c.dropped for c in curves)
    if dropped:
        text += f"; {say.patients(dropped)} without a time of entry or a weight left out"
    return text


def cautions(
    of: Cohort, outcome: Outcome, grouping: Grouping | None, curves: Sequence[survival.Curve], choice: Choice
) -> None:
    """What must be known before these curves are read."""
    if outcome.note:
        page.remark(outcome.note)
    if grouping is None:
        return
    if len(grouping.labels) > MOST:
        warn(
            f"Only the {MOST} largest of {len(grouping.labels):,} groups are drawn and listed; the test compares all "
            "of them."
        )
    _crossings(curves, choice)
    if choice.against:
        return
    variable = of.variable(choice.by)
    _known_later(variable, choice)
    if choice.cuts == "best":
        _selected(of, outcome, choice)
    elif isinstance(choice.cuts, tuple) and choice.cuts != variable.cutpoints:
        warn("Cut-points chosen after seeing the curves make the difference look surer than it is.")
    if of.treatment is not None and of.treatment.column == variable.name:
        _allocation(of, outcome, grouping, choice)


def _known_later(variable: Variable, choice: Choice) -> None:
    """That groups were not known at time zero, and what that does to their curves."""
    if caution(variable):
        warn(caution(variable))
    elif variable.use == "later":
        told = f"{variable.label} is known only later ({variable.why_later})."
        if choice.plan.alive_at:
            warn(f"{told} Patients shown had come further than the chosen start: fair if it was known by then.")
        else:
            warn(
                f"{told} Patients who did badly early may be missing, or already show it, which alone can part the "
                "curves. A later start, “Still free after”, leaves out the time before it was known."
            )


def _selected(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    """A cut-point that was looked for: what looking costs, and that other patients may have another."""
    found = numbers.best_cut(of, outcome, choice.by)
    variable = of.variable(choice.by)
    tried = len(found.cuts)
    plan = choice.plan
    whole = " The cut was looked for in all patients from time zero on." if any(plan.observed) else ""
    warn(
        f"This cut ({variable.say(found.above)} and above against below) was chosen out of {tried:,} because it parts "
        f"the curves most. Corrected for that search, {say.p_value(found.p)}; the log-rank test below takes the cut as "
        f"given and is too sure.{whole} In other patients the best cut may lie elsewhere."
    )


def _crossings(curves: Sequence[survival.Curve], choice: Choice) -> None:
    """Where curves cross, one test tells half of the story: say so, and what to look at instead."""
    if len(curves) < 2:
        return
    found = survival.crossings(shown_as(curves, choice))
    for each in found[:2]:
        first, second = curves[each.first].group, curves[each.second].group
        ahead, behind = (first, second) if each.before.difference > 0 else (second, first)
        warn(
            f"The curves cross: up to about {say.duration(each.when, choice.unit)} {ahead} does better, later "
            f"{behind}. A single test, or a single hazard ratio, cannot say both: compare the mean time within a "
            "window, below, and the shares at chosen times."
        )
    if len(found) > 2:
        warn(f"{len(found) - 2} more pairs of curves cross.")


def _allocation(of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice) -> None:
    told = "" if of.treatment is None else of.treatment.note
    if of.treatment is not None and of.treatment.randomised:
        page.put("<p>{t}</p>", t=f"The groups were formed by randomisation. {told}".strip())
        return
    text = f"The groups were not formed by randomisation and may differ in other ways too. {told}".strip()
    found = desk.imbalance(of, outcome, grouping, choice.plan.alive_at)
    if found is not None:
        v, (first, second) = found.variable, grouping.labels[:2]
        text += (
            f" They differ most in {say.in_sentence(v.label)}: median {v.say(found.first)} ({first}) against "
            f"{v.say(found.second)} ({second})."
        )
    warn(text)
    if st.button("Compare as if they had been alike", icon=":material/balance:", key="screen_survival_fair",
                 type="tertiary"):  # fmt: skip
        st.switch_page(desk.page("comparison"), query_params=desk.link(comparison_by=of.treatment.column))


def warn(text: str) -> None:
    """A caution in the house's own colour."""
    page.warn(text)


def shown_as(curves: Sequence[survival.Curve], choice: Choice) -> list[survival.Curve]:
    """The curves in the chosen unit, their clock restarted if the reader wants it."""
    shown = [curve.convert(choice.unit) for curve in curves]
    return [curve.restart() for curve in shown] if choice.restarted else shown


def figure(
    curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice, made: Callable[[], Made] | None = None
) -> None:
    """The curves with their table of patients at risk; nothing where there are no curves."""
    if not curves:
        return
    shown = shown_as(curves, choice)
    origin = max(curve.origin for curve in shown)
    free = outcome.free_phrase[:1].upper() + outcome.free_phrase[1:]
    event = outcome.label
    x_title = f"{choice.unit.capitalize()} since {outcome.since}"
    until = choice.until
    if choice.restarted:
        x_title = f"{choice.unit.capitalize()} after the {choice.mark(outcome.unit)} mark"
        until = max(choice.until - float(curves[0].convert(choice.unit).origin), 0.01)
    title = {"survival": free, "incidence": event, "hazard": f"Cumulative hazard: {say.in_sentence(event)}"}

    def draw(mode: str) -> object:
        if choice.view == "complementary-log-log":
            return loglog_figure(shown, band=choice.band, until=until, mode=mode, x_title=x_title)
        return km_figure(
            shown, band=choice.band, until=until, mode=mode, y_title="", x_title=x_title, scale=choice.view
        )

    save.figure(
        draw,
        key="survival_km",
        title=title.get(choice.view, "Log of the cumulative hazard against log time"),
        aside=ASIDE[choice.view],
        alt=km_alt(shown),
        note=_note(curves, outcome, choice, origin),
        stem="survival",
        rows=lambda: km_rows(shown),
        made=made,
    )


def _note(curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice, origin: float) -> str:
    n, n_events = sum(c.n for c in curves), sum(c.n_events for c in curves)
    plan = choice.plan
    text = f"{ESTIMATORS[plan.estimator]} estimate, {say.patients(n)}, {say.events(n_events)}."
    text += observed(outcome, choice)
    if choice.band:
        text += f" Band: pointwise {plan.level:.0%} interval ({plan.interval})."
    if choice.view == "complementary-log-log":
        return text
    return (
        f"{text} Pale where fewer than {FEW} patients remain under observation. Below the axis, censored and events "
        "are counted up to each time."
    )


def observed(outcome: Outcome, choice: Choice) -> str:
    """Who is observed from when, and how patients are weighted, where that is not everybody from time zero alike."""
    plan, text = choice.plan, ""
    if plan.alive_at:
        since = say.duration(float(convert(plan.alive_at, outcome.unit, choice.unit)), choice.unit)
        text += f" Only patients still under observation and {outcome.free_phrase} after {since}."
    if plan.entry or outcome.entry:
        text += " Delayed entry: each patient counts from the time at which observation began."
    if plan.weights:
        text += " Weighted; standard errors robust where weights are no whole numbers."
    return text


def names(curves: Sequence[survival.Curve]) -> list[page.Markup]:
    """Group names with the colour of their curve beside them."""
    return [
        page.fill('<i class="bs-swatch" style="background:{c}"></i>{name}', c=colour, name=curve.group)
        for colour, curve in zip(shades(len(curves), desk.mode()), curves, strict=True)
    ]


def median(curve: survival.Curve, choice: Choice) -> tuple[str, str]:
    """The median and its interval in words; said when it rests on a handful of patients."""
    return time_of(curve, curve.median, choice)


def time_of(curve: survival.Curve, found: survival.Quantile, choice: Choice) -> tuple[str, str]:
    """A time read off a curve with its interval, in words, in the chosen unit."""
    more = 2 if choice.decimals else None
    estimate, lower, upper = (
        float(convert(value, curve.unit, choice.unit)) if not math.isnan(value) else value for value in found
    )
    if curve.n_events == 0:
        return "no events; not reached", ""
    if math.isnan(estimate):
        return "not reached", "" if math.isnan(lower) else f"from {say.duration(lower, choice.unit, decimals=more)}"
    few = " (few at risk)" if curve.at([found.estimate]).at_risk[0] < FEW else ""
    if math.isnan(lower) and math.isnan(upper):
        return say.duration(estimate, choice.unit, decimals=more) + few, "cannot be given"
    between = say.duration_range(lower, upper, choice.unit, decimals=more)
    return say.duration(estimate, choice.unit, decimals=more) + few, between
