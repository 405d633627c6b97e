"""How likely each patient was to be treated as they were, given what was known at time zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bedside.cohort.wording import either
from bedside.errors import Fixable
from bedside.treatment.covariates import Column, Covariates
from bedside.treatment.logistic import STILL_MOVING, logistic, multinomial

FEWEST = 2
"""A group of one has no spread, and one patient cannot stand for others."""


@dataclass(frozen=True, eq=False)
class Propensity:
    """Propensity scores.

    Attributes
    ----------
    labels : tuple of str
        Groups, the reference first as in the grouping.
    codes : int array, shape (n,)
        Group of each patient.
    probability : array, shape (n, n_groups)
        Chance of each group given the covariates; rows add up to 1.
    coef : array, shape (n_groups - 1, p + 1)
        Log odds of each further group against the first, the intercept first.
    columns : tuple of Column
        Of `coef`, after the intercept.
    loglik : float
    """

    labels: tuple[str, ...]
    codes: np.ndarray
    probability: np.ndarray
    coef: np.ndarray
    columns: tuple[Column, ...]
    loglik: float

    @property
    def own(self) -> np.ndarray:
        """Chance of the group that each patient was in, shape (n,)."""
        return self.probability[np.arange(len(self.codes)), self.codes]


def propensity(covariates: Covariates, codes: np.ndarray, labels: Sequence[str]) -> Propensity:
    """Propensity scores by logistic regression; with more than two groups, by multinomial regression.

    One multinomial model instead of one logistic model per pair gives every patient one weight, so that all groups
    are made comparable with the same population and can stand in one figure.

    Parameters
    ----------
    covariates : Covariates
        n complete cases.
    codes : int array, shape (n,)
        Group of each, a position in ``labels``.
    labels : sequence of str

    Returns
    -------
    Propensity

    Raises
    ------
    Fixable
        If a group has fewer than two complete cases, there are as many coefficients as patients in the smallest
        group, or a variable tells the groups apart completely (named).

    References
    ----------
    Rosenbaum & Rubin (1983), Biometrika 70:41-55; Imbens (2000), Biometrika 87:706-710 (more than two groups).
    R: ``glm(treated ~ ..., family = binomial)``; ``nnet::multinom``.
    """
    labels = tuple(labels)
    counts = np.bincount(codes, minlength=len(labels))
    _check_sizes(counts, labels, covariates)
    if len(labels) == 2:
        fit = logistic(covariates.x, codes == 1)
        probability, coef = np.column_stack((1 - fit.fitted, fit.fitted)), fit.coef[None, :]
    else:
        fit = multinomial(covariates.x, codes, len(labels))
        probability, coef = fit.fitted, fit.coef
    if fit.separated:
        raise _separation(covariates, codes, labels, fit.moved)
    return Propensity(labels, codes, probability, coef, covariates.columns, fit.loglik)


def _check_sizes(counts: np.ndarray, labels: tuple[str, ...], covariates: Covariates) -> None:
    if len(labels) < 2:
        raise Fixable("Nothing to adjust.", "There is only one group.", "Choose a grouping with at least two groups.")
    smallest = int(counts.argmin())
    lost = f" after {covariates.dropped} with a missing covariate were left out" if covariates.dropped else ""
    if counts[smallest] < FEWEST:
        raise Fixable(
            f"“{labels[smallest]}” is too small to be adjusted.",
            f"It has {counts[smallest]} of {counts.sum()} patients{lost}.",
            "Merge it with another group, or leave out covariates that are often missing.",
        )
    if counts[smallest] <= len(covariates.columns):
        raise Fixable(
            f"“{labels[smallest]}” is too small for so many covariates.",
            f"It has {counts[smallest]} patients{lost}; the covariates need {len(covariates.columns)} coefficients.",
            "Choose fewer covariates, or merge rare levels.",
        )


def _separation(covariates: Covariates, codes: np.ndarray, labels: tuple[str, ...], moved: np.ndarray) -> Fixable:
    """Which variable tells the groups apart: one that does so alone if there is one, else those that run away."""
    running = [int(j) for j in np.argsort(-moved, kind="stable") if moved[j] > STILL_MOVING]
    for j in running:
        column = covariates.columns[j]
        if column.level is not None:
            told = _one_sided_level(covariates, codes, labels, column)
        else:
            told = _apart(covariates.x[:, j], codes)
        if told:
            return Fixable(
                f"No overlap in “{column.variable.label}”.",
                told,
                "Merge the level with another, leave the variable out, or filter to patients who could have been in "
                "either group.",
            )
    names = list(dict.fromkeys(f"“{covariates.columns[j].variable.label}”" for j in running))[:3]
    return Fixable(
        "The groups do not overlap.",
        f"Together, the covariates tell exactly who was in which group; look at {either(names)} first.",
        "Leave one of them out, or filter to patients who could have been in either group.",
    )


def _one_sided_level(covariates: Covariates, codes: np.ndarray, labels: tuple[str, ...], column: Column) -> str:
    """A level of the variable, the reference included, that some group lacks."""
    for j, mark in enumerate(covariates.plain_columns):
        if mark.variable.name != column.variable.name:
            continue
        inside = np.bincount(codes[covariates.plain[:, j] == 1], minlength=len(labels))
        lacking = np.flatnonzero(inside == 0)
        if len(lacking):
            level = mark.variable.label_of(mark.level)
            if inside.sum() == 1:
                return f"The only patient with “{level}” is not in “{labels[lacking[0]]}”."
            return f"None of the {inside.sum()} patients with “{level}” is in “{labels[lacking[0]]}”."
    return ""


def _apart(values: np.ndarray, codes: np.ndarray) -> str:
    """Whether the values of two groups do not meet, or only touch."""
    groups = [values[codes == code] for code in np.unique(codes)]
    for i, one in enumerate(groups):
        for other in groups[i + 1 :]:
            if one.min() >= other.max() or other.min() >= one.max():
                return "All of its values in one group lie on one side of those in another."
    return ""
