"""What is said of one patient: the risk with its limits and its counts, at the horizon and at a few round times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.patient import Frequencies, StateRisks, conditional_risk, frequencies_of, state_risks
from bedside.risk.fitted import Fitted, Limits
from components import desk, model_choice
from components.model_choice import Choice

SURE = 1e-12
"""No prediction is nearer to certainty, also where a risk is rounded to 1 in the computer."""
SLACK = 1e-9
"""Of a time: the way from years to days is a rounding error long."""
ROWS = 7.5
"""Of a table, not counting the horizon's own."""
STEPS = {
    "years": (1, 2, 3, 5, 10, 20), "months": (1, 2, 3, 6, 12, 24, 60, 120), "weeks": (1, 2, 4, 8, 13, 26, 52),
    "days": (1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Said:
    """The numbers of one patient, for the fields of the same names of a view."""

    risk: float
    lower: float
    upper: float
    limits: str
    states: Frequencies | None
    table: Frequencies = field(repr=False)
    table_lower: np.ndarray = field(repr=False)
    table_upper: np.ndarray = field(repr=False)


def said(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, row: int, *, when: float, unit: Unit,
    alive: float, whole: Fitted | None, beyond: bool,
) -> Said:  # fmt: skip
    """Risk, limits and counts of patients who are free of the event at `alive`; NaN and None by a time beyond."""
    key = (*model_choice.key(cohort, outcome, choice), fitted.fingerprint)

    def make() -> Said:
        shown = round_times(float(convert(fitted.last, outcome.unit, unit)), unit, after=alive)
        shown = sorted({*(t for t in shown if beyond or abs(t - when) > SLACK * when), *(() if beyond else (when,))})
        times = np.array([float(convert(t, unit, outcome.unit)) for t in shown])
        s = float(convert(alive, unit, outcome.unit))
        return _said(fitted, cohort, row, times, s, whole, place=-1 if beyond else shown.index(when))

    return desk.kept(("patient said", *key, row, when, unit, alive, beyond), make)


def _said(
    fitted: Fitted, cohort: Cohort, row: int, times: np.ndarray, s: float, whole: Fitted | None, *, place: int
) -> Said:
    patient = cohort.frame.iloc[[row]]
    limits: Limits | None = None
    if not len(times):
        risks = StateRisks(times, *(np.zeros((1, 0)) for _ in range(3)), "one event")
    elif s > 0:
        later = conditional_risk(fitted, patient, s, times, whole=whole)
        risks, limits = later.states, later.limits
    else:
        risks, limits = state_risks(fitted, patient, times, whole=whole), fitted.limits(patient, times)
    risks = _unsure(risks)
    none = np.full(len(times), np.nan)
    lower, upper = (none, none) if limits is None else (limits.lower[0], limits.upper[0])
    table = frequencies_of(risks, fitted.outcome, fitted.target)
    nan = float("nan")
    one = place >= 0
    return Said(
        risk=float(risks.event[0, place]) if one else nan, lower=float(lower[place]) if one else nan,
        upper=float(upper[place]) if one else nan, limits="" if limits is None else limits.name,
        states=frequencies_of(_only(risks, place), fitted.outcome, fitted.target) if one else None,
        table=table, table_lower=lower, table_upper=upper,
    )  # fmt: skip


def _only(risks: StateRisks, place: int) -> StateRisks:
    one = slice(place, place + 1)
    event, other, free = risks.event[:, one], risks.other[:, one], risks.free[:, one]
    return replace(risks, times=risks.times[one], event=event, other=other, free=free)


def _unsure(risks: StateRisks) -> StateRisks:
    event = np.clip(risks.event, SURE, 1 - SURE)
    other = np.clip(risks.other, 0.0, 1 - event)
    return replace(risks, event=event, other=other, free=np.maximum(1 - event - other, 0.0))


def unsure(share: float) -> float:
    """A share that is never a certainty."""
    return min(max(share, SURE), 1 - SURE)


def round_times(last: float, unit: Unit, *, after: float = 0.0) -> list[float]:
    """A few round times after one and up to another, all in `unit`."""
    steps = [step for step in STEPS[unit] if last / step <= ROWS]
    step = steps[0] if steps else max(round(last / ROWS), 1)
    times = [float(step * (i + 1)) for i in range(int(last * (1 + SLACK) / step))]
    return [t for t in times if t > after * (1 + SLACK)]


def whole(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted) -> Fitted | None:
    """A Cox model of any event, for a model of one event that knows nothing of the others; None where none is needed.

    It is always of this kind, so that the same patient has the same numbers in every session.
    """
    if choice.target != model_choice.EVENT or not outcome.has_competing:
        return None
    key = (*model_choice.key(cohort, outcome, choice), fitted.fingerprint)
    patient = cohort.frame.iloc[[0]]
    if desk.kept(("patient states", *key), lambda: state_risks(fitted, patient, [0.0]).basis) != "event only":
        return None
    cox = replace(model_choice.other(choice, model_choice.DEFAULT, outcome), target=model_choice.ANY)
    cox = replace(cox, settings=tuple(each for each in cox.settings if each[0] != "competing"))
    if not model_choice.at_once(model_choice.rows(cohort, outcome, cox), cox.kind):
        return None
    return model_choice.model(cohort, outcome, cox, slot="whole")
