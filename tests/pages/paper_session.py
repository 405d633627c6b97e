"""A page that says many patients' risks in every way it knows, for the tests of paper: no widget, one run.

Each case of ``st.session_state["cases"]`` is opened as the patient's page opens it; what it drew is told apart by
what stands between two marks.
"""

from __future__ import annotations

from datetime import date

import streamlit as st

from bedside.report.patient_sheet import board_sheet, own_sheet
from bedside.risk.learners import learn
from bedside.risk.variability import with_variability
from components import desk, model_choice
from components.panels import page, patient_paper_facts, patient_view, patient_views
from components.panels.patient_view import Asked

desk.begin()
told = []
for case in st.session_state["cases"]:
    st.session_state.update(cohort=case["cohort"], model_model=case["kind"], model_target=case["target"])
    of = desk.cohort()
    end = desk.outcome(of)
    choice = model_choice.chosen(of, end)
    if case["kind"] != "cox":
        # Fitted here, with few trees, rather than by a job; the page finds it where it looks.
        key, rows = model_choice.key(of, end, choice), model_choice.rows(of, end, choice)
        fitted = desk.kept(
            ("chosen model", *key), lambda rows=rows, case=case: learn(case["kind"], rows, case["settings"])
        )
        if case["varied"]:
            desk.kept(("variability", *key), lambda fitted=fitted, rows=rows: with_variability(fitted, rows, refits=3))
    asked = Asked(case["when"], case["unit"], case["alive"], "analyst", case["ranges"], case["decimals"])
    view = patient_view.compute(of, end, case["row"], asked)
    for draw in (patient_views.icons_panel, patient_views._bars, patient_views._table):
        page.put("<p>mark</p>")
        draw(view)
    facts = patient_paper_facts.facts(view, made=date(2026, 10, 5))
    told.append((view, facts, board_sheet(facts), own_sheet(facts)))
st.session_state["told"] = told
