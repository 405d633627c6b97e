"""Would the groups differ if they had been alike at the start?"""

import streamlit as st

from components import desk
from components.panels import (
    comparison_answers,
    comparison_balance,
    comparison_board,
    comparison_choices,
    comparison_subgroups,
    comparison_table,
    page,
)

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    choice = comparison_choices.choices(cohort, outcome)
    page.title(comparison_board.subject(outcome, choice), comparison_board.aside(cohort, outcome, choice),
               by=comparison_board.grouped(choice))  # fmt: skip
    found = comparison_board.find(cohort, outcome, choice)
    top = st.container()
    comparison_board.cautions(cohort, outcome, choice, found)
    left, right = page.split("comparison", 1.7, 1)
    with left:
        kind = comparison_board.stops(cohort, choice, found, comparison_board.method())
    with top, desk.fixable():
        comparison_answers.answer(cohort, outcome, choice, found, kind)
    with desk.fixable():
        comparison_board.figure(cohort, outcome, choice, found, kind, left)
    with desk.fixable():
        comparison_balance.alike(cohort, outcome, choice, found, left)
    comparison_answers.answers(cohort, outcome, choice, found, right)
    with desk.fixable():
        comparison_balance.trust(cohort, outcome, choice, found)
    comparison_subgroups.show(cohort, outcome, choice)
    comparison_table.show(cohort, choice)
