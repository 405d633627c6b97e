"""What groups are made comparable in: variables of a cohort as the columns of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bedside.cohort.cohort import Cohort
from bedside.cohort.groups import Grouping
from bedside.cohort.variable import Variable
from bedside.errors import Fixable
from bedside.regression.columns import redundant


@dataclass(frozen=True)
class Column:
    """One column: a number, or the mark of one level.

    Attributes
    ----------
    variable : Variable
    level : str or None
        Code of the level; None for a continuous variable.
    label : str
        E.g. ``"Age"`` or ``"Tumour grade: III"``.
    """

    variable: Variable
    level: str | None
    label: str


@dataclass(frozen=True, eq=False)
class Covariates:
    """Complete cases as numbers.

    Attributes
    ----------
    x : array, shape (n, p)
        Treatment contrasts, without an intercept; a variable on a log scale as its logarithm.
    columns : tuple of Column
        Of `x`, in the order the variables were given.
    plain : array, shape (n, q)
        What balance is judged by: numbers in their own unit, and a mark for every level, the reference included.
    plain_columns : tuple of Column
    rows : int array, shape (n,)
        Position of each patient in the cohort.
    dropped : int
        Patients with a group who are left out because a covariate is missing.
    without : tuple of Column
        Columns of no use, since they do not vary or repeat earlier ones.
    """

    x: np.ndarray
    columns: tuple[Column, ...]
    plain: np.ndarray
    plain_columns: tuple[Column, ...]
    rows: np.ndarray
    dropped: int
    without: tuple[Column, ...]


def covariates_of(cohort: Cohort, grouping: Grouping, names: Sequence[str]) -> Covariates:
    """Covariates of the patients who have a group and every covariate.

    Parameters
    ----------
    cohort : Cohort
    grouping : Grouping
        Patients with code -1 are left out.
    names : sequence of str
        Column names; continuous or with levels, known at time zero.

    Returns
    -------
    Covariates

    Raises
    ------
    Fixable
        If no covariate is given, one is known only later or names patients, or nobody has all of them.
    """
    variables = [cohort.variable(name) for name in dict.fromkeys(names)]
    if not variables:
        raise Fixable("Nothing to adjust for.", "No covariate was chosen.", "Choose at least one.")
    for variable in variables:
        _check(variable)
    grouped = grouping.codes >= 0
    known = np.array([_known(cohort, variable) for variable in variables])
    keep = grouped & known.all(axis=0)
    if not keep.any():
        least = variables[int(known[:, grouped].sum(axis=1).argmin())]
        raise Fixable(
            "No complete cases.",
            f"Each patient with a group lacks at least one covariate; “{least.label}” is missing most often.",
            "Leave out the covariate that is missing most often.",
        )
    rows = np.flatnonzero(keep)
    used: list[tuple[Column, np.ndarray]] = []
    plain: list[tuple[Column, np.ndarray]] = []
    for variable in variables:
        in_model, as_it_is = _columns(cohort, variable, rows)
        used += in_model
        plain += as_it_is
    x = np.column_stack([values for _, values in used]) if used else np.zeros((len(rows), 0))
    keep_columns = _useful(x)
    return Covariates(
        x=x[:, keep_columns],
        columns=tuple(used[j][0] for j in keep_columns),
        plain=np.column_stack([values for _, values in plain]),
        plain_columns=tuple(column for column, _ in plain),
        rows=rows,
        dropped=int(grouped.sum() - len(rows)),
        without=tuple(used[j][0] for j in range(len(used)) if j not in keep_columns),
    )


def _check(variable: Variable) -> None:
    if variable.use == "later":
        raise Fixable(
            f"“{variable.label}” cannot be adjusted for.",
            "It is known only after time zero, so it may be a consequence of the treatment.",
            "Choose variables known at time zero.",
        )
    if not (variable.is_numeric or variable.is_grouping) or variable.use == "outcome":
        raise Fixable(
            f"“{variable.label}” cannot be adjusted for.",
            "It holds names, dates, free text or the outcome.",
            "Choose a variable with levels or numbers.",
        )


def _known(cohort: Cohort, variable: Variable) -> np.ndarray:
    column = cohort.frame[variable.name]
    if variable.is_numeric:
        return np.isfinite(column.to_numpy(dtype=float))
    return column.cat.codes.to_numpy() >= 0


def _columns(
    cohort: Cohort, variable: Variable, rows: np.ndarray
) -> tuple[list[tuple[Column, np.ndarray]], list[tuple[Column, np.ndarray]]]:
    """Columns for the model, and as they are."""
    column = cohort.frame[variable.name]
    if variable.is_numeric:
        values = column.to_numpy(dtype=float)[rows]
        one = Column(variable, None, variable.label)
        return [(one, _scaled(variable, values))], [(one, values)]
    codes = column.cat.codes.to_numpy()[rows]
    present = [(i, str(code)) for i, code in enumerate(column.cat.categories) if (codes == i).any()]
    reference = next((code for _, code in present if code == variable.reference_code), present[0][1])
    marks = [
        (Column(variable, code, f"{variable.label}: {variable.label_of(code)}"), (codes == i).astype(float))
        for i, code in present
    ]
    return [mark for mark in marks if mark[0].level != reference], marks


def _scaled(variable: Variable, values: np.ndarray) -> np.ndarray:
    """The logarithm where the dictionary asks for it; what is not positive is read as half the smallest positive."""
    positive = values[values > 0]
    if variable.scale != "log" or not len(positive):
        return values
    return np.log(np.maximum(values, positive.min() / 2))


def _useful(x: np.ndarray) -> list[int]:
    """Columns that vary and do not repeat earlier ones."""
    spread = x.std(axis=0) if len(x) else np.zeros(x.shape[1])
    vary = np.flatnonzero(spread > 1e-12 * np.maximum(np.abs(x).max(axis=0, initial=0.0), 1e-300))
    z = (x[:, vary] - x[:, vary].mean(axis=0)) / spread[vary]
    repeats = redundant(z)
    return [int(j) for i, j in enumerate(vary) if i not in repeats]
