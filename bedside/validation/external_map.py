"""Whether a model's outcome is that of another cohort, and which of its columns stand for the model's variables."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Variable
from bedside.cohort.units import DAYS
from bedside.cohort.values import numbers
from bedside.risk.fitted import Fitted
from bedside.risk.scores import SCORES
from bedside.risk.scores.inputs import same_unit
from bedside.risk.training import Target

FEW, SOME = 1 / 2, 1 / 3
"""From that share of variables without a column on a test is asked about; below that share with one it is refused."""
DEFAULT_SINCE = "the start of follow-up"

_FACTORS = {
    ("mm", "cm"): 0.1, ("cm", "m"): 0.01, ("lb", "kg"): 0.45359237, ("g", "kg"): 0.001, ("g/l", "g/dl"): 0.1,
    ("mg/l", "mg/dl"): 0.1, ("ng/l", "pg/ml"): 1.0, ("ug/l", "ng/ml"): 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One way in which two outcomes differ.

    Attributes
    ----------
    weight : {"refuse", "confirm", "note"}
        ``refuse``: they are different events. ``confirm``: a person must say that they are the same. ``note``: it is
        dealt with, and said.
    why, next_step : str
    """

    weight: Literal["refuse", "confirm", "note"]
    why: str
    next_step: str


def compare_definitions(model: Fitted, cohort: Cohort, outcome: Outcome | str) -> tuple[Problem, ...]:
    """Whether what a model predicts is what an outcome of another cohort records, gravest first.

    Two outcomes are the same if their declared concepts are; with an event and its competing ones taken together, if
    the names of the whole are. Where no concept is declared, equal names and phrases count as equal, and otherwise a
    person must confirm.

    Parameters
    ----------
    model : Fitted
    cohort : Cohort
    outcome : Outcome or str
    """
    theirs = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    ours, target = model.outcome, model.target
    found = [*_events(ours, theirs, target), *_rivals(ours, theirs, target)]
    if ours.since != theirs.since and DEFAULT_SINCE not in (ours.since, theirs.since):
        found.append(Problem(
            "confirm",
            f"The model's clock starts at {ours.since}, this cohort's at {theirs.since}.",
            "Confirm that the two are the same moment for this purpose, or choose another outcome.",
        ))  # fmt: skip
    if ours.unit != theirs.unit:
        found.append(Problem(
            "note", f"The model counts in {ours.unit}, this cohort in {theirs.unit}: times are converted.",
            "Nothing needs to be done.",
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda p: ("refuse", "confirm", "note").index(p.weight)))


def _concept(outcome: Outcome, target: Target) -> str:
    """What is predicted, in one spelling; empty if it is not declared."""
    told = outcome.label if target == "any" and outcome.has_competing else outcome.concept
    return " ".join(told.casefold().split())


def _name(outcome: Outcome, target: Target) -> str:
    return outcome.label if target == "any" else outcome.cause_labels[0]


def _events(ours: Outcome, theirs: Outcome, target: Target) -> list[Problem]:
    one, other = _concept(ours, target), _concept(theirs, target)
    a, b = _name(ours, target), _name(theirs, target)
    if one and other and one == other:
        return []
    composite = target == "any" and ours.has_competing != theirs.has_competing
    if one and other and not (composite and _alike(ours.concept, theirs.concept)):
        return [Problem(
            "refuse",
            f"The model predicts “{a}”, and this cohort records “{b}”. They are different events: how often one came "
            "can't show whether a risk of the other was right.",
            "Choose a cohort, or an outcome of it, that records what the model predicts.",
        )]  # fmt: skip
    if _alike(a, b) and _alike(ours.event_phrase, theirs.event_phrase):
        return []
    return [Problem(
        "confirm",
        f"The model predicts “{a}” (patients {ours.event_phrase}), and this cohort records “{b}” (patients "
        f"{theirs.event_phrase}); " + (
            "one of them counts further events." if composite
            else "not both dictionaries declare by a concept what that is."
        ),
        "Confirm that they are the same event, or declare the concept of both outcomes.",
    )]  # fmt: skip


def _rivals(ours: Outcome, theirs: Outcome, target: Target) -> list[Problem]:
    """Whether the same events compete, where the risk is one in their presence."""
    if target == "any" or {c.casefold() for c in ours.competing} == {c.casefold() for c in theirs.competing}:
        return []
    a, b = (" and ".join(f"“{name}”" for name in o.competing) or "nothing" for o in (ours, theirs))
    return [Problem(
        "confirm",
        f"The model's risk is one in the presence of {a}; in this cohort {b} competes.",
        "Confirm that these mean the same, or choose an outcome with the same competing events.",
    )]  # fmt: skip


def _alike(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


@dataclass(frozen=True)
class Mapped:
    """Where one of a model's variables is read from.

    Attributes
    ----------
    variable : str
        Column name in the model.
    column : str or None
        In the other cohort; None if it has none: the model's fill stands in for all.
    factor : float or None
        What its numbers are multiplied by; None where the units differ and no factor is known.
    levels : tuple of (str, str)
        Code there, and the model's code for it; codes that are not named stay as they are.
    how : {"name", "label", "concept", "chosen", "absent"}
    """

    variable: str
    column: str | None
    factor: float | None = 1.0
    levels: tuple[tuple[str, str], ...] = ()
    how: Literal["name", "label", "concept", "chosen", "absent"] = "chosen"


Mapping = tuple[Mapped, ...]


def guess_mapping(model: Fitted, cohort: Cohort) -> Mapping:
    """Each of a model's variables with the column of the same name, else of the same label, else of the same concept.

    Units are converted where both are known; levels are matched by code, then by label, then by the answers that
    both dictionaries declare for the concept.
    """
    taken: set[str] = set()
    found = []
    for reading in model.design.readings:
        variable = reading.variable
        here, how = _candidate(variable, cohort, taken)
        if here is None:
            found.append(Mapped(variable.name, None, how="absent"))
            continue
        taken.add(here.name)
        factor = unit_factor(here, variable) if variable.is_numeric and here.is_numeric else 1.0
        levels = () if variable.is_numeric or here.is_numeric else match_levels(here, variable)
        found.append(Mapped(variable.name, here.name, factor, levels, how))  # type: ignore[arg-type]
    return tuple(found)


def compare_variables(model: Fitted, mapping: Mapping) -> tuple[Problem, ...]:
    """Whether enough of a model's variables are recorded for a test to be one of this model.

    With fewer than a third it is refused; where half or more are filled in, a person must confirm.

    Parameters
    ----------
    model : Fitted
    mapping : tuple of Mapped
    """
    readings, absent = model.design.readings, {item.variable for item in mapping if item.column is None}
    lacking = [reading.variable.label for reading in readings if reading.variable.name in absent]
    n, gone = len(readings), len(lacking)
    if gone < max(FEW * n, 1):
        return ()
    verb = "has" if gone == 1 else "have"
    why = f"{gone} of the model's {n} variables {verb} no column here, and would be filled with one value for everybody"
    if gone > (1 - SOME) * n:
        return (Problem(
            "refuse", f"{why}: what is left is another model.",
            "Choose patients in whom its variables were recorded, or say below which columns stand for them.",
        ),)  # fmt: skip
    return (Problem(
        "confirm", f"{why}: this tests little of what it knows.",
        "Confirm that a test on the others is what you want, or say below which columns stand for them.",
    ),)  # fmt: skip


def _candidate(variable: Variable, cohort: Cohort, taken: set[str]) -> tuple[Variable | None, str]:
    free = [v for v in cohort.variables if v.name not in taken and v.use not in ("later", "outcome")]
    rules = (
        ("name", lambda v: v.name == variable.name),
        ("label", lambda v: _alike(v.label, variable.label) and v.is_numeric == variable.is_numeric),
        ("concept", lambda v: v.concept and v.concept == variable.concept and v.is_numeric == variable.is_numeric),
    )
    for how, rule in rules:
        for v in free:
            if rule(v):
                return v, how
    return None, "absent"


def unit_factor(here: Variable, wanted: Variable) -> float | None:
    """What numbers in one variable's unit are multiplied by to be in another's; None if that is not known."""
    a, b = same_unit(here.unit), same_unit(wanted.unit)
    if not a or not b or a == b:
        return 1.0
    if a in DAYS and b in DAYS:
        return DAYS[a] / DAYS[b]  # type: ignore[index]
    if (a, b) in _FACTORS:
        return _FACTORS[a, b]
    if (b, a) in _FACTORS:
        return 1 / _FACTORS[b, a]
    for score in SCORES.values():
        for item in score.inputs:
            if item.key in (here.concept, wanted.concept) and item.kind == "number":
                one, other = item.factor(here.unit), item.factor(wanted.unit)
                if one and other:
                    return one / other
    return None


def match_levels(here: Variable, wanted: Variable) -> tuple[tuple[str, str], ...]:
    """Codes of one variable that stand for other codes of another."""
    by_label = {level.label.casefold(): level.code for level in wanted.levels}
    answers = {dict(wanted.concept_levels).get(code, code): code for code in wanted.codes}
    told = dict(here.concept_levels)
    found = []
    for level in here.levels:
        if level.code in wanted.codes:
            continue
        same = by_label.get(level.label.casefold())
        if same is None and here.concept and here.concept == wanted.concept:
            same = answers.get(told.get(level.code, level.code))
        if same is not None:
            found.append((level.code, same))
    return tuple(found)


def mapped_cohort(model: Fitted, cohort: Cohort, mapping: Mapping | None = None) -> Cohort:
    """The cohort's patients as the model reads them: its column names, units and codes, nothing else but outcomes.

    A column whose unit could not be converted keeps the unit it has, so that `bedside.risk.fits.check_fits` sees it.
    """
    items = {item.variable: item for item in (guess_mapping(model, cohort) if mapping is None else mapping)}
    columns: dict[str, object] = {}
    variables = []
    for reading in model.design.readings:
        wanted, item = reading.variable, items.get(reading.variable.name)
        if item is None or item.column is None or item.column not in cohort.frame:
            continue
        here = cohort.variable(item.column) if cohort.has(item.column) else wanted
        name = wanted.name
        if wanted.is_numeric and here.is_numeric:
            factor = 1.0 if item.factor is None else item.factor
            values = numbers(cohort.frame, item.column)
            columns[name] = values if factor == 1 else values * factor
            variables.append(replace_unit(wanted, here.unit if item.factor is None else wanted.unit))
        elif wanted.is_numeric or here.is_numeric:
            columns[name] = cohort.frame[item.column]
            variables.append(here.model_copy(update={"name": name}))
        else:
            columns[name] = _recoded(cohort.frame[item.column], dict(item.levels))
            variables.append(wanted)
    frame = pd.DataFrame(columns, index=cohort.frame.index)
    return replace(cohort, frame=frame, variables=tuple(variables), identifier=None, visits=None)


def replace_unit(variable: Variable, unit: str) -> Variable:
    """A variable in another unit."""
    return variable if variable.unit == unit else variable.model_copy(update={"unit": unit})


def _recoded(column: pd.Series, codes: Map[str, str]) -> pd.Series:
    if not codes:
        return column
    values = column.astype(object)
    return pd.Series([codes.get(v, v) if isinstance(v, str) else np.nan for v in values], index=column.index)
