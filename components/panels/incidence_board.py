"""Several types of event, each of which prevents the others: cumulative incidence instead of 1 - Kaplan-Meier."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome, convert
from bedside.cohort.groups import Grouping
from bedside.competing import Incidence
from bedside.report import say
from bedside.report.made import Made
from components import desk, numbers
from components.figures.incidence import incidence_alt, incidence_figure, incidence_rows
from components.figures.km import nice_times
from components.panels import page, save, survival_made
from components.panels.survival_answers import chosen_times, usual_times
from components.panels.survival_board import drawn, observed
from components.panels.survival_choices import Choice
from components.panels.survival_lead import told_by_type

ARRANGEMENTS = {"side": "Side by side", "stacked": "Stacked"}


def show(
    of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice, left: DeltaGenerator,
    right: DeltaGenerator, answer: DeltaGenerator,
) -> None:  # fmt: skip
    """The figure on the left, what it says on the right; the largest groups, if there are many."""
    choice = replace(choice, restart=False)  # shares of each type are told since time zero, a landmark or not
    found = numbers.incidence(of, outcome, drawn(grouping), choice.plan)
    with left:
        _figure(found, outcome, choice, survival_made.of_incidence(of, outcome, grouping, choice))
        _counts(found, choice)
    with right:
        if grouping is not None:
            with st.container(border=True, key="card_gray"), desk.fixable():
                _gray(of, outcome, grouping, choice)
        times: tuple[float, ...] = ()
        with st.container(border=True, key="card_incidence_times"), desk.fixable():
            times = _at_times(of, found, outcome, choice)
        with answer:
            told_by_type(found, choice, times)
        if times:
            with st.container(border=True, key="card_naive"):
                _naive(found, outcome, choice, times[-1])


def _figure(found: Sequence[Incidence], outcome: Outcome, choice: Choice, made: Callable[[], Made]) -> None:
    with st.container(key="screen_incidence", horizontal=True, vertical_alignment="bottom", gap="small"):
        arrangement = st.segmented_control(
            "Arrange", list(ARRANGEMENTS), default="side", required=True, format_func=ARRANGEMENTS.__getitem__,
            key="survival_arrangement", persist_state="session", label_visibility="collapsed",
        ) or "side"  # fmt: skip
        naive = arrangement == "side" and st.toggle(
            "What 1 − Kaplan-Meier would have said", key="survival_naive", persist_state="session"
        )
    n = sum(g.n for g in found)
    events = ", ".join(
        f"{sum(g.n_events[k] for g in found):,} {say.in_sentence(cause)}" for k, cause in enumerate(found[0].causes)
    )
    band = f" Band: pointwise {choice.level:.0%} interval ({choice.plan.interval})." if choice.band else ""
    dotted = " Dotted: 1 − Kaplan-Meier of that type alone." if naive else ""
    x_title = f"{choice.unit.capitalize()} since {outcome.since}"
    save.figure(
        lambda mode: incidence_figure(
            found, arrangement=arrangement, unit=choice.unit, until=choice.until, band=choice.band, naive=naive,
            mode=mode, x_title=x_title,
        ),
        key="survival_incidence",
        title="What happens first",
        aside="share of patients with each type of event",
        alt=incidence_alt(found, unit=choice.unit, until=choice.until),
        note=f"Aalen-Johansen estimate, {say.patients(n)}; events: {events}.{observed(outcome, choice)}{band}{dotted}",
        stem="cumulative-incidence",
        rows=lambda: incidence_rows(found, unit=choice.unit),
        made=made,
    )  # fmt: skip


def _counts(found: Sequence[Incidence], choice: Choice) -> None:
    """Who is at risk, and what had happened, at round times."""
    times = nice_times(choice.until, choice.unit, most=7)
    header = ["", *(f"{t:,.3g}" for t in times)]
    rows = []
    for g in found:
        counts = g.counts([float(convert(float(t), choice.unit, g.unit)) for t in times])
        events = [(say.in_sentence(cause), counts.events[:, k]) for k, cause in enumerate(g.causes)]
        parts = [("at risk", counts.at_risk), *events, ("censored", counts.censored)]
        rows += [(f"{g.group}: {name}", *(say.count(float(v)) for v in values)) for name, values in parts]
    page.table(header, rows, label="At risk, and events so far")
    page.caption(f"At risk just before, events and censored up to each time, in {choice.unit}.")


def _gray(of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice) -> None:
    tests = numbers.gray(of, outcome, grouping, choice.plan)
    page.heading("Do the groups differ?", "Gray's test, for each type of event")
    rows = [
        (test.cause, "no events" if math.isnan(test.p) else f"{test.statistic:.2f} on {test.df}",
         "" if math.isnan(test.p) else say.p_value(test.p))
        for test in tests
    ]  # fmt: skip
    page.table(("Type of event", "Chi-squared", "p"), rows, label="Gray's test")
    page.caption(
        "It compares how many have had each event by each time, the other events taken into account. A group can have "
        "less of one event because more of its patients had the other."
    )


def _at_times(of: Cohort, found: Sequence[Incidence], outcome: Outcome, choice: Choice) -> tuple[float, ...]:
    page.heading("At chosen times", f"share with the event, {choice.level:.0%} interval")
    times = chosen_times(choice, usual_times(of, outcome, choice))
    head = page.join(page.fill('<th scope="col">{t}</th>', t=f"{t:g} {say.unit_of(t, choice.unit)}") for t in times)
    body = []
    for g in found:
        at = g.at([float(convert(t, choice.unit, g.unit)) for t in times])
        for k, cause in enumerate(g.causes):
            cells = page.join(
                _cell(at.incidence[i, k], at.lower[i, k], at.upper[i, k], choice) for i in range(len(times))
            )
            name = cause if len(found) == 1 else f"{g.group}: {say.in_sentence(cause)}"
            body.append(
                page.fill(
                    '<tr><th scope="rowgroup" colspan="{n}">{name}</th></tr><tr>{cells}</tr>', n=len(times), name=name,
                    cells=cells,
                )
            )  # fmt: skip
    page.put(
        '<div class="bs-scroll" tabindex="0" role="region" aria-label="Incidence at chosen times">'
        '<table class="bs-table bs-groups"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>',
        head=head, body=page.join(body),
    )  # fmt: skip
    return times


def _cell(value: float, low: float, high: float, choice: Choice) -> page.Markup:
    if math.isnan(value):
        return page.Markup('<td class="bs-muted">beyond follow-up</td>')
    known = not (math.isnan(low) or math.isnan(high))
    return page.fill(
        '<td><b>{share}</b><br><span class="bs-muted">{between}</span></td>',
        share=say.percent(value, decimals=choice.decimals),
        between=say.percent_range(low, high, decimals=choice.decimals) if known else "none so far",
    )


def _naive(found: Sequence[Incidence], outcome: Outcome, choice: Choice, when: float) -> None:
    """How wrong 1 - Kaplan-Meier would have been, for the event that the outcome is about."""
    page.heading("Why not 1 − Kaplan-Meier?", f"at {say.duration(when, choice.unit)}")
    rows = []
    for g in found:
        at = g.at([float(convert(when, choice.unit, g.unit))])
        right, wrong = float(at.incidence[0, 0]), float(at.naive[0, 0])
        if not math.isnan(right):
            rows.append((g.group, f"{100 * right:.1f}%", f"{100 * wrong:.1f}%"))
    page.table(("", "Really had it", "1 − Kaplan-Meier"), rows, label="Incidence and 1 - Kaplan-Meier")
    others = " or ".join(say.in_sentence(cause) for cause in found[0].causes[1:])
    page.caption(
        f"{found[0].causes[0]}: counting patients with {others} as if they could still have it overstates how many "
        "will. The right-hand column is shown only as a warning."
    )
