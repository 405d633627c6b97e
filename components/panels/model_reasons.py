"""What the model goes by, in short: the variables that the risk goes with most, and the way to all of it."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit
from bedside.report import say
from bedside.risk.fitted import Fitted
from components import desk
from components.model_choice import Choice
from components.panels import page, reasons_board, reasons_view


def card(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, when: float, unit: Unit) -> None:
    """The card, whatever kind of model; it stands while its reasons are being worked out."""
    with st.container(border=True, key="card_model_reasons", gap="xsmall"):
        page.heading("What it goes by", f"how far each variable moves the risk within {say.duration(when, unit)}")
        with desk.fixable():
            found = reasons_view.reasons(cohort, outcome, choice, fitted, when, unit)
            if found is not None:
                reasons_board.listed(found)
        with st.container(key="screen_model_reasons", width="content"):
            st.page_link(desk.page("reasons"), label="What it goes by: patient by patient, over time, in pairs",
                         query_params=desk.link(), icon=":material/bubble_chart:")  # fmt: skip
