"""What limits hold: R's own interval, the band worked out by hand, simulated truths, and the table that pages read."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from risk_cases import REFERENCES, simulated

from bedside.patient import conditional_risk
from bedside.risk.coverage import beside_limits, coverage_of, table
from bedside.risk.fitted import State
from bedside.risk.learners import learn, restore
from bedside.risk.training import training
from bedside.risk.variability import Shrinkage, Varied, with_variability
from benchmarks import coverage

Z = 1.959963984540054
TIMES = np.array([400.0, 900.0])


def cloglog(risk):
    return np.log(-np.log1p(-risk))


@pytest.mark.parametrize("name", ["lung_age_sex_ecog_efron", "gbsg_full"])
def test_limits_of_the_learner_without_a_ridge_equal_r(name, r, same, reference_frame):
    """survfit(coxph(...), newdata, conf.type = "log-log") at every event time: the way the page takes."""
    reference = REFERENCES[name]
    rows = training(reference.cohort(reference_frame(reference.file)), "death")
    model = learn("cox", rows, {"penalizer": 0.0, "knots": 0})
    theirs = r("11_cox_loglog")["models"][name]
    limits = model.limits(pd.DataFrame(theirs["newdata"]), theirs["time"])
    for row, curve in enumerate(theirs["curves"]):
        same(1 - limits.upper[row], curve["limits"]["log-log_0.95"]["lower"])
        same(1 - limits.lower[row], curve["limits"]["log-log_0.95"]["upper"])
    assert beside_limits(model) == "Variance: as R's survfit has it, without a ridge."
    assert "ridge-penalised" in beside_limits(learn("cox", rows, {"knots": 0}))


@pytest.fixture(scope="module")
def made():
    rows = training(simulated(300, 6, seed=5), "death")
    model = learn("penalised", rows, {"alpha": 0.1, "lambda": 0.3, "rule": "min"})
    return rows, model, with_variability(model, rows, refits=25, seed=8)


def test_the_slope_is_that_of_patients_whom_refits_had_not_seen(made):
    rows, _, varied = made
    rng, total, count = np.random.default_rng(8), np.zeros(len(rows)), np.zeros(len(rows))
    t = np.median(rows.time[rows.event])
    for refit in varied.refits:
        out = np.setdiff1d(np.arange(len(rows)), rng.integers(len(rows), size=len(rows)))
        total[out] += refit.risk(rows.frame.iloc[out], [t])[:, 0]
        count[out] += 1
    frame = pd.DataFrame({"t": rows.time, "e": rows.event, "x": cloglog(total / count)})
    by_lifelines = CoxPHFitter().fit(frame, "t", "e")
    # A penalty this strong draws risks together: they must be drawn apart again.
    assert varied.shrinkage.slope == pytest.approx(by_lifelines.params_["x"], rel=1e-4)
    assert varied.shrinkage.slope > 1.3
    assert varied.shrinkage.std_err == pytest.approx(by_lifelines.standard_errors_["x"], rel=1e-3)


def test_the_band_by_hand_and_from_a_file(made):
    rows, model, varied = made
    patient, slope = rows.frame.iloc[[3]], varied.shrinkage
    at = slope.time[[8, 16]]  # times at which the middle is held
    own = cloglog(model.risk(patient, at)[0])
    middle = cloglog(model.risk(rows.frame, at)).mean(axis=0)
    spread = np.std([cloglog(m.risk(patient, at)[0]) for m in varied.refits], axis=0, ddof=1)
    reach = Z * np.sqrt(2 * (slope.slope * spread) ** 2 + (slope.std_err * (own - middle)) ** 2)
    ends = [1 - np.exp(-np.exp(middle + slope.slope * (own - middle) + sign * reach)) for sign in (-1, 1)]
    limits = varied.limits(patient, at)
    np.testing.assert_allclose([limits.lower[0], limits.upper[0]], ends, rtol=1e-9)
    state = varied.state()
    back = restore(State(state.kind, json.loads(json.dumps(dict(state.facts))), state.arrays))
    assert back.fingerprint == varied.fingerprint
    assert back.limits(patient, at).lower.tobytes() == limits.lower.tobytes()
    for broken in ({"middle.time": np.array([3.0, 1.0])}, {"middle.hazard": np.array([np.nan])}):
        with pytest.raises(ValueError, match="middle"):
            restore(State(state.kind, state.facts, {**state.arrays, **broken}))


def test_the_band_reaches_to_the_risk_and_is_no_narrower_than_the_spread(made):
    rows, model, varied = made
    few = rows.frame.iloc[:40]
    risk, band = varied.risk(few, TIMES), varied.limits(few, TIMES)
    assert ((band.lower <= risk) & (risk <= band.upper)).all()
    useless = Varied(model, varied.refits, replace(varied.shrinkage, slope=0.0, std_err=0.0))
    drawn = useless.limits(few, TIMES)
    assert ((drawn.lower <= risk) & (risk <= drawn.upper)).all()
    plain = Varied(model, varied.refits, Shrinkage()).limits(few, TIMES)
    assert (band.upper - band.lower >= 0.99 * (plain.upper - plain.lower)).mean() > 0.9
    start = varied.limits(few, [0.0])
    assert (start.lower == 0).all() and (start.upper == 0).all()
    # From a time on, the same band of the risk that is left.
    later = conditional_risk(varied, few, 300.0, [900.0])
    assert ((later.limits.lower <= later.risk) & (later.risk <= later.limits.upper)).all()
    assert later.limits.name == "model variability"


@pytest.mark.parametrize("law", ["straight", "bent"])
def test_the_simulated_truth_is_what_happens(law):
    rng = np.random.default_rng(1)
    rows = coverage.cohort(20_000, law, rng)
    seen = 1 - KaplanMeierFitter().fit(rows.time, rows.event).predict(coverage.TIMES).to_numpy()
    np.testing.assert_allclose(coverage.truth(rows.frame, law, coverage.TIMES).mean(axis=0), seen, atol=0.015)
    assert 0.35 < rows.event.mean() < 0.7


def test_shares_held_by_thirds():
    said = np.array([[0.1], [0.5], [0.2], [0.9], [0.6], [0.8]])
    limits = coverage.Limits(said - 0.05, said + 0.05, "")
    true = said + np.array([[0.0], [0.04], [0.2], [0.0], [0.3], [0.3]])
    assert coverage.held(limits, true, said)[:, 0].tolist() == [0.5, 0.5, 0.5]


def test_the_table_that_pages_read(made):
    kept = table()
    for name in ("plain", "ridge", "competing"):
        assert 0.93 <= kept["cox"][name]["all"] <= 0.97
        assert all(0.93 <= share <= 0.97 for share in kept["cox"][name]["held"].values())
        assert kept["cox"][name]["std_err"] < 0.005
    assert kept["cox"]["plain"]["cohorts"] >= 2000
    for name in ("forest", "average", "penalised", "boosted"):
        found = kept["kinds"][name]
        assert min(found["held"].values()) > max(0.8, min(found["plain_spread_held"].values()))
    _, model, varied = made
    assert coverage_of(model) is None
    assert coverage_of(varied).counts == tuple(
        round(100 * kept["kinds"]["penalised"]["held"][third]) for third in coverage.THIRDS
    )
    low, middle, high = coverage_of(varied).counts
    told = beside_limits(varied)
    assert told.startswith(
        f"In simulations this band held the true risk in {low} / {middle} / {high} of 100 patients of low / middle / "
        f"high risk ({kept['kinds']['penalised']['cohorts']} cohorts of 500)."
    )
    forms = kept["forms"]["penalised"]
    straight, bent, large = (round(100 * forms[form]["all"]) for form in ("straight 500", "bent 500", "bent 2000"))
    assert f"held {straight} of 100 where the truth had the form of a Cox model, {bent} where it had a curve" in told
    assert f"and in {large} with four times the patients" in told
    # A wrong form is no matter of chance: it is missed by more, the more patients there are.
    assert kept["forms"]["cox"]["straight 500"]["all"] > 0.93 > kept["forms"]["cox"]["bent 500"]["all"]
    assert kept["forms"]["cox"]["bent 500"]["all"] > kept["forms"]["cox"]["bent 2000"]["all"]
