"""Penalised Cox models: glmnet's paths and cross-validation, and models of cohorts that a plain one can't carry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number, simulated

from bedside.errors import Fixable
from bedside.regression import CoxData, fit_cox
from bedside.risk.learners import learn, restore
from bedside.risk.penalised_cv import cross_validate
from bedside.risk.penalised_cyclic import glmnet_path
from bedside.risk.penalised_path import penalised_path, problem_of, solve_path
from bedside.risk.training import training


def genes(frame, block):
    return frame[block["features"]].to_numpy(float), frame["t.tdm"].to_numpy(float), frame["e.tdm"].to_numpy() == 1


@pytest.mark.parametrize("kind", ["lasso", "elastic_net_05", "ridge"])
def test_path_of_genes(r, reference_frame, kind):
    block = r("06_genomics")["gse7390"][kind]
    x, time, event = genes(reference_frame("gse7390"), block)
    path = penalised_path(x, time, event, alpha=block["alpha"], n_lambdas=len(block["lambda"]), smallest=0.05)
    np.testing.assert_allclose(path.lambdas, block["lambda"], rtol=1e-12)
    np.testing.assert_array_equal(path.kept, block["df"])
    np.testing.assert_allclose(path.null_deviance, block["nulldev"], rtol=1e-12)
    np.testing.assert_allclose(path.dev_ratio, block["dev_ratio"], atol=1e-6)
    # glmnet stopped up to 7e-6 from its own limit there; 26 below has the limit.
    np.testing.assert_allclose(path.coef, block["coef"], atol=1e-5)


@pytest.mark.parametrize("kind", ["elastic_net_05", "ridge"])
def test_where_glmnet_stops(r, reference_frame, kind):
    block = r("06_genomics")["gse7390"][kind]
    x, time, event = genes(reference_frame("gse7390"), block)
    problem = problem_of(x, time, event)
    path = solve_path(problem, block["alpha"], n_lambdas=len(block["lambda"]), smallest=0.05)
    ours = glmnet_path(problem, path, own=False, threshold=1e-14)
    np.testing.assert_allclose(ours, block["coef"], rtol=1e-6, atol=1e-11)
    few = replace(path, lambdas=path.lambdas[:12])
    curve = cross_validate(problem, few, np.arange(len(time)) % 5, threshold=1e-12)
    np.testing.assert_allclose(curve.mean, block["cv_mean_deviance"][:12], rtol=1e-8)
    np.testing.assert_allclose(curve.se, block["cv_se"][:12], rtol=1e-7)


@pytest.mark.parametrize("kind", ["lasso", "elastic_net_05"])
def test_path_and_folds_of_genes_fully_converged(r, reference_frame, kind):
    block = r("26_penalised")["gse7390"][kind]
    x, time, event = genes(reference_frame("gse7390"), block)
    problem = problem_of(x, time, event)
    path = solve_path(problem, block["alpha"], n_lambdas=len(block["lambda"]), smallest=0.05)
    np.testing.assert_allclose(path.coef, block["coef"], atol=2e-8)
    np.testing.assert_allclose(path.dev_ratio, block["dev_ratio"], atol=1e-9)
    curve = cross_validate(problem, path, np.arange(len(time)) % 5)
    np.testing.assert_allclose(curve.mean, block["cv_mean_deviance"], rtol=1e-6)
    np.testing.assert_allclose(curve.se, block["cv_se"], rtol=1e-6)
    np.testing.assert_allclose([curve.lambda_min, curve.lambda_1se], [block["lambda_min"], block["lambda_1se"]])
    told = r("06_genomics")["gse7390"][kind]
    np.testing.assert_allclose([curve.lambda_min, curve.lambda_1se], [told["lambda_min"], told["lambda_1se"]])
    np.testing.assert_allclose(curve.mean, told["cv_mean_deviance"], rtol=1e-4)


@pytest.fixture
def lung_months(reference_frame):
    columns = ["age", "sex", "ph.ecog", "ph.karno", "wt.loss"]
    frame = reference_frame("lung").dropna(subset=columns)
    event = (frame.status == frame.status.max()).to_numpy()
    return frame[columns].to_numpy(float), np.ceil(frame.time.to_numpy() / 30), event, frame.sex.to_numpy()


@pytest.mark.parametrize("kind", ["months", "weighted", "factors"])
def test_ties_weights_and_columns_without_penalty(r, lung_months, kind):
    block = r("26_penalised")["lung_ties"][kind]
    x, time, event, _ = lung_months
    weights = 1 + (np.arange(1, len(x) + 1) % 3) / 2
    told = {
        "months": {},
        "weighted": {"weights": weights},
        "factors": {"factors": np.array([0, 1, 2, 1, 1]), "alpha": 0.5},
    }
    path = penalised_path(x, time, event, n_lambdas=12, smallest=0.01, **told[kind])
    np.testing.assert_allclose(path.lambdas, block["lambda"], rtol=1e-9)
    np.testing.assert_allclose(path.coef, block["coef"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(path.dev_ratio, block["dev_ratio"], rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(path.null_deviance, block["nulldev"], rtol=1e-10)


def test_folds_of_weighted_patients(r, lung_months):
    block = r("26_penalised")["lung_ties"]["weighted_cv"]
    x, time, event, _ = lung_months
    problem = problem_of(x, time, event, weights=1 + (np.arange(1, len(x) + 1) % 3) / 2)
    path = solve_path(problem, 1.0, n_lambdas=12, smallest=0.01)
    curve = cross_validate(problem, path, np.arange(len(x)) % 4)
    np.testing.assert_allclose(curve.mean, block["cv_mean_deviance"], rtol=1e-7)
    np.testing.assert_allclose(curve.se, block["cv_se"], rtol=1e-6)
    assert curve.lambda_min == pytest.approx(block["lambda_min"]) and curve.lambda_1se == pytest.approx(
        block["lambda_1se"]
    )


@pytest.mark.parametrize("kind", ["entry", "strata"])
def test_without_a_penalty_strata_and_entry_are_those_of_coxph(r, reference_frame, lung_months, kind):
    # glmnet's own routine for these does not reach its optimum; the Cox fit here equals R's coxph(ties = "breslow").
    if kind == "entry":
        frame = reference_frame("channing").query("ageentry < age")
        x = np.column_stack([frame.gender, np.sin(np.arange(len(frame)))]).astype(float)
        time, event = frame.age.to_numpy(float), frame.death.to_numpy() == 1
        told = {"entry": frame.ageentry.to_numpy(float), "strata": None}
    else:
        x, time, event, sex = lung_months
        x, told = x[:, [0, 2, 3]], {"entry": None, "strata": sex - sex.min()}
    names = tuple(f"x{j}" for j in range(x.shape[1]))
    data = CoxData(
        x=x, names=names, assign=tuple(range(len(names))), terms=names, time=time, event=event,
        strata_labels=("a", "b") if kind == "strata" else (), weights=None, cluster=None, offset=None,
        rows=np.arange(len(x)), **told,
    )  # fmt: skip
    plain = fit_cox(data, ties="breslow")
    path = penalised_path(x, time, event, lambdas=np.array([0.1, 0.01, 0.001, 0.0]), **told)
    np.testing.assert_allclose(path.coef[-1], plain.coef, rtol=1e-6)
    # dev_ratio is of the same likelihood
    null = path.null_deviance
    assert path.dev_ratio[-1] * null == pytest.approx(2 * (plain.loglik - plain.loglik_null), rel=1e-7)


def wide(n=80, p=90, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    died, left = rng.exponential(np.exp(-1.2 * x[:, 0] + x[:, p // 12])) * 100, rng.uniform(20, 300, n)
    frame = pd.DataFrame(x, columns=[f"g{j}" for j in range(p)]).assign(time=np.minimum(died, left), event=died <= left)
    return frame, [number(f"g{j}") for j in range(p)]


def test_more_columns_than_patients():
    frame, variables = wide()
    frame["g8"] = frame["g7"]  # the same twice
    frame["g9"] = 1.0
    frame["g10"] = np.nan
    rows = training(cohort_of(frame, variables), "death")
    model = learn("penalised", rows, {"alpha": 1.0}, seed=1)
    assert {"g0", "g7"} <= set(model.kept) and not {"g8", "g9", "g10"} & set(model.kept)
    assert len(model.kept) < 50 and model.offered == 87
    assert any(f"kept {len(model.kept)} of 87" in told for told in model.cautions)
    # Only what was kept is needed, and a gap is filled.
    few = frame.loc[:4, ["g0"]]
    assert np.isfinite(model.risk(few, [50, 100])).all()
    again = learn("penalised", rows, {"alpha": 1.0}, seed=1)
    assert again.fingerprint == model.fingerprint
    stronger = learn("penalised", rows, {"alpha": 1.0, "rule": "1se"}, seed=1)
    assert stronger.settings["lambda"] >= model.settings["lambda"] and len(stronger.kept) <= len(model.kept)


def test_almost_no_penalty_is_a_breslow_cox_model():
    cohort = simulated(300, 3, seed=2)
    rows = training(cohort, "death")
    model = learn("penalised", rows, {"alpha": 1.0, "lambda": 0.0})
    from lifelines import CoxPHFitter

    plain = CoxPHFitter().fit(cohort.frame[["x0", "x1", "x2"]].assign(t=rows.time, e=rows.event), "t", "e")
    # Times are whole days, so a few ties part Breslow from Efron.
    np.testing.assert_allclose(model.hazards[0].coef, plain.params_, atol=0.01)
    mean = model.risk(cohort.frame, [500.0]).mean()
    assert mean == pytest.approx(
        (1 - plain.predict_survival_function(cohort.frame, [500.0])).to_numpy().mean(), abs=0.005
    )


def test_nothing_kept_gives_everybody_the_cohorts_risk():
    frame, variables = wide()
    rows = training(cohort_of(frame, variables), "death")
    model = learn("penalised", rows, {"alpha": 1.0, "lambda": 9.0})
    assert model.kept == () and "everybody gets the cohort's own risk" in model.cautions[0]
    risk = model.risk(frame, [50.0, 100.0])
    assert (risk == risk[0]).all()
    # exp(-Nelson-Aalen) by hand
    times = np.unique(rows.time[rows.event & (rows.time <= 50)])
    hazard = sum(((rows.time == t) & rows.event).sum() / (rows.time >= t).sum() for t in times)
    assert risk[0, 0] == pytest.approx(1 - np.exp(-hazard), rel=1e-12)
    assert restore(model.state()).fingerprint == model.fingerprint


def test_competing_events_share_the_risk(pbc):
    target = training(pbc, pbc.outcomes[0], target="event")
    assert target.competes
    model = learn("penalised", target, {"alpha": 0.5})
    times = np.linspace(0, model.last, 9)
    risk = model.risk(pbc.frame, times)
    assert (np.diff(risk, axis=1) >= 0).all() and risk.min() >= 0 and risk.max() <= 1
    either = learn("penalised", training(pbc, pbc.outcomes[0]), {"alpha": 0.5})
    assert model.risk(pbc.frame, times)[:, -2].mean() < either.risk(pbc.frame, times)[:, -2].mean()
    back = restore(model.state())
    assert (back.risk(pbc.frame, times) == risk).all() and back.fingerprint == model.fingerprint
    np.testing.assert_array_equal(back.path.coef, model.path.coef)
    assert back.path.curve.lambda_min == model.path.curve.lambda_min == model.settings["lambda"]


def test_levels_unseen_and_missing_are_read_as_in_the_cox_model(pbc):
    rows = training(pbc, pbc.outcomes[0])
    model = learn("penalised", rows, {"alpha": 0.1})
    frame = pbc.frame.head(3).drop(columns=["age"])
    assert np.isfinite(model.score(frame)).all()


def test_stops_with_a_way_out():
    frame, variables = wide(60, 12)
    frame["event"] = np.arange(60) < 9
    with pytest.raises(Fixable, match="9 patients"):
        learn("penalised", training(cohort_of(frame, variables), "death"))
    frame, variables = wide(60, 2)
    rows = training(cohort_of(frame.assign(g0=np.nan, g1=2.0), variables), "death")
    with pytest.raises(Fixable, match="missing for every patient"):
        learn("penalised", rows)
    good = training(cohort_of(frame, variables), "death")
    for settings in ({"alpha": 2.0}, {"lambda": -1.0}, {"alpha": "much"}, {"rule": "best"}):
        with pytest.raises(Fixable, match="settings"):
            learn("penalised", good, settings)


def test_a_column_that_parts_events_perfectly_still_has_an_answer():
    frame, _ = wide(80, 3)
    frame["arm"] = frame["event"].astype(int)
    frame.loc[0, "arm"] = 1 - frame.loc[0, "arm"]
    cohort = cohort_of(frame, [number("g0"), levels("arm", ["0", "1"])])
    model = learn("penalised", training(cohort, "death"))
    assert "arm" in model.kept and np.isfinite(model.risk(cohort.frame, [50.0])).all()
