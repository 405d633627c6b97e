"""In what two groups differ most before anything is compared."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.cohort.balance import largest_imbalance
from bedside.cohort.groups import Grouping, group_by


def test_the_largest_standardised_difference_is_found(sample):
    nhefs = sample("nhefs_prevention")
    grouping = group_by(nhefs, nhefs.treatment.column)
    found = largest_imbalance(nhefs, grouping)
    assert found is not None
    # By hand: (mean - mean) / sqrt((var + var) / 2) of each continuous predictor, the largest of them.
    a, b = (nhefs.frame[grouping.codes == code] for code in (0, 1))
    by_hand = {
        v.name: abs(a[v.name].mean() - b[v.name].mean()) / np.sqrt((a[v.name].var() + b[v.name].var()) / 2)
        for v in nhefs.predictors
        if v.is_numeric and "1982" not in v.name  # weight in 1982 is a consequence of having stopped
    }
    assert found.variable.name == max(by_hand, key=by_hand.get)
    assert found.difference == pytest.approx(by_hand[found.variable.name], rel=1e-12)
    assert (found.first, found.second) == (a[found.variable.name].median(), b[found.variable.name].median())


def test_groups_too_small_to_compare_give_nothing(gbsg2):
    codes = np.zeros(len(gbsg2), dtype=int)
    codes[0] = 1
    assert largest_imbalance(gbsg2, Grouping(("a", "b"), codes, 0, "x")) is None
