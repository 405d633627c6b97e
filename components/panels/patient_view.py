"""Everything a patient's page says, computed together from the model that the reader has chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from bedside import explain, risk, survival
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.cohort.wording import either
from bedside.patient import Frequencies, frequencies
from bedside.report import say
from bedside.risk.fitted import Fitted
from bedside.risk.learners import KINDS
from bedside.risk.variability import with_variability
from components import desk, jobs, model_choice, numbers
from components.figures.patient import PatientCurve, patient_curve
from components.model_choice import Choice
from components.panels import patient_explained

Reading = Literal["clinician", "analyst", "patient"]
SURE = 1e-12  # no prediction is nearer to certainty, also where a risk is rounded to 1 in the computer
STEPS = 240  # of the curve of a model whose steps are not known


@dataclass(frozen=True)
class Asked:
    """What the reader asks for on the page of a patient.

    Attributes
    ----------
    when, unit
        By when.
    alive : float
        Time the patient is known to be free of the event so far, in `unit`; 0 from the start.
    reading : {"clinician", "analyst", "patient"}
        For whom the page is written.
    ranges : bool
        Draw the limits in every view of the risk too.
    decimals : int
    """

    when: float
    unit: Unit
    alive: float = 0.0
    reading: Reading = "clinician"
    ranges: bool = False
    decimals: int = 0


@dataclass(frozen=True, eq=False)
class View:
    """Everything the page says about one patient, computed together so that no two parts disagree.

    Attributes
    ----------
    choice : Choice
        Which model speaks.
    model : Fitted
        With its variability where that was worked out.
    risk, lower, upper : float
        By the time asked for, of patients who are free of the event at `alive`; limits are NaN where there are none,
        and all three where nothing can be said (`beyond`).
    limits : str
        What the limits are; empty where there are none.
    explanation : Explanation or None
        None where nothing can be said.
    curve : PatientCurve
    notes : tuple of str
        What the model did with values that are missing, unseen or outside what it knows.
    states : Frequencies or None
        Of 100 patients like this one: the event, another one first, and neither. None where nothing can be said.
    table : Frequencies
        The same at a few round times and at the horizon.
    reading : {"clinician", "analyst", "patient"}
        For whom the page is written.
    ranges : bool
        Draw the limits in every view of the risk too.
    decimals : int
    alive : float
        Time known to be free of the event so far, in `unit`; 0 from the start.
    beyond : str
        Why nothing can be said by this time; empty where something can. Panels then draw no numbers.
    thin : bool
        True where fewer than 10 patients are still under observation at the horizon.
    reference : str
        The population that reasons are compared with; empty for everyone.
    """

    cohort: Cohort
    outcome: Outcome
    row: int
    when: float
    unit: Unit
    choice: Choice
    model: Fitted
    risk: float
    lower: float
    upper: float
    limits: str
    explanation: explain.Explanation | None
    curve: PatientCurve
    notes: tuple[str, ...]
    states: Frequencies | None
    table: Frequencies = field(repr=False)
    reading: Reading = "clinician"
    ranges: bool = False
    decimals: int = 0
    alive: float = 0.0
    beyond: str = ""
    thin: bool = False
    reference: str = ""

    @property
    def by(self) -> str:
        """E.g. "within 5 years of surgery", "within 5 years of surgery, having been free of it for 3 years"."""
        within = f"within {say.duration(self.when, self.unit)} of {self.outcome.since}"
        if not self.alive:
            return within
        return f"{within}, having been free of it for {say.duration(self.alive, self.unit)}"

    @property
    def patient(self) -> pd.DataFrame:
        """The one row."""
        return self.cohort.frame.iloc[[self.row]]

    @property
    def s(self) -> float:
        """Time known to be free of the event so far, in the outcome's unit."""
        return float(convert(self.alive, self.unit, self.outcome.unit))

    @property
    def background_key(self) -> tuple[str | int | float | bool, ...]:
        """What a cache must know of the patients that reasons are compared with."""
        return patient_explained.background_key(self.cohort, self.outcome, self.choice, self.reference)

    @property
    def t(self) -> float:
        """The horizon in the outcome's unit."""
        return float(convert(self.when, self.unit, self.outcome.unit))

    @property
    def one_event(self) -> bool:
        """True if the risk is of the event itself, while others can come first."""
        return self.choice.target == model_choice.EVENT and self.outcome.has_competing

    @property
    def event(self) -> str:
        """What the risk is of."""
        return self.outcome.cause_labels[0] if self.one_event else self.outcome.label

    @property
    def happens(self) -> str:
        """What patients do who have it: "would ... ", e.g. "have a recurrence or die"."""
        return f"have {say.in_sentence(self.event)} first" if self.one_event else self.outcome.event_phrase

    @property
    def spared(self) -> str:
        """What patients are who do not have it: of one event among several, also those with another one first."""
        if not self.one_event:
            return plainly(self.outcome.free_phrase)
        return f"without {say.in_sentence(self.event)}: {self.outcome.free_phrase}, or {self.instead} first"

    @property
    def instead(self) -> str:
        """The events that can come first instead of the one predicted."""
        return either([say.in_sentence(label) for label in self.outcome.competing])


def plainly(phrase: str) -> str:
    """A phrase without the remark in brackets at its end, which is said once on the page."""
    return re.sub(r"\s*\([^()]*\)$", "", phrase)


def compute(cohort: Cohort, outcome: Outcome, row: int, asked: Asked) -> View | None:
    """Prediction, limits, explanation and curves for one horizon; None while the model is being fitted.

    Raises
    ------
    Fixable
        If no such model can be fitted to these patients.
    """
    when, unit = asked.when, asked.unit
    choice = model_choice.chosen(cohort, outcome)
    fitted = model_choice.model(cohort, outcome, choice)
    if fitted is None:
        return None
    beside = patient_explained.reference(cohort, row)
    explanation = patient_explained.explained(
        cohort, outcome, choice, fitted, row, when, unit, alive=asked.alive, chosen=beside
    )
    fitted = varied(cohort, outcome, choice) or fitted
    t, patient = float(convert(when, unit, outcome.unit)), cohort.frame.iloc[[row]]
    at = float(fitted.risk(patient, [t])[0, 0])
    limits = fitted.limits(patient, [t])
    ends = (float("nan"),) * 2 if limits is None else (float(limits.lower[0, 0]), float(limits.upper[0, 0]))
    whole = desk.curves(cohort, outcome, None)[0]
    return View(
        cohort=cohort, outcome=outcome, row=row, when=when, unit=unit, choice=choice, model=fitted,
        risk=_unsure(at), lower=ends[0], upper=ends[1], limits="" if limits is None else limits.name,
        explanation=replace(explanation, risk=_unsure(explanation.risk)),
        curve=_curve(cohort, outcome, choice, fitted, row, when, unit),
        notes=tuple(risk.notes(fitted, patient)),
        states=frequencies(fitted, patient, [t]),
        table=frequencies(fitted, patient, round_times(fitted.last, t, unit)),
        reading=asked.reading, ranges=asked.ranges, decimals=asked.decimals, alive=asked.alive,
        thin=t > whole.reliable_until(10) * (1 + 1e-9), reference=beside,
    )  # fmt: skip


def round_times(last: float, t: float, unit: Unit) -> list[float]:
    """A few round times up to the horizon, in the outcome's unit."""
    return [t]


def _unsure(share: float) -> float:
    return min(max(share, SURE), 1 - SURE)


# ------------------------------------------------------------------ limits


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


# ------------------------------------------------------------------ curves


def _curve(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, row: int, when: float, unit: Unit
) -> PatientCurve:
    whole = desk.curves(cohort, outcome, None)[0]
    t = float(convert(when, unit, outcome.unit))
    key = ("patient curve", *model_choice.key(cohort, outcome, choice), fitted.fingerprint, row, when, unit)

    def make() -> PatientCurve:
        drawn = patient_curve(
            _prediction(fitted, cohort, row, t, whole), whole, horizon=when, unit=unit, since=outcome.since
        )
        if fitted.limits(cohort.frame.iloc[[row]], [t]) is None:
            drawn = replace(drawn, band="")
        elif "variability" in fitted.limits(cohort.frame.iloc[[row]], [t]).name:
            drawn = replace(drawn, band="model variability")
        if choice.target == model_choice.EVENT and outcome.has_competing:
            seen = numbers.incidence(cohort, outcome, None, numbers.Plan())[0]
            drawn = replace(
                drawn, cohort_time=convert(seen.time, outcome.unit, unit), cohort_survival=1 - seen.incidence[:, 0],
                n_events=fitted.n_events,
            )  # fmt: skip
        return drawn

    return desk.kept(key, make)


def _prediction(fitted: Fitted, cohort: Cohort, row: int, t: float, whole: survival.Curve) -> risk.Prediction:
    """The patient's curve: at a Cox model's own steps, else at evenly spread times of the cohort's."""
    patient = cohort.frame.iloc[[row]]
    if isinstance(fitted, risk.Model):
        return risk.predict(fitted, patient)
    inside = whole.time[whole.time <= fitted.last]
    some = inside[np.linspace(0, len(inside) - 1, min(STEPS, len(inside))).round().astype(int)]
    time = np.unique([0.0, *some, min(t, fitted.last), fitted.last])
    said, limits = fitted.risk(patient, time), fitted.limits(patient, time)
    lower, upper = (said, said) if limits is None else (limits.lower, limits.upper)
    lower, upper = np.where(np.isnan(lower), said, lower), np.where(np.isnan(upper), said, upper)
    return risk.Prediction(
        time=time, survival=1 - said, lower=1 - upper, upper=1 - lower, unit=fitted.outcome.unit, level=0.95
    )


# ------------------------------------------------------------------ others


def others(cohort: Cohort, outcome: Outcome, choice: Choice) -> tuple[Fitted, ...]:
    """The other models already fitted in this session; the Cox model wherever it is ready at once."""
    found = []
    for kind in KINDS:
        if kind == choice.kind:
            continue
        one = model_choice.other(choice, kind, outcome)
        ready = desk.held(("chosen model", *model_choice.key(cohort, outcome, one)))
        if ready is None and model_choice.at_once(model_choice.rows(cohort, outcome, one), kind):
            ready = model_choice.model(cohort, outcome, one)
        if ready is not None:
            found.append(ready)
    return tuple(found)
