"""What a model of one event among others warns of: its events, those of the other models, and what it leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_risk_competing import competing

from bedside.report.model_card import model_card
from bedside.risk.cause_specific_fit import NO_INTERVAL
from bedside.risk.learners import learn
from bedside.risk.training import training


@pytest.fixture(scope="module")
def cohort():
    """60 relapses and 14 deaths for 8 columns, one of them missing in most patients, one without any death above 0."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({f"v{k}": rng.normal(size=400).round(3) for k in range(7)})
    frame["time"], frame["cause"] = rng.uniform(1, 100, 400).round(2), rng.permutation([1] * 60 + [2] * 14 + [0] * 326)
    frame["only"] = np.where(frame.cause == 2, 0, rng.integers(0, 2, 400))
    frame.loc[rng.random(400) < 0.6, "v0"] = np.nan
    return competing(frame, " ".join([f"v{k}" for k in range(7)] + ["only"]), time="time", cause="cause")


def test_the_size_of_the_competing_model_is_told_and_is_on_the_card(cohort):
    rows = training(cohort, "relapse", target="event")
    model = learn("cox", rows, {"knots": 0})
    assert model.events == (60, 14) and len(model.design.terms) == 8
    first = next(c for c in model.cautions if c.startswith("60 events"))
    assert "8 coefficients are 7.5 for each" in first
    second = next(c for c in model.cautions if "second model" in c)
    assert "competing “Death”: 14 events for 8 coefficients are 1.8 for each" in second
    assert second in model_card(model, cohort).limits
    alone = learn("cox", training(cohort, "relapse", variables=["v1"], target="event"), {"knots": 0})
    assert alone.cautions == ()


def test_a_coefficient_of_the_competing_model_without_a_finite_value_is_told(cohort):
    model = learn("cox", training(cohort, "relapse", target="event"), {"knots": 0, "penalizer": 0.0})
    assert any("model of the competing “Death” there is no finite coefficient for “only”" in c for c in model.cautions)


def test_fine_gray_has_the_cautions_of_its_columns_and_says_why_it_has_no_interval(cohort):
    rows = training(cohort, "relapse", target="event")
    model = learn("cox", rows, {"knots": 0, "competing": "fine-gray"})
    cause_specific = learn("cox", rows, {"knots": 0})
    shared = [c for c in cause_specific.cautions if c.startswith("60 events") or "is missing for" in c]
    assert len(shared) == 2 and set(shared) <= set(model.cautions)
    assert NO_INTERVAL in model.cautions
    assert model.limits(rows.frame, [50.0]) is None
