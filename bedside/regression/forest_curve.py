"""Values against values in a forest plot: of a curve, no part of which says anything, and where no patient doubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

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
    curved = {
        name: term
        for name, term in zip(made.data.terms, made.terms, strict=True)
        if isinstance(term, Spline) and not isinstance(term.knots, int)
    }
    steep = {
        name: term
        for name, term in zip(made.data.terms, made.terms, strict=True)
        if isinstance(term, Log) and _is_steep(made.data.x[:, made.data.columns_of(name)[0]])
    }
    found: list[ForestRow] = []
    for row in rows:
        term = curved.get(row.term)
        if row.term in steep and not row.note:
            found.append(_quarter(cohort, made, steep[row.term], row))
        elif term is None or row.note:
            found.append(row)
        elif not any(each.term == row.term for each in found):
            found.append(_between_quartiles(cohort, made, fit, term, row, level))
    return tuple(found)


def _is_steep(values: np.ndarray) -> bool:
    """Whether a step of the logarithm is more than nine tenths of patients span, and quartiles differ."""
    low, lower, upper, high = np.quantile(values, (0.05, 0.25, 0.75, 0.95))
    return bool(high - low < 1 and upper > lower)


def _quarter(cohort: Cohort, made: Design, term: Log, row: ForestRow) -> ForestRow:
    """The ratio of the upper against the lower quartile; p stays, being that of the same coefficient."""
    variable = cohort.variable(term.column)
    low, high = np.quantile(made.data.x[:, made.data.columns_of(row.term)[0]], (0.25, 0.75))
    with np.errstate(over="ignore"):
        ratio, lower, upper = (float(v ** (high - low)) for v in (row.hr, row.lower, row.upper))
    values = (variable.say(float(term.base**v)) for v in (high, low))
    return replace(row, label=f"{row.term}, {' against '.join(values)}", hr=ratio, lower=lower, upper=upper)


def _between_quartiles(
    cohort: Cohort, made: Design, fit: Covaried, term: Spline, row: ForestRow, level: float
) -> ForestRow:
    variable = cohort.variable(term.column)
    values = made.data.x[:, made.data.columns_of(row.term)[0]]
    low, high = (float(v) for v in np.quantile(values, (0.25, 0.75)))
    label = f"{row.term}, {variable.say(high)} against {variable.say(low)}"
    columns = fit.data.columns_of(row.term) if row.term in fit.data.terms else []
    if len(columns) != len(term.knots) - 1 or low == high:  # type: ignore[arg-type]
        nan = float("nan")
        return replace(row, label=label, hr=nan, lower=nan, upper=nan, p=nan, note="Shown as a curve below.")
    apart = np.subtract(*spline_basis(np.array([high, low]), term.knots))  # type: ignore[arg-type]
    log = float(apart @ fit.coef[columns])
    error = float(np.sqrt(apart @ fit.variance[np.ix_(columns, columns)] @ apart))
    reach = float(ndtri((1 + level) / 2)) * error
    with np.errstate(over="ignore"):
        ratio, lower, upper = (float(v) for v in np.exp([log, log - reach, log + reach]))
    return replace(row, label=label, hr=ratio, lower=lower, upper=upper, p=float(2 * norm.sf(abs(log / error))))
