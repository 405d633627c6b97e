"""The pieces of the survival page: its figure, and what the figure says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from bedside import survival
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.cohort.groups import Grouping
from bedside.errors import Fixable
from bedside.report import say
from components import desk
from components.figures.km import km_alt, km_figure, km_rows
from components.figures.palette import shades
from components.panels import page, save
from components.panels.survival_choices import EVERYONE, Choice

FEW = 10  # patients at risk below which a figure is pale and a median is marked
MOST = 12  # groups that a figure can hold apart


def groups(everyone: Cohort, cohort: Cohort, choice: Choice) -> Grouping | None:
    """The groups to compare, or None for all patients together."""
    if choice.by == EVERYONE:
        return None
    if choice.against:
        return desk.against_everyone_else(everyone, desk.selection())
    return desk.grouping(cohort, choice.by, choice.cuts)


def curves(of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice) -> tuple[survival.Curve, ...]:
    """The curves to show; a single one is named for the patients it is of."""
    found = desk.curves(of, outcome, grouping, level=choice.level, interval=choice.interval)
    if grouping is None and not desk.selection().is_everyone:
        return tuple(replace(curve, group="Selected patients") for curve in found)
    if len(found) > MOST:
        _warn(f"Only the {MOST} largest of {len(found)} groups are drawn and listed; the test compares all of them.")
        least = sorted((curve.n for curve in found), reverse=True)[MOST - 1]
        found = tuple(curve for curve in found if curve.n >= least)[:MOST]
    return found


def subject(of: Cohort, outcome: Outcome, choice: Choice) -> str:
    """The page's heading: what is shown, and by what patients are grouped."""
    if choice.by == EVERYONE:
        return f"{outcome.label}: {of.short_title}"
    by = "selection" if choice.against else say.in_sentence(of.variable(choice.by).label)
    return f"{outcome.label}, by {by}"


def aside(drawn: Sequence[survival.Curve], grouping: Grouping | None) -> str:
    """Who stands behind the curves, and who was left out."""
    text = f"{say.patients(sum(c.n for c in drawn))}, {say.events(sum(c.n_events for c in drawn))}"
    if grouping is not None and grouping.dropped_missing:
        text += f"; {say.patients(grouping.dropped_missing)} without a value left out"
    return text


def cautions(of: Cohort, outcome: Outcome, grouping: Grouping | None, choice: Choice) -> None:
    """What must be known before these curves are read."""
    if outcome.note:
        page.caption(outcome.note)
    if grouping is None or choice.against:
        return
    variable = of.variable(choice.by)
    if variable.use == "later":
        _warn(
            f"{variable.label} is known only later ({variable.why_later}). Patients who did badly early may be "
            "missing, or already show it, which alone can part the curves."
        )
    if isinstance(choice.cuts, tuple) and choice.cuts != variable.cutpoints:
        _warn("Cut-points chosen after seeing the curves make the difference look surer than it is.")
    if of.treatment is not None and of.treatment.column == variable.name:
        _allocation(of, grouping)


def _allocation(of: Cohort, grouping: Grouping) -> None:
    told = "" if of.treatment is None else of.treatment.note
    if of.treatment is not None and of.treatment.randomised:
        page.put("<p>{t}</p>", t=f"The groups were formed by randomisation. {told}".strip())
        return
    text = f"The groups were not formed by randomisation and may differ in other ways too. {told}".strip()
    found = desk.imbalance(of, grouping)
    if found is not None:
        v, (first, second) = found.variable, grouping.labels[:2]
        text += (
            f" They differ most in {say.in_sentence(v.label)}: median {v.say(found.first)} ({first}) against "
            f"{v.say(found.second)} ({second})."
        )
    _warn(text)


def _warn(text: str) -> None:
    page.put('<p class="bs-caution">{t}</p>', t=text)


def figure(curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice) -> None:
    """The curves with their table of patients at risk."""
    shown = [curve.convert(choice.unit) for curve in curves]
    free = outcome.free_phrase[:1].upper() + outcome.free_phrase[1:]
    fig = km_figure(
        shown,
        band=choice.band,
        until=choice.until,
        mode=desk.mode(),
        y_title="",
        x_title=f"{choice.unit.capitalize()} since {outcome.since}",
    )
    n, n_events = sum(c.n for c in curves), sum(c.n_events for c in curves)
    band = f"Band: pointwise {choice.level:.0%} interval ({choice.interval}). " if choice.band else ""
    save.figure(
        fig,
        key="survival_km",
        title=free,
        aside="share of patients",
        alt=km_alt(shown),
        note=f"Kaplan-Meier estimate, {say.patients(n)}, {say.events(n_events)}. {band}Pale where fewer than 10 "
        "patients remain under observation. Below the axis, censored and events are counted up to each time.",
        stem="survival",
        rows=lambda: km_rows(shown),
    )


def answers(
    of: Cohort, outcome: Outcome, grouping: Grouping | None, curves: Sequence[survival.Curve], choice: Choice
) -> None:
    """What the figure says: the test in a sentence, medians, and survival at chosen times."""
    if grouping is not None:
        with st.container(border=True, key="card_test"), desk.fixable():
            _test(desk.log_rank(of, outcome, grouping), choice)
    with st.container(border=True, key="card_medians"):
        _medians(curves, outcome, choice)
    with st.container(border=True, key="card_times"):
        _at_times(of, curves, outcome, choice)


def _test(test: survival.GroupTest, choice: Choice) -> None:
    page.heading("Is it more than chance?", f"log-rank {say.p_value(test.p)}")
    share = _chance(test.p)
    text = f"If the groups did not differ, a difference at least this large would arise in {share} such comparisons."
    if test.p < 0.05:
        text += " That does not say why they differ."
    else:
        text += " That does not show that the groups are alike."
    if not choice.against and len(test.observed) > 2:
        text += " The test asks whether any group differs from the others."
    page.put('<p>{text}</p><p class="bs-muted">{detail}</p>', text=text, detail=_detail(test))


def _chance(p: float) -> str:
    """A p-value as a natural frequency, never none and never all."""
    if p < 0.001:
        return "fewer than 1 of 1,000"
    if p > 0.99:
        return "more than 99 of 100"
    return f"about {round(1000 * p)} of 1,000" if p < 0.01 else f"about {round(100 * p)} of 100"


def _detail(test: survival.GroupTest) -> str:
    freedom = "degree" if test.df == 1 else "degrees"
    return (
        f"Chi-squared {test.statistic:.2f} on {test.df:g} {freedom} of freedom, over the whole follow-up. Where curves "
        "cross, the test can miss a difference."
    )


def _medians(drawn: Sequence[survival.Curve], outcome: Outcome, choice: Choice) -> None:
    page.heading("Half of patients", f"median time, {choice.level:.0%} interval")
    rows = page.join(
        page.fill(
            '<tr><th scope="row">{name}</th></tr>'
            '<tr><td><b>{median}</b> <span class="bs-muted">{between}</span></td></tr>',
            name=name,
            median=median,
            between=between,
        )
        for name, (median, between) in zip(_names(drawn), (_median(c, choice) for c in drawn), strict=True)
    )
    page.put('<table class="bs-table bs-groups" aria-label="Median times"><tbody>{rows}</tbody></table>', rows=rows)
    page.caption(f"Time by which half had had the event ({say.in_sentence(outcome.label)}).")


def _median(curve: survival.Curve, choice: Choice) -> tuple[str, str]:
    """The median and its interval in words; said when it rests on a handful of patients."""
    more = 2 if choice.decimals else None
    shown = curve.convert(choice.unit)
    estimate, lower, upper = shown.median
    if curve.n_events == 0:
        return "no events; not reached", ""
    if estimate != estimate:
        between = "" if lower != lower else f"from {say.duration(lower, choice.unit, decimals=more)}"
        return "not reached", between
    few = " (few at risk)" if shown.at([estimate]).at_risk[0] < FEW else ""
    if lower != lower and upper != upper:
        between = "cannot be given"
    else:
        between = say.duration_range(lower, upper, choice.unit, decimals=more)
    return say.duration(estimate, choice.unit, decimals=more) + few, between


def _at_times(of: Cohort, curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice) -> None:
    page.heading("At chosen times", f"{outcome.free_phrase}, {choice.level:.0%} interval")
    times = _times(choice, _usual_times(of, outcome, choice.unit))
    points = [curve.convert(choice.unit).at(times) for curve in curves]
    head = page.join(page.fill('<th scope="col">{t}</th>', t=f"{t:g} {say.unit_of(t, choice.unit)}") for t in times)
    body = page.join(
        page.fill(
            '<tr><th scope="rowgroup" colspan="{n}">{name}</th></tr><tr>{cells}</tr>',
            n=len(times),
            name=name,
            cells=page.join(_cell(point, i, choice) for i in range(len(times))),
        )
        for name, point in zip(_names(curves), points, strict=True)
    )
    page.put(
        '<div class="bs-scroll" tabindex="0" role="region" aria-label="Shares at chosen times">'
        '<table class="bs-table bs-groups">'
        "<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
        head=head,
        body=body,
    )


def _cell(point: survival.Points, i: int, choice: Choice) -> page.Markup:
    if point.survival[i] != point.survival[i]:
        return page.Markup('<td class="bs-muted">beyond follow-up</td>')
    ends = {1.0: "no event so far", 0.0: "nobody left"}
    return page.fill(
        '<td><b>{share}</b><br><span class="bs-muted">{between}<br>{n} at risk</span></td>',
        share=say.percent(point.survival[i], decimals=choice.decimals),
        between=ends.get(float(point.survival[i]))
        or say.percent_range(point.lower[i], point.upper[i], decimals=choice.decimals),
        n=f"{point.at_risk[i]:,.0f}",
    )


def _usual_times(of: Cohort, outcome: Outcome, unit: Unit) -> tuple[float, ...]:
    """Round times as far as at least 10 patients are observed; else the time at which risk is stated."""
    last = float(convert(desk.curves(of, outcome, None)[0].reliable_until(FEW), outcome.unit, unit))
    usual: dict[Unit, tuple[int, ...]] = {
        "years": (1, 3, 5, 10, 15),
        "months": (6, 12, 18, 24, 36, 60, 120),
        "weeks": (4, 12, 26, 52, 104),
        "days": (7, 28, 90, 180, 365, 730, 1826),
    }
    round_times = [float(t) for t in usual[unit] if t <= last][-3:]
    if round_times:
        return tuple(round_times)
    horizon_ = desk.horizon(of, outcome)
    # Rounded down: a rounding up could lead beyond the last patient.
    return (math.floor(1e6 * float(convert(horizon_.value, horizon_.unit, unit))) / 1e6,)


def _times(choice: Choice, usual: tuple[float, ...]) -> tuple[float, ...]:
    text = st.text_input(
        f"After how many {choice.unit}?",
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
    if not times or not all(0 <= t <= 1e6 for t in times):
        raise Fixable(
            "No times to look at.",
            "A time is a number of at least 0.",
            f"Write at least one, in {choice.unit}, for example 1; 3; 5.",
        )
    return times


def _names(curves: Sequence[survival.Curve]) -> list[page.Markup]:
    """Group names with the colour of their curve beside them."""
    return [
        page.fill('<i class="bs-swatch" style="background:{c}"></i>{name}', c=colour, name=curve.group)
        for colour, curve in zip(shades(len(curves), desk.mode()), curves, strict=True)
    ]
