"""Does it hold elsewhere: the model in patients it has not seen."""

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
