"""Measures of performance against what can be worked out pair by pair, by hand, or by leaving patients out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chisquare

from bedside.survival import kaplan_meier
from bedside.validation import (
    auc,
    brier,
    calibration_groups,
    calibration_slope,
    censoring_curve,
    concordance,
    contrast,
    d_calibration,
    decision_curve,
    integrated_brier,
    null_risk,
    overall_calibration,
    risk_groups,
    royston_d,
    smooth_calibration,
    truncated_concordance,
    uncensored_weights,
    uno,
    weak_calibration,
)


def cohort(n=300, *, seed=0, competing=False, late=False, round_to=None):
    """Times, causes, risks by 1, 2 and 3, entry; risks are right."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    rate = 0.3 * np.exp(0.8 * x)
    died, left = rng.exponential(1 / rate), rng.uniform(0.5, 6, n)
    entry = np.where(rng.random(n) < 0.3, 0.0, rng.uniform(0, 1.5, n)) if late else None
    time = np.minimum(died, left)
    if round_to:
        time = np.maximum(np.ceil(time / round_to) * round_to, round_to)
    cause = (died <= left).astype(int)
    if competing:
        cause = np.where((cause == 1) & (rng.random(n) < 0.3), 2, cause)
    risk = 1 - np.exp(-np.outer(rate, [1, 2, 3]))
    risk = 0.7 * risk if competing else risk
    seen = np.ones(n, dtype=bool) if entry is None else entry < time
    return time[seen], cause[seen], risk[seen], entry if entry is None else entry[seen]


TIMES = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("competing", [False, True])
def test_kaplan_meier_mass_is_the_weight_of_score(competing):
    time, cause, _, _ = cohort(competing=competing, round_to=0.25)
    ours = uncensored_weights(time, cause > 0, TIMES, convention="kaplan_meier_mass")
    np.testing.assert_allclose(ours, uncensored_weights(time, cause > 0, TIMES), rtol=1e-12)
    np.testing.assert_allclose(ours.sum(axis=0), len(time), rtol=1e-12)


@pytest.mark.parametrize("competing", [False, True])
def test_weights_with_delayed_entry_give_back_the_risk(competing):
    """Summed over those with the event they are the Aalen-Johansen estimate, left truncation and all."""
    time, cause, _, entry = cohort(competing=competing, late=True)
    weight = uncensored_weights(time, cause > 0, TIMES, entry=entry)
    np.testing.assert_allclose(weight.sum(axis=0), len(time), rtol=1e-12)
    seen = (weight * ((cause == 1)[:, None] & (time[:, None] <= TIMES))).mean(axis=0)
    np.testing.assert_allclose(seen, null_risk(time, cause, TIMES, entry=entry), rtol=1e-12)


def test_a_train_curve_that_ended_leaves_no_number():
    time, cause, risk, _ = cohort()
    train = (np.array([0.5, 1.5]), np.array([True, False]))
    found = brier(time, cause, risk, TIMES, convention="G_train_left", train=train)
    assert np.isfinite(found.value[0]) and np.isnan(found.value[1:]).all()


def pairs_auc(time, cause, risk, t):
    curve = censoring_curve(time, cause > 0)
    case = np.flatnonzero((time <= t) & (cause == 1))
    control = np.flatnonzero((time > t) | ((time <= t) & (cause > 1)))
    weigh = np.where(time > t, 1 / curve.at(t), 1 / curve.before(time))
    top = bottom = 0.0
    for i in case:
        for j in control:
            w = weigh[i] * weigh[j]
            bottom += w
            top += w * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    return top / bottom


@pytest.mark.parametrize("competing", [False, True])
def test_auc_is_the_share_of_pairs(competing):
    time, cause, risk, _ = cohort(80, competing=competing, round_to=0.5)
    risk = risk.round(1)
    found = auc(time, cause, risk, TIMES)
    expected = [pairs_auc(time, cause, risk[:, j], t) for j, t in enumerate(TIMES)]
    np.testing.assert_allclose(found.value, expected, rtol=1e-12)


def test_intervals_of_auc_and_brier_are_those_of_the_jackknife():
    time, cause, risk, _ = cohort(400, competing=True)
    for measure in (auc, brier):
        found = measure(time, cause, risk, TIMES)
        kept = ~np.eye(400, dtype=bool)[:60]
        less = np.array([measure(time[k], cause[k], risk[k], TIMES).value for k in kept])
        np.testing.assert_allclose(399 * (found.value - less), found.influence[:60], atol=0.02)


def test_contrast_of_a_model_with_itself_is_nothing():
    time, cause, risk, _ = cohort()
    one = brier(time, cause, risk, TIMES)
    found = contrast(one, one)
    assert (found.difference == 0).all() and (found.std_err == 0).all()


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=25).filter(
        lambda rows: any(r[1] == 2 for r in rows)
    )
)
def test_wolbers_concordance_is_that_of_all_pairs(rows):
    time, cause, risk = (np.array(c) for c in zip(*rows, strict=True))
    curve = censoring_curve(time, cause > 0)
    before, at = curve.before(time), curve.at(time)
    top = bottom = 0.0
    for i in np.flatnonzero((cause == 1) & (time <= 4)):
        for j in range(len(time)):
            if time[j] > time[i] or (time[j] == time[i] and cause[j] == 0):
                weight = 1 / (before[i] * at[i]) if at[i] > 0 else 0.0
            elif cause[j] == 2:
                weight = 1 / (before[i] * before[j])
            else:
                continue
            bottom += weight
            top += weight * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    (ours,) = truncated_concordance(time, cause, risk, [4])
    assert ours == pytest.approx(top / bottom, rel=1e-12) if bottom else np.isnan(ours)
    assert uno(time, cause, risk, up_to=4) == pytest.approx(ours, nan_ok=True)


def test_competing_events_count_as_never_having_the_event():
    time, cause = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2, 1, 0, 1])
    # Pairs: the second against the first (competing), third and fourth; the fourth against the first.
    assert concordance(time, cause, np.array([1, 4, 2, 3])).c == 1
    assert concordance(time, cause, np.array([4, 1, 2, 3])).c == 0


def test_integrated_brier_by_both_rules():
    times, scores = np.array([1.0, 3.0]), np.array([0.1, 0.2])
    np.testing.assert_allclose(integrated_brier(times, scores), [0.05, (0.05 + 0.3) / 3])
    np.testing.assert_allclose(integrated_brier(times, scores, rule="step"), [0.0, 0.2 / 3])


@pytest.mark.parametrize("competing", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_right_risks_are_calibrated(competing, late):
    time, cause, risk, entry = cohort(3000, competing=competing, late=late)
    given = (time, cause, risk[:, 1], 2.0)
    assert overall_calibration(*given, entry=entry).ratio == pytest.approx(1, abs=0.08)
    weak = weak_calibration(*given, entry=entry)
    assert weak.intercept.lower < 0 < weak.intercept.upper
    assert weak.slope.value == pytest.approx(1, abs=0.12)
    smooth = smooth_calibration(*given, entry=entry)
    assert smooth.ici < 0.03
    assert smooth.e50 <= smooth.e90 <= smooth.emax
    inside = (smooth.lower <= smooth.predicted) & (smooth.predicted <= smooth.upper)
    assert inside.mean() > 0.6
    groups = calibration_groups(*given, entry=entry)
    assert len(groups) == 10 and sum(g.n for g in groups) == len(time)
    assert max(abs(g.predicted - g.observed) for g in groups) < 0.09


def test_risks_too_extreme_have_a_slope_below_one():
    time, cause, risk, _ = cohort(3000)
    extreme = 1 - np.exp(-np.exp(2 * np.log(-np.log1p(-risk[:, 1]))))
    assert weak_calibration(time, cause, extreme, 2.0).slope.value == pytest.approx(0.5, abs=0.06)
    assert calibration_slope(time, cause, 2 * np.log(-np.log1p(-risk[:, 1]))).value == pytest.approx(0.5, abs=0.06)


def test_d_calibration_shares_out_the_censored():
    """One event with chance .35; one censored at .35: a third of the tenth .3 to .4, the rest below."""
    found = d_calibration([True, False], [0.35, 0.35])
    np.testing.assert_allclose(found.counts, [2 / 7, 2 / 7, 2 / 7, 1 + 1 / 7, 0, 0, 0, 0, 0, 0], atol=1e-12)
    assert found.counts.sum() == pytest.approx(2)
    assert np.isnan(found.p) and found.df == 0 and found.censored == 0.5  # two patients can't be tested


def test_d_calibration_is_pearsons_where_nobody_is_censored():
    chance = np.random.default_rng(3).random(200)
    found = d_calibration(np.ones(200, dtype=bool), chance)
    pearson = chisquare(np.histogram(chance, np.arange(11) / 10)[0])
    assert (found.statistic, found.df) == (pytest.approx(pearson.statistic, rel=1e-10), 9)
    assert found.p == pytest.approx(pearson.pvalue, rel=1e-10) and found.censored == 0


def test_d_calibration_by_hand_with_two_shares():
    """Ten patients censored at .5, then ten events below it: by hand.

    Kaplan-Meier of censoring: all twenty are at risk at .5, so half of it falls there, and half never. Upper half: no
    patient of 10 expected. Its variance per patient: events above .5 for all, 1/2, less 1/4; nobody censored is
    shared out above .5. So 20/4 = 5, and 10 x 10 / 5 = 20 on 1 degree of freedom.
    """
    chance = np.concatenate((np.full(10, 0.5), np.linspace(0.05, 0.45, 10)))
    found = d_calibration(np.arange(20) >= 10, chance, bins=2)
    np.testing.assert_allclose(found.counts, [20, 0], atol=1e-12)
    assert (found.statistic, found.df) == (pytest.approx(20), 1)
    assert found.p == pytest.approx(chi2.sf(20, 1))


@pytest.mark.parametrize(
    ("until", "share", "power"), [(60, 0.02, 0.99), (8, 0.3, 0.98), (1.2, 0.77, 0.6), (0.5, 0.89, 0.3)]
)
def test_d_calibration_keeps_its_level_however_many_are_censored(until, share, power):
    """300 cohorts of 500: right chances are refused in about 5 of 100, hazards 40% too high far more often."""
    rng, right, wrong, censored = np.random.default_rng(11), [], [], []
    for _ in range(300):
        rate = 0.3 * np.exp(0.8 * rng.normal(size=500))
        died, left = rng.exponential(1 / rate), rng.uniform(until / 5, until, 500)
        time, seen = np.minimum(died, left), died <= left
        found = d_calibration(seen, np.exp(-rate * time))
        right.append(found.p < 0.05)
        censored.append(found.censored)
        wrong.append(d_calibration(seen, np.exp(-1.4 * rate * time)).p < 0.05)
    assert np.mean(censored) == pytest.approx(share, abs=0.02)
    assert 0.02 < np.mean(right) < 0.09
    assert np.mean(wrong) > power


@pytest.mark.parametrize("event", [np.zeros(0, dtype=bool), np.zeros(40, dtype=bool), np.arange(40) < 3])
def test_d_calibration_of_few_events_says_nothing(event):
    found = d_calibration(event, np.linspace(0.99, 1, len(event)))
    assert np.isnan(found.p) and found.df == 0


def test_d_calibration_of_right_and_of_wrong_chances():
    rng = np.random.default_rng(1)
    rate = np.exp(rng.normal(size=4000))
    died, left = rng.exponential(1 / rate), rng.exponential(2, 4000)
    time = np.minimum(died, left)
    assert d_calibration(died <= left, np.exp(-rate * time)).p > 0.01
    assert d_calibration(died <= left, np.exp(-1.5 * rate * time)).p < 1e-6
    late = rng.exponential(0.3, 4000)
    seen = late < time
    found = d_calibration((died <= left)[seen], np.exp(-rate * time)[seen], at_entry=np.exp(-rate[seen] * late[seen]))
    assert found.p > 0.01
    assert d_calibration((died <= left)[seen], np.exp(-rate * time)[seen]).p < found.p


@pytest.mark.parametrize("competing", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_net_benefit_is_counted_by_the_curves_of_those_above(competing, late):
    time, cause, risk, entry = cohort(200, competing=competing, late=late, round_to=0.1 if not late else None)
    found = decision_curve(time, cause, risk[:, 1], 2.0, thresholds=(0.1, 0.3, 0.5, 0.999), entry=entry)
    for k, p in enumerate((0.1, 0.3, 0.5)):
        above = risk[:, 1] >= p
        began = None if entry is None else entry[above]
        share = null_risk(time[above], cause[above], [2.0], entry=began, extend=True)[0]
        weight = 1.0 if entry is None else uncensored_weights(time, cause > 0, np.array([2.0]), entry=entry)[:, 0]
        part = (weight * above).mean()
        assert found.model[k] == pytest.approx(part * share - part * (1 - share) * p / (1 - p), rel=1e-10)
        assert found.n_above[k] == above.sum()
        assert found.true_positive[k] + found.false_positive[k] == pytest.approx(part)
    assert found.model[3] == 0 and found.n_above[3] == 0
    assert found.per_1000[0] == pytest.approx(1000 * found.model[0])
    np.testing.assert_allclose(found.gain_per_1000, 1000 * (found.model - np.maximum(found.everybody, 0)), rtol=1e-12)


def test_risk_groups_hold_their_own_curves():
    time, cause, risk, _ = cohort(301, competing=False)
    found = risk_groups(time, cause, risk[:, 0])
    assert found.labels == ("Low", "Middle", "High") and found.test == "Log-rank test"
    assert np.bincount(found.codes).tolist() == [101, 100, 100]
    high = found.codes == 2
    np.testing.assert_array_equal(found.curves[2].survival, kaplan_meier(time[high], cause[high]).survival)
    assert found.p < 1e-6
    time, cause, risk, _ = cohort(300, competing=True)
    assert risk_groups(time, cause, risk[:, 0]).test == "Gray's test"
    assert risk_groups(time, cause, np.ones(300)).labels == ("All patients",)


NOBODY = np.zeros(30, dtype=int)


@pytest.mark.parametrize(
    ("time", "cause", "risk"),
    [
        (np.arange(1.0, 31.0), NOBODY, np.linspace(0.1, 0.9, 30)),
        (np.full(30, 5.0), NOBODY + 1, np.linspace(0.1, 0.9, 30)),
        (np.arange(1.0, 31.0), NOBODY + 1, np.full(30, 0.3)),
        (np.arange(1.0, 31.0), NOBODY + 2, np.linspace(0.0, 1.0, 30)),
        (np.zeros(30), np.arange(30) % 2, np.linspace(0.0, 1.0, 30)),
        (np.arange(1.0, 31.0), np.arange(30) % 3, np.r_[np.zeros(15), np.ones(15)]),
        (np.array([3.0]), np.array([1]), np.array([0.4])),
    ],
    ids=["no event", "one time", "one risk", "competing only", "zero times", "risks 0 and 1", "one patient"],
)
def test_what_has_no_value_is_told_as_such_and_stops_nothing(time, cause, risk):
    for t in (0.5, 5.0, 29.0):
        for found in (auc(time, cause, risk, [t]), brier(time, cause, risk, [t])):
            assert found.value.shape == (1,)
        concordance(time, cause, risk)
        truncated_concordance(time, cause, risk, [t])
        royston_d(time, cause, risk)
        calibration_slope(time, cause, risk)
        weak_calibration(time, cause, risk, t)
        smooth_calibration(time, cause, risk, t)
        calibration_groups(time, cause, risk, t)
        assert np.isfinite(decision_curve(time, cause, risk, t).model).all()
        assert len(risk_groups(time, cause, risk).curves) >= 1
