"""Shapley values of a Cox risk on arrays: against R, against shap, and against their own axioms."""

from __future__ import annotations

import itertools
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.explain.shapley import shapley_cox, shapley_cox_sampled


@pytest.fixture(scope="module")
def pbc(r, reference_frame):
    """Terms of the linear predictor of R's Cox model: background, explained patients, hazards, results."""
    theirs = r("10_shapley")["pbc_cox"]
    frame = reference_frame("split_pbc").set_index("id")[theirs["features"]]
    coef = np.array(theirs["coef"])
    background = frame.loc[theirs["background_ids"]].to_numpy() * coef
    explained = frame.loc[theirs["explained_ids"]].to_numpy() * coef
    return background, explained, np.array(theirs["H0_uncentered"]["H0"]), theirs


def _game(players: int, rows: int = 100, seed: int = 0, size: float = 0.4):
    rng = np.random.default_rng(seed)
    return rng.normal(size=players) * size, rng.normal(size=(rows, players)) * size


def _risk(lp, hazard):
    return 1 - np.exp(-hazard * np.exp(lp))


def test_survival_over_time_equals_r(pbc):
    """10_shapley.R: shap(function(q) exp(-H(t) * exp(lp(q))), ...) at 1, 3, 5 and 8 years, all coalitions."""
    background, explained, hazard, theirs = pbc
    for i, terms in enumerate(explained):
        base, points = shapley_cox(terms, background, hazard)
        for k, years in enumerate(("1", "3", "5", "8")):
            block = theirs["survival_over_time"][years]
            np.testing.assert_allclose(1 - base[k], block["base"], rtol=1e-9)
            np.testing.assert_allclose(-points[k], block["phi"][i], rtol=1e-9, atol=1e-15)
            np.testing.assert_allclose(1 - base[k] - points[k].sum(), block["f"][i], rtol=1e-9, atol=1e-15)


def test_five_year_risk_equals_r(pbc):
    """10_shapley.R: shap(risk(5 * 365.25), ...)."""
    background, explained, hazard, theirs = pbc
    block = theirs["risk_5y"]
    for i, terms in enumerate(explained):
        base, points = shapley_cox(terms, background, hazard[2:3])
        np.testing.assert_allclose(base, block["base"], rtol=1e-9)
        np.testing.assert_allclose(points[0], block["phi"][i], rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(base[0] + points[0].sum(), block["f"][i], rtol=1e-9, atol=1e-15)


def test_rare_risk_tends_to_the_hazard_ratio_scale(pbc):
    """10_shapley.R: shap(function(q) exp(lp(q)), ...); 1 - exp(-h e^lp) tends to h e^lp as h falls."""
    background, explained, _, theirs = pbc
    tiny = 1e-9
    for i, terms in enumerate(explained):
        _, points = shapley_cox(terms, background, np.array([tiny]))
        np.testing.assert_allclose(points[0] / tiny, theirs["hazard_ratio_scale"]["phi"][i], rtol=1e-4, atol=1e-3)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # matplotlib, imported by shap
def test_equals_shap_exact_and_permutation_explainers(pbc):
    """shap.ExactExplainer and shap.PermutationExplainer on the same function and background."""
    import shap  # heavy, and needed here alone

    background, explained, hazard, _ = pbc

    def risk(x):
        return _risk(x.sum(axis=1), hazard[2])

    masker = shap.maskers.Independent(background, max_samples=len(background))
    exact = shap.ExactExplainer(risk, masker)(explained)
    permuted = shap.PermutationExplainer(risk, masker, seed=0)(explained, max_evals=2000)
    ours = np.array([shapley_cox(terms, background, hazard[2:3])[1][0] for terms in explained])
    np.testing.assert_allclose(ours, exact.values, rtol=1e-9, atol=1e-13)
    base, _ = shapley_cox(explained[0], background, hazard[2:3])
    np.testing.assert_allclose(exact.base_values, np.repeat(base, 10), rtol=1e-12)
    np.testing.assert_allclose(ours, permuted.values, atol=0.006)


def test_equals_the_definition_written_out():
    terms, background = _game(5, rows=7)
    hazard = 0.7
    value = {}
    for size in range(6):
        for coalition in itertools.combinations(range(5), size):
            mixed = background.copy()
            mixed[:, coalition] = terms[list(coalition)]
            value[coalition] = _risk(mixed.sum(axis=1), hazard).mean()
    expected = [
        sum(
            factorial(len(s)) * factorial(4 - len(s)) / factorial(5) * (value[tuple(sorted((*s, j)))] - value[s])
            for s in value
            if j not in s
        )
        for j in range(5)
    ]
    base, points = shapley_cox(terms, background, np.array([hazard]))
    assert base[0] == pytest.approx(value[()], rel=1e-13)
    np.testing.assert_allclose(points[0], expected, rtol=1e-11, atol=1e-14)


@given(players=st.integers(1, 9), rows=st.integers(1, 40), seed=st.integers(0, 10_000), size=st.floats(0.01, 3))
def test_contributions_add_up_at_every_time(players, rows, seed, size):
    terms, background = _game(players, rows=rows, seed=seed, size=size)
    hazard = np.array([0.0, 1e-6, 0.3, 5.0])
    base, points = shapley_cox(terms, background, hazard)
    np.testing.assert_allclose(base + points.sum(axis=1), _risk(terms.sum(), hazard), rtol=0, atol=1e-13)
    assert np.all(points[0] == 0)


def test_a_value_that_all_share_contributes_nothing_and_equal_players_share_equally():
    terms, background = _game(6, rows=30)
    background[:, 2] = terms[2]
    background[:, 4], terms[4] = background[:, 1], terms[1]
    _, points = shapley_cox(terms, background, np.array([0.5]))
    assert abs(points[0, 2]) < 1e-15
    assert points[0, 4] == pytest.approx(points[0, 1], abs=1e-15)
    assert abs(points[0, 1]) > 1e-4


def test_a_value_far_outside_the_data_saturates_without_overflow():
    terms, background = _game(4, rows=10)
    terms[0], terms[1] = 5_000.0, -40.0
    base, points = shapley_cox(terms, background, np.array([0.0, 0.5]))
    assert np.all(np.isfinite(points))
    assert base[1] + points[1].sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(points[0] == 0)


@pytest.mark.parametrize("players", [9, 12])
def test_sampling_agrees_with_enumeration_within_its_own_error(players):
    terms, background = _game(players)
    hazard = np.array([0.2, 0.9])
    base, exact = shapley_cox(terms, background, hazard)
    drawn = shapley_cox_sampled(terms, background, hazard, seed=3)
    np.testing.assert_allclose(drawn.base, base, rtol=1e-13)
    assert np.all(np.abs(drawn.points - exact) < 5 * drawn.error + 1e-12)
    assert 0 < drawn.error.max() < 0.001


@pytest.mark.parametrize("players", [15, 20, 60])
def test_sampling_adds_up_is_reproducible_and_reaches_its_error(players):
    terms, background = _game(players, size=0.25)
    hazard = np.array([0.3, 0.8])
    first = shapley_cox_sampled(terms, background, hazard, seed=1)
    again = shapley_cox_sampled(terms, background, hazard, seed=1)
    other = shapley_cox_sampled(terms, background, hazard, seed=2)
    np.testing.assert_array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)
    np.testing.assert_allclose(first.base + first.points.sum(axis=1), _risk(terms.sum(), hazard), atol=1e-12)
    assert first.error.max() < 0.001
    assert np.abs(first.points - other.points).max() < 0.006


def test_the_sampling_error_is_the_spread_of_repeated_samples():
    terms, background = _game(15, rows=40)
    drawn = [shapley_cox_sampled(terms, background, np.array([0.6]), seed=s, most_pairs=64) for s in range(60)]
    spread = np.std([d.points[0] for d in drawn], axis=0, ddof=1)
    stated = np.sqrt(np.mean([d.error[0] ** 2 for d in drawn], axis=0))
    np.testing.assert_allclose(spread, stated, rtol=0.35)


def test_sampling_stops_at_the_most_pairs_and_says_the_error_reached():
    terms, background = _game(18, size=1.5)
    drawn = shapley_cox_sampled(terms, background, np.array([0.6]), target=1e-6, batch=16, most_pairs=32)
    assert drawn.pairs == 32
    assert drawn.error.max() > 1e-6
