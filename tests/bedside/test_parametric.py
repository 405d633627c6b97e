"""Parametric models: laws that hold for any data, censoring of every kind, and what cannot be fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import WeibullFitter
from scipy.optimize import minimize
from scipy.stats import norm

from bedside.errors import Fixable
from bedside.regression.data import CoxData, cox_data
from bedside.regression.parametric import fit_parametric
from bedside.regression.parametric_distributions import FAMILIES
from bedside.regression.parametric_likelihood import pieces
from bedside.regression.parametric_response import Response, between, right_censored
from bedside.regression.spline_hazard import default_knots, fit_spline_hazard, spline_basis
from bedside.survival import kaplan_meier

DISTRIBUTIONS = sorted(FAMILIES)


def made_up(n: int = 200, *, seed: int = 0, columns: int = 2, **asides: Any) -> CoxData:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    time = np.ceil(500 * rng.weibull(1.4, n) * np.exp(x @ np.full(columns, 0.3)))
    end = rng.uniform(50, 1500, n)
    return cox_data(x, np.minimum(time, np.ceil(end)), time <= end, **asides)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_derivatives_are_those_of_the_value(name: str) -> None:
    """First and second derivatives of every kind of censoring against central differences."""
    standard = FAMILIES[name].standard
    response = Response(
        np.array([0.3, 1.2, -0.5, 0.1, 1.4]), np.array([0.3, 1.2, -0.5, 0.9, 2.2]), np.array([0, 1, 2, 3, 3])
    )
    location, log_scale, h = np.array([0.5, 0.2, 0.1, 0.6, -1.0]), -0.3, 1e-5

    def at(shift: float, stretch: float) -> Any:
        return pieces(standard, response, location + shift, np.full(5, np.exp(log_scale + stretch)))

    here = at(0, 0)
    np.testing.assert_allclose(here.location, (at(h, 0).value - at(-h, 0).value) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(here.scale, (at(0, h).value - at(0, -h).value) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(here.location2, (at(h, 0).location - at(-h, 0).location) / (2 * h), atol=1e-7)
    np.testing.assert_allclose(here.mixed, (at(0, h).location - at(0, -h).location) / (2 * h), atol=1e-7)
    np.testing.assert_allclose(here.scale2, (at(0, h).scale - at(0, -h).scale) / (2 * h), atol=1e-7)


def test_exponential_without_columns_is_events_per_time() -> None:
    """The rate is events over follow-up, its log's variance one over events."""
    data = made_up(columns=0)
    fit = fit_parametric(data, "exponential")
    assert fit.coef[0] == pytest.approx(np.log(data.time.sum() / data.n_events), rel=1e-12)
    assert fit.variance[0, 0] == pytest.approx(1 / data.n_events, rel=1e-10)
    assert fit.loglik == pytest.approx(-data.n_events * (1 + np.log(data.time.sum() / data.n_events)), rel=1e-12)


def test_lognormal_of_seen_times_is_the_mean_of_their_logarithms() -> None:
    """Without censoring the estimates are the sample's own."""
    time = np.array([3.0, 8.0, 21.0, 55.0, 13.0])
    fit = fit_parametric(cox_data(np.empty((5, 0)), time, np.ones(5)), "lognormal")
    assert fit.coef[0] == pytest.approx(np.log(time).mean(), rel=1e-12)
    assert fit.scale[0] == pytest.approx(np.log(time).std(), rel=1e-12)
    assert fit.quantiles(np.empty((1, 0)), np.array([0.5]))[0][0, 0] == pytest.approx(np.exp(np.log(time).mean()))


@given(factor=st.floats(1e-3, 1e3), name=st.sampled_from(["exponential", "weibull", "lognormal", "loglogistic"]))
def test_another_unit_of_time_moves_the_intercept_alone(factor: float, name: Any) -> None:
    """Days or years: the same time ratios, scale and standard errors."""
    data = made_up(80)
    other = cox_data(data.x, data.time * factor, data.event)
    a, b = fit_parametric(data, name), fit_parametric(other, name)
    np.testing.assert_allclose(a.coef[1:], b.coef[1:], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(a.scale, b.scale, rtol=1e-8)
    assert b.coef[0] - a.coef[0] == pytest.approx(np.log(factor), abs=1e-8)


@pytest.mark.parametrize("name", ["weibull", "loglogistic", "gaussian"])
def test_a_weight_of_two_is_the_row_twice(name: Any) -> None:
    """Case weights count rows."""
    data, twice = made_up(60), np.arange(60) % 3 == 0
    weighted = fit_parametric(made_up(60, weights=np.where(twice, 2.0, 1.0)), name)
    copied = fit_parametric(data.take(np.concatenate([np.arange(60), np.flatnonzero(twice)])), name)
    np.testing.assert_allclose(weighted.coef, copied.coef, rtol=1e-9)
    np.testing.assert_allclose(weighted.variance, copied.variance, rtol=1e-8, atol=1e-14)
    assert weighted.loglik == pytest.approx(copied.loglik, rel=1e-12)


def test_delayed_entry_is_lifelines_too() -> None:
    """The Weibull with left truncation, against an independent library's maximum."""
    data = made_up(150, columns=0)
    entry = np.floor(np.random.default_rng(3).uniform(0, 0.7, 150) * data.time)
    ours = fit_parametric(cox_data(data.x, data.time, data.event, entry=entry), "weibull")
    theirs = WeibullFitter().fit(data.time, data.event, entry=entry)
    assert np.exp(ours.coef[0]) == pytest.approx(theirs.lambda_, rel=1e-4)
    assert 1 / ours.scale[0] == pytest.approx(theirs.rho_, rel=1e-4)
    assert ours.loglik >= theirs.log_likelihood_ - 1e-8


def test_a_split_patient_is_the_whole_one() -> None:
    """(0, t] cut in two at any time, the first part censored: the same likelihood, estimates and variance."""
    data = made_up(80)
    cut = np.floor(data.time / 2)
    cut = np.where(cut > 0, cut, data.time / 2)
    split = cox_data(
        np.vstack([data.x, data.x]),
        np.concatenate([cut, data.time]),
        np.concatenate([np.zeros(80), data.event]),
        entry=np.concatenate([np.zeros(80), cut]),
        cluster=np.tile(np.arange(80), 2),
    )
    for name in ("weibull", "lognormal"):
        whole, parts = fit_parametric(data, name, robust=True), fit_parametric(split, name)
        np.testing.assert_allclose(parts.coef, whole.coef, rtol=1e-8)
        np.testing.assert_allclose(parts.naive_variance, whole.naive_variance, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(parts.variance, whole.variance, rtol=1e-7, atol=1e-12)


def test_intervals_of_no_width_are_seen_times_and_open_ones_censored() -> None:
    """left = right was seen, right missing is censored on the right."""
    data = made_up(60)
    response = between(data.time, np.where(data.event, data.time, np.nan))
    a, b = fit_parametric(data, "weibull", response=response), fit_parametric(data, "weibull")
    np.testing.assert_array_equal(a.coef, b.coef)
    narrow = between(data.time * (1 - 1e-6), np.where(data.event, data.time * (1 + 1e-6), np.inf))
    np.testing.assert_allclose(fit_parametric(data, "weibull", response=narrow).coef, b.coef, rtol=1e-5, atol=1e-6)


def test_survival_intervals_hold_the_curve_and_stay_within_0_and_1() -> None:
    """Delta limits on the z scale; at the median time they are those of the quantile's z."""
    fit = fit_parametric(made_up(), "lognormal")
    times, x = np.array([0.0, 10.0, 300.0, 1e6]), np.array([[0.5, -1.0], [3.0, 3.0]])
    curve = fit.survival(x, times)
    low, high = fit.survival_interval(x, times)
    assert (low <= curve).all() and (curve <= high).all() and (low >= 0).all() and (high <= 1).all()
    assert (curve[:, 0] == 1).all() and (low[:, 0] == 1).all()
    time, se = fit.quantiles(x[:1], np.array([0.5]))
    reach = norm.ppf(0.975) * se[0, 0] / time[0, 0] / fit.scale[0]
    low, high = fit.survival_interval(x[:1], time[0])
    assert (low[0, 0], high[0, 0]) == (pytest.approx(norm.cdf(-reach)), pytest.approx(norm.cdf(reach)))


def test_a_weibull_is_one_of_proportional_hazards() -> None:
    """-coef / scale is the log hazard ratio: cumulative hazards have it at every time."""
    fit = fit_parametric(made_up(), "weibull")
    hazard = -np.log(fit.survival(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([20.0, 200.0, 2000.0])))
    ratios = fit.hazard_ratios()
    assert ratios is not None
    np.testing.assert_allclose(hazard[1] / hazard[0], ratios[0], rtol=1e-10)
    assert fit_parametric(made_up(), "lognormal").hazard_ratios() is None


@pytest.mark.parametrize(("scale", "name"), [("hazard", "weibull"), ("odds", "loglogistic"), ("normal", "lognormal")])
def test_a_spline_of_one_degree_is_the_plain_model(scale: Any, name: Any) -> None:
    """The same likelihood, AIC and curves, with delayed entry and weights."""
    rng = np.random.default_rng(1)
    base = made_up()
    data = cox_data(
        base.x,
        base.time,
        base.event,
        entry=np.floor(base.time * rng.uniform(0, 0.8, 200)),
        weights=rng.uniform(1, 2, 200),
    )
    plain, spline = fit_parametric(data, name), fit_spline_hazard(data, df=1, scale=scale)
    assert spline.aic == pytest.approx(plain.aic, rel=1e-11)
    x, times = data.x[:3], np.array([0.0, 30.0, 400.0, 5000.0])
    np.testing.assert_allclose(spline.survival(x, times), plain.survival(x, times), rtol=1e-7, atol=1e-12)
    for a, b in zip(spline.survival_interval(x, times), plain.survival_interval(x, times), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-10)


def test_a_spline_is_at_its_maximum_with_delayed_entry() -> None:
    """Nothing found by an independent search is more likely."""
    base = made_up(120, columns=1)
    entry = np.floor(base.time * 0.3)
    data = cox_data(base.x, base.time, base.event, entry=entry)
    fit = fit_spline_hazard(data, df=3)
    knots = default_knots(data.time, data.event, 3)

    def loss(coef: np.ndarray) -> float:
        basis, slope = spline_basis(np.log(data.time), knots)
        eta, rising = basis @ coef[:4] + data.x[:, 0] * coef[4], slope @ coef[:4]
        if (rising[data.event] <= 0).any():
            return 1e10
        late = entry > 0
        before = np.exp(spline_basis(np.log(entry[late]), knots)[0] @ coef[:4] + data.x[late, 0] * coef[4])
        dead = data.event
        value = (eta[dead] + np.log(rising[dead]) - np.log(data.time[dead])).sum() - np.exp(eta).sum() + before.sum()
        return -float(value)

    assert -loss(fit.coef) == pytest.approx(fit.loglik, rel=1e-12)
    found = minimize(loss, fit.coef + 0.01, method="Nelder-Mead", options={"maxiter": 4000, "fatol": 1e-10})
    assert -found.fun <= fit.loglik + 1e-7


def test_zero_times() -> None:
    """An event at 0 is named with its row and remedy; half a day answers; a censoring at 0 says nothing."""
    data = made_up(50)
    time, event = data.time.copy(), data.event.copy()
    time[[4, 9]] = 0
    event[[4, 9]] = True, False
    with pytest.raises(Fixable, match=r"Row 5 has the event at time 0") as refused:
        fit_parametric(cox_data(data.x, time, event), "weibull")
    assert "half a day" in refused.value.next_step
    moved = fit_parametric(cox_data(data.x, time, event), "weibull", zero_as=0.5)
    half = np.where(np.arange(50) == 4, 0.5, time)
    without = fit_parametric(cox_data(data.x, half, event).take(np.arange(50) != 9), "weibull")
    np.testing.assert_allclose(moved.coef, without.coef, rtol=1e-9)
    assert moved.n == 50
    assert fit_parametric(cox_data(data.x, time, event), "gaussian").n_events == int(event.sum())
    assert fit_spline_hazard(cox_data(data.x, half, event), df=2).n == 50


def test_what_cannot_be_fitted_is_said() -> None:
    """No events, too few, separation, wrong weights, entry after the end, all times equal, unknown names."""
    data = made_up(40)
    with pytest.raises(Fixable, match="No patient here had the event"):
        fit_parametric(cox_data(data.x, data.time, np.zeros(40)), "weibull")
    with pytest.raises(Fixable, match="seen 3 times, and there are 22 numbers"):
        wide = np.random.default_rng(0).normal(size=(40, 20))
        fit_parametric(cox_data(wide, data.time, np.arange(40) < 3), "weibull")
    level = (np.arange(40) % 4 == 0).astype(float)
    with pytest.raises(Fixable, match="None of the 10 patients with “Grade III” had the event"):
        fit_parametric(cox_data(level, data.time, data.event & (level == 0), names=("Grade III",)), "weibull")
    with pytest.raises(Fixable, match=r"None of the 30 patients with “Grade III \(reference level\)”"):
        fit_parametric(cox_data(level, data.time, data.event & (level == 1), names=("Grade III",)), "lognormal")
    with pytest.raises(Fixable, match="Row 3 has a weight"):
        fit_parametric(made_up(40, weights=np.where(np.arange(40) == 2, 0.0, 1.0)), "weibull")
    with pytest.raises(Fixable, match="rows 1, 2, 3, 4, 5 and 35 more"):
        fit_parametric(made_up(40, entry=np.full(40, 1e6)), "weibull")
    with pytest.raises(Fixable, match="rises without end"):
        fit_parametric(cox_data(np.empty((9, 0)), np.full(9, 5.0), np.ones(9)), "weibull")
    with pytest.raises(Fixable, match="too few different times"):
        fit_spline_hazard(cox_data(np.empty((6, 0)), np.array([1, 1, 1, 2, 2, 2.0]), np.ones(6)), df=3)
    with pytest.raises(Fixable, match="not known"):
        fit_parametric(data, "gompertz")  # type: ignore[arg-type]
    with pytest.raises(Fixable, match="Row 2 has an interval that ends before it begins"):
        between(np.array([1.0, 4.0]), np.array([2.0, 3.0]))
    with pytest.raises(Fixable, match="Row 1 has no follow-up time"):
        right_censored(np.array([np.nan, 2.0]), np.array([1, 0]))


def test_a_number_that_separates_is_named() -> None:
    """Everybody below a value had it by the visit, nobody above; without the number the fit is finite."""
    z = np.concatenate([np.linspace(-2, -1, 20), np.linspace(1, 2, 20)])
    time = np.concatenate([np.arange(10, 30), np.arange(4, 24)]).astype(float)
    with pytest.raises(Fixable, match="“Score” separates"):
        # Left-censored below, right-censored above: nothing bounds the slope.
        response = between(np.where(z < 0, np.nan, time), np.where(z < 0, time, np.nan))
        fit_parametric(cox_data(z, time, z < 0, names=("Score",)), "lognormal", response=response)


def test_columns_that_repeat_others_are_left_out_and_named() -> None:
    """The rest has the coefficients it has without them."""
    data = made_up(100)
    doubled = cox_data(
        np.column_stack([data.x, data.x.sum(axis=1), np.ones(100)]), data.time, data.event, names=("a", "b", "c", "d")
    )
    for fit in (fit_parametric(doubled, "weibull"), fit_spline_hazard(doubled, df=2)):
        assert [(each.name, set(each.made_of)) for each in fit.aliased] == [("c", {"a", "b"}), ("d", set())]
        assert fit.data.names == ("a", "b")
    np.testing.assert_allclose(fit_parametric(doubled, "weibull").coef, fit_parametric(data, "weibull").coef)


def test_the_exponential_meets_kaplan_meier_where_hazards_are_constant() -> None:
    """A sanity check of curves on 5,000 made-up patients."""
    rng = np.random.default_rng(2)
    time, end = rng.exponential(300, 5000), rng.uniform(100, 900, 5000)
    data = cox_data(np.empty((5000, 0)), np.minimum(time, end), time <= end)
    fit = fit_parametric(data, "exponential")
    observed = kaplan_meier(data.time, data.event)
    gap = np.abs(fit.survival(np.empty((1, 0)), observed.time)[0] - observed.survival)
    assert gap[observed.time < 700].max() < 0.03
