"""Everything a patient's page says, computed together from the model that the reader has chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from bedside import explain, risk
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.cohort.wording import either
from bedside.patient import Frequencies
from bedside.report import say
from bedside.risk.fitted import Fitted
from bedside.risk.learners import KINDS
from components import desk, model_choice
from components.figures.patient import PatientCurve
from components.model_choice import Choice
from components.panels import patient_curves, patient_explained, patient_said
from components.panels.patient_limits import varied

Reading = Literal["clinician", "analyst", "patient"]


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
        The same at a few round times up to the end of follow-up, and at the horizon.
    table_lower, table_upper : array, shape (t,)
        Limits of the risk at the times of `table`; NaN where there are none.
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
    table_lower: np.ndarray = field(repr=False)
    table_upper: np.ndarray = field(repr=False)
    reading: Reading = "clinician"
    ranges: bool = False
    decimals: int = 0
    alive: float = 0.0
    beyond: str = ""
    thin: bool = False
    reference: str = ""

    @property
    def by(self) -> str:
        """E.g. "within 5 years of surgery", and "..., having been alive for 3 years" where it is known."""
        within = f"within {say.duration(self.when, self.unit)} of {self.outcome.since}"
        if not self.alive:
            return within
        return f"{within}, {self.so_far} (the next {say.duration(self.when - self.alive, self.unit)})"

    @property
    def so_far(self) -> str:
        """E.g. "having been alive and free of recurrence for 3 years"; empty from the start."""
        if not self.alive:
            return ""
        return f"having been {plainly(self.outcome.free_phrase)} for {say.duration(self.alive, self.unit)}"

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
        return patient_explained.background_key(self.cohort, self.outcome, self.choice, self.reference, self.row)

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
        If no such model can be fitted to these patients, or nobody with these values is expected to come so far.
    """
    when, unit, alive = asked.when, asked.unit, asked.alive
    choice = model_choice.chosen(cohort, outcome)
    plain = model_choice.model(cohort, outcome, choice)
    if plain is None:
        return None
    fitted = varied(cohort, outcome, choice) or plain
    beyond = _beyond(fitted, outcome, asked)
    whole = patient_said.whole(cohort, outcome, choice, fitted)
    said = patient_said.said(
        cohort, outcome, choice, fitted, row, when=when, unit=unit, alive=alive, whole=whole, beyond=bool(beyond)
    )
    beside = patient_explained.reference(cohort, row)
    explanation = None
    if not beyond:
        explanation = patient_explained.explained(
            cohort, outcome, choice, plain, row, when, unit, alive=alive, chosen=beside
        )
        explanation = replace(explanation, risk=patient_said.unsure(explanation.risk))
    few = desk.curves(cohort, outcome, None)[0].reliable_until(patient_curves.FEW)
    return View(
        cohort=cohort, outcome=outcome, row=row, when=when, unit=unit, choice=choice, model=fitted,
        risk=said.risk, lower=said.lower, upper=said.upper, limits=said.limits, explanation=explanation,
        curve=patient_curves.curve(
            cohort, outcome, choice, fitted, row, when=when, unit=unit, alive=alive, whole=whole,
            at=None if beyond else (said.risk, said.lower, said.upper),
        ),
        notes=tuple(risk.notes(fitted, cohort.frame.iloc[[row]])),
        states=said.states, table=said.table, table_lower=said.table_lower, table_upper=said.table_upper,
        reading=asked.reading, ranges=asked.ranges, decimals=asked.decimals, alive=alive, beyond=beyond,
        thin=float(convert(when, unit, outcome.unit)) > few * (1 + patient_said.SLACK), reference=beside,
    )  # fmt: skip


def _beyond(fitted: Fitted, outcome: Outcome, asked: Asked) -> str:
    """Why nothing can be said by this time; empty where something can."""
    last = float(convert(fitted.last, outcome.unit, asked.unit))
    reach = last * (1 + patient_said.SLACK)
    if asked.when <= reach and asked.alive < last:
        return ""
    known = max(last, 0.0)
    return (
        f"Nothing can be said {say.duration(max(asked.when, asked.alive), asked.unit)} after {outcome.since}: nobody "
        f"here was followed for so long. The longest follow-up behind this model is "
        f"{say.duration(known, asked.unit)}."
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
