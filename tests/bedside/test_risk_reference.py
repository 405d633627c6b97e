"""Cox models, their predicted curves and concordance are R's, to 1e-8 and usually to 1e-12."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from risk_cases import REFERENCES

from bedside.risk import concordance, cumulative_hazard, fit, linear_predictor, predict
from bedside.risk.efron import likelihood, maximise, solve

CURVES = ("lung_age_sex_ecog_efron", "ovarian_age_rx", "pbc_mayo_efron", "gbsg_full")


@pytest.fixture
def case(r, reference_frame):
    """``case(name)``: R's block and our model of the same rows, without a ridge."""

    def made(name, penalizer=0.0):
        reference = REFERENCES[name]
        cohort = reference.cohort(reference_frame(reference.file))
        return r("02_cox")["models"][name], cohort, fit(cohort, "death", penalizer=penalizer)

    return made


@pytest.mark.parametrize("name", REFERENCES)
def test_coefficients_and_tests_equal_r(case, same, name):
    """coxph(Surv(time, status) ~ ..., ties = "efron"), survival 3.5-3."""
    theirs, _, model = case(name)

    assert (model.n, model.n_events) == (theirs["n"], theirs["n_event"])
    same(model.coef, theirs["coef"])
    same(np.sqrt(np.diag(model.variance)), theirs["se"])
    same([model.log_likelihood_null, model.log_likelihood], [theirs["loglik_null"], theirs["loglik"]])
    for ours, block in zip(model.tests, ("lr_test", "wald_test", "score_test"), strict=True):
        same([ours.statistic, ours.p], [theirs[block]["test"], theirs[block]["pvalue"]])
        assert ours.df == theirs[block]["df"]


@pytest.mark.parametrize("name", CURVES)
def test_covariances_equal_r(case, same, name):
    """vcov(coxph(...))."""
    theirs, _, model = case(name)
    same(model.variance.ravel(), np.ravel(theirs["vcov"]["matrix"]).tolist())


@pytest.mark.parametrize("name", REFERENCES)
def test_concordance_equals_r(case, same, name):
    """summary(coxph(...))$concordance and the counts of concordance(...)."""
    theirs, cohort, model = case(name)
    theirs = theirs["concordance"]

    ours = concordance(cohort.time("death"), cohort.event("death"), linear_predictor(model, cohort.frame))

    same([ours.c, ours.se], [theirs["c"], theirs["se"]])
    counts = [ours.concordant, ours.discordant, ours.tied_x, ours.tied_time, ours.tied_both]
    assert counts == [theirs["counts"][k] for k in ("concordant", "discordant", "tied.x", "tied.y", "tied.xy")]


def test_concordance_of_a_marker_with_many_ties_equals_r(r, same, reference_frame):
    """concordance(Surv(time, status) ~ ph.ecog, lung, reverse = TRUE)."""
    lung = reference_frame("lung").dropna(subset="ph.ecog")
    theirs = r("02_cox")["concordance_variants"]["lung_ecog_raw_marker"]["n"]

    ours = concordance(lung.time.to_numpy(), lung.status.to_numpy() == 1, lung["ph.ecog"].to_numpy())

    same([ours.c, ours.se], [theirs["c"], theirs["se"]])
    assert ours.tied_x == theirs["counts"]["tied.x"]


@pytest.mark.parametrize("interval", ["log-log", "log"])
@pytest.mark.parametrize("name", CURVES)
def test_predicted_curves_equal_r(case, same, name, interval):
    """summary(survfit(coxph(...), newdata, conf.type = "log-log" or "log"), times = ...)."""
    theirs, _, model = case(name)
    patients = pd.DataFrame({k: v for k, v in theirs["newdata"].items() if k != "patient"})
    for logged, plain in (("lbili", "bili"), ("lpro", "protime"), ("lalb", "albumin")):
        if logged in patients:
            patients[plain] = np.exp(patients[logged])

    ours = predict(model, patients, interval=interval)

    for row, curve in enumerate(theirs["curves"]):
        block = curve[interval]
        risk, lower, upper = np.array([[part[row] for part in ours.risk_at(t)] for t in block["times"]]).T
        same(1 - risk, block["surv"])
        same(1 - upper, block["lower"])
        same(1 - lower, block["upper"])


@pytest.mark.parametrize("name", ["lung_age_sex_ecog_efron", "pbc_mayo_efron", "gbsg_full"])
def test_intervals_equal_r_at_every_event(case, same, r, name):
    """survfit(coxph(...), newdata, conf.type = , conf.int = ) at every event time; the default is log-log at 95%."""
    _, _, model = case(name)
    theirs = r("11_cox_loglog")["models"][name]
    patients = pd.DataFrame(theirs["newdata"])
    default = predict(model, patients)
    assert (default.interval, default.level) == ("log-log", 0.95)
    for row, curve in enumerate(theirs["curves"]):
        for told, limits in curve["limits"].items():
            interval, level = told.split("_")
            ours = predict(model, patients, interval=interval, level=float(level))
            events = slice(1, len(theirs["time"]) + 1)
            same(ours.time[events], theirs["time"])
            same(ours.survival[row, events], curve["surv"])
            same(ours.lower[row, events], limits["lower"])
            same(ours.upper[row, events], limits["upper"])
        same(default.lower[row, events], curve["limits"]["log-log_0.95"]["lower"])


@pytest.mark.parametrize("name", CURVES)
def test_baseline_equals_r(case, same, r, name):
    """basehaz(coxph(...), centered = FALSE)."""
    _, _, model = case(name)
    theirs = r("02_cox")["baseline"][name]

    at_centre = np.array([cumulative_hazard(model, t) for t in theirs["time"]])

    same(at_centre * np.exp(-model.design.centre @ model.coef), theirs["cumhaz_uncentered"])


@pytest.fixture
def lung_ridge(case):
    """``lung_ridge(penalty)``: the maximum for lung with a penalty for each coefficient."""
    _, cohort, _ = case("lung_age_sex_ecog_efron")
    x = cohort.frame[["age", "sex", "ph.ecog"]].to_numpy()
    of = likelihood(cohort.time("death"), cohort.event("death"), x - x.mean(axis=0))
    return lambda penalty: maximise(of, np.asarray(penalty, float))


def test_ridge_equals_r(lung_ridge, r, same):
    """coxph(Surv(time, status) ~ ridge(age, sex, ph.ecog, theta = 1, scale = FALSE)); R's own loop stops early."""
    theirs = r("02_cox")["models"]["lung_ridge_theta1"]

    best = lung_ridge(np.ones(3))

    same(best.beta, theirs["coef"], rtol=1e-6)
    same(best.value, theirs["loglik"][1])
    variance = solve(best.information + np.eye(3), np.eye(3))
    same(variance.ravel(), np.ravel(theirs["var"]["matrix"]).tolist(), rtol=1e-5)


def test_standardised_ridge_equals_r(lung_ridge, r, same, reference_frame):
    """ridge(age, sex, ph.ecog, theta = 10, scale = TRUE): theta times the variance, as ours is n times penalizer.

    R takes the variance before it leaves out the row without ECOG.
    """
    theirs = r("02_cox")["models"]["lung_ridge_theta10_scaled"]

    best = lung_ridge(10 * reference_frame("lung")[["age", "sex", "ph.ecog"]].var())

    same(best.beta, theirs["coef"], rtol=1e-6)
    same(best.value, theirs["loglik"][1])


@pytest.mark.parametrize("name", ["gbsg_full", "mgus2_death", "colon_death_full"])
@pytest.mark.parametrize("penalizer", [0.0, 0.001, 0.05])
def test_the_penalty_is_the_one_of_lifelines(case, name, penalizer):
    """lifelines stops earlier, at a Newton decrement of 1e-7, which leaves about 1e-4 of a standard error."""
    _, cohort, model = case(name, penalizer)
    x = pd.DataFrame(model.design.encode(cohort.frame), columns=[term.label for term in model.terms])
    frame = x.assign(time=cohort.time("death"), event=cohort.event("death"))

    theirs = CoxPHFitter(penalizer=penalizer).fit(frame, "time", "event")

    se = np.sqrt(np.diag(model.variance))
    np.testing.assert_allclose(model.coef, theirs.params_, atol=2e-3 * se.min() + 1e-12, rtol=1e-4)
    np.testing.assert_allclose(se, theirs.standard_errors_, rtol=1e-4)
