"""What can be opened below a patient's three cards, in order; only the one chosen is worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from components import desk
from components.panels import (
    patient_beside,
    patient_board,
    patient_over_time,
    patient_similar,
    patient_visits,
    patient_what_if,
    pick,
)
from components.panels.patient_view import View


@dataclass(frozen=True)
class Section:
    """One of the sections.

    Attributes
    ----------
    label : str
        On its button.
    draw : callable
        Draws it for a view.
    lives : callable
        False where there is nothing of the kind for this patient; it must cost nothing.
    """

    label: str
    draw: Callable[[View], None]
    lives: Callable[[View], bool] = lambda view: True


SECTIONS: dict[str, Section] = {
    "similar": Section("Similar patients", patient_similar.panel),
    "what_if": Section("What if", patient_what_if.panel),
    "over_time": Section("Reasons over time", patient_over_time.panel, lambda view: not view.beyond),
    "visits": Section("Visits", patient_visits.panel, patient_visits.lives),
    "others": Section("Other models and scores", patient_beside.panel, lambda view: not view.beyond),
    "values": Section("All values", patient_board.values),
}
"""By their key in the address, in the order of their buttons: similar, what_if, over_time, visits, others, values."""


def draw(view: View) -> None:
    """The choice of a section, and the one chosen; none on a page that is turned to the patient."""
    if view.reading == "patient":
        return
    living = {key: section for key, section in SECTIONS.items() if section.lives(view)}
    with st.container(key="screen_patient_sections"):
        chosen = pick.segments(
            "More about this patient", {key: section.label for key, section in living.items()}, key="patient_section",
            label_visibility="collapsed",
        )  # fmt: skip
    # On paper the answer alone: a section is taken along by its own Save, the whole by Print.
    with st.container(key="screen_patient_section"), desk.fixable():
        living[chosen].draw(view)
