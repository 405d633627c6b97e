"""Values against values in a forest plot: of a curve, no part of which says anything, and where no patient doubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from bedside.cohort import Cohort
from bedside.regression.design import Design
from bedside.regression.forest import ForestRow, Ratios
from bedside.regression.splines import spline_basis
from bedside.regression.terms import Log, Spline


class Covaried(Ratios, Protocol):
    """A fitted model with the covariance of its coefficients."""

    @property
    def variance(self) -> np.ndarray: ...


def curves_as_quartiles(
    cohort: Cohort, made: Design, fit: Covaried, rows: Sequence[ForestRow], *, level: float = 0.95
) -> tuple[ForestRow, ...]:
    """The rows of a forest plot, with one row in place of the parts of each restricted cubic spline.

    The row compares the upper with the lower quartile of the variable; the term's p is that of the whole curve. So
    does the row of a logarithm whose step reaches further than from the 5th to the 95th percentile: a ratio for twice
    the value would be that of two patients of whom there are hardly any.

    Parameters
    ----------
    cohort : Cohort
    made : Design
        What the rows were made of.
    fit : CoxFit, FineGray or PooledCox
    rows : sequence of ForestRow
    level : float, default 0.95

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, section 5.1. R: ``summary(rms::cph(...))``.
    """
    contrasts = {made.data.terms[each.term]: each for each in quartile_contrasts(cohort, made)}
    found: list[ForestRow] = []
    for row in rows:
        contrast = contrasts.get(row.term)
        if contrast is None or row.note:
            found.append(row)
        elif not any(each.term == row.term for each in found):
            one = len(contrast.weights) == 1
            found.append(_powered(row, contrast) if one else _between(fit, contrast, row, level))
    return tuple(found)


@dataclass(frozen=True)
class Contrast:
    """What stands in a forest plot in place of a term's columns.

    Attributes
    ----------
    term : int
        Index into the terms.
    label : str
        What is compared: ``"Age, 61 against 46 years"``.
    weights : tuple of float
        How many of each of the term's columns; all 0 where both quartiles are one value.
    """

    term: int
    label: str
    weights: tuple[float, ...]


def quartile_contrasts(cohort: Cohort, made: Design) -> tuple[Contrast, ...]:
    """The terms of a design that are shown as their upper against their lower quartile, and how."""
    found = []
    for index, term in enumerate(made.terms):
        curved = isinstance(term, Spline) and not isinstance(term.knots, int)
        if not curved and not isinstance(term, Log):
            continue
        values = made.data.x[:, made.data.columns_of(index)[0]]
        low, high = (float(v) for v in np.quantile(values, (0.25, 0.75)))
        variable = cohort.variable(term.column)
        if curved:
            weights = np.subtract(*spline_basis(np.array([high, low]), term.knots))
            said = variable.say(high), variable.say(low)
        elif _is_steep(values):
            weights = np.array([high - low])
            said = variable.say(float(term.base**high)), variable.say(float(term.base**low))
        else:
            continue
        label = f"{made.data.terms[index]}, {' against '.join(said)}"
        found.append(Contrast(index, label, tuple(weights.tolist())))
    return tuple(found)


def _is_steep(values: np.ndarray) -> bool:
    """Whether a step of the logarithm is more than nine tenths of patients span, and quartiles differ."""
    low, lower, upper, high = np.quantile(values, (0.05, 0.25, 0.75, 0.95))
    return bool(high - low < 1 and upper > lower)


def _powered(row: ForestRow, contrast: Contrast) -> ForestRow:
    """The ratio of several steps of one coefficient, whose p is that of one step."""
    with np.errstate(over="ignore"):
        ratio, lower, upper = (float(v ** contrast.weights[0]) for v in (row.hr, row.lower, row.upper))
    return replace(row, label=contrast.label, hr=ratio, lower=lower, upper=upper)


def _between(fit: Covaried, contrast: Contrast, row: ForestRow, level: float) -> ForestRow:
    columns = fit.data.columns_of(row.term) if row.term in fit.data.terms else []
    if len(columns) != len(contrast.weights) or not any(contrast.weights):
        nan = float("nan")
        return replace(row, label=contrast.label, hr=nan, lower=nan, upper=nan, p=nan, note="Shown as a curve below.")
    apart = np.array(contrast.weights)
    log = float(apart @ fit.coef[columns])
    error = float(np.sqrt(apart @ fit.variance[np.ix_(columns, columns)] @ apart))
    reach = float(ndtri((1 + level) / 2)) * error
    with np.errstate(over="ignore"):
        ratio, lower, upper = (float(v) for v in np.exp([log, log - reach, log + reach]))
    return replace(row, label=contrast.label, hr=ratio, lower=lower, upper=upper, p=float(2 * ndtr(-abs(log / error))))
