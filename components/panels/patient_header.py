"""Who the page is about, and what the reader asks of it: times, reading, ranges and decimals."""

from __future__ import annotations

from typing import cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.report import say
from components import desk
from components.panels import page, patient_estimate, patient_horizon, patient_list, pick
from components.panels.patient_view import Asked, Reading

PORTRAIT = 10
READINGS: dict[str, str] = {"clinician": "Clinician", "analyst": "Analyst", "patient": "For the patient"}


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


def header(cohort: Cohort, outcome: Outcome, row: int) -> tuple[Asked, DeltaGenerator]:
    """Who this is and what is asked for; and the place for what can be taken along."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="patient_who"):
        title = st.container(width="stretch")
        with st.container(
            key="screen_patient_tools", horizontal=True, vertical_alignment="center", width="content", gap="small"
        ):
            shown = pick.segments(
                "Written for", READINGS, key="reading", default="clinician", label_visibility="collapsed"
            )
            tools = st.container(key="patient_tools", horizontal=True, width="content")
    reading = cast(Reading, shown)
    with title:
        page.title(named(cohort, row), portrait(cohort, row, sensitive=reading != "patient"))
    with st.container(key="screen_patient_asked", horizontal=True, vertical_alignment="bottom", gap="medium"):
        when, unit, alive = patient_horizon.choose(cohort, outcome)
        with st.container(width="content", gap=None, key="patient_toggles"):
            ranges = _toggle("Show ranges", "patient_ranges")
            # Numbers of people have none.
            decimals = reading != "patient" and _toggle("Show decimals", "decimals")
        patient_estimate.switch()
    return Asked(when, unit, alive, reading, ranges, max(int(decimals), int(reading == "analyst"))), tools


def named(cohort: Cohort, row: int) -> str:
    """The page's heading."""
    return f"Patient {cohort.identifiers[row]}".replace("Patient Patient", "Patient")


def portrait(cohort: Cohort, row: int, *, sensitive: bool = True) -> str:
    """The patient in one line: the values of the predictors, those not recorded last; the sensitive ones if asked."""
    values = cohort.frame.iloc[row]
    told = [v for v in cohort.predictors if sensitive or not v.sensitive]
    known = [v for v in told if values[v.name] == values[v.name]]
    gaps = [say.in_sentence(v.label) for v in told if v not in known]
    line = [v.say_with_label(values[v.name]) for v in known[:PORTRAIT]]
    if len(known) > PORTRAIT:
        line.append(f"{len(known) - PORTRAIT} more{' below' if sensitive else ''}")
    if gaps:
        line.append(f"not recorded: {', '.join(gaps[:3])}{' and others' if len(gaps) > 3 else ''}")
    return " · ".join(line)


def _toggle(label: str, key: str) -> bool:
    """A switch kept in the link."""
    linked = desk.from_link(key)
    if linked is not None:
        st.session_state[key] = linked == "1"
    chosen = bool(st.toggle(label, key=key, persist_state="session"))
    desk.keep_in_link(key, "1" if chosen else None)
    return chosen
