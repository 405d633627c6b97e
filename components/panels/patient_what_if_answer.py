"""What is computed for "What if": this patient beside patients with other values, all from the view's own numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from bedside import explain
from bedside.cohort import convert
from bedside.explain import Background, Explanation
from bedside.patient import compare
from bedside.patient.scenarios import MOST, Change, Compared, Scenario
from bedside.report import say
from bedside.risk.fitted import Fitted
from bedside.risk.variability import Varied
from components import desk
from components.figures.what_if import Side, Sides
from components.panels import page, patient_explained, patient_said
from components.panels.patient_view import View

STEPS, STEPS_OF_REFITS = 400, 80
"""Times at which other patients' curves are worked out; fewer where each costs fifty refits."""


@dataclass(frozen=True, eq=False)
class Beside:
    """Patients with other values beside this one.

    Attributes
    ----------
    scenarios : tuple of Scenario
    found : Compared
        At `times`, this patient first.
    times : array
        In the outcome's unit; the horizon is one of them.
    at : int
        Which of them is the horizon.
    """

    scenarios: tuple[Scenario, ...]
    found: Compared
    at: int

    def risk(self, i: int) -> tuple[float, float, float]:
        """Of the i-th scenario by the horizon, with its limits; NaN where there are none."""
        risk = patient_said.unsure(float(self.found.risk[i + 1, self.at]))
        return risk, float(self.found.lower[i + 1, self.at]), float(self.found.upper[i + 1, self.at])


def beside(view: View, scenarios: Sequence[Scenario]) -> Beside:
    """Risks of some scenarios over the times of this patient's curve.

    Raises
    ------
    Fixable
        If the model has no risk of one of them.
    """
    times, at = _times(view)
    whole = patient_said.whole(view.cohort, view.outcome, view.choice, view.model)
    found = compare(view.model, view.patient, scenarios, times, alive_at=view.s, whole=whole, most=MOST + 1)
    return Beside(tuple(scenarios), found, at)


def _times(view: View) -> tuple[np.ndarray, int]:
    """Times of this patient's curve up to the horizon and on, in the outcome's unit."""
    last = view.model.last
    own = np.asarray(convert(view.curve.time, view.unit, view.outcome.unit), dtype=float)
    own = own[(own > view.s) & (own <= last)]
    most = STEPS_OF_REFITS if isinstance(view.model, Varied) else STEPS
    if len(own) > most:
        own = own[np.linspace(0, len(own) - 1, most).round().astype(int)]
    t = min(view.t, last)
    times = np.unique([view.s, *own, t])
    return times, int(np.flatnonzero(times == t)[0])


def sides(view: View, others: Beside, *, banded: int) -> Sides:
    """This patient's curve as the page has it, and the others'."""
    shown, found = view.curve, others.found
    has = view.limits != ""
    nothing = np.full(len(shown.time), np.nan)
    lower, upper = (shown.lower, shown.upper) if has else (nothing, nothing)
    lines = [Side("this patient", shown.time, shown.survival, lower, upper, view.risk)]
    time = np.asarray(convert(found.times, view.outcome.unit, view.unit), dtype=float)
    for i, scenario in enumerate(others.scenarios):
        risk = others.risk(i)[0]
        lines.append(
            Side(scenario.name, time, 1 - found.risk[i + 1], 1 - found.upper[i + 1], 1 - found.lower[i + 1], risk)
        )
    return Sides(
        tuple(lines), banded, shown.horizon, shown.reliable_until, view.unit, shown.since, view.limits if has else ""
    )


def explained(view: View, scenario: Scenario) -> Explanation | None:
    """What the risk of a patient with these values is made of, beside the same patients; None where the page has none.

    It is of the same risk as this patient's explanation, so that the two can be held against each other.
    """
    if view.explanation is None:
        return None
    plain, beside_whom = unvaried(view.model), reference(view)
    found = explain.explain(plain, scenario.patient, beside_whom, [view.when], unit=view.unit)[0]
    return replace(found, risk=patient_said.unsure(found.risk))


def reference(view: View) -> Background:
    """The patients that this patient's reasons are compared with; of some models from time zero on only."""
    return patient_explained.compared(
        view.cohort, view.outcome, view.choice, unvaried(view.model), view.row, s=view.s, chosen=view.reference
    )


def unvaried(model: Fitted) -> Fitted:
    """The model without its refits."""
    return model.model if isinstance(model, Varied) else model


def asked_of(view: View, scenarios: Sequence[Scenario]) -> Hashable:
    """All that an answer about some scenarios depends on."""
    changes = tuple(tuple((c.variable.name, c.after) for c in each.changes) for each in scenarios)
    names = tuple(each.name for each in scenarios)
    return (view.model.fingerprint, view.background_key, view.row, view.when, view.unit, view.alive, names, changes)


def gap(first: float, second: float, decimals: int) -> float:
    """Points between two risks as they are said, so that a reader who subtracts finds the same."""
    return round(_said(second, decimals) - _said(first, decimals), decimals)


def _said(share: float, decimals: int) -> float:
    text = say.of_100(share, decimals=decimals).removesuffix(" of 100")
    return float(text) if text[0].isdigit() else round(100 * share, decimals)


def gap_words(points: float, decimals: int) -> str:
    """E.g. "12 points lower", "no difference"."""
    if points == 0:
        return "no difference"
    size = f"{abs(points):.{decimals}f}"
    return f"{size} {'point' if size == '1' else 'points'} {'higher' if points > 0 else 'lower'}"


def of_treatment(view: View, changes: Sequence[Change], *, key: str) -> None:
    """Of a treatment: what such a difference does not say, and where the groups are compared fairly."""
    treatment = view.cohort.treatment
    if treatment is None or all(change.variable.name != treatment.column for change in changes):
        return
    label = view.cohort.variable(treatment.column).label
    page.caution(f"{label} is the treatment here: this compares who was treated how, not what treatment does.")
    with st.container(key=f"screen_{key}"):
        st.page_link(
            desk.page("comparison"), label="Compare the groups fairly", icon=":material/balance:",
            query_params=desk.link(comparison_by=treatment.column),
        )  # fmt: skip


def told(change: Change) -> str:
    """One value in which two patients differ."""
    if change.before is None:
        return f"{change.said[:1].upper()}{change.said[1:]}, if it were known (not recorded)"
    if change.after is None:
        return f"{change.variable.label} not known, instead of {change.variable.say(change.before)}"
    return f"{change.instead[:1].upper()}{change.instead[1:]}"
