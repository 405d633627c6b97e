"""Reasons over time: what each of this patient's values goes with, the sooner and the later."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bedside import explain
from bedside.cohort import convert
from bedside.report import say
from components import desk, model_choice
from components.figures.reasons_ribbon import Ribbon, ribbon_alt, ribbon_figure, ribbon_rows, ribbon_sentence
from components.panels import page, patient_reason_work, patient_why, save
from components.panels.patient_view import View

TIMES, FEWEST_TIMES = 16, 8
QUICK = 1.3e7
"""Numbers to go through, of trees of many variables, that keep the page under a third of a second."""


def panel(view: View) -> None:
    """A sentence told from the numbers, and the lines."""
    if view.beyond:
        page.caption(view.beyond)
        return
    with st.container(border=True, key="card_patient_over_time"):
        _drawn(view, ribbon(view))


def _drawn(view: View, told: Ribbon) -> None:
    page.lead(page.fill("{s}", s=ribbon_sentence(told)), of="patient_over_time")
    save.figure(
        lambda mode: ribbon_figure(told, mode=mode),
        key="patient_over_time",
        title="Reasons over time",
        aside=f"{view.event}, compared with the average {patient_why.of_whom(view)}",
        alt=ribbon_alt(told),
        note=_note(view, told),
        stem="patient-reasons-over-time",
        rows=lambda: ribbon_rows(told),
    )


def ribbon(view: View) -> Ribbon:
    """Contributions at evenly spread times up to the end of follow-up, with intervals where they are worked out."""
    model, unit, own = patient_reason_work.plain(view), view.unit, view.outcome.unit
    beside = patient_reason_work.compared(view)
    times = beside.since + (model.last - beside.since) * np.linspace(0, 1, how_many(beside, model.last) + 1)[1:]
    key = ("reasons over time", *view.background_key[1:], view.row, view.alive, unit)

    def make() -> explain.Contributions:
        with desk.progress("Working out reasons over time"):
            return explain.contributions(model, view.patient, beside, times)

    found = desk.kept(key, make)
    spread = patient_reason_work.spread(view)
    values = found.values[0]
    lower, upper = np.full_like(values, np.nan), np.full_like(values, np.nan)
    if spread is not None:
        reach = spread.between(found.times)
        lower, upper = values - reach, values + reach
    said = {c.variable: c.value_text for c in view.explanation.contributions} if view.explanation else {}
    return Ribbon(
        names=tuple(v.label for v in found.variables),
        labels=tuple(said.get(v.name, v.label) for v in found.variables),
        times=convert(found.times, own, unit), points=values, lower=lower, upper=upper, base=found.base,
        risk=found.prediction[0], horizon=view.when, unit=unit, since=view.outcome.since,
        measure=explain.measure_of(model),
    )  # fmt: skip


def how_many(beside: explain.Background, last: float) -> int:
    """Times: as many as usual, fewer where each is a pass over all coalitions of many variables."""
    each = beside.game.cells(np.array([last]))
    return TIMES if each * TIMES <= QUICK else max(int(QUICK // each), FEWEST_TIMES)


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _note(view: View, told: Ribbon) -> str:
    model = view.model
    parts = [
        f"Shapley values of the {model_choice.named(view.choice.kind)} ({say.patients(model.n)}, "
        f"{say.events(model.n_events)}) at {len(told.times)} times; above 0 goes with more risk. The dotted line is "
        "the time chosen above."
    ]
    if np.isfinite(told.lower).any():
        grey = "it may be nothing" if told.measure == explain.INTERVAL else "it is within the spread"
        parts.append(f"Bands: {_small(explain.beside_intervals(patient_reason_work.plain(view)))} Grey where {grey}.")
    elif patient_reason_work.promised(view):
        parts.append("Intervals follow in a moment.")
    else:
        parts.append("No intervals: how much this model would vary with other patients was not worked out.")
    if patient_why.from_the_start(view):
        parts.append("Of the risk from the start: for later starts this kind of model's reasons can't be told apart.")
    return " ".join(parts)
