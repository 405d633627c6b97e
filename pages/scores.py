"""What does a published score say of a patient, and did it come true here?"""

import streamlit as st

from components import desk
from components.panels import page, scores_cohort, scores_form, scores_result

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.title("Published scores", "by hand for one patient, and over this cohort")
        score = scores_form.choose(cohort)
    if score is None:
        scores_cohort.none_chosen(cohort)
    else:
        left, right = page.split("scores", 2.1, 1)
        with left, st.container(border=True, key="card_scores_form"):
            scores_form.population(score)
            typed = scores_form.form(score)
        with right:
            # The stylesheet puts an answer above the form where the two do not fit side by side.
            done = scores_result.complete(score, typed)
            answer = st.container(border=True, key="card_scores_result_done" if done else "card_scores_result")
            scores_result.about(score)
        group = scores_result.group_of(score, typed)
        here = scores_cohort.show(cohort, outcome, score, group)
        with answer:
            scores_result.show(score, typed, here)
