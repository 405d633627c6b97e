"""Patients who came under observation late are at risk only from then on, everywhere in a model of risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, number, simulated

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.regression.concordance import concordance
from bedside.risk import cumulative_hazard, fit, linear_predictor, predict, validate
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.risk.tuning import judged
from bedside.risk.validation import calibration_by_risk


def late(frame: pd.DataFrame, variables: str, *, time: str, event: str, entry: str) -> Cohort:
    """A cohort of complete cases whose outcome has a time of entry."""
    cohort = cohort_of(frame, [number(name) for name in variables.split()], time=time, event=event)
    outcome = cohort.outcomes[0].model_copy(update={"entry": entry})
    columns = cohort.frame.assign(**{entry: frame[entry].to_numpy(float)})
    return Cohort(
        key="late", title="Late", short_title="Late", summary="", population="", identifier=None,
        variables=cohort.variables, outcomes=(outcome,), treatment=None, source=cohort.source, frame=columns,
    )  # fmt: skip


@pytest.fixture
def cohorts(reference_frame):
    mgus = reference_frame("mgus2")[["age", "sex", "hgb", "creat", "futime", "death"]].dropna()
    mgus = mgus.assign(
        entry=mgus.age, exit=mgus.age + np.ceil((mgus.futime + 0.5) / 6) / 2, male=(mgus.sex == "M").astype(int)
    )
    channing = reference_frame("channing").query("ageentry < age")
    return {
        "mgus2_age": late(mgus, "male hgb creat", time="exit", event="death", entry="entry"),
        "channing": late(channing, "gender", time="age", event="death", entry="ageentry"),
    }


@pytest.mark.parametrize("name", ["mgus2_age", "channing"])
def test_model_equals_r(cohorts, r, same, name):
    """coxph(Surv(entry, exit, death) ~ ..., ties = "efron"), its basehaz and survfit(..., conf.type = "log-log")."""
    theirs, cohort = r("20_risk_cox")["entry"][name], cohorts[name]
    model = fit(cohort, "death", penalizer=0)

    assert (model.n, model.n_events) == (theirs["n"], theirs["n_event"])
    same(
        model.coef,
        list(np.ravel(list(theirs["coef"].values()) if isinstance(theirs["coef"], dict) else theirs["coef"])),
    )
    matrix = theirs["vcov"]["matrix"] if isinstance(theirs["vcov"], dict) else theirs["vcov"]
    same(model.variance.ravel(), np.ravel(matrix).tolist())
    same([model.log_likelihood_null, model.log_likelihood], theirs["loglik"])
    same([test.statistic for test in model.tests], theirs["tests"])

    at_centre = np.array([cumulative_hazard(model, t) for t in theirs["baseline"]["time"]])
    same(at_centre * np.exp(-model.design.centre @ model.coef), theirs["baseline"]["cumulative"])

    ours = predict(model, pd.DataFrame(theirs["newdata"]), level=theirs["level"])
    for row, curve in enumerate(theirs["curves"]):
        events = slice(1, len(curve["time"]) + 1)
        same(ours.time[events], curve["time"])
        same(ours.survival[row, events], curve["surv"])
        known = np.array(curve["surv"]) > 1e-12  # R has NA where survival rounds to 0
        same(ours.lower[row, events][known], np.array(curve["lower"], dtype=object)[known].tolist())
        same(ours.upper[row, events][known], np.array(curve["upper"], dtype=object)[known].tolist())


@pytest.mark.parametrize("name", ["mgus2_age", "channing"])
def test_concordance_and_observed_risk_equal_r(cohorts, r, same, name):
    """concordance(Surv(entry, exit, death) ~ lp) and 1 - survfit(...) by thirds of the linear predictor."""
    theirs, cohort = r("20_risk_cox")["entry"][name], cohorts[name]
    lp = linear_predictor(fit(cohort, "death", penalizer=0), cohort.frame)
    time, event, entry = cohort.time("death"), cohort.event("death"), cohort.entry("death")

    ours = concordance(time, event, lp, entry=entry)
    same([ours.c, ours.se], [theirs["concordance"]["c"], theirs["concordance"]["se"]])
    counts = [ours.concordant, ours.discordant, ours.tied_x, ours.tied_time, ours.tied_both]
    same(
        counts,
        [theirs["concordance"]["counts"][k] for k in ("concordant", "discordant", "tied.x", "tied.y", "tied.xy")],
    )

    groups = calibration_by_risk(time, event, lp, t=theirs["t"], groups=len(theirs["thirds"]), entry=entry)
    for group, block in zip(groups, theirs["thirds"], strict=True):
        assert group.n == block["n"]
        same([group.observed, group.lower, group.upper], [block["observed"], block["lower"], block["upper"]])


def test_validation_compares_those_under_observation(cohorts):
    cohort = cohorts["mgus2_age"]
    found = validate(cohort, "death", t=80, folds=5)
    assert 0.58 < found.c_mean < 0.68
    assert abs(found.mean_predicted - found.observed) < 0.03
    everyone = Cohort(**{
        name: getattr(cohort, name)
        for name in ("key", "title", "short_title", "summary", "population", "identifier", "variables", "treatment",
                     "source", "frame")
    }, outcomes=(cohort.outcomes[0].model_copy(update={"entry": ""}),))  # fmt: skip
    ignored = validate(everyone, "death", t=80, folds=5)
    assert abs(ignored.observed - found.observed) > 0.05  # as if everyone had been watched from birth


def test_learner_heeds_entry(cohorts):
    rows = training(cohorts["mgus2_age"], "death")
    model = learn("cox", rows, {"knots": 0})
    assert model.fingerprint != learn("cox", training(simulated(200), "death")).fingerprint
    np.testing.assert_array_equal(model.coef, fit(cohorts["mgus2_age"], "death").coef)
    c, brier = judged(model, rows)
    assert 0.58 < c < 0.61
    assert np.isnan(brier)


def test_entry_after_the_end(cohorts):
    rows = training(cohorts["channing"], "death")
    rows.entry[3] = rows.time[3] + 1
    with pytest.raises(Fixable, match="does not begin before it ends"):
        learn("cox", rows)
