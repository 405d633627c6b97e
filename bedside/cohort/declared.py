"""The patients whom a dictionary names: for a model to learn from, and to be tested on."""

from __future__ import annotations

from bedside.cohort.cohort import Cohort
from bedside.cohort.elsewhere import Chosen, Condition, MadeScore
from bedside.cohort.selection import Between, Clause, OneOf, Selection
from bedside.errors import Fault, Fixable


def selection_of(part: Chosen | MadeScore) -> Selection:
    """Patients in whom every condition holds."""
    return Selection(tuple((_clause(condition),) for condition in part.where))


def _clause(condition: Condition) -> Clause:
    if condition.low is None and condition.high is None:
        return OneOf(condition.column, condition.codes, condition.missing)
    return Between(condition.column, condition.low, condition.high, condition.missing)


def faults_of(cohort: Cohort, file: str) -> tuple[Fault, ...]:
    """What is wrong with the external tests that a cohort declares.

    Parameters
    ----------
    cohort : Cohort
        Just read, before any filter.
    file : str
        Named in the faults.
    """
    found = []
    for i, test in enumerate(cohort.external):
        masks = []
        for name, part in (("training", test.training), ("test", test.test)):
            place = f"external[{i}].{name}"
            wrong = _wrong(cohort, part)
            if wrong is not None:
                found.append(Fault(file, place, *wrong))
                continue
            masks.append(selection_of(part).mask(cohort))
            if not masks[-1].any():
                found.append(Fault(file, place, "patients of whom all its conditions hold", "none"))
        if len(masks) == 2 and (shared := int((masks[0] & masks[1]).sum())):
            found.append(Fault(file, f"external[{i}]", "nobody in both training and test", f"{shared:,} patients"))
    for i, made in enumerate(cohort.made_scores):
        wrong = _wrong(cohort, made)
        if wrong is not None:
            found.append(Fault(file, f"made_scores[{i}]", *wrong))
        elif made.where and not selection_of(made).mask(cohort).any():
            found.append(Fault(file, f"made_scores[{i}]", "patients of whom all its conditions hold", "none"))
    return tuple(found)


def _wrong(cohort: Cohort, part: Chosen | MadeScore) -> tuple[str, str] | None:
    """Expected and found, where a condition does not fit its column."""
    for condition in part.where:
        if condition.column not in {v.name for v in cohort.filterable}:
            return "columns that patients can be chosen by", "another column"
        known = set(cohort.variable(condition.column).codes)
        if cohort.variable(condition.column).is_grouping and not set(condition.codes) <= known:
            return "codes that are levels of their column", "another code"
        try:
            selection_of(part.model_copy(update={"where": (condition,)})).mask(cohort)
        except Fixable:
            return "codes or missing for a column with levels, low or high for a continuous one", "the other"
    return None
