"""A variable and a patient's value in words, and whether the model reads it in the direction that is expected."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bedside.cohort import Variable
from bedside.cohort.values import level_index, numbers
from bedside.explain.contributions import Background, readings_of
from bedside.risk.design import Reading
from bedside.risk.fitted import Fitted
from bedside.risk.model import Model
from bedside.tails import mean_ranks


def value_text(reading: Reading, patient: pd.DataFrame) -> str:
    """The variable and this patient's value in words; what stands in for it where it can't be used."""
    variable = reading.variable
    if variable.is_numeric:
        value = float(numbers(patient, variable.name)[0])
        return f"{variable.label} (missing; median used)" if np.isnan(value) else variable.say_with_label(value)
    index = int(level_index(patient, variable.name, reading.codes)[0])
    if index == -1:
        return f"{variable.label} (missing; commonest value used)"
    if index < 0 or reading.codes[index] not in reading.present:
        return f"{variable.label} (a value the model has not seen; commonest value used)"
    said = variable.say_with_label(reading.codes[index])
    rare = reading.codes[index] in reading.rare
    return f"{said}, read like {variable.label_of(reading.stand_in(reading.codes[index]))}" if rare else said


def directions(model: Fitted, background: Background) -> dict[str, bool | None]:
    """For each variable, whether higher values go with more risk where the dictionary expects it; None if neither.

    A Cox model is read from its coefficients. Any other is asked: the background patients' mean score with the value
    at each quarter of the training values, or each level, in turn.
    """
    found: dict[str, bool | None] = {}
    for name, reading in readings_of(model).items():
        expected, rises = reading.variable.expected, 0.0
        if expected is not None:
            rises = _rises(model, reading) if isinstance(model, Model) else _asked(model, reading, background.frame)
        found[name] = None if expected is None or rises == 0 else (rises > 0) == (expected == "raises")
    return found


def direction(variable: Variable) -> str:
    """Which values the dictionary expects to go with more risk, or with less."""
    more = "more" if variable.expected == "raises" else "less"
    if variable.kind == "binary" and len(variable.levels) == 2:
        return f"{variable.label_of(variable.levels[1].code)} goes with {more} risk"
    return f"higher goes with {more} risk"


def _rises(model: Model, reading: Reading) -> float:
    """Above 0 if the log hazard rises with the value, or on the whole with the order of the levels."""
    name = reading.variable.name
    if reading.variable.is_numeric:
        return model.rise(name)
    judged = _judged(reading)
    effect = dict.fromkeys(judged, 0.0)
    effect |= {term.level: float(model.coef[term.column]) for term in model.terms if term.variable == name}
    return _slope([effect[code] for code in judged])


def _asked(model: Fitted, reading: Reading, frame: pd.DataFrame) -> float:
    name, span = reading.variable.name, reading.range
    if span is not None:
        steps = sorted({span.low, span.q1, span.median, span.q3, span.high})
        columns = [np.full(len(frame), step) for step in steps]
    else:
        columns = [pd.Categorical([code] * len(frame), categories=list(reading.codes)) for code in _judged(reading)]
    # Rounded, so that a variable the model hardly uses has no direction.
    scores = [round(float(model.score(frame.assign(**{name: column})).mean()), 9) for column in columns]
    return _slope(scores)


def _judged(reading: Reading) -> list[str]:
    return [code for code in reading.present if code not in reading.rare]


def _slope(heights: list[float]) -> float:
    steps = np.arange(len(heights)) - (len(heights) - 1) / 2
    return float(steps @ np.array(heights))


def places(readings: list[Reading], frame: pd.DataFrame) -> np.ndarray:
    """Each value's place from 0 to 1 among the patients, shape (n, n_variables); NaN if missing or unordered."""
    found = np.full((len(frame), len(readings)), np.nan)
    for j, reading in enumerate(readings):
        variable: Variable = reading.variable
        if variable.is_numeric:
            values = numbers(frame, variable.name)
        elif variable.kind == "categorical":
            continue
        else:
            index = level_index(frame, variable.name, reading.codes)
            values = np.where(index < 0, np.nan, index)
        known = np.isfinite(values)
        if known.any():
            rank = (
                np.unique(values[known], return_inverse=True)[1] if variable.is_grouping else mean_ranks(values[known])
            )
            found[known, j] = (rank - rank.min()) / max(np.ptp(rank), 1)
    return found
