"""Fit and contributions agree with lifelines and shap on cohorts that differ in size, ties and missing values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bedside.explain import against_shap, background
from bedside.risk import against_lifelines, fit


@pytest.mark.parametrize(("name", "bound"), [("gbsg2_breast", 1e-5), ("pbc_liver", 1e-5), ("lung_ncctg", 1e-5)])
def test_lifelines_finds_the_same_model(sample, name, bound):
    cohort = sample(name)
    model = fit(cohort, cohort.outcomes[0])
    assert against_lifelines(model, cohort) < bound


def test_a_wrong_coefficient_would_be_seen(gbsg2):
    model = fit(gbsg2, gbsg2.outcomes[0])
    wrong = model.coef.copy()
    wrong[0] += 0.01
    assert against_lifelines(replace(model, coef=wrong), gbsg2) == pytest.approx(
        0.01 * gbsg2.frame["age"].std(), rel=1e-3
    )


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # matplotlib, imported by shap
def test_shap_finds_the_same_contributions(gbsg2):
    model = fit(gbsg2, gbsg2.outcomes[0])
    compared = against_shap(model, gbsg2.frame.iloc[:3], background(model, gbsg2), 1461.0)
    assert compared is not None and compared < 1e-9


def test_beyond_exact_reach_nothing_is_claimed(sample):
    cohort = sample("nhefs_prevention")
    model = fit(cohort, cohort.outcomes[0])
    assert len(model.variables) > 14
    assert against_shap(model, cohort.frame.iloc[:1], background(model, cohort), 60.0) is None
    assert np.isfinite(model.coef).all()
