"""The best of many cut-points: what it is worth, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from bedside.errors import Fixable
from bedside.survival import best_cut, best_cut_by, log_rank
from bedside.survival.cutpoint import log_rank_scores
from bedside.survival.selection_p import corrected_p


def made_up(n, seed=0, effect=0.0):
    """Follow-up of n patients whose hazard triples above 1 with effect 1, and a value for each."""
    chance = np.random.default_rng(seed)
    value = chance.normal(size=n)
    time = chance.exponential(np.where(value > 1, 3.0**-effect, 1.0))
    stop = chance.uniform(0.2, 3, n)
    return np.minimum(time, stop), time <= stop, value


def test_scores_by_hand():
    """Four patients, no ties: 1 - 1/4, then -1/4, then 1 - 1/4 - 1/2, then -1/4 - 1/2."""
    scores = log_rank_scores(np.array([1.0, 2, 3, 4]), np.array([1, 0, 1, 0]))
    np.testing.assert_allclose(scores, [0.75, -0.25, 0.25, -0.75])


def test_a_true_step_is_found():
    time, event, value = made_up(2000, effect=1)
    cut = best_cut(time, event, value)
    assert cut.cut == pytest.approx(1, abs=0.05)
    assert cut.p < 1e-10
    assert (cut.n_low, cut.n_high) == ((value <= cut.cut).sum(), (value > cut.cut).sum())
    assert cut.cut < cut.above == value[value > cut.cut].min()
    assert cut.unselected.statistic == log_rank(time, event, value > cut.cut).statistic


def test_corrections_hold_their_level_where_the_value_says_nothing():
    """400 samples without any effect: the corrected p is below 0.05 in about 1 of 20, the naive one far too often."""
    cuts = [best_cut(*made_up(80, seed), correction="lausen-1994") for seed in range(400)]
    gauss = [best_cut(*made_up(80, seed), correction="gauss").p for seed in range(0, 400, 4)]
    assert np.mean([cut.p < 0.05 for cut in cuts]) < 0.08
    assert np.mean(np.array(gauss) < 0.05) < 0.12
    assert np.mean([cut.unselected.p < 0.05 for cut in cuts]) > 0.2


@pytest.mark.parametrize("b", [1.0, 2.2, 4.0])
def test_gauss_equals_a_second_integral(b):
    """Three cut-points: one less the trivariate normal chance of staying within b."""
    below, n = np.array([10, 30, 60]), 100
    odds = below / (n - below)
    correlation = np.sqrt(np.minimum.outer(odds, odds) / np.maximum.outer(odds, odds))
    joint = multivariate_normal(cov=correlation, abseps=1e-10, releps=1e-10, seed=1)
    inside = joint.cdf(np.full(3, b), lower_limit=np.full(3, -b))
    ours = corrected_p(b, np.zeros(n), below, 0.1, 0.9, "gauss")
    assert ours == pytest.approx(1 - inside, abs=1e-6)


def test_corrections_agree_with_each_other():
    time, event, value = made_up(150, seed=3, effect=0.5)
    p = {c: best_cut(time, event, value, correction=c).p for c in ("lausen-1994", "gauss", "permutation", "exact")}
    assert p["permutation"] == pytest.approx(p["gauss"], abs=0.02)
    assert p["gauss"] <= p["lausen-1994"]
    assert p["permutation"] == best_cut(time, event, value, correction="permutation").p
    assert p["permutation"] != best_cut(time, event, value, correction="permutation", seed=1).p


def test_permutation_never_says_never():
    time, event, value = made_up(400, effect=2)
    assert best_cut(time, event, value, correction="permutation", draws=99).p == 0.01


def test_patients_without_a_value_take_no_part():
    time, event, value = made_up(300, effect=1)
    value[::7] = np.nan
    with_missing = best_cut(time, event, value)
    known = ~np.isnan(value)
    assert with_missing.dropped_missing == 43
    assert with_missing.statistic == best_cut(time[known], event[known], value[known]).statistic


def test_10000_values_are_all_tried():
    time, event, value = made_up(10_000, effect=0.2)
    assert len(best_cut(time, event, value).cuts) == 8001


@pytest.mark.parametrize(
    ("time", "event", "value", "why"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], [5, 5, 5, 5], "No value leaves between"),
        ([1, 2, 3, 4], [1, 1, 1, 1], [np.nan] * 4, "No value leaves between"),
        ([1, 2, 3, 4], [0, 0, 0, 0], [1, 2, 3, 4], "No event tells"),
        ([3, 3, 3, 3], [1, 1, 1, 1], [1, 2, 3, 4], "No event tells"),
        ([1], [1], [1], "No value leaves between"),
        ([1, 2, 3], [1, 1, 1], [1, 2], "not one value for each patient"),
    ],
    ids=["one value", "none known", "no events", "all at once", "one patient", "lengths"],
)
def test_values_that_cannot_be_cut(time, event, value, why):
    with pytest.raises(Fixable) as caught:
        best_cut(time, event, value)
    assert why in caught.value.why


def test_infinite_values_have_their_place():
    """They are cut between like others: the two early deaths lie below 3."""
    cut = best_cut([1, 2, 9, 9, 9], [1, 1, 0, 0, 0], [-np.inf, 2, np.inf, np.inf, 3], low_share=0.2)
    assert (cut.cut, cut.above) == (2, 3)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"low_share": 0}, "shares of patients"),
        ({"low_share": 0.9, "high_share": 0.1}, "shares of patients"),
        ({"correction": "bonferroni"}, "not known"),
        ({"correction": "gauss"}, "takes 500 at most"),
        ({"correction": "exact"}, "takes 200 at most"),
    ],
)
def test_choices_that_cannot_be_met(told, why):
    with pytest.raises(Fixable) as caught:
        best_cut(*made_up(800), **told)
    assert why in caught.value.why


def test_cut_of_a_cohort(gbsg2):
    outcome = gbsg2.outcomes[0]
    variable = next(v for v in gbsg2.predictors if v.kind == "continuous")
    ours = best_cut_by(gbsg2, outcome, variable.name, low_share=0.2, high_share=0.8)
    direct = best_cut(
        gbsg2.time(outcome), gbsg2.event(outcome), gbsg2.frame[variable.name], low_share=0.2, high_share=0.8
    )
    assert (ours.cut, ours.p) == (direct.cut, direct.p)
    grouped = next(v for v in gbsg2.predictors if v.kind != "continuous")
    with pytest.raises(Fixable, match="does not hold numbers"):
        best_cut_by(gbsg2, outcome, grouped.name)
