"""Smooth curves after a Cox fit, and influence, against R's numbers and against leaving patients out."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.errors import Fixable
from bedside.regression import cox_data
from bedside.regression.cox import fit_cox
from bedside.regression.influence import influence
from bedside.regression.smooth import functional_form, hazard_ratio_curve, lowess, nonlinearity
from bedside.regression.zph import check_proportional
from tests.bedside.cox_diag_cases import CASES, CELL, LARGE, Case, by_celltype, columns

SERIES = {
    "veteran_km": (Case("diag_veteran", CELL | columns("karno", "age")), "km"),
    "veteran_log": (Case("diag_veteran", CELL | columns("karno", "age")), "log"),
    "veteran_strata": (Case("diag_veteran", columns("trt") | LARGE, strata=by_celltype), "identity"),
    "heart_rank": (Case("diag_heart", columns("age", "year"), end="stop", event="event", entry="start"), "rank"),
}


@pytest.fixture(scope="module")
def diagnostics(r):
    return r("16_cox_diagnostics")


@pytest.fixture
def veteran(reference_frame):
    return reference_frame("diag_veteran")


@pytest.mark.parametrize("name", SERIES)
def test_beta_over_time(name, reference_frame, diagnostics, same):
    case, scale = SERIES[name]
    checked = check_proportional(case.fit(case.rows(reference_frame)), scale, level=0.95)
    z = 1.959963984540054
    for ours, theirs in zip(checked.series, diagnostics["beta_over_time"][name], strict=True):
        # Tied deaths of a counting process come in another order there.
        mine, wanted = (
            np.lexsort((np.round(beta, 9), at))
            for beta, at in ((ours.beta, ours.scaled_time), (np.array(theirs["beta"]), np.array(theirs["x"])))
        )
        same(ours.beta[mine], np.array(theirs["beta"])[wanted].tolist())
        same(ours.scaled_time[mine], np.array(theirs["x"])[wanted].tolist())
        same(ours.smooth_scaled, theirs["at"])
        same(ours.smooth, theirs["smooth"])
        same((ours.upper - ours.smooth) / z, theirs["se"])
        assert ours.smooth_time[0] <= ours.time.min()
        assert ours.smooth_time[-1] >= ours.time.max()


@pytest.mark.parametrize("name", ["karno", "age", "age_narrow", "age_plain"])
def test_lowess_of_martingale_residuals(name, veteran, diagnostics, same):
    fit = Case("diag_veteran", columns("trt")).fit(veteran)
    values = veteran[name.split("_")[0]].to_numpy(float)
    theirs = diagnostics["lowess"][name]
    if name == "karno":
        form = functional_form(fit, values)
        place = np.unique(theirs["x"], return_index=True)[1]
        same(form.smooth_value, np.array(theirs["x"])[place].tolist())
        same(form.smooth, np.array(theirs["y"])[place].tolist())
    residual = functional_form(fit, values).residual
    x, y = lowess(
        values, residual, share=0.3 if name == "age_narrow" else 2 / 3, iterations=0 if name == "age_plain" else 3
    )
    same(x, theirs["x"])
    same(y, theirs["y"])


def test_lowess_with_joined_lines(diagnostics, same):
    theirs = diagnostics["lowess"]["many"]
    x, y = lowess(np.array(theirs["input_x"]), np.array(theirs["input_y"]))
    same(x, theirs["x"])
    same(y, theirs["y"])


def test_lowess_on_a_line_is_the_line():
    x = np.linspace(0, 5, 60)
    np.testing.assert_allclose(lowess(x, 3 - 2 * x)[1], 3 - 2 * x, atol=1e-12)


def basis(knots):
    low, mid, high = knots

    def columns_of(x):
        p = lambda u: np.maximum(u, 0) ** 3  # noqa: E731
        bent = p(x - low) - p(x - mid) * (high - low) / (high - mid) + p(x - high) * (mid - low) / (high - mid)
        return np.column_stack((x, bent / (high - low) ** 2))

    return columns_of


def spline_fit(veteran, turned=None):
    make = basis(np.quantile(veteran["karno"], (0.1, 0.5, 0.9)))
    x = np.column_stack((make(veteran["karno"].to_numpy(float)), veteran["age"]))
    x = x if turned is None else np.column_stack((x[:, :2] @ turned, x[:, 2]))
    return fit_cox(cox_data(x, veteran["time"], veteran["status"] == 1)), make


def test_hazard_ratio_along_a_spline(veteran, diagnostics, same):
    theirs = diagnostics["spline"]
    fit, make = spline_fit(veteran)
    same(fit.coef, theirs["coef"])
    ours = hazard_ratio_curve(fit, [0, 1], make, values=np.array(theirs["at"]), reference=theirs["reference"])
    same(ours.hazard_ratio, theirs["hr"])
    same(ours.lower, theirs["lower"])
    same(ours.upper, theirs["upper"])
    at = list(ours.value).index(60)
    assert (ours.hazard_ratio[at], ours.lower[at], ours.upper[at]) == (1, 1, 1)


def test_nonlinearity(veteran, diagnostics, same):
    found = nonlinearity(spline_fit(veteran)[0], [0, 1], veteran["karno"].to_numpy(float))
    same(found.wald.statistic, diagnostics["spline"]["wald_nonlinear"])
    same(found.likelihood_ratio.statistic, diagnostics["spline"]["lr_nonlinear"])
    assert found.wald.df == found.likelihood_ratio.df == 1


def test_nonlinearity_does_not_hang_on_the_basis(veteran, diagnostics, same):
    turned = spline_fit(veteran, np.array([[1.0, 0.3], [-2.0, 0.7]]))[0]
    found = nonlinearity(turned, [0, 1], veteran["karno"].to_numpy(float))
    same(found.wald.statistic, diagnostics["spline"]["wald_nonlinear"], rtol=1e-6)


def test_no_test_of_a_straight_line(veteran):
    fit = Case("diag_veteran", columns("karno", "age")).fit(veteran)
    with pytest.raises(Fixable, match="straight line"):
        nonlinearity(fit, [0], veteran["karno"].to_numpy(float))


def test_displacement(veteran, diagnostics, same):
    fit = Case("diag_veteran", columns("trt", "karno", "age")).fit(veteran)
    same(influence(fit).displacement, diagnostics["displacement"]["veteran"])


def test_influential_patients_move_the_fit_as_told(veteran):
    """Refitting without the patient is the truth that one step comes near."""
    fit = Case("diag_veteran", columns("trt", "karno", "age")).fit(veteran)
    found = influence(fit, most=5)
    assert found.threshold == pytest.approx(0.2)
    assert found.n_beyond == (np.abs(found.dfbetas).max(axis=1) > 0.2).sum() > 0
    sizes = [abs(patient.dfbetas) for patient in found.patients]
    assert sizes == sorted(sizes, reverse=True)
    for patient in found.patients:
        keep = np.ones(len(veteran), dtype=bool)
        keep[list(patient.rows)] = False
        without = fit_cox(fit.data.take(keep))
        j = fit.data.names.index(patient.column)
        moved = (fit.coef[j] - without.coef[j]) / fit.naive_se[j]
        assert moved == pytest.approx(patient.dfbetas, rel=0.35)
        assert np.sign(patient.hazard_ratio - patient.without) == np.sign(moved)


def test_several_rows_of_one_patient_are_one(reference_frame):
    case = CASES["cgd_cluster"]
    rows = case.rows(reference_frame)
    fit = case.fit(rows)
    found = influence(fit, patient=rows["id"].to_numpy(), most=3)
    assert found.n == rows["id"].nunique()
    for patient in found.patients:
        who = rows.loc[list(patient.rows), "id"]
        assert who.nunique() == 1
        assert len(who) == (rows["id"] == who.iloc[0]).sum()


def test_rows_are_named_by_their_place_in_the_table(veteran):
    fit = Case("diag_veteran", columns("karno")).fit(veteran)
    part = fit_cox(fit.data.take(np.arange(len(veteran)) >= 30))
    assert min(row for patient in influence(part, most=107).patients for row in patient.rows) == 30


def test_influence_wants_one_patient_a_row(veteran):
    fit = Case("diag_veteran", columns("karno")).fit(veteran)
    with pytest.raises(Fixable, match="137 rows"):
        influence(fit, patient=np.arange(5))
