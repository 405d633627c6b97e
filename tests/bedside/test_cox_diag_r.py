"""Whatever follows a Cox fit equals R's, on counting processes, strata, weights, clusters, offsets and factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.regression.baseline import baseline_hazard
from bedside.regression.curves import linear_predictor, predicted_curves
from bedside.regression.residuals import residuals
from bedside.regression.zph import check_proportional
from tests.bedside.cox_diag_cases import CASES

WITH_PATIENTS = [name for name in CASES if name != "veteran_constant_in_stratum"]
WITH_RESIDUALS = [
    "heart_efron",
    "heart_interaction_breslow",
    "veteran_two_strata",
    "veteran_constant_in_stratum",
    "veteran_weights_late_strata",
    "cgd_cluster_strata_weights",
]


@pytest.fixture(scope="module")
def fitted(reference_frame):
    made = {}

    def get(name):
        if name not in made:
            rows = CASES[name].rows(reference_frame)
            made[name] = (CASES[name].fit(rows), rows)
        return made[name]

    return get


@pytest.fixture(scope="module")
def told(r):
    return lambda name: r("16_cox_diagnostics")["models"][name]


@pytest.mark.parametrize("name", CASES)
def test_fit(name, fitted, told, same):
    fit, _ = fitted(name)
    same(fit.coef, told(name)["coef"])
    same(fit.means, told(name)["means"])


@pytest.mark.parametrize("name", CASES)
def test_proportional_hazards(name, fitted, told, same):
    fit, _ = fitted(name)
    for scale, theirs in told(name)["cox_zph"].items():
        if not theirs:
            continue
        ours = check_proportional(fit, scale)
        same([*ours.chisq, ours.overall.statistic], theirs["chisq"])
        same([*ours.df, ours.overall.df], theirs["df"])
        same([*ours.p, ours.overall.p], theirs["p"])


@pytest.mark.parametrize("name", CASES)
def test_baseline_hazard(name, fitted, r, same):
    ours = baseline_hazard(fitted(name)[0])
    theirs = r("16_cox_diagnostics")["baseline"][name]
    same(ours.time, theirs["time"])
    same(ours.uncentred, theirs["cumhaz_uncentered"])
    same(ours.centred, theirs["cumhaz_centered"])


@pytest.mark.parametrize("name", WITH_RESIDUALS)
def test_residuals(name, fitted, told):
    ours = residuals(fitted(name)[0])
    pairs = {
        "martingale": ours.martingale,
        "deviance": ours.deviance,
        "score": ours.score,
        "dfbeta": ours.dfbeta,
        "dfbetas": ours.dfbetas,
        "schoenfeld": ours.schoenfeld.raw,
        "scaled_schoenfeld": ours.schoenfeld.scaled,
    }
    for kind, values in pairs.items():
        theirs = told(name)["residuals"][kind]
        theirs = np.array(theirs["matrix"] if isinstance(theirs, dict) else theirs, dtype=float)
        np.testing.assert_allclose(values, theirs, rtol=1e-8, atol=1e-12, err_msg=kind)


@pytest.mark.parametrize("name", WITH_PATIENTS)
def test_predicted_curves(name, fitted, told, same):
    fit, rows = fitted(name)
    theirs = told(name)
    patients = CASES[name].patients(pd.DataFrame(theirs["newdata"]), rows)
    same(linear_predictor(fit, patients), theirs["pred_lp_centered"])
    if theirs.get("pred_lp_zero"):
        same(linear_predictor(fit, patients, reference="zero"), theirs["pred_lp_zero"])
    for interval in ("log", "log-log", "plain"):
        ours = predicted_curves(fit, patients, interval=interval)
        for i, patient in enumerate(theirs["curves"]):
            mine = [curve for curve in ours if curve.patient == i]
            block = patient[interval]
            points = [curve.at(block["times"]) for curve in mine]
            same(np.concatenate([part.survival for part in points]), block["surv"])
            same(np.concatenate([part.std_err for part in points]), block["std_err"])
            same(np.concatenate([part.cumulative_hazard for part in points]), block["cumhaz"])
            same(np.concatenate([part.lower for part in points]), block["lower"], atol=1e-12)
            same(np.concatenate([part.upper for part in points]), block["upper"], atol=1e-12)
            if len(mine) == 1:
                median = mine[0].quantile(0.5)
                same([*median], [block["median"], block["median_lower"], block["median_upper"]])
                quarters = [mine[0].quantile(p).estimate for p in (0.25, 0.75)]
                same(quarters, [block["q25"], block["q75"]])
