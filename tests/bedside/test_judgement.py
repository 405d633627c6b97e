"""You, the model, what happened: every number against one computed another way."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from scipy.stats import t as student

from bedside.patient.judgement import bins, judge, outcomes
from bedside.survival import kaplan_meier


@pytest.fixture(scope="module")
def cohort():
    """400 patients with events of two kinds and censoring, no ties."""
    rng = np.random.default_rng(5)
    event, other, lost = rng.exponential(6, 400), rng.exponential(20, 400), rng.uniform(0.5, 12, 400)
    time = np.minimum(np.minimum(event, other), lost)
    cause = np.where(time == lost, 0, np.where(time == event, 1, 2))
    return time, cause


def chance_of_being_followed(time, cause):
    """By lifelines: Kaplan-Meier of the censorings."""
    curve = KaplanMeierFitter().fit(time, cause == 0)
    return lambda t: float(curve.survival_function_at_times(t).iloc[0])


def test_outcomes_and_their_weights_by_hand(cohort):
    time, cause = cohort
    followed = chance_of_being_followed(time, cause)
    rows, horizons = [3, 17, 17, 88, 200, 301, 399, 40, 41, 42], [4.0, 2.0, 6.0, 4.0, 3.0, 5.0, 1.0, 4.0, 4.0, 4.0]
    happened, weight = outcomes(time, cause, rows, horizons)
    seen = set()
    for i, (row, t) in enumerate(zip(rows, horizons, strict=True)):
        if time[row] <= t and cause[row] == 0:
            kind, expected = "lost", (np.nan, 0.0)
        elif time[row] <= t:
            kind, expected = f"cause {cause[row]}", (float(cause[row] == 1), 1 / followed(time[row] - 1e-9))
        else:
            kind, expected = "free", (0.0, 1 / followed(t))
        seen.add(kind)
        assert (happened[i], weight[i]) == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert seen == {"lost", "cause 1", "cause 2", "free"}


def test_weighted_shares_of_everybody_are_kaplan_meier_also_with_delayed_entry(cohort):
    time, cause = cohort
    event = np.minimum(cause, 1)
    for entry in (None, np.minimum(np.linspace(0, 1.5, len(time)), time / 2)):
        happened, weight = outcomes(time, event, np.arange(len(time)), np.full(len(time), 4.0), entry=entry)
        known = weight > 0
        share = (weight[known] * happened[known]).sum() / weight[known].sum()
        expected = 1 - kaplan_meier(time, event == 1, entry=entry).at([4.0]).survival[0]
        assert share == pytest.approx(expected, abs=1e-9)


def test_bins_hold_ten_known_outcomes_each_and_count_plainly_where_nobody_was_lost():
    said = np.repeat([0.1, 0.3, 0.5, 0.9], 12)
    happened = np.concatenate([np.arange(12) < k for k in (1, 4, 6, 12)]).astype(float)
    found = bins(said, happened, np.ones(48))
    assert [(b.said, b.n, b.n_events, b.observed) for b in found] == [
        pytest.approx(row) for row in ((0.1, 12, 1, 1 / 12), (0.3, 12, 4, 1 / 3), (0.5, 12, 6, 0.5), (0.9, 12, 12, 1))
    ]
    # Wilson's interval of 6 of 12 and of 12 of 12, which is 12 / (12 + 1.96^2) to 1.
    assert (found[2].lower, found[2].upper) == pytest.approx((0.2538, 0.7462), abs=5e-5)
    assert (found[3].lower, found[3].upper) == pytest.approx((0.7575, 1.0), abs=5e-5)
    assert bins(said[:19], happened[:19], np.ones(19)) == ()
    assert bins(np.full(48, 0.4), happened, np.ones(48)) == ()  # one value is one group
    half = np.where(np.arange(48) % 2, 0.0, 1.0)
    assert [(b.said, b.n) for b in bins(said, happened, half)] == [pytest.approx((0.2, 12)), pytest.approx((0.7, 12))]


def test_who_was_nearer_and_by_how_much_by_hand(cohort):
    time, cause = cohort
    rng = np.random.default_rng(8)
    rows = rng.integers(0, 400, 60)  # some patients twice
    horizons = rng.choice([2.0, 4.0, 6.0], 60)
    happened, weight = outcomes(time, cause, rows, horizons)
    own, model = rng.uniform(0, 1, 60), rng.uniform(0, 1, 60)
    model[:3] = np.nan
    found = judge(own, model, happened, weight, patients=rows)
    both = [i for i in range(60) if weight[i] > 0 and model[i] == model[i]]
    total = sum(weight[i] for i in both)
    gaps = {i: (own[i] - happened[i]) ** 2 - (model[i] - happened[i]) ** 2 for i in both}
    mean = sum(weight[i] * gaps[i] for i in both) / total
    assert found.brier_difference.value == pytest.approx(mean, rel=1e-12)
    assert found.own_brier - found.model_brier == pytest.approx(mean, rel=1e-9)
    per_patient = {}
    for i in both:
        per_patient[rows[i]] = per_patient.get(rows[i], 0.0) + weight[i] * (gaps[i] - mean) / total
    m = len(per_patient)
    assert m < len(both)
    reach = np.sqrt(m / (m - 1) * sum(v * v for v in per_patient.values()))
    assert found.brier_difference.upper - mean == pytest.approx(reach * student.ppf(0.975, m - 1), rel=1e-9)
    known = [i for i in range(60) if weight[i] > 0]
    error = sum(weight[i] * (own[i] - happened[i]) for i in known) / sum(weight[i] for i in known)
    assert found.own_error.value == pytest.approx(error, rel=1e-12)
    far = [i for i in both if abs(own[i] - model[i]) >= 0.1]
    assert found.apart == len(far) and found.own_nearer == sum(gaps[i] < 0 for i in far)
    assert found.own_nearer + found.model_nearer == found.apart
    assert (found.n_events, found.n_free) == (int((happened == 1).sum()), int((happened == 0).sum()))
    assert found.n_events + found.n_free + int((weight == 0).sum()) == 60


def test_small_numbers_say_nothing_yet():
    def of(n: int):
        own, came = np.linspace(0.1, 0.9, n), np.arange(n) % 2.0
        return judge(own, 1 - own, came, np.ones(n), patients=np.arange(n))

    assert of(9).own_error is None and of(10).own_error is not None
    assert of(19).brier_difference is None and np.isnan(of(19).own_brier) and of(20).brier_difference is not None
    assert of(19).own_bins == () and len(of(20).own_bins) == 2
    nothing = judge(*(np.zeros(0),) * 4, patients=np.zeros(0, dtype=int))
    assert nothing.own_bins == () and nothing.apart == 0 and nothing.own_error is None
    one_patient = judge(np.full(12, 0.5), np.full(12, 0.4), np.ones(12), np.ones(12), patients=np.zeros(12, dtype=int))
    assert one_patient.own_error.value == pytest.approx(-0.5) and np.isnan(one_patient.own_error.lower)
