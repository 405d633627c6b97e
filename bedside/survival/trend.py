"""Does the hazard rise or fall along ordered groups? The trend test of the log-rank family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from bedside.errors import Fixable
from bedside.survival.compare import GroupTest, weighted_test
from bedside.survival.weighted import Weighting


@dataclass(frozen=True, eq=False)
class TrendTest:
    """A test for trend along ordered groups.

    Attributes
    ----------
    name : str
        Name of the test, for the page.
    scores : array, shape (n_groups,)
        Where each group stands on the line.
    z : float
        Standard normal statistic; above 0 where groups of higher score have more events than expected.
    statistic, df, p : float, int, float
        z squared, 1, and the two-sided p-value.
    gradient, variance : float
        Sum of score x (observed - expected), and its variance.
    groups : GroupTest
        The comparison it was made of, which asks for any difference.
    """

    name: str
    scores: np.ndarray
    z: float
    statistic: float
    df: int
    p: float
    gradient: float
    variance: float
    groups: GroupTest


def trend_test(
    time: ArrayLike,
    event: ArrayLike,
    codes: ArrayLike,
    *,
    scores: ArrayLike | None = None,
    weighting: Weighting = "log-rank",
    p: float = 0.0,
    q: float = 0.0,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> TrendTest:
    """Test for a hazard that rises, or falls, from group to group.

    Parameters
    ----------
    time, event, codes, strata, entry : array-like, shape (n_patients,)
        As in `log_rank`; codes in the order of the groups.
    scores : array-like, shape (at least the largest code + 1,), optional
        Where each group stands; 1, 2, 3, ... by default. Only their spacing matters.
    weighting, p, q
        As in `weigh_by`.

    Returns
    -------
    TrendTest

    Raises
    ------
    Fixable
        As `log_rank`, or if the scores do not tell the groups apart.

    References
    ----------
    Tarone (1975), Biometrika 62:679-682; Klein & Moeschberger (2003), section 7.4.
    R: ``survMisc::comp(ten(...), scores = )``, whose Q has the opposite sign.
    """
    test = weighted_test(time, event, codes, weighting=weighting, p=p, q=q, strata=strata, entry=entry)
    return trend_of(test, scores=scores)


def trend_of(test: GroupTest, *, scores: ArrayLike | None = None) -> TrendTest:
    """The trend test from a comparison of the same groups, as `trend_test`."""
    line = _scores(test, scores)
    # Nothing but differences between groups counts: centred, no large score drowns them.
    line_centred = line - line.mean()
    gradient = float(line_centred @ test.excess)
    variance = float(line_centred @ test.variance @ line_centred)
    if variance <= np.finfo(float).eps * float(np.diag(test.variance) @ line_centred**2):
        raise Fixable(
            "No test for trend.",
            "Groups of different score had no patients at risk beside each other at the times of the events.",
            "Give the groups different scores, or choose another grouping.",
        )
    z = gradient / np.sqrt(variance)
    name = f"{test.name} for trend"
    return TrendTest(name, line, float(z), float(z * z), 1, float(2 * ndtr(-abs(z))), gradient, variance, test)


def _scores(test: GroupTest, scores: ArrayLike | None) -> np.ndarray:
    if scores is None:
        return test.codes.astype(float) + 1
    try:
        line = np.asarray(scores, dtype=float)[test.codes]
    except (TypeError, ValueError, IndexError) as error:
        raise Fixable(
            "No test for trend.", "There is not one number for each group.", "Give every group a score."
        ) from error
    if not np.isfinite(line).all():
        raise Fixable("No test for trend.", "A score is not a number.", "Give every group a score.")
    return line
