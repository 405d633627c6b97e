"""A patient's page: the answer, how far it holds, why, and the sections below."""

from __future__ import annotations

import streamlit as st

from bedside import risk
from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.patient.visits_risk import visits_of
from bedside.report import made_risk, say
from bedside.risk.variability import NAME
from bedside.survival.curve import SLACK
from components import desk, model_choice
from components.figures.patient import patient_alt, patient_figure, patient_rows
from components.panels import (
    page,
    patient_estimate,
    patient_internals,
    patient_limits,
    patient_plain,
    patient_trust,
    patient_trust_more,
    patient_views,
    patient_visits,
    patient_why,
    patient_words,
    save,
)
from components.panels.patient_view import View

HEIGHT = 370


def draw(view: View) -> None:
    """Risk, curve, how sure and why, side by side; for a patient only what can be shown to one."""
    if view.reading == "patient":
        patient_plain.panel(view)
        return
    left, middle, right = page.split("patient", 1, 1.12, 1.12)
    with left, st.container(border=True, key="card_risk"):
        _risk(view)
    with middle, st.container(border=True, key="card_curve"):
        _curve(view)
    with right:
        with desk.fixable():
            patient_trust.panel(view)
        if view.explanation is not None:
            with desk.fixable(), st.container(border=True, key="card_why"):
                patient_why.words(view)
    if view.explanation is not None:
        with desk.fixable(), st.container(border=True, key="card_reasons"):
            patient_why.chart(view)
    if view.reading == "analyst":
        with desk.fixable():
            patient_internals.panel(view)


# ------------------------------------------------------------------ risk


def _risk(view: View) -> None:
    if view.beyond:
        page.put(
            '<p class="bs-eyebrow">{label}</p><p class="bs-hero bs-beyond">Not known</p><p class="bs-lead">{why}</p>',
            label=view.event,
            why=view.beyond,
        )
        return
    page.put(
        '<p class="bs-eyebrow">{label}</p>'
        '<p class="bs-hero{thin}">{hero}</p>'
        '<p class="bs-lead">patients with these values would {phrase} {by}.{rest}</p>'
        '<p class="bs-muted" style="margin:.35rem 0 0">{limits}</p>',
        label=view.event,
        thin=" bs-thin" if view.thin else "",
        hero=say.of_100(view.risk, decimals=view.decimals),
        phrase=view.happens,
        by=view.by,
        rest=_rest(view),
        limits=limits(view),
    )
    if view.reading == "analyst" or view.limits == NAME:
        for sentence in patient_trust_more.interval(view)[:1]:
            page.caption(sentence)
    if view.thin:
        page.caution(thin(view))
    patient_estimate.revealed(view)
    patient_views.panel(view)
    _asides(view)


def _rest(view: View) -> str:
    """What becomes of the others, where another event can come first."""
    told = patient_views.counts(view)
    if len(told) < 3:
        return ""
    return f" {told[1].said} would {told[1].phrase}, and {told[2].said} be {told[2].phrase}."


def _asides(view: View) -> None:
    """What must be known of the number, in small print."""
    if not view.limits:
        with st.container(key="screen_patient_vary"):
            patient_limits.vary(view.cohort, view.outcome, view.choice, view.model)
    if view.outcome.note and not view.one_event:
        page.caption(view.outcome.note)
    for text in (*which_events(view), patient_words.before_turning(view)):
        if text:
            page.caption(text)
    if view.outcome.has_competing:
        other = model_choice.ANY if view.one_event else model_choice.EVENT
        label = "Count any of them" if view.one_event else "Tell them apart"
        st.button(
            label, key="patient_target", type="tertiary", icon=":material/call_split:",
            on_click=st.session_state.__setitem__, args=("model_target", other),
        )  # fmt: skip
    with st.container(key="screen_patient_model", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            page.caption(f"By the {model_choice.named(view.choice.kind)}.")
        st.page_link(desk.page("model"), label="Choose another model", query_params=desk.link())


def which_events(view: View) -> list[str]:
    """As of when the risk is, what counts as the event where several compete, and what of the others is known."""
    return [*_as_of(view), *_kinds_told(view)]


def _as_of(view: View) -> list[str]:
    """That more is known of the patient by now than the risk counts; how much would tell how long it was."""
    if not patient_visits.lives(view) or not (visits_of(view.cohort, view.outcome, view.row)[0] > 0).any():
        return []
    return [f"By what was known at {view.outcome.since}: later visits, and what they change, are under Visits."]


def _kinds_told(view: View) -> list[str]:
    if not view.one_event:
        if not view.outcome.has_competing:
            return []
        return [f"Any of these counts: {_kinds(view.outcome)}. Which of them comes first is not told apart here."]
    told = [f"What can come first instead: {', '.join(_lowered(kind) for kind in view.outcome.competing)}."]
    if view.table.basis == "two models":
        told.append("How many have one of these first is what a Cox model of any event says beyond this risk.")
    if view.table.basis == "event only":
        told.append("How many have one of these first is not known to this model: they are not told apart here.")
    return told


def limits(view: View) -> str:
    """The interval in words, or why there is none."""
    if not view.limits:
        return "No interval yet: how much this model would vary with other patients was not worked out."
    if view.lower != view.lower or view.upper != view.upper:
        return f"{_raised(view.limits)}: cannot be given so early, before the first event"
    return f"{_raised(view.limits)}: {say.range_of_100(view.lower, view.upper, decimals=view.decimals)} of 100"


def thin(view: View) -> str:
    """The caution where few remain."""
    few = say.duration(view.curve.reliable_until, view.unit)
    return f"Read with caution: after {few} fewer than 10 patients were still under observation."


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _kinds(outcome: Outcome) -> str:
    return ", ".join(_lowered(kind) for kind in [outcome.cause_label or "the event", *outcome.competing])


# ------------------------------------------------------------------ curve


def _curve(view: View) -> None:
    shown, fitted = view.curve, view.model
    # The scripts fit a Cox model to the cohort's own columns, from the start.
    scripted = isinstance(fitted, risk.Model) and not view.alive and not view.beyond
    made = (lambda: made_risk.curve_made(view.cohort, fitted, view.row)) if scripted else None
    save.figure(
        lambda mode: patient_figure(shown, mode=mode, height=HEIGHT, decimals=view.decimals),
        key="patient_curve",
        title=_raised(view.spared),
        alt=patient_alt(shown, decimals=view.decimals),
        note=curve_note(view),
        stem="patient-curve",
        rows=lambda: patient_rows(shown),
        made=made,
    )


def _came_so_far(view: View) -> int:
    """Patients under observation at the time so far, free of any event."""
    left = view.cohort.time(view.outcome) > view.s * (1 + SLACK)
    entry = view.cohort.entry(view.outcome)
    return int((left if entry is None else left & (entry <= view.s * (1 + SLACK))).sum())


def curve_note(view: View) -> str:
    """What both curves are."""
    shown = view.curve
    band = {"": "", "model variability": ", band: model variability"}.get(shown.band or "", "")
    band = ", pointwise 95% band" if shown.band is None else band
    how = "Aalen-Johansen" if view.one_event else "Kaplan-Meier"
    so_far = f" Both from {say.duration(view.alive, view.unit)} on, {view.so_far}." if view.alive else ""
    whom = f"all {say.patients(shown.n)}, {say.events(shown.n_events)} ({how})"
    if view.alive:
        whom = f"the {_came_so_far(view):,} of {say.patients(shown.n)} who came so far under observation ({how})"
    held = " ".join(["", *patient_trust_more.interval(view)[:1]]) if shown.band == "model variability" else ""
    return (
        f"Solid: this patient, {model_choice.named(view.choice.kind)}{band}. Dashed: {whom}."
        f"{so_far}{held} Pale where fewer than 10 "
        "remain under observation."
    )


# ------------------------------------------------------------------ values


def values(view: View) -> None:
    """Everything recorded about the patient."""
    listed(view.cohort, view.row)


def listed(cohort: Cohort, row: int) -> None:
    """Everything recorded about a patient, for a page without a view too."""
    record = cohort.frame.iloc[row]
    rows = [(v.label, v.say(record[v.name]), "known only later" if v.use == "later" else "") for v in cohort.filterable]
    with st.container(border=True, key="card_patient_values"):
        page.table(("Variable", "Value", ""), rows, label="All recorded values", numeric_from=9)
        page.caption("What happened to the patient is left out on purpose, so that the risk is read first.")


def failed(stop: Fixable, cohort: Cohort, row: int) -> None:
    """Why there is no risk; what is recorded stands all the same."""
    desk.show(stop)
    listed(cohort, row)
