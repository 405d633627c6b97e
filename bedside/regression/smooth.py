"""Smooth curves for a continuous variable: its hazard ratio along its range, and what residuals say of its form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

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
    df : int
        Columns of the spline, the intercept among them; at least 2.
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
    if len(np.unique(x)) < df:
        return Smooth(*(np.zeros(0) for _ in range(4)))
    grid = np.linspace(x.min(), x.max(), points)
    both = np.concatenate((grid, x))
    basis = _natural_columns(both, np.quantile(both, np.linspace(0, 1, df)))
    q, r = np.linalg.qr(basis[points:])
    if np.linalg.matrix_rank(r) < df:
        return Smooth(*(np.zeros(0) for _ in range(4)))
    at = np.linalg.solve(r.T, basis[:points].T).T
    curve = at @ (q.T @ y)
    reach = ndtri((1 + level) / 2) * spread * np.sqrt((at**2).sum(axis=1))
    return Smooth(grid, curve, curve - reach, curve + reach)


def _natural_columns(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """A basis of the natural cubic splines with these knots (first and last are the boundaries), shape (n, k)."""
    low, width = knots[0], knots[-1] - knots[0]
    x, knots = (x - low) / width, (knots - low) / width
    cubes = np.maximum(x[:, None] - knots, 0.0) ** 3
    slope = (cubes[:, :-1] - cubes[:, -1:]) / (knots[-1] - knots[:-1])
    return np.column_stack([np.ones(len(x)), x, slope[:, :-1] - slope[:, -1:]])
