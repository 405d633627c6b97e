"""Restricted cubic splines: smooth inside the knots, straight outside."""

from __future__ import annotations

import numpy as np

QUANTILES = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}
"""Where Harrell puts the knots."""


def spline_knots(values: np.ndarray, count: int) -> tuple[float, ...]:
    """Knots at Harrell's quantiles; fewer where quantiles coincide.

    Parameters
    ----------
    values : array
        Missing ones are left out.
    count : int
        3 to 7.

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, table 2.3.
    """
    if count not in QUANTILES:
        raise ValueError("a restricted cubic spline has 3 to 7 knots")
    known = values[np.isfinite(values)]
    if not len(known):
        return ()
    return tuple(float(k) for k in np.unique(np.quantile(known, QUANTILES[count])))


def spline_basis(values: np.ndarray, knots: tuple[float, ...]) -> np.ndarray:
    """The basis of a restricted cubic spline, the straight line first.

    Parameters
    ----------
    values : array, shape (n,)
        In the variable's unit.
    knots : tuple of float
        At least 3, ascending.

    Returns
    -------
    array, shape (n, number of knots - 1)
        Cubic columns are divided by the squared distance of the outer knots, so that all are in the unit of `values`.

    References
    ----------
    Stone & Koo (1985). R: ``Hmisc::rcspline.eval(x, knots, norm = 2, inclx = TRUE)``.
    """
    k = np.asarray(knots, dtype=float)
    if len(k) < 3 or (np.diff(k) <= 0).any():
        raise ValueError("a restricted cubic spline needs at least 3 ascending knots")
    x = np.asarray(values, dtype=float)

    def cube(knot: float) -> np.ndarray:
        return np.maximum(x - knot, 0.0) ** 3

    before, last = k[-2], k[-1]
    parts = [
        cube(knot) - cube(before) * (last - knot) / (last - before) + cube(last) * (before - knot) / (last - before)
        for knot in k[:-2]
    ]
    return np.column_stack([x, *(part / (last - k[0]) ** 2 for part in parts)])
