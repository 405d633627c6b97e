"""What the survival figure says: the test in a sentence, medians, shares at chosen times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside import survival
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.cohort.groups import Grouping
from bedside.errors import Fixable
from bedside.report import say
from components import desk, numbers
from components.figures.km import km_summary_rows
from components.panels import page, save, survival_made
from components.panels.pick import told_apart
from components.panels.survival_board import FEW, median, names, observed, shown_as
from components.panels.survival_choices import ESTIMATORS, Choice

TESTS = {
    "log-rank": "Log-rank",
    "gehan-breslow": "Gehan-Breslow (early differences count more)",
    "tarone-ware": "Tarone-Ware (early ones somewhat more)",
    "peto-peto": "Peto-Peto (early ones more)",
    "modified-peto-peto": "Modified Peto-Peto",
    "fleming-harrington": "Fleming-Harrington (you choose)",
}

LATEST = 1e6
"""The latest time that a reader can ask for, in any unit."""

PEOPLE = ("Gehan", "Tarone", "Peto", "Fleming")


def shares(of: Cohort, outcome: Outcome, curves: Sequence[survival.Curve], choice: Choice) -> tuple[float, ...]:
    """The cards beside the figure: shares at chosen times, and medians; returns which times to look at."""
    times: tuple[float, ...] = ()
    if not curves:
        return times
    with st.container(border=True, key="card_times"), desk.fixable():
        times = _at_times(of, curves, outcome, choice)
    with st.container(border=True, key="card_medians"):
        _medians(curves, outcome, choice)
    return times


def test(
    of: Cohort, outcome: Outcome, grouping: Grouping | None, curves: Sequence[survival.Curve], choice: Choice
) -> numbers.Question:
    """The card of the test; returns which one the reader asked for."""
    asked = numbers.Question()
    # The test counts every patient once, so that it has an answer where weights have none.
    if grouping is not None and (curves or choice.plan.weights):
        with st.container(border=True, key="card_test"):
            asked = _test(of, outcome, grouping, choice)
    return asked


# ------------------------------------------------------------------ the test


def question(of: Cohort, choice: Choice) -> numbers.Question:
    """Which test, and within what strata: behind a button, since the log-rank test is what is usually asked."""
    kinds = list(get_args(survival.Weighting))
    test = st.selectbox("Test", kinds, format_func=TESTS.__getitem__, key="survival_test", persist_state="session")
    p = q = 0.0
    if test == "fleming-harrington":
        st.caption("Weights S^p (1 − S)^q: p above 0 looks at early differences, q above 0 at late ones. Choose them "
                   "before the curves are seen.")  # fmt: skip
        p = st.number_input("p", 0.0, 5.0, 0.0, 0.5, key="survival_fh_p", persist_state="session")
        q = st.number_input("q", 0.0, 5.0, 1.0, 0.5, key="survival_fh_q", persist_state="session")
    others = told_apart({v.name: v.label for v in of.groupings if v.name != choice.by})
    strata = st.multiselect(
        "Compare only patients alike in", list(others), format_func=others.__getitem__, key=f"survival_strata_{of.key}",
        persist_state="session", max_selections=3,
        help="Patients are compared only with those of the same stratum, for instance the same centre or sex.",
    )  # fmt: skip
    return numbers.Question(test, float(p), float(q), tuple(strata))


def _test(of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice) -> numbers.Question:
    with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", gap="small"):
        head = st.container(width="stretch")
        with st.container(key="screen_test", width="content"):
            menu = st.popover("Test", icon=":material/tune:", type="tertiary", key="survival_test_menu")
        with menu:
            asked = question(of, choice)
    with desk.fixable():
        _told(of, outcome, grouping, choice, asked, head)
    return asked


def _told(
    of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice, asked: numbers.Question, head: DeltaGenerator
) -> None:
    found = numbers.comparison(of, outcome, grouping, choice.plan, asked)
    test = found.test
    with head:
        page.heading("Is it more than chance?", f"{_short(test.name)} {say.p_value(test.p)}")
    text = f"If the groups did not differ, a difference at least this large would arise in {_chance(test.p)} such "
    text += "comparisons."
    text += " That does not say why they differ." if test.p < 0.05 else " That does not show that the groups are alike."
    if not choice.against and len(test.observed) > 2:
        text += " The test asks whether any group differs from the others."
    page.put('<p>{text}</p><p class="bs-muted">{detail}</p>', text=text, detail=_detail(found, of, choice))
    if choice.plan.weights:
        page.caption("The test counts every patient once; the curves use the case weights.")
    columns = ["Test", "Chi-squared", "Degrees of freedom", "p"]
    save.numbers(
        "survival_tested", stem="test", title=f"{outcome.label}: is it more than chance?",
        rows=lambda: (columns, [[test.name, test.statistic, test.df, test.p]]),
        shown=lambda: (columns, [[test.name, f"{test.statistic:.2f}", f"{test.df:g}", say.p_value(test.p)]]),
        note=_detail(found, of, choice), made=survival_made.of_curves(of, outcome, grouping, choice),
    )  # fmt: skip


def _short(name: str) -> str:
    """A test's name within a line: "log-rank", "Gehan-Breslow"; people keep their capitals."""
    text = name.replace(" test", "")
    return text if text.startswith(PEOPLE) else say.in_sentence(text)


def _chance(p: float) -> str:
    """A p-value as a natural frequency, never none and never all."""
    if p < 0.001:
        return "fewer than 1 of 1,000"
    if p > 0.99:
        return "more than 99 of 100"
    return f"about {round(1000 * p)} of 1,000" if p < 0.01 else f"about {round(100 * p)} of 100"


def _detail(found: survival.Comparison, of: Cohort, choice: Choice) -> str:
    test = found.test
    freedom = "degree" if test.df == 1 else "degrees"
    text = f"Chi-squared {test.statistic:.2f} on {test.df:g} {freedom} of freedom, over the whole follow-up."
    if found.strata:
        named = " and ".join(say.in_sentence(title) for title in found.strata)
        text += (
            f" Compared within {test.strata:,} strata of {named}, {test.informative:,} of which have events to compare."
        )
    if found.trend is not None and _is_ordered(of, choice):
        text += f" Trend from group to group: {say.p_value(found.trend.p)}."
    if test.sparse:
        text += " So few events are expected that the p-value is only a rough guide."
    left = found.left_out.strata + found.left_out.entry
    if left:
        text += f" {say.patients(left)} without a stratum or a time of entry take no part."
    return f"{text} Where curves cross, the test can miss a difference."


def _is_ordered(of: Cohort, choice: Choice) -> bool:
    """True if the groups follow one another: then a trend along them has a meaning."""
    return not choice.against and (of.variable(choice.by).is_numeric or of.variable(choice.by).kind == "ordinal")


# ------------------------------------------------------------------ times


def _medians(drawn: Sequence[survival.Curve], outcome: Outcome, choice: Choice) -> None:
    page.heading("Half of patients", f"median time, {choice.level:.0%} interval")
    said = [_median(c, outcome, choice) for c in shown_as(drawn, choice)]
    rows = page.join(
        page.fill(
            '<tr><th scope="row">{name}</th></tr>'
            '<tr><td><b>{median}</b> <span class="bs-muted">{between}</span></td></tr>',
            name=name,
            median=text,
            between=between,
        )
        for name, (text, between) in zip(names(drawn), said, strict=True)
    )
    page.put('<table class="bs-table bs-groups" aria-label="Median times"><tbody>{rows}</tbody></table>', rows=rows)
    since = f" since {outcome.since}" if choice.plan.alive_at else ""
    if choice.restarted:
        since = f" after the {choice.mark(outcome.unit)} mark"
    told = f"Time{since} by which half had had the event ({say.in_sentence(outcome.label)})."
    page.caption(told)
    shown = shown_as(drawn, choice)
    save.numbers(
        "survival_medians", stem="medians", rows=lambda: km_summary_rows(shown, ()),
        shown=lambda: (["", "Median", f"{choice.level:.0%} interval"],
                       [[c.group, *each] for c, each in zip(drawn, said, strict=True)]),
        title=f"Half of patients: {say.in_sentence(outcome.label)}", note=f"{told} {_rests_on(drawn, outcome, choice)}",
    )  # fmt: skip


def _median(shown: survival.Curve, outcome: Outcome, choice: Choice) -> tuple[str, str]:
    """On the clock of the page; where that starts later, on the clock of time zero too."""
    text, between = median(shown, choice)
    found = shown.median.estimate
    if not choice.restarted or math.isnan(found):
        return text, between
    more = 2 if choice.decimals else None
    whole = say.number_of(found + float(convert(choice.plan.alive_at, outcome.unit, choice.unit)), decimals=more)
    number, unit, *few = text.split(" ", 2)
    return " ".join((number, "more", unit, f"({whole} after {outcome.since})", *few)), between


def _at_times(of: Cohort, curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice) -> tuple[float, ...]:
    page.heading("At chosen times", f"{outcome.free_phrase}, {choice.level:.0%} interval")
    times = chosen_times(choice, usual_times(of, outcome, choice))
    points = [curve.at(times) for curve in shown_as(curves, choice)]
    head = page.join(page.fill('<th scope="col">{t}</th>', t=f"{t:g} {say.unit_of(t, choice.unit)}") for t in times)
    body = page.join(
        page.fill(
            '<tr><th scope="rowgroup" colspan="{n}">{name}</th></tr><tr>{cells}</tr>',
            n=len(times),
            name=name,
            cells=page.join(_cell(point, i, choice) for i in range(len(times))),
        )
        for name, point in zip(names(curves), points, strict=True)
    )
    page.put(
        '<div class="bs-scroll" tabindex="0" role="region" aria-label="Shares at chosen times">'
        '<table class="bs-table bs-groups">'
        "<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
        head=head,
        body=body,
    )
    free = outcome.free_phrase[:1].upper() + outcome.free_phrase[1:]
    header = ["", *(say.duration(t, choice.unit) for t in times)]
    save.numbers(
        "survival_times", stem="shares-at-times", rows=lambda: km_summary_rows(shown_as(curves, choice), times),
        shown=lambda: (header, [[c.group, *(_in_words(p, i, choice) for i in range(len(times)))]
                                for c, p in zip(curves, points, strict=True)]),
        title=f"{free} at chosen times", note=_rests_on(curves, outcome, choice),
    )  # fmt: skip
    return times


def _rests_on(curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice) -> str:
    n, n_events = sum(c.n for c in curves), sum(c.n_events for c in curves)
    text = f"{ESTIMATORS[choice.plan.estimator]} estimate, {say.patients(n)}, {say.events(n_events)}."
    return f"{text}{observed(outcome, choice)} Intervals of {choice.level:.0%} ({choice.plan.interval})."


def _in_words(point: survival.Points, i: int, choice: Choice) -> str:
    if math.isnan(point.survival[i]):
        return "beyond follow-up"
    share = say.percent(point.survival[i], decimals=choice.decimals)
    if not 0 < point.survival[i] < 1:
        return share
    return f"{share} ({say.percent_range(point.lower[i], point.upper[i], decimals=choice.decimals)})"


def _cell(point: survival.Points, i: int, choice: Choice) -> page.Markup:
    if math.isnan(point.survival[i]):
        return page.Markup('<td class="bs-muted">beyond follow-up</td>')
    ends = {1.0: "no event so far", 0.0: "nobody left"}
    return page.fill(
        '<td><b>{share}</b><br><span class="bs-muted">{between}<br>{n} at risk</span></td>',
        share=say.percent(point.survival[i], decimals=choice.decimals),
        between=ends.get(float(point.survival[i]))
        or say.percent_range(point.lower[i], point.upper[i], decimals=choice.decimals),
        n=say.count(point.at_risk[i]),
    )


def usual_times(of: Cohort, outcome: Outcome, choice: Choice) -> tuple[float, ...]:
    """Round times as far as at least 10 patients are observed; else the time at which risk is stated."""
    unit = choice.unit
    if not desk.follow_up(of, outcome).longest > 0:
        return (0.0,)
    last = float(convert(desk.curves(of, outcome, None)[0].reliable_until(FEW), outcome.unit, unit))
    origin = float(convert(choice.plan.alive_at, outcome.unit, unit))
    usual: dict[Unit, tuple[int, ...]] = {
        "years": (1, 3, 5, 10, 15),
        "months": (6, 12, 18, 24, 36, 60, 120),
        "weeks": (4, 12, 26, 52, 104),
        "days": (7, 28, 90, 180, 365, 730, 1826),
    }
    start, end = (0.0, last - origin) if choice.restarted else (origin, last)
    round_times = [float(t) for t in usual[unit] if start < t <= end][-3:]
    if round_times:
        return tuple(round_times)
    horizon_ = desk.horizon(of, outcome)
    # Rounded down: a rounding up could lead beyond the last patient.
    when = float(convert(horizon_.value, horizon_.unit, unit))
    return (math.floor(1e6 * when) / 1e6 or when,) if when < LATEST else (LATEST,)


def chosen_times(choice: Choice, usual: tuple[float, ...]) -> tuple[float, ...]:
    """The times to look at, as the reader writes them."""
    text = st.text_input(
        f"After how many {'more ' if choice.restarted else ''}{choice.unit}?",
        value="; ".join(f"{t:g}" for t in usual),
        key=f"survival_times_{choice.unit}_{usual}",
        persist_state="session",
        help="One or more numbers, parted by semicolons or spaces.",
    )
    try:
        times = tuple(sorted({float(part.replace(",", ".")) for part in text.replace(";", " ").split()}))
    except ValueError as fault:
        raise Fixable(
            "These times could not be read.",
            "Each one has to be a number.",
            f"Write them in {choice.unit}, parted by semicolons, for example 1; 3; 5.",
        ) from fault
    if not times or not all(0 <= t <= LATEST for t in times):
        raise Fixable(
            "No times to look at.",
            "A time is a number of at least 0.",
            f"Write at least one, in {choice.unit}, for example 1; 3; 5.",
        )
    return times
