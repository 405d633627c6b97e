"""Cox models: what must hold whatever the data, and what is said where there is no answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.errors import Fixable
from bedside.regression import CoxData, Ridge, cox_data, fit_cox
from bedside.regression.exact import exact_partial
from bedside.regression.likelihood import partial
from bedside.regression.timevarying import split_at


def made_up(n: int = 200, seed: int = 1, p: int = 3) -> CoxData:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    follow_up = np.ceil(rng.exponential(20 * np.exp(-0.5 * x[:, 0])))
    return cox_data(x, follow_up, rng.random(n) < 0.6)


def levels(codes: np.ndarray, k: int) -> np.ndarray:
    return (codes[:, None] == np.arange(1, k)[None, :]).astype(float)


def test_likelihood_by_hand():
    """Three patients and two events: the partial likelihood is e^(2b)/(e^(2b)+e^b+1) times e^b/(e^b+1)."""
    data = cox_data(np.array([2.0, 1.0, 0.0]), np.array([1.0, 2.0, 3.0]), np.array([True, True, False]))
    value, gradient, _ = partial(data, data.x, "efron").derivatives(np.array([0.3]))
    weight = np.exp(0.3 * np.array([2, 1, 0]))
    assert value == pytest.approx(np.log(weight[0] / weight.sum()) + np.log(weight[1] / weight[1:].sum()), rel=1e-14)
    expected = 2 - (weight @ [2, 1, 0]) / weight.sum() + 1 - weight[1] / weight[1:].sum()
    assert gradient[0] == pytest.approx(expected, rel=1e-14)


def test_ties_by_hand():
    """Two tied events among three: Efron takes half of each out of the second term, Breslow none."""
    data = cox_data(np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 2.0]), np.array([True, True, False]))
    w = np.exp(0.7)
    efron, breslow = (partial(data, data.x, ties).derivatives(np.array([0.7]))[0] for ties in ("efron", "breslow"))
    assert efron == pytest.approx(0.7 - np.log(w + 2) - np.log((w + 1) / 2 + 1), rel=1e-14)
    assert breslow == pytest.approx(0.7 - 2 * np.log(w + 2), rel=1e-14)


def test_exact_ties_count_every_way():
    """Three of six at one time: the likelihood is that of the three among all 20 threes of the six."""
    rng = np.random.default_rng(6)
    x, event = rng.normal(size=(8, 2)), np.array([True, False, True, False, False, True, False, True])
    follow_up = np.array([2.0, 2.0, 2.0, 3.0, 4.0, 2.0, 1.0, 1.0])
    data, beta = cox_data(x, follow_up, event), np.array([0.5, -0.8])
    risk = np.exp(x @ beta)
    threes = sum(np.prod(risk[list(those)]) for those in combinations([0, 1, 2, 3, 4, 5], 3))
    expected = np.log(np.prod(risk[[0, 2, 5]]) / threes) + np.log(risk[7] / risk.sum())
    likelihood = exact_partial(data, x)
    value, gradient, information = likelihood.derivatives(beta)
    assert value == pytest.approx(expected, rel=1e-13)
    for j, step in enumerate(np.eye(2) * 1e-5):
        up, down = likelihood.derivatives(beta + step), likelihood.derivatives(beta - step)
        assert (up[0] - down[0]) / 2e-5 == pytest.approx(gradient[j], rel=1e-7)
        np.testing.assert_allclose((down[1] - up[1]) / 2e-5, information[j], rtol=1e-6)


def test_without_ties_all_treatments_agree():
    data = replace(made_up(70), time=np.random.default_rng(9).permutation(70) + 1.0)
    fits = [fit_cox(data, ties=ties) for ties in ("efron", "breslow", "exact")]
    for fit in fits[1:]:
        np.testing.assert_allclose(fit.coef, fits[0].coef, rtol=1e-10)
        np.testing.assert_allclose(fit.variance, fits[0].variance, rtol=1e-9)


@pytest.mark.parametrize("change", [{"weights": np.ones(80)}, {"entry": np.full(80, -1.0)}, {"cluster": np.arange(80)}])
def test_exact_ties_say_what_they_can_not(change):
    with pytest.raises(Fixable, match="Efron"):
        fit_cox(replace(made_up(80), **change), ties="exact")


def test_a_ridge_shares_what_two_columns_say_together():
    data = made_up(100, p=1)
    twice = fit_cox(cox_data(np.repeat(data.x, 2, axis=1), data.time, data.event), ridge=Ridge(2.0))
    assert twice.coef[0] == pytest.approx(twice.coef[1], rel=1e-9)
    assert twice.coef.sum() == pytest.approx(fit_cox(data, ridge=Ridge(1.0)).coef[0], rel=1e-7)


def test_derivatives_are_those_of_the_value():
    data = replace(
        made_up(60),
        entry=np.random.default_rng(2).uniform(-5, 0.5, 60),
        strata=np.arange(60) % 3,
        weights=1 + np.arange(60) % 4 / 2,
    )
    for ties in ("efron", "breslow"):
        likelihood = partial(data, data.x, ties)
        beta, h = np.array([0.4, -0.3, 0.1]), 1e-5
        _, gradient, information = likelihood.derivatives(beta)
        for j, step in enumerate(np.eye(3) * h):
            up, down = likelihood.derivatives(beta + step), likelihood.derivatives(beta - step)
            assert (up[0] - down[0]) / (2 * h) == pytest.approx(gradient[j], rel=1e-6, abs=1e-6)
            np.testing.assert_allclose((down[1] - up[1]) / (2 * h), information[j], rtol=1e-6, atol=1e-6)
        linear = data.x @ beta
        np.testing.assert_allclose(data.weights @ likelihood.scores(linear), gradient, rtol=1e-9, atol=1e-9)


@given(seed=st.integers(0, 10_000), ties=st.sampled_from(["efron", "breslow"]))
@settings(max_examples=25)
def test_cutting_follow_up_changes_nothing(seed, ties):
    """A row cut into intervals counts as the row itself: start and stop instead of one long time."""
    data = made_up(80, seed)
    whole = fit_cox(data, ties=ties)
    cut, interval = split_at(data, [3.0, 10.0, 25.0])
    assert cut.n_events == data.n_events and len(cut) > len(data)
    assert ((cut.entry >= 0) & (cut.entry < cut.time)).all() and interval.max() <= 3
    parts = fit_cox(cut, ties=ties)
    np.testing.assert_allclose(parts.coef, whole.coef, rtol=1e-8, atol=1e-10)
    assert parts.loglik == pytest.approx(whole.loglik, rel=1e-11)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_whole_weights_are_copies_with_breslow_ties(seed):
    data = made_up(60, seed)
    copies = np.random.default_rng(seed).integers(1, 4, 60)
    weighted = fit_cox(replace(data, weights=copies.astype(float)), ties="breslow", robust=False)
    repeated = fit_cox(data.take(np.repeat(np.arange(60), copies)), ties="breslow")
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(weighted.variance, repeated.variance, rtol=1e-8)


@given(seed=st.integers(0, 10_000), scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3))
@settings(max_examples=25)
def test_units_do_not_matter(seed, scale, shift):
    data = made_up(80, seed)
    moved = replace(data, x=data.x * scale + shift * scale)
    plain, other = fit_cox(data), fit_cox(moved)
    np.testing.assert_allclose(other.coef * scale, plain.coef, rtol=1e-6, atol=1e-9)
    assert other.loglik == pytest.approx(plain.loglik, rel=1e-9)
    assert other.iterations == plain.iterations


def test_clusters_of_one_are_the_plain_sandwich_and_each_cluster_counts_once():
    data = made_up(100)
    by_row = fit_cox(data, robust=True)
    alone = fit_cox(replace(data, cluster=np.arange(100)[::-1]))
    np.testing.assert_allclose(alone.variance, by_row.variance, rtol=1e-12)
    twice = data.take(np.tile(np.arange(100), 2))
    together = fit_cox(replace(twice, cluster=twice.rows), ties="breslow")
    np.testing.assert_allclose(together.variance, fit_cox(data, ties="breslow", robust=True).variance, rtol=1e-6)


def test_a_column_made_of_others_is_left_out_and_named():
    data = made_up(120, p=2)
    x = np.column_stack([data.x, data.x.sum(axis=1), np.full(120, 3.0)])
    fit = fit_cox(cox_data(x, data.time, data.event, names=("Age", "Size", "Sum", "Same")))
    assert fit.data.names == ("Age", "Size")
    assert [(a.name, a.made_of) for a in fit.aliased] == [("Sum", ("Age", "Size")), ("Same", ())]
    np.testing.assert_allclose(fit.coef, fit_cox(data).coef, rtol=1e-9)


def test_a_level_without_events_is_named():
    data, codes = made_up(200), np.arange(200) % 4
    event = data.event & (codes != 3)
    names = ("Stage: II against I", "Stage: III against I", "Stage: IV against I")
    with pytest.raises(Fixable) as stop:
        fit_cox(cox_data(levels(codes, 4), data.time, event, names=names))
    assert "separation" in stop.value.what
    assert stop.value.why == "None of the 50 with “Stage: IV against I” had the event."
    assert "ridge" in stop.value.next_step and "Merge" in stop.value.next_step


def test_a_reference_without_events_is_named():
    data, codes = made_up(200), np.arange(200) % 4
    event = data.event & (codes != 0)
    with pytest.raises(Fixable) as stop:
        fit_cox(cox_data(levels(codes, 4), data.time, event, assign=(0, 0, 0), terms=("Stage",)))
    assert stop.value.why == "No patient at the reference level of “Stage” had the event."


def test_a_number_that_orders_all_events_is_named():
    """Each event has the largest value of those at risk, though no value stands out."""
    x = np.random.default_rng(4).normal(size=50)
    follow_up = np.argsort(np.argsort(-x)) + 1.0
    with pytest.raises(Fixable) as stop:
        fit_cox(cox_data(x, follow_up, np.ones(50, dtype=bool), names=("Marker",)))
    assert "“Marker”" in stop.value.why and "Merge" not in stop.value.next_step


def test_two_columns_that_separate_only_together_are_both_named():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(80, 3))
    follow_up = np.argsort(np.argsort(-(x[:, 0] + x[:, 1]))) + 1.0
    with pytest.raises(Fixable) as stop:
        fit_cox(cox_data(x, follow_up, np.ones(80, dtype=bool), names=("A", "B", "C")))
    assert "“A”" in stop.value.why and "“B”" in stop.value.why


def test_nearly_separated_is_answered():
    """One event at the level is enough for a finite hazard ratio, as is a marker that nearly orders all events."""
    data, codes = made_up(200), np.arange(200) % 4
    event = data.event & (codes != 3)
    event[3] = True
    fit = fit_cox(cox_data(levels(codes, 4), data.time, event))
    assert -6 < fit.coef[2] < -1 and 0.9 < fit.se[2] < 1.2
    x = np.random.default_rng(3).normal(size=400)
    follow_up = np.argsort(np.argsort(-x)) + 6 * np.random.default_rng(5).normal(size=400)
    strong = fit_cox(cox_data(x, follow_up - follow_up.min(), np.ones(400, dtype=bool)))
    assert strong.coef[0] > 10 and abs(strong.coef[0]) / strong.se[0] > 15


@given(seed=st.integers(0, 2_000))
@settings(max_examples=60)
def test_an_answer_is_a_maximum_and_a_refusal_has_none(seed):
    """Small rough data: where there is an answer its gradient is 0; where none, the likelihood rises on and on."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 14))
    data = cox_data(rng.integers(0, 3, n).astype(float), rng.integers(1, 5, n).astype(float), rng.random(n) < 0.6)
    try:
        fit = fit_cox(data)
    except Fixable:
        values = [partial(data, data.x, "efron").derivatives(np.array([b]))[0] for b in (-30.0, -15.0, 15.0, 30.0)]
        rises = values[0] >= values[1] - 1e-6 or values[3] >= values[2] - 1e-6
        assert rises or not data.n_events
        return
    _, gradient, information = partial(data, data.x, "efron").derivatives(fit.coef)
    assert abs(gradient[0]) < 1e-3 * np.sqrt(information[0, 0]) + 1e-6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": np.r_[0.0, -1.0, np.ones(98)]}, "2 rows have a weight that is not above 0 (row 1, 2)"),
        ({"entry": np.r_[np.zeros(99), 1e6]}, "Row 100 has an entry at or after the end of follow-up"),
        ({"event": np.zeros(100, dtype=bool)}, "None of the 100 patients had the event"),
        ({"event": np.arange(100) < 2}, "2 events can't support 3 coefficients"),
        ({"x": np.ones((100, 3))}, "do not differ among the patients who were at risk"),
        ({"x": np.full((100, 3), np.nan)}, "100 rows have no finite value of x1"),
    ],
)
def test_what_can_not_be_fitted_is_said(change, said):
    with pytest.raises(Fixable) as stop:
        fit_cox(replace(made_up(100), **change))
    assert said in str(stop.value)


def test_three_events_and_twenty_variables():
    """Refused with the reason; a ridge answers."""
    data = replace(made_up(300, p=20), event=np.arange(300) < 3)
    with pytest.raises(Fixable, match="3 events can't support 20 coefficients"):
        fit_cox(data)
    light, heavy = (fit_cox(data, ridge=Ridge(theta)) for theta in (1.0, 100.0))
    assert 0 < heavy.df < light.df < 20
    assert np.abs(heavy.coef).max() < 0.05 < np.abs(light.coef).max() < 2


@pytest.mark.parametrize("when", [1.0, 0.0])
def test_all_times_equal(when):
    """Everybody at once: Efron's likelihood has an answer, and it is that of the same ties at any other time."""
    data = made_up(50)
    same = fit_cox(replace(data, time=np.full(50, when)))
    other = fit_cox(replace(data, time=np.full(50, 7.0)))
    np.testing.assert_array_equal(same.coef, other.coef)
    assert (same.se > 0).all()


def test_a_stratum_of_one_adds_nothing():
    data = made_up(60)
    strata = np.zeros(60, dtype=int)
    strata[-1] = 1
    np.testing.assert_allclose(
        fit_cox(replace(data, strata=strata)).coef, fit_cox(data.take(np.arange(59))).coef, rtol=1e-9
    )


def test_rounding_noise_does_not_break_ties():
    data = made_up(80)
    noisy = replace(data, time=data.time + np.random.default_rng(1).uniform(-1, 1, 80) * 1e-10)
    assert fit_cox(noisy).loglik == pytest.approx(fit_cox(data).loglik, rel=1e-12)
