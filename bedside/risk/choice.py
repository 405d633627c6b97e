"""Which of a cohort's variables may enter a model."""

from __future__ import annotations

from collections.abc import Sequence

from bedside.cohort import Cohort, Variable
from bedside.cohort.variable import UNSHARED
from bedside.errors import Fixable

WHAT = "That variable can't be a predictor."


def chosen(cohort: Cohort, names: Sequence[str] | None) -> tuple[Variable, ...]:
    """The variables of a model, in dictionary order.

    Raises
    ------
    Fixable
        If one is unknown, belongs to an outcome, is known only after time zero, names a patient, or is a date
        or free text.
    """
    outcomes = {name for outcome in cohort.outcomes for name in outcome.columns}
    if names is None:
        return tuple(v for v in cohort.predictors if v.name not in outcomes)
    if clash := sorted(set(names) & outcomes):
        raise Fixable(WHAT, f"“{clash[0]}” belongs to an outcome of this cohort.", "Leave it out of the predictors.")
    wanted = [cohort.variable(name) for name in dict.fromkeys(names)]
    for variable in wanted:
        _allowed(variable)
    taken = set(names)
    return tuple(v for v in cohort.variables if v.name in taken)


def _allowed(variable: Variable) -> None:
    if variable.use == "later":
        raise Fixable(
            WHAT,
            f"{variable.label} is known only after time zero: {variable.why_later}".rstrip(".") + ".",
            "Leave it out of the predictors; it can still be used to look at groups.",
        )
    if variable.kind in UNSHARED:
        kind = {"identifier": "names patients", "date": "is a date", "text": "is free text"}[variable.kind]
        raise Fixable(WHAT, f"{variable.label} {kind}, which a model can't compare.", "Leave it out of the predictors.")
