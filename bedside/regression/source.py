"""A cohort's columns and words, as the terms of a regression ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Variable, normal_code
from bedside.cohort.derived_words import caution
from bedside.cohort.values import Range, level_index, numbers, tidy_step
from bedside.cohort.variable import UNSHARED
from bedside.errors import Fixable
from bedside.regression.terms import Factor, Interaction, Linear, Log, Term, variables_of

WHAT = "That variable can't be used here."


@dataclass(frozen=True, eq=False)
class CohortColumns:
    """Rows of a cohort, or of intervals made of them, with the words of its dictionary."""

    frame: pd.DataFrame
    variables: Mapping[str, Variable]

    def number(self, column: str) -> np.ndarray:
        """Numbers, NaN where missing."""
        return numbers(self.frame, column)

    def codes(self, column: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """Positions in the codes of the levels, -1 where missing; of numbers, the distinct values by size."""
        variable = self.variables.get(column)
        if variable is not None and variable.is_numeric:
            values = numbers(self.frame, column)
            known, place = np.unique(values, return_inverse=True)
            return np.where(np.isnan(values), -1, place), tuple(normal_code(v) for v in known[~np.isnan(known)])
        listed = variable.codes if variable is not None else ()
        if not listed:
            values = self.frame[column]
            categorical = isinstance(values.dtype, pd.CategoricalDtype)
            found = values.cat.categories if categorical else sorted({str(v) for v in values.dropna()})
            listed = tuple(normal_code(value) for value in found)
        return np.maximum(level_index(self.frame, column, listed), -1), listed

    def rows(self, keep: np.ndarray) -> CohortColumns:
        """The rows where `keep` is True."""
        return CohortColumns(self.frame.loc[keep].reset_index(drop=True), self.variables)

    def name(self, column: str) -> str:
        """The variable's clinical name."""
        return self.variables[column].label if column in self.variables else column

    def step(self, column: str, per: float) -> str:
        """So much of a variable, with its unit: "10 years"; "1" if it has none."""
        shown = f"{per:g}"
        return self.variables[column].with_unit(shown) if column in self.variables else shown

    def level(self, column: str, level: str) -> str:
        """The label of a level."""
        return self.variables[column].label_of(level) if column in self.variables else level

    def reference(self, column: str) -> str | None:
        """The dictionary's reference."""
        variable = self.variables.get(column)
        return variable.reference_code if variable is not None and variable.is_grouping else None


def columns_of(cohort: Cohort) -> CohortColumns:
    """All patients of a cohort."""
    return CohortColumns(cohort.frame, {variable.name: variable for variable in cohort.variables})


def default_term(cohort: Cohort, name: str) -> Term:
    """The term a variable has unless the reader chooses another.

    Levels against the dictionary's reference; a number read on the log scale per doubling; another one per step of
    a tidy size, the largest of 1, 2 or 5 times a power of ten within its interquartile range.
    """
    variable = cohort.variable(name)
    if not variable.is_numeric:
        return Factor(name)
    if variable.scale == "log":
        return Log(name, 2.0)
    known = numbers(cohort.frame, name)
    known = known[~np.isnan(known)]
    if not len(known) or known.min() == known.max():
        return Linear(name)
    return Linear(name, tidy_step(Range(*(float(v) for v in np.quantile(known, [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1])))))


def check_terms(cohort: Cohort, outcome: Outcome, terms: Sequence[Term], columns: CohortColumns) -> tuple[str, ...]:
    """Refuse what can't be compared; notes on what a reader must know.

    Raises
    ------
    Fixable
        If a term's variable is unknown, is part of the outcome, names a patient, is a date or text, or has levels
        where a number is needed.
    """
    notes: list[str] = []
    for name in dict.fromkeys(name for term in terms for name in variables_of(term)):
        variable = columns.variables.get(name)
        if name in outcome.columns:
            raise Fixable(WHAT, f"“{name}” is part of the outcome itself.", "Leave it out.")
        if variable is None:
            variable = cohort.variable(name)
        if variable.kind in UNSHARED:
            kind = {"identifier": "names patients", "date": "is a date", "text": "is free text"}[variable.kind]
            raise Fixable(WHAT, f"{variable.label} {kind}, which a model can't compare.", "Leave it out.")
        if variable.use == "later":
            notes.append(
                caution(variable)
                or f"{variable.label} is known only after time zero: those who lived to have it measured are compared "
                "with those who did not."
            )
    for term in terms:
        _check_numbers(term, columns)
    return tuple(notes)


def _check_numbers(term: Term, columns: CohortColumns) -> None:
    if isinstance(term, Interaction):
        _check_numbers(term.a, columns)
        _check_numbers(term.b, columns)
    elif not isinstance(term, Factor):
        known = columns.frame[term.column].notna().to_numpy()
        if known.any() and np.isnan(columns.number(term.column)[known]).all():
            raise Fixable(
                WHAT, f"{columns.name(term.column)} has levels, not numbers.", "Compare its levels with one of them."
            )
