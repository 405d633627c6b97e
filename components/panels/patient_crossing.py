"""The nearest values on the other side of a chosen risk, looked for when the reader asks."""

from __future__ import annotations

import streamlit as st

from bedside.explain.contributions import readings_of
from bedside.patient.what_if import Crossing, smallest_change
from bedside.report import say
from components import desk, model_choice
from components.panels import page, patient_said, threshold
from components.panels.patient_view import View
from components.panels.patient_what_if_answer import of_treatment, told

KEY = "what_if_threshold"
LOWEST, HIGHEST = 1, 99
AGAIN = (
    "This names other patients, alike but for these values. Whether this patient’s risk would be theirs with another "
    "value is not known."
)


def panel(view: View) -> None:
    """Folded until it is asked for."""
    place = st.expander("Who is nearest on the other side of a risk?", key="what_if_crossing", on_change="rerun")
    if not place.open:
        return
    with place, desk.fixable():
        if any(reading.variable.modifiable for reading in readings_of(view.model).values()):
            _show(view, _found(view, _threshold(view)))
        else:
            _none_marked(view)


def _none_marked(view: View) -> None:
    marked = ", ".join(v.label for v in view.cohort.filterable if v.modifiable)
    page.put(
        '<p class="bs-lead">This model reads nothing that the dictionary marks as modifiable.{unread}</p>',
        unread=f" Marked, but not read by it: {marked}." if marked else "",
    )
    page.caption("A variable is marked in the dictionary of the cohort, by “modifiable”: true.")


def _threshold(view: View) -> float:
    """The risk to be crossed; at first the reader's own decision threshold, else the average here."""
    kept_for = (view.cohort.key, view.outcome.key)
    if st.session_state.get("what_if_threshold_for") != kept_for or not _sound(st.session_state.get(KEY)):
        st.session_state["what_if_threshold_for"] = kept_for
        st.session_state[KEY] = _default(view)
    value = st.slider(
        "Chosen risk, of 100", LOWEST, HIGHEST, key=KEY, persist_state="session", width=380,
        help="At first your decision threshold if you have set one, else the average risk here.",
    )  # fmt: skip
    return value / 100


def _default(view: View) -> int:
    own = st.session_state.get(threshold.KEY)
    if _sound(own):
        return own
    average = 0.5 if view.explanation is None else view.explanation.base
    return min(max(round(100 * average), LOWEST), HIGHEST)


def _sound(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and LOWEST <= value <= HIGHEST


def _found(view: View, share: float) -> Crossing:
    key = ("what if crossing", *model_choice.key(view.cohort, view.outcome, view.choice), view.model.fingerprint,
           view.row, view.t, view.s, share)  # fmt: skip

    def make() -> Crossing:
        with desk.progress("Trying other values"):
            whole = patient_said.whole(view.cohort, view.outcome, view.choice, view.model)
            return smallest_change(view.model, view.patient, view.t, share, alive_at=view.s, whole=whole)

    return desk.kept(key, make)


def _show(view: View, found: Crossing) -> None:
    d = view.decimals
    page.put('<p class="bs-lead">{text}</p>', text=found.told(decimals=d))
    if len(found.steps) > 1:
        rows = [(" and ".join(told(c) for c in s.changes), say.of_100(s.risk, decimals=d)) for s in found.steps]
        page.table(("Nearest first", "Risk"), rows, label="Patients beyond the chosen risk")
    tried = ", ".join(variable.label for variable in found.tried)
    page.caption(
        f"Tried, alone and two together, over plausible values that patients here had: {tried}. Near is measured in "
        "standard deviations of each value; another level counts as one."
    )
    if found.steps:
        page.caption(AGAIN)
    of_treatment(view, [c for step in found.steps for c in step.changes], key="what_if_crossing_fair")
