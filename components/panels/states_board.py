"""Two outcomes that can follow one another: who is before the first, after it, and past the last, over time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, convert
from bedside.cohort.groups import Grouping
from bedside.competing import IllnessDeath, IllnessDeathModel, Occupation
from bedside.errors import Fixable
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_states import states_made, steps_made
from components import desk, numbers
from components.figures.km import nice_times
from components.figures.stacked import Stack, stacked_figure
from components.panels import page, save, survival_made
from components.panels.pick import told_apart
from components.panels.survival_board import drawn, warn
from components.panels.survival_choices import Choice

FEW_LEVELS = 12
"""Variables with more levels are in the model of each step only if the reader wants them."""


def show(of: Cohort, grouping: Grouping | None, choice: Choice) -> None:
    """A fold of the survival page, for cohorts with at least two outcomes."""
    if len(of.outcomes) < 2:
        return
    panel = st.expander("States over time: from one outcome to the next", key="survival_states", on_change="rerun")
    if panel.open:
        with panel, desk.fixable():
            _states(of, drawn(grouping), choice)


def _states(of: Cohort, grouping: Grouping | None, choice: Choice) -> None:
    labels = told_apart({o.key: o.cause_label or o.label for o in of.outcomes})
    keys = list(labels)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        first = st.selectbox("First event", keys, format_func=labels.__getitem__, key="survival_state_first",
                             persist_state="session", width=260)  # fmt: skip
        rest = [key for key in keys if key != first]
        last = st.selectbox("Final event", rest, format_func=labels.__getitem__, key=f"survival_state_last_{first}",
                            persist_state="session", width=260)  # fmt: skip
    start, end = of.outcome(first), of.outcome(last)
    if _same(of, start, end):
        raise Fixable(
            "These two outcomes are not two steps.",
            "One of them already contains the other, so that nobody is seen between them.",
            "Choose two events that follow one another, such as progression and death.",
        )
    tau = float(convert(choice.until, choice.unit, end.unit))
    found = numbers.illness_death(of, start, end, grouping, choice.plan, tau)
    steps = ("neither so far", say.in_sentence(labels[first]), say.in_sentence(labels[last]))
    if _contains(found):
        warn(
            f"“{labels[first]}” already counts {steps[2]}: the {say.patients(found.n_same_time)} in whom both came at "
            f"the same time are taken to have gone straight to {steps[2]}. Where the cohort has an outcome without it, "
            "choose that one as the first event."
        )
    names = _names(labels[first], labels[last])
    at = nice_times(choice.until, choice.unit, most=5)[1:].tolist()

    def made() -> Made:
        return states_made(of, start, end, grouping, survival_made.recipe(of, choice), found, times=at)

    _figure(found, names, steps, end, choice, made)
    states = tuple(say.in_sentence(name) for name in reversed(names))
    _times(found, states, choice, at, made)
    _mean_times(found, states, choice, made)
    if st.toggle("Hazard ratios of each step", key="survival_state_model", persist_state="session"):
        with desk.fixable():
            _model(of, start, end, steps, choice, found)


def _same(of: Cohort, start: Outcome, end: Outcome) -> bool:
    """True if the final event is never later than the first one: then there is no state between them."""
    both = of.frame[start.status].isin(start.event).to_numpy() & of.frame[end.status].isin(end.event).to_numpy()
    first = np.asarray(convert(of.time(start), start.unit, end.unit))[both]
    return bool(both.any()) and not bool((of.time(end)[both] > first).any())


def _names(first: str, last: str) -> tuple[str, str, str]:
    """Each state, from the last one: who is in the middle has had the first event, and not the final one."""
    # A first event that counts the final one too, such as "recurrence or death", is named for the rest of it.
    alone = re.sub(rf"(,| or| and) +{re.escape(last)}\b", "", first, flags=re.IGNORECASE)
    alone = re.sub(rf"^{re.escape(last)}(,| or| and) +", "", alone, flags=re.IGNORECASE)
    if re.search(r"\b(death|died|dead)\b", last, flags=re.IGNORECASE):
        return last, f"Alive after {say.in_sentence(alone)}", "Neither so far"
    return last, f"After {say.in_sentence(alone)}, before {say.in_sentence(last)}", "Neither so far"


def _contains(found: IllnessDeath) -> bool:
    """True if nobody comes to the final event but through the first one, and some come to both at once."""
    return found.n_same_time > 0 and int(found.transitions[0, 2]) == 0


def _figure(
    found: IllnessDeath, names: Sequence[str], steps: Sequence[str], end: Outcome, choice: Choice,
    made: Callable[[], Made],
) -> None:  # fmt: skip
    groups = found.occupations
    stacks = [
        Stack(g.group, np.asarray(convert(g.time, g.unit, choice.unit)), g.chance[:, ::-1]) for g in groups
    ]  # fmt: skip
    moves, both = found.transitions, found.n_same_time if _contains(found) else 0
    told = (
        f"{say.patients(sum(g.n for g in groups))}; {int(moves[0, 1]) - both:,} from the start to "
        f"{'the first event' if both else steps[1]}, {int(moves[0, 2]) + both:,} straight to {steps[2]}, "
        f"{int(moves[1, 2]) - both:,} from one to the other."
    )
    if found.n_cut:
        told += f" {say.patients(found.n_cut)} are counted until their follow-up for the first event ended."
    save.figure(
        lambda mode: stacked_figure(
            stacks, names, unit=choice.unit, until=choice.until, mode=mode, turned=True,
            x_title=f"{choice.unit.capitalize()} since {end.since}",
        ),
        key="survival_states_figure",
        title="Where patients are",
        aside="share of patients in each state",
        alt=f"Shares of patients in three states over time, by group. {told}",
        note=f"Aalen-Johansen estimate of state occupation. {told}",
        stem="states",
        rows=lambda: _rows(groups, names, choice),
        made=made,
    )  # fmt: skip


def _rows(groups: Sequence[Occupation], names: Sequence[str], choice: Choice) -> tuple[list[str], list[list[object]]]:
    header = [
        "Group",
        f"Time ({choice.unit})",
        "State",
        "At risk",
        "Share",
        "Lower limit",
        "Upper limit",
        "Standard error",
    ]
    rows: list[list[object]] = []
    for g in groups:
        time = np.asarray(convert(g.time, g.unit, choice.unit)).tolist()
        for k, name in enumerate(reversed(names)):
            values = (a[:, k].tolist() for a in (g.at_risk, g.chance, g.lower, g.upper, g.std_err))
            for t, n, *shares in zip(time, *values, strict=True):
                rows.append([g.group, t, name, n, *(None if math.isnan(v) else v for v in shares)])
    return header, rows


def _times(
    found: IllnessDeath, states: Sequence[str], choice: Choice, at: Sequence[float], made: Callable[[], Made]
) -> None:
    header = ["", *(say.duration(t, choice.unit) for t in at)]
    rows: list[tuple[str | page.Markup, ...]] = []
    exact: list[list[object]] = []
    for g in found.occupations:
        points = g.at([float(convert(t, choice.unit, g.unit)) for t in at])
        for k, state in enumerate(states):
            cells = (
                _share(points.chance[i, k], points.lower[i, k], points.upper[i, k], choice) for i in range(len(at))
            )
            rows.append((f"{g.group}: {state}", *cells))
            values = zip(at, *(a[:, k].tolist() for a in (points.chance, points.lower, points.upper)), strict=True)
            exact += [[g.group, state, t, *(known(v) for v in shares)] for t, *shares in values]
    page.table(header, rows, label="States at chosen times")
    columns = ["Group", "State", f"Time ({choice.unit})", "Share", "Lower limit", "Upper limit"]
    save.numbers(
        "survival_states_times", stem="states-shares", rows=lambda: (columns, exact),
        shown=lambda: (header, [[said(cell) for cell in row] for row in rows]),
        title="Where patients are, at chosen times",
        note=f"{_of(found)}. Aalen-Johansen estimate of state occupation, {choice.level:.0%} intervals.", made=made,
    )  # fmt: skip


def known(value: float) -> float | None:
    """A number for a file; what is not known is left empty."""
    return None if math.isnan(value) else value


def said(cell: str | page.Markup) -> str:
    """A cell of the page as one line of a report: the interval stands in brackets."""
    if not isinstance(cell, page.Markup):
        return cell
    value, _, between = cell.partition("<br>")
    between = page.Markup(between).striptags()
    return f"{page.Markup(value).striptags()} ({between})" if between else page.Markup(value).striptags()


def _of(found: IllnessDeath) -> str:
    return say.patients(sum(g.n for g in found.occupations))


def _share(value: float, low: float, high: float, choice: Choice) -> str | page.Markup:
    if math.isnan(value):
        return "beyond follow-up"
    if value == 0:
        return "nobody"
    share = say.percent(value, decimals=choice.decimals)
    if math.isnan(low) or math.isnan(high):
        return share
    return _over(share, say.percent_range(low, high, decimals=choice.decimals))


def _over(estimate: str, between: str) -> page.Markup:
    """An estimate above its interval, so that a row of them fits a narrow page."""
    return page.fill('{v}<br><span class="bs-muted">{b}</span>', v=estimate, b=between)


def _mean_times(found: IllnessDeath, states: Sequence[str], choice: Choice, made: Callable[[], Made]) -> None:
    within = f"within {say.duration(choice.until, choice.unit, decimals=1)}"
    header = [f"Mean time {within}", *states]
    rows: list[tuple[str | page.Markup, ...]] = []
    exact: list[list[object]] = []
    more = 2 if choice.decimals else 1
    for g in found.occupations:
        if g.within is None:
            continue
        cells = []
        for k in range(3):
            mean, low, high = (
                float(convert(float(a[k]), g.unit, choice.unit))
                for a in (g.within.mean, g.within.lower, g.within.upper)
            )
            exact.append([g.group, states[k], mean, known(low), known(high)])
            cells.append(_over(f"{mean:.{more}f}", "" if math.isnan(low) else f"{low:.{more}f} to {high:.{more}f}"))
        rows.append((g.group, *cells))
    page.table(header, rows, label="Mean time in each state")
    page.caption(f"In {choice.unit}, with {choice.level:.0%} intervals.")
    if not rows:
        return
    columns = ["Group", "State", f"Mean time ({choice.unit})", "Lower limit", "Upper limit"]
    save.numbers(
        "survival_states_means", stem="states-mean-times", rows=lambda: (columns, exact),
        shown=lambda: (header, [[said(cell) for cell in row] for row in rows]),
        title=f"Mean time in each state {within}",
        note=f"{_of(found)}. In {choice.unit}, with {choice.level:.0%} intervals.", made=made,
    )  # fmt: skip


def _model(
    of: Cohort, start: Outcome, end: Outcome, states: Sequence[str], choice: Choice, followed: IllnessDeath
) -> None:
    """A Cox model of each step, of the cohort's predictors."""
    labels = told_apart({v.name: v.label for v in of.predictors})
    usual = [v.name for v in of.predictors if len(v.levels) <= FEW_LEVELS]
    names = st.multiselect(
        "Of", list(labels), default=usual, format_func=labels.__getitem__,
        key=f"survival_state_terms_{of.key}", persist_state="session",
    )  # fmt: skip
    if not names:
        return
    made = numbers.illness_death_model(of, start, end, tuple(names), choice.plan)
    fit = made.fit
    z = NormalDist().inv_cdf((1 + made.level) / 2)
    p = len(fit.names)
    header = ["", *(f"{states[i]} → {states[j]} ({n:,})" for (i, j), n in zip(fit.moves, fit.n_events, strict=True))]
    rows = []
    for k, name in enumerate(fit.names):
        places = [k + p * move for move in range(len(fit.moves))]
        rows.append((name, *(_ratio(fit.coef[at], fit.robust_se[at], z) for at in places)))
    page.table(header, rows, label="Hazard ratios of each step")
    told = (
        f"Cox model of each step, {made.level:.0%} intervals (robust); "
        f"{say.patients(made.design.n_dropped)} with missing values left out. Associations, not effects."
    )
    page.caption(told)
    save.numbers(
        "survival_states_steps", stem="states-hazard-ratios", rows=lambda: _steps(made, states, z),
        shown=lambda: (header, rows), title="Hazard ratios of each step",
        note=f"{say.patients(len(made.design.data))}. {told}",
        made=lambda: steps_made(of, start, end, survival_made.recipe(of, choice), made, followed),
    )  # fmt: skip


def _steps(made: IllnessDeathModel, states: Sequence[str], z: float) -> tuple[list[str], list[list[object]]]:
    header = ["From", "To", "Events", "Term", "Hazard ratio", "Lower limit", "Upper limit", "Coefficient",
              "Robust standard error"]  # fmt: skip
    fit, rows = made.fit, []
    for k, ((i, j), n) in enumerate(zip(fit.moves, fit.n_events, strict=True)):
        for at, name in enumerate(fit.names, start=k * len(fit.names)):
            coef, error = float(fit.coef[at]), float(fit.robust_se[at])
            values = (math.exp(coef), math.exp(coef - z * error), math.exp(coef + z * error), coef, error)
            rows.append([states[i], states[j], n, name, *(known(v) for v in values)])
    return header, rows


def _ratio(coef: float, se: float, z: float) -> str:
    if math.isnan(coef):
        return "–"
    return f"{math.exp(coef):.2f} ({math.exp(coef - z * se):.2f} to {math.exp(coef + z * se):.2f})"
