"""Risk of one event in the presence of others: R's numbers, intervals, and what comes back from disk."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_cases import SOURCE, number, simulated

from bedside.cohort import Cohort, Outcome
from bedside.competing.cause_specific import cause_specific_models
from bedside.competing.fine_gray import fine_gray
from bedside.risk.cause_specific_fit import fit_cause_specific
from bedside.risk.fitted import State
from bedside.risk.incidence import CauseSteps, incidence, standard_error, thinned
from bedside.risk.learners import learn, restore
from bedside.risk.training import Training, training


def competing(frame: pd.DataFrame, variables: str, *, time: str, cause: str) -> Cohort:
    """A cohort with an event (1) and another that competes with it (2)."""
    names = variables.split()
    kept = frame[names].astype(float).assign(time=frame[time].to_numpy(float))
    kept["status"] = pd.Categorical(frame[cause].astype(int).astype(str), categories=["0", "1", "2"])
    outcome = Outcome(
        key="relapse", label="Relapse or death", time="time", unit="months", status="status", censored=("0",),
        event=("1",), competing={"Death": ("2",)}, cause_label="Relapse",
    )  # fmt: skip
    return Cohort(
        key="two", title="Two", short_title="Two", summary="", population="", identifier=None,
        variables=tuple(number(name) for name in names), outcomes=(outcome,), treatment=None, source=SOURCE,
        frame=kept.reset_index(drop=True),
    )  # fmt: skip


@pytest.fixture(scope="module")
def cohorts(request):
    frames = request.getfixturevalue("reference_frame")
    mgus = frames("mgus2_cr")[["etime", "ev", "age", "sex", "hgb", "mspike"]].dropna()
    pbc = frames("pbc_cr")[["time", "ev", "age", "bili", "albumin"]].dropna()
    return {
        "mgus2_cr": competing(mgus.assign(male=mgus.sex == "M"), "age male hgb mspike", time="etime", cause="ev"),
        "pbc_cr": competing(pbc.assign(lbili=np.log(pbc.bili)), "age lbili albumin", time="time", cause="ev"),
    }


@pytest.mark.parametrize("name", ["mgus2_cr", "pbc_cr"])
def test_incidence_equals_r(cohorts, r, same, name):
    """survfit(coxph(Surv(time, factor(cause)) ~ ..., id = id), newdata)$pstate."""
    theirs = r("20_risk_cox")["competing"][name]
    rows = training(cohorts[name], "relapse", target="event")
    rows = replace(rows, time=rows.time + np.arange(1, len(rows) + 1) * 1e-5)  # R has no Efron ties here
    model = learn("cox", rows, {"knots": 0, "penalizer": 0.0})
    patients = pd.DataFrame(theirs["newdata"])
    same(np.concatenate([cause.coef for cause in model.causes]), theirs["coef"])
    same(model.risk(patients, theirs["times"]).ravel(), np.ravel(theirs["event"]).tolist())


@pytest.mark.parametrize("name", ["mgus2_cr", "pbc_cr"])
def test_fine_gray_is_the_tested_one(cohorts, name):
    rows = training(cohorts[name], "relapse", target="event")
    model = learn("cox", rows, {"knots": 0, "competing": "fine-gray"})
    names = [v.name for v in rows.variables]
    plain = fine_gray(rows.frame[names].to_numpy(), rows.time, rows.cause)
    times = np.quantile(rows.time, [0.2, 0.5, 0.9])
    some = rows.frame.iloc[:40]
    np.testing.assert_allclose(model.risk(some, times), plain.predict(some[names].to_numpy(), times), rtol=1e-6)
    assert model.limits(some, times) is None
    assert model.settings["competing"] == "fine-gray"


def test_standard_error_is_the_derivative(cohorts):
    """Each hazard step and each coefficient moved a little: the delta method by brute force."""
    rng = np.random.default_rng(1)
    grid, p = 40, 2
    causes = [
        CauseSteps(
            rng.normal(0, 0.3, p), np.diag([0.02, 0.05]), rng.exponential(0.02, grid), rng.exponential(1e-4, grid),
            rng.normal(0, 0.01, (grid, p)),
        )
        for _ in range(3)
    ]  # fmt: skip
    x, upto = rng.normal(size=(1, p)), np.array([1, 17, 40])
    relative = np.exp(np.column_stack([x @ cause.coef for cause in causes]))

    def moved(k, hazard):
        return [
            CauseSteps(c.coef, c.cov, hazard if j == k else c.hazard, c.variance, c.drift) for j, c in enumerate(causes)
        ]

    total = np.zeros(3)
    for k, cause in enumerate(causes):
        slopes = np.empty((grid, 3))
        for s in range(grid):
            up, down = cause.hazard.copy(), cause.hazard.copy()
            up[s] += 1e-6
            down[s] -= 1e-6
            slopes[s] = (incidence(relative, moved(k, up), upto) - incidence(relative, moved(k, down), upto))[0] / 2e-6
        total += slopes.T**2 @ cause.variance
        along = slopes.T @ (cause.hazard[:, None] * x - cause.drift)
        total += ((along @ cause.cov) * along).sum(axis=1)
    np.testing.assert_allclose(standard_error(x, relative, causes, upto)[0], np.sqrt(total), rtol=1e-6)


def test_interval_is_that_of_a_cox_model_where_nothing_competes():
    rows = training(simulated(300, seed=4), "death")
    plain, split = learn("cox", rows, {"knots": 0}), fit_cause_specific(rows)
    times = np.quantile(rows.time[rows.event], [0.1, 0.5, 0.9])
    some = rows.frame.iloc[:20]
    np.testing.assert_allclose(split.risk(some, times), plain.risk(some, times), rtol=1e-12)
    ours, theirs = split.limits(some, times, level=0.9), plain.limits(some, times, level=0.9)
    assert ours.name == theirs.name == "90% interval"
    np.testing.assert_allclose(ours.lower, theirs.lower, rtol=1e-9)
    np.testing.assert_allclose(ours.upper, theirs.upper, rtol=1e-9)


def test_standard_error_is_close_to_the_influence_functions(cohorts):
    """riskRegression's CSC sums squared influence functions, which need all patients; ours needs the model alone."""
    rows = training(cohorts["mgus2_cr"], "relapse", target="event")
    model = learn("cox", rows, {"knots": 0, "penalizer": 0.0})
    names, times = [v.name for v in rows.variables], np.array([60.0, 120.0, 240.0])
    theirs = cause_specific_models(rows.frame[names].to_numpy(float), rows.time, rows.cause).absolute_risk(
        rows.frame[names].iloc[:12].to_numpy(float), times
    )
    upto = np.searchsorted(model.time, times, side="right")
    x, relative = model._read(rows.frame.iloc[:12])
    ours = standard_error(x, relative, model.causes, upto)
    np.testing.assert_allclose(ours, theirs.std_err, rtol=0.2)
    assert abs(np.median(ours / theirs.std_err) - 1) < 0.05


def test_interval_holds_the_risk_and_state_holds_the_bits(cohorts):
    rows = training(cohorts["pbc_cr"], "relapse", target="event")
    for settings in ({"knots": 3}, {"knots": 0, "competing": "fine-gray"}):
        model = learn("cox", rows, settings)
        state = model.state()
        back = restore(State(state.kind, json.loads(json.dumps(dict(state.facts))), state.arrays))
        times = np.linspace(0, model.last, 9)
        risk = model.risk(rows.frame, times)
        assert back.risk(rows.frame, times).tobytes() == risk.tobytes()
        assert back.score(rows.frame).tobytes() == model.score(rows.frame).tobytes()
        assert back.fingerprint == model.fingerprint
        assert ((risk >= 0) & (risk <= 1)).all()
        assert (np.diff(risk, axis=1) >= 0).all()
    limits = learn("cox", rows, {"knots": 3}).limits(rows.frame, times[1:])
    risk = learn("cox", rows, {"knots": 3}).risk(rows.frame, times[1:])
    known = ~np.isnan(limits.lower)
    assert (limits.lower[known] <= risk[known]).all()
    assert (risk[known] <= limits.upper[known]).all()


def test_an_event_that_competes_lowers_the_risk(cohorts):
    rows = training(cohorts["mgus2_cr"], "relapse", target="event")
    model = learn("cox", rows)
    assert model.target == "event"
    alone = Training(**{**rows.__dict__, "cause": (rows.cause == 1).astype(int), "target": "any"})
    risk, naive = model.risk(rows.frame, [240.0]), learn("cox", alone, {"knots": 0}).risk(rows.frame, [240.0])
    assert (risk < naive).all()
    np.testing.assert_allclose(risk.mean(), 0.10, atol=0.03)  # Aalen-Johansen of the cohort: about 10%


def test_many_event_times_are_joined():
    times = np.arange(1.0, 10_001)
    kept = thinned(times, 2000)
    assert (len(kept), kept[-1]) == (2000, 10_000.0)
    assert thinned(times[:5], 2000).tolist() == times[:5].tolist()
