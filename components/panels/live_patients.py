"""The patients of a live cohort, fifty at a time from their source."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bedside.cohort import Cohort
from bedside.engine.live import PAGE, LiveCohort
from bedside.report import say
from bedside.store import key as keys
from components import desk, live, live_counts
from components.panels import page, patient_list

FIRST, OF, SEARCH = "live_patients_first", "live_patients_of", "live_patients_search"


def show(cohort: LiveCohort) -> None:
    """Search box, a page of the table, and the way to a patient."""
    page.title("Patients", patient_list.aside(cohort))
    with desk.fixable():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input(
                "Find a patient", key=SEARCH, placeholder="Identifier, or a part of it", icon=":material/search:",
                type="search", max_chars=100, width=320,
            )  # fmt: skip
            text = (text or "").strip()
        first = _first(cohort, text)
        key = ("live page", cohort.fingerprint, first, text)
        # One more than is shown says whether there is a next page.
        found: Cohort | None = desk.kept(key, lambda: (cohort.page(first=first, most=PAGE + 1, holding=text),))[0]
        if found is None:
            st.info("No patient matches. Search by identifier, or by a part of it.", icon=":material/search:")
            return
        _table(cohort, found, first, text)


def _first(cohort: LiveCohort, text: str) -> int:
    """Patients before this page; another filter or search begins anew."""
    if st.session_state.get(OF) != (cohort.fingerprint, text):
        st.session_state[OF], st.session_state[FIRST] = (cohort.fingerprint, text), 0
    return st.session_state[FIRST]


def _turn(by: int) -> None:
    st.session_state[FIRST] = max(st.session_state[FIRST] + by, 0)


def _table(cohort: LiveCohort, found: Cohort, first: int, text: str) -> None:
    variables, n = patient_list.key_variables(found), min(len(found), PAGE)
    event = st.dataframe(
        patient_list.table_of(found, variables, np.arange(n), None),
        key=f"live_patients_table_{first}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=560,
        column_config=patient_list.columns_of(variables, ""),
        alt=f"{say.patients(n)}: identifier, {len(variables)} variables. A row opens the patient.",
    )
    rows = event.selection.rows
    if rows and rows[0] < n:
        _open(cohort, found.identifiers[rows[0]])
    total = "" if text else f" of {len(cohort):,}"
    with st.container(key="screen_live_patients", horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Back", key="live_patients_back", icon=":material/chevron_left:", disabled=not first,
                  on_click=_turn, args=(-PAGE,))  # fmt: skip
        st.markdown(f"{first + 1:,} to {first + n:,}{total}", width="content")
        st.button("Next", key="live_patients_next", icon=":material/chevron_right:", disabled=len(found) <= PAGE,
                  on_click=_turn, args=(PAGE,))  # fmt: skip
    source = live.title_of(cohort.source_name)
    page.caption(
        f"Read from {source} {PAGE} at a time, in the order of their identifiers. A tick at the start of a row opens "
        "the patient. Sorting by risk needs a model, and so the rows of all of them."
    )
    stay = cohort.stay()
    if stay.can_come:
        st.button("Bring the rows", key="live_patients_bring", icon=":material/download:", on_click=live_counts.ask,
                  args=(cohort.key,))  # fmt: skip


def _open(cohort: LiveCohort, name: str) -> None:
    mark = keys.patient_token(keys.server_key(), cohort.key, name)
    live_counts.open_patient(mark, name)
    st.session_state["patient"] = mark
    st.switch_page(desk.page("patient"), query_params=desk.link(patient=mark))
