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
from components.panels.survival_board import FEW, drawn, names, observed
from components.panels.survival_choices import Choice
from components.panels.survival_lead import told_by_type

ARRANGEMENTS = {"side": "Each type alone", "stacked": "Stacked"}


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
    alone = arrangement == "side"
    band = f" Band: pointwise {choice.level:.0%} interval ({choice.plan.interval})." if choice.band and alone else ""
    pale = f" Pale where fewer than {FEW} patients remain under observation." if alone else ""
    dotted = " Dotted: 1 − Kaplan-Meier of that type alone." if naive else ""
    x_title = f"{choice.unit.capitalize()} since {outcome.since}"
    save.figure(
        lambda mode: incidence_figure(
            found, arrangement=arrangement, unit=choice.unit, until=choice.until, band=choice.band, naive=naive,
            mode=mode, x_title=x_title, fade_below=FEW,
        ),
        key="survival_incidence",
        title="What happens first",
        aside="share of patients with each type of event",
        alt=incidence_alt(found, unit=choice.unit, until=choice.until),
        note=f"Aalen-Johansen estimate, {say.patients(n)}; events: {events}.{observed(outcome, choice)}{band}{dotted}"
        f"{pale}",
        stem="cumulative-incidence",
        rows=lambda: incidence_rows(found, unit=choice.unit),
        made=made,
    )  # fmt: skip


def _counts(found: Sequence[Incidence], choice: Choice) -> None:
    """Who is at risk, and what had happened, at round times."""
    times = nice_times(choice.until, choice.unit, most=7)
    head = page.join(page.fill('<th scope="col" class="bs-num">{t}</th>', t=f"{t:,.3g}") for t in times)
    body = []
    for g, mark in zip(found, names(found), strict=True):
        counts = g.counts([float(convert(float(t), choice.unit, g.unit)) for t in times])
        events = [(say.in_sentence(cause), counts.events[:, k]) for k, cause in enumerate(g.causes)]
        parts = [("at risk", counts.at_risk), *events, ("censored", counts.censored)]
        if len(found) > 1:
            body.append(page.fill('<tr><th scope="rowgroup" colspan="{n}">{m}</th></tr>', n=len(times) + 1, m=mark))
        body += [_counted(name, values, indent=len(found) > 1) for name, values in parts]
    page.put(
        '<div class="bs-scroll" tabindex="0" role="region" aria-label="At risk, and events so far">'
        '<table class="bs-table bs-groups"><thead><tr><th scope="col">{unit}</th>{head}</tr></thead>'
        "<tbody>{body}</tbody></table></div>",
        unit=choice.unit.capitalize(), head=head, body=page.join(body),
    )  # fmt: skip
    page.caption("At risk just before, events and censored up to each time.")


def _counted(name: str, values: Sequence[float], *, indent: bool) -> page.Markup:
    cells = page.join(page.fill('<td class="bs-num">{v}</td>', v=say.count(float(v))) for v in values)
    left = "1.4rem" if indent else "0"
    return page.fill('<tr><td style="padding-left:{left}">{name}</td>{cells}</tr>', left=left, name=name, cells=cells)


def _gray(of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice) -> None:
    tests = numbers.gray(of, outcome, grouping, choice.plan)
    page.heading("Do the groups differ?", "Gray's test, for each type of event")
    rows = [
        (test.cause, *(("no events", "", "") if math.isnan(test.p)
                       else (f"{test.statistic:.2f}", str(test.df), say.p_value(test.p))))
        for test in tests
    ]  # fmt: skip
    page.table(("Type of event", "Chi-squared", "df", "p"), rows, label="Gray's test")
    page.caption(
        "It compares how many have had each event by each time, the other events taken into account. A group can have "
        "less of one event because more of its patients had the other."
    )


def _at_times(of: Cohort, found: Sequence[Incidence], outcome: Outcome, choice: Choice) -> tuple[float, ...]:
    page.heading("At chosen times", f"share with the event, {choice.level:.0%} interval")
    times = chosen_times(choice, usual_times(of, outcome, choice))
    head = page.join(page.fill('<th scope="col">{t}</th>', t=f"{t:g} {say.unit_of(t, choice.unit)}") for t in times)
    body, rows = [], []
    for g, mark in zip(found, names(found), strict=True):
        at = g.at([float(convert(t, choice.unit, g.unit)) for t in times])
        parts = (at.incidence, at.lower, at.upper)
        for k, cause in enumerate(g.causes):
            cells = page.join(
                _cell(at.incidence[i, k], at.lower[i, k], at.upper[i, k], at.at_risk[i], choice)
                for i in range(len(times))
            )
            rows += [
                [
                    g.group,
                    t,
                    cause,
                    float(at.at_risk[i]),
                    *(_known(a[i, k]) for a in parts),
                ]
                for i, t in enumerate(times)
            ]
            name = cause if len(found) == 1 else page.fill("{mark}: {cause}", mark=mark, cause=say.in_sentence(cause))
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
    header = ["Group", f"Time ({choice.unit})", "Type of event", "At risk", "Share", "Lower limit", "Upper limit"]
    save.numbers(
        "survival_incidence_times", stem="incidence-at-times", rows=lambda: (header, rows),
        shown=lambda: _in_words(header, rows, choice), title="Share with each type of event at chosen times",
        note=f"Aalen-Johansen estimate, {choice.level:.0%} intervals.{observed(outcome, choice)}",
    )  # fmt: skip
    return times


def _in_words(header: Sequence[str], rows: Sequence[Sequence[object]], choice: Choice) -> save.Rows:
    def share(value: object) -> str:
        return "" if value is None else say.percent(float(value), decimals=choice.decimals)

    return header, [[g, f"{t:g}", cause, say.count(n), *map(share, shares)] for g, t, cause, n, *shares in rows]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _cell(value: float, low: float, high: float, at_risk: float, choice: Choice) -> page.Markup:
    if math.isnan(value):
        return page.Markup('<td class="bs-muted">beyond follow-up</td>')
    known = not (math.isnan(low) or math.isnan(high))
    return page.fill(
        '<td><b>{share}</b><br><span class="bs-muted">{between}<br>{n} at risk</span></td>',
        n=say.count(float(at_risk)),
        share=say.percent(value, decimals=choice.decimals),
        between=say.percent_range(low, high, decimals=choice.decimals) if known else "none so far",
    )


def _naive(found: Sequence[Incidence], outcome: Outcome, choice: Choice, when: float) -> None:
    """How wrong 1 - Kaplan-Meier would have been, for the event that the outcome is about."""
    page.heading("Why not 1 − Kaplan-Meier?", f"at {say.duration(when, choice.unit)}")
    rows, shares = [], []
    for g in found:
        at = g.at([float(convert(when, choice.unit, g.unit))])
        right, wrong = float(at.incidence[0, 0]), float(at.naive[0, 0])
        if not math.isnan(right):
            low, high = float(at.lower[0, 0]), float(at.upper[0, 0])
            known = not (math.isnan(low) or math.isnan(high))
            between = say.percent_range(low, high, decimals=choice.decimals) if known else ""
            shares.append(tuple(say.percent(v, decimals=choice.decimals) for v in (right, wrong)))
            estimate = page.fill('<b>{v}</b><br><span class="bs-muted">{b}</span>', v=shares[-1][0], b=between)
            rows.append((g.group, estimate, shares[-1][1]))
    head = ("", page.Markup("Estimated<br>share"), page.Markup("1 − Kaplan-Meier<br>(too high)"))
    page.table(head, rows, label="Incidence and 1 - Kaplan-Meier")
    others = " or ".join(say.in_sentence(cause) for cause in found[0].causes[1:])
    n = sum(sum(g.n_events[1:]) for g in found)
    text = f"Kaplan-Meier treats the {say.patients(int(n))} with {others} as if they could still have "
    text += f"{say.in_sentence(found[0].causes[0])}."
    if len(shares) == 1:
        right, wrong = shares[0]
        text += f" At {say.duration(when, choice.unit)} it would say {wrong} instead of {right}."
    page.caption(text)
