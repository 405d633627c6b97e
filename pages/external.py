"""Another hospital: does the model hold in patients from elsewhere?"""

import streamlit as st

from components import desk
from components.panels import external_choices, external_lead

cohort = desk.cohort()
outcome = desk.outcome(cohort)

head = st.container()
pair = None
with desk.fixable():
    pair = external_choices.choose(cohort, outcome)
with desk.fixable():
    external_lead.board(head, cohort, outcome, pair)
