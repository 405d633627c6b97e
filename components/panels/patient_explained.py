"""What a patient's risk is made of, and compared with whom: worked out once for a patient and a time."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
import streamlit as st

from bedside import explain
from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.cohort.values import level_index, numbers
from bedside.report import say
from bedside.risk.fitted import Fitted
from components import desk, jobs, model_choice
from components.model_choice import Choice

EVERYONE = ""
REFERENCE = "patient_reference"
"""Key of the choice, and its name in the address."""
FEWEST = 30
"""Patients that a group to compare with must hold."""
YEARS_APART = 5.0
MOST_GROUPS = 12

Key = tuple[str | int | float | bool, ...]


@dataclass(frozen=True, eq=False)
class Reference:
    """Patients to compare with.

    Attributes
    ----------
    key : str
        In the address: the kind of group and the column, nothing of the patient.
    label : str
        As a choice, e.g. "Tumour grade: II (444)".
    said : str
        In a sentence, e.g. "tumour grade II".
    rows : array of int
        Positions in the cohort.
    """

    key: str
    label: str
    said: str
    rows: np.ndarray


# ------------------------------------------------------------------ compared with whom


def references(cohort: Cohort, row: int) -> dict[str, Reference]:
    """The groups this patient can be compared with, everyone first: of one level, or of about the same age."""

    def make() -> dict[str, Reference]:
        everyone = Reference(EVERYONE, f"Everyone here ({len(cohort):,})", "", np.arange(len(cohort)))
        found = [everyone]
        for variable in cohort.predictors:
            alike = _alike(cohort, row, variable)
            if alike is not None and FEWEST <= len(alike.rows) < len(cohort):
                found.append(alike)
        return {each.key: each for each in found[: MOST_GROUPS + 1]}

    return desk.kept(("patient references", cohort.fingerprint, row), make)


def _alike(cohort: Cohort, row: int, variable: Variable) -> Reference | None:
    """Those with this patient's level, or within five years of age; None where the value is missing or no such one."""
    name = variable.name
    if variable.is_numeric:
        if variable.concept != "age" or variable.unit not in ("", "years", "year"):
            return None
        values = numbers(cohort.frame, name)
        if np.isnan(values[row]):
            return None
        rows = np.flatnonzero(np.abs(values - values[row]) <= YEARS_APART)
        low, high = values[row] - YEARS_APART, values[row] + YEARS_APART
        said = f"{say.in_sentence(variable.label)} {low:g} to {high:g}"
        return Reference(
            f"age.{quote(name, safe='')}", f"{variable.label} {low:g} to {high:g} ({len(rows):,})", said, rows
        )
    index = level_index(cohort.frame, name, variable.codes)
    if index[row] < 0:
        return None
    rows = np.flatnonzero(index == index[row])
    level = variable.label_of(variable.codes[index[row]])
    return Reference(
        f"level.{quote(name, safe='')}", f"{variable.label}: {level} ({len(rows):,})",
        f"{say.in_sentence(variable.label)}: {level}", rows,
    )  # fmt: skip


def reference(cohort: Cohort, row: int) -> str:
    """The population that reasons are compared with, as the reader chose it; empty for everyone."""
    news = desk.from_link(REFERENCE)
    asked = news if news is not None else st.session_state.get(REFERENCE)
    return asked if asked and asked in references(cohort, row) else EVERYONE


def background_key(cohort: Cohort, outcome: Outcome, choice: Choice, chosen: str, row: int = -1) -> Key:
    """What a cache must know of the patients that reasons are compared with."""
    return ("background", *model_choice.key(cohort, outcome, choice), chosen, row if chosen else -1)


def background(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, row: int, chosen: str = EVERYONE
) -> explain.Background:
    """The patients that reasons are compared with, as the model reads them, from the start."""
    held = references(cohort, row).get(chosen) if chosen else None

    def make() -> explain.Background:
        return explain.background(fitted, cohort if held is None else cohort.frame.iloc[held.rows])

    return desk.kept(background_key(cohort, outcome, choice, chosen if held else EVERYONE, row), make)


def compared(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, row: int, *, s: float = 0.0,
    chosen: str = EVERYONE,
) -> explain.Background:  # fmt: skip
    """The same for the risk of patients event-free at `s` where the model's reasons can be told from there."""
    whole = background(cohort, outcome, choice, fitted, row, chosen)
    if not s > 0:
        return whole
    key = background_key(cohort, outcome, choice, chosen, row)
    return desk.kept(("later", *key, float(s)), lambda: whole.after(s) or whole)


# ------------------------------------------------------------------ reasons


def spread_key(
    cohort: Cohort, outcome: Outcome, choice: Choice, row: int, alive: float, unit: Unit, chosen: str
) -> jobs.Key:
    """Where the session keeps the spread of a patient's contributions over refits."""
    return ("reason spread", *background_key(cohort, outcome, choice, chosen, row)[1:], row, alive, unit)


def explained(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, row: int, when: float, unit: Unit, *,
    alive: float = 0.0, chosen: str = EVERYONE,
) -> explain.Explanation:  # fmt: skip
    """What the model's risk of this patient is made of, at one time; with intervals where they are worked out."""
    key = background_key(cohort, outcome, choice, chosen, row)
    own = (*key[1:], row, when, unit, alive)

    def make() -> explain.Explanation:
        with desk.progress("Working out why"):
            s = float(convert(alive, unit, outcome.unit))
            beside = compared(cohort, outcome, choice, fitted, row, s=s, chosen=chosen)
            return explain.explain(fitted, cohort.frame.iloc[[row]], beside, [when], unit=unit)[0]

    found = desk.kept(("explanation", *own), make)
    spread = desk.held(spread_key(cohort, outcome, choice, row, alive, unit, chosen))
    if spread is not None:
        found = explain.with_spread(found, spread, float(convert(when, unit, outcome.unit)))
    partners = desk.held(("reason partners", *own))
    return found if partners is None else explain.with_partners(found, partners)
