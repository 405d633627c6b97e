"""Which patient do I want to look at?"""

import streamlit as st

from bedside.engine.live import LiveCohort
from components import desk
from components.panels import horizon, live_patients, page, patient_list

cohort = desk.cohort()
outcome = desk.outcome(cohort)

if isinstance(cohort, LiveCohort):
    live_patients.show(cohort)
else:
    with desk.fixable():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            with st.container(width="stretch"):
                page.title("Patients", patient_list.aside(cohort))
            when, unit = horizon.choose(cohort, outcome)
        risks = patient_list.risks(cohort, outcome, when, unit)
        patient_list.show(cohort, outcome, risks, when, unit)
