"""Curved variables: R's numbers, one ratio for all their columns, and curves only where events allow."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number, simulated
from scipy.stats import chi2, norm

from bedside.explain import background, explain, variable_terms
from bedside.risk import coefficients, describe, fit, linear_predictor, predict
from bedside.risk.cox import chosen_knots
from bedside.risk.fitted import State
from bedside.risk.learners import learn, restore
from bedside.risk.training import training


@pytest.fixture(scope="module")
def theirs(r):
    return r("20_risk_cox")["splines"]


@pytest.fixture
def gbsg(reference_frame):
    variables = (number("age"), number("pgr"), levels("hormon", ["0", "1"]))
    return cohort_of(reference_frame("gbsg"), variables, time="rfstime", event="status")


def test_splines_equal_r(gbsg, theirs, same):
    """coxph(Surv(rfstime, status) ~ rcs(age, 4) + rcs(pgr, 4) + hormon): knots, likelihood and curves."""
    model = fit(gbsg, "death", penalizer=0, knots=4)
    same(model.reading("age").knots, theirs["knots"]["age"])
    same(model.reading("pgr").knots, theirs["knots"]["pgr"])
    same(model.coef, theirs["coef"], rtol=1e-7)
    same([model.log_likelihood_null, model.log_likelihood], theirs["loglik"])
    patients = pd.DataFrame(theirs["newdata"])
    patients["hormon"] = patients["hormon"].astype(str)
    ours = predict(model, patients)
    matrix = {k: np.array(theirs[k]["matrix"]) for k in ("surv", "lower", "upper")}
    for i, t in enumerate(theirs["times"]):
        risk, lower, upper = ours.risk_at(t)
        same(1 - risk, matrix["surv"][i].tolist())
        same(1 - upper, matrix["lower"][i].tolist())
        same(1 - lower, matrix["upper"][i].tolist())


def test_one_ratio_for_a_curve_equals_r(gbsg, theirs, same):
    """The ratio between the quartiles of age, with the Wald test of its three columns."""
    told = {c.variable: c for c in coefficients(fit(gbsg, "death", penalizer=0, knots=4))}
    assert list(told) == ["age", "pgr", "hormon"]
    age = told["age"]
    low, high = theirs["quartiles"]
    assert age.unit_step_text == f"{high:g} against {low:g}"
    reach = np.array([0, -1, 1]) * norm.ppf(0.975) * theirs["se"]
    same(np.log([age.hr, age.lower, age.upper]), (theirs["log_ratio"] + reach).tolist(), rtol=1e-7)
    same(age.p, chi2.sf(theirs["wald"], 3), rtol=1e-6)


def test_explanations_add_up_over_curves(gbsg):
    model = fit(gbsg, "death", knots=4)
    assert len(model.coef) == 7
    terms = variable_terms(model, gbsg.frame)
    assert terms.shape == (len(gbsg), 3)
    np.testing.assert_allclose(terms.sum(axis=1), linear_predictor(model, gbsg.frame), rtol=0, atol=1e-13)
    (told,) = explain(model, gbsg.frame.iloc[[7]], background(model, gbsg), [1000.0])
    assert [c.variable for c in told.contributions if c.variable == "age"] == ["age"]
    assert told.additivity_error < 1e-12


def test_straight_line_where_too_few_values_differ():
    cohort = simulated(300, 2, seed=1)
    frame = cohort.frame.assign(x0=np.where(np.arange(300) % 20 == 0, 1.0, 0.0))
    model = fit(cohort_of(frame, [number("x0"), number("x1")]), "death", knots=4)
    assert [term.label for term in model.terms] == ["x0", "x1", "x1, curve 1", "x1, curve 2"]
    assert model.reading("x0").knots == ()


def curved(n, seed=5):
    rng = np.random.default_rng(seed)
    age, marker = rng.uniform(20, 90, n), rng.lognormal(2, 1, n)
    died = rng.exponential(1000 * np.exp(-(((age - 50) / 12) ** 2) / 2))
    left = rng.uniform(300, 3000, n)
    frame = pd.DataFrame({"age": age, "marker": marker})
    frame["time"], frame["event"] = np.ceil(np.minimum(died, left)), died <= left
    return cohort_of(frame, [number("age"), number("marker", scale="log")])


def test_curves_are_chosen_where_they_help_and_events_allow():
    cohort = curved(900)
    rows = training(cohort, "death")
    assert chosen_knots(rows) in (3, 4)
    assert chosen_knots(rows.take(np.arange(50))) == 0  # 4 columns would ask for 48 events
    assert chosen_knots(training(simulated(900, seed=2), "death")) == 0  # straight lines as they are
    model = learn("cox", rows)
    assert model.settings["knots"] in (3, 4)
    assert describe(model).endswith("; numbers act along curves (restricted cubic splines).")
    assert model.fingerprint == learn("cox", rows).fingerprint


def test_curved_model_comes_back_with_the_same_bits():
    cohort = curved(400)
    model = learn("cox", training(cohort, "death"), {"knots": 4})
    state = model.state()
    back = restore(State(state.kind, json.loads(json.dumps(dict(state.facts))), state.arrays))
    odd = pd.DataFrame({"age": [np.nan, 10.0, 200.0], "marker": [0.0, -1.0, 1e9]})
    assert back.risk(odd, [100.0, 900.0]).tobytes() == model.risk(odd, [100.0, 900.0]).tobytes()
    assert np.isfinite(model.risk(odd, [900.0])).all()
