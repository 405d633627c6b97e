"""What must hold after any Cox fit, however odd the cohort: laws of the residuals, and answers at the edges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.errors import Fixable
from bedside.regression import Ridge, cox_data
from bedside.regression.baseline import baseline_hazard, baselines
from bedside.regression.cox import fit_cox
from bedside.regression.curves import Patients, predicted_curves
from bedside.regression.influence import influence
from bedside.regression.residuals import residuals
from bedside.regression.smooth import functional_form
from bedside.regression.zph import check_proportional


def cohort(seed, n=60, *, p=2, strata=0, entry=False, weights=False, times=12):
    rng = np.random.default_rng(seed)
    time = rng.integers(1, times + 1, n).astype(float)
    return cox_data(
        rng.normal(size=(n, p)),
        time,
        rng.random(n) < 0.7,
        strata=rng.integers(0, strata, n) if strata else None,
        entry=np.floor(time * rng.random(n) * 0.9) if entry else None,
        weights=rng.integers(1, 4, n).astype(float) if weights else None,
    )


COHORTS = st.builds(
    cohort,
    st.integers(0, 10_000),
    strata=st.sampled_from((0, 3)),
    entry=st.booleans(),
    weights=st.booleans(),
    times=st.sampled_from((3, 12, 400)),
)


@settings(max_examples=60, deadline=None)
@given(COHORTS, st.sampled_from(("efron", "breslow")))
def test_laws_of_the_residuals(data, ties):
    fit = fit_cox(data, ties=ties)
    found = residuals(fit)
    weights = np.ones(len(data)) if data.weights is None else data.weights
    assert weights @ found.martingale == pytest.approx(0, abs=1e-9)
    assert (found.martingale <= data.event + 1e-12).all()
    clear = np.abs(found.martingale) > 1e-6
    assert (np.sign(found.deviance) == np.sign(found.martingale))[clear].all()
    np.testing.assert_allclose(weights @ found.score, 0, atol=1e-3)
    if data.weights is None or ties == "breslow":  # with Efron's ties each of the tied has their mean weight
        own = weights[found.schoenfeld.row] @ found.schoenfeld.raw
        np.testing.assert_allclose(own, weights @ found.score, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(COHORTS, st.integers(0, 99))
def test_the_order_of_rows_says_nothing(data, seed):
    turn = np.random.default_rng(seed).permutation(len(data))
    ours, turned = fit_cox(data), fit_cox(data.take(turn))
    found, there = residuals(ours), residuals(turned)
    np.testing.assert_allclose(found.martingale[turn], there.martingale, atol=1e-9)
    np.testing.assert_allclose(found.score[turn], there.score, atol=1e-8)
    np.testing.assert_allclose(baseline_hazard(ours).centred, baseline_hazard(turned).centred, rtol=1e-9)
    here, away = (check_proportional(fit, "rank") for fit in (ours, turned))
    np.testing.assert_allclose(here.chisq, away.chisq, rtol=1e-7)
    assert here.overall.statistic == pytest.approx(away.overall.statistic, rel=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_a_whole_weight_is_that_many_patients(seed, entry):
    """With Breslow's ties, a weight of 3 is three times the same row."""
    data = cohort(seed, weights=True, entry=entry, strata=2)
    one = fit_cox(data, ties="breslow", robust=False)
    many = cohort_of_copies(data)
    copies = fit_cox(many, ties="breslow", robust=False)
    np.testing.assert_allclose(one.coef, copies.coef, rtol=1e-9)
    np.testing.assert_allclose(baseline_hazard(one).uncentred, baseline_hazard(copies).uncentred, rtol=1e-9)
    patients = Patients(np.array([[0.3, -1.0]]))
    for ours, theirs in zip(predicted_curves(one, patients), predicted_curves(copies, patients), strict=True):
        np.testing.assert_allclose(ours.curve.lower, theirs.curve.lower, rtol=1e-8)
        np.testing.assert_allclose(ours.curve.at_risk, theirs.curve.at_risk)


def cohort_of_copies(data):
    copied = data.take(np.repeat(np.arange(len(data)), data.weights.astype(int)))
    return cox_data(
        copied.x,
        copied.time,
        copied.event,
        entry=copied.entry,
        strata=copied.strata,
    )


@settings(max_examples=40, deadline=None)
@given(COHORTS)
def test_hazards_add_up_to_the_events(data):
    """Over the follow-up of all rows, events expected are events seen; a risk set counted by hand agrees."""
    fit = fit_cox(data, ties="breslow")
    for base in baselines(fit):
        rows = np.flatnonzero(
            np.zeros(len(data), int) == base.code if data.strata is None else data.strata == base.code
        )
        weights = np.ones(len(rows)) if data.weights is None else data.weights[rows]
        risk = weights * np.exp(fit.linear_predictor[rows])
        entry = np.full(len(rows), -1.0) if data.entry is None else data.entry[rows]
        for t, (before, after) in zip(base.time, pairwise(np.r_[0.0, base.cumulative]), strict=True):
            here = (entry < t) & (data.time[rows] >= t)
            died = weights[(data.time[rows] == t) & data.event[rows]].sum()
            assert after - before == pytest.approx(died / risk[here].sum(), rel=1e-8, abs=1e-12)


def test_all_deaths_at_one_time():
    """Nothing can change over time: no degrees of freedom, no p, no curve, and no stop."""
    data = cohort(1)
    data = cox_data(data.x, np.where(data.event, 5.0, data.time), data.event)
    checked = check_proportional(fit_cox(data), "identity")
    assert [test.df for test in (*checked.tests, checked.overall)] == [0, 0, 0]
    assert np.isnan(checked.p).all()
    assert not len(checked.series[0].smooth)


def test_a_logarithm_wants_events_after_zero():
    data = cohort(2)
    time = data.time.copy()
    time[np.flatnonzero(~data.event)[:2]] = 0
    censored = check_proportional(fit_cox(cox_data(data.x, time, data.event)), "log")
    assert np.isfinite(censored.p).all()
    time[np.flatnonzero(data.event)[0]] = 0
    with pytest.raises(Fixable, match="1 event is at a time of 0"):
        check_proportional(fit_cox(cox_data(data.x, time, data.event)), "log")


def test_no_such_time_scale():
    with pytest.raises(Fixable, match="km, identity"):
        check_proportional(fit_cox(cohort(3)), "days")


def test_a_stratum_of_one_and_strata_without_events():
    data = cohort(4)
    strata = np.zeros(len(data), dtype=int)
    strata[0], strata[~data.event] = 1, 2
    fit = fit_cox(cox_data(data.x, data.time, data.event, strata=strata))
    found = residuals(fit)
    assert (found.martingale[~data.event & (strata == 2)] == 0).all()
    none = predicted_curves(fit, Patients(np.zeros((1, 2)), np.array([2])))[0]
    assert (none.curve.survival == 1).all()
    assert np.isnan(none.quantile(0.5).estimate)
    assert np.isfinite(check_proportional(fit).p).all()


def test_500_strata():
    rng = np.random.default_rng(5)
    n = 3000
    data = cox_data(
        rng.normal(size=(n, 2)),
        rng.integers(1, 300, n).astype(float),
        rng.random(n) < 0.5,
        strata=rng.integers(0, 500, n),
    )
    fit = fit_cox(data)
    assert len(baselines(fit)) == len(np.unique(data.strata))
    assert np.isfinite(check_proportional(fit).p).all()
    assert residuals(fit).martingale.sum() == pytest.approx(0, abs=1e-8)


def test_no_curve_in_a_stratum_that_is_not_there():
    fit = fit_cox(cohort(6, strata=2))
    with pytest.raises(Fixable, match="that stratum"):
        predicted_curves(fit, Patients(np.zeros((1, 2)), np.array([7])))


def test_a_curve_from_time_zero_on():
    """An event at time 0 is a second row there, so that the curve still starts at 1."""
    data = cohort(7)
    time = data.time.copy()
    time[np.flatnonzero(data.event)[0]] = 0
    curve = predicted_curves(fit_cox(cox_data(data.x, time, data.event)), Patients(np.zeros((1, 2))))[0]
    assert list(curve.curve.time[:2]) == [0, 0]
    assert curve.curve.survival[0] == 1 > curve.curve.survival[1] == curve.at(0).survival[0]


def test_huge_linear_predictors_do_not_overflow():
    data = cohort(8, n=200, times=400)
    fit = fit_cox(cox_data(data.x, data.time, data.event, offset=600 + 2 * data.x[:, 0]))
    found = residuals(fit)
    assert np.isfinite(found.score).all()
    assert found.martingale.sum() == pytest.approx(0, abs=1e-6)


def test_two_patients():
    fit = fit_cox(cox_data(np.array([0.2, 0.1, 0.3]), np.array([1.0, 2.0, 3.0]), np.array([True, True, False])))
    assert influence(fit).n == 3
    assert functional_form(fit, np.array([1.0, 2.0, np.nan])).value.tolist() == [1, 2]
    with pytest.raises(Fixable, match="same value"):
        functional_form(fit, np.array([1.0, np.nan, 1.0]))


def test_a_weak_ridge_changes_the_test_little():
    data = cohort(9, n=300, times=400)
    plain = check_proportional(fit_cox(data))
    held = check_proportional(fit_cox(data, ridge=Ridge(1e-3)))
    np.testing.assert_allclose(held.chisq, plain.chisq, rtol=1e-3)
    assert list(held.df) == list(plain.df) == [1, 1]
    strong = check_proportional(fit_cox(data, ridge=Ridge(50.0)))
    assert np.isfinite(strong.p).all()
