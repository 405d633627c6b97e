"""In what two groups differ before anything is compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bedside.cohort.cohort import Cohort
from bedside.cohort.groups import Grouping
from bedside.cohort.table_by import bound_to
from bedside.cohort.variable import Variable


class Imbalance(NamedTuple):
    """A continuous variable with its medians in two groups, and how far they lie apart."""

    variable: Variable
    difference: float
    first: float
    second: float


def largest_imbalance(cohort: Cohort, grouping: Grouping) -> Imbalance | None:
    """The continuous predictor in which the first two groups differ most at time zero.

    Parameters
    ----------
    cohort : Cohort
        The patients that were grouped.
    grouping : Grouping
        At least two groups; others than the first two are not looked at. What is known only after they were formed
        is left out.

    Returns
    -------
    Imbalance or None
        With the absolute standardised mean difference, (m1 - m2) over the root of the mean of both variances;
        None if no continuous predictor can be compared.

    References
    ----------
    Austin (2009), Stat Med 28:3083-3107.
    """
    found, without = [], bound_to(cohort, grouping)
    for variable in cohort.predictors:
        if not variable.is_numeric or variable.name in without:
            continue
        values = cohort.frame[variable.name].to_numpy(dtype=float)
        a, b = (values[(grouping.codes == code) & ~np.isnan(values)] for code in (0, 1))
        if len(a) < 2 or len(b) < 2:
            continue
        spread = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
        if spread > 0:
            apart = float(abs(a.mean() - b.mean()) / spread)
            found.append(Imbalance(variable, apart, float(np.median(a)), float(np.median(b))))
    return max(found, key=lambda one: one.difference, default=None)
