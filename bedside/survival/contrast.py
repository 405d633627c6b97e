"""Two independent estimates compared: difference and ratio, with interval and p."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import erfc, ndtri

from bedside.errors import Fixable


class Effect(NamedTuple):
    """A comparison of two groups; NaN where it cannot be made.

    ``std_err`` is that of the difference, or of the logarithm of the ratio.
    """

    estimate: float
    lower: float
    upper: float
    p: float
    std_err: float


def difference_of(a: float, b: float, se_a: float, se_b: float, level: float) -> Effect:
    """b - a of independent groups, normal interval; p of no difference, two-sided.

    Parameters
    ----------
    a, b : float
        Estimates in the reference group and in the other.
    se_a, se_b : float
        Their standard errors.
    level : float
        Coverage of the interval.

    Returns
    -------
    Effect
    """
    gap, spread = b - a, float(np.hypot(se_a, se_b))
    reach = half_width(level) * spread
    return Effect(gap, gap - reach, gap + reach, two_sided(gap, spread), spread)


def ratio_of(a: float, b: float, se_a: float, se_b: float, level: float) -> Effect:
    """b / a of independent groups, interval and p on the logarithmic scale.

    Parameters
    ----------
    a, b : float
        Estimates in the reference group and in the other, above 0.
    se_a, se_b : float
        Standard errors of the estimates themselves, not of their logarithms.
    level : float
        Coverage of the interval.

    Returns
    -------
    Effect
        NaN where one of the two is not above 0.
    """
    if not (a > 0 and b > 0):
        return Effect(*[float("nan")] * 5)
    gap, spread = float(np.log(b / a)), float(np.hypot(se_a / a, se_b / b))
    reach = half_width(level) * spread
    lower, estimate, upper = np.exp([gap - reach, gap, gap + reach])
    return Effect(float(estimate), float(lower), float(upper), two_sided(gap, spread), spread)


def half_width(level: float) -> float:
    """Standard errors on either side that cover a share of a normal distribution.

    Raises
    ------
    Fixable
        If the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise Fixable("No interval.", "The level must lie between 0 and 1.", "Choose a level such as 0.95.")
    return float(ndtri((1 + level) / 2))


def two_sided(gap: float, spread: float) -> float:
    """Chance of so large a gap if there were none; NaN without any spread."""
    return float(erfc(abs(gap) / spread / np.sqrt(2))) if spread > 0 else float("nan")


def place_of(labels: tuple[str, ...], reference: str | None) -> int:
    """Place of the reference group among the groups, the first by default.

    Raises
    ------
    Fixable
        If no group has that label.
    """
    if reference is None:
        return 0
    if reference not in labels:
        raise Fixable(
            "No comparison.", "The reference group has no patients here.", "Choose one of the groups that are shown."
        )
    return labels.index(reference)
