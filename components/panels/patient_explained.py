"""What a patient's risk is made of, and compared with whom: worked out once for a patient and a time."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
import streamlit as st

from bedside import explain
from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.cohort.values import level_index, numbers
from bedside.patient.similar import still_there
from bedside.report import say
from bedside.risk.fitted import Fitted
from components import desk, jobs, model_choice
from components.model_choice import Choice

EVERYONE = ""
REFERENCE = "patient_reference"
"""Key of the choice, and its name in the address."""
FEWEST, FEWEST_LEFT = 30, 10
"""Patients that a group to compare with must hold, and those of it who came as far as this one."""
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
    """Beside those event-free and observed at `s`, where the model's reasons can be told from there; else `background`.

    The risks from `s` on of patients who did not come so far would be no average of anybody.
    """
    whole = background(cohort, outcome, choice, fitted, row, chosen)
    if not s > 0:
        return whole

    def make() -> explain.Background:
        if whole.after(s) is None:
            return whole
        rows = people(cohort, outcome, choice, row, s=s, chosen=chosen)[0]
        return explain.background(fitted, cohort.frame.iloc[rows]).after(s) or whole

    return desk.kept(("later", *background_key(cohort, outcome, choice, chosen, row), float(s)), make)


def people(
    cohort: Cohort, outcome: Outcome, choice: Choice, row: int, *, s: float = 0.0, chosen: str = EVERYONE
) -> tuple[np.ndarray, str]:
    """Positions of the patients to compare with, and what they have in common in words; empty where nothing.

    Where hardly anybody of a group came so far, it is everyone who did.
    """
    held = references(cohort, row).get(chosen) if chosen else None
    if not s > 0:
        return (np.arange(len(cohort)), "") if held is None else (held.rows, held.said)
    learnt = model_choice.rows(cohort, outcome, choice)
    there = np.flatnonzero(still_there(learnt, s))
    if not len(there):
        # Those who came so far may all have come under observation later.
        there = np.flatnonzero(learnt.time > s)
    alike = there if held is None else np.intersect1d(held.rows, there)
    return (there, "") if held is None or len(alike) < FEWEST_LEFT else (alike, held.said)


def of_whom(n: int, rows: np.ndarray, said: str, so_far: str = "") -> str:
    """Whose average it is: how many are compared, and of how many they stand for."""
    which = f"{f' with {said}' if said else ''}{f' who have come {so_far} without it' if so_far else ''}"
    if n < len(rows):
        return f"of {n} patients spread evenly over the {len(rows):,} here{which}"
    return f"of the {len(rows):,} patients here{which}"


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
