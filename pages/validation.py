"""How well does the model do on patients it has not seen?"""

import streamlit as st

from components import desk
from components.panels import (
    page,
    validation_board,
    validation_choices,
    validation_figures,
    validation_groups,
)

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    shown = validation_choices.choices(cohort, outcome)
    found = validation_board.show(cohort, outcome, shown)
    if found is not None:
        left, right = page.split("validation", 1, 1)
        with left, st.container(border=True, key="card_validation_calibration"), desk.fixable():
            validation_figures.calibration(cohort, outcome, shown, found)
        with right, st.container(border=True, key="card_validation_decision"), desk.fixable():
            validation_figures.decision(cohort, outcome, shown, found)
        with desk.fixable():
            validation_figures.over_time(cohort, outcome, shown, found)
        with st.container(border=True, key="card_validation_groups"), desk.fixable():
            validation_groups.show(cohort, outcome, shown, found)
