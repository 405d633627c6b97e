"""One variable of a patient beside those of the nearest: alike to the eye, or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bedside.cohort.selection import FEWEST_SHARED
from bedside.cohort.values import level_index, numbers
from bedside.cohort.variable import Variable
from bedside.patient.inputs import is_missing_here, read_as
from bedside.patient.metric import Metric
from bedside.risk.design import Reading

ALIKE, DIFFERS = 0.5, 0.25
"""A level that at least so many of the nearest share is alike; one that fewer than the second do differs."""

Verdict = Literal["alike", "mixed", "differs", "not recorded", "read as"]


@dataclass(frozen=True)
class Tally:
    """A count of patients out of others, kept back where it is small.

    Attributes
    ----------
    value : int or None
        None if it, or how many remain of `of`, is from 1 to one below the threshold.
    of : int
    """

    value: int | None
    of: int


def tally(value: int, of: int, *, threshold: int = FEWEST_SHARED) -> Tally:
    """A count that may be shown."""
    small = any(0 < k < threshold for k in (value, of - value))
    return Tally(None if small else int(value), int(of))


@dataclass(frozen=True)
class Match:
    """One variable of the patient beside the nearest ones.

    Attributes
    ----------
    variable : Variable
    weight : float
        Its part of the distance of any two patients, 0 to 1.
    own : str
        The patient's value in words.
    typical : str
        Of the nearest: median and quartiles, or the commonest level.
    same : Tally or None
        Of a grouped variable: how many of the nearest have the patient's level.
    apart : float
        How much the nearest differ from the patient, beside how much any two patients do: 0 not at all, 1 as much.
    verdict : {"alike", "mixed", "differs", "not recorded", "read as"}
        A number is alike within the quartiles of the nearest and differs outside of them. A level is alike if at
        least half of them have it, differs if fewer than a quarter do, and is mixed between. What the patient or
        all of them have no record of is neither; nor is a level that the model reads as another one.
    like : str
        The level that it is read as.
    """

    variable: Variable
    weight: float
    own: str
    typical: str
    same: Tally | None
    apart: float
    verdict: Verdict
    like: str = ""


def matches_of(
    metric: Metric,
    readings: Mapping[str, Reading],
    near: pd.DataFrame,
    patient: pd.DataFrame,
    found: np.ndarray,
    threshold: int,
) -> tuple[Match, ...]:
    """Every variable that counts, the heaviest first; `found` are the places of the nearest."""
    apart = metric.parts(patient, found).mean(axis=0) / metric.weight
    return tuple(
        _match(readings[variable.name], float(weight), float(ratio), near, patient, threshold)
        for variable, weight, ratio in zip(metric.variables, metric.share, apart, strict=True)
    )


def _match(
    reading: Reading, weight: float, apart: float, near: pd.DataFrame, patient: pd.DataFrame, threshold: int
) -> Match:
    variable = reading.variable
    own = patient[variable.name].iloc[0] if variable.name in patient else None
    said = variable.say(own)
    if variable.is_numeric:
        typical, verdict = _middle(variable, numbers(near, variable.name), float(numbers(patient, variable.name)[0]))
        return Match(variable, weight, said, typical, None, apart, verdict)
    typical, same, share = _commonest(variable, near, patient, threshold)
    other = read_as(reading, patient)
    if other is not None:
        return Match(variable, weight, said, typical, same, apart, "read as", other.like)
    if is_missing_here(reading, patient) or share is None:
        return Match(variable, weight, said, typical, same, apart, "not recorded")
    verdict = "alike" if share >= ALIKE else "differs" if share < DIFFERS else "mixed"
    return Match(variable, weight, said, typical, same, apart, verdict)


def _middle(variable: Variable, values: np.ndarray, own: float) -> tuple[str, Verdict]:
    known = values[~np.isnan(values)]
    if not len(known):
        return "missing", "not recorded"
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    said = f"{variable.say(middle)} ({variable.number(low)} to {variable.number(high)})"
    if np.isnan(own):
        return said, "not recorded"
    return said, "alike" if low <= own <= high else "differs"


def _commonest(
    variable: Variable, near: pd.DataFrame, patient: pd.DataFrame, threshold: int
) -> tuple[str, Tally | None, float | None]:
    """Their commonest level, and how many have the patient's: as it may be told, and as a share."""
    codes: Sequence[str] = variable.codes or tuple(sorted({str(v) for v in near[variable.name].dropna().unique()}))
    index = level_index(near, variable.name, codes)
    count = np.bincount(index[index >= 0], minlength=len(codes))
    if not count.sum():
        return "missing", None, None
    typical = variable.label_of(codes[int(count.argmax())])
    own = int(level_index(patient.iloc[[0]], variable.name, codes)[0])
    if own < 0:
        return typical, None, 0.0
    return typical, tally(int(count[own]), len(near), threshold=threshold), float(count[own] / len(near))
