"""Planning a study from a hazard ratio, and a model as points to be added by hand."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, convert
from bedside.errors import Fixable
from bedside.regression.points import Points
from bedside.regression.power import power_of, sample_size
from bedside.report import say
from components import desk, numbers_regression
from components import numbers_checks as numbers
from components.figures.nomogram import nomogram_alt, nomogram_figure, nomogram_rows
from components.numbers_regression import cox
from components.panels import page, save
from components.panels.regression_choices import Choice

SHARES = (0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05)


def show(of: Cohort, outcome: Outcome, choice: Choice, *, no_model: bool) -> None:
    """Two cards behind one fold."""
    panel = st.expander(
        "Planning and points", key="regression_planning", on_change="rerun", icon=":material/calculate:"
    )
    if not panel.open:
        return
    with panel:
        left, right = page.split("planning", 1, 1.6)
        with left, desk.fixable():
            _planning(of, outcome, choice)
        with right, desk.fixable():
            if no_model:
                page.caption("Without a model there are no points.")
            else:
                _points(of, outcome, choice)


def _planning(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    page.heading("How many events does a study need?", "Schoenfeld's formula")
    have, seen = _seen(of, outcome, choice)
    share = have / seen if seen else 0.0
    with st.container(key="screen_regression_planning"):
        ratio = st.number_input("Hazard ratio to be found", 0.01, 100.0, 0.7, 0.05, key="regression_plan_hr",
                                persist_state="session")  # fmt: skip
        power = st.slider("Power", 0.5, 0.99, 0.8, 0.01, key="regression_plan_power", persist_state="session")
        alpha = st.select_slider("Two-sided level (alpha)", [0.001, 0.01, 0.025, 0.05, 0.1], 0.05,
                                 key="regression_plan_alpha", persist_state="session")  # fmt: skip
        part = st.slider("Share of patients in one group", 0.1, 0.9, 0.5, 0.05, key="regression_plan_share",
                         persist_state="session")  # fmt: skip
        chance = st.slider("Share of patients who will have the event", 0.01, 1.0, min(max(round(share, 2), 0.01), 1.0),
                           0.01, key=f"regression_plan_event_{of.key}_{outcome.key}_{choice.ask.cause}",
                           persist_state="session")  # fmt: skip
    found = sample_size(ratio, alpha=alpha, power=power, allocation=part, event_probability=chance)
    page.put(
        '<p class="bs-lead"><b>{events}</b> are needed, in about {patients}.</p>',
        events=say.events(found.whole_events), patients=say.patients(found.whole_patients or 0),
    )  # fmt: skip
    page.caption(
        f"For a hazard ratio of {ratio:g} with {power:.0%} power at a two-sided level of {alpha:g}. With the "
        f"{say.events(have)} seen here the power is {say.percent(power_of(ratio, have, alpha=alpha, allocation=part))}."
    )


def _seen(of: Cohort, outcome: Outcome, choice: Choice) -> tuple[int, int]:
    """Events and patients of the page's model; where its rows cannot be made, those of all patients."""
    try:
        data = numbers_regression.answer(of, outcome, choice.ask).made.data
    except Fixable:
        happened = choice.ask.happened(of, outcome)
        return int((of.event(outcome) if happened is None else happened).sum()), len(of)
    return data.n_events, len(np.unique(data.rows))


def _points(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    page.heading("Points", "the model, to be added up by hand")
    when = desk.horizon(of, outcome)
    found = numbers.points(of, outcome, choice.ask, float(convert(when.value, when.unit, outcome.unit)))
    # Who has which values later is not known at time zero: with values of visits a sum has no chance.
    ticks = sums(found) if found.cumulative_hazard and not choice.ask.at_visits else []
    model = cox(of, outcome, choice.ask)
    said = say.duration(when.value, when.unit)
    note = f"Cox model, {say.patients(len(np.unique(model.design.data.rows)))}, {say.events(model.fit.n_events)}."
    if found.cumulative_hazard is None:
        note += " No chances: the strata differ in them."
    if choice.ask.at_visits:
        note += " No chances: values change at visits, and nobody knows the later ones at the start."
    if choice.ask.cause:
        note += " Other types of event end observation; the chance is as if they did not happen."
    cautions = (_other_types(outcome, choice),) if choice.ask.cause and ticks else ()
    for text in cautions:
        page.caution(text)
    save.figure(
        lambda mode: nomogram_figure(found.board, ticks, title=f"Without the event at {said}", mode=mode),
        key="regression_nomogram",
        title="Points of each value",
        aside="add them up, then read the lowest line below the sum" if ticks else "",
        alt=nomogram_alt(found.board),
        note=note,
        stem="points",
        rows=lambda: nomogram_rows(found.board, ticks),
        cautions=cautions,
    )


def _other_types(outcome: Outcome, choice: Choice) -> str:
    """What a chance of one type of event alone is not."""
    others = [say.in_sentence(c) for i, c in enumerate(outcome.cause_labels, start=1) if i != choice.ask.cause]
    return (
        f"The chances are as if {' or '.join(others)} never happened. They are not the share of patients who will be "
        f"free of {say.in_sentence(outcome.cause_labels[choice.ask.cause - 1])}."
    )


def sums(found: Points) -> list[tuple[str, float]]:
    """Where round chances of no event stand on the line of sums."""
    at = found.board.points_for(np.asarray(SHARES), cumulative_hazard=found.cumulative_hazard or math.nan)
    top = float(found.board.total[-1])
    return [(f"{share:.0%}", float(x)) for share, x in zip(SHARES, at, strict=True) if 0 <= x <= top]
