"""How far this number holds for this patient: five lines, and what stands behind each of them."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.errors import Fixable
from bedside.patient import Evidence, ground
from bedside.patient.evidence import evidence
from bedside.report import say
from bedside.risk.variability import Varied
from bedside.validation import Resampled
from components import desk, model_choice, numbers_models, numbers_validation, unseen
from components.numbers_validation import Ask
from components.panels import page, patient_rivals, patient_similar, patient_sure, patient_trust_more, patient_words
from components.panels.patient_rivals import Rivals
from components.panels.patient_sure import Line
from components.panels.patient_view import View

SIGNS = {"ok": ("✓", "All right"), "caution": ("!", "Caution"), "unknown": ("–", "Not known")}
"""How a line is marked, and what a screen reader says of it: the shape differs as well as the colour."""
NOT_HERE = "Not checked here: this takes minutes, see Validation"
SECOND = {"cox": "forest"}
"""The kind to set beside another one; the Cox model for all others."""


def panel(view: View) -> None:
    """The card: one line for each thing that could make the number less sure, and the rest behind a word."""
    with st.container(border=True, key="card_trust", gap=None):
        head = st.container(horizontal=True, vertical_alignment="center", gap="small", key="patient_trust_head")
        lines, below = st.container(gap="xsmall"), st.container()
        with below:
            done, waits = _checked(view) if not view.beyond else (None, "")
        found = _evidence(view, done)
        beside = None if view.beyond else patient_rivals.rivals(view)
        with lines:
            if view.reading == "patient":
                _plainly(view, found, beside, done)
            else:
                _lines(view, found, done, beside, waits)
        with head:
            with st.container():
                page.heading("How sure" if view.reading != "patient" else "How sure is this?")
            if view.reading != "patient":
                if beside is not None and beside.alone:
                    _second(view, below)
                patient_trust_more.more(view, found, done, waits)


def _plainly(view: View, found: Evidence, beside: Rivals | None, done: Resampled | None) -> None:
    if view.beyond:
        page.caption(view.beyond)
        return
    told = patient_sure.for_patient(
        found, beside, view.model.n, were="treated" if patient_words.treated(view.cohort, view.outcome) else "followed",
        checking=done is None and numbers_validation.under_way(view.cohort, view.outcome, _ask(view)),
        ranked=None if done is None else unseen.ranking(done, view.choice.kind),
    )  # fmt: skip
    for sentence in told:
        page.put('<p class="bs-large-aside">{t}</p>', t=sentence)


def _lines(view: View, found: Evidence, done: Resampled | None, beside: Rivals | None, waits: str) -> None:
    if beside is None:
        page.caption(view.beyond)
        _draw([patient_sure.within(found), patient_sure.filled(found, len(view.model.design.readings))])
        return
    _draw(_told(view, found, done, beside, waits))
    page.caption(f"Learnt from {say.patients(view.model.n)}, this one among them.")


def _told(view: View, found: Evidence, done: Resampled | None, beside: Rivals, waits: str) -> list[Line]:
    """The five, and what else asks for caution."""
    asked, soon = len(view.model.design.readings), f"within {say.duration(view.when, view.unit)}"
    return [
        patient_sure.alike(found, soon), patient_sure.calibration(found, waits=waits), patient_sure.within(found),
        patient_sure.filled(found, asked), patient_sure.agreement(beside), *_cautions(view, done),
    ]  # fmt: skip


def lines(view: View) -> tuple[list[Line], Evidence]:
    """The same for a place that begins nothing, as paper: a check counts if it is there, else its absence is said."""
    done, waits = None, "Not checked: too few patients to hold some back"
    try:
        if not numbers_models.unasked(view.cohort, view.outcome, view.choice):
            waits = NOT_HERE
        else:
            done, waits = numbers_validation.there(view.cohort, view.outcome, _ask(view)), _waits(view)
    except Fixable:
        pass
    found = _evidence(view, done)
    return _told(view, found, done, patient_rivals.rivals(view), waits), found


def few_alike(view: View) -> bool:
    """True if hardly anybody behind the number was like this patient."""
    found = _evidence(view, None)
    return bool(not found.bare and (found.outlying or found.outside or not found.alike.value))


def _cautions(view: View, done: Resampled | None) -> list[Line]:
    """What matters and is no part of the five."""
    told = []
    if view.thin:
        told.append("Fewer than 10 patients were followed for so long")
    weak = None if done is None else patient_sure.ranks(unseen.ranking(done, view.choice.kind))
    inner = view.model.model if isinstance(view.model, Varied) else view.model
    if getattr(inner, "strong_ridge", False):
        told.append("Interval without the pull of a strong ridge, used for want of events")
    left = [v.label for v in view.cohort.filterable if v.name in view.choice.left_out]
    if left:
        more = f" and {len(left) - 2} more" if len(left) > 2 else ""
        told.append(f"Left out by choice: {', '.join(left[:2])}{more}")
    fitting = [c for c in inner.cautions if "strong ridge" not in c]
    if fitting:
        told.append(f"{len(fitting)} caution{'s' if len(fitting) > 1 else ''} about the fit: see More")
    return [*([] if weak is None else [weak]), *(Line("caution", text) for text in told)]


def _draw(lines: list[Line]) -> None:
    items = page.join(
        page.fill(
            '<li class="bs-{mark}"><i role="img" aria-label="{said}">{sign}</i><span>{text}</span></li>',
            mark=line.mark, sign=SIGNS[line.mark][0], said=SIGNS[line.mark][1], text=line.text,
        )
        for line in lines
    )  # fmt: skip
    page.put('<ul class="bs-sure">{items}</ul>', items=items)


def _second(view: View, place: DeltaGenerator) -> None:
    """One click for another model, fitted in the background; `place` shows how far it is."""
    kind = SECOND.get(view.choice.kind, model_choice.DEFAULT)
    asked = f"patient_second_{kind}"
    if not st.session_state.get(asked):
        with st.container(key="screen_patient_second", width="content"):
            st.button(
                f"Fit the {model_choice.named(kind)}", key="patient_second", type="tertiary", icon=":material/add:",
                on_click=st.session_state.__setitem__, args=(asked, True),
                help="To be set beside this model. In the background, once for all patients.",
            )  # fmt: skip
        return
    with place:
        other = model_choice.other(view.choice, kind, view.outcome)
        if model_choice.model(view.cohort, view.outcome, other, slot="second") is not None:
            st.rerun()


# ------------------------------------------------------------------ what stands behind


def _checked(view: View) -> tuple[Resampled | None, str]:
    """The chosen model on patients it had not seen, as its own page has it; while there is none, why."""
    try:
        if not numbers_models.unasked(view.cohort, view.outcome, view.choice):
            return None, NOT_HERE
        t = numbers_models.until(view.cohort, view.outcome)
        # A patient is not shown how work goes on, and can't stop it.
        shown = view.reading != "patient"
        return numbers_models.checked(view.cohort, view.outcome, view.choice, t, shown=shown), _waits(view)
    except Fixable:
        return None, "Not checked: too few patients to hold some back"


def _ask(view: View) -> Ask:
    return Ask(view.choice, (view.choice.kind,), "folds", numbers_models.until(view.cohort, view.outcome))


def _waits(view: View) -> str:
    if view.s > 0 and view.one_event:
        return "Checked for risks from the start only"
    return "Being checked on patients it had not seen"


def _evidence(view: View, done: Resampled | None) -> Evidence:
    """What stands behind this risk, worked out once for a model and once for a patient."""
    model = view.model.model if isinstance(view.model, Varied) else view.model
    key = (*model_choice.key(view.cohort, view.outcome, view.choice), model.fingerprint)

    def prepared() -> object:
        with desk.progress("Looking for patients alike"):
            rows = model_choice.rows(view.cohort, view.outcome, view.choice)
            return ground(model, rows, metric_of=patient_similar.prepared(view))

    def make() -> Evidence:
        on = desk.kept(("patient ground", *key), prepared)
        t, risk = (min(view.t, model.last), None) if view.beyond else (view.t, view.risk)
        return evidence(
            on, view.patient, t, leave_out=view.row, found=done, kind=view.choice.kind, since=min(view.s, model.last),
            risk=risk,
        )  # fmt: skip

    asked = (view.row, view.t, view.s, bool(view.beyond), done is not None)
    return desk.kept(("patient evidence", *key, *asked), make)
