"""A patient's visits: the risk as each of them updated it, and what was measured."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Unit, convert
from bedside.patient import (
    LandmarkGain,
    Landmarks,
    VisitRisk,
    gain_at,
    landmark_models,
    risk_at_visits,
    visits_of,
)
from bedside.patient.visits_models import MOST
from bedside.patient.visits_risk import FEWEST_EACH
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_words import versions
from components import desk, jobs, model_choice
from components.figures.visits import (
    Mark,
    Updated,
    measured_alt,
    measured_figure,
    measured_rows,
    updated_alt,
    updated_figure,
    updated_rows,
)
from components.panels import page, patient_said, save
from components.panels import patient_visits_words as words
from components.panels.patient_view import View
from components.panels.pick import pick

AT_ONCE = 60_000
"""Patients times variables times landmarks up to which the models are learnt while the page is drawn."""
ENOUGH = 75
"""Events after a landmark with which the gain is checked first."""
AHEAD: dict[Unit, tuple[float, ...]] = {
    "years": (1, 2, 3, 4, 5, 7, 10, 15, 20), "months": (1, 2, 3, 6, 12, 24, 36, 48, 60, 84, 120),
    "weeks": (1, 2, 4, 8, 13, 26, 52), "days": (1, 2, 5, 7, 14, 30, 60, 90, 180, 365),
}  # fmt: skip
"""Round times ahead."""


def lives(view: View) -> bool:
    """True if the cohort has visits."""
    return view.cohort.visits is not None and view.cohort.identifier is not None


def panel(view: View) -> None:
    """The updated risk, what updating gains here, and the measurements."""
    when, seen = visits_of(view.cohort, view.outcome, view.row)
    if not len(when):
        page.caption("No visits are recorded for this patient: the risk rests on the values of time zero.")
        return
    times = convert(when, view.outcome.unit, view.unit)
    marks = _happened(view)
    # A single visit has no length: an axis of hours would look like one.
    scale = float(convert(view.model.last, view.outcome.unit, view.unit))
    least = min(float(convert(1.0, "years", view.unit)), scale)
    end = 1.04 * max(float(times.max()), *(at for at, _ in marks), least)
    with st.container(border=True, key="card_visits_risk"):
        if view.beyond:
            page.caption(view.beyond)
        else:
            with desk.fixable():
                _risk(view, end, marks)
    with st.container(border=True, key="card_visits_measured"):
        _measured(view, words.measurements(view, times, seen), end, marks)


def _happened(view: View) -> tuple[Mark, ...]:
    """What became of the patient, once the reader asks."""
    # The key is of this patient: the next one's outcome is asked for anew.
    with st.container(key="screen_visits_told"):
        told = st.toggle(
            "Show what happened to this patient", key=f"patient_visits_told_{desk.token(view.cohort, view.row)[:12]}",
            help="Left out at first, so that the risk is read before the outcome.",
        )  # fmt: skip
    return (words.ended(view),) if told else ()


# ------------------------------------------------------------------ updated risk


def _names(view: View) -> tuple[str, ...]:
    return tuple(v.name for v in model_choice.rows(view.cohort, view.outcome, view.choice).variables)


def landmarks(view: View) -> Landmarks | None:
    """The models of the time left after a few round times, once for all patients; None while they are being learnt.

    Raises
    ------
    Fixable
        If nothing can be updated here.
    """
    names, target = _names(view), view.choice.target
    key = ("landmark models", view.cohort.fingerprint, view.outcome.key, target, "\x1f".join(names))
    title = "Learning what visits add"
    if len(view.cohort) * len(names) * MOST > AT_ONCE:
        return jobs.wanted(key, title, landmark_models, view.cohort, view.outcome, names, target)

    def make() -> Landmarks:
        with desk.progress(title) as report:
            return landmark_models(view.cohort, view.outcome, names, target, report)

    return desk.kept(key, make)


def updated(view: View, found: Landmarks, ahead: float) -> tuple[VisitRisk, ...]:
    """This patient's risks from each visit on, so far ahead in the unit of the page."""
    choice, model = view.choice, view.model
    key = (*model_choice.key(view.cohort, view.outcome, choice), model.fingerprint, view.row, view.unit, ahead)
    t = float(convert(ahead, view.unit, view.outcome.unit))

    def make() -> tuple[VisitRisk, ...]:
        return risk_at_visits(found, view.cohort, view.outcome, view.row, t, model)

    return desk.kept(("patient visits", *key), make)


def shown(view: View, risks: tuple[VisitRisk, ...]) -> list[Updated]:
    """The same in the unit of the page."""
    unit = view.outcome.unit
    return [
        Updated(
            float(convert(r.at, unit, view.unit)), patient_said.unsure(r.risk) if r.risk == r.risk else r.risk, r.lower,
            r.upper, r.unchanged, r.n, r.n_events, float(convert(r.landmark, unit, view.unit)), r.weak,
        )
        for r in risks
    ]  # fmt: skip


def _risk(view: View, end: float, marks: tuple[Mark, ...]) -> None:
    found = landmarks(view)
    if found is None:
        return
    with st.container(key="visits_lead", horizontal=True, vertical_alignment="top", gap="medium"):
        first = st.container(width="stretch")
        with st.container(key="screen_visits_ahead", width="content"):
            far = _ahead(view, found)
    risks = updated(view, found, far)
    visits, ahead = shown(view, risks), say.duration(far, view.unit)
    with first:
        page.put('<p class="bs-lead">{text}</p>', text=words.lead(view, visits, ahead))
    told = words.cautions(view, risks, found)
    for caution in told:
        page.caution(caution)
    if sum(each.risk == each.risk for each in visits) < 2:
        # One risk is no course: the sentence says it all.
        _why_not(view, risks, told=bool(marks))
        return
    save.figure(
        lambda mode: updated_figure(
            visits, end=end, unit=view.unit, since=view.outcome.since, ahead=ahead, marks=marks, mode=mode
        ),
        key="patient_visits_risk", title=f"{view.event}, updated", aside=f"risk within the next {ahead}",
        alt=updated_alt(visits, unit=view.unit, ahead=ahead), note=words.note(view, visits, found),
        stem="patient-visits-risk", rows=lambda: updated_rows(visits, unit=view.unit, ahead=ahead),
        made=lambda: _made(view, found), cautions=told,
    )  # fmt: skip
    _why_not(view, risks, told=bool(marks))
    _gain(view, found, visits)


def _ahead(view: View, found: Landmarks) -> float:
    """How far ahead: at first the furthest round time, up to the page's, that enough were followed for after each."""
    options = sorted({*(each for each in AHEAD[view.unit] if each < view.when), view.when})
    lasting = [each for each in found.reach if each == each]
    reach = float(convert(min(lasting, default=0.0), view.outcome.unit, view.unit))
    usual = max((each for each in options if each <= reach), default=options[0])
    chosen = pick(
        "Within the next", {f"{each:g}": say.duration(each, view.unit) for each in options},
        key="patient_visits_ahead", default=f"{usual:g}", width=130,
    )  # fmt: skip
    return next((each for each in options if f"{each:g}" == chosen), usual)


def _made(view: View, found: Landmarks) -> Made:
    model = view.model
    times = ", ".join(say.number_of(float(convert(at, view.outcome.unit, view.unit))) for at in found.at)
    return Made(
        f"At each visit the risk is that of a Cox model with a light ridge, learnt at the nearest of the landmarks "
        f"{times} {view.unit} from patients event-free and under observation then, with the last value known by it of "
        f"each variable (Van Houwelingen 2007). By the start alone: such a model of the same patients, learnt from the "
        f"values of time zero. At the start: the {model_choice.named(view.choice.kind)} of all "
        f"({say.patients(model.n)}, {say.events(model.n_events)}). No landmark with fewer than {FEWEST_EACH} events "
        f"for each coefficient is used. "
        f"Computed with {versions()}; data and filter {model.cohort_fingerprint[:12]}."
    )


def _why_not(view: View, risks: tuple[VisitRisk, ...], *, told: bool) -> None:
    for sentence in words.why_not(view, risks, told=told):
        page.caption(sentence)


# ------------------------------------------------------------------ what it gains


def _gain(view: View, found: Landmarks, visits: list[Updated]) -> None:
    """What updating was measured to gain in this cohort, when asked."""
    fitted = {at: model for at, model in zip(found.at, found.models, strict=True) if model is not None}
    if not fitted:
        return
    options = {f"{at:.6g}": say.readable(at, view.outcome.unit) for at in fitted}
    usual = [at for at, model in fitted.items() if model.n_events >= ENOUGH] or [next(iter(fitted))]
    with st.container(key="screen_visits_gain", horizontal=True, vertical_alignment="bottom", gap="small"):
        at = pick(
            "What updating gains, checked at", options, key="patient_visits_at", default=f"{usual[-1]:.6g}", width=260
        )
        names, target = _names(view), view.choice.target
        key = ("landmark gain", view.cohort.fingerprint, view.outcome.key, target, "\x1f".join(names), at or "")
        wanted = st.session_state.setdefault("patient_visits_gains", set())
        if key not in wanted:
            st.button("Check it", key="patient_visits_gain", icon=":material/fact_check:", on_click=wanted.add,
                      args=(key,), help="Models with the values of time zero, and with the last ones known, are set "
                      "beside each other on patients held out, five times five folds.")  # fmt: skip
            return
    time = next(each for each in fitted if f"{each:.6g}" == at)
    gained: LandmarkGain | None = jobs.wanted(
        key, "Checking what updating gains", gain_at, view.cohort, view.outcome, time, names, target
    )
    if gained is not None:
        page.put("<p>{text}</p>", text=words.gain(view, gained))


# ------------------------------------------------------------------ measurements


def _measured(view: View, measured: words.Measurements, end: float, marks: tuple[Mark, ...]) -> None:
    if not measured.every:
        page.caption("Nothing that visits measure was recorded for this patient.")
        return
    with st.container(key="screen_visits_all"):
        more = len(measured.every) > len(measured.model) > 0 and st.toggle(
            f"All {len(measured.every)} measurements", key="patient_visits_all", persist_state="session"
        )
    drawn = measured.every if more or not measured.model else measured.model
    save.figure(
        lambda mode: measured_figure(
            drawn, end=end, unit=view.unit, since=view.outcome.since, marks=marks, mode=mode
        ),
        key="patient_visits_measured", title="Measured at visits",
        aside="" if more else "what the model reads" if measured.model else "",
        alt=measured_alt(drawn, view.unit), note=words.legend(drawn, marks), stem="patient-visits",
        rows=lambda: measured_rows(drawn, view.unit),
        lead=page.fill('<p>{text}</p>', text=words.unusual(drawn)),
    )  # fmt: skip
