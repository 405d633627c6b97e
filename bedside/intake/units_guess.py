"""Units in the names of columns, and the usual unit of a usual measurement where its values leave no doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bedside.intake.measured import UNITS, analyte_of, measured_in, unit_among, unit_written, units_named
from bedside.intake.plan import ColumnPlan

_TYPICAL: dict[str, tuple[tuple[str, float, float], ...]] = {
    "age": (("years", 10, 100),), "bmi": (("kg/m2", 14, 60),),
    "creatinine": (("mg/dl", 0.3, 8), ("umol/l", 25, 900)), "bilirubin": (("mg/dl", 0.1, 4), ("umol/l", 4, 600)),
    "albumin": (("g/dl", 1.5, 6), ("g/l", 15, 60)), "sodium": (("mmol/l", 110, 170),), "weight": (("kg", 35, 180),),
    "height": (("cm", 130, 210), ("m", 1.3, 2.1)),
    "haemoglobin": (("g/dl", 5, 20), ("g/l", 50, 200), ("mmol/l", 3.5, 12)), "platelets": (("10^9/l", 20, 900),),
}  # fmt: skip
"""Where the middle of such values lies, by unit; ranges that overlap decide nothing."""
_CONCEPTS = ("age", "bmi", "creatinine", "bilirubin", "albumin", "sodium", "platelets")
"""Measurements that published scores ask for."""


def unit_of(name: str, label: str, values: np.ndarray) -> tuple[str, str]:
    """The unit of a column of numbers and what it is to published scores; empty where nothing is sure."""
    what = analyte_of(name, label)
    middle = float(np.median(values)) if len(values) else float("nan")
    fits = [unit for unit, low, high in _TYPICAL.get(what, ()) if low <= middle <= high]
    said = units_named(name, label)
    unit = unit_written(name, label) or unit_among(said, what)
    if not unit and len(fits) == 1 and all(word in fits[0].replace("/", "") for word in said):
        unit = fits[0]  # a range never overrules a word: 175 of “BodyWeightLbs” are no kilograms
    return unit, what if what in _CONCEPTS and unit in UNITS[what] else ""


def one_each(columns: Sequence[ColumnPlan]) -> tuple[ColumnPlan, ...]:
    """The same columns with each concept at one of them: the one that says least besides."""
    best: dict[str, ColumnPlan] = {}
    for column in columns:
        if column.concept and column.use not in ("drop", "outcome"):
            other = best.get(column.concept)
            if other is None or _said_besides(column) < _said_besides(other):
                best[column.concept] = column
    return tuple(
        column if not column.concept or best.get(column.concept) is column else replace(column, concept="")
        for column in columns
    )


def _said_besides(column: ColumnPlan) -> tuple[bool, int]:
    what, beside = measured_in(column.name)
    return what != column.concept, beside
