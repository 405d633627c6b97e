"""What a model makes of a patient's inputs: gaps, levels that are read as others, numbers that nobody else had."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.cohort.values import MISSING, UNSEEN, level_index, numbers
from bedside.cohort.variable import Variable
from bedside.risk.design import Reading

BEYOND = 0.1
"""Somebody the model learnt from is outside where they are further from all others than this share of their range:
of each variable somebody is the oldest."""


@dataclass(frozen=True)
class Outside:
    """A number outside of what the model has seen, or of what is plausible.

    Attributes
    ----------
    variable : Variable
    said, low, high : str
        The value and the ends of what other training patients had, in words.
    plausible : bool
        False if the dictionary calls it implausible.
    beyond : bool
        True if it lies outside of what others had.
    """

    variable: Variable
    said: str
    low: str
    high: str
    plausible: bool
    beyond: bool = True

    @property
    def why(self) -> str:
        """``"seen 21 to 80; plausible 18 to 100"``: what it is outside of."""
        told = [f"seen {self.low} to {self.high}"] if self.beyond else []
        if not self.plausible and self.variable.plausible is not None:
            low, high = map(self.variable.number, self.variable.plausible)
            told.append(f"plausible {low} to {high}")
        return "; ".join(told)


@dataclass(frozen=True)
class ReadAs:
    """A level with too few patients, or none, which the model reads as another one.

    Attributes
    ----------
    variable : Variable
    said, like : str
        The level and the one it is read as, in words.
    """

    variable: Variable
    said: str
    like: str


def is_missing_here(reading: Reading, row: pd.DataFrame) -> bool:
    """True if the first patient has no value."""
    name = reading.variable.name
    if reading.variable.is_numeric:
        return bool(np.isnan(numbers(row, name)[0]))
    return int(level_index(row.iloc[[0]], name, reading.codes)[0]) == MISSING


def read_as(reading: Reading, row: pd.DataFrame) -> ReadAs | None:
    """As what else the first patient's level is read; None where it is read as itself, or missing."""
    variable = reading.variable
    if variable.is_numeric:
        return None
    index = int(level_index(row.iloc[[0]], variable.name, reading.codes)[0])
    if index == MISSING:
        return None
    code = None if index == UNSEEN else reading.codes[index]
    if code in reading.present and code not in reading.rare:
        return None
    like = str(code if code in reading.present else reading.fill)
    like = reading.stand_in(like) if like in reading.rare else like
    return ReadAs(variable, variable.say(row[variable.name].iloc[0]), variable.label_of(like))


def outside(reading: Reading, row: pd.DataFrame, frame: pd.DataFrame, leave_out: int | None) -> Outside | None:
    """The first patient's number beside what the others had, if it is outside of that or of what is plausible.

    Parameters
    ----------
    reading : Reading
    row : pandas.DataFrame of one row
    frame : pandas.DataFrame
        Training patients.
    leave_out : int, optional
        The patient's own place among them.
    """
    variable, seen = reading.variable, reading.range
    value = float(numbers(row, variable.name)[0]) if seen is not None else np.nan
    if seen is None or np.isnan(value):
        return None
    low, high, slack = seen.low, seen.high, 0.0
    if leave_out is not None and not low < value < high:
        others = np.delete(numbers(frame, variable.name), leave_out)
        known = others[~np.isnan(others)]
        if len(known):
            low, high = float(known.min()), float(known.max())
            slack = BEYOND * (high - low)
    ends = variable.plausible or (-np.inf, np.inf)
    plausible, beyond = ends[0] <= value <= ends[1], not low - slack <= value <= high + slack
    if plausible and not beyond:
        return None
    return Outside(variable, variable.say(value), variable.number(low), variable.number(high), plausible, beyond)


def gaps(readings: Iterable[Reading], row: pd.DataFrame) -> tuple[Variable, ...]:
    """Variables without a value."""
    return tuple(reading.variable for reading in readings if is_missing_here(reading, row))
