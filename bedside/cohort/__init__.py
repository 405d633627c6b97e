"""Cohorts as values: variables, outcomes, units, selections, groups and Table 1."""

from __future__ import annotations

from bedside.cohort.codes import normal_code
from bedside.cohort.cohort import Cohort, Visits
from bedside.cohort.groups import Grouping, group_by, group_by_selection
from bedside.cohort.outcome import Outcome, Source, Treatment
from bedside.cohort.selection import Between, Clause, OneOf, Selection, Step
from bedside.cohort.table_one import FollowUp, Histogram, LevelCount, Summary, followup, table_one
from bedside.cohort.units import DAYS, Unit, convert
from bedside.cohort.variable import Level, Variable

__all__ = [
    "DAYS",
    "Between",
    "Clause",
    "Cohort",
    "FollowUp",
    "Grouping",
    "Histogram",
    "Level",
    "LevelCount",
    "OneOf",
    "Outcome",
    "Selection",
    "Source",
    "Step",
    "Summary",
    "Treatment",
    "Unit",
    "Variable",
    "Visits",
    "convert",
    "followup",
    "group_by",
    "group_by_selection",
    "normal_code",
    "table_one",
]
