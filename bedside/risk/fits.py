"""Whether a model fits other patients: columns, kinds, levels, units, and values as if in another unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bedside.cohort import Cohort, Variable
from bedside.cohort.values import UNSEEN, Range, level_index, numbers
from bedside.errors import Fixable
from bedside.risk.design import Reading
from bedside.risk.fitted import Fitted

FEWEST_VALUES = 10
"""Recorded values from which a median is told."""
FEW_WITHIN = 0.05
"""Share of values within the middle half of training, where half is expected, below which the unit is doubted..."""
FAR = 1.8
"""... if the medians also differ by this factor: kilograms and pounds do by 2.2."""
NAMED = 5

Weight = Literal["refuse", "alarm", "note"]


@dataclass(frozen=True)
class Misfit:
    """One thing in which other patients differ from those a model learnt from.

    Attributes
    ----------
    variable : str
        Column name.
    weight : {"refuse", "alarm", "note"}
        ``refuse``: no honest risk can be given. ``alarm``: to be answered before any risk is read. ``note``: risks
        are given, with what the sentence says.
    why, next_step : str
    """

    variable: str
    weight: Weight
    why: str
    next_step: str


def check_fits(model: Fitted, cohort: Cohort) -> tuple[Misfit, ...]:
    """Everything in which a cohort differs from what a model reads, gravest first.

    A column that is not there, and a level that nobody had in training, are notes: the model reads what its design
    declares for them. Another kind or another unit is refused. Values that lie as if in another unit are an alarm:
    fewer than 5% of them within the middle half of training, and a median at least 1.8 times higher or lower.
    """
    found: list[Misfit] = []
    absent = 0
    for reading in model.design.readings:
        name = reading.variable.name
        if name not in cohort.frame or cohort.frame[name].isna().all():
            absent += 1
            found.append(_absent(reading, there=name in cohort.frame))
        else:
            here = cohort.variable(name) if cohort.has(name) else None
            found += _differs(reading, here, cohort)
    if absent and absent == len(model.design.readings):
        why = "None of the model's variables is recorded in this cohort."
        found.insert(0, Misfit("", "refuse", why, "Choose a cohort that has them, or map its columns to them."))
    order = ("refuse", "alarm", "note")
    return tuple(sorted(found, key=lambda misfit: order.index(misfit.weight)))


def require_fit(model: Fitted, cohort: Cohort) -> tuple[Misfit, ...]:
    """The alarms and notes, where the model can be used at all.

    Raises
    ------
    Fixable
        At the first misfit that is refused.
    """
    found = check_fits(model, cohort)
    stop = next((misfit for misfit in found if misfit.weight == "refuse"), None)
    if stop is not None:
        raise Fixable("The model does not fit this cohort.", stop.why, stop.next_step)
    return found


def _absent(reading: Reading, *, there: bool) -> Misfit:
    v = reading.variable
    how = "is missing for every patient here" if there else "has no column here"
    return Misfit(
        v.name, "note",
        f"{v.label} {how}: {v.say(reading.fill)}, from the model's own patients, stands in for all.",
        "Map a column to it if there is one under another name; otherwise read these risks with that in mind.",
    )  # fmt: skip


def _differs(reading: Reading, here: Variable | None, cohort: Cohort) -> list[Misfit]:
    learnt = reading.variable
    if here is not None and here.is_numeric != learnt.is_numeric:
        return [Misfit(
            learnt.name, "refuse",
            f"{learnt.label} is {_kind(here)} here, but the model learnt it as {_kind(learnt)}.",
            "Correct the kind in the cohort's dictionary, or map another column to it.",
        )]  # fmt: skip
    if not learnt.is_numeric:
        return _levels(reading, cohort)
    if here is not None and _other_unit(learnt.unit, here.unit):
        return [Misfit(
            learnt.name, "refuse",
            f"{learnt.label} is in {here.unit} here, but the model learnt it in {learnt.unit}.",
            f"Convert the column to {learnt.unit}, and say so in the cohort's dictionary.",
        )]  # fmt: skip
    return _values(reading, numbers(cohort.frame, learnt.name))


def _kind(variable: Variable) -> str:
    return "a number" if variable.is_numeric else "a group" if variable.is_grouping else f"a {variable.kind}"


def _other_unit(one: str, other: str) -> bool:
    """True if both are named and differ in more than spelling."""
    a, b = _spelling(one), _spelling(other)
    return bool(a and b and a != b)


def _spelling(unit: str) -> str:
    plain = "".join(unit.split()).casefold()
    for odd, usual in (("µ", "u"), ("μ", "u"), ("²", "2"), ("³", "3"), ("⁹", "9"), ("^", ""), ("×", "x"), ("·", "*")):
        plain = plain.replace(odd, usual)
    return plain.removesuffix("s") if plain in ("days", "weeks", "months", "years") else plain


def _levels(reading: Reading, cohort: Cohort) -> list[Misfit]:
    v = reading.variable
    index = level_index(cohort.frame, v.name, reading.present)
    unseen = index == UNSEEN
    if not unseen.any():
        return []
    seen_as = cohort.frame[v.name][unseen].astype(str).unique()
    here = cohort.variable(v.name) if cohort.has(v.name) else v
    named = [f"“{here.label_of(code)}”" for code in sorted(seen_as)[:NAMED]] if here.is_grouping else []
    more = f" and {len(seen_as) - NAMED} more" if len(seen_as) > NAMED else ""
    which = f" ({', '.join(named)}{more})" if named else ""
    if (unseen | (index < 0)).all():
        return [Misfit(
            v.name, "refuse",
            f"No patient here has a level of {v.label} that the model knows{which}.",
            "Code the levels as the model's cohort does, or leave the column out.",
        )]  # fmt: skip
    n = int(unseen.sum())
    return [Misfit(
        v.name, "note",
        f"{n:,} patient{'s have' if n != 1 else ' has'} a level of {v.label} that nobody had in training{which}; "
        f"the model reads it as the commonest one, “{v.label_of(reading.fill)}”.",
        "Recode the level if it is one of the known ones under another name.",
    )]  # fmt: skip


def _values(reading: Reading, values: np.ndarray) -> list[Misfit]:
    """An alarm where values lie as if in another unit, else a note where many are outside what was learnt."""
    v, learnt = reading.variable, reading.range
    seen = values[~np.isnan(values)]
    if learnt is None or len(seen) == 0:
        return []
    median = float(np.median(seen))
    if len(seen) >= FEWEST_VALUES and _as_in_another_unit(seen, median, learnt):
        way = "above" if median > learnt.median else "below"
        unit = f" in {v.unit}" if v.unit else ""
        return [Misfit(
            v.name, "alarm",
            f"{v.label}: the median {v.number(median)} is far {way} the median of {v.number(learnt.median)} "
            f"({v.number(learnt.low)} to {v.number(learnt.high)}{unit}) that the model was trained on. "
            "Is it recorded in another unit here?",
            f"Check the unit; the model expects {v.unit}." if v.unit else "Check the unit in both cohorts.",
        )]  # fmt: skip
    outside = int(((seen < learnt.low) | (seen > learnt.high)).sum())
    if outside == 0:
        return []
    return [Misfit(
        v.name, "note",
        f"{v.label} of {outside:,} patient{'s' if outside != 1 else ''} is outside the {v.number(learnt.low)} to "
        f"{v.with_unit(v.number(learnt.high))} that the model was trained on: their risks are extrapolated.",
        "Check these values, and read these risks with caution.",
    )]  # fmt: skip


def _as_in_another_unit(seen: np.ndarray, median: float, learnt: Range) -> bool:
    within = float(((seen >= learnt.q1) & (seen <= learnt.q3)).mean())
    low, high = sorted((abs(median), abs(learnt.median)))
    far = high > FAR * low if high > 0 else False
    return within < FEW_WITHIN and far
