"""How much a model would vary with other patients: whether it was worked out, and the offer to."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.risk.fitted import Fitted
from bedside.risk.variability import with_variability
from components import desk, jobs, model_choice
from components.model_choice import Choice


def asked(choice: Choice) -> str:
    """Where the session keeps that a model's variability is wanted."""
    return f"patient_varied_{choice.kind}"


def _varied_key(cohort: Cohort, outcome: Outcome, choice: Choice) -> jobs.Key:
    return ("variability", *model_choice.key(cohort, outcome, choice))


def varied(cohort: Cohort, outcome: Outcome, choice: Choice) -> Fitted | None:
    """The model with its variability, if that was worked out in this session."""
    return desk.held(_varied_key(cohort, outcome, choice))


def vary(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted) -> None:
    """Work out a model's variability, or offer to: its place shows how far it is."""
    if not st.session_state.get(asked(choice)):
        st.button(
            "Work out its variability", key="patient_vary", icon=":material/blur_on:",
            on_click=st.session_state.__setitem__, args=(asked(choice), True),
            help="The model is fitted 50 times more, to samples of the same patients. It takes a few minutes and is "
            "done once for all patients.",
        )  # fmt: skip
        return
    title = f"Refitting the {model_choice.named(choice.kind)} to samples of the patients"
    rows = model_choice.rows(cohort, outcome, choice)
    key = _varied_key(cohort, outcome, choice)
    if jobs.wanted(key, title, with_variability, fitted, rows) is not None:
        st.rerun()
