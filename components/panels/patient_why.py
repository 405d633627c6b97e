"""Why this risk and not the average: the headline, the main reasons in words, and the waterfall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from bedside import explain, risk
from bedside.report import made_risk, say
from bedside.report.made import Made
from bedside.report.made_words import versions
from components import model_choice
from components.figures.waterfall import waterfall_alt, waterfall_figure, waterfall_rows
from components.panels import page, patient_explained, patient_reason_work, patient_words, pick, save
from components.panels.patient_view import View

MAIN = 3
SAME = 1e-6
"""Shares: a risk that is explained is the one that is shown."""


def words(view: View) -> None:
    """The reasons of this risk in words, and whom they are compared with; nothing where no risk can be given."""
    if view.beyond:
        page.caption(view.beyond)
    explanation = view.explanation
    if explanation is None:
        return
    whole = ", from the start" if from_the_start(view) else ""
    page.heading(explain.headline(explanation, decimals=view.decimals) + whole)
    page.put("{lead}", lead=_lead(view, explanation))
    _whom(view)


def chart(view: View) -> None:
    """Every value's part, from the average to this patient."""
    explanation = view.explanation
    if explanation is None:
        return
    decimals = view.decimals
    save.figure(
        lambda mode: waterfall_figure(explanation, mode=mode, decimals=decimals),
        key="patient_why",
        title="From the average to this patient",
        aside="each value in points of risk",
        alt=waterfall_alt(explanation, decimals=decimals),
        note=_note(view, explanation),
        stem="patient-reasons",
        rows=lambda: waterfall_rows(explanation),
        made=lambda: _reasons_made(view),
    )
    patient_reason_work.place(view)


def plainly(view: View) -> None:
    """The reasons for the patient: three short sentences, numbers of people only."""
    explanation = view.explanation
    if explanation is None or from_the_start(view):
        return
    told = page.join(
        page.fill('<li>{s}<span class="bs-muted"> {c}</span></li>', s=s, c=c) for s, c in _plain(view, explanation)
    )
    average = say.of_100(explanation.base)
    with st.container(border=True, key="card_plain_why"):
        page.put(
            '<p class="bs-large-head">What goes with this number</p>'
            '<p class="bs-large-aside">Among {whom} it is {average} on average. For people with your values:</p>'
            '<ul class="bs-large-list">{told}</ul>',
            average=average, whom=_people(view), told=told,
        )  # fmt: skip


def _plain(view: View, explanation: explain.Explanation) -> list[tuple[str, str]]:
    """Each reason, and what it does not say of what could be changed."""
    all_said, told = explain.plain_reasons(explanation, k=MAIN), []
    for c in explanation.contributions[:MAIN]:
        (said,) = explain.plain_reasons(replace(explanation, contributions=(c,)), k=1)
        if said in all_said:
            told.append((said, patient_words.beside_reason(view.cohort, view.outcome, c.variable)))
    return told if len(told) == len(all_said) else [(said, "") for said in all_said]


def _people(view: View) -> str:
    _, said, so_far = _compared_with(view)
    if not said and not so_far:
        return "everyone here"
    return f"people here{f' with {said}' if said else ''}{f' who have come {so_far} without it' if so_far else ''}"


def from_the_start(view: View) -> bool:
    """True if the reasons are of the risk from time zero, while the one shown is of patients event-free so far."""
    return view.alive > 0 and view.explanation is not None and abs(view.explanation.risk - view.risk) > SAME


def _lead(view: View, explanation: explain.Explanation) -> page.Markup:
    """Compared with whom, and the main reasons; of each whether it is as expected."""
    told = explain.told_with_checks(explanation, k=MAIN, decimals=view.decimals, ranges=view.ranges)
    items = page.join(
        page.fill('<li>{s}<span class="bs-muted"> {c}</span></li>', s=s, c=_raised(c) + "." if c else "")
        for s, c in told
    )
    start = ""
    if from_the_start(view):
        whole = say.of_100(explanation.risk, decimals=view.decimals)
        start = (
            f"This kind of model can't tell the reasons apart for patients already {_free(view)}, so these are the "
            f"reasons of the risk from {view.outcome.since} on, {whole}. "
        )
    return page.fill(
        '<p class="bs-muted">{start}Compared with the average {whom}:</p><ol class="bs-reasons">{items}</ol>',
        start=start, whom=of_whom(view), items=items,
    )  # fmt: skip


def _free(view: View) -> str:
    return f"free of it for {say.duration(view.alive, view.unit)}"


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]


def of_whom(view: View) -> str:
    """Whose average it is: "of 100 patients spread evenly over the 686 here"; empty where there are no reasons."""
    if view.explanation is None:
        return ""
    rows, said, so_far = _compared_with(view)
    return patient_explained.of_whom(view.explanation.n_background, rows, said, so_far)


def _compared_with(view: View) -> tuple[np.ndarray, str, str]:
    """Positions of the patients, what they have in common, and how far they came: empty from the start."""
    later = view.alive > 0 and not from_the_start(view)
    rows, said = patient_explained.people(
        view.cohort, view.outcome, view.choice, view.row, s=view.s if later else 0.0, chosen=view.reference
    )
    return rows, said, say.duration(view.alive, view.unit) if later else ""


def _whom(view: View) -> None:
    """The choice of the patients to compare with, where there are any to choose from."""
    offered = patient_explained.references(view.cohort, view.row)
    if len(offered) < 2 and not view.reference:
        return
    with st.container(key="screen_patient_reference"):
        pick.pick(
            "Compared with whom?", {key: each.label for key, each in offered.items()},
            key=patient_explained.REFERENCE, default=patient_explained.EVERYONE,
        )  # fmt: skip


# ------------------------------------------------------------------ small print


def _note(view: View, explanation: explain.Explanation) -> str:
    parts = [_additivity(explanation)]
    if any(c.has_interval for c in explanation.contributions):
        parts.append(_intervals(view))
    elif not patient_reason_work.promised(view):
        parts.append("No intervals: how much this model would vary with other patients was not worked out.")
    parts.append(_two_averages(view, explanation))
    if view.reading == "analyst":
        parts.append(_log_hazards(view, explanation))
    return " ".join(part for part in parts if part)


def _intervals(view: View) -> str:
    """What the lines under the bars are, and what grey is."""
    model = patient_reason_work.plain(view)
    told = explain.beside_intervals(model)
    grey = "may be nothing" if explain.measure_of(model) == explain.INTERVAL else "are within it"
    return f"Lines under the bars: {told[:1].lower()}{told[1:]} Grey bars {grey}."


def _log_hazards(view: View, explanation: explain.Explanation) -> str:
    """Of a Cox model: what each value adds to the log hazard beside the same patients' mean."""
    model = patient_reason_work.plain(view)
    if not isinstance(model, risk.Model):
        return ""
    beside = patient_reason_work.compared(view)
    gap = explain.variable_terms(model, view.patient)[0] - np.asarray(beside.terms).mean(axis=0)
    own = {v.name: float(x) for v, x in zip(model.variables, gap, strict=True)}
    told = ", ".join(f"{c.label} {_signed(own[c.variable])}" for c in explanation.contributions)
    return f"On the log hazard, against the mean of the same patients: {told}."


def _signed(x: float) -> str:
    rounded = round(x, 2)
    return "0.00" if rounded == 0 else f"{rounded:+.2f}".replace("-", "−")


def _reasons_made(view: View) -> Made:
    """With scripts for a Cox model of the cohort's own predictors, else in words."""
    model = view.model
    own = not view.choice.left_out and not view.choice.wide and not view.reference and not view.alive
    if isinstance(model, risk.Model) and own:
        return made_risk.reasons_made(view.cohort, model, view.row, view.when, view.unit)
    _, said, so_far = _compared_with(view)
    of = f"with {said} " if said else ""
    of += f"event-free and observed after {so_far}, " if so_far else ""
    return Made(
        f"Contributions to the risk {view.by} are Shapley values of the {model_choice.named(view.choice.kind)} "
        f"({say.patients(model.n)}, {say.events(model.n_events)}): the mean change of the predicted risk when a value "
        f"is made known, over all orders of the variables, against patients {of}evenly spaced from the lowest to the "
        f"highest risk. Computed with {versions()}; data and filter {model.cohort_fingerprint[:12]}."
    )


def _two_averages(view: View, explanation: explain.Explanation) -> str:
    """Why the average the reasons start from is not the one of the cohort's curve, where the two differ in words."""
    if view.reference or from_the_start(view):
        return ""
    said, seen = say.percent(explanation.base), say.percent(1 - view.curve.at_horizon[1])
    if said == seen:
        return ""
    whom = "all who came so far" if view.alive else "all"
    return f"The average here, {said}, is the model's of those patients; {seen} of {whom} were observed to have it."


def _additivity(explanation: explain.Explanation) -> str:
    how = "Exact Shapley values" if explanation.sampling_error is None else "Shapley values from sampled orders"
    error = explanation.additivity_error
    checked = "checked to nine decimals" if error < 1e-9 else f"checked, difference {100 * error:.0e} points"
    text = f"{how} of the risk, in percentage points, against {explanation.n_background} patients of this cohort. "
    text += f"They add up to the risk ({checked})."
    if explanation.sampling_error is not None:
        text += f" Standard error of each up to {100 * explanation.sampling_error:.2f} points."
    return text
