"""Cohorts as values: variables, outcomes, units, selections, groups and Table 1."""

from __future__ import annotations

from bedside.cohort.codes import normal_code
from bedside.cohort.cohort import Cohort, Visits
from bedside.cohort.outcome import Outcome, Source, Treatment
from bedside.cohort.units import DAYS, Unit, convert
from bedside.cohort.variable import Level, Variable

__all__ = [
    "DAYS",
    "Cohort",
    "Level",
    "Outcome",
    "Source",
    "Treatment",
    "Unit",
    "Variable",
    "Visits",
    "convert",
    "normal_code",
]
