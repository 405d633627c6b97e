"""Smooth curves for a continuous variable: its hazard ratio along its range, and what residuals say of its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.model import ChiTest, CoxFit, chi_test
from bedside.regression.residuals import martingale_residuals
from bedside.regression.splines import spline_basis

SMOOTH_POINTS = 40


@dataclass(frozen=True, eq=False)
class Smooth:
    """A curve through points with a pointwise band; arrays of shape (m,)."""

    x: np.ndarray
    y: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def natural_spline(
    x: np.ndarray, y: np.ndarray, *, df: int, spread: float, level: float, points: int = SMOOTH_POINTS
) -> Smooth:
    """Least squares through points by a natural cubic spline, its knots at quantiles.

    Parameters
    ----------
    x, y : arrays, shape (n,)
        Points without a y still have a say in where the knots are and how far the curve goes.
    df : int
        Columns of the spline, the intercept among them; at least 3.
    spread : float
        Standard deviation of `y` about the curve.
    level : float
        Coverage of the band.
    points : int, default 40
        Evenly spaced points at which the curve is given.

    Returns
    -------
    Smooth
        Empty where there are fewer distinct x than columns.

    References
    ----------
    R: ``plot.cox.zph``, which asks ``splines::ns(c(points, x), df = , intercept = TRUE)``.
    """
    known, nothing = ~np.isnan(y), Smooth(*(np.zeros(0) for _ in range(4)))
    if len(np.unique(x[known])) < df:
        return nothing
    grid = np.linspace(x.min(), x.max(), points)
    both = np.concatenate((grid, x))
    knots = np.unique(np.quantile(both, np.linspace(0, 1, df)))
    if len(knots) < df:
        return nothing
    low, width = knots[0], knots[-1] - knots[0]
    basis = np.column_stack((np.ones(len(both)), spline_basis((both - low) / width, tuple((knots - low) / width))))
    q, r = np.linalg.qr(basis[points:][known])
    if np.linalg.matrix_rank(r) < df:
        return nothing
    at = np.linalg.solve(r.T, basis[:points].T).T
    curve = at @ (q.T @ y[known])
    reach = ndtri((1 + level) / 2) * spread * np.sqrt((at**2).sum(axis=1))
    return Smooth(grid, curve, curve - reach, curve + reach)


@dataclass(frozen=True, eq=False)
class HazardRatioCurve:
    """Hazard ratio along a continuous variable, against one value of it.

    Attributes
    ----------
    value : array, shape (m,)
        Ascending, in the variable's unit.
    hazard_ratio, lower, upper : arrays, shape (m,)
        Against a patient alike in all else; exactly 1 at `reference`.
    reference : float
    level : float
        Pointwise coverage.
    n, n_events : int
        Rows and events of the fit.
    """

    value: np.ndarray
    hazard_ratio: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    reference: float
    level: float
    n: int
    n_events: int


def hazard_ratio_curve(
    fit: CoxFit,
    columns: Sequence[int],
    basis: Callable[[np.ndarray], np.ndarray],
    *,
    values: np.ndarray,
    reference: float,
    level: float = 0.95,
) -> HazardRatioCurve:
    """The hazard ratio that a variable's columns (a spline's, a polynomial's) amount to, along its range.

    Parameters
    ----------
    fit : CoxFit
    columns : sequence of int
        The variable's columns in the fit.
    basis : callable
        Values of the variable, shape (m,), to these columns, shape (m, len(columns)).
    values : array, shape (m,)
        Where the curve is wanted.
    reference : float
        The value with a hazard ratio of 1.
    level : float, default 0.95

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, section 2.4. R: ``predict(fit, type = "terms", se = TRUE)``,
    less the row of the reference value.
    """
    columns = list(columns)
    value = np.sort(np.asarray(values, dtype=float))
    away = basis(value) - basis(np.array([reference]))
    log = away @ fit.coef[columns]
    inner = fit.variance[np.ix_(columns, columns)]
    reach = ndtri((1 + level) / 2) * np.sqrt(np.maximum(((away @ inner) * away).sum(axis=1), 0.0))
    with np.errstate(over="ignore"):
        ratio, lower, upper = np.exp(log), np.exp(log - reach), np.exp(log + reach)
    return HazardRatioCurve(value, ratio, lower, upper, float(reference), level, fit.n, fit.n_events)


@dataclass(frozen=True)
class Nonlinearity:
    """Tests that a variable's log hazard ratio is a straight line.

    Attributes
    ----------
    wald : ChiTest
        From the fit's variance, robust where that is.
    likelihood_ratio : ChiTest
        Against the fit with the variable itself in place of its columns; with a ridge both are held back by it, and
        it is only approximate.
    """

    wald: ChiTest
    likelihood_ratio: ChiTest


def nonlinearity(fit: CoxFit, columns: Sequence[int], values: np.ndarray) -> Nonlinearity:
    """Is the log hazard ratio of a variable a straight line?

    Parameters
    ----------
    fit : CoxFit
    columns : sequence of int
        The variable's columns in the fit, whatever their basis; a straight line must be among what they can form.
    values : array, shape (n,)
        The variable in each row of the fit.

    Raises
    ------
    Fixable
        If the columns can form nothing but straight lines.

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, section 2.4. R: ``anova(rms::cph(...))`` (Wald), and
    ``anova(coxph(~ x), coxph(~ ns(x)))`` (likelihood ratio).
    """
    columns = list(columns)
    x = fit.data.x[:, columns]
    size = np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=0))
    line = np.linalg.qr(np.column_stack((np.ones(len(x)), values - values.mean())))[0]
    bent = x / size
    bent = bent - line @ (line.T @ bent)
    _, strength, along = np.linalg.svd(bent, full_matrices=False)
    along = along[strength > 1e-7]
    if not len(along):
        raise Fixable(
            "No test of a curved relation.",
            "The variable is in the model as a straight line.",
            "Choose a spline for it.",
        )
    # Columns divided by `size` have coefficients times it.
    bend = along @ (fit.coef[columns] * size)
    inner = along @ (fit.variance[np.ix_(columns, columns)] * np.outer(size, size)) @ along.T
    wald = chi_test(float(bend @ np.linalg.solve(inner, bend)), len(along))
    others = [j for j in range(len(fit.coef)) if j not in columns]
    straight = replace(
        fit.data,
        x=np.column_stack((fit.data.x[:, others], values)),
        names=(*(fit.data.names[j] for j in others), "straight"),
        assign=tuple(range(len(others) + 1)),
        terms=(*(fit.data.names[j] for j in others), "straight"),
    )
    held = None if fit.ridge is None else replace(fit.ridge, columns=None, variances=None)
    plain = fit_cox(straight, ties=fit.ties, robust=False, ridge=held)
    return Nonlinearity(wald, chi_test(2 * (fit.loglik - plain.loglik), len(along)))


def lowess(x: np.ndarray, y: np.ndarray, *, share: float = 2 / 3, iterations: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Locally weighted straight lines, with outliers weighted down.

    Parameters
    ----------
    x, y : arrays, shape (n,)
        At least 2, finite.
    share : float, default 2/3
        Share of the points that each line looks at.
    iterations : int, default 3
        Rounds of weighting outliers down.

    Returns
    -------
    x, y : arrays, shape (n,)
        `x` ascending, and the curve there. Lines are fitted about a hundredth of the range apart and joined.

    References
    ----------
    Cleveland (1979), JASA 74:829-836. R: ``lowess(x, y, f = , iter = )``.
    """
    order = np.argsort(x, kind="stable")
    x, y = np.asarray(x, dtype=float)[order], np.asarray(y, dtype=float)[order]
    n = len(x)
    width = max(2, min(n, int(share * n + 1e-7)))
    stops = _stops(x, 0.01 * (x[-1] - x[0]))
    left = np.searchsorted(x[: n - width] + x[width:], 2 * x[stops]) if width < n else np.zeros(len(stops), dtype=int)
    windows = [_window(x, i, first, first + width - 1) for i, first in zip(stops, left, strict=True)]
    doubt = np.ones(n)
    for turn in range(iterations + 1):
        at = [_line(x, y, i, *window, doubt) for i, window in zip(stops, windows, strict=True)]
        curve = np.interp(x, x[stops], at)
        off = np.abs(y - curve)
        six_mads = 6 * np.median(off)
        if turn == iterations or six_mads <= 1e-7 * off.mean():
            break
        ratio = off / six_mads
        doubt = np.where(ratio <= 0.001, 1.0, np.where(ratio <= 0.999, (1 - ratio**2) ** 2, 0.0))
    return x, curve


def _stops(x: np.ndarray, gap: float) -> list[int]:
    """Places where a line is fitted: the furthest within a gap of the last, or the next distinct value."""
    stops = [0]
    while (last := int(np.searchsorted(x, x[stops[-1]], side="right")) - 1) < len(x) - 1:
        stops.append(max(last + 1, int(np.searchsorted(x, x[stops[-1]] + gap, side="right")) - 1))
    return stops


def _window(x: np.ndarray, i: int, left: int, right: int) -> tuple[slice, np.ndarray]:
    """The points that the line at x[i] looks at, and their weight by nearness."""
    reach = max(x[i] - x[left], x[right] - x[i])
    seen = slice(left, int(np.searchsorted(x, x[i] + 0.999 * reach, side="right")))
    near = np.abs(x[seen] - x[i])
    share = near / reach if reach > 0 else near
    weight = np.where(share <= 0.001, 1.0, (1 - share**3) ** 3)
    weight[share > 0.999] = 0.0
    return seen, weight


def _line(x: np.ndarray, y: np.ndarray, i: int, seen: slice, near: np.ndarray, doubt: np.ndarray) -> float:
    """Value at x[i] of the line through the points that are seen; y[i] if none has weight."""
    weight = near * doubt[seen]
    total = weight.sum()
    if total <= 0:
        return float(y[i])
    weight /= total
    middle = weight @ x[seen]
    away = x[seen] - middle
    spread = weight @ away**2
    if np.sqrt(spread) > 0.001 * (x[-1] - x[0]):
        weight *= 1 + (x[i] - middle) * away / spread
    return float(weight @ y[seen])


@dataclass(frozen=True, eq=False)
class FunctionalForm:
    """Martingale residuals along a continuous variable: their smooth shows the shape the model misses.

    Attributes
    ----------
    value, residual : arrays, shape (n,)
        The variable and the residual of each row in which it is known.
    smooth_value, smooth : arrays, shape (m,)
        The lowess through them at each distinct value.
    """

    value: np.ndarray
    residual: np.ndarray
    smooth_value: np.ndarray
    smooth: np.ndarray


def functional_form(fit: CoxFit, values: np.ndarray, *, share: float = 2 / 3) -> FunctionalForm:
    """What a variable that is not in the fit, or is there as a line, still has to say.

    Parameters
    ----------
    fit : CoxFit
    values : array, shape (n,)
        The variable in each row of the fit; NaN where missing.
    share : float, default 2/3
        Share of the points that each local line looks at.

    Raises
    ------
    Fixable
        If the variable has fewer than 2 distinct values.

    References
    ----------
    Therneau, Grambsch & Fleming (1990), Biometrika 77:147-160. R:
    ``lowess(x, residuals(fit, "martingale"))``.
    """
    known = np.isfinite(values)
    value, residual = np.asarray(values, dtype=float)[known], martingale_residuals(fit)[known]
    if len(np.unique(value)) < 2:
        raise Fixable(
            "No curve through the residuals.",
            "The variable has the same value in every row, or none.",
            "Choose a variable with at least two different values.",
        )
    x, y = lowess(value, residual, share=share)
    distinct = np.unique(x, return_index=True)[1]
    return FunctionalForm(value, residual, x[distinct], y[distinct])
