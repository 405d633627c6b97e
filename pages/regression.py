"""Which variables go with more or fewer events, and does the model that says so hold?"""

import streamlit as st

from components import desk
from components.panels import (
    page,
    regression_board,
    regression_checks,
    regression_choices,
    regression_parametric,
    regression_planning,
)

everyone, cohort = desk.whole(), desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    choice = regression_choices.choices(everyone, cohort, outcome)
    page.title(regression_board.subject(outcome, choice), cohort.short_title)
    with desk.fixable():
        regression_board.answer(cohort, outcome, choice)
    no_model = regression_checks.refused(cohort, outcome, choice)
    if not no_model:
        left, right = page.split("regression", 1, 1)
        with left, st.container(border=True, key="card_regression_time"), desk.fixable():
            regression_checks.proportional(cohort, outcome, choice)
        with right, st.container(border=True, key="card_regression_line"), desk.fixable():
            regression_checks.straight(cohort, outcome, choice)
        with right, st.container(border=True, key="card_regression_influence"), desk.fixable():
            regression_checks.influential(cohort, outcome, choice)
    regression_parametric.show(cohort, outcome, choice)
    regression_planning.show(cohort, outcome, choice, no_model=no_model)
