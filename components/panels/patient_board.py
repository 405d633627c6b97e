"""The pieces of a patient's page: the answer, how far it holds, and the values behind it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside import risk
from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.report import made_risk, say
from components import desk, model_choice
from components.figures.patient import patient_alt, patient_figure, patient_rows
from components.panels import (
    horizon,
    page,
    patient_estimate,
    patient_list,
    patient_trust,
    patient_view,
    patient_why,
    save,
)
from components.panels.patient_view import Asked, View

PORTRAIT = 10


def who(cohort: Cohort) -> int:
    """The row of the patient the link or the session names; otherwise the page asks.

    Raises
    ------
    Fixable
        If nobody was chosen, or the one chosen is not among these patients.
    """
    mark = st.query_params.get("patient") or st.session_state.get("patient")
    if not mark:
        page.title("Patient")
        patient_list.search(cohort)
        st.page_link(desk.page("patients"), label="Choose a patient", icon=":material/list:", query_params=desk.link())
        raise Fixable("No patient is open.", "None was chosen yet.", "Find one above, or choose from the list.")
    row = desk.find(cohort, mark)
    if row is None:
        page.title("Patient")
        st.page_link(desk.page("patients"), label="All patients", icon=":material/list:", query_params=desk.link())
        if not desk.selection().is_everyone:
            raise Fixable(
                "This patient is not among those selected.",
                "The filter above leaves the patient out, or the link was made for another cohort.",
                "Remove a part of the filter, or choose another patient.",
            )
        raise Fixable(
            "This link names no patient of this cohort.",
            "It was made for another cohort, on another installation, or is incomplete.",
            "Choose a patient from the list.",
        )
    st.session_state["patient"] = mark
    desk.keep_in_link("patient", mark)
    return row


def header(cohort: Cohort, outcome: Outcome, row: int) -> Asked:
    """Who this is, and by when the risk is asked for."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.title(
                f"Patient {cohort.identifiers[row]}".replace("Patient Patient", "Patient"), portrait(cohort, row)
            )
        with st.container(key="screen_patient_horizon", horizontal=True, vertical_alignment="bottom", width="content"):
            when, unit = horizon.choose(cohort, outcome)
            decimals = horizon.decimals()
            patient_estimate.switch()
    return Asked(when, unit, decimals=decimals)


def portrait(cohort: Cohort, row: int) -> str:
    """The patient in one line: the values of the predictors, those not recorded last."""
    values = cohort.frame.iloc[row]
    known = [v for v in cohort.predictors if values[v.name] == values[v.name]]
    gaps = [say.in_sentence(v.label) for v in cohort.predictors if v not in known]
    line = [v.say_with_label(values[v.name]) for v in known[:PORTRAIT]]
    if len(known) > PORTRAIT:
        line.append(f"{len(known) - PORTRAIT} more below")
    if gaps:
        line.append(f"not recorded: {', '.join(gaps[:3])}{' and others' if len(gaps) > 3 else ''}")
    return " · ".join(line)


def answer(view: View) -> None:
    """The risk, the curve and the reasons, side by side; what stands behind them below."""
    decimals = view.decimals
    left, middle, right = page.split("patient", 1, 1.12, 1.12)
    with left, st.container(border=True, key="card_risk", height="stretch"):
        verdict = _risk(view, decimals)
    with middle, st.container(border=True, key="card_curve", height="stretch"):
        _curve(view)
    with right, st.container(border=True, key="card_why", height="stretch"):
        patient_why.panel(view)
    patient_trust.panel(view, verdict)


def _risk(view: View, decimals: int) -> DeltaGenerator:
    page.put(
        '<p class="bs-eyebrow">{label}</p>'
        '<p class="bs-hero">{hero}</p>'
        '<p class="bs-lead">patients with these values would {phrase} {by}.</p>'
        '<p class="bs-muted" style="margin:.35rem 0 0">{limits}</p>',
        label=view.event,
        hero=say.of_100(view.risk, decimals=decimals),
        phrase=view.happens,
        by=view.by,
        limits=_limits(view, decimals),
    )
    patient_estimate.revealed(view)
    place = st.container(key="patient_verdict")
    page.put("{icons}", icons=icons(view, decimals))
    if not view.limits:
        with st.container(key="screen_patient_vary"):
            patient_view.vary(view.cohort, view.outcome, view.choice, view.model)
    if getattr(view.model, "strong_ridge", False):
        page.caution("The interval is too narrow: it leaves out the pull of a strong ridge, used for want of events.")
    if view.outcome.note and not view.one_event:
        page.caption(view.outcome.note)
    _which_events(view)
    with st.container(key="screen_patient_model", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            page.caption(f"By the {model_choice.named(view.choice.kind)}.")
        st.page_link(desk.page("model"), label="Choose another model", query_params=desk.link())
    return place


def _which_events(view: View) -> None:
    if view.one_event:
        page.caption(f"What can come first instead: {', '.join(_lowered(kind) for kind in view.outcome.competing)}.")
    elif view.outcome.has_competing:
        page.caption(f"Any of these counts: {_kinds(view.outcome)}. Which of them comes first is not told apart here.")


def _limits(view: View, decimals: int) -> str:
    if not view.limits:
        return "No interval yet: how much this model would vary with other patients was not worked out."
    if view.lower != view.lower or view.upper != view.upper:
        return f"{_raised(view.limits)}: cannot be given so early, before the first event"
    return f"{_raised(view.limits)}: {say.range_of_100(view.lower, view.upper, decimals=decimals)} of 100"


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _kinds(outcome: Outcome) -> str:
    return ", ".join(_lowered(kind) for kind in [outcome.cause_label or "the event", *outcome.competing])


def icons(view: View, decimals: int) -> page.Markup:
    """One hundred bars, events first; the counts stand beside them, so that colour is not the only sign."""
    told = _states(view, decimals)
    drawn = view.states.icons() if len(told) > 2 else ["event"] * round(100 * view.risk)
    drawn = [*drawn, *["free"] * (100 - len(drawn))]
    bars = page.join(_bar(key) for key in drawn)
    keys = page.join(page.fill("<span>{bar}{text}</span>", bar=_bar(key), text=text) for key, text in told)
    return page.fill(
        '<div class="bs-icons" role="img" aria-label="{alt}">{bars}</div>'
        '<p class="bs-key" style="margin-top:.6rem">{keys}</p>',
        alt=f"Of 100 patients, {'; '.join(text for _, text in told)}.",
        bars=bars,
        keys=keys,
    )


def _bar(key: str) -> page.Markup:
    return {
        "event": page.Markup('<i class="bs-event"></i>'),
        "other": page.Markup('<i class="bs-other"></i>'),
        "free": page.Markup("<i></i>"),
    }[key]


def _states(view: View, decimals: int) -> list[tuple[str, str]]:
    """How many of 100 come to what, each with its kind; they add up."""
    with_event, without = say.split_of_100(view.risk, decimals=decimals)
    if len(view.states.states) == 2:
        return [("event", f"{with_event} {patient_view.plainly(view.happens)}"), ("free", f"{without} {view.spared}")]
    share = view.states.share[0]
    counts = [view.states.said(0, k) for k in range(3)]
    if decimals:
        counts = [say.split_of_100(float(one), decimals=decimals)[0] for one in share]
    return [
        ("event", f"{counts[0]} {view.happens}"),
        ("other", f"{counts[1]} have {view.instead} first"),
        ("free", f"{counts[2]} {view.outcome.free_phrase}"),
    ]


def _curve(view: View) -> None:
    free, shown, fitted = view.spared, view.curve, view.model
    band = {"": "", "model variability": ", band: model variability"}.get(shown.band or "", "")
    band = ", pointwise 95% band" if shown.band is None else band
    how = "Aalen-Johansen" if view.one_event else "Kaplan-Meier"
    # The scripts fit a Cox model to the cohort's own columns.
    made = (lambda: made_risk.curve_made(view.cohort, fitted, view.row)) if isinstance(fitted, risk.Model) else None
    save.figure(
        lambda mode: patient_figure(shown, mode=mode, height=370),
        key="patient_curve",
        title=_raised(free),
        alt=patient_alt(shown),
        note=f"Solid: this patient, {model_choice.named(view.choice.kind)}{band}. Dashed: all {say.patients(shown.n)}, "
        f"{say.events(shown.n_events)} ({how}). Pale where fewer than 10 remain under observation.",
        stem="patient-curve",
        rows=lambda: patient_rows(shown),
        made=made,
    )


def values(view: View) -> None:
    """Everything recorded about the patient, beside the cohort."""
    listed(view.cohort, view.row)


def listed(cohort: Cohort, row: int) -> None:
    """Everything recorded about a patient."""
    panel = st.expander("All recorded values", key="patient_values", on_change="rerun")
    if not panel.open:
        return
    record = cohort.frame.iloc[row]
    with panel:
        rows = [
            (v.label, v.say(record[v.name]), "known only later" if v.use == "later" else "") for v in cohort.filterable
        ]
        page.table(("Variable", "Value", ""), rows, label="All recorded values", numeric_from=9)
        page.caption("What happened to the patient is left out on purpose, so that the risk is read first.")
